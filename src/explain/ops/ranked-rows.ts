/**
 * Rows along an order of the groups: row k of a curve has its first counts[k] groups at `end`, the others still at `begin`.
 *
 *     rankedRows  y[e, c, k, i] = end[e, i] where rank of i's group < counts[k], else begin[e, i]
 *     rankedSums  y[e, c, k] = base + D_order[0] + … + D_order[counts[k] − 1], the same rows behind a first affine map
 *
 * **Shapes** begin, end [examples, ...]; rank and order uint32 [curves, groups], the same for all examples, or [examples, groups] with one
 * curve each (`own`); groupOf uint32 [elements of an example]; counts uint32 [rows], rising; products [examples, maskWidth(groups), units] of groupProducts → y
 * [examples · curves · rows, ...] or [examples · curves · rows, units].
 * **Gradient** none. **Error** rankedRows exact; rankedSums that of a sum of counts[k] terms. The sum runs in the order of the ranks from the
 * curve's beginning, so the same bits come out however its rows are cut into runs. **Cost** of rankedSums groups · units additions a curve.
 * **Source** Samek et al. 2017, "Evaluating the visualization of what a deep neural network has learned" (deletion in order of relevance); Štrumbelj,
 * Kononenko 2010 (permutations).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/ranked-rows.wgsl?raw';

export interface CurvesAttributes {
  /** Each example has one curve of its own; else all examples have the same curves. */
  readonly own: boolean;
}

function curvesOf(name: string, ranks: TensorType, called: string, counts: TensorType, examples: number, own: boolean): [number, number] {
  requireType(name, ranks, called, 'uint32');
  requireType(name, counts, 'counts', 'uint32');
  const [curves = 1, groups = 1] = ranks.shape;
  requireShape(name, ranks, called, [own ? examples : curves, groups], own ? 'one curve an example' : 'curves and groups');
  requireShape(name, counts, 'counts', [counts.shape[0] ?? 1], 'one axis');
  return [own ? 1 : curves, counts.shape[0] as number];
}

export const rankedRowsOperation: Operation<CurvesAttributes> = {
  name: 'rankedRows',
  infer: (inputs, { own }) => {
    const [begin, end, rank, groupOf, counts] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType];
    requireType('rankedRows', begin, 'begin', 'float32');
    requireType('rankedRows', end, 'end', 'float32');
    requireType('rankedRows', groupOf, 'groupOf', 'uint32');
    const [examples = 1, ...rest] = begin.shape;
    requireShape('rankedRows', end, 'end', begin.shape, 'the shape of begin');
    requireShape('rankedRows', groupOf, 'groupOf', [rowElements(begin.shape)], 'a group for each element');
    const [curves, rows] = curvesOf('rankedRows', rank, 'rank', counts, examples, own);
    return { shape: [examples * curves * rows, ...rest], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [begin, , rank, , counts], outputs: [y], attributes: { own } }) => {
        const count = elements((y as TensorType).shape);
        const [curves, groups] = (rank as TensorType).shape as [number, number];
        return {
          kernel: kernel('ranked-rows', source, 'forward', ['begin', 'end', 'rank', 'group_of', 'counts', 'y']),
          parameters: {
            count,
            inputs: rowElements((begin as TensorType).shape),
            curves: own ? 1 : curves,
            rows: (counts as TensorType).shape[0] as number,
            groups,
            width: 0,
            same_curves: own ? 0 : 1,
          },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

export const rankedSumsOperation: Operation<CurvesAttributes> = {
  name: 'rankedSums',
  infer: (inputs, { own }) => {
    const [products, order, counts] = inputs as [TensorType, TensorType, TensorType];
    requireType('rankedSums', products, 'products', 'float32');
    const [examples = 1, width = 1, units = 1] = products.shape;
    requireShape('rankedSums', products, 'products', [examples, width, units], 'three axes');
    const [curves, rows] = curvesOf('rankedSums', order, 'order', counts, examples, own);
    return { shape: [examples * curves * rows, units], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [products, order, counts], attributes: { own } }) => {
        const [examples, width, units] = (products as TensorType).shape as [number, number, number];
        const [given, groups] = (order as TensorType).shape as [number, number];
        const curves = own ? 1 : given;
        const count = examples * curves * units;
        return {
          kernel: kernel('ranked-rows', source, 'folded', ['products', 'order', 'counts', 'y']),
          parameters: {
            count,
            inputs: units,
            curves,
            rows: (counts as TensorType).shape[0] as number,
            groups,
            width,
            same_curves: own ? 0 : 1,
          },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** Rows along each curve, [examples · curves · rows, ...]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const rankedRows = (begin: Node, end: Node, rank: Node, groupOf: Node, counts: Node, attributes: CurvesAttributes): Node =>
  apply(rankedRowsOperation, [begin, end, rank, groupOf, counts], attributes);

/** The same behind a first affine map, [examples · curves · rows, units]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const rankedSums = (products: Node, order: Node, counts: Node, attributes: CurvesAttributes): Node =>
  apply(rankedSumsOperation, [products, order, counts], attributes);
