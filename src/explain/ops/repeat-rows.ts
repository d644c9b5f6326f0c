/**
 * Copies of examples: y[e · copies + c] = x[e].
 *
 * **Shapes** x [examples, ...] → y [examples · copies, ...], an example's copies neighbours; float32 or uint32.
 * **Gradient** none: copies are what an explanation looks at, not a part of the network.
 * **Error** exact.
 */

import { checkWhole } from '../../engine/errors.ts';
import { apply, type Node } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { type Call, elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import source from '../../shaders/repeat-rows.wgsl?raw';

export interface RepeatRowsAttributes {
  /** Of each example. */
  readonly copies: number;
}

const width = ({ inputs: [x] }: Call<RepeatRowsAttributes>): number => rowElements((x as TensorType).shape);

const dispatcher = (of: Kernel, perInvocation: number) => (call: Call<RepeatRowsAttributes>) => {
  const count = elements((call.outputs[0] as TensorType).shape);
  return {
    kernel: of,
    parameters: { count, width: width(call), copies: call.attributes.copies },
    workgroups: linearWorkgroups(count, 64 * perInvocation),
  };
};

export const repeatRowsOperation: Operation<RepeatRowsAttributes> = {
  name: 'repeatRows',
  infer: ([x], { copies }) => {
    const { shape, dtype } = x as TensorType;
    const [examples = 1, ...rest] = shape;
    return { shape: [examples * copies, ...rest], dtype };
  },
  variants: [
    {
      name: 'vec4',
      supports: (call) => width(call) % 4 === 0,
      dispatch: dispatcher(kernel('repeat-rows', source, 'forward_vec4', ['x4', 'y4']), 4),
    },
    { name: 'scalar', dispatch: dispatcher(kernel('repeat-rows', source, 'forward', ['x', 'y']), 1) },
  ],
  shapeClass: (call) => (width(call) % 4 === 0 ? 'quads' : 'elements'),
  constant: true,
};

/** Each example `copies` times, [examples · copies, ...]. @throws VitrineError `invalid-option` */
export function repeatRows(x: Node, copies: number): Node {
  checkWhole('copies', copies, 1);
  return apply(repeatRowsOperation, [x], { copies });
}
