/**
 * Counts, after each training step, for how many batches in a row each unit of a layer gave 0 for every row, and halts training where a count
 * reaches `window`.
 *
 * **Shapes** values [batch, ..., units]; ring, state of the trainer; verdict [4] and quiet [units of all layers], uint32. quiet is changed by
 * countQuiet; state, ring and verdict by judgeQuiet.
 * **Gradient** none: this only looks. **Error** exact.
 * **Source** Lu, Shin, Su, Karniadakis 2019, "Dying ReLU and initialization: theory and numerical examples".
 */

import { apply, type Node } from '../../engine/graph.ts';
import { kernel } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import source from '../../shaders/dead-units.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';

const code = `${training}\n${source}`;
const countKernel = kernel('dead-units', code, 'count', ['values', 'ring_in', 'state_in', 'verdict_in', 'quiet']);
const judgeKernel = kernel('dead-units', code, 'judge', ['quiet_in', 'state', 'ring', 'verdict']);
const LANES = 64;

interface CountAttributes {
  /** The layer's first unit among all. */
  readonly first: number;
}

export const countQuietOperation: Operation<CountAttributes> = {
  name: 'countQuiet',
  infer: ([, , , , quiet]) => quiet as TensorType,
  constant: true,
  writes: [4],
  variants: [
    {
      name: 'units',
      dispatch: ({ inputs: [values], attributes: { first } }) => {
        const { shape } = values as TensorType;
        const units = shape.at(-1) as number;
        return {
          kernel: countKernel,
          parameters: { units, first, places: elements(shape.slice(1, -1)), window: 0, reason: 0 },
          workgroups: [Math.ceil(units / LANES), 1, 1],
        };
      },
    },
  ],
};

export const countQuiet = (values: Node, ring: Node, state: Node, verdict: Node, quiet: Node, attributes: CountAttributes): Node =>
  apply(countQuietOperation, [values, ring, state, verdict, quiet], attributes);

interface JudgeAttributes {
  readonly window: number;
  /** What `halted` becomes. */
  readonly reason: number;
}

export const judgeQuietOperation: Operation<JudgeAttributes> = {
  name: 'judgeQuiet',
  infer: ([, state]) => state as TensorType,
  constant: true,
  writes: [1, 2, 3],
  variants: [
    {
      name: 'single',
      dispatch: ({ inputs: [quiet], attributes }) => ({
        kernel: judgeKernel,
        parameters: { units: elements((quiet as TensorType).shape), first: 0, places: 1, ...attributes },
        workgroups: [1, 1, 1],
      }),
    },
  ],
};

export const judgeQuiet = (quiet: Node, state: Node, ring: Node, verdict: Node, attributes: JudgeAttributes): Node =>
  apply(judgeQuietOperation, [quiet, state, ring, verdict], attributes);
