/**
 * Adam and AdamW: one dispatch over the flat buffers of all parameters.
 *
 * **Shapes** gradients, parameters, m, v [n] with n a multiple of 64; blockGroups uint32 [n / 64]; groups [g, 4]; state [32].
 * Parameters and moments are changed in place.
 * **Gradient** none. **Error** a few ulp of the step; the bias corrections are carried, not powered (1 − pow(0.999, 1) is 5e-5 off).
 * **Source** Kingma, Ba 2015, algorithm 1; Loshchilov, Hutter 2019, algorithm 2; √v̂ + ε as in PyTorch.
 */

import source from '../../shaders/adam.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { apply, type Node } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import type { Operation, TensorType, Variant } from '../operation.ts';

export interface AdamAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** AdamW: the decay acts on the parameter itself. */
  readonly decoupled: boolean;
}

const update = kernel('adam', `${training}\n${source}`, 'update', ['gradients', 'block_groups', 'groups', 'state', 'parameters', 'm', 'v']);

const variant = (vectors: number): Variant<AdamAttributes> => ({
  name: `vec4x${vectors}`,
  dispatch: ({ inputs: [, blockGroups], attributes }) => {
    const blocks = (blockGroups as TensorType).shape[0] as number;
    return {
      kernel: update,
      constants: { vectors },
      parameters: {
        blocks,
        decoupled: attributes.decoupled ? 1 : 0,
        beta_1: attributes.beta1,
        beta_2: attributes.beta2,
        epsilon: attributes.epsilon,
      },
      workgroups: linearWorkgroups((16 * blocks) / vectors, 64),
    };
  },
});

export const adamOperation: Operation<AdamAttributes> = {
  name: 'adam',
  infer: ([, , , , parameters]) => parameters as TensorType,
  constant: true,
  writes: [4, 5, 6],
  // Eight vec4 an invocation suit a processor; one, with neighbours side by side, a GPU with thousands of lanes (unmeasured).
  variants: [8, 1].map(variant),
};

/** inputs: gradients, blockGroups, groups, state, parameters, m, v */
export const adamUpdate = (inputs: readonly Node[], attributes: AdamAttributes): Node => apply(adamOperation, inputs, attributes);
