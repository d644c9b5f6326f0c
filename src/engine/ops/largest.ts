/**
 * The largest element along axes: y = max x.
 *
 * **Shapes** as those of sum (reduce.ts).
 * **Gradient** dx = dy at the largest elements, in equal parts where several are largest (as PyTorch's amax), else 0; twice
 * differentiable.
 * **Error** exact.
 */

import { apply, type Node, requireType } from '../graph.ts';
import type { Operation, TensorType } from '../operation.ts';
import { divide, equal, multiply } from './arithmetic.ts';
import { type AxesAttributes, type ReduceOptions, reduceAttributes, reduceClass, reduceVariants, repeatAlong, sum } from './reduce.ts';

export const largestOperation: Operation<AxesAttributes> = {
  name: 'largest',
  infer: ([x], { shape }) => {
    requireType('largest', x as TensorType, 'x', 'float32');
    return { shape, dtype: 'float32' };
  },
  variants: reduceVariants(1),
  shapeClass: reduceClass,
  gradient: (y, dy) => {
    const x = y.inputs[0] as Node;
    const { axes } = y.attributes;
    const isLargest = equal(x, repeatAlong(y, x.shape, axes));
    const share = divide(isLargest, sum(isLargest, axes, { keepDims: true }));
    return [multiply(share, repeatAlong(dy, x.shape, axes))];
  },
};

/** max x over `axes`, every axis by default. @throws VitrineError `shape-mismatch` for an axis that x does not have */
export const largest = (x: Node, axes?: readonly number[], options: ReduceOptions = {}): Node =>
  apply(largestOperation, [x], reduceAttributes('largest', x, axes, options));
