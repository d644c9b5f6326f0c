/**
 * Elementary functions of each element: y = exp x, log x, √x, |x|, sign x, x², 1 / x and x to a constant power.
 *
 * **Shapes** x of any shape → y, the same.
 * **Gradient** dx = f′(x) dy, twice differentiable; sign has none, and |x| that of 0 at 0.
 * **Error** exp (3 + 2 |x|) ulp; log 3 ulp, but 2⁻²¹ absolute for x within [0.5, 2]; sqrt and 1 / x 2.5 ulp; power to a whole number
 * up to ±64 one rounding a factor, to another about 16 + 2 |exponent · log₂ x| ulp; the others are exact or correctly rounded.
 * **Source** WGSL specification, "Floating point accuracy"; Knuth 1997, "Seminumerical algorithms", 4.6.3 (repeated squaring).
 */

import source from '../../shaders/elementary.wgsl?raw';
import { elementwiseClass, elementwiseInfer, elementwiseVariants } from '../elementwise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { divide, multiply, negate, scale } from './arithmetic.ts';

/** dx from x, y = f(x) and dy. */
type UnaryGradient<A> = (x: Node, y: Node<A>, dy: Node) => Node | undefined;

function unary<A extends object>(
  name: string,
  code: number,
  gradient: UnaryGradient<A> | undefined,
  exponent: (attributes: A) => number = () => 1,
): Operation<A> {
  return {
    name,
    infer: elementwiseInfer(name, ['x']),
    variants: elementwiseVariants<A>('elementary', source, 'forward', ['x', 'y'], (attributes) => ({
      constants: { operation: code },
      parameters: { exponent: exponent(attributes) },
    })),
    shapeClass: elementwiseClass,
    ...(gradient ? { gradient: (y: Node<A>, dy: Node) => [gradient(y.inputs[0] as Node, y, dy)] } : { constant: true as const }),
  };
}

export interface PowerAttributes {
  readonly exponent: number;
}

export const expOperation: Operation<object> = unary('exp', 0, (_x, y, dy) => multiply(dy, y));
export const logOperation: Operation<object> = unary('log', 1, (x, _y, dy) => divide(dy, x));
export const sqrtOperation: Operation<object> = unary('sqrt', 2, (_x, y, dy) => divide(scale(dy, 0.5), y));
export const absOperation: Operation<object> = unary('abs', 3, (x, _y, dy) => multiply(dy, sign(x)));
export const signOperation: Operation<object> = unary('sign', 4, undefined);
export const squareOperation: Operation<object> = unary('square', 5, (x, _y, dy) => multiply(scale(dy, 2), x));
export const reciprocalOperation: Operation<object> = unary('reciprocal', 6, (_x, y, dy) => negate(multiply(dy, square(y))));
export const powerOperation: Operation<PowerAttributes> = unary(
  'power',
  7,
  (x, { attributes: { exponent } }, dy) => {
    // x⁰ is flat; the formula would divide by x.
    if (exponent === 0) return undefined;
    return exponent === 1 ? dy : multiply(scale(dy, exponent), power(x, exponent - 1));
  },
  ({ exponent }) => exponent,
);

const builder =
  (operation: Operation<object>) =>
  (x: Node): Node =>
    apply(operation, [x], {});

/** eˣ */
export const exp: (x: Node) => Node = builder(expOperation);
/** The natural logarithm of x, for x > 0. */
export const log: (x: Node) => Node = builder(logOperation);
/** √x, for x ≥ 0; the gradient needs x > 0 */
export const sqrt: (x: Node) => Node = builder(sqrtOperation);
/** |x| */
export const abs: (x: Node) => Node = builder(absOperation);
/** −1, 0 or 1, as x is below, at or above 0; no gradient */
export const sign: (x: Node) => Node = builder(signOperation);
/** x² */
export const square: (x: Node) => Node = builder(squareOperation);
/** 1 / x */
export const reciprocal: (x: Node) => Node = builder(reciprocalOperation);
/** x to the power of a constant; x may be negative only where the exponent is a whole number up to ±64 */
export const power = (x: Node, exponent: number): Node => apply(powerOperation, [x], { exponent });
