/**
 * The global norm of all gradients, ‖g‖ = √Σ g², and the factor that clips it.
 *
 * **Shapes** gradients [n], n a multiple of 64 → partial sums [parts]; these and state [32] → state, changed in place.
 * **Gradient** none. **Error** of a long sum; partial sums are added in a fixed order.
 * **Source** Pascanu, Mikolov, Bengio 2013, algorithm 1.
 */

import source from '../../shaders/gradient-norm.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { apply, type Node } from '../graph.ts';
import { kernel } from '../kernel.ts';
import { elements, type Operation, type TensorType } from '../operation.ts';

const code = `${training}\n${source}`;
const squares = kernel('gradient-norm', code, 'squares', ['gradients', 'partial']);
const finish = kernel('gradient-norm', code, 'finish', ['partials', 'state']);
const PARTS = 256;

export const gradientSquaresOperation: Operation<object> = {
  name: 'gradientSquares',
  infer: () => ({ shape: [PARTS], dtype: 'float32' }),
  constant: true,
  variants: [
    {
      name: 'strided',
      dispatch: ({ inputs: [gradients] }) => ({
        kernel: squares,
        parameters: { count: elements((gradients as TensorType).shape) / 4, parts: PARTS, most: 0 },
        workgroups: [PARTS / 64, 1, 1],
      }),
    },
  ],
};

export const clipOperation: Operation<{ readonly most: number }> = {
  name: 'clip',
  infer: ([, state]) => state as TensorType,
  constant: true,
  writes: [1],
  variants: [
    {
      name: 'single',
      dispatch: ({ attributes }) => ({
        kernel: finish,
        parameters: { count: 0, parts: PARTS, most: attributes.most },
        workgroups: [1, 1, 1],
      }),
    },
  ],
};

/** Measures the global norm of the gradients and leaves it, and the clip factor, in the state. */
export const clipByGlobalNorm = (gradients: Node, state: Node, most: number): Node =>
  apply(clipOperation, [apply(gradientSquaresOperation, [gradients], {}), state], { most });
