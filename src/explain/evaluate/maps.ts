/** Maps on the CPU, to be scored: scoring one takes microseconds, and no metric is differentiated. */

import { shapeMismatch, show } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { Tensor } from '../../engine/tensor.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';

/** An explanation method, or a control: what every method exported from here is. */
export type ExplanationMethod = (model: Model, x: Examples, options?: ExplainOptions) => Promise<Attribution>;

/** One map an example. */
export interface Maps {
  /** [examples · features] */
  readonly values: Float32Array;
  readonly examples: number;
  /** Elements of an example. */
  readonly features: number;
  /** The map of one example, a view. */
  of(example: number): Float32Array;
}

export function mapsFrom(values: Float32Array, examples: number): Maps {
  const features = values.length / examples;
  return { values, examples, features, of: (example) => values.subarray(example * features, (example + 1) * features) };
}

/** Reads the maps of an attribution back. */
export const readMaps = async ({ values }: Attribution): Promise<Maps> => mapsFrom(await values.read(), values.shape[0] as number);

/** Runs a method and reads its maps back; what it made on the GPU is freed. */
export async function mapsOf(
  method: ExplanationMethod,
  model: Model,
  x: Examples,
  options: ExplainOptions,
): Promise<{ maps: Maps; target: Uint32Array; output: Float32Array }> {
  const attribution = await method(model, x, options);
  try {
    const [maps, target, output] = await Promise.all([readMaps(attribution), attribution.target.readUint32(), attribution.output.read()]);
    return { maps, target, output };
  } finally {
    attribution.dispose();
  }
}

/** The examples as numbers. */
export const readExamples = async (x: Examples): Promise<Float32Array> => (x instanceof Tensor ? x.read() : Float32Array.from(x));

/** What of a metric's options a method takes: what is explained, and the signal. */
export function explainOptionsOf({ target, against, output, signal, budget }: ExplainOptions): ExplainOptions {
  return {
    ...(target === undefined ? {} : { target }),
    ...(against === undefined ? {} : { against }),
    ...(output === undefined ? {} : { output }),
    ...(signal === undefined ? {} : { signal }),
    ...(budget === undefined ? {} : { budget }),
  };
}

/**
 * The values of a score's examples, one after the other.
 *
 * @param score of one example's map
 */
export const scoreEach = (maps: Maps, score: (map: Float32Array, example: number) => number): Float64Array =>
  Float64Array.from({ length: maps.examples }, (_, example) => score(maps.of(example), example));

/** Refuses an attribution of other examples. @throws VitrineError `shape-mismatch` */
export function requireSameRows(metric: string, model: Model, x: Examples, attribution: Attribution): number {
  const rows = model.rowsOf(x);
  const { shape } = attribution.values;
  if (shape[0] !== rows || elements(shape.slice(1)) !== elements(model.spec.inputShape)) {
    throw shapeMismatch(
      `${metric}: the maps are ${show(shape)}, but x is ${rows} examples of ${show(model.spec.inputShape)}.`,
      'score the attribution of these examples by this model.',
      { metric, maps: shape, rows, inputShape: model.spec.inputShape },
    );
  }
  return rows;
}
