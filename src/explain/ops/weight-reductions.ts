/**
 * Reductions of every tensor of one buffer: elementwise ones a block of 64 values at a time (lookAtWeights, joinLooks), the step of a power
 * iteration (iteratePower) and histograms (countWeights). All work in place, on tensors that `weightTables` lays out.
 *
 * **Shapes** of the tables in weight-reductions.wgsl and weight-spectrum.wgsl; the buffer holds any number of tensors, each from a multiple of
 * 16 bytes on.
 * **Gradient** none: this only looks.
 * **Error** sums run over 32 values in a tree, then over blocks and segments in order: a few 1e-7 of Σ|terms|. Counts are exact.
 * **Source** Chan, Golub, LeVeque 1983 (joining variances); Golub, Van Loan 2013, "Matrix computations", 8.2 (power iteration).
 */

import { apply, type Node } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import histogramSource from '../../shaders/weight-histogram.wgsl?raw';
import source from '../../shaders/weight-reductions.wgsl?raw';
import spectrumSource from '../../shaders/weight-spectrum.wgsl?raw';

/** Values of a block; every tensor of a flat buffer begins with one. */
const BLOCK = 64;
/** Most blocks of a segment. */
const SEGMENT = 32;
/** Rows that one invocation of `columns` adds. */
const RUN = 32;
/** Words of `struct Sums`. */
export const SUM_WORDS = 10;
/** A tensor is spread over the looks only where each look gets at least this many of its blocks. */
const LEAST_BLOCKS = 4;

type Words = Uint32Array<ArrayBuffer>;

/** Where one tensor lies in the buffer. */
export interface Extent {
  /** First float, a multiple of 4. */
  readonly offset: number;
  readonly shape: readonly number[];
}

/** What the kernels are told by. */
export interface WeightTables {
  /** The blocks of part 0, of part 1, …: uint32 [blocks, 2]. */
  readonly blocks: Words;
  /** For each part, its first block, how many it has, and how many of those, the first, every part has. */
  readonly parts: readonly { readonly first: number; readonly count: number; readonly whole: number }[];
  /** Most blocks of a part: those that are kept of a look. */
  readonly stride: number;
  /** The tensor of each block. */
  readonly owners: Words;
  /** Of each look of a batch: uint32 [segments, 3], and the segments of each tensor, uint32 [looks · tensors, 2]. */
  readonly segments: Words;
  readonly spans: Words;
  /** Whether a tensor is spread over the parts, so that a look has seen a part of it. */
  readonly spread: readonly boolean[];
  /** Matrices, and their rows, tiles of columns and quads of u. */
  readonly matrices: Words;
  readonly rowTiles: Words;
  readonly columnTiles: Words;
  readonly vectorTiles: Words;
  readonly vectorFloats: number;
  /** For each tensor, where it is among the matrices, its rows and its part of u; absent for a vector. */
  readonly spectrum: readonly (
    | { readonly index: number; readonly firstRow: number; readonly rows: number; readonly vector: number; readonly columns: number }
    | undefined
  )[];
}

/** Lays the work out, for looks that each take in one of `parts` parts, `looks` to a batch. */
export function weightTables(extents: readonly Extent[], parts: number, looks: number): WeightTables {
  const blocks: number[] = [];
  const owners: number[] = [];
  const ranges: { first: number; count: number; whole: number }[] = [];
  /** For each part and tensor, its blocks. */
  const owned: { first: number; count: number }[][] = [];
  const spread = extents.map(({ shape }) => Math.ceil(elements(shape) / BLOCK) >= LEAST_BLOCKS * parts && parts > 1);
  for (let part = 0; part < parts; part++) {
    const first = owners.length;
    const each: { first: number; count: number }[] = [];
    let whole = 0;
    for (const spreadOnes of [false, true]) {
      extents.forEach(({ offset, shape }, owner) => {
        if (spread[owner] !== spreadOnes) return;
        const length = elements(shape);
        const begin = owners.length;
        for (let block = spreadOnes ? part : 0; block * BLOCK < length; block += spreadOnes ? parts : 1) {
          blocks.push((offset + block * BLOCK) / 4, Math.min(BLOCK, length - block * BLOCK));
          owners.push(owner);
        }
        each[owner] = { first: begin, count: owners.length - begin };
      });
      if (!spreadOnes) whole = owners.length - first;
    }
    owned.push(each);
    ranges.push({ first, count: owners.length - first, whole });
  }
  const stride = Math.max(...ranges.map(({ count }) => count));
  const segments: number[] = [];
  const spans: number[] = [];
  for (let look = 0; look < looks; look++) {
    const part = look % parts;
    for (const { first, count } of owned[part] ?? []) {
      spans.push(segments.length / 3, Math.ceil(count / SEGMENT));
      for (let at = 0; at < count; at += SEGMENT) {
        const sums = look * stride + first + at - (ranges[part]?.first ?? 0);
        segments.push(first + at, sums, Math.min(SEGMENT, count - at));
      }
    }
  }
  return {
    blocks: Uint32Array.from(blocks),
    owners: Uint32Array.from(owners),
    parts: ranges,
    stride,
    segments: Uint32Array.from(segments),
    spans: Uint32Array.from(spans),
    spread,
    ...spectrumTables(extents),
  };
}

/** A tensor with two axes or more is a matrix [everything before, last axis]. */
function spectrumTables(extents: readonly Extent[]) {
  const matrices: number[] = [];
  const rowTiles: number[] = [];
  const columnTiles: number[] = [];
  const vectorTiles: number[] = [];
  let shares = 0;
  const spectrum = extents.map(({ offset, shape }) => {
    if (shape.length < 2) return undefined;
    const columns = shape.at(-1) as number;
    const rows = elements(shape) / columns;
    const quads = Math.ceil(columns / 4);
    const index = matrices.length / 6;
    const firstRow = rowTiles.length / 2;
    const vector = vectorTiles.length;
    matrices.push(offset, rows, columns, vector / 4, firstRow, 0);
    for (let row = 0; row < rows; row++) rowTiles.push(index, row);
    for (let quad = 0; quad < quads; quad++) vectorTiles.push(index, quad, 0, shares);
    for (let run = 0; run * RUN < rows; run++) {
      for (let quad = 0; quad < quads; quad++) columnTiles.push(index, quad, run * RUN, shares + run * quads + quad);
    }
    shares += quads * Math.ceil(rows / RUN);
    return { index, firstRow, rows, vector, columns };
  });
  return {
    matrices: Uint32Array.from(matrices),
    rowTiles: Uint32Array.from(rowTiles),
    columnTiles: Uint32Array.from(columnTiles),
    vectorTiles: Uint32Array.from(vectorTiles),
    vectorFloats: vectorTiles.length,
    spectrum,
  };
}

/** An operation that changes some of its inputs in place, an invocation to each of `count`. */
function inPlace<A extends { readonly count: number }>(
  name: string,
  file: string,
  code: string,
  entry: string,
  bindings: readonly string[],
  writes: readonly number[],
  parameters: (attributes: A) => Record<string, number>,
  more: { readonly constants?: (attributes: A) => Record<string, number>; readonly invocations?: (attributes: A) => number } = {},
): Operation<A> {
  return {
    name,
    infer: (inputs) => inputs[writes[0] as number] as TensorType,
    constant: true,
    writes,
    variants: [
      {
        name: 'blocks',
        dispatch: ({ attributes }) => ({
          kernel: kernel(file, code, entry, bindings),
          constants: more.constants?.(attributes) ?? {},
          parameters: parameters(attributes),
          workgroups: linearWorkgroups(more.invocations?.(attributes) ?? attributes.count, 64),
        }),
      },
    ],
  };
}

interface Range {
  readonly count: number;
  readonly first: number;
  readonly into: number;
  readonly whole: number;
  readonly next: number;
  readonly nextCount: number;
}

const NO_RANGE: Range = { count: 0, first: 0, into: 0, whole: 0, next: 0, nextCount: 0 };
const range = ({ count, first, into, whole, next, nextCount }: Range): Record<string, number> => ({
  count,
  first,
  into,
  whole,
  next,
  next_count: nextCount,
});
const counted = ({ count }: { readonly count: number }): Record<string, number> => ({ count });

const reduceOperation: Operation<Range> = inPlace(
  'weightSums',
  'weight-reductions',
  source,
  'reduce',
  ['weights4', 'blocks', 'block_sums'],
  [2],
  range,
);
const updateOperation: Operation<Range> = inPlace(
  'weightSumsAndUpdates',
  'weight-reductions',
  source,
  'reduce_with_updates',
  ['weights4', 'blocks', 'block_sums', 'block_updates', 'before4'],
  [2, 3, 4],
  range,
  { invocations: ({ count, nextCount }) => count + nextCount },
);
const joinBlocksOperation: Operation<Range> = inPlace(
  'joinBlocks',
  'weight-reductions',
  source,
  'join_blocks',
  ['weights4', 'blocks', 'all_block_sums', 'all_block_updates', 'segments', 'segment_sums'],
  [5],
  range,
);
const joinSegmentsOperation: Operation<Range> = inPlace(
  'joinSegments',
  'weight-reductions',
  source,
  'join_segments',
  ['all_segment_sums', 'spans', 'results'],
  [2],
  range,
);
const rowsOperation: Operation<{ readonly count: number }> = inPlace(
  'weightRows',
  'weight-spectrum',
  spectrumSource,
  'rows',
  ['weights4', 'matrices', 'row_tiles', 'vector4', 'norms', 'products', 'importance'],
  [5, 6],
  counted,
);
const columnsOperation: Operation<{ readonly count: number }> = inPlace(
  'weightColumns',
  'weight-spectrum',
  spectrumSource,
  'columns',
  ['weights4', 'matrices', 'column_tiles', 'all_products', 'shares4'],
  [4],
  counted,
);
const gatherOperation: Operation<{ readonly count: number }> = inPlace(
  'powerVector',
  'weight-spectrum',
  spectrumSource,
  'gather',
  ['matrices', 'vector_tiles', 'all_shares4', 'next_vector4'],
  [3],
  counted,
);
const measureOperation: Operation<{ readonly count: number }> = inPlace(
  'powerNorms',
  'weight-spectrum',
  spectrumSource,
  'measure',
  ['matrices', 'new_vector4', 'new_norms'],
  [2],
  counted,
);
const histogramOperation: Operation<{ readonly count: number; readonly bins: number }> = inPlace(
  'weightHistograms',
  'weight-histogram',
  `${source}\n${histogramSource}`,
  'histogram',
  ['weights4', 'blocks', 'owners', 'ranges', 'latest', 'counts'],
  [5],
  ({ count }) => range({ ...NO_RANGE, count }),
  { constants: ({ bins }) => ({ BINS: bins }) },
);

/** What the kernels read and write, by name. */
export type WeightNodes = Readonly<Record<WeightTensorName, Node>>;
export type WeightTensorName =
  | 'weights'
  | 'blocks'
  | 'blockSums'
  | 'blockUpdates'
  | 'before'
  | 'segments'
  | 'segmentSums'
  | 'spans'
  | 'results'
  | 'matrices'
  | 'rowTiles'
  | 'columnTiles'
  | 'vectorTiles'
  | 'vector'
  | 'norms'
  | 'products'
  | 'importance'
  | 'shares'
  | 'owners'
  | 'ranges'
  | 'counts';

/** One look at a part, kept as the look `look` of a batch: one dispatch. */
export function lookAtWeights(nodes: WeightNodes, tables: WeightTables, look: number, updates: boolean): Node {
  const { weights, blocks, blockSums, blockUpdates, before } = nodes;
  const { parts, stride } = tables;
  const part = { ...NO_RANGE, ...parts[look % parts.length], into: look * stride };
  if (!updates) return apply(reduceOperation, [weights, blocks, blockSums], part);
  const after = parts[(look + 1) % parts.length] as (typeof parts)[number];
  const next = { next: after.first + after.whole, nextCount: after.count - after.whole };
  return apply(updateOperation, [weights, blocks, blockSums, blockUpdates, before], { ...part, ...next });
}

/** Joins the looks of a batch into the results of batch `batch`, an entry a look and tensor: two dispatches. */
export function joinLooks(nodes: WeightNodes, tables: WeightTables, batch: number): Node {
  const { weights, blocks, blockSums, blockUpdates, segments, segmentSums, spans, results } = nodes;
  const inputs = [weights, blocks, blockSums, blockUpdates, segments, segmentSums];
  const joined = apply(joinBlocksOperation, inputs, { ...NO_RANGE, count: tables.segments.length / 3 });
  const count = tables.spans.length / 2;
  return apply(joinSegmentsOperation, [joined, spans, results], { ...NO_RANGE, count, into: batch * count });
}

/** One step of the power iteration of every matrix, and Σ|w| of every row. */
export function iteratePower(nodes: WeightNodes, tables: WeightTables): Node {
  const { weights, matrices, rowTiles, columnTiles, vectorTiles, vector, norms, products, importance, shares } = nodes;
  const z = apply(rowsOperation, [weights, matrices, rowTiles, vector, norms, products, importance], { count: tables.rowTiles.length / 2 });
  const parts = apply(columnsOperation, [weights, matrices, columnTiles, z, shares], { count: tables.columnTiles.length / 4 });
  const u = apply(gatherOperation, [matrices, vectorTiles, parts, vector], { count: tables.vectorTiles.length / 4 });
  return apply(measureOperation, [matrices, u, norms], { count: tables.matrices.length / 6 });
}

/** Counts values into bins. The counts must be 0 before, and the looks joined. */
export const countWeights = (nodes: WeightNodes, tables: WeightTables, bins: number): Node =>
  apply(histogramOperation, [nodes.weights, nodes.blocks, nodes.owners, nodes.ranges, nodes.results, nodes.counts], {
    count: tables.owners.length,
    bins,
  });
