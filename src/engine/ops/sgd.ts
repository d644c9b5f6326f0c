/**
 * Stochastic gradient descent with momentum: one dispatch over the flat buffers of all parameters.
 *
 * **Shapes** gradients, parameters, velocity [n] with n a multiple of 64; blockGroups uint32 [n / 64]; groups [g, 4]; state [32].
 * Parameters and velocity are changed in place.
 * **Gradient** none. **Error** a few ulp of the step.
 * **Source** Polyak 1964; Sutskever et al. 2013; PyTorch's form, where the rate multiplies the velocity.
 */

import source from '../../shaders/sgd.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { apply, type Node } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import type { Operation, TensorType } from '../operation.ts';

export interface SgdAttributes {
  readonly momentum: number;
  readonly nesterov: boolean;
}

const update = kernel('sgd', `${training}\n${source}`, 'update', [
  'gradients',
  'block_groups',
  'groups',
  'state',
  'parameters',
  'velocity',
]);

export const sgdOperation: Operation<SgdAttributes> = {
  name: 'sgd',
  infer: ([, , , , parameters]) => parameters as TensorType,
  constant: true,
  writes: [4, 5],
  variants: [
    {
      name: 'vec4x8',
      dispatch: ({ inputs: [, blockGroups], attributes }) => {
        const blocks = (blockGroups as TensorType).shape[0] as number;
        return {
          kernel: update,
          parameters: { blocks, nesterov: attributes.nesterov ? 1 : 0, momentum: attributes.momentum },
          workgroups: linearWorkgroups(2 * blocks, 64),
        };
      },
    },
  ],
};

/** inputs: gradients, blockGroups, groups, state, parameters, velocity */
export const sgdUpdate = (inputs: readonly Node[], attributes: SgdAttributes): Node => apply(sgdOperation, inputs, attributes);
