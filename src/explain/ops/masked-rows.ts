/**
 * Masked copies of examples: y[e, s] = base[e] + m[s] ⊙ (x[e] − base[e]), an element's mask being its group's.
 *
 * **Shapes** x and base [examples, ...], mask [samples, maskWidth(groups)] (column 1 + g is group g's), groupOf uint32 [elements of an example] → y
 * [examples · samples, ...], an example's copies neighbours.
 * **Gradient** none. **Error** exact where the mask is 0 or 1, else one rounding of the product and one of the sum.
 * **Source** Lundberg, Lee 2017, "A unified approach to interpreting model predictions", section 2 (h_x(z′)).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/masked-rows.wgsl?raw';

export const maskedRowsOperation: Operation<object> = {
  name: 'maskedRows',
  infer: (inputs) => {
    const [x, base, mask, groupOf] = inputs as [TensorType, TensorType, TensorType, TensorType];
    for (const [input, called] of [
      [x, 'x'],
      [base, 'base'],
      [mask, 'mask'],
    ] as const) {
      requireType('maskedRows', input, called, 'float32');
    }
    requireType('maskedRows', groupOf, 'groupOf', 'uint32');
    requireShape('maskedRows', base, 'base', x.shape, 'the shape of x');
    requireShape('maskedRows', mask, 'mask', [mask.shape[0] ?? 1, mask.shape[1] ?? 1], 'two axes');
    requireShape('maskedRows', groupOf, 'groupOf', [rowElements(x.shape)], 'a group for each element');
    const [examples = 1, ...rest] = x.shape;
    return { shape: [examples * (mask.shape[0] as number), ...rest], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [x, , mask], outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        const [samples, width] = (mask as TensorType).shape as [number, number];
        return {
          kernel: kernel('masked-rows', source, 'forward', ['x', 'base', 'mask', 'group_of', 'y']),
          parameters: { count, inputs: rowElements((x as TensorType).shape), samples, width },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** A masked copy of each example for each mask. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const maskedRows = (x: Node, base: Node, mask: Node, groupOf: Node): Node =>
  apply(maskedRowsOperation, [x, base, mask, groupOf], {});
