/** Asks the explanation library for a map. The library is loaded with the first one. */

import type { Model, Tensor } from '../../engine/index.ts';
import type { Attribution } from '../../explain/attribution.ts';
import { METHOD_NAMES, METHODS, type MethodName } from './methods.ts';

export interface Question {
  readonly target: number;
  readonly against: number | undefined;
}

type Method = (model: Model, x: Tensor, options: Readonly<Record<string, unknown>>) => Promise<Attribution>;

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
  occlusion: () => ({ baseline: 0 }),
};

let library: Promise<Readonly<Partial<Record<string, unknown>>>> | undefined;

const load = (): NonNullable<typeof library> => {
  library ??= import('../../explain/index.ts');
  return library;
};

/** The methods that the library has. */
export async function availableMethods(): Promise<readonly MethodName[]> {
  const methods = await load();
  return METHOD_NAMES.filter((name) => typeof methods[name] === 'function');
}

/** A map of one example. The caller disposes of it. @throws VitrineError what the method throws */
export async function explainWith(method: MethodName, model: Model, x: Tensor, { target, against }: Question): Promise<Attribution> {
  const explain = (await load())[method] as Method;
  return explain(model, x, { ...OPTIONS[method](model), target, ...(against === undefined ? {} : { against }) });
}
