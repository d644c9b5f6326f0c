/**
 * ReLU, the rectified linear unit: y = max(0, x).
 *
 * **Shapes** x of any shape → y, the same.
 * **Gradient** dx = dy where y > 0, else 0 (also at 0, as in PyTorch), by reluBackward; twice differentiable.
 * **Error** exact.
 * **Source** Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
 */

import source from '../../shaders/relu.wgsl?raw';
import { elementwiseClass, elementwiseInfer, elementwiseVariants } from '../elementwise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';

export const reluOperation: Operation<object> = {
  name: 'relu',
  infer: elementwiseInfer('relu', ['x']),
  variants: elementwiseVariants('relu', source, 'forward', ['x', 'y']),
  shapeClass: elementwiseClass,
  gradient: (y, dy) => [reluBackward(y, dy)],
};

/** dx = dy where y > 0, else 0: linear in dy and flat in y. */
export const reluBackwardOperation: Operation<object> = {
  name: 'reluBackward',
  infer: elementwiseInfer('reluBackward', ['y', 'dy']),
  variants: elementwiseVariants('relu', source, 'backward_x', ['out', 'dy', 'dx']),
  shapeClass: elementwiseClass,
  gradient: ({ inputs: [y] }, ddx) => [undefined, reluBackward(y as Node, ddx)],
};

/** max(0, x) */
export const relu = (x: Node): Node => apply(reluOperation, [x], {});

/** The gradient of ReLU with respect to its input, from its output. @throws VitrineError `shape-mismatch` */
export const reluBackward = (y: Node, dy: Node): Node => apply(reluBackwardOperation, [y, dy], {});
