import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { subtract } from '../../engine/ops/arithmetic.ts';
import { abs, square } from '../../engine/ops/elementary.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { requireGoingOn } from '../attribution.ts';
import { saliency } from '../local/saliency.ts';
import { overChunks } from '../model/chunks.ts';
import { inputsOf, largestOfRows, logitsOf, requireClasses } from './network-outputs.ts';

export type DistanceNorm = 'l1' | 'l2';

export interface NearestCounterfactualOptions {
  /** 'l1' by default. */
  readonly norm?: DistanceNorm;
  /** The class that is to be predicted instead: one for all, or one an example; any other by default. */
  readonly target?: number | ArrayLike<number>;
  readonly signal?: AbortSignal;
}

export interface NearestCounterfactual {
  /** Index of the nearest example of the data that the network predicts otherwise; absent where there is none. */
  readonly example?: number;
  readonly distance: number;
  /** What is predicted for x, and for that example. */
  readonly from: number;
  readonly to?: number;
}

/**
 * Nearest counterfactual: the nearest example of a data set for which the network predicts something else.
 *
 * **Shapes** x and data are examples [rows, ...inputShape]. **Cost** a forward row an example of both, and rows · data · features differences.
 * **Shows** a real example on the other side of the decision. **Does not show** how near the decision is: see counterfactual.
 * **Source** Wexler et al. 2020, "The What-If Tool".
 *
 * @throws VitrineError `unsupported-model`, `invalid-option`, what the model's inputs can be wrong in, `aborted`
 */
export async function nearestCounterfactual(
  model: Model,
  x: Examples,
  data: Examples,
  options: NearestCounterfactualOptions = {},
): Promise<NearestCounterfactual[]> {
  const method = 'nearestCounterfactual';
  const classes = requireClasses(method, model);
  const { norm = 'l1', signal } = options;
  requireNorm(method, norm);
  const features = elements(model.spec.inputShape);
  const values = await inputsOf(model, x);
  const rows = values.length / features;
  const from = largestOfRows(await logitsOf(model, x), classes);
  const wanted = targetsOf(method, options.target, rows, classes);
  const best: { example?: number; distance: number; to?: number }[] = Array.from({ length: rows }, () => ({
    distance: Number.POSITIVE_INFINITY,
  }));
  await overChunks(method, {
    models: [model],
    x: data,
    signal,
    shared: Object.fromEntries(
      Array.from({ length: rows }, (_, i) => [`${i}`, { shape: [1, features], values: values.slice(i * features, (i + 1) * features) }]),
    ),
    build: (scene) => {
      const { x: input, logits } = scene.forwards[0] as Forward;
      const flat = reshape(input, [scene.rows, features]);
      const measure = (difference: Node): Node => sum(norm === 'l1' ? abs(difference) : square(difference), [1]);
      const distances = Array.from({ length: rows }, (_, i) => [`${i}`, measure(subtract(flat, scene.shared(`${i}`)))]);
      return { each: { ...Object.fromEntries(distances), logits } };
    },
    onChunk: (found, first, count) => {
      const predicted = largestOfRows((found.get('logits') as Float32Array).subarray(0, count * classes), classes);
      for (let i = 0; i < rows; i++) {
        const distances = found.get(`${i}`) as Float32Array;
        const own = best[i] as (typeof best)[number];
        for (let k = 0; k < count; k++) {
          const to = predicted[k] as number;
          const flips = wanted[i] === undefined ? to !== from[i] : to === wanted[i] && to !== from[i];
          const distance = norm === 'l1' ? (distances[k] as number) : Math.sqrt(distances[k] as number);
          if (flips && distance < own.distance) best[i] = Object.assign(own, { example: first + k, distance, to });
        }
      }
    },
  });
  return best.map((found, i) => ({ ...found, from: from[i] as number }));
}

export interface CounterfactualOptions extends NearestCounterfactualOptions {
  /** What every value must stay within, such as [0, 1] for pixels; unlimited by default. */
  readonly range?: readonly [number, number];
  /** Examples to begin from as well: no counterfactual is then farther away than the nearest of them. */
  readonly data?: Examples;
  /** Steps towards the decision boundary at most; 50 by default. */
  readonly steps?: number;
}

export interface Counterfactual {
  /** [features] the changed example; absent where none was found. */
  readonly values?: Float32Array;
  readonly distance: number;
  readonly from: number;
  readonly to?: number;
  /** Where it was found. */
  readonly by?: 'gradient' | 'example';
}

/** Halvings of the way from the example to a counterfactual. */
const HALVINGS = 24;
/** How far beyond the boundary of the linearised network a step goes, as a share of the way to it. */
const OVERSHOOT = 1e-3;

/**
 * Counterfactual: a changed example, as near as can be, for which the network predicts another class.
 *
 * Each step goes the shortest way, in the norm, to where the linearised f_a − f_b is 0, a being the predicted class and b the wanted one or the runner-up; when the
 * prediction flips, the way there is halved until its end is at the boundary. With `data` the way to the nearest of them is halved as well, and the
 * shorter one is returned.
 *
 * **Shapes** x [rows, ...inputShape] → values [features] of each. **Cost** at most `steps` forward and backward rows and 2 · 24 forward rows an example.
 * **Shows** what would have had to be otherwise. **Does not show** that the change can be made, or lies among the data: give `range`, and look at
 * nearestCounterfactual beside it.
 * Exact for a linear model: |f_a − f_b| / max|w| in the 1-norm, one element changed, and |f_a − f_b| / ‖w‖ in the 2-norm. Wachter et al. minimise the distance and
 * λ times a penalty by Adam, raising λ until the class flips; the steps here are those of DeepFool.
 * **Source** Wachter, Mittelstadt, Russell 2017, "Counterfactual explanations without opening the black box"; Moosavi-Dezfooli, Fawzi, Frossard 2016, "DeepFool".
 *
 * @throws VitrineError `unsupported-model`, `invalid-option`, what the model's inputs can be wrong in, `aborted`
 */
export async function counterfactual(model: Model, x: Examples, options: CounterfactualOptions = {}): Promise<Counterfactual[]> {
  const method = 'counterfactual';
  const classes = requireClasses(method, model);
  const { norm = 'l1', steps = 50, range, signal } = options;
  requireNorm(method, norm);
  checkWhole(`${method}: steps`, steps, 1, 100_000);
  const [low, high] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (range) {
    for (const end of range) checkNumber(`${method}: range`, end, Number.NEGATIVE_INFINITY);
    if (low >= high)
      throw new VitrineError('invalid-option', `${method}: the range is ${low} to ${high}.`, 'give the smaller end first.', { range });
  }
  const features = elements(model.spec.inputShape);
  const start = await inputsOf(model, x);
  const rows = start.length / features;
  const logits = await logitsOf(model, x);
  const from = largestOfRows(logits, classes);
  const wanted = targetsOf(method, options.target, rows, classes);
  const towards = Uint32Array.from({ length: rows }, (_, i) => wanted[i] ?? runnerUp(logits, i, classes, from[i] as number));
  const predict = async (values: Float32Array): Promise<Uint32Array> => largestOfRows(await logitsOf(model, values), classes);
  const flipped = (i: number, to: number): boolean => (wanted[i] === undefined ? to !== from[i] : to === wanted[i] && to !== from[i]);

  const now = start.slice();
  const done = Array<boolean>(rows).fill(false);
  for (let step = 0; step < steps && done.includes(false); step++) {
    requireGoingOn(method, signal);
    const { values: gradient, output, dispose } = await saliency(model, now, { signed: true, target: from, against: towards });
    const [slopes, margins] = [await gradient.read(), await output.read()];
    dispose();
    for (let i = 0; i < rows; i++) {
      if (done[i] || towards[i] === from[i]) continue;
      const part = (list: Float32Array): Float32Array => list.subarray(i * features, (i + 1) * features);
      moveToBoundary(part(now), part(slopes), Math.max(margins[i] as number, 0) * (1 + OVERSHOOT) + 1e-6, norm, [low, high]);
    }
    const predicted = await predict(now);
    for (let i = 0; i < rows; i++) done[i] = done[i] === true || flipped(i, predicted[i] as number);
  }
  const ends: { values: Float32Array; by: 'gradient' | 'example'; found: boolean[] }[] = [{ values: now, by: 'gradient', found: done }];
  if (options.data !== undefined) {
    const nearest = await nearestCounterfactual(model, x, options.data, {
      norm,
      ...(options.target === undefined ? {} : { target: options.target }),
    });
    const data = await inputsOf(model, options.data);
    const values = start.slice();
    nearest.forEach(({ example }, i) => {
      if (example !== undefined) values.set(data.subarray(example * features, (example + 1) * features), i * features);
    });
    ends.push({ values, by: 'example', found: nearest.map(({ example }) => example !== undefined) });
  }

  const best: Counterfactual[] = Array.from({ length: rows }, (_, i) => ({ distance: Number.POSITIVE_INFINITY, from: from[i] as number }));
  for (const { values, by, found } of ends) {
    const closest = await halve(start, values, found, { features, predict, flipped });
    const predicted = await predict(closest);
    for (let i = 0; i < rows; i++) {
      const own = closest.slice(i * features, (i + 1) * features);
      const distance = distanceOf(own, start.subarray(i * features, (i + 1) * features), norm);
      if (!found[i] || distance >= (best[i] as Counterfactual).distance) continue;
      best[i] = { values: own, distance, from: from[i] as number, to: predicted[i] as number, by };
    }
  }
  return best;
}

/** The nearest points to `start` on the way to `end` that are still flipped, as far as halving finds them. */
async function halve(
  start: Float32Array,
  end: Float32Array,
  found: readonly boolean[],
  {
    features,
    predict,
    flipped,
  }: {
    readonly features: number;
    readonly predict: (values: Float32Array) => Promise<Uint32Array>;
    readonly flipped: (i: number, to: number) => boolean;
  },
): Promise<Float32Array> {
  const at = (share: (i: number) => number): Float32Array =>
    start.map((value, k) => {
      const t = share(Math.floor(k / features));
      // Exactly the end at 1, which is known to be flipped.
      return t === 1 ? (end[k] as number) : value + t * ((end[k] as number) - value);
    });
  const near = found.map(() => 0);
  const far = found.map(() => 1);
  for (let halving = 0; halving < HALVINGS; halving++) {
    const predicted = await predict(at((i) => ((near[i] as number) + (far[i] as number)) / 2));
    found.forEach((ok, i) => {
      const middle = ((near[i] as number) + (far[i] as number)) / 2;
      if (ok && flipped(i, predicted[i] as number)) far[i] = middle;
      else near[i] = middle;
    });
  }
  return at((i) => far[i] as number);
}

/** The shortest move that lowers a linear function of slopes `slope` by `amount`, within the range, in place. */
function moveToBoundary(
  x: Float32Array,
  slope: Float32Array,
  amount: number,
  norm: DistanceNorm,
  [low, high]: readonly [number, number],
): void {
  const room = (k: number): number => ((slope[k] as number) > 0 ? (x[k] as number) - low : high - (x[k] as number));
  let left = amount;
  if (norm === 'l1') {
    // One element after the other, the steepest first.
    const order = Array.from(slope.keys()).sort((a, b) => Math.abs(slope[b] as number) - Math.abs(slope[a] as number) || a - b);
    for (const k of order) {
      const size = Math.abs(slope[k] as number);
      if (left <= 0 || size === 0) return;
      const move = Math.min(left / size, Math.max(0, room(k)));
      x[k] = (x[k] as number) - Math.sign(slope[k] as number) * move;
      left -= move * size;
    }
    return;
  }
  // Along the slope; what meets the range stops there, and the others go on.
  const free = new Set(slope.keys());
  for (let pass = 0; pass < 20 && left > 1e-12 * amount && free.size > 0; pass++) {
    let squares = 0;
    for (const k of free) squares += (slope[k] as number) ** 2;
    if (squares === 0) return;
    const scale = left / squares;
    for (const k of [...free]) {
      const size = Math.abs(slope[k] as number);
      const move = Math.min(scale * size, Math.max(0, room(k)));
      x[k] = (x[k] as number) - Math.sign(slope[k] as number) * move;
      left -= move * size;
      if (move < scale * size) free.delete(k);
    }
  }
}

function runnerUp(logits: Float32Array, row: number, classes: number, first: number): number {
  let best = -1;
  for (let c = 0; c < classes; c++) {
    if (c !== first && (best < 0 || (logits[row * classes + c] as number) > (logits[row * classes + best] as number))) best = c;
  }
  return best;
}

function distanceOf(a: Float32Array, b: Float32Array, norm: DistanceNorm): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) {
    const difference = (a[k] as number) - (b[k] as number);
    total += norm === 'l1' ? Math.abs(difference) : difference * difference;
  }
  return norm === 'l1' ? total : Math.sqrt(total);
}

function requireNorm(method: string, norm: DistanceNorm): void {
  if (norm === 'l1' || norm === 'l2') return;
  throw new VitrineError('invalid-option', `${method}: there is no norm '${String(norm)}'.`, "use 'l1' or 'l2'.", { norm });
}

/** The wanted class of each example, undefined for any. @throws VitrineError `label-out-of-range`, `invalid-option` */
function targetsOf(method: string, target: number | ArrayLike<number> | undefined, rows: number, classes: number): (number | undefined)[] {
  const list = typeof target === 'number' || target === undefined ? Array<number | undefined>(rows).fill(target) : Array.from(target);
  if (list.length !== rows) {
    throw new VitrineError('invalid-option', `${method}: ${list.length} targets for ${rows} examples.`, 'give one, or one an example.', {
      rows,
    });
  }
  for (const label of list) {
    if (label !== undefined && !(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new VitrineError(
        'label-out-of-range',
        `${method}: target is ${label}, but the model has ${classes} outputs (classes 0 to ${classes - 1}).`,
        `name a class from 0 to ${classes - 1}, or leave it out for any other.`,
        { label, classes },
      );
    }
  }
  return list;
}
