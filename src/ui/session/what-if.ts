/** What if: the network with something changed, always as a copy. The run itself keeps its bits. */

import { buildModel, type Model } from '../../engine/index.ts';

export type WhatIf =
  /** The weights of so many layers, from the top on, are drawn anew. */
  | { readonly kind: 'randomised'; readonly layers: number }
  /** The input is moved against its label, no value by more than ε: in one step (FGSM) or in many (PGD). */
  | { readonly kind: 'attacked'; readonly method: AttackName; readonly epsilon: number }
  /** A unit of a layer is made silent: what comes into it is 0. */
  | { readonly kind: 'ablated'; readonly layer: string; readonly unit: number };

export const ATTACK_NAMES = ['fgsm', 'pgd'] as const;
export type AttackName = (typeof ATTACK_NAMES)[number];

export const MOST_EPSILON = 0.5;

export function writeWhatIf(whatIf: WhatIf): string {
  if (whatIf.kind === 'randomised') return `random:${whatIf.layers}`;
  if (whatIf.kind === 'attacked') return `attack:${whatIf.epsilon}@${whatIf.method}`;
  return `ablate:${whatIf.unit}@${whatIf.layer}`;
}

export function readWhatIf(text: string | undefined): WhatIf | undefined {
  const [, kind, value, layer] = /^(random|attack|ablate):([\d.]+)(?:@(.+))?$/.exec(text ?? '') ?? [];
  const number = Number(value);
  if (kind === undefined || !Number.isFinite(number)) return undefined;
  if (kind === 'attack') {
    const method = ATTACK_NAMES.find((name) => name === layer);
    return method && number > 0 && number <= MOST_EPSILON ? { kind: 'attacked', method, epsilon: number } : undefined;
  }
  if (!Number.isInteger(number)) return undefined;
  if (kind === 'random') return number >= 1 ? { kind: 'randomised', layers: number } : undefined;
  return layer === undefined ? undefined : { kind: 'ablated', layer, unit: number };
}

/** Layers that have weights, from the top on. */
export const weightedLayers = (model: Model): string[] =>
  model.layers
    .filter(({ parameters }) => parameters > 0)
    .map(({ name }) => name)
    .reverse();

/** A model of the same build, to be given the weights of another. */
export const copyOf = (model: Model): Promise<Model> => buildModel(model.device, model.spec);

/** Gives the copy the model's weights as they are now, in one turn, so that they belong to one step. */
export function copyWeights(copy: Model, model: Model): void {
  const { device } = model;
  const [from, to] = [model.flatParameters, copy.flatParameters];
  device.submit('ui', 'copy of the network', (encoder) => {
    encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset, from.bytes);
    device.count('ui', 'copyBuffer');
  });
  for (const [name, tensor] of copy.parameters) tensor.step = model.parameters.get(name)?.step;
}

/** Gives the copy the model's weights, and changes them. */
export function changeCopy(copy: Model, model: Model, whatIf: WhatIf): void {
  const { device } = model;
  copyWeights(copy, model);
  if (whatIf.kind === 'randomised') {
    // Another seed of the same initialiser: the layers are as they might have begun.
    const fresh = copy.initialParameters(((model.spec.seed ?? 0) + 1) >>> 0);
    const layers = weightedLayers(copy).slice(0, whatIf.layers);
    for (const [name, { offset, length }] of copy.extents()) {
      if (layers.some((layer) => name.startsWith(`${layer}/`))) copy.parameters.get(name)?.write(fresh.slice(offset, offset + length));
    }
  }
  if (whatIf.kind === 'ablated') {
    const { layer, unit } = whatIf;
    for (const [name, tensor] of copy.parameters) {
      const units = tensor.shape.at(-1) ?? 0;
      if (!name.startsWith(`${layer}/`) || unit >= units) continue;
      // A unit's weights are a column.
      for (let at = unit; at < tensor.length; at += units) device.writeBuffer('ui', tensor.storage, tensor.byteOffset + 4 * at, ZERO);
    }
  }
}

const ZERO = new Float32Array(1);

/** The example after an attack on its label. The library of attacks comes with the first one. @throws VitrineError what the attack throws */
export async function attackOn(
  model: Model,
  x: Float32Array,
  label: number,
  { method, epsilon }: Extract<WhatIf, { kind: 'attacked' }>,
): Promise<Float32Array> {
  const library = await import('./attack-library.ts');
  // As many steps of a quarter of the way as reach every corner of the ball.
  const options = { epsilon, target: label };
  const { values, target, before, after } =
    method === 'fgsm'
      ? await library.fgsm(model, x, options)
      : await library.pgd(model, x, { ...options, stepSize: epsilon / 4, steps: 10, randomStart: false });
  try {
    return await values.read();
  } finally {
    for (const tensor of [values, target, before.probabilities, before.classes, after.probabilities, after.classes]) tensor.dispose();
  }
}
