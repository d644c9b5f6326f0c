/** Asks the explanation library for a map. The library is loaded with the first one. */

import type { Device, Examples, Model } from '../../engine/index.ts';
import type { Attribution } from '../../explain/attribution.ts';
import { METHODS, type MethodName } from './methods.ts';

export interface Question {
  readonly target: number;
  readonly against: number | undefined;
}

type Method = (model: Model, x: Examples, options: Readonly<Record<string, unknown>>) => Promise<Attribution>;

/** What a method is asked with besides the class. */
const OPTIONS: Readonly<Record<MethodName, (model: Model) => Readonly<Record<string, unknown>>>> = {
  // The signed gradient: the absolute one says nothing of the direction, and could not be held to a promise.
  saliency: () => ({ signed: true }),
  inputXGradient: () => ({}),
  integratedGradients: () => ({ steps: METHODS.integratedGradients.n, baseline: 0 }),
  smoothGrad: () => ({ samples: METHODS.smoothGrad.n, seed: 0 }),
  deepLift: () => ({ baseline: 0 }),
  lrp: () => ({}),
  guidedBackprop: () => ({}),
  // Pixel by pixel: a sum over painted pixels is then a promise that a linear model keeps.
  occlusion: ({ spec }) => ({ baseline: 0, ...(spec.inputShape.length === 3 ? { window: 1, stride: 1 } : {}) }),
};

let library: Promise<typeof import('./explain-library.ts')> | undefined;

/** A map of one example. The caller disposes of it. @throws VitrineError what the method throws */
export async function explainWith(method: MethodName, model: Model, x: Examples, { target, against }: Question): Promise<Attribution> {
  library ??= import('./explain-library.ts');
  const explain = (await library)[method] as Method;
  return explain(model, x, { ...OPTIONS[method](model), target, ...(against === undefined ? {} : { against }) });
}

/** What is printed of a map, in one read; its values too where there is time. @throws VitrineError `device-lost`, `tensor-disposed` */
export async function readMap(
  device: Device,
  { values, delta, output }: Attribution,
  withValues: boolean,
): Promise<{ readonly values: Float32Array | undefined; readonly delta: number | undefined; readonly output: number }> {
  const tensors = [output, delta, withValues ? values : undefined].filter((tensor) => tensor !== undefined);
  const ranges = tensors.map(({ storage, byteOffset, bytes }) => ({ buffer: storage, byteOffset, bytes }));
  const read = (await device.readRanges('map', ranges, 'ui')).map((bytes) => new Float32Array(bytes));
  return {
    output: read[0]![0]!,
    delta: delta ? read[1]![0] : undefined,
    values: withValues ? read.at(-1) : undefined,
  };
}
