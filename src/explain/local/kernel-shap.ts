import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import { cholesky, gram, moments } from '../least-squares.ts';
import { type GroupAttribution, type GroupsGiven, groupsOf, type MaskedOptions, recordMasked } from '../masked.ts';
import { type Coalitions, drawnOrder, fittedAttribution, readCoalitions } from './surrogate.ts';

export interface KernelShapOptions extends MaskedOptions {
  /** What the game's players are; each element by itself by default. */
  readonly groups?: GroupsGiven;
  /** Coalitions that are evaluated; 2n + 2,048 for n groups by default. From 2ⁿ − 2 on they are all evaluated, and the result is exact. */
  readonly samples?: number;
  /** Of the coalitions that are drawn; 0 by default. */
  readonly seed?: number;
}

export interface KernelShapAttribution extends GroupAttribution {
  /** Coalitions that were evaluated, `samples` at most: all of them where there are no more. */
  readonly coalitions: number;
}

/**
 * KernelSHAP: Shapley values as the least squares of v(S) ≈ v(∅) + Σ_{i ∈ S} φ_i over coalitions, weighted by (n − 1) / (C(n, s) s (n − s)) for the size s of S,
 * under Σφ = f_c(x) − f_c(x′).
 *
 * **Shapes** x [rows, ...inputShape] → groupValues [rows, groups]; values in the shape of x, a group's value divided equally among its elements; delta [rows],
 * rounding alone. **Cost** `samples` forward rows an example, folded behind a first affine layer, and one solve of n unknowns on the CPU in float64.
 * **Shows** what shapleyValues shows, from fewer rows where many groups have small effects on one another. **Does not show** its own error: repeat it with
 * another seed, or draw permutations, which know theirs.
 * Defaults: 2n + 2,048 coalitions (SHAP), sizes from the outside in while all of a size fit, the rest drawn in pairs of complements; every group is kept. SHAP's
 * own KernelExplainer keeps only 10 groups unless told not to; Captum takes 25 coalitions.
 * **Source** Lundberg, Lee 2017, "A unified approach to interpreting model predictions", theorem 2; pairs: Covert, Lee 2021, "Improving KernelSHAP".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option` also for too few
 * samples, `unsupported-model`, `aborted`
 */
export async function kernelShap(model: Model, x: Examples, options: KernelShapOptions = {}): Promise<KernelShapAttribution> {
  const method = 'kernelShap';
  const groups = groupsOf(method, model, options.groups);
  const n = groups.count;
  const { samples = 2 * n + 2048, seed = 0 } = options;
  checkWhole(`${method}: samples`, samples, 1);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const { coalitions, weights } = chosen(n, samples, seed);
  const rows = coalitions.length;
  // One unknown fewer: the last value is what the others leave of f(x) − f(x′), so its column z_n is taken from every other, (z_i − z_n)(z_j − z_n).
  const unknowns = n - 1;
  const products = gram(coalitions, weights, n);
  const product = (i: number, j: number): number => products[i * n + j] as number;
  const reduced = Float64Array.from({ length: unknowns * unknowns }, (_, k) => {
    const [i, j] = [Math.floor(k / unknowns), k % unknowns];
    return product(i, j) - product(i, unknowns) - product(j, unknowns) + product(unknowns, unknowns);
  });
  const solve = cholesky(reduced, unknowns);
  if (!solve) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${rows} coalitions do not determine the values of ${n} groups.`,
      `evaluate more: samples is ${samples}, and ${2 * n + 2048} by default.`,
      { method, samples, groups: n },
    );
  }
  const read = await readCoalitions(method, model, x, coalitions, groups, options);
  const values = new Float64Array(read.examples * n);
  for (let example = 0; example < read.examples; example++) {
    const none = read.baselineOutput[example] as number;
    const all = (read.output[example] as number) - none;
    const answers = Float64Array.from({ length: rows }, (_, row) => {
      const value = (read.values[example * rows + row] as number) - none;
      return coalitions[row]?.at(-1) === unknowns ? value - all : value;
    });
    const sums = moments(coalitions, weights, n, answers);
    const found = solve(sums.slice(0, unknowns).map((value) => value - (sums[unknowns] as number)));
    values.set(found, example * n);
    values[example * n + unknowns] = all - found.reduce((total, value) => total + value, 0);
  }
  const record = recordMasked(options, { groups, samples, seed });
  return { ...(await fittedAttribution(method, model, { ...record, seed }, groups, read, values, true)), coalitions: rows };
}

/**
 * The coalitions and their weights: sizes from the outside in (1 and n − 1, 2 and n − 2, …), each whole while it fits into what is left; the rest of the
 * weight is shared by coalitions drawn from the sizes that did not, complements together.
 */
function chosen(n: number, samples: number, seed: number): { coalitions: Coalitions; weights: Float64Array } {
  const coalitions: Uint32Array[] = [];
  const weights: number[] = [];
  const take = (members: Uint32Array, weight: number): void => {
    coalitions.push(members);
    weights.push(weight);
  };
  /** Of all coalitions of size s and of size n − s together: (n − 1) / (s (n − s)), and as much again where the sizes differ. */
  const sizes = Array.from({ length: Math.floor(n / 2) }, (_, i) => {
    const size = i + 1;
    const paired = 2 * size !== n;
    return { size, paired, number: (paired ? 2 : 1) * choose(n, size), weight: ((paired ? 2 : 1) * (n - 1)) / (size * (n - size)) };
  });
  // A single group has no coalition between nothing and all; its value is all of f(x) − f(x′).
  if (n === 1) take(Uint32Array.of(0), 1);
  const every = samples >= 2 ** n - 2;
  let left = samples;
  let drawn = sizes;
  for (const [i, { size, paired, number, weight }] of sizes.entries()) {
    const open = sizes.slice(i).reduce((total, each) => total + each.weight, 0);
    // As many as this size is due of what is left; the last size takes all that is left.
    if (!every && (left * weight) / open < number * (1 - 1e-8)) break;
    for (const members of subsets(n, size)) {
      take(members, weight / number);
      if (paired) take(complement(n, members), weight / number);
    }
    left -= number;
    drawn = sizes.slice(i + 1);
  }
  if (drawn.length === 0 || left <= 0) return { coalitions, weights: Float64Array.from(weights) };

  const stream = streamOf('kernelShap');
  const open = drawn.reduce((total, { weight }) => total + weight, 0);
  const counts = new Map<string, { members: Uint32Array; times: number }>();
  let times = 0;
  // A coalition that is drawn again counts twice and is evaluated once, so that there may be more draws than rows.
  for (let draw = 0; counts.size < left && draw < 4 * left; draw++) {
    let at = uniform(seed, stream, draw, 0) * open;
    const chosenSize = drawn.find(({ weight }) => {
      at -= weight;
      return at < 0;
    });
    const { size, paired } = chosenSize ?? (drawn.at(-1) as (typeof drawn)[number]);
    const members = drawnOrder(n, seed, stream, draw, 1).subarray(0, size).slice().sort();
    for (const each of paired ? [members, complement(n, members)] : [members]) {
      const key = each.join();
      const known = counts.get(key);
      if (known) known.times += 1;
      else if (counts.size < left) counts.set(key, { members: each, times: 1 });
      else continue;
      times += 1;
    }
  }
  for (const { members, times: own } of counts.values()) take(members, (own / times) * open);
  return { coalitions, weights: Float64Array.from(weights) };
}

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 1; i <= k; i++) result = (result * (n - k + i)) / i;
  return Math.round(result);
}

const complement = (n: number, members: Uint32Array): Uint32Array => {
  const inside = new Set(members);
  return Uint32Array.from({ length: n }, (_, i) => i).filter((i) => !inside.has(i));
};

/** All subsets of {0 … n − 1} with `size` members, in lexical order. */
function* subsets(n: number, size: number): Generator<Uint32Array> {
  const members = Uint32Array.from({ length: size }, (_, i) => i);
  for (;;) {
    yield members.slice();
    let at = size - 1;
    while (at >= 0 && members[at] === n - size + at) at -= 1;
    if (at < 0) return;
    members[at] = (members[at] as number) + 1;
    for (let i = at + 1; i < size; i++) members[i] = (members[i - 1] as number) + 1;
  }
}
