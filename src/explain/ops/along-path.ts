/**
 * Points on straight lines: y[e, s] = base[e] + position[s] · direction[e].
 *
 * **Shapes** base and direction [examples, ...], position [positions] → y [examples · positions, ...], an example's points neighbours.
 * **Gradient** none: a path is where an explanation looks, not a part of the network.
 * **Error** one rounding of the product, one of the sum.
 * **Source** Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks", section 3 (the straight path).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { type Call, elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/along-path.wgsl?raw';

const dispatcher =
  (of: Kernel, perInvocation: number) =>
  ({ inputs: [base, , position], outputs: [y] }: Call) => {
    const count = elements((y as TensorType).shape);
    return {
      kernel: of,
      parameters: { count, width: rowElements((base as TensorType).shape), positions: (position as TensorType).shape[0] as number },
      workgroups: linearWorkgroups(count, 64 * perInvocation),
    };
  };

export const alongPathOperation: Operation<object> = {
  name: 'alongPath',
  infer: (inputs) => {
    const [base, direction, position] = inputs as [TensorType, TensorType, TensorType];
    inputs.forEach((input, i) => {
      requireType('alongPath', input, ['base', 'direction', 'position'][i] as string, 'float32');
    });
    requireShape('alongPath', direction, 'direction', base.shape, 'the shape of base');
    requireShape('alongPath', position, 'position', [position.shape[0] ?? 1], 'one axis');
    const [examples = 1, ...rest] = base.shape;
    return { shape: [examples * (position.shape[0] as number), ...rest], dtype: 'float32' };
  },
  variants: [
    {
      name: 'vec4',
      supports: ({ inputs: [base] }) => rowElements((base as TensorType).shape) % 4 === 0,
      dispatch: dispatcher(kernel('along-path', source, 'forward_vec4', ['base4', 'direction4', 'position', 'y4']), 4),
    },
    { name: 'scalar', dispatch: dispatcher(kernel('along-path', source, 'forward', ['base', 'direction', 'position', 'y']), 1) },
  ],
  shapeClass: ({ inputs: [base] }) => (rowElements((base as TensorType).shape) % 4 === 0 ? 'quads' : 'elements'),
  constant: true,
};

/** base + position · direction for every position, [examples · positions, ...]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const alongPath = (base: Node, direction: Node, position: Node): Node => apply(alongPathOperation, [base, direction, position], {});
