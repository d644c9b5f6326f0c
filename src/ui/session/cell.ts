/** A locked cell: one value of a parameter with its gradient and its optimiser's moments, all read at one moment. */

import type { Device, Tensor, Trainer } from '../../engine/index.ts';
import type { Cell } from './choices.ts';

export interface CellReading {
  readonly cell: Cell;
  /** The parameter that the cell belongs to; undefined for an activation or the input. */
  readonly parameter: string | undefined;
  readonly shape: readonly number[];
  /** By role; a role is missing where the tensor has none. */
  readonly values: {
    readonly value: number;
    readonly gradient?: number;
    readonly m?: number;
    readonly v?: number;
  };
  /** Steps done. The gradient is that of the last of them, which led to the moments and the value here. */
  readonly step: number;
}

/** `gradient/dense_1/weight`, `adam/m/dense_1/weight` and `dense_1/weight` all belong to dense_1/weight. */
export const parameterOf = (tensor: string): string => tensor.replace(/^(gradient|adam\/[mv]|sgd\/velocity)\//, '');

/** @returns undefined where the tensor is gone or has no such cell */
export async function readCell(
  device: Device,
  trainer: Trainer,
  tensors: ReadonlyMap<string, Tensor>,
  cell: Cell,
): Promise<CellReading | undefined> {
  const shown = tensors.get(cell.tensor);
  if (!shown || cell.index >= shown.length || shown.dtype !== 'float32') return undefined;
  const name = parameterOf(cell.tensor);
  // A changed copy has parameters of its own.
  const parameter = trainer.model.parameters.has(name) ? tensors.get(name) : undefined;
  const roles: readonly (readonly [role: keyof CellReading['values'], tensor: Tensor | undefined])[] = parameter
    ? [
        ['value', parameter],
        ['gradient', trainer.tensors.get(`gradient/${name}`)],
        ['m', moment(trainer, 'm', name)],
        ['v', moment(trainer, 'v', name)],
      ]
    : [['value', shown]];
  const present = roles.filter((role): role is [keyof CellReading['values'], Tensor] => role[1] !== undefined);
  // The copy is submitted at once, after the steps submitted so far: it holds their results and no others.
  const step = (parameter ?? shown).step ?? 0;
  const read = await device.readRanges(
    'cell',
    present.map(([, { storage, byteOffset }]) => ({ buffer: storage, byteOffset: byteOffset + 4 * cell.index, bytes: 4 })),
    'ui',
  );
  const values = Object.fromEntries(present.map(([role], i) => [role, new Float32Array(read[i] as ArrayBuffer)[0] as number]));
  return {
    cell,
    parameter: parameter ? name : undefined,
    shape: shown.shape,
    values: values as unknown as CellReading['values'],
    step,
  };
}

const moment = (trainer: Trainer, which: 'm' | 'v', name: string): Tensor | undefined =>
  trainer.tensors.get(`adam/${which}/${name}`) ?? (which === 'm' ? trainer.tensors.get(`sgd/velocity/${name}`) : undefined);

/** What Adam makes of a parameter, by the formula, in float64. */
export interface AdamByHand {
  readonly m: number;
  readonly v: number;
  readonly mHat: number;
  readonly vHat: number;
  readonly value: number;
}

/**
 * adamByHand: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε).
 *
 * **Source** Kingma, Ba 2015, algorithm 1.
 */
export function adamByHand(
  before: { readonly value: number; readonly m: number; readonly v: number },
  gradient: number,
  step: number,
  { rate, beta1, beta2, epsilon }: { readonly rate: number; readonly beta1: number; readonly beta2: number; readonly epsilon: number },
): AdamByHand {
  const m = beta1 * before.m + (1 - beta1) * gradient;
  const v = beta2 * before.v + (1 - beta2) * gradient * gradient;
  const mHat = m / (1 - beta1 ** step);
  const vHat = v / (1 - beta2 ** step);
  return { m, v, mHat, vHat, value: before.value - (rate * mHat) / (Math.sqrt(vHat) + epsilon) };
}
