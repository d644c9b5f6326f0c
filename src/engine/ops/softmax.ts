/**
 * Softmax over the last axis: y = exp(x − max x) / Σ exp(x − max x).
 *
 * **Shapes** x [..., columns] → y, the same; any rank from 1.
 * **Gradient** dx = y ⊙ (dy − Σ y ⊙ dy), by softmaxBackward; twice differentiable up to rank 4.
 * **Error** 1e-5: exp is good to 3 + 2|x| ulp, and the rounding of a sum of probabilities stays below its number of terms.
 * **Source** Bridle 1990; Milakov, Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
 */

import source from '../../shaders/softmax.wgsl?raw';
import { apply, type Node, requireType } from '../graph.ts';
import type { Operation, TensorType } from '../operation.ts';
import { requireRows, requireShape, rowClass, rowVariants } from '../rows.ts';
import { multiply, subtract } from './arithmetic.ts';
import { sum } from './reduce.ts';

export const softmaxOperation: Operation<object> = {
  name: 'softmax',
  infer: ([x]) => {
    requireType('softmax', x as TensorType, 'x', 'float32');
    requireRows('softmax', x as TensorType, 'x');
    return { shape: (x as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('softmax', source, 'forward', ['x', 'y']),
  shapeClass: rowClass,
  gradient: (y, dy) => [softmaxBackward(y, dy)],
};

/** dx = y ⊙ (dy − Σ y ⊙ dy), from the softmax y [..., columns] and dy, of the same shape. */
export const softmaxBackwardOperation: Operation<object> = {
  name: 'softmaxBackward',
  infer: ([y, dy]) => {
    requireType('softmaxBackward', y as TensorType, 'y', 'float32');
    requireType('softmaxBackward', dy as TensorType, 'dy', 'float32');
    requireRows('softmaxBackward', y as TensorType, 'y');
    requireShape('softmaxBackward', dy as TensorType, 'dy', (y as TensorType).shape, 'the shape of y');
    return { shape: (y as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('softmax', source, 'backward_x', ['p', 'dy', 'dx']),
  shapeClass: rowClass,
  decompose: ({ inputs }) => {
    const [y, dy] = inputs as [Node, Node];
    return multiply(y, subtract(dy, sum(multiply(y, dy), [y.shape.length - 1], { keepDims: true })));
  },
};

/** Softmax over the last axis: y = exp(x) / Σ exp(x). @throws VitrineError `shape-mismatch` for a scalar */
export const softmax = (x: Node): Node => apply(softmaxOperation, [x], {});

/** The gradient of softmax with respect to its input, from its output: y ⊙ (dy − Σ y ⊙ dy). */
export const softmaxBackward = (y: Node, dy: Node): Node => apply(softmaxBackwardOperation, [y, dy], {});
