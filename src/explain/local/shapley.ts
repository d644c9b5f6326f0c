import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { add, multiply } from '../../engine/ops/arithmetic.ts';
import { concatenate } from '../../engine/ops/concatenate.ts';
import { sqrt } from '../../engine/ops/elementary.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { streamOf } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { ExplainProgress } from '../attribution.ts';
import { baselineRows, type RowSource } from '../baselines.ts';
import { attributionOf, type Built, type Explained, explainerOf, type Observed, type Recipe, type Scene } from '../explainer.ts';
import {
  folds,
  type GroupAttribution,
  type Groups,
  type GroupsGiven,
  groupData,
  groupsOf,
  type MaskedOptions,
  MOST_COPIES,
  maskedLogits,
  productsOf,
  recordMasked,
  spreadData,
  spreadGroups,
} from '../masked.ts';
import { collect } from '../ops/collect.ts';
import { maskBits } from '../ops/mask-bits.ts';
import { rankedRows, rankedSums } from '../ops/ranked-rows.ts';
import { runningM2, runningMean } from '../ops/samples.ts';
import { exactShapley, marginals, shapleyWeights } from '../ops/shapley.ts';
import { completenessGap } from './gradient.ts';
import { drawnOrder } from './surrogate.ts';

/** The estimate so far, of the examples that are being worked on. */
export interface ShapleyProgress extends ExplainProgress {
  /** The first of these examples. */
  readonly first: number;
  /** How many they are. */
  readonly count: number;
  /** Permutations of each so far. */
  readonly permutations: number;
  /** [count, groups] */
  readonly values: Float32Array;
  /** Their standard error, [count, groups]; infinite after a single draw. */
  readonly standardError: Float32Array;
}

export interface ShapleyOptions extends Omit<MaskedOptions, 'onProgress'> {
  /** What the game's players are; each element by itself by default. */
  readonly groups?: GroupsGiven;
  /** All 2ⁿ coalitions, for up to 16 groups; their default, unless permutations are asked for. */
  readonly exact?: boolean;
  /** Permutations that are drawn, 25 by default; with `tolerance` the most that are, 1,000 by default. */
  readonly permutations?: number;
  /** Follow each permutation by its reverse, which cancels part of the error. The two count as one draw, and as two permutations. */
  readonly antithetic?: boolean;
  /** An example is done when no standard error of its groups is larger, after 8 draws at least. */
  readonly tolerance?: number;
  /** Of the permutations; 0 by default. */
  readonly seed?: number;
  /** Called after each run of the plan; where permutations are drawn, with the running estimate and its standard error. */
  readonly onProgress?: (progress: ExplainProgress | ShapleyProgress) => void;
}

export interface ShapleyAttribution extends GroupAttribution {
  /** Standard error of each group's value, [rows, groups], of two draws or more; absent from exact values. */
  readonly groupStandardError?: Tensor;
  /** Permutations that each example took; absent from exact values. */
  readonly permutations?: Uint32Array;
}

/** Most groups whose coalitions are all evaluated. */
export const MOST_EXACT_GROUPS = 16;
/** Draws of an example in a run that someone watches, and before an example may be done. */
const WATCHED_DRAWS = 8;
/** Rows of a permutation that go through the network together: a permutation of every pixel takes no more memory than so many copies. */
const MOST_PART = 256;

/**
 * Shapley values: φ_i = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)), where v(S) is f_c(x) with the groups outside S set to the baseline x′.
 *
 * **Shapes** x [rows, ...inputShape] → groupValues [rows, groups]; values in the shape of x, a group's value divided equally among its elements; delta [rows] =
 * Σφ − (f_c(x) − f_c(x′)), rounding alone, whatever is drawn. **Cost** exact 2ⁿ forward rows an example; `permutations` · n otherwise. Behind a first
 * affine layer a row's first layer is n wide, and along a permutation one addition a group.
 * **Shows** the one division of f_c(x) − f_c(x′) that is complete, symmetric, linear and gives nothing to what never matters: a group's mean effect over all
 * orders in which groups could appear. **Does not show** what the network does on data: coalitions are inputs that it never saw, and the baseline decides.
 * Defaults: exact up to 16 groups; 25 permutations above (Captum), with their standard error; baseline 0.
 * A data set as baseline averages over its examples (interventional SHAP); a standard error is then the mean of theirs, which is too large.
 * **Source** Shapley 1953, "A value for n-person games"; Štrumbelj, Kononenko 2010, "An efficient explanation of individual classifications using game
 * theory" (permutations); Mitchell, Cooper, Frank, Holmes 2022, "Sampling permutations for Shapley value estimation" (antithetic).
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option` also for more than
 * 16 groups if exact, `unsupported-model`, `aborted`
 */
export async function shapleyValues(model: Model, x: Examples, options: ShapleyOptions = {}): Promise<ShapleyAttribution> {
  const method = 'shapleyValues';
  const { permutations, tolerance, onProgress, ...others } = options;
  const groups = groupsOf(method, model, options.groups);
  const sampled = permutations !== undefined || tolerance !== undefined || options.antithetic !== undefined;
  if (options.exact && sampled) {
    throw new VitrineError(
      'invalid-option',
      `${method}: exact values are asked for, and permutations, a tolerance or antithetic draws besides.`,
      'leave out exact, or the others.',
      { method },
    );
  }
  const exact = options.exact ?? (!sampled && groups.count <= MOST_EXACT_GROUPS);
  if (exact && groups.count > MOST_EXACT_GROUPS) {
    throw new VitrineError(
      'invalid-option',
      `${method}: exact values of ${groups.count} groups take 2^${groups.count} coalitions; ${MOST_EXACT_GROUPS} groups are the most.`,
      'join elements to fewer groups, such as imagePatches, or leave exact out, which draws permutations.',
      { method, groups: groups.count, most: MOST_EXACT_GROUPS },
    );
  }
  const baseline = baselineRows(method, model, x, options.baseline, options);
  if (!exact) return drawn(method, model, x, groups, baseline, options);
  const explained = await explainerOf(model).run(exactRecipe(method, groups, options.fold ?? true), x, {
    ...others,
    ...(onProgress ? { onProgress } : {}),
    baseline,
  });
  return groupAttribution(method, recordMasked(others, { groups, exact: true }), explained, groups);
}

/** Makes an attribution of groups of what a run gave. */
export function groupAttribution(
  method: string,
  options: Readonly<Record<string, unknown>>,
  explained: Explained,
  groups: Groups,
): GroupAttribution {
  return { ...attributionOf(method, options, explained), groups, groupValues: explained.tensors.get('groupValues') as Tensor };
}

function exactRecipe(method: string, groups: Groups, fold: boolean): Recipe {
  const n = groups.count;
  const weight = shapleyWeights(n);
  const data = { ...groupData(groups), ...spreadData(groups), weight };
  return {
    method,
    key: `exact ${fold ? 'folded' : 'plain'} ${n}`,
    samples: 2 ** n,
    samplesPerRun: MOST_COPIES,
    slice: (first, count) => ({
      ...data,
      bits: Uint32Array.from({ length: count }, (_, k) => first + k),
      at: Uint32Array.of(first, count),
    }),
    build: (scene) => {
      const mask = maskBits(scene.input('bits', [scene.samples, 1], 'uint32'), n);
      const v = scene.output(maskedLogits(scene, groups, mask, fold));
      const at = scene.input('at', [2], 'uint32');
      const all = collect(v, scene.carried('all', [scene.rows, 2 ** n]), at);
      const groupValues = exactShapley(all, scene.input('weight', [n]), at);
      return { outputs: finished(scene, groups, groupValues), carry: { all } };
    },
  };
}

/** The outputs that exact and drawn values share. */
function finished(scene: Scene, groups: Groups, groupValues: Node): Built['outputs'] {
  const output = scene.output(scene.forward.logits);
  const before = scene.output(scene.forwardOf(scene.baseline()).logits);
  return { values: spreadGroups(scene, groups, groupValues), groupValues, output, delta: completenessGap(groupValues, output, before) };
}

async function drawn(
  method: string,
  model: Model,
  x: Examples,
  groups: Groups,
  baseline: RowSource,
  options: ShapleyOptions,
): Promise<ShapleyAttribution> {
  const { antithetic = false, tolerance, seed = 0, fold = true, onProgress, ...others } = options;
  const { permutations = tolerance === undefined ? 25 : 1000 } = options;
  checkWhole(`${method}: permutations`, permutations, 1);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  if (tolerance !== undefined) checkNumber(`${method}: tolerance`, tolerance, 0);
  if (tolerance !== undefined && (baseline.baselines ?? 1) > 1) {
    throw new VitrineError(
      'invalid-option',
      `${method}: the baseline is a data set, whose examples are averaged over; a tolerance stops at one baseline's error.`,
      "leave tolerance out and say how many permutations, or pass 'mean' as baseline.",
      { method },
    );
  }
  const orders = antithetic ? 2 : 1;
  const draws = Math.ceil(permutations / orders);
  const progress = new Progress(model.rowsOf(x), groups.count, orders, draws, tolerance, onProgress);
  const n = groups.count;
  const data: Record<string, Float32Array | Uint32Array> = { ...groupData(groups), ...spreadData(groups) };
  for (const { first, length } of partsOf(n)) data[`counts from ${first}`] = Uint32Array.from({ length }, (_, k) => first + k + 1);
  const explained = await explainerOf(model).run(
    {
      method,
      key: `drawn ${fold ? 'folded' : 'plain'} ${n} by ${orders}`,
      samples: draws,
      rowsPerSample: orders * n,
      ...(progress.watched ? { samplesPerRun: WATCHED_DRAWS, observe: (seen) => progress.observe(seen) } : {}),
      slice: (first, count, width) => ({
        ...data,
        ...ordersOf(seed, first, count, width, orders, n),
        draw: Uint32Array.of(seed, first, count),
        // The square of a mean's standard error is Σ (c − mean)² / (k (k − 1)); of a single draw there is none.
        inverse: Float32Array.of(first + count > 1 ? 1 / ((first + count) * (first + count - 1)) : 0),
      }),
      block: (first, count) => progress.block(first, count),
      build: (scene) => drawnGraph(scene, groups, orders, fold),
    },
    x,
    { ...others, baseline },
  );
  const tensors = new Map(explained.tensors);
  if (draws === 1) {
    for (const name of ['standardError', 'groupStandardError']) {
      tensors.get(name)?.dispose();
      tensors.delete(name);
    }
  }
  const groupStandardError = tensors.get('groupStandardError');
  const record = {
    groups,
    exact: false,
    permutations: draws * orders,
    antithetic,
    seed,
    ...(tolerance === undefined ? {} : { tolerance }),
  };
  return {
    ...groupAttribution(method, { ...recordMasked(options as MaskedOptions, record), seed }, { ...explained, tensors }, groups),
    ...(groupStandardError ? { groupStandardError } : {}),
    permutations: progress.taken,
  };
}

/** Orders of the groups for the draws from `first` on, and the rank of each group in them; a second order is the first's reverse. */
function ordersOf(seed: number, first: number, count: number, width: number, orders: number, n: number) {
  const order = new Uint32Array(width * orders * n);
  const rank = new Uint32Array(width * orders * n);
  const stream = streamOf('shapleyValues');
  for (let draw = 0; draw < width; draw++) {
    // Places that are not used are read by nobody, but their orders are in range.
    const one = drawnOrder(n, seed, stream, first + Math.min(draw, count - 1));
    for (let k = 0; k < orders; k++) {
      const at = (draw * orders + k) * n;
      for (let place = 0; place < n; place++) {
        const group = one[k === 0 ? place : n - 1 - place] as number;
        order[at + place] = group;
        rank[at + group] = place;
      }
    }
  }
  return { order, rank };
}

/** The rows of a permutation, 1 … n groups, in parts. */
function partsOf(n: number): { first: number; length: number }[] {
  return Array.from({ length: Math.ceil(n / MOST_PART) }, (_, k) => ({
    first: k * MOST_PART,
    length: Math.min(MOST_PART, n - k * MOST_PART),
  }));
}

function drawnGraph(scene: Scene, groups: Groups, orders: number, fold: boolean): Built {
  const n = groups.count;
  const curves = scene.samples * orders;
  const baseline = scene.baseline();
  const rank = scene.input('rank', [curves, n], 'uint32');
  const products = folds(scene, fold) ? productsOf(scene, groups, baseline, scene.x) : undefined;
  // Part after part, so that the activations of one may lie where those of the part before have been read.
  const parts = partsOf(n).map(({ first, length }) => {
    const counts = scene.input(`counts from ${first}`, [length], 'uint32');
    const rows = products
      ? scene.forwardFrom(rankedSums(products, scene.input('order', [curves, n], 'uint32'), counts, { own: false }))
      : scene.forwardOf(rankedRows(baseline, scene.x, rank, scene.input('groupOf', [groups.of.length], 'uint32'), counts, { own: false }));
    return reshape(scene.output(rows.logits), [scene.rows * curves, length]);
  });
  const along = reshape(concatenate(parts, 1), [scene.rows * curves * n]);
  const none = scene.output(scene.forwardOf(baseline).logits);
  const added = marginals(along, none, rank, { orders });
  const draw = scene.input('draw', [3], 'uint32');
  const before = {
    mean: scene.carried('mean', [scene.rows, n]),
    m2: scene.carried('m2', [scene.rows, n]),
    error: scene.carried('error', [scene.rows, n]),
  };
  const m2 = runningM2(added, draw, before.mean, before.m2);
  // 1 while an example is worked on, 0 once it is done: what it has then stays, to the bit.
  const active = scene.rowInput('active', [scene.rows, 1]);
  const done = scene.rowInput('done', [scene.rows, 1]);
  const unlessDone = (now: Node, then: Node): Node => add(multiply(now, active), multiply(then, done));
  const mean = unlessDone(runningMean(added, draw, before.mean), before.mean);
  const error = unlessDone(sqrt(multiply(m2, scene.input('inverse', [1]))), before.error);
  return {
    outputs: { ...finished(scene, groups, mean), groupStandardError: error, standardError: spreadGroups(scene, groups, error) },
    carry: { mean, m2, error },
  };
}

/** What is known of a sampled call while it runs: which examples are done, and who is told. */
class Progress {
  readonly watched: boolean;
  /** Permutations that each example took. */
  readonly taken: Uint32Array;
  readonly #active: Float32Array;
  readonly #groups: number;
  readonly #orders: number;
  readonly #tolerance: number | undefined;
  readonly #tell: ShapleyOptions['onProgress'];

  constructor(
    examples: number,
    groups: number,
    orders: number,
    draws: number,
    tolerance: number | undefined,
    tell: ShapleyOptions['onProgress'],
  ) {
    this.watched = tolerance !== undefined || tell !== undefined;
    this.taken = new Uint32Array(examples).fill(draws * orders);
    this.#active = new Float32Array(examples).fill(1);
    this.#groups = groups;
    this.#orders = orders;
    this.#tolerance = tolerance;
    this.#tell = tell;
  }

  block(first: number, count: number): Readonly<Record<string, Float32Array>> {
    const active = this.#active.subarray(first, first + count);
    return { active, done: active.map((value) => 1 - value) };
  }

  /** Whether all of these examples are done. */
  async observe({ first, count, samples, carried, done, total }: Observed): Promise<boolean> {
    const length = count * this.#groups;
    const [values, error] = (await Promise.all([carried.get('mean')?.read(), carried.get('error')?.read()])) as [
      Float32Array,
      Float32Array,
    ];
    const standardError = samples > 1 ? error.slice(0, length) : new Float32Array(length).fill(Number.POSITIVE_INFINITY);
    this.#tell?.({ done, total, first, count, permutations: samples * this.#orders, values: values.slice(0, length), standardError });
    if (this.#tolerance === undefined) return false;
    let going = false;
    for (let i = 0; i < count; i++) {
      if (this.#active[first + i] === 0) continue;
      const largest = standardError.subarray(i * this.#groups, (i + 1) * this.#groups).reduce((a, b) => Math.max(a, b), 0);
      if (samples >= WATCHED_DRAWS && largest <= this.#tolerance) {
        this.#active[first + i] = 0;
        this.taken[first + i] = samples * this.#orders;
      } else going = true;
    }
    return !going;
  }
}
