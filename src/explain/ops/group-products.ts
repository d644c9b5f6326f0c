/**
 * What each group of elements adds to a first affine map: D[e, g] = Σ_{i in g} direction[e, i] · W[i].
 *
 *     groupProducts  y[e] = (base[e], D[e, 0], D[e, 1], …, zeros): the row (1, m) times y[e] is base + Σ m_g D_g, a masked input behind the map
 *     withoutGroups  y[e, g] = base[e] − D[e, g]: the input with one group taken away; groups may overlap
 *
 * **Shapes** direction [examples, inputs], W [inputs, units], base [examples, units], start uint32 [groups + 1], members uint32 [n] (the
 * elements of a group are members[start[g]] … members[start[g + 1] − 1]) → y [examples, maskWidth(groups), units] or [examples, groups, units]
 * **Gradient** none: masks are where an explanation looks, not a part of the network.
 * **Error** as matmul, of a sum over the group's elements.
 * **Source** linearity of x W; notes on masked rows in masked.ts.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/group-products.wgsl?raw';
import { maskWidth } from './mask-bits.ts';

function productsOperation(name: string, of: Kernel, widthOf: (groups: number) => number): Operation<object> {
  return {
    name,
    infer: (inputs) => {
      const [direction, weight, base, start, members] = inputs as [TensorType, TensorType, TensorType, TensorType, TensorType];
      for (const [input, called] of [
        [direction, 'direction'],
        [weight, 'weight'],
        [base, 'base'],
      ] as const) {
        requireType(name, input, called, 'float32');
      }
      requireType(name, start, 'start', 'uint32');
      requireType(name, members, 'members', 'uint32');
      const examples = direction.shape[0] ?? 1;
      const [features = 1, units = 1] = weight.shape;
      requireShape(name, weight, 'weight', [features, units], 'two axes');
      requireShape(name, direction, 'direction', [examples, features], 'an element for each row of weight');
      requireShape(name, base, 'base', [examples, units], 'an example for each row, an element for each column of weight');
      requireShape(name, start, 'start', [start.shape[0] ?? 1], 'one axis');
      requireShape(name, members, 'members', [members.shape[0] ?? 1], 'one axis');
      return { shape: [examples, widthOf((start.shape[0] as number) - 1), units], dtype: 'float32' };
    },
    variants: [
      {
        name: 'scalar',
        dispatch: ({ inputs: [, weight, , start], outputs: [y] }) => {
          const { shape } = y as TensorType;
          const count = elements(shape);
          const [inputs, units] = (weight as TensorType).shape as [number, number];
          const groups = ((start as TensorType).shape[0] as number) - 1;
          return {
            kernel: of,
            parameters: { count, units, inputs, groups, width: shape[1] as number },
            workgroups: linearWorkgroups(count, 64),
          };
        },
      },
    ],
    constant: true,
  };
}

const entry = (name: string): Kernel => kernel('group-products', source, name, ['direction', 'weight', 'base', 'start', 'members', 'y']);

export const groupProductsOperation: Operation<object> = productsOperation('groupProducts', entry('rows'), maskWidth);
export const withoutGroupsOperation: Operation<object> = productsOperation('withoutGroups', entry('without'), (groups) => groups);

/** The rows that a row (1, m) is multiplied with, [examples, maskWidth(groups), units]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const groupProducts = (direction: Node, weight: Node, base: Node, start: Node, members: Node): Node =>
  apply(groupProductsOperation, [direction, weight, base, start, members], {});

/** base less one group's product, for each group, [examples, groups, units]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const withoutGroups = (direction: Node, weight: Node, base: Node, start: Node, members: Node): Node =>
  apply(withoutGroupsOperation, [direction, weight, base, start, members], {});
