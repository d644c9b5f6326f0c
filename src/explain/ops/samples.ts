/**
 * Sums over the samples of each example, in the order of their numbers and on top of what earlier runs have summed, so a result does not
 * depend on how many samples a run takes, to the bit.
 *
 *     weightedSum  before + Σ_s weight_s x_s        runningMean  Welford's mean        runningM2  Σ (x_s − mean)², Welford's
 *
 * **Shapes** x [examples · samples, ...], weight [samples] or draw uint32 [3] (seed, number of the first sample, how many count), before
 * [examples, ...] → y [examples, ...]
 * **Gradient** none. **Error** weightedSum that of a sum of n terms in float32; Welford's updates about ε·√n of the deviation.
 * **Source** Welford 1962, "Note on a method for calculating corrected sums of squares and products".
 */

import { shapeMismatch, show } from '../../engine/errors.ts';
import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/samples.wgsl?raw';

function sampleOperation(name: string, of: Kernel, second: 'weight' | 'draw', carried: readonly string[]): Operation<object> {
  return {
    name,
    infer: (inputs) => {
      const [x, by, before] = inputs as [TensorType, TensorType, TensorType];
      requireType(name, x, 'x', 'float32');
      requireType(name, by, second, second === 'draw' ? 'uint32' : 'float32');
      carried.forEach((called, i) => {
        requireType(name, inputs[2 + i] as TensorType, called, 'float32');
        requireShape(name, inputs[2 + i] as TensorType, called, before.shape, `the shape of ${carried[0]}`);
      });
      const [rows = 0, ...rest] = x.shape;
      const [examples = 1, ...own] = before.shape;
      if (show(rest) !== show(own) || rows % examples !== 0 || (second === 'weight' && by.shape[0] !== rows / examples)) {
        throw shapeMismatch(
          `${name}: x is ${show(x.shape)}, ${second} ${show(by.shape)} and ${carried[0]} ${show(before.shape)}; they must be [examples · samples, ...], [samples] and [examples, ...].`,
          'give each example the same number of samples, and each sample one weight.',
          { x: x.shape, by: by.shape, before: before.shape },
        );
      }
      return { shape: before.shape, dtype: 'float32' };
    },
    variants: [
      {
        name: 'scalar',
        dispatch: ({ inputs: [x, , before], outputs: [y] }) => {
          const count = elements((y as TensorType).shape);
          const samples = ((x as TensorType).shape[0] as number) / ((before as TensorType).shape[0] as number);
          const width = rowElements((before as TensorType).shape);
          return { kernel: of, parameters: { count, width, samples }, workgroups: linearWorkgroups(count, 64) };
        },
      },
    ],
    constant: true,
  };
}

const entry = (name: string, bindings: readonly string[]): Kernel => kernel('samples', source, name, bindings);

export const weightedSumOperation: Operation<object> = sampleOperation(
  'weightedSum',
  entry('weighted_sum', ['x', 'weight', 'before', 'y']),
  'weight',
  ['before'],
);
export const runningMeanOperation: Operation<object> = sampleOperation(
  'runningMean',
  entry('running_mean', ['x', 'draw', 'before', 'y']),
  'draw',
  ['before'],
);
export const runningM2Operation: Operation<object> = sampleOperation(
  'runningM2',
  entry('running_m2', ['x', 'draw', 'before', 'm2_before', 'y']),
  'draw',
  ['before', 'm2Before'],
);

/** before + Σ_s weight_s x_s. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const weightedSum = (x: Node, weight: Node, before: Node): Node => apply(weightedSumOperation, [x, weight, before], {});

/** The mean of the samples so far. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const runningMean = (x: Node, draw: Node, before: Node): Node => apply(runningMeanOperation, [x, draw, before], {});

/** The sum of squared differences from the mean so far. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const runningM2 = (x: Node, draw: Node, mean: Node, m2: Node): Node => apply(runningM2Operation, [x, draw, mean, m2], {});
