import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import { cholesky, gram, moments } from '../least-squares.ts';
import { type GroupAttribution, type GroupsGiven, groupsOf, type MaskedOptions, recordMasked } from '../masked.ts';
import { Coalitions, fittedAttribution, readCoalitions } from './surrogate.ts';

export interface LimeOptions extends MaskedOptions {
  /** The interpretable components; each element by itself by default. */
  readonly groups?: GroupsGiven;
  /** Masked copies that the line is fitted to, x itself among them; 1,000 by default. */
  readonly samples?: number;
  /** Width of the kernel, in cosine distance; 0.25 by default. */
  readonly kernelWidth?: number;
  /** λ of the penalty λ‖w‖²; 1 by default, 0 for none. */
  readonly regularization?: number;
  /** Of the masks; 0 by default. */
  readonly seed?: number;
}

/** A local linear model of each example; its weights are `groupValues`. */
export interface LimeAttribution extends GroupAttribution {
  /** w₀, the fitted output where every group is hidden, [rows]. */
  readonly intercept: Float64Array;
  /** Share of the weighted variance of the masked copies' outputs that the line accounts for, [rows]; 1 is all of it. */
  readonly rSquared: Float64Array;
}

/**
 * LIME: the weights of a linear model of the network near x, argmin_w Σ_z π(z) (f_c(x_z) − w₀ − w · z)² + λ‖w‖², over masked copies x_z, z ∈ {0, 1}ⁿ.
 *
 * **Shapes** x [rows, ...inputShape] → groupValues [rows, groups], the weights; values in the shape of x, a group's weight divided equally among its elements.
 * **Cost** `samples` forward rows an example, folded behind a first affine layer, and one solve of n unknowns on the CPU in float64.
 * **Shows** a line through the network's outputs around x, and by `rSquared` how far the network is one there. **Does not show** contributions that sum to
 * anything; and it depends on the kernel: read it with its R².
 * Defaults: 1,000 copies, x first, then each group kept with probability ½; π = √exp(−D² / 0.25²) of the cosine distance D between z and all ones (the authors'
 * image code), ridge λ = 1 with a free intercept (theirs); baseline 0, where the authors' image code takes the segment's mean colour. Captum takes 25 copies.
 * **Source** Ribeiro, Singh, Guestrin 2016, "Why should I trust you? Explaining the predictions of any classifier", equations 1 and 2.
 *
 * @throws VitrineError `shape-mismatch`, `non-finite-data`, `label-out-of-range`, `invalid-option` also for too few samples without a penalty,
 * `unsupported-model`, `aborted`
 */
export async function lime(model: Model, x: Examples, options: LimeOptions = {}): Promise<LimeAttribution> {
  const method = 'lime';
  const groups = groupsOf(method, model, options.groups);
  const n = groups.count;
  const { samples = 1000, kernelWidth = 0.25, regularization = 1, seed = 0 } = options;
  checkWhole(`${method}: samples`, samples, 1);
  checkNumber(`${method}: kernelWidth`, kernelWidth, Number.MIN_VALUE);
  checkNumber(`${method}: regularization`, regularization, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const coalitions = drawnMasks(n, samples, seed);
  const weights = Float64Array.from({ length: samples }, (_, row) => {
    // Cosine distance of a mask to all ones; of the empty mask it is 1.
    const distance = 1 - Math.sqrt(coalitions.size(row) / n);
    return Math.sqrt(Math.exp(-((distance / kernelWidth) ** 2)));
  });
  const total = weights.reduce((a, b) => a + b, 0);
  const meanOf = (of: (row: number) => number): number => weights.reduce((sum, weight, row) => sum + weight * of(row), 0) / total;
  // About their weighted means, so that the intercept falls out and is not penalised.
  const means = Float64Array.from({ length: n }, (_, i) => meanOf((row) => (coalitions.has(row, i) ? 1 : 0)));
  const design = Float64Array.from(
    { length: samples * n },
    (_, k) => (coalitions.has(Math.floor(k / n), k % n) ? 1 : 0) - (means[k % n] as number),
  );
  const matrix = gram(design, weights, n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = (matrix[i * n + i] as number) + regularization;
  const solve = cholesky(matrix, n);
  if (!solve) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${samples} masked copies do not determine the weights of ${n} groups.`,
      'draw more samples, or leave regularization above 0.',
      { method, samples, groups: n, regularization },
    );
  }
  const read = await readCoalitions(method, model, x, coalitions, groups, options);
  const coefficients = new Float64Array(read.examples * n);
  const intercept = new Float64Array(read.examples);
  const rSquared = new Float64Array(read.examples);
  for (let example = 0; example < read.examples; example++) {
    const outputs = read.values.subarray(example * samples, (example + 1) * samples);
    const middle = meanOf((row) => outputs[row] as number);
    const answers = Float64Array.from(outputs, (value) => value - middle);
    const found = solve(moments(design, weights, n, answers));
    coefficients.set(found, example * n);
    intercept[example] = middle - found.reduce((sum, value, i) => sum + value * (means[i] as number), 0);
    let [missed, variance] = [0, 0];
    for (let row = 0; row < samples; row++) {
      let fitted = 0;
      for (let i = 0; i < n; i++) fitted += (design[row * n + i] as number) * (found[i] as number);
      missed += (weights[row] as number) * ((answers[row] as number) - fitted) ** 2;
      variance += (weights[row] as number) * (answers[row] as number) ** 2;
    }
    // Where nothing varies there is nothing to account for.
    rSquared[example] = variance === 0 ? 1 : 1 - missed / variance;
  }
  const record = recordMasked(options, { groups: n, samples, kernelWidth, regularization, seed });
  const attribution = await fittedAttribution(method, model, { ...record, seed }, groups, read, coefficients, false);
  return { ...attribution, intercept, rSquared };
}

/** x itself, then masks that keep each group with probability ½. */
function drawnMasks(n: number, samples: number, seed: number): Coalitions {
  const stream = streamOf('lime');
  const coalitions = new Coalitions(n);
  const groups = Array.from({ length: n }, (_, i) => i);
  coalitions.add(coalitions.of(groups));
  for (let row = 1; row < samples; row++) coalitions.add(coalitions.of(groups.filter((i) => uniform(seed, stream, row, i) < 0.5)));
  return coalitions;
}
