import { differentiate } from '../../engine/differentiate.ts';
import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { oneHot } from '../../engine/ops/one-hot.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { permute } from '../../engine/random.ts';
import { cholesky } from '../least-squares.ts';
import { layerNode, overChunks } from '../model/chunks.ts';
import { askedOutput, inputsOf } from './network-outputs.ts';
import { deviationOf, type Interval, meanInterval, meanOf, studentTail } from './statistics.ts';

export interface TcavOptions {
  /** 'input' or the name of an activation. */
  readonly layer: string;
  /** The class whose logit's gradient is taken. */
  readonly target: number;
  /** Random draws, each with a classifier of its own; 500 by default, the paper's. */
  readonly runs?: number;
  /** Of the classifiers: λ of the ridge, as a share of the mean square of an activation; 0.01 by default. */
  readonly ridge?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Tcav {
  /** Share of the examples whose class logit rises along the concept, over the runs; Student's interval at 95 %. */
  readonly score: Interval;
  /** The same for directions that tell random examples from other random examples. */
  readonly random: Interval;
  /** Two-sided, of the two having the same mean (Welch's t-test). */
  readonly pValue: number;
  readonly scores: readonly number[];
  readonly randomScores: readonly number[];
}

/**
 * TCAV: whether a class is sensitive to a concept that is given by examples. A linear classifier tells the concept's activations from random ones; its normal v is
 * the concept's direction, and the score is the share of the class's examples for which ∇_h f_c · v > 0.
 *
 * **Shapes** concept, random and x are examples [rows, ...inputShape]; random must be twice as many as the concept, or more.
 * **Cost** a forward and backward row an example of x, a forward row an example of the others; 2 · runs systems of as many unknowns as twice the concept has
 * examples, on the CPU. Activations and gradients stay on the GPU: the classifier is solved through their products.
 * **Shows** the direction of a class's dependence on a human concept, with a test against chance. **Does not show** its size, nor whether the layer holds the
 * concept at all (see linearProbe): a score far from ½ is nothing if the random one is as far.
 * The classifier is ridge regression to ±1, which has one solution; the paper trains a linear one by gradient descent. Default: 500 runs and a two-sided t-test
 * (the paper).
 * **Source** Kim, Wattenberg, Gilmer, Cai, Wexler, Viegas, Sayres 2018, "Interpretability beyond feature attribution", sections 3.1 to 3.4.
 *
 * @throws VitrineError `unknown-name`, `invalid-option`, `label-out-of-range`, `unsupported-model`, what the model's inputs can be wrong in, `aborted`
 */
export async function tcav(model: Model, x: Examples, concept: Examples, random: Examples, options: TcavOptions): Promise<Tcav> {
  const method = 'tcav';
  const { layer, target, runs = 500, ridge = 0.01, seed = 0, signal } = options;
  checkWhole(`${method}: runs`, runs, 2, 100_000);
  checkNumber(`${method}: ridge`, ridge, 1e-12);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  askedOutput(method, model, { target });
  const own = await inputsOf(model, concept);
  const others = await inputsOf(model, random);
  const features = elements(model.spec.inputShape);
  const size = own.length / features;
  const randoms = others.length / features;
  if (randoms < 2 * size || size < 2) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${size} examples of the concept and ${randoms} random ones.`,
      'give at least two of the concept, and at least twice as many random ones, so that they can be drawn anew.',
      { concept: size, random: randoms },
    );
  }
  const known = new Float32Array(own.length + others.length);
  known.set(own);
  known.set(others, own.length);
  const count = size + randoms;
  /** [x, known]: gradient · activation. */
  const sensitivity: Float64Array[] = [];
  let gram: Float32Array = new Float32Array(0);
  await overChunks(method, {
    models: [model],
    x,
    signal,
    shared: { known: { shape: [count, ...model.spec.inputShape], values: known }, target: { shape: [1], values: Uint32Array.of(target) } },
    build: (scene) => {
      const forward = scene.forwards[0] as Forward;
      const flat = (node: Node): Node => reshape(node, [node.shape[0] as number, elements(node.shape.slice(1))]);
      const node = layerNode(method, forward, layer);
      const classes = forward.logits.shape[1] as number;
      const direction = matmul(reshape(scene.valid, [scene.rows, 1]), oneHot(scene.shared('target'), classes));
      const [gradient] = differentiate(forward.logits, [node], { seed: direction });
      if (!gradient) {
        throw new VitrineError('unknown-name', `${method}: the logits do not depend on ${layer}.`, 'name a layer before them.', { layer });
      }
      const activations = flat(layerNode(method, scene.forwardOf(scene.shared('known')), layer));
      return {
        each: {
          sensitivity: matmul(flat(gradient), activations, { transposeB: true }),
          gram: matmul(activations, activations, { transposeB: true }),
        },
      };
    },
    onChunk: (values, _first, rows) => {
      const found = values.get('sensitivity') as Float32Array;
      for (let i = 0; i < rows; i++) sensitivity.push(Float64Array.from(found.subarray(i * count, (i + 1) * count)));
      gram = values.get('gram') as Float32Array;
    },
  });
  const score = (positives: readonly number[], negatives: readonly number[]): number => {
    const chosen = [...positives, ...negatives];
    const weights = dualNormal(gram, count, chosen, positives.length, ridge);
    let rising = 0;
    for (const row of sensitivity) {
      let along = 0;
      for (const [k, index] of chosen.entries()) along += (weights[k] as number) * (row[index] as number);
      if (along > 0) rising += 1;
    }
    return rising / sensitivity.length;
  };
  const conceptRows = Array.from({ length: size }, (_, i) => i);
  const draw = (run: number, first: number): number[] =>
    Array.from({ length: size }, (_, i) => size + permute(first + i, randoms, seed, run));
  const scores = Array.from({ length: runs }, (_, run) => score(conceptRows, draw(run, 0)));
  const randomScores = Array.from({ length: runs }, (_, run) => score(draw(run, 0), draw(run, size)));
  return {
    score: meanInterval(scores),
    random: meanInterval(randomScores),
    pValue: welch(scores, randomScores),
    scores,
    randomScores,
  };
}

/**
 * The weights a with v = Σ a_k h_k, v the normal of ridge regression to +1 for the first and −1 for the others, with an intercept:
 * (CKC + λI) b = Cy, a = Cb, where C centres. Shares of the solution that a constant adds cancel.
 */
function dualNormal(gram: Float32Array, stride: number, chosen: readonly number[], positives: number, ridge: number): Float64Array {
  const n = chosen.length;
  const k = chosen.map((i) => Float64Array.from(chosen, (j) => gram[i * stride + j] as number));
  const rowMeans = k.map((row) => meanOf(row));
  const all = meanOf(rowMeans);
  const system = Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return ((k[i] as Float64Array)[j] as number) - (rowMeans[i] as number) - (rowMeans[j] as number) + all;
  });
  const meanSquare = meanOf(Float64Array.from({ length: n }, (_, i) => system[i * (n + 1)] as number));
  for (let i = 0; i < n; i++) system[i * (n + 1)] = (system[i * (n + 1)] as number) + (ridge * meanSquare || ridge);
  const solve = cholesky(system, n);
  if (!solve) {
    throw new VitrineError(
      'invalid-option',
      `tcav: with a ridge of ${ridge} the activations of ${n} examples do not determine a classifier.`,
      'raise ridge; it is 0.01 by default.',
      { ridge, examples: n },
    );
  }
  const mean = (2 * positives - n) / n;
  const y = Float64Array.from({ length: n }, (_, i) => (i < positives ? 1 : -1) - mean);
  const b = solve(y);
  const average = meanOf(b);
  return b.map((value) => value - average);
}

/** Welch's two-sided t-test. **Source** Welch 1947. */
function welch(a: readonly number[], b: readonly number[]): number {
  const [va, vb] = [deviationOf(a) ** 2 / a.length, deviationOf(b) ** 2 / b.length];
  const apart = meanOf(a) - meanOf(b);
  if (va + vb === 0) return apart === 0 ? 1 : 0;
  const freedom = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  return studentTail(apart / Math.sqrt(va + vb), freedom);
}
