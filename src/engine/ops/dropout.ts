/**
 * Dropout: y = x / (1 − rate) where the element's random number is at least `rate`, else 0, so that the mean is kept.
 *
 * The number of element i is uniform(seed, stream, step, i) of random.ts, seed and step being those of the training state: the mask is a
 * function of its keys and is stored nowhere.
 *
 * **Shapes** x of any shape, state uint32 [32] → y, the shape of x.
 * **Gradient** dropout of dy with the same stream and rate, which draws the mask again.
 * **Error** the mask is exact; the product is correctly rounded.
 * **Source** Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout"; scaled in training ("inverted").
 */

import source from '../../shaders/dropout.wgsl?raw';
import random from '../../shaders/random.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { checkNumber, checkWhole } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, linearWorkgroups, type ParameterValues } from '../kernel.ts';
import { type Call, elements, type Operation, type TensorType } from '../operation.ts';
import { requireState } from '../rows.ts';

const whole = `${random}\n${training}\n${source}`;
const forward = kernel('dropout', whole, 'forward', ['x', 'state', 'y']);
const forwardVec4 = kernel('dropout', whole, 'forward_vec4', ['x4', 'state', 'y4']);

export interface DropoutAttributes {
  /** The probability that an element is dropped. */
  readonly rate: number;
  /** What tells one dropout from another: a number from `streamOf` of its layer's name. */
  readonly stream: number;
}

function parameters({ inputs: [x], attributes: { rate, stream } }: Call<DropoutAttributes>): ParameterValues {
  // At rate 1 everything is dropped, and nothing is scaled.
  const scale = rate < 1 ? 1 / (1 - rate) : 0;
  return { count: elements((x as TensorType).shape), stream, threshold: Math.ceil(rate * 2 ** 24), scale };
}

export const dropoutOperation: Operation<DropoutAttributes> = {
  name: 'dropout',
  infer: ([x, state]) => {
    requireType('dropout', x as TensorType, 'x', 'float32');
    requireState('dropout', state as TensorType);
    return { shape: (x as TensorType).shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'vec4',
      supports: ({ inputs: [x] }) => ((x as TensorType).shape.at(-1) ?? 1) % 4 === 0,
      dispatch: (call) => ({
        kernel: forwardVec4,
        parameters: parameters(call),
        workgroups: linearWorkgroups(elements((call.inputs[0] as TensorType).shape) / 4, 64),
      }),
    },
    {
      name: 'scalar',
      dispatch: (call) => ({
        kernel: forward,
        parameters: parameters(call),
        workgroups: linearWorkgroups(elements((call.inputs[0] as TensorType).shape), 64),
      }),
    },
  ],
  gradient: ({ inputs: [, state], attributes }, dy) => [dropout(dy, state as Node, attributes), undefined],
};

/**
 * Drops each element of x with probability `rate` and scales the rest by 1 / (1 − rate).
 *
 * @param state uint32 [32], the training state, of which seed and step are keys
 * @throws VitrineError `invalid-option` for a rate outside [0, 1] or a stream that is no uint32; `shape-mismatch`, `dtype-mismatch`
 */
export function dropout(x: Node, state: Node, { rate, stream }: DropoutAttributes): Node {
  checkNumber('rate', rate, 0, 1);
  checkWhole('stream', stream, 0, 2 ** 32 - 1);
  return apply(dropoutOperation, [x, state], { rate, stream });
}
