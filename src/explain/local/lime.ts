import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import { cholesky, gram, moments } from '../least-squares.ts';
import { type GroupAttribution, type GroupsGiven, groupsOf, type MaskedOptions, recordMasked } from '../masked.ts';
import { type Coalitions, fittedAttribution, readCoalitions } from './surrogate.ts';

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
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option` also for too few
 * samples without a penalty, `unsupported-model`, `aborted`
 */
export async function lime(model: Model, x: Examples, options: LimeOptions = {}): Promise<LimeAttribution> {
  const method = 'lime';
  const groups = groupsOf(method, model, options.groups);
  const n = groups.count;
  const { samples = 1000, kernelWidth = 0.25, regularization = 1, seed = 0 } = options;
  // The first copy is the example itself: alone it says nothing of any group.
  checkWhole(`${method}: samples`, samples, 2);
  checkNumber(`${method}: kernelWidth`, kernelWidth, Number.MIN_VALUE);
  checkNumber(`${method}: regularization`, regularization, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const coalitions = drawnMasks(n, samples, seed);
  const weights = Float64Array.from(coalitions, ({ length }) => {
    // Cosine distance of a mask to all ones; of the empty mask it is 1.
    const distance = 1 - Math.sqrt(length / n);
    return Math.sqrt(Math.exp(-((distance / kernelWidth) ** 2)));
  });
  const total = weights.reduce((a, b) => a + b, 0);
  // About the columns' weighted means, so that the intercept falls out and is not penalised: Σ π (z_i − z̄_i)(z_j − z̄_j) = Σ π z_i z_j − z̄_i z̄_j Σ π.
  const means = moments(coalitions, weights, n, new Float64Array(samples).fill(1 / total));
  const matrix = gram(coalitions, weights, n).map((product, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    return product - total * (means[i] as number) * (means[j] as number) + (i === j ? regularization : 0);
  });
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
    const middle = weights.reduce((sum, weight, row) => sum + weight * (outputs[row] as number), 0) / total;
    const answers = Float64Array.from(outputs, (value) => value - middle);
    const found = solve(moments(coalitions, weights, n, answers));
    coefficients.set(found, example * n);
    // Of the answers about their mean, then of the outputs.
    const offset = -found.reduce((sum, value, i) => sum + value * (means[i] as number), 0);
    intercept[example] = middle + offset;
    let [missed, variance] = [0, 0];
    coalitions.forEach((members, row) => {
      const answer = answers[row] as number;
      const fitted = members.reduce((sum, group) => sum + (found[group] as number), offset);
      missed += (weights[row] as number) * (answer - fitted) ** 2;
      variance += (weights[row] as number) * answer ** 2;
    });
    // Where nothing varies there is nothing to account for.
    rSquared[example] = variance === 0 ? 1 : 1 - missed / variance;
  }
  const record = recordMasked(options, { groups, samples, kernelWidth, regularization, seed });
  const attribution = await fittedAttribution(method, model, { ...record, seed }, groups, read, coefficients, false);
  return { ...attribution, intercept, rSquared };
}

/** x itself, then masks that keep each group with probability ½. */
function drawnMasks(n: number, samples: number, seed: number): Coalitions {
  const stream = streamOf('lime');
  const groups = Uint32Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: samples }, (_, row) => (row === 0 ? groups : groups.filter((i) => uniform(seed, stream, row, i) < 0.5)));
}
