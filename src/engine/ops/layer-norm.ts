/**
 * Layer normalisation over the last axis: y = x̂ ⊙ scale + bias, where x̂ = (x − mean x) / √(variance x + ε).
 *
 * **Shapes** x [..., columns], scale and bias [columns] → y, the shape of x.
 * **Gradient** with g = dy ⊙ scale: dx = (g − mean g − x̂ mean(g ⊙ x̂)) / √(variance x + ε); dscale = Σ rows dy ⊙ x̂; dbias = Σ rows dy.
 * Twice differentiable. Gradients up to rank 4.
 * **Error** 1e-5 for rows of unit spread; the mean is rounded, so a row loses what |mean| / √(variance + ε) multiplies that rounding by.
 * **Source** Ba, Kiros, Hinton 2016, "Layer Normalization", equation 4; the variance is the population's, as there.
 */

import source from '../../shaders/layer-norm.wgsl?raw';
import { checkNumber } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import type { Operation, TensorType } from '../operation.ts';
import { requireRows, requireShape, rowClass, rowVariants } from '../rows.ts';
import { add, multiply, subtract } from './arithmetic.ts';
import { reciprocal, sqrt, square } from './elementary.ts';
import { constant } from './fill.ts';
import { mean, sumTo } from './reduce.ts';

export interface LayerNormAttributes {
  /** Added to the variance, so that a row of equal elements is not divided by 0. */
  readonly epsilon: number;
}

export const layerNormOperation: Operation<LayerNormAttributes> = {
  name: 'layerNorm',
  infer: ([x, scale, bias]) => {
    requireType('layerNorm', x as TensorType, 'x', 'float32');
    requireType('layerNorm', scale as TensorType, 'scale', 'float32');
    requireType('layerNorm', bias as TensorType, 'bias', 'float32');
    requireRows('layerNorm', x as TensorType, 'x');
    const row = (x as TensorType).shape.slice(-1);
    requireShape('layerNorm', scale as TensorType, 'scale', row, 'the last axis of x');
    requireShape('layerNorm', bias as TensorType, 'bias', row, 'the last axis of x');
    return { shape: (x as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('layer-norm', source, 'forward', ['x', 'scale', 'bias', 'y'], ({ epsilon }) => ({ epsilon })),
  shapeClass: rowClass,
  gradient: ({ inputs, attributes }, dy) => {
    const [x, scale, bias] = inputs as [Node, Node, Node];
    const dx = apply(layerNormBackwardOperation, [x, scale, dy], attributes);
    return [dx, sumTo(multiply(dy, normalise(x, attributes)), scale.shape), sumTo(dy, bias.shape)];
  },
};

/** dx of layer normalisation from x [..., columns], scale [columns] and dy [..., columns]; the moments are computed again. */
export const layerNormBackwardOperation: Operation<LayerNormAttributes> = {
  name: 'layerNormBackward',
  infer: ([x, scale, dy]) => {
    requireType('layerNormBackward', dy as TensorType, 'dy', 'float32');
    requireShape('layerNormBackward', scale as TensorType, 'scale', (x as TensorType).shape.slice(-1), 'the last axis of x');
    requireShape('layerNormBackward', dy as TensorType, 'dy', (x as TensorType).shape, 'the shape of x');
    return { shape: (x as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('layer-norm', source, 'backward_x', ['x', 'scale', 'dy', 'dx'], ({ epsilon }) => ({ epsilon })),
  shapeClass: rowClass,
  decompose: ({ inputs, attributes }) => {
    const [x, scale, dy] = inputs as [Node, Node, Node];
    const rowMean = (of: Node): Node => mean(of, [x.shape.length - 1], { keepDims: true });
    const centred = subtract(x, rowMean(x));
    const spread = sqrt(add(rowMean(square(centred)), constant(x.graph, attributes.epsilon)));
    const inverse = reciprocal(spread);
    const normalised = multiply(centred, inverse);
    const g = multiply(dy, scale);
    const projection = multiply(normalised, rowMean(multiply(g, normalised)));
    return multiply(subtract(subtract(g, rowMean(g)), projection), inverse);
  },
};

/**
 * Layer normalisation over the last axis: y = (x − mean x) / √(variance x + ε) ⊙ scale + bias.
 *
 * @param options.epsilon 1e-5 by default, as in PyTorch (Keras has 1e-3)
 * @throws VitrineError `shape-mismatch`; `invalid-option` for a negative ε
 */
export function layerNorm(x: Node, scale: Node, bias: Node, options: { readonly epsilon?: number } = {}): Node {
  const { epsilon = 1e-5 } = options;
  checkNumber('epsilon', epsilon, 0);
  return apply(layerNormOperation, [x, scale, bias], { epsilon });
}

/** x̂ = (x − mean x) / √(variance x + ε) over the last axis: layer normalisation with scale 1 and bias 0. */
export function normalise(x: Node, options: { readonly epsilon?: number } = {}): Node {
  const row = x.shape.slice(-1);
  return layerNorm(x, constant(x.graph, 1, row), constant(x.graph, 0, row), options);
}
