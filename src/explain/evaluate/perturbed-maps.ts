/** A method's maps of examples that were moved a little. */

import { checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { type ExplainOptions, requireGoingOn } from '../attribution.ts';
import { type ExplanationMethod, explainOptionsOf, type Maps, mapsFrom, mapsOf, readExamples } from './maps.ts';

export interface PerturbationOptions extends ExplainOptions {
  /** Number of moved copies of each example. */
  readonly draws?: number;
  readonly seed?: number;
}

/**
 * The largest, over draws, of a number that compares the map of a moved example with the example's own. All maps explain the class of the example as it was.
 *
 * The method is called once a draw with as many examples as `x` has, so that options that it was given for each of them stay valid, and
 * memory does not grow with the draws. A draw's move is the same for every example: an example's score does not depend on its neighbours.
 *
 * @param move element `feature` of the move of draw `draw`
 * @param compare (own map, map of the moved example, move) → number
 */
export async function largestOverDraws(
  metric: string,
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: PerturbationOptions & { readonly draws: number },
  move: (draw: number, feature: number) => number,
  compare: (own: Float32Array, moved: Float32Array, by: Float32Array) => number,
): Promise<Float64Array> {
  const { draws, seed = 0 } = options;
  checkWhole(`${metric}: draws`, draws, 1);
  checkWhole(`${metric}: seed`, seed, 0, 0xffffffff);
  model.rowsOf(x);
  requireGoingOn(metric, options.signal);
  const explain = explainOptionsOf(options);
  const { maps: own, target } = await mapsOf(method, model, x, explain);
  const rows: Maps = mapsFrom(await readExamples(x), own.examples);
  const largest = new Float64Array(own.examples);
  for (let draw = 0; draw < draws; draw++) {
    requireGoingOn(metric, options.signal);
    const by = Float32Array.from({ length: rows.features }, (_, feature) => move(draw, feature));
    const moved = rows.values.map((value, i) => value + (by[i % rows.features] as number));
    const { maps } = await mapsOf(method, model, moved, { ...explain, target });
    for (let i = 0; i < own.examples; i++) largest[i] = Math.max(largest[i] as number, compare(own.of(i), maps.of(i), by));
    options.onProgress?.({ done: draw + 1, total: draws });
  }
  return largest;
}

/** Euclidean norm of a − b. */
export function distance(a: Float32Array, b?: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b ? (b[i] as number) : 0)) ** 2;
  return Math.sqrt(sum);
}
