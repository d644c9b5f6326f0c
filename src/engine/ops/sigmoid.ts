/**
 * The logistic sigmoid: y = 1 / (1 + e⁻ˣ).
 *
 * **Shapes** x of any shape → y, the same.
 * **Gradient** dx = dy y (1 − y), by sigmoidBackward; twice differentiable.
 * **Error** (7 + 2 |x|) ulp, relative, down to the smallest float32.
 * **Source** Bishop 2006, "Pattern Recognition and Machine Learning", (4.59) and (4.88).
 */

import source from '../../shaders/sigmoid.wgsl?raw';
import { elementwiseClass, elementwiseInfer, elementwiseVariants } from '../elementwise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { multiply, subtract } from './arithmetic.ts';
import { square } from './elementary.ts';

export const sigmoidOperation: Operation<object> = {
  name: 'sigmoid',
  infer: elementwiseInfer('sigmoid', ['x']),
  variants: elementwiseVariants('sigmoid', source, 'forward', ['x', 'y']),
  shapeClass: elementwiseClass,
  gradient: (y, dy) => [sigmoidBackward(y, dy)],
};

/** dx = dy y (1 − y), from the output y. */
export const sigmoidBackwardOperation: Operation<object> = {
  name: 'sigmoidBackward',
  infer: elementwiseInfer('sigmoidBackward', ['y', 'dy']),
  variants: elementwiseVariants('sigmoid', source, 'backward_x', ['out', 'dy', 'dx']),
  shapeClass: elementwiseClass,
  decompose: ({ inputs }) => {
    const [y, dy] = inputs as [Node, Node];
    return multiply(dy, subtract(y, square(y)));
  },
};

/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: Node): Node => apply(sigmoidOperation, [x], {});

/** The gradient of the sigmoid with respect to its input, from its output. @throws VitrineError `shape-mismatch` */
export const sigmoidBackward = (y: Node, dy: Node): Node => apply(sigmoidBackwardOperation, [y, dy], {});
