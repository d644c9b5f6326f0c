/**
 * Noisy copies of examples: y[e, s] = x[e] + deviation[e] · n(seed, sample, element).
 *
 * **Shapes** x [examples, ...], deviation [examples], draw uint32 [3] (seed, number of the first sample, how many count) → y
 * [examples · samples, ...], an example's copies neighbours. A draw depends on neither the example nor the batch.
 * **Gradient** none. **Error** normal noise that of log and cos in WGSL, which asks no more of cos than 2⁻¹¹; uniform noise exact.
 * **Source** Smilkov et al. 2017, "SmoothGrad"; Box, Muller 1958; pcg4d (engine/random.ts).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/noisy-rows.wgsl?raw';
import random from '../../shaders/random.wgsl?raw';

export interface NoisyRowsAttributes {
  /** Copies of each example. */
  readonly samples: number;
  /** Which of the seed's streams is drawn from. */
  readonly stream: number;
  /** 'normal' of deviation 1, or 'uniform' in [−1, 1). */
  readonly noise: 'normal' | 'uniform';
}

export const noisyRowsOperation: Operation<NoisyRowsAttributes> = {
  name: 'noisyRows',
  infer: (inputs, { samples }) => {
    const [x, deviation, draw] = inputs as [TensorType, TensorType, TensorType];
    requireType('noisyRows', x, 'x', 'float32');
    requireType('noisyRows', deviation, 'deviation', 'float32');
    requireType('noisyRows', draw, 'draw', 'uint32');
    const [examples = 1, ...rest] = x.shape;
    requireShape('noisyRows', deviation, 'deviation', [examples], 'one an example');
    requireShape('noisyRows', draw, 'draw', [3], 'seed, first sample and count');
    return { shape: [examples * samples, ...rest], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [x], outputs: [y], attributes: { samples, stream, noise } }) => {
        const count = elements((y as TensorType).shape);
        const width = rowElements((x as TensorType).shape);
        return {
          kernel: kernel('noisy-rows', `${random}\n${source}`, 'forward', ['x', 'deviation', 'draw', 'y']),
          parameters: { count, width, samples, stream, uniform_noise: noise === 'uniform' ? 1 : 0 },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** `samples` noisy copies of each example. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const noisyRows = (x: Node, deviation: Node, draw: Node, attributes: NoisyRowsAttributes): Node =>
  apply(noisyRowsOperation, [x, deviation, draw], attributes);
