import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { subtract } from '../../engine/ops/arithmetic.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { layerNode, overChunks } from './chunks.ts';
import { centredProducts, leadingEigenvectors } from './moments.ts';

export interface ActivationPcaOptions {
  /** 'input', 'logits' or the name of an activation. */
  readonly layer: string;
  /** 3 by default. */
  readonly components?: number;
  readonly signal?: AbortSignal;
}

export interface ActivationPca {
  readonly layer: string;
  /** [components][width], orthonormal; the largest loading of each is positive. */
  readonly components: readonly Float64Array[];
  /** [components], descending; divided by n − 1. */
  readonly variances: readonly number[];
  /** Of all components there are. */
  readonly totalVariance: number;
  readonly mean: Float32Array;
  /** [rows, components] where each example lies. */
  readonly projections: Float32Array;
}

/**
 * PCA of activations: the directions along which a layer's output varies most over some examples, and where each example lies along them.
 *
 * **Shapes** x [rows, ...inputShape]; a layer's output is taken as [rows, width]. **Cost** three forward rows an example, a product of width² a row, and the
 * eigenvectors of a [width, width] matrix on the CPU.
 * **Shows** how examples group inside the network. **Does not show** what the next layer reads: it may look along a direction of little variance.
 * Default: 3 components.
 * **Source** Pearson 1901; Hotelling 1933, "Analysis of a complex of statistical variables into principal components".
 *
 * @throws VitrineError `unknown-name`, `invalid-option`, `empty-dataset` for one example, what the model's inputs can be wrong in, `aborted`
 */
export async function activationPca(model: Model, x: Examples, options: ActivationPcaOptions): Promise<ActivationPca> {
  const method = 'activationPca';
  const { layer, components = 3, signal } = options;
  checkWhole(`${method}: components`, components, 1);
  const rows = model.rowsOf(x);
  if (rows < 2) throw new VitrineError('empty-dataset', `${method}: one example does not vary.`, 'pass at least two.', { rows });
  const moments = await centredProducts(method, [model], x, [{ model: 0, layer }], [[0, 0]], signal);
  const width = moments.widths[0] as number;
  if (components > width) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${components} components of ${layer}, which has ${width} values.`,
      `ask for ${width} at most.`,
      {
        components,
        width,
      },
    );
  }
  const covariance = (moments.products[0] as Float32Array).map((value) => value / (rows - 1));
  const { values, vectors } = leadingEigenvectors(covariance, width, components);
  for (const vector of vectors) {
    const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
    if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -(vector[i] as number);
  }
  const loadings = new Float32Array(width * components);
  vectors.forEach((vector, k) => {
    vector.forEach((value, i) => {
      loadings[i * components + k] = value;
    });
  });
  const mean = moments.means[0] as Float32Array;
  const projections = new Float32Array(rows * components);
  await overChunks(method, {
    models: [model],
    x,
    signal,
    shared: { mean: { shape: [1, width], values: mean }, loadings: { shape: [width, components], values: loadings } },
    build: (scene) => {
      const node = layerNode(method, scene.forwards[0] as Forward, layer);
      const flat = reshape(node, [scene.rows, elements(node.shape) / scene.rows]);
      return { each: { projections: matmul(subtract(flat, scene.shared('mean')), scene.shared('loadings')) } };
    },
    onChunk: (found, first, count) => {
      projections.set((found.get('projections') as Float32Array).subarray(0, count * components), first * components);
    },
  });
  let totalVariance = 0;
  for (let i = 0; i < width; i++) totalVariance += covariance[i * width + i] as number;
  return { layer, components: vectors, variances: values.map((value) => Math.max(0, value)), totalVariance, mean, projections };
}
