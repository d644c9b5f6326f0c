/**
 * Slice: the box of x between `start` and `end` along every axis. Pad: zeros around x, the adjoint of slice.
 *
 * **Shapes** x of rank at most 4 → y of the same rank; float32 or uint32.
 * **Gradient** of slice: dy padded with zeros; of pad: dy sliced. Both in gather form: each element of the result looks up its one source.
 * **Error** exact.
 */

import source from '../../shaders/slice.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type Operation, type TensorType, type Variant } from '../operation.ts';

export interface SliceAttributes {
  /** First index along each axis. */
  readonly start: readonly number[];
  /** One past the last index along each axis. */
  readonly end: readonly number[];
}

export interface PadAttributes {
  /** Where x begins in y, along each axis. */
  readonly start: readonly number[];
  /** Shape of y. */
  readonly shape: readonly number[];
}

const padded = (list: readonly number[], value: number): number[] => [...Array<number>(4 - list.length).fill(value), ...list];

/** Both variants of `slice` or `pad`; `wholeOf` gives the shape of what the box lies in, `boxOf` that of the box. */
function boxVariants<A extends { readonly start: readonly number[] }>(
  entry: string,
  wholeOf: (call: Call<A>) => TensorType,
  boxOf: (call: Call<A>) => TensorType,
): Variant<A>[] {
  const forward = kernel('slice', source, entry, ['x', 'y']);
  const forwardVec4 = kernel('slice', source, `${entry}_vec4`, ['x4', 'y4']);
  const parameters = (call: Call<A>) => ({
    whole: padded(wholeOf(call).shape, 1),
    box: padded(boxOf(call).shape, 1),
    start: padded(call.attributes.start, 0),
    count: elements((call.outputs[0] as TensorType).shape),
  });
  return [
    {
      name: 'vec4',
      supports: (call) => {
        const { start } = call.attributes;
        return [wholeOf(call).shape.at(-1), boxOf(call).shape.at(-1), start.at(-1)].every((n) => n !== undefined && n % 4 === 0);
      },
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
  ];
}

const input = ({ inputs }: Call): TensorType => inputs[0] as TensorType;
const output = ({ outputs }: Call): TensorType => outputs[0] as TensorType;

function requireRank(operation: string, shape: readonly number[]): void {
  if (shape.length > 4) {
    throw shapeMismatch(`${operation}: x is ${show(shape)}, of more than 4 axes.`, 'reshape neighbouring axes that stay whole into one.', {
      shape,
    });
  }
}

export const sliceOperation: Operation<SliceAttributes> = {
  name: 'slice',
  infer: ([x], { start, end }) => {
    const { shape, dtype } = x as TensorType;
    requireRank('slice', shape);
    const inside = (axis: number): boolean => {
      const [from, to] = [start[axis] ?? -1, end[axis] ?? -1];
      return Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= (shape[axis] as number);
    };
    if (start.length !== shape.length || end.length !== shape.length || !shape.every((_, axis) => inside(axis))) {
      throw shapeMismatch(
        `slice: the box from ${show(start)} to ${show(end)} does not lie in ${show(shape)}.`,
        'give each axis a start and a greater end, at most its length.',
        { start, end, shape },
      );
    }
    return { shape: shape.map((_, axis) => (end[axis] as number) - (start[axis] as number)), dtype };
  },
  variants: boxVariants('slice', input, output),
  gradient: ({ inputs: [x], attributes: { start } }, dy) => [pad(dy, { start, shape: (x as Node).shape })],
};

export const padOperation: Operation<PadAttributes> = {
  name: 'pad',
  infer: ([x], { start, shape }) => {
    const box = (x as TensorType).shape;
    requireRank('pad', box);
    const fits = start.length === box.length && shape.length === box.length;
    if (!fits || !box.every((n, axis) => (start[axis] as number) >= 0 && (start[axis] as number) + n <= (shape[axis] as number))) {
      throw shapeMismatch(
        `pad: x is ${show(box)}; from ${show(start)} on it does not fit into ${show(shape)}.`,
        'give a shape that holds x where it is to begin.',
        { start, shape, box },
      );
    }
    return { shape: [...shape], dtype: (x as TensorType).dtype };
  },
  variants: boxVariants('pad', output, input),
  gradient: ({ inputs: [x], attributes: { start } }, dy) => {
    const end = start.map((from, axis) => from + ((x as Node).shape[axis] as number));
    return [slice(dy, { start, end })];
  },
};

/** The box of x from `start` up to, not including, `end`, along every axis. @throws VitrineError `shape-mismatch` */
export const slice = (x: Node, { start, end }: SliceAttributes): Node => apply(sliceOperation, [x], { start, end });

/** Zeros of the given shape with x in the box that begins at `start`. @throws VitrineError `shape-mismatch` */
export const pad = (x: Node, { start, shape }: PadAttributes): Node => apply(padOperation, [x], { start, shape });
