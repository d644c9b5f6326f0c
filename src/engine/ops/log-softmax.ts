/**
 * Log-softmax over the last axis: y = (x − max x) − log Σ exp(x − max x).
 *
 * **Shapes** x [..., columns] → y, the same; any rank from 1.
 * **Gradient** dx = dy − exp(y) Σ dy, by logSoftmaxBackward; twice differentiable up to rank 4.
 * **Error** 1e-5 relative to the largest |y|: the logarithm is of a sum that is at least 1.
 * **Source** Bridle 1990; Milakov, Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
 */

import source from '../../shaders/log-softmax.wgsl?raw';
import { apply, type Node, requireType } from '../graph.ts';
import type { Operation, TensorType } from '../operation.ts';
import { requireRows, requireShape, rowClass, rowVariants } from '../rows.ts';
import { multiply, subtract } from './arithmetic.ts';
import { exp } from './elementary.ts';
import { sum } from './reduce.ts';

export const logSoftmaxOperation: Operation<object> = {
  name: 'logSoftmax',
  infer: ([x]) => {
    requireType('logSoftmax', x as TensorType, 'x', 'float32');
    requireRows('logSoftmax', x as TensorType, 'x');
    return { shape: (x as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('log-softmax', source, 'forward', ['x', 'y']),
  shapeClass: rowClass,
  gradient: (y, dy) => [logSoftmaxBackward(y, dy)],
};

/** dx = dy − exp(y) Σ dy, from the log-softmax y [..., columns] and dy, of the same shape. */
export const logSoftmaxBackwardOperation: Operation<object> = {
  name: 'logSoftmaxBackward',
  infer: ([y, dy]) => {
    requireType('logSoftmaxBackward', y as TensorType, 'y', 'float32');
    requireType('logSoftmaxBackward', dy as TensorType, 'dy', 'float32');
    requireRows('logSoftmaxBackward', y as TensorType, 'y');
    requireShape('logSoftmaxBackward', dy as TensorType, 'dy', (y as TensorType).shape, 'the shape of y');
    return { shape: (y as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('log-softmax', source, 'backward_x', ['log_p', 'dy', 'dx']),
  shapeClass: rowClass,
  decompose: ({ inputs }) => {
    const [y, dy] = inputs as [Node, Node];
    return subtract(dy, multiply(exp(y), sum(dy, [y.shape.length - 1], { keepDims: true })));
  },
};

/** Log-softmax over the last axis: y = x − log Σ exp(x). @throws VitrineError `shape-mismatch` for a scalar */
export const logSoftmax = (x: Node): Node => apply(logSoftmaxOperation, [x], {});

/** The gradient of log-softmax with respect to its input, from its output: dy − exp(y) Σ dy. */
export const logSoftmaxBackward = (y: Node, dy: Node): Node => apply(logSoftmaxBackwardOperation, [y, dy], {});
