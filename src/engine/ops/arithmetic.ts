/**
 * Elementwise arithmetic with broadcasting: y = a ∘ b for ∘ in + − × ÷, maximum, minimum, and the comparisons > and =.
 *
 * **Shapes** a and b broadcast to y as in NumPy: aligned at the last axis, an axis of 1 is repeated; rank at most 4.
 * **Gradient** by the quotient and product rules, summed over the axes that were broadcast; comparisons have none.
 * **Error** correctly rounded but for division (2.5 ulp).
 * **Source** WGSL specification, "Floating point accuracy".
 */

import source from '../../shaders/arithmetic.wgsl?raw';
import { shapeMismatch, show, VitrineError } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, elements, type InputGradients, type Operation, sameShape, type TensorType, type Variant } from '../operation.ts';
import { constant } from './fill.ts';
import { sumTo } from './reduce.ts';

const forward = kernel('arithmetic', source, 'forward', ['a', 'b', 'y']);
const forwardVec4 = kernel('arithmetic', source, 'forward_vec4', ['a4', 'b4', 'y4']);

/** The shape two shapes broadcast to. @throws VitrineError `shape-mismatch` */
export function broadcastShape(operation: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  if (rank > 4) {
    throw new VitrineError(
      'shape-mismatch',
      `${operation}: ${show(a)} and ${show(b)} have more than 4 axes.`,
      'reshape neighbouring axes into one.',
      { a, b },
    );
  }
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const p = a[a.length - rank + axis] ?? 1;
    const q = b[b.length - rank + axis] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw shapeMismatch(
        `${operation}: a is ${show(a)} but b is ${show(b)}; they do not broadcast (${p} against ${q}).`,
        'make the axes equal, or make one of them 1.',
        { operation, a, b },
      );
    }
    shape.push(p === 1 ? q : p);
  }
  return shape;
}

const padded = (shape: readonly number[]): number[] => [...Array<number>(4 - shape.length).fill(1), ...shape];

/** Strides in elements of a tensor read as the padded shape of the result, 0 where it is repeated. */
function broadcastStrides(shape: readonly number[]): number[] {
  const full = padded(shape);
  return full.map((n, axis) => (n === 1 ? 0 : elements(full.slice(axis + 1))));
}

/** Nothing is broadcast and the last axis is divisible by 4. */
const inQuads = ({ inputs: [a, b], outputs: [y] }: Call): boolean =>
  sameShape((a as TensorType).shape, (b as TensorType).shape) && ((y as TensorType).shape.at(-1) ?? 1) % 4 === 0;

function variantsOf(operation: number): Variant<object>[] {
  return [
    {
      name: 'vec4',
      supports: inQuads,
      dispatch: ({ outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        const none = [0, 0, 0, 0];
        return {
          kernel: forwardVec4,
          constants: { operation },
          parameters: { shape: none, a_strides: none, b_strides: none, count },
          workgroups: linearWorkgroups(count / 4, 64),
        };
      },
    },
    {
      name: 'scalar',
      dispatch: ({ inputs: [a, b], outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        return {
          kernel: forward,
          constants: { operation },
          parameters: {
            shape: padded((y as TensorType).shape),
            a_strides: broadcastStrides((a as TensorType).shape),
            b_strides: broadcastStrides((b as TensorType).shape),
            count,
          },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ];
}

type BinaryGradient = (a: Node, b: Node, y: Node, dy: Node) => InputGradients;

function binary(name: string, code: number, gradient?: BinaryGradient): Operation<object> {
  return {
    name,
    infer: ([a, b]) => {
      requireType(name, a as TensorType, 'a', 'float32');
      requireType(name, b as TensorType, 'b', 'float32');
      return { shape: broadcastShape(name, (a as TensorType).shape, (b as TensorType).shape), dtype: 'float32' };
    },
    variants: variantsOf(code),
    shapeClass: (call) => (inQuads(call) ? 'quads' : 'elements'),
    ...(gradient
      ? {
          gradient: (node: Node, dy: Node): InputGradients => {
            const [a, b] = node.inputs as [Node, Node];
            const [da, db] = gradient(a, b, node, dy);
            return [da && sumTo(da, a.shape), db && sumTo(db, b.shape)];
          },
        }
      : { constant: true as const }),
  };
}

export const addOperation: Operation<object> = binary('add', 0, (_a, _b, _y, dy) => [dy, dy]);
export const subtractOperation: Operation<object> = binary('subtract', 1, (_a, _b, _y, dy) => [dy, negate(dy)]);
export const multiplyOperation: Operation<object> = binary('multiply', 2, (a, b, _y, dy) => [multiply(dy, b), multiply(dy, a)]);
export const divideOperation: Operation<object> = binary('divide', 3, (_a, b, y, dy) => [
  divide(dy, b),
  negate(divide(multiply(dy, y), b)),
]);
// At a tie the whole gradient goes to a, so that the sum is kept.
export const maximumOperation: Operation<object> = binary('maximum', 4, (a, b, _y, dy) => {
  const bWins = greater(b, a);
  return [multiply(dy, subtract(constant(dy.graph, 1), bWins)), multiply(dy, bWins)];
});
export const minimumOperation: Operation<object> = binary('minimum', 5, (a, b, _y, dy) => {
  const bWins = greater(a, b);
  return [multiply(dy, subtract(constant(dy.graph, 1), bWins)), multiply(dy, bWins)];
});
export const greaterOperation: Operation<object> = binary('greater', 6);
export const equalOperation: Operation<object> = binary('equal', 7);

const builder =
  (operation: Operation<object>) =>
  (a: Node, b: Node): Node =>
    apply(operation, [a, b], {});

/** a + b */
export const add: (a: Node, b: Node) => Node = builder(addOperation);
/** a − b */
export const subtract: (a: Node, b: Node) => Node = builder(subtractOperation);
/** a ⊙ b */
export const multiply: (a: Node, b: Node) => Node = builder(multiplyOperation);
/** a / b */
export const divide: (a: Node, b: Node) => Node = builder(divideOperation);
/** max(a, b), elementwise */
export const maximum: (a: Node, b: Node) => Node = builder(maximumOperation);
/** min(a, b), elementwise */
export const minimum: (a: Node, b: Node) => Node = builder(minimumOperation);
/** 1 where a > b, else 0; no gradient */
export const greater: (a: Node, b: Node) => Node = builder(greaterOperation);
/** 1 where a = b, else 0; no gradient */
export const equal: (a: Node, b: Node) => Node = builder(equalOperation);
/** −x */
export const negate = (x: Node): Node => subtract(constant(x.graph, 0), x);
/** factor · x */
export const scale = (x: Node, factor: number): Node => multiply(x, constant(x.graph, factor));
