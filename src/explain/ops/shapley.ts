/**
 * Shapley values from the values of coalitions v(S).
 *
 *     exactShapley  φ_i = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)), coalition S being number Σ_{i ∈ S} 2^i
 *     marginals     c_i = v(those before i, and i) − v(those before i): what i adds when groups arrive in a drawn order; where a draw has
 *                   several orders, their mean
 *
 * **Shapes** exactShapley: v [examples, 2^n], weight [n] of `shapleyWeights`, at uint32 [2] of `collect` (the first and the
 * number of the coalitions that came into v last) → y [examples, n], 0 until the last has come. marginals: v [examples · draws · orders · n] (row k of an
 * order has its first k + 1 groups), none [examples] (v of no group), rank uint32 [draws · orders, n] → y [examples · draws, n].
 * **Gradient** none. **Error** the weights of one φ sum to 1; sums run in a fixed order, 64 runs of 64 terms among themselves, so about
 * 64 · 2⁻²⁴ of max|v(S ∪ i) − v(S)|. A group that changes no value gets exactly 0.
 * **Source** Shapley 1953, "A value for n-person games"; Castro, Gómez, Tejada 2009 (permutations).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/shapley.wgsl?raw';

/** |S|! (n − |S| − 1)! / n! for |S| = 0 … n − 1: one over n times the number of coalitions of that size. */
export function shapleyWeights(n: number): Float32Array {
  const weights = new Float32Array(n);
  let choices = 1;
  for (let size = 0; size < n; size++) {
    weights[size] = 1 / (n * choices);
    choices = (choices * (n - 1 - size)) / (size + 1);
  }
  return weights;
}

export const exactShapleyOperation: Operation<object> = {
  name: 'exactShapley',
  infer: (inputs) => {
    const [v, weight, at] = inputs as [TensorType, TensorType, TensorType];
    requireType('exactShapley', v, 'v', 'float32');
    requireType('exactShapley', at, 'at', 'uint32');
    requireType('exactShapley', weight, 'weight', 'float32');
    const [examples, groups] = [v.shape[0] ?? 1, weight.shape[0] ?? 1];
    requireShape('exactShapley', weight, 'weight', [groups], 'one axis');
    requireShape('exactShapley', at, 'at', [2], 'first coalition and count');
    requireShape('exactShapley', v, 'v', [examples, 2 ** groups], 'a value for each coalition');
    return { shape: [examples, groups], dtype: 'float32' };
  },
  variants: [
    {
      name: 'workgroup',
      dispatch: ({ outputs: [y] }) => {
        const { shape } = y as TensorType;
        const count = elements(shape);
        return {
          kernel: kernel('shapley', source, 'exact', ['v', 'weight', 'at', 'y']),
          parameters: { count, groups: shape[1] as number, draws: 0, orders: 0 },
          workgroups: linearWorkgroups(count, 1),
        };
      },
    },
  ],
  constant: true,
};

export interface MarginalsAttributes {
  /** Orders of one draw. */
  readonly orders: number;
}

export const marginalsOperation: Operation<MarginalsAttributes> = {
  name: 'marginals',
  infer: (inputs, { orders }) => {
    const [v, none, rank] = inputs as [TensorType, TensorType, TensorType];
    requireType('marginals', v, 'v', 'float32');
    requireType('marginals', none, 'none', 'float32');
    requireType('marginals', rank, 'rank', 'uint32');
    const [examples, rows, groups] = [none.shape[0] ?? 1, rank.shape[0] ?? 1, rank.shape[1] ?? 1];
    requireShape('marginals', none, 'none', [examples], 'one axis');
    requireShape('marginals', rank, 'rank', [orders * Math.ceil(rows / orders), groups], 'the orders of each draw');
    requireShape('marginals', v, 'v', [examples * rows * groups], 'a value for each place of each order of each example');
    return { shape: [(examples * rows) / orders, groups], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [, , rank], outputs: [y], attributes: { orders } }) => {
        const [rows, groups] = (rank as TensorType).shape as [number, number];
        const count = elements((y as TensorType).shape);
        return {
          kernel: kernel('shapley', source, 'marginals', ['v', 'none', 'rank', 'y']),
          parameters: { count, groups, draws: rows / orders, orders },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** Shapley values of all coalitions' values, [examples, n]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const exactShapley = (v: Node, weight: Node, at: Node): Node => apply(exactShapleyOperation, [v, weight, at], {});

/** What each group adds in each draw, [examples · draws, n]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const marginals = (v: Node, none: Node, rank: Node, attributes: MarginalsAttributes): Node =>
  apply(marginalsOperation, [v, none, rank], attributes);
