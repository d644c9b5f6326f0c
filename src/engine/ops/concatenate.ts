/**
 * Concatenation along an axis, two tensors at a time: y = a, then b.
 *
 * **Shapes** a and b agree in every axis but the given one, in which y is as long as both; rank at most 4; float32 or uint32.
 * **Gradient** da and db are slices of dy. **Error** exact.
 */

import source from '../../shaders/concatenate.wgsl?raw';
import { checkWhole, internal, shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type Operation, sameShape, type TensorType } from '../operation.ts';
import { slice } from './slice.ts';

const forward = kernel('concatenate', source, 'forward', ['a', 'b', 'y']);
const forwardVec4 = kernel('concatenate', source, 'forward_vec4', ['a4', 'b4', 'y4']);

export interface ConcatenateAttributes {
  readonly axis: number;
}

function parameters({ inputs, outputs, attributes: { axis } }: Call<ConcatenateAttributes>) {
  const [aRow, bRow] = inputs.map(({ shape }) => elements(shape.slice(axis))) as [number, number];
  return { a_row: aRow, b_row: bRow, count: elements((outputs[0] as TensorType).shape) };
}

export const concatenateOperation: Operation<ConcatenateAttributes> = {
  name: 'concatenate',
  infer: (inputs, { axis }) => {
    const [a, b] = inputs as [TensorType, TensorType];
    requireType('concatenate', b, 'b', a.dtype);
    const others = inputs.map(({ shape }) => shape.toSpliced(axis, 1)) as [number[], number[]];
    const rank = a.shape.length;
    if (rank > 4 || axis >= rank || b.shape.length !== rank || !sameShape(...others)) {
      throw shapeMismatch(
        `concatenate: a is ${show(a.shape)} and b is ${show(b.shape)}; along axis ${axis} they cannot be joined.`,
        'give tensors of at most 4 axes that agree in every axis but the one they are joined along.',
        { a: a.shape, b: b.shape, axis },
      );
    }
    return { shape: a.shape.with(axis, (a.shape[axis] as number) + (b.shape[axis] as number)), dtype: a.dtype };
  },
  variants: [
    {
      name: 'vec4',
      supports: (call) => parameters(call).a_row % 4 === 0 && parameters(call).b_row % 4 === 0,
      dispatch: (call) => {
        const values = parameters(call);
        return { kernel: forwardVec4, parameters: values, workgroups: linearWorkgroups(values.count / 4, 64) };
      },
    },
    {
      name: 'scalar',
      dispatch: (call) => {
        const values = parameters(call);
        return { kernel: forward, parameters: values, workgroups: linearWorkgroups(values.count, 64) };
      },
    },
  ],
  gradient: ({ inputs: [a], shape, attributes: { axis } }, dy) => {
    const first = (a as Node).shape;
    const origin = shape.map(() => 0);
    return [slice(dy, { start: origin, end: first }), slice(dy, { start: origin.with(axis, first[axis] as number), end: shape })];
  },
};

/** Joins tensors along an axis, one dispatch for each after the first. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export function concatenate(parts: readonly Node[], axis: number): Node {
  checkWhole('axis', axis, 0, 3);
  const [first, ...others] = parts;
  if (!first) throw internal('concatenate.ts', 'nothing to concatenate');
  return others.reduce((joined, part) => apply(concatenateOperation, [joined, part], { axis }), first);
}
