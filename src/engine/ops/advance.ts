/**
 * Ends the backward pass of a training step: mean loss and accuracy, halt conditions, the ring entry, the learning rate and Adam's bias
 * corrections of the update that follows; moves the batch cursor.
 *
 * **Shapes** rowLoss, rowHit [batch], rates [n], state [32], ring [1 + size, 4] with a header of (steps done, halted); state and ring are changed in place.
 * **Gradient** none. **Error** the mean of at most a batch of losses, summed in order.
 */

import accumulateSource from '../../shaders/accumulate.wgsl?raw';
import advanceSource from '../../shaders/advance.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { apply, type Node } from '../graph.ts';
import { kernel } from '../kernel.ts';
import type { Operation, TensorType } from '../operation.ts';

export interface AdvanceAttributes {
  readonly beta1: number;
  readonly beta2: number;
}

const advanceKernel = kernel('advance', `${training}\n${advanceSource}`, 'advance', ['row_loss', 'row_hit', 'rates', 'state', 'ring']);
const accumulateKernel = kernel('accumulate', `${training}\n${accumulateSource}`, 'accumulate', ['row_loss', 'row_hit', 'state', 'totals']);

export const advanceOperation: Operation<AdvanceAttributes> = {
  name: 'advance',
  infer: ([, , , state]) => state as TensorType,
  constant: true,
  writes: [3, 4],
  variants: [
    {
      name: 'single',
      dispatch: ({ inputs: [, , rates, , ring], attributes }) => ({
        kernel: advanceKernel,
        parameters: {
          rate_count: (rates as TensorType).shape[0] as number,
          ring_size: ((ring as TensorType).shape[0] as number) - 1,
          beta_1: attributes.beta1,
          beta_2: attributes.beta2,
        },
        workgroups: [1, 1, 1],
      }),
    },
  ],
};

export const advance = (rowLoss: Node, rowHit: Node, rates: Node, state: Node, ring: Node, attributes: AdvanceAttributes): Node =>
  apply(advanceOperation, [rowLoss, rowHit, rates, state, ring], attributes);

/** Adds a batch to the totals [loss, hits, rows, –] of an evaluation and moves the cursor of its state. */
export const accumulateOperation: Operation<object> = {
  name: 'accumulate',
  infer: ([, , state]) => state as TensorType,
  constant: true,
  writes: [2, 3],
  variants: [{ name: 'single', dispatch: () => ({ kernel: accumulateKernel, parameters: {}, workgroups: [1, 1, 1] }) }],
};

export const accumulate = (rowLoss: Node, rowHit: Node, state: Node, totals: Node): Node =>
  apply(accumulateOperation, [rowLoss, rowHit, state, totals], {});
