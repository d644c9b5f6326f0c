/** The reductions of weights in the self-test: their kernels work in place, on the tables that the library lays out. */

import { elements } from '../../engine/operation.ts';
import { normal } from '../../engine/random.ts';
import type { Values } from '../../engine/reference/run-in-place.ts';
import {
  countWeights,
  iteratePower,
  joinLooks,
  lookAtWeights,
  SUM_WORDS,
  type WeightNodes,
  type WeightTables,
  type WeightTensorName,
  weightTables,
} from '../../explain/ops/weight-reductions.ts';
import { histogramReference, powerStepReference, type WeightSums, weightSumsReference } from '../../explain/reference/weights.ts';
import { type Compared, inPlace, type SelfTestCase } from './cases.ts';

/** A matrix that is spread over two looks and is no multiple of a block, a vector, a small odd matrix. */
const EXTENTS = [
  { offset: 0, shape: [37, 20] },
  { offset: 740, shape: [45] },
  { offset: 788, shape: [5, 7] },
] as const;
const LENGTH = 824;

const partOf = (values: Float32Array, tensor: number): Float32Array => {
  const { offset, shape } = EXTENTS[tensor] as (typeof EXTENTS)[number];
  return values.slice(offset, offset + elements(shape));
};

/** The buffer; what lies between the tensors is 0. */
function weightsOf(value: (tensor: number, index: number) => number): Float32Array {
  const values = new Float32Array(LENGTH);
  EXTENTS.forEach(({ offset, shape }, tensor) => {
    for (let i = 0; i < elements(shape); i++) values[offset + i] = value(tensor, i);
  });
  return values;
}

/** About 3, so that a variance would cancel; some are exactly 0, one is no number. What follows a tensor's last block is not its own. */
const someWeights = (): Float32Array =>
  weightsOf((tensor, i) => (tensor === 0 && i === 200 ? Number.NaN : i % 11 === 3 ? 0 : 3 + normal(4, tensor, 0, i)));

type Inputs = Record<WeightTensorName, Values>;

/** Every tensor that the kernels know, empty but for the weights and the tables. */
function inputsOf(tables: WeightTables, weights: Float32Array, looks: number, bins: number): Inputs {
  const floats = (length: number): Float32Array => new Float32Array(Math.max(1, length));
  const count = EXTENTS.length;
  const { blocks, segments, spans, owners, matrices, rowTiles, columnTiles, vectorTiles } = tables;
  return {
    blocks,
    segments,
    spans,
    owners,
    matrices,
    rowTiles,
    columnTiles,
    vectorTiles,
    weights,
    blockSums: floats(looks * tables.stride * SUM_WORDS),
    blockUpdates: floats(looks * tables.stride),
    before: weights.slice(),
    segmentSums: floats((segments.length / 3) * SUM_WORDS),
    results: floats(looks * count * SUM_WORDS),
    vector: floats(tables.vectorFloats),
    norms: floats(matrices.length / 3),
    products: floats(rowTiles.length / 2),
    importance: floats(rowTiles.length / 2),
    shares: floats(columnTiles.length),
    ranges: floats(2 * count),
    counts: new Uint32Array(count * Math.max(1, bins)),
  };
}

/** The sums of a tensor at a look, as the kernels wrote them, beside those of the reference. */
function comparedSums(what: string, results: Values, at: number, expected: WeightSums, updates: number): Compared[] {
  const floats = new Float32Array(results.buffer, results.byteOffset + 4 * SUM_WORDS * at, 8);
  const counts = new Uint32Array(results.buffer, results.byteOffset + 4 * (SUM_WORDS * at + 8), 2);
  const { number, mean, deviations, squares, absolute, least, greatest, zeros, broken } = expected;
  const scaled = [mean, deviations, squares, absolute];
  return [
    { what: `${what}: counts`, actual: [floats[0] as number, ...counts], expected: [number, zeros, broken], tolerance: 0 },
    // Each of its own size.
    { what: `${what}: sums`, actual: scaled.map((value, i) => (floats[1 + i] as number) / value), expected: [1, 1, 1, 1], tolerance: 1e-5 },
    { what: `${what}: extremes`, actual: floats.slice(5, 7), expected: [least, greatest], tolerance: 0 },
    { what: `${what}: updates`, actual: [floats[7] as number], expected: [updates], tolerance: 1e-5 },
  ];
}

const sums = (): SelfTestCase =>
  inPlace(
    'weightReductions',
    'sums of three tensors',
    ['weight-reductions.reduce', 'weight-reductions.join_blocks', 'weight-reductions.join_segments'],
    async (run) => {
      const weights = someWeights();
      const tables = weightTables(EXTENTS, 1, 1);
      const { results } = await run(inputsOf(tables, weights, 1, 0), (nodes: WeightNodes) => [
        lookAtWeights(nodes, tables, 0, false),
        joinLooks(nodes, tables, 0),
      ]);
      return EXTENTS.flatMap((_extent, tensor) =>
        comparedSums(`tensor ${tensor}`, results, tensor, weightSumsReference(partOf(weights, tensor)), 0),
      );
    },
  );

const updates = (): SelfTestCase =>
  inPlace(
    'weightReductions',
    'updates, a matrix spread over two looks',
    ['weight-reductions.reduce_with_updates', 'weight-reductions.join_blocks', 'weight-reductions.join_segments'],
    async (run) => {
      const weights = someWeights();
      const before = weightsOf((tensor, i) => (partOf(weights, tensor)[i] as number) - 0.25 * ((i % 5) - 2));
      const tables = weightTables(EXTENTS, 2, 2);
      const inputs = { ...inputsOf(tables, weights, 2, 0), before };
      const after = await run(inputs, (nodes: WeightNodes) => [
        lookAtWeights(nodes, tables, 0, true),
        lookAtWeights(nodes, tables, 1, true),
        joinLooks(nodes, tables, 0),
      ]);
      const change = (tensor: number, keep: (block: number) => boolean): number =>
        partOf(weights, tensor).reduce((sum, w, i) => {
          const moved = w - (partOf(before, tensor)[i] as number);
          return sum + (keep(Math.floor(i / 64)) && Number.isFinite(moved) ? moved * moved : 0);
        }, 0);
      return [0, 1].flatMap((look) =>
        EXTENTS.flatMap((_extent, tensor) => {
          const spread = tables.spread[tensor] === true;
          const own = (block: number): boolean => !spread || block % 2 === look;
          const seen = partOf(weights, tensor).filter((_w, i) => own(Math.floor(i / 64)));
          // What the second look compares with is what the first kept.
          const moved = look === 0 ? change(tensor, own) : 0;
          return comparedSums(
            `look ${look}, tensor ${tensor}`,
            after.results,
            look * EXTENTS.length + tensor,
            weightSumsReference(seen),
            moved,
          );
        }),
      );
    },
  );

const spectrum = (): SelfTestCase =>
  inPlace(
    'weightReductions',
    'two steps of the power iteration of two matrices',
    ['weight-spectrum.rows', 'weight-spectrum.columns', 'weight-spectrum.gather', 'weight-spectrum.measure'],
    async (run) => {
      const weights = weightsOf((tensor, i) => normal(4, tensor, 0, i));
      const tables = weightTables(EXTENTS, 1, 1);
      const inputs = inputsOf(tables, weights, 1, 0);
      const matrices = tables.spectrum.flatMap((matrix, tensor) => (matrix ? [{ ...matrix, tensor }] : []));
      for (const { index, vector, columns } of matrices) {
        const first = Float32Array.from({ length: columns }, (_, i) => normal(5, index, 0, i));
        inputs.vector.set(first, vector);
        inputs.norms[2 * index] = 1 / Math.hypot(...first);
      }
      const started = { vector: inputs.vector.slice(), norms: inputs.norms.slice() };
      const after = await run(inputs, (nodes: WeightNodes) => iteratePower(nodes, tables), 2);
      return matrices.flatMap(({ tensor, index, vector, columns, firstRow, rows }): Compared[] => {
        const own = partOf(weights, tensor);
        const scaled = (u: ArrayLike<number>, by: number): number[] => Array.from(u, (value) => value * by);
        const once = powerStepReference(own, scaled(started.vector.slice(vector, vector + columns), started.norms[2 * index] as number));
        const { u, z } = powerStepReference(own, scaled(once.u, 1 / Math.hypot(...once.u)));
        const taken = Array.from({ length: rows }, (_, r) =>
          own.slice(r * columns, (r + 1) * columns).reduce((sum, w) => sum + Math.abs(w), 0),
        );
        const length = Math.hypot(...u);
        return [
          { what: `matrix ${index}: z`, actual: after.products.slice(firstRow, firstRow + rows), expected: z, tolerance: 1e-5 },
          { what: `matrix ${index}: u`, actual: after.vector.slice(vector, vector + columns), expected: u, tolerance: 1e-5 },
          { what: `matrix ${index}: Σ|w|`, actual: after.importance.slice(firstRow, firstRow + rows), expected: taken, tolerance: 1e-5 },
          {
            what: `matrix ${index}: 1 / ‖u‖ and σ`,
            actual: [(after.norms[2 * index] as number) * length, (after.norms[2 * index + 1] as number) / Math.sqrt(length)],
            expected: [1, 1],
            tolerance: 1e-5,
          },
        ];
      });
    },
  );

const histograms = (): SelfTestCase =>
  inPlace('weightReductions', 'histograms in 16 bins', ['weight-histogram.histogram'], async (run) => {
    const bins = 16;
    // In the middle of bins of [−1, 1], and two beyond: no rounding decides.
    const weights = weightsOf((tensor, i) => (tensor === 1 && i === 5 ? Number.NaN : -1 + (((i * 7) % 18) - 0.5) / 8));
    const tables = weightTables(EXTENTS, 1, 1);
    const inputs = inputsOf(tables, weights, 1, bins);
    inputs.ranges.set(EXTENTS.flatMap(() => [-1, 1]));
    const { counts } = await run(inputs, (nodes: WeightNodes) => [
      lookAtWeights(nodes, tables, 0, false),
      joinLooks(nodes, tables, 0),
      countWeights(nodes, tables, bins),
    ]);
    return EXTENTS.map((_extent, tensor) => ({
      what: `tensor ${tensor}`,
      actual: counts.slice(tensor * bins, (tensor + 1) * bins),
      expected: histogramReference(partOf(weights, tensor), -1, 1, bins),
      tolerance: 0,
    }));
  });

export const weightCases = (): SelfTestCase[] => [sums(), updates(), spectrum(), histograms()];
