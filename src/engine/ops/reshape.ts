/**
 * Reshape: the same elements in the same order under another shape. A view: no kernel runs and nothing is copied.
 *
 * **Shapes** any → any with as many elements. **Gradient** dx = dy in the shape of x. **Error** exact.
 */

import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node } from '../graph.ts';
import { elements, type Operation, sameShape, type TensorType } from '../operation.ts';

export interface ReshapeAttributes {
  readonly shape: readonly number[];
}

export const reshapeOperation: Operation<ReshapeAttributes> = {
  name: 'reshape',
  infer: ([x], { shape }) => {
    const { shape: before, dtype } = x as TensorType;
    if (elements(before) !== elements(shape)) {
      throw shapeMismatch(
        `reshape: x is ${show(before)}, ${elements(before)} elements; ${show(shape)} holds ${elements(shape)}.`,
        'give a shape whose axes multiply to the number of elements.',
        { before, shape },
      );
    }
    return { shape: [...shape], dtype };
  },
  variants: [],
  view: true,
  gradient: ({ inputs: [x] }, dy) => [reshape(dy, (x as Node).shape)],
};

/** The same elements under another shape; x itself where the shape is its own. @throws VitrineError `shape-mismatch` */
export const reshape = (x: Node, shape: readonly number[]): Node =>
  sameShape(x.shape, shape) ? x : apply(reshapeOperation, [x], { shape });
