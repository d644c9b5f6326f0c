/**
 * Transpose: y's axis a is x's axis permutation[a].
 *
 * **Shapes** x of rank at most 4 → y with the axes in another order; float32 or uint32.
 * **Gradient** dx is dy with the axes put back. **Error** exact.
 */

import source from '../../shaders/transpose.wgsl?raw';
import { shapeMismatch, show, VitrineError } from '../errors.ts';
import { apply, type Node } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type Operation, type TensorType, type Variant } from '../operation.ts';

const forward = kernel('transpose', source, 'forward', ['x', 'y']);
const forwardVec4 = kernel('transpose', source, 'forward_vec4', ['x4', 'y4']);

export interface TransposeAttributes {
  readonly permutation: readonly number[];
}

/** y's shape and x's strides in the order of y's axes, both padded in front to four axes. */
function layout({ inputs, outputs, attributes: { permutation } }: Call<TransposeAttributes>) {
  const { shape } = inputs[0] as TensorType;
  const strides = permutation.map((axis) => elements(shape.slice(axis + 1)));
  const missing = 4 - shape.length;
  return {
    shape: [...Array<number>(missing).fill(1), ...(outputs[0] as TensorType).shape],
    strides: [...Array<number>(missing).fill(0), ...strides],
    count: elements(shape),
  };
}

const variants: Variant<TransposeAttributes>[] = [
  {
    name: 'vec4',
    supports: ({ inputs: [x], attributes: { permutation } }) => {
      const { shape } = x as TensorType;
      return permutation.at(-1) === shape.length - 1 && (shape.at(-1) as number) % 4 === 0;
    },
    dispatch: (call) => {
      const parameters = layout(call);
      return { kernel: forwardVec4, parameters, workgroups: linearWorkgroups(parameters.count / 4, 64) };
    },
  },
  {
    name: 'scalar',
    dispatch: (call) => {
      const parameters = layout(call);
      return { kernel: forward, parameters, workgroups: linearWorkgroups(parameters.count, 64) };
    },
  },
];

export const transposeOperation: Operation<TransposeAttributes> = {
  name: 'transpose',
  infer: ([x], { permutation }) => {
    const { shape, dtype } = x as TensorType;
    if (shape.length > 4) {
      throw shapeMismatch(
        `transpose: x is ${show(shape)}, of more than 4 axes.`,
        'reshape neighbouring axes that stay together into one.',
        { shape },
      );
    }
    const complete = permutation.length === shape.length && shape.every((_, axis) => permutation.includes(axis));
    if (!complete) {
      throw new VitrineError(
        'invalid-option',
        `transpose: the permutation ${show(permutation)} does not name each axis of ${show(shape)} once.`,
        `give the numbers 0 to ${shape.length - 1} in the wanted order.`,
        { permutation, shape },
      );
    }
    return { shape: permutation.map((axis) => shape[axis] as number), dtype };
  },
  variants,
  gradient: ({ attributes: { permutation } }, dy) => [transpose(dy, inverse(permutation))],
};

const inverse = (permutation: readonly number[]): number[] => permutation.map((_, axis) => permutation.indexOf(axis));

/**
 * Reorders axes: y's axis a is x's axis permutation[a]. Without a permutation the last two axes change places.
 *
 * @throws VitrineError `shape-mismatch` beyond rank 4; `invalid-option` for what is no permutation
 */
export const transpose = (x: Node, permutation: readonly number[] = swapLastTwo(x.shape.length)): Node =>
  apply(transposeOperation, [x], { permutation });

function swapLastTwo(rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return rank < 2 ? axes : [...axes.slice(0, -2), rank - 1, rank - 2];
}
