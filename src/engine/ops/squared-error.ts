/**
 * Squared error of each row: loss = mean over the row of (output − target)².
 *
 * **Shapes** output and target [rows, ...] → loss [rows].
 * **Gradient** doutput = 2 / columns · (output − target) · dloss, dtarget its negative, by squaredErrorBackward; twice differentiable up to
 * rank 4.
 * **Error** 1e-5 relative to the largest loss: a sum in float32 of squares, which do not cancel.
 * **Source** Legendre 1805; the mean over a row's elements, as in Keras and PyTorch.
 */

import source from '../../shaders/squared-error.wgsl?raw';
import library from '../../shaders/workgroup-rows.wgsl?raw';
import { apply, type Node, requireType } from '../graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type Operation, rowElements, type TensorType, type Variant } from '../operation.ts';
import { requireRows, requireShape } from '../rows.ts';
import { multiply, negate, scale, subtract } from './arithmetic.ts';
import { reshape } from './reshape.ts';

const whole = `${library}\n${source}`;
const forward = kernel('squared-error', whole, 'forward', ['output', 'wanted', 'loss']);
const forwardVec4 = kernel('squared-error', whole, 'forward_vec4', ['output4', 'wanted4', 'loss']);
const forwardWorkgroup = kernel('squared-error', whole, 'forward_workgroup', ['output', 'wanted', 'loss']);
const backwardOutput = kernel('squared-error', whole, 'backward_output', ['output', 'wanted', 'd_loss', 'd_output']);

/** Here a row is everything but the first axis. */
function sizes({ inputs }: Call): { rows: number; columns: number } {
  const { shape } = inputs[0] as TensorType;
  return { rows: shape[0] as number, columns: rowElements(shape) };
}

function requirePair(operation: string, inputs: readonly TensorType[]): readonly number[] {
  const [output, target] = inputs as [TensorType, TensorType];
  requireType(operation, output, 'output', 'float32');
  requireType(operation, target, 'target', 'float32');
  requireRows(operation, output, 'output');
  requireShape(operation, target, 'target', output.shape, 'the shape of the output');
  return output.shape;
}

const forwardVariant = (name: string, of: Kernel, rowsPerGroup: number, divisor: number): Variant<object> => ({
  name,
  supports: (call) => sizes(call).columns % divisor === 0,
  dispatch: (call) => ({ kernel: of, parameters: sizes(call), workgroups: linearWorkgroups(sizes(call).rows, rowsPerGroup) }),
});

export const squaredErrorOperation: Operation<object> = {
  name: 'squaredError',
  infer: (inputs) => ({ shape: requirePair('squaredError', inputs).slice(0, 1), dtype: 'float32' }),
  variants: [
    forwardVariant('vec4', forwardVec4, 32, 4),
    forwardVariant('scalar', forward, 32, 1),
    forwardVariant('workgroup', forwardWorkgroup, 1, 1),
  ],
  gradient: ({ inputs }, dLoss) => {
    const [output, target] = inputs as [Node, Node];
    const dOutput = squaredErrorBackward(output, target, dLoss);
    return [dOutput, negate(dOutput)];
  },
};

/** doutput = 2 / columns · (output − target) · dloss, from output and target [rows, ...] and dloss [rows]. */
export const squaredErrorBackwardOperation: Operation<object> = {
  name: 'squaredErrorBackward',
  infer: (inputs) => {
    const shape = requirePair('squaredErrorBackward', inputs);
    requireShape('squaredErrorBackward', inputs[2] as TensorType, 'dLoss', shape.slice(0, 1), 'one for each row of the output');
    return { shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: (call) => ({
        kernel: backwardOutput,
        parameters: sizes(call),
        workgroups: linearWorkgroups(elements((call.inputs[0] as TensorType).shape), 64),
      }),
    },
  ],
  decompose: ({ inputs }) => {
    const [output, target, dLoss] = inputs as [Node, Node, Node];
    const perRow = reshape(
      dLoss,
      output.shape.map((n, axis) => (axis === 0 ? n : 1)),
    );
    return multiply(scale(subtract(output, target), 2 / rowElements(output.shape)), perRow);
  },
};

/** Mean of (output − target)² over each row's elements. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const squaredError = (output: Node, target: Node): Node => apply(squaredErrorOperation, [output, target], {});

/** The gradient of squaredError with respect to its output: 2 / columns · (output − target) · dloss. */
export const squaredErrorBackward = (output: Node, target: Node, dLoss: Node): Node =>
  apply(squaredErrorBackwardOperation, [output, target, dLoss], {});
