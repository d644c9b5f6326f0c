/**
 * The hyperbolic tangent: y = tanh x.
 *
 * **Shapes** x of any shape → y, the same.
 * **Gradient** dx = dy (1 − y²), by tanhBackward; twice differentiable.
 * **Error** 5e-7, relative, also near 0.
 * **Source** Moshier 1992, Cephes mathematical library, tanhf.c.
 */

import source from '../../shaders/tanh.wgsl?raw';
import { elementwiseClass, elementwiseInfer, elementwiseVariants } from '../elementwise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { multiply, subtract } from './arithmetic.ts';
import { square } from './elementary.ts';
import { constant } from './fill.ts';

export const tanhOperation: Operation<object> = {
  name: 'tanh',
  infer: elementwiseInfer('tanh', ['x']),
  variants: elementwiseVariants('tanh', source, 'forward', ['x', 'y']),
  shapeClass: elementwiseClass,
  gradient: (y, dy) => [tanhBackward(y, dy)],
};

/** dx = dy (1 − y²), from the output y. */
export const tanhBackwardOperation: Operation<object> = {
  name: 'tanhBackward',
  infer: elementwiseInfer('tanhBackward', ['y', 'dy']),
  variants: elementwiseVariants('tanh', source, 'backward_x', ['out', 'dy', 'dx']),
  shapeClass: elementwiseClass,
  decompose: ({ graph, inputs }) => {
    const [y, dy] = inputs as [Node, Node];
    return multiply(dy, subtract(constant(graph, 1), square(y)));
  },
};

/** tanh x */
export const tanh = (x: Node): Node => apply(tanhOperation, [x], {});

/** The gradient of tanh with respect to its input, from its output. @throws VitrineError `shape-mismatch` */
export const tanhBackward = (y: Node, dy: Node): Node => apply(tanhBackwardOperation, [y, dy], {});
