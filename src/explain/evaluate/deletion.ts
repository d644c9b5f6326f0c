/** Deletion and insertion: what becomes of the output as the input is replaced in the order of a map. */

import { checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { pcg4d, streamOf } from '../../engine/random.ts';
import { type Attribution, type ExplainOptions, requireGoingOn } from '../attribution.ts';
import type { Baseline } from '../explainer.ts';
import { coalitionValues, eachFeature, type Groups, type GroupsGiven, groupsOf, imagePatches } from '../masked.ts';
import { gaussianBlur } from './blur.ts';
import { type BackgroundOptions, explainedBy } from './explained-by.ts';
import { type Maps, readExamples, readMaps, requireSameRows } from './maps.ts';
import { deviation, fallingRanks, mean } from './ranks.ts';

export interface DeletionOptions extends ExplainOptions, BackgroundOptions {
  /** What deleted elements become, or what insertion starts from. Deletion: 0 by default. Insertion: images blurred (11 pixels, σ 5), else 0 (RISE). */
  readonly baseline?: Baseline;
  /** Groups that are replaced together, by the sum of their elements in the map; by default the pixels of an image, channels together, else each element. */
  readonly groups?: GroupsGiven;
  /** Groups replaced from one point of the curve to the next; by default one in 98 (8 pixels of 28 × 28). */
  readonly step?: number;
  /** Random orders that the band is made of; 20 by default, 0 for none. */
  readonly randomOrders?: number;
  readonly seed?: number;
  /** Whether masked rows are folded behind a first affine layer; true by default. */
  readonly fold?: boolean;
}

export interface Curves {
  /** Groups replaced at each point, from 0 to all. */
  readonly counts: readonly number[];
  /** Explained output of each example at each point, [examples, points]. */
  readonly values: Float32Array;
  /** Area under each example's curve, the mean height: trapezoids as in RISE. */
  readonly auc: Float64Array;
  /** The same in random orders; absent where none were asked for. */
  readonly random?: RandomBand;
}

export interface RandomBand {
  readonly orders: number;
  /** Mean and deviation of the area over the orders, [examples]. */
  readonly auc: Float64Array;
  readonly deviation: Float64Array;
  /** Lowest, mean and highest output over the orders, [examples, points]. */
  readonly low: Float32Array;
  readonly mean: Float32Array;
  readonly high: Float32Array;
}

const STREAM = streamOf('deletion/order');

/** Of an image's pixels, one in so many a step: 8 of 784. */
const STEPS = 98;

/**
 * Deletion: the explained output as elements go from the most to the least relevant, and the area under that curve.
 *
 * **Shapes** x [rows, ...], maps the same → curves [rows, points], areas [rows]. **Cost** one forward row a point and example, and as many for each random order;
 * folded behind a first affine layer. **Lower is better**: what matters goes first. The curve begins at f(x) and ends at f(x′), exactly.
 * With a data set as baseline the output is the mean over its chosen examples, so that the curve ends at their mean output.
 * **Caveat** the area depends on the model and the baseline: read it beside the band of random orders, whose mean is (f(x) + f(x′))/2 on a linear model. Of equal values
 * the lower index goes first. The logit is followed unless `output` says otherwise; RISE follows the probability.
 * **Source** Petsiuk, Das, Saenko 2018, "RISE"; pixel flipping: Bach et al. 2015, Samek et al. 2017. RISE takes 224 pixels a step of 224 × 224, and ties in reverse order.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `invalid-option`, `non-finite-data`, `unsupported-model`, `aborted`
 */
export const deletion = (model: Model, x: Examples, attribution: Attribution, options: DeletionOptions = {}): Promise<Curves> =>
  curvesOf('deletion', model, x, attribution, { ...options, baseline: options.baseline ?? 0 });

/**
 * Insertion: the explained output as elements come back, from the most to the least relevant, and the area under that curve.
 *
 * As deletion, from f(x′) to f(x); **higher is better**. With the same baseline on a linear model the two curves sum to f(x) + f(x′) at every point.
 * **Source** Petsiuk, Das, Saenko 2018, "RISE".
 *
 * @throws VitrineError as deletion
 */
export async function insertion(model: Model, x: Examples, attribution: Attribution, options: DeletionOptions = {}): Promise<Curves> {
  const { inputShape } = model.spec;
  const baseline = options.baseline ?? (blurs(inputShape) ? gaussianBlur(inputShape, await readExamples(x)) : 0);
  return curvesOf('insertion', model, x, attribution, { ...options, baseline });
}

/** Whether insertion starts from the blurred input by default: that of an image. */
export const blurs = (inputShape: readonly number[]): boolean => inputShape.length === 2 || inputShape.length === 3;

async function curvesOf(
  metric: 'deletion' | 'insertion',
  model: Model,
  x: Examples,
  attribution: Attribution,
  options: DeletionOptions & { readonly baseline: Baseline },
): Promise<Curves> {
  const { randomOrders = 20, seed = 0, fold = true, baseline } = options;
  const examples = requireSameRows(metric, model, x, attribution);
  const groups = options.groups === undefined ? replaceable(model.spec.inputShape) : groupsOf(metric, model, options.groups);
  const { step = Math.max(1, Math.round(groups.count / STEPS)) } = options;
  checkWhole(`${metric}: step`, step, 1, groups.count);
  checkWhole(`${metric}: randomOrders`, randomOrders, 0);
  checkWhole(`${metric}: seed`, seed, 0, 0xffffffff);
  requireGoingOn(metric, options.signal);
  const counts = Array.from({ length: Math.ceil(groups.count / step) + 1 }, (_, i) => Math.min(i * step, groups.count));
  const explained = await explainedBy(attribution, options);
  const along = (ranks: Uint32Array) =>
    curves(model, x, { ...explained, baseline, groups, fold }, { ranks, examples, counts, removing: metric === 'deletion' });
  const total = 1 + randomOrders;
  const values = await along(ranksOf(await readMaps(attribution), groups));
  options.onProgress?.({ done: 1, total });
  const result = { counts, values, auc: areas(values, examples) };
  if (randomOrders === 0) return result;

  const [low, middle, high] = [values.slice().fill(Infinity), values.slice().fill(0), values.slice().fill(-Infinity)];
  const perOrder: Float64Array[] = [];
  for (let order = 0; order < randomOrders; order++) {
    requireGoingOn(metric, options.signal);
    const ranks = fallingRanks(Float64Array.from({ length: groups.count }, (_, group) => pcg4d(seed, STREAM, order, group)[0]));
    const curve = await along(Uint32Array.from({ length: examples * groups.count }, (_, i) => ranks[i % groups.count] as number));
    curve.forEach((value, i) => {
      low[i] = Math.min(low[i] as number, value);
      middle[i] = (middle[i] as number) + value / randomOrders;
      high[i] = Math.max(high[i] as number, value);
    });
    perOrder.push(areas(curve, examples));
    options.onProgress?.({ done: 2 + order, total });
  }
  const each = (statistic: (areas: number[]) => number): Float64Array =>
    Float64Array.from({ length: examples }, (_, example) => statistic(perOrder.map((auc) => auc[example] as number)));
  return { ...result, random: { orders: randomOrders, auc: each(mean), deviation: each(deviation), low, mean: middle, high } };
}

/** Pixels, channels together, or elements. */
function replaceable(inputShape: readonly number[]): Groups {
  return inputShape.length === 3 ? imagePatches(inputShape, 1) : eachFeature(inputShape);
}

/** Place of each group of each example in the falling order of its sum, [examples · groups]. */
function ranksOf(maps: Maps, groups: Groups): Uint32Array {
  const ranks = new Uint32Array(maps.examples * groups.count);
  for (let example = 0; example < maps.examples; example++) {
    const sums = new Float64Array(groups.count);
    maps.of(example).forEach((value, i) => {
      const group = groups.of[i] as number;
      sums[group] = (sums[group] as number) + value;
    });
    ranks.set(fallingRanks(sums), example * groups.count);
  }
  return ranks;
}

/** The output at each count along each example's order, [examples · points]. */
async function curves(
  model: Model,
  x: Examples,
  options: ExplainOptions & { readonly baseline: Baseline; readonly groups: Groups; readonly fold: boolean },
  order: { readonly ranks: Uint32Array; readonly examples: number; readonly counts: readonly number[]; readonly removing: boolean },
): Promise<Float32Array> {
  const { examples, counts, removing } = order;
  const { device } = model;
  const ranks = await device.guarded('ranks', () => device.tensor(order.ranks, [examples, options.groups.count], 'evaluate/ranks'));
  try {
    const found = await coalitionValues(model, x, { ranks, counts, removing }, options);
    const [values, whole, gone] = await Promise.all([found.values.read(), found.output.read(), found.baselineOutput.read()]).finally(() =>
      found.dispose(),
    );
    // The ends are f(x) and f(x′) themselves: folded sums would miss one of them by a rounding.
    for (let example = 0; example < examples; example++) {
      const [first, last] = [example * counts.length, (example + 1) * counts.length - 1];
      values[first] = (removing ? whole[example] : gone[example]) as number;
      values[last] = (removing ? gone[example] : whole[example]) as number;
    }
    return values;
  } finally {
    ranks.dispose();
  }
}

/** (Σ − first/2 − last/2) / (points − 1) of each example. */
function areas(values: Float32Array, examples: number): Float64Array {
  const points = values.length / examples;
  return Float64Array.from({ length: examples }, (_, example) => {
    const curve = values.subarray(example * points, (example + 1) * points);
    let sum = 0;
    for (const value of curve) sum += value;
    return (sum - (curve[0] as number) / 2 - (curve[points - 1] as number) / 2) / (points - 1);
  });
}
