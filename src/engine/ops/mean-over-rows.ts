/**
 * Mean over the rows in use: y = Σ values[row] / rows in use, over the rows below `rows` of the training state. A plan has a capacity in rows;
 * how many of them hold an example is state on the GPU, so one plan serves the last, partial batch.
 *
 * **Shapes** values [rows], state uint32 [32] → y []. With no row in use y is 0.
 * **Gradient** dvalues[row] = dy / rows in use below state.rows, 0 beyond, by meanOverRowsBackward, whose gradient is meanOverRows.
 * **Error** 1e-5 relative to the largest value: a sum of at most some thousand terms in a fixed order.
 */

import source from '../../shaders/mean-over-rows.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import library from '../../shaders/workgroup-rows.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../kernel.ts';
import { elements, type Operation, type TensorType, type Variant } from '../operation.ts';
import { requireShape, requireState } from '../rows.ts';

const whole = `${training}\n${library}\n${source}`;
const forward = kernel('mean-over-rows', whole, 'forward', ['values', 'state', 'y']);
const forwardWorkgroup = kernel('mean-over-rows', whole, 'forward_workgroup', ['values', 'state', 'y']);
const backwardValues = kernel('mean-over-rows', whole, 'backward_values', ['dy', 'state', 'd_values']);

const forwardVariant = (name: string, of: Kernel): Variant<object> => ({
  name,
  dispatch: ({ inputs: [values] }) => ({ kernel: of, parameters: { rows: elements((values as TensorType).shape) }, workgroups: [1, 1, 1] }),
});

export const meanOverRowsOperation: Operation<object> = {
  name: 'meanOverRows',
  infer: ([values, state]) => {
    const { shape } = values as TensorType;
    requireType('meanOverRows', values as TensorType, 'values', 'float32');
    if (shape.length !== 1) {
      throw shapeMismatch(`meanOverRows: values are ${show(shape)}; they must be [rows].`, 'reduce every row to one value first.', {
        actual: shape,
      });
    }
    requireState('meanOverRows', state as TensorType);
    return { shape: [], dtype: 'float32' };
  },
  variants: [forwardVariant('scalar', forward), forwardVariant('workgroup', forwardWorkgroup)],
  gradient: ({ inputs }, dy) => {
    const [values, state] = inputs as [Node, Node];
    return [meanOverRowsBackward(dy, state, values.shape[0] as number), undefined];
  },
};

export interface MeanOverRowsBackwardAttributes {
  /** Rows of the output. */
  readonly rows: number;
}

/** dvalues [rows] from dy [] and state uint32 [32]: dy / rows in use below state.rows, 0 beyond. */
export const meanOverRowsBackwardOperation: Operation<MeanOverRowsBackwardAttributes> = {
  name: 'meanOverRowsBackward',
  infer: ([dy, state], { rows }) => {
    requireType('meanOverRowsBackward', dy as TensorType, 'dy', 'float32');
    requireShape('meanOverRowsBackward', dy as TensorType, 'dy', [], 'a scalar');
    requireState('meanOverRowsBackward', state as TensorType);
    return { shape: [rows], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ attributes: { rows } }) => ({ kernel: backwardValues, parameters: { rows }, workgroups: linearWorkgroups(rows, 64) }),
    },
  ],
  gradient: ({ inputs }, dValues) => [meanOverRows(dValues, inputs[1] as Node), undefined],
};

/** Mean of values [rows] over the rows in use, those below state.rows. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const meanOverRows = (values: Node, state: Node): Node => apply(meanOverRowsOperation, [values, state], {});

/** The gradient of meanOverRows with respect to its values: dy / rows in use below state.rows, 0 beyond. */
export const meanOverRowsBackward = (dy: Node, state: Node, rows: number): Node =>
  apply(meanOverRowsBackwardOperation, [dy, state], { rows });
