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
import type { Operation, TensorType, Variant } from '../operation.ts';

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

const variant = (vectors: number): Variant<SgdAttributes> => ({
  name: `vec4x${vectors}`,
  dispatch: ({ inputs: [, blockGroups], attributes }) => {
    const blocks = (blockGroups as TensorType).shape[0] as number;
    return {
      kernel: update,
      constants: { vectors },
      parameters: {
        blocks,
        nesterov: attributes.nesterov ? 1 : 0,
        momentum: attributes.momentum,
      },
      workgroups: linearWorkgroups((16 * blocks) / vectors, 64),
    };
  },
});

export const sgdOperation: Operation<SgdAttributes> = {
  name: 'sgd',
  infer: ([, , , , parameters]) => parameters as TensorType,
  constant: true,
  writes: [4, 5],
  // Eight vec4 an invocation suit a processor; one, with neighbours side by side, a GPU with thousands of lanes (unmeasured).
  variants: [8, 1].map(variant),
};

/** inputs: gradients, blockGroups, groups, state, parameters, velocity */
export const sgdUpdate = (inputs: readonly Node[], attributes: SgdAttributes): Node => apply(sgdOperation, inputs, attributes);
