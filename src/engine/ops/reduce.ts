/**
 * Sums over axes, and their adjoint, which repeats along them.
 *
 *     sum        y = Σ x             mean         y = Σ x / n
 *     sumTo      y = Σ x, over the axes along which `shape` was broadcast
 *     broadcastTo y = x, repeated    (the gradient of each of the others, and they of it)
 *
 * **Shapes** x of any rank; neighbouring axes that are all reduced, or all kept, count as one, and at most 4 may then remain.
 * **Gradient** the adjoint, twice differentiable: each is linear.
 * **Error** of a sum of n elements about (64 + n / 64) · 6e-8 · Σ |x|: runs of 64 are summed among themselves. broadcastTo is exact.
 * **Source** Higham 1993, "The accuracy of floating point summation", section 3 (blocked summation).
 */

import broadcastSource from '../../shaders/broadcast.wgsl?raw';
import source from '../../shaders/reduce.wgsl?raw';
import library from '../../shaders/workgroup-rows.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type Operation, sameShape, type TensorType, type Variant } from '../operation.ts';

export interface AxesAttributes {
  /** Axes of the larger of the two tensors that the smaller one lacks, or has as 1. */
  readonly axes: readonly number[];
  /** Shape of the output. */
  readonly shape: readonly number[];
  readonly factor: number;
}

/** Neighbouring axes that are alike. */
interface Run {
  readonly length: number;
  readonly reduced: boolean;
  /** Elements between neighbours along it. */
  readonly stride: number;
}

/** Merges neighbouring axes that are all reduced or all kept; axes of 1 count for nothing. */
function runsOf(shape: readonly number[], axes: readonly number[]): Run[] {
  const runs: Run[] = [];
  let stride = elements(shape);
  shape.forEach((length, axis) => {
    stride /= length;
    if (length === 1) return;
    const reduced = axes.includes(axis);
    const last = runs.at(-1);
    if (last?.reduced === reduced) runs.splice(-1, 1, { length: last.length * length, reduced, stride });
    else runs.push({ length, reduced, stride });
  });
  return runs;
}

const inputOf = ({ inputs }: Call): TensorType => inputs[0] as TensorType;
const outputOf = ({ outputs }: Call): TensorType => outputs[0] as TensorType;
const lastIsReduced = (call: Call<AxesAttributes>): boolean => call.attributes.axes.includes(inputOf(call).shape.length - 1);
const inQuads = ({ shape }: TensorType): boolean => (shape.at(-1) ?? 1) % 4 === 0;

/** The variants of a reduction; `operation` is the code that reduce.wgsl knows it by. */
export function reduceVariants(operation: number): Variant<AxesAttributes>[] {
  const whole = `${library}\n${source}`;
  const dispatcher =
    (of: Kernel, outputsPerGroup: number): Variant<AxesAttributes>['dispatch'] =>
    (call) => {
      const runs = runsOf(inputOf(call).shape, call.attributes.axes);
      const none: Run = { length: 1, reduced: false, stride: 0 };
      const [keptInner = none, keptOuter = none] = runs.filter(({ reduced }) => !reduced).reverse();
      const [reducedInner = none, reducedOuter = none] = runs.filter(({ reduced }) => reduced).reverse();
      const count = elements(outputOf(call).shape);
      return {
        kernel: of,
        constants: { operation },
        parameters: {
          count,
          kept_inner: keptInner.length,
          kept_outer_stride: keptOuter.stride,
          kept_inner_stride: keptInner.stride,
          reduced_outer: reducedOuter.length,
          reduced_inner: reducedInner.length,
          reduced_outer_stride: reducedOuter.stride,
          reduced_inner_stride: reducedInner.stride,
          factor: call.attributes.factor,
        },
        workgroups: linearWorkgroups(count, outputsPerGroup),
      };
    };
  return [
    {
      name: 'rows_vec4',
      supports: (call) => lastIsReduced(call) && inQuads(inputOf(call)),
      dispatch: dispatcher(kernel('reduce', whole, 'forward_rows_vec4', ['x4', 'y']), 64),
    },
    {
      name: 'columns_vec4',
      supports: (call) => !lastIsReduced(call) && inQuads(inputOf(call)),
      dispatch: dispatcher(kernel('reduce', whole, 'forward_columns_vec4', ['x4', 'y4']), 4 * 64),
    },
    { name: 'scalar', dispatch: dispatcher(kernel('reduce', whole, 'forward', ['x', 'y']), 64) },
    { name: 'workgroup', dispatch: dispatcher(kernel('reduce', whole, 'forward_workgroup', ['x', 'y']), 1) },
  ];
}

/** Whether memory is read along rows or down columns, and in quads: calls of one class have the same variants to choose from. */
export const reduceClass = (call: Call<AxesAttributes>): string =>
  `${lastIsReduced(call) ? 'rows' : 'columns'}${inQuads(inputOf(call)) ? ' in quads' : ''}`;

function linear(name: string): Operation<AxesAttributes> {
  return {
    name,
    infer: ([x], { shape }) => {
      requireType(name, x as TensorType, 'x', 'float32');
      return { shape, dtype: 'float32' };
    },
    variants: reduceVariants(0),
    shapeClass: reduceClass,
    gradient: ({ inputs, attributes: { axes, factor } }, dy) => [
      apply(broadcastOperation, [dy], { axes, factor, shape: (inputs[0] as Node).shape }),
    ],
  };
}

export const sumOperation: Operation<AxesAttributes> = linear('sum');
export const meanOperation: Operation<AxesAttributes> = linear('mean');

const broadcastDispatch =
  (of: Kernel, elementsPerGroup: number): Variant<AxesAttributes>['dispatch'] =>
  (call) => {
    const { shape } = outputOf(call);
    const runs = runsOf(shape, call.attributes.axes);
    let stride = elements(inputOf(call).shape);
    const strides = runs.map(({ length, reduced }) => {
      if (reduced) return 0;
      stride /= length;
      return stride;
    });
    const padding = 4 - runs.length;
    const count = elements(shape);
    return {
      kernel: of,
      parameters: {
        shape: [...Array<number>(padding).fill(1), ...runs.map(({ length }) => length)],
        strides: [...Array<number>(padding).fill(0), ...strides],
        count,
        factor: call.attributes.factor,
      },
      workgroups: linearWorkgroups(count, elementsPerGroup),
    };
  };

export const broadcastOperation: Operation<AxesAttributes> = {
  name: 'broadcast',
  infer: ([x], { shape }) => {
    requireType('broadcast', x as TensorType, 'x', 'float32');
    return { shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'vec4',
      supports: (call) => inQuads(outputOf(call)),
      dispatch: broadcastDispatch(kernel('broadcast', broadcastSource, 'forward_vec4', ['x', 'y4']), 4 * 64),
    },
    { name: 'scalar', dispatch: broadcastDispatch(kernel('broadcast', broadcastSource, 'forward', ['x', 'y']), 64) },
  ],
  gradient: ({ inputs, attributes: { axes, factor } }, dy) => [
    apply(sumOperation, [dy], { axes, factor, shape: (inputs[0] as Node).shape }),
  ],
};

/** factor · x, repeated to `shape` along `axes`, which x lacks or has as 1: the adjoint of a sum over them. */
export const repeatAlong = (x: Node, shape: readonly number[], axes: readonly number[], factor = 1): Node =>
  apply(broadcastOperation, [x], { axes, factor, shape });

export interface ReduceOptions {
  /** Whether a reduced axis stays, with length 1; it vanishes by default. */
  readonly keepDims?: boolean;
}

/**
 * The attributes of a reduction; every axis by default, negative ones count from the last.
 *
 * @throws VitrineError `shape-mismatch` for an axis that x does not have
 */
export function reduceAttributes(
  operation: string,
  x: TensorType,
  axes: readonly number[] | undefined,
  options: ReduceOptions,
): AxesAttributes {
  const rank = x.shape.length;
  const reduced = (axes ?? x.shape.map((_length, axis) => axis)).map((axis) => {
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      throw shapeMismatch(
        `${operation}: x is ${show(x.shape)}; it has no axis ${axis}.`,
        rank === 0 ? 'leave the axes out; a scalar has none.' : `name axes from 0 to ${rank - 1}, or from -${rank} to -1.`,
        { operation, x: x.shape, axis },
      );
    }
    return axis < 0 ? axis + rank : axis;
  });
  requireFewRuns(operation, x.shape, reduced);
  const shape = x.shape.flatMap((length, axis) => (!reduced.includes(axis) ? [length] : options.keepDims ? [1] : []));
  return { axes: reduced, shape, factor: 1 };
}

function requireFewRuns(operation: string, shape: readonly number[], axes: readonly number[]): void {
  const runs = runsOf(shape, axes).length;
  if (runs <= 4) return;
  throw shapeMismatch(
    `${operation}: ${show(shape)} over the axes ${show(axes)} alternates between kept and reduced axes ${runs} times; 4 is the most.`,
    'transpose so that the reduced axes are neighbours, or reduce in two operations.',
    { operation, shape, axes },
  );
}

/** Σ x over `axes`, every axis by default. @throws VitrineError `shape-mismatch` for an axis that x does not have */
export const sum = (x: Node, axes?: readonly number[], options: ReduceOptions = {}): Node =>
  apply(sumOperation, [x], reduceAttributes('sum', x, axes, options));

/** Σ x / n over `axes`, every axis by default. @throws VitrineError `shape-mismatch` for an axis that x does not have */
export function mean(x: Node, axes?: readonly number[], options: ReduceOptions = {}): Node {
  const attributes = reduceAttributes('mean', x, axes, options);
  return apply(meanOperation, [x], { ...attributes, factor: elements(attributes.shape) / elements(x.shape) });
}

/** The axes of `large` along which `small` is repeated. @throws VitrineError `shape-mismatch` where it does not broadcast */
function repeatedAxes(operation: string, small: readonly number[], large: readonly number[]): number[] {
  const missing = large.length - small.length;
  const axes = large.map((_length, axis) => axis).filter((axis) => axis < missing || small[axis - missing] !== large[axis]);
  if (missing < 0 || axes.some((axis) => axis >= missing && small[axis - missing] !== 1)) {
    throw shapeMismatch(
      `${operation}: ${show(small)} does not broadcast to ${show(large)}.`,
      'make each axis of the smaller shape equal to that of the larger one, or 1; shapes are aligned at the last axis.',
      { operation, small, large },
    );
  }
  requireFewRuns(operation, large, axes);
  return axes;
}

/** Sums a broadcast away: Σ x over the axes along which `shape` would be repeated; x itself in its own shape. @throws VitrineError `shape-mismatch` */
export function sumTo(x: Node, shape: readonly number[]): Node {
  if (sameShape(x.shape, shape)) return x;
  return apply(sumOperation, [x], { axes: repeatedAxes('sumTo', shape, x.shape), shape: [...shape], factor: 1 });
}

/** x, repeated to `shape` as in NumPy; x itself in its own shape. @throws VitrineError `shape-mismatch` */
export function broadcastTo(x: Node, shape: readonly number[]): Node {
  if (sameShape(x.shape, shape)) return x;
  return repeatAlong(x, shape, repeatedAxes('broadcastTo', x.shape, shape));
}
