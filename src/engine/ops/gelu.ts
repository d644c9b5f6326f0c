/**
 * GELU, the Gaussian error linear unit: y = x C(x), where C(x) = (1 + erf(x / √2)) / 2, the chance that a normal number is below x,
 * or approximately C(x) = (1 + tanh(√(2 / π) (x + 0.044715 x³))) / 2.
 *
 * **Shapes** x of any shape → y, the same.
 * **Gradient** dx = dy (C + x C′), by geluBackward; twice differentiable, by geluCurvature.
 * **Error** 1e-6 of C, absolute: erf is good to 1.5e-7. The approximation by tanh is itself up to 5e-4 off the exact y.
 * **Source** Hendrycks, Gimpel 2016, "Gaussian Error Linear Units"; erf: Abramowitz, Stegun 1964, 7.1.26.
 */

import source from '../../shaders/gelu.wgsl?raw';
import { elementwiseClass, elementwiseInfer, elementwiseVariants } from '../elementwise.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { multiply } from './arithmetic.ts';

export interface GeluOptions {
  /** `'tanh'` for the approximation of GPT-2; `'none'`, the exact function, by default. */
  readonly approximate?: 'none' | 'tanh';
}

export interface GeluAttributes {
  readonly approximate: 'none' | 'tanh';
}

const constants = ({ approximate }: GeluAttributes) => ({ constants: { by_tanh: approximate === 'tanh' ? 1 : 0 } });

export const geluOperation: Operation<GeluAttributes> = {
  name: 'gelu',
  infer: elementwiseInfer('gelu', ['x']),
  variants: elementwiseVariants('gelu', source, 'forward', ['x', 'y'], constants),
  shapeClass: elementwiseClass,
  gradient: ({ inputs: [x], attributes }, dy) => [geluBackward(x as Node, dy, attributes)],
};

/** dx = dy y′(x): linear in dy. */
export const geluBackwardOperation: Operation<GeluAttributes> = {
  name: 'geluBackward',
  infer: elementwiseInfer('geluBackward', ['x', 'dy']),
  variants: elementwiseVariants('gelu', source, 'backward_x', ['x', 'dy', 'dx'], constants),
  shapeClass: elementwiseClass,
  gradient: ({ inputs, attributes }, ddx) => {
    const [x, dy] = inputs as [Node, Node];
    return [multiply(multiply(ddx, dy), geluCurvature(x, attributes)), geluBackward(x, ddx, attributes)];
  },
};

/** y″(x) = 2 C′ + x C″; it has no gradient rule of its own. */
export const geluCurvatureOperation: Operation<GeluAttributes> = {
  name: 'geluCurvature',
  infer: elementwiseInfer('geluCurvature', ['x']),
  variants: elementwiseVariants('gelu', source, 'curvature', ['x', 'y'], constants),
  shapeClass: elementwiseClass,
};

const attributesOf = ({ approximate = 'none' }: GeluOptions): GeluAttributes => ({ approximate });

/** x C(x), where C(x) is the chance that a normal number is below x */
export const gelu = (x: Node, options: GeluOptions = {}): Node => apply(geluOperation, [x], attributesOf(options));

/** The gradient of GELU with respect to its input x. @throws VitrineError `shape-mismatch` */
export const geluBackward = (x: Node, dy: Node, options: GeluOptions = {}): Node =>
  apply(geluBackwardOperation, [x, dy], attributesOf(options));

/** The second derivative of GELU at x. */
export const geluCurvature = (x: Node, options: GeluOptions = {}): Node => apply(geluCurvatureOperation, [x], attributesOf(options));
