/**
 * Ranks made strict, ties to the lower index, and the order they give.
 *
 *     strictRanks  y[r, i] = number of j with rank[r, j] < rank[r, i], or equal and j < i
 *     rankOrder    y[r, strict rank of i] = i: who comes first, second, …
 *
 * **Shapes** rank uint32 [rows, width] → y uint32 the same; each row a permutation, whatever the ranks are.
 * **Gradient** none. **Error** exact. **Cost** width² comparisons a row.
 * **Source** counting (rank) sort; Knuth 1998, "The art of computer programming", vol. 3, 5.2.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/rank-order.wgsl?raw';

function rankOperation(name: string, of: Kernel): Operation<object> {
  return {
    name,
    infer: (inputs) => {
      const [rank] = inputs as [TensorType];
      requireType(name, rank, 'rank', 'uint32');
      requireShape(name, rank, 'rank', [rank.shape[0] ?? 1, rank.shape[1] ?? 1], 'two axes');
      return { shape: rank.shape, dtype: 'uint32' };
    },
    variants: [
      {
        name: 'scalar',
        dispatch: ({ outputs: [y] }) => {
          const { shape } = y as TensorType;
          const count = elements(shape);
          return { kernel: of, parameters: { count, width: shape[1] as number }, workgroups: linearWorkgroups(count, 64) };
        },
      },
    ],
    constant: true,
  };
}

const entry = (name: string): Kernel => kernel('rank-order', source, name, ['rank', 'y']);

export const strictRanksOperation: Operation<object> = rankOperation('strictRanks', entry('strict'));
export const rankOrderOperation: Operation<object> = rankOperation('rankOrder', entry('order'));

/** Ranks from 0 on, each once a row; ties go to the lower index. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const strictRanks = (rank: Node): Node => apply(strictRanksOperation, [rank], {});

/** The index of each rank, lowest first; ties go to the lower index. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const rankOrder = (rank: Node): Node => apply(rankOrderOperation, [rank], {});
