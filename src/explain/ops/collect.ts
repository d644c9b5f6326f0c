/**
 * Puts the numbers of one run's samples in their places among those of all: y[e] = before[e] with x[e] from position at[0] on.
 *
 * **Shapes** x [examples · samples], before [examples, total], at uint32 [2] (number of the first sample, how many count) → y [examples, total]
 * **Gradient** none. **Error** exact.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/collect.wgsl?raw';

export const collectOperation: Operation<object> = {
  name: 'collect',
  infer: (inputs) => {
    const [x, before, at] = inputs as [TensorType, TensorType, TensorType];
    requireType('collect', x, 'x', 'float32');
    requireType('collect', before, 'before', 'float32');
    requireType('collect', at, 'at', 'uint32');
    const [examples = 1, total = 1] = before.shape;
    requireShape('collect', before, 'before', [examples, total], 'two axes');
    requireShape('collect', x, 'x', [examples * Math.ceil((x.shape[0] ?? 1) / examples)], 'as many samples for each example');
    requireShape('collect', at, 'at', [2], 'first sample and count');
    return { shape: before.shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [x], outputs: [y] }) => {
        const [examples, total] = (y as TensorType).shape as [number, number];
        return {
          kernel: kernel('collect', source, 'forward', ['x', 'before', 'at', 'y']),
          parameters: { count: examples * total, total, width: elements((x as TensorType).shape) / examples },
          workgroups: linearWorkgroups(examples * total, 64),
        };
      },
    },
  ],
  constant: true,
};

/** The numbers of all samples so far, [examples, total]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const collect = (x: Node, before: Node, at: Node): Node => apply(collectOperation, [x, before, at], {});
