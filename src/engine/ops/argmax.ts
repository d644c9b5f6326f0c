/**
 * Argmax over the last axis: the index of the largest element, the lowest where several are largest.
 *
 * **Shapes** x [..., columns] → [...], uint32; any rank from 1.
 * **Gradient** none.
 * **Error** exact.
 */

import source from '../../shaders/argmax.wgsl?raw';
import { apply, type Node, requireType } from '../graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../kernel.ts';
import type { Operation, TensorType, Variant } from '../operation.ts';
import { callRows, requireRows, rowClass } from '../rows.ts';

function variant(name: string, of: Kernel, rowsPerGroup: number, supports: (columns: number) => boolean): Variant<object> {
  return {
    name,
    supports: (call) => supports(callRows(call).columns),
    dispatch: (call) => {
      const { rows, columns } = callRows(call);
      return { kernel: of, parameters: { rows, columns }, workgroups: linearWorkgroups(rows, rowsPerGroup) };
    },
  };
}

export const argmaxOperation: Operation<object> = {
  name: 'argmax',
  infer: ([x]) => {
    requireType('argmax', x as TensorType, 'x', 'float32');
    requireRows('argmax', x as TensorType, 'x');
    return { shape: (x as TensorType).shape.slice(0, -1), dtype: 'uint32' };
  },
  variants: [
    variant('vec4', kernel('argmax', source, 'forward_vec4', ['x4', 'index']), 32, (columns) => columns % 4 === 0),
    variant('scalar', kernel('argmax', source, 'forward', ['x', 'index']), 32, () => true),
    variant('workgroup', kernel('argmax', source, 'forward_workgroup', ['x', 'index']), 1, () => true),
  ],
  shapeClass: rowClass,
  constant: true,
};

/** The column of the largest element of each row, the lowest where several are largest. @throws VitrineError `shape-mismatch` for a scalar */
export const argmax = (x: Node): Node => apply(argmaxOperation, [x], {});
