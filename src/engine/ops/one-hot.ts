/**
 * One-hot: y[..., k] = 1 where k is the label, else 0.
 *
 * **Shapes** labels uint32 [...] → y float32 [..., classes]; a label that names no class (≥ classes) gives a row of zeros.
 * **Gradient** none. **Error** exact.
 */

import source from '../../shaders/one-hot.wgsl?raw';
import { checkWhole } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { elements, type Operation, type TensorType } from '../operation.ts';

const forward = kernel('one-hot', source, 'forward', ['labels', 'y']);

export interface OneHotAttributes {
  readonly classes: number;
}

export const oneHotOperation: Operation<OneHotAttributes> = {
  name: 'oneHot',
  infer: ([labels], { classes }) => {
    requireType('oneHot', labels as TensorType, 'labels', 'uint32');
    return { shape: [...(labels as TensorType).shape, classes], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ outputs: [y], attributes: { classes } }) => {
        const count = elements((y as TensorType).shape);
        return { kernel: forward, parameters: { classes, count }, workgroups: linearWorkgroups(count, 64) };
      },
    },
  ],
  constant: true,
};

/** Rows of `classes` elements, 1 at the label and 0 elsewhere; no gradient. @throws VitrineError `dtype-mismatch`, `invalid-option` */
export function oneHot(labels: Node, classes: number): Node {
  checkWhole('classes', classes, 1);
  return apply(oneHotOperation, [labels], { classes });
}
