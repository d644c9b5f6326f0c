/** What a cell of a picture stands for: a value of the input, or a unit of a layer. */

import type { Tensor } from '../../engine/index.ts';
import type { TensorView } from '../maps/tensor-view.ts';
import { parameterOf } from '../session/cell.ts';
import type { Snapshot } from '../session/session.ts';

export type Pointed =
  | { readonly kind: 'pixel'; readonly index: number }
  | { readonly kind: 'unit'; readonly layer: string; readonly unit: number };

/** Undefined for a cell that stands for neither, such as one of the confusion matrix. */
export function pointedAt(view: TensorView, index: number, snapshot: Snapshot): Pointed | undefined {
  const { tensor } = view;
  if (!tensor) return undefined;
  const { example, cards, tensors, pinned } = snapshot;
  // The pinned example's maps are over the same pixels.
  const maps = pinned ? [...cards, ...pinned.cards] : cards;
  if (tensor === tensors.get('input') || maps.some(({ map }) => map?.attribution.values === tensor)) return { kind: 'pixel', index };
  for (const [name, each] of tensors) if (each === tensor) return unitOf(name, each, index, snapshot);
  // The input itself, as it was given or painted over, and the random map beside it.
  const input = 'values' in tensor && example && tensor.shape.join() === example.shape.join() && inRegion(view);
  return input ? { kind: 'pixel', index } : undefined;
}

/** The unit that a value of this tensor belongs to: units are the last axis of weights, biases and activations. */
export function unitOf(name: string, { shape }: Pick<Tensor, 'shape'>, index: number, { subject }: Snapshot): Pointed | undefined {
  const [, activity] = /^(?:pre)?activation\/(.+)$/.exec(name) ?? [];
  const parameter = parameterOf(name);
  const layer = activity ?? (subject?.parameters.has(parameter) ? parameter.slice(0, parameter.lastIndexOf('/')) : undefined);
  if (layer === undefined || !subject?.parameters.has(`${layer}/weight`)) return undefined;
  return { kind: 'unit', layer, unit: index % (shape.at(-1) ?? 1) };
}

export const samePointed = (a: Pointed | undefined, b: Pointed | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Pictures of the input stand in these regions; an array of the same shape elsewhere is something else. */
function inRegion(view: TensorView): boolean {
  const root = (from: Node): Element | undefined => {
    const found = from.getRootNode();
    return found instanceof ShadowRoot ? found.host : undefined;
  };
  for (let host = root(view); host; host = root(host))
    if (host.localName === 'studio-why' || host.localName === 'studio-example') return true;
  return false;
}
