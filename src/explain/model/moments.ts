/** Means and centred products of layers over a data set, and the leading eigenvectors of a symmetric matrix: what CKA and PCA stand on. */

import type { Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { normal } from '../../engine/random.ts';
import { type ChunkScene, layerNode, overChunks } from './chunks.ts';

/** A layer of one of several models. */
export interface Source {
  /** Index of its model. */
  readonly model: number;
  readonly layer: string;
}

export interface Moments {
  readonly rows: number;
  /** Values of each source for one example. */
  readonly widths: readonly number[];
  /** Σ x / n of each source. */
  readonly means: readonly Float32Array[];
  /** (X − mean)ᵀ(Y − mean) of each pair, [width, width], row-major. */
  readonly products: readonly Float32Array[];
}

const sourceNode = (method: string, scene: ChunkScene, { model, layer }: Source): Node => {
  const node = layerNode(method, scene.forwards[model] as Forward, layer);
  return reshape(node, [scene.rows, elements(node.shape) / scene.rows]);
};

/** Two passes over the examples: means, then products about them, so that nothing cancels. */
export async function centredProducts(
  method: string,
  models: readonly Model[],
  x: Examples,
  sources: readonly Source[],
  pairs: readonly (readonly [number, number])[],
  signal?: AbortSignal,
): Promise<Moments> {
  const rows = (models[0] as Model).rowsOf(x);
  const work = { models, x, signal };
  const sums = await overChunks(method, {
    ...work,
    build: (scene) => {
      const weight = reshape(scene.valid, [scene.rows, 1]);
      return {
        sum: Object.fromEntries(sources.map((source, i) => [`${i}`, sum(multiply(sourceNode(method, scene, source), weight), [0])])),
      };
    },
  });
  const means = sources.map((_source, i) => (sums.get(`${i}`) as Float32Array).map((value) => value / rows));
  const found = await overChunks(method, {
    ...work,
    shared: Object.fromEntries(means.map((values, i) => [`${i}`, { shape: [1, values.length], values }])),
    build: (scene) => {
      const weight = reshape(scene.valid, [scene.rows, 1]);
      const centred = sources.map((source, i) => multiply(subtract(sourceNode(method, scene, source), scene.shared(`${i}`)), weight));
      return {
        sum: Object.fromEntries(pairs.map(([a, b], k) => [`${k}`, matmul(centred[a] as Node, centred[b] as Node, { transposeA: true })])),
      };
    },
  });
  return {
    rows,
    widths: means.map(({ length }) => length),
    means,
    products: pairs.map((_pair, k) => found.get(`${k}`) as Float32Array),
  };
}

/** All eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's rotations. **Source** Golub, Van Loan 2013, 8.5. */
export function jacobi(matrix: readonly (readonly number[])[]): { values: number[]; vectors: number[][] } {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const v = Array.from({ length: n }, (_, i) => Float64Array.from({ length: n }, (_each, j) => (i === j ? 1 : 0)));
  const at = (m: readonly Float64Array[], i: number, j: number): number => (m[i] as Float64Array)[j] as number;
  for (let sweep = 0; sweep < 100; sweep++) {
    let off = 0;
    let on = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++)
        if (i === j) on += at(a, i, i) ** 2;
        else off += at(a, i, j) ** 2;
    if (off <= 1e-30 * on) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const pq = at(a, p, q);
        if (pq === 0) continue;
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * pq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [kp, kq] = [at(a, k, p), at(a, k, q)];
          (a[k] as Float64Array)[p] = c * kp - s * kq;
          (a[k] as Float64Array)[q] = s * kp + c * kq;
        }
        for (let k = 0; k < n; k++) {
          const [pk, qk] = [at(a, p, k), at(a, q, k)];
          (a[p] as Float64Array)[k] = c * pk - s * qk;
          (a[q] as Float64Array)[k] = s * pk + c * qk;
          const [vp, vq] = [at(v, k, p), at(v, k, q)];
          (v[k] as Float64Array)[p] = c * vp - s * vq;
          (v[k] as Float64Array)[q] = s * vp + c * vq;
        }
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => at(a, j, j) - at(a, i, i));
  return { values: order.map((i) => at(a, i, i)), vectors: order.map((i) => v.map((row) => row[i] as number)) };
}

/** Vectors beyond those asked for, which make the iteration converge sooner. */
const SPARE = 8;

/**
 * The `count` largest eigenvalues of a symmetric, positive semidefinite matrix [n, n] and their eigenvectors, orthonormal, by subspace
 * iteration with Rayleigh–Ritz. **Source** Golub, Van Loan 2013, 8.2.4.
 */
export function leadingEigenvectors(
  matrix: Float32Array | Float64Array,
  n: number,
  count: number,
  seed = 0,
): { values: number[]; vectors: Float64Array[] } {
  const width = Math.min(n, count + SPARE);
  let basis: Float64Array[] = Array.from({ length: width }, (_, k) =>
    Float64Array.from({ length: n }, (_each, i) => normal(seed, 0, k, i)),
  );
  orthonormalise(basis);
  let values: number[] = [];
  for (let step = 0; step < 2000; step++) {
    const images = basis.map((vector) => {
      const image = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        let total = 0;
        for (let j = 0; j < n; j++) total += (matrix[i * n + j] as number) * (vector[j] as number);
        image[i] = total;
      }
      return image;
    });
    const small = basis.map((a) => images.map((b) => a.reduce((total, value, i) => total + value * (b[i] as number), 0)));
    const symmetric = small.map((row, i) => row.map((value, j) => (value + (small[j]?.[i] as number)) / 2));
    const ritz = jacobi(symmetric);
    const moved = ritz.values.map((value, k) => Math.abs(value - (values[k] ?? Number.POSITIVE_INFINITY)));
    values = ritz.values;
    const combine = (of: readonly Float64Array[]): Float64Array[] =>
      ritz.vectors.map((weights) => {
        const total = new Float64Array(n);
        weights.forEach((weight, k) => {
          const vector = of[k] as Float64Array;
          for (let i = 0; i < n; i++) total[i]! += weight * (vector[i] as number);
        });
        return total;
      });
    const scale = Math.abs(values[0] as number) || 1;
    if (width === n || moved.slice(0, count).every((change) => change <= 1e-13 * scale)) {
      const vectors = combine(basis).slice(0, count);
      orthonormalise(vectors);
      return { values: values.slice(0, count), vectors };
    }
    basis = combine(images);
    orthonormalise(basis);
  }
  return { values: values.slice(0, count), vectors: basis.slice(0, count) };
}

/** Gram–Schmidt, twice, in place; what is left of a dependent vector is replaced by a unit vector. */
function orthonormalise(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, k) => {
    const begin = Math.hypot(...vector) || 1;
    for (let attempt = 0; ; attempt++) {
      for (let pass = 0; pass < 2; pass++) {
        for (const other of vectors.slice(0, k)) {
          const along = vector.reduce((total, value, i) => total + value * (other[i] as number), 0);
          for (let i = 0; i < vector.length; i++) vector[i]! -= along * (other[i] as number);
        }
      }
      const length = Math.hypot(...vector);
      if (length > 1e-12 * begin && length > 0) {
        for (let i = 0; i < vector.length; i++) vector[i]! /= length;
        return;
      }
      vector.fill(0);
      vector[(k + attempt) % vector.length] = 1;
    }
  });
}
