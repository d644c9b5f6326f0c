/**
 * A constant: y = value everywhere. No kernel runs: a plan writes it once, when it is compiled.
 *
 * **Shapes** any. **Gradient** none. **Error** exact.
 */

import type { Graph, Node } from '../graph.ts';
import type { Operation } from '../operation.ts';

export interface FillAttributes {
  readonly shape: readonly number[];
  readonly value: number;
}

export const fillOperation: Operation<FillAttributes> = {
  name: 'fill',
  infer: (_inputs, { shape }) => ({ shape: [...shape], dtype: 'float32' }),
  variants: [],
  constant: true,
};

/** `value` in the given shape; the shape of a scalar, which broadcasts, by default. */
export const constant = (graph: Graph, value: number, shape: readonly number[] = []): Node =>
  graph.apply(fillOperation, [], { shape, value });

/** Ones in the shape of another node. */
export const onesLike = (node: Node): Node => constant(node.graph, 1, node.shape);
