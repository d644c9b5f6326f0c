/**
 * Attention weights, a softmax over the last axis at a temperature: a_i = e^(θ_i/τ) / Σ_j e^(θ_j/τ).
 *
 * The same constant added to every score of a row changes nothing. τ → ∞ weighs all keys alike, τ → 0 picks the largest score. Scaled
 * dot-product attention is the temperature √d. With `causal`, query i of a square matrix sees the keys 0 … i, and the others get exactly 0.
 *
 * **Shapes** θ [..., queries, keys] → a, the same; any rank from 1, from 2 where causal, and then as many queries as keys.
 * **Gradient** dθ = (a ⊙ (da − Σ a ⊙ da)) / τ, by attentionSoftmaxBackward: the Jacobian is (diag a − a aᵀ) / τ, whose rows sum to 0 and
 * which is positive semidefinite. Twice differentiable up to rank 4.
 * **Error** 1e-5, as softmax.
 * **Source** Vaswani et al. 2017, "Attention Is All You Need", equation 1; temperature: Hinton, Vinyals, Dean 2015, equation 1.
 */

import source from '../../shaders/attention-softmax.wgsl?raw';
import { shapeMismatch, show, VitrineError } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import type { Operation, TensorType } from '../operation.ts';
import { requireRows, requireShape, rowClass, rowVariants } from '../rows.ts';
import { multiply, scale, subtract } from './arithmetic.ts';
import { sum } from './reduce.ts';

export interface AttentionSoftmaxAttributes {
  /** τ, above 0. */
  readonly temperature: number;
  /** Whether a query sees no key after itself. */
  readonly causal: boolean;
}

const parameters = ({ temperature, causal }: AttentionSoftmaxAttributes) => ({ factor: 1 / temperature, causal: causal ? 1 : 0 });

export const attentionSoftmaxOperation: Operation<AttentionSoftmaxAttributes> = {
  name: 'attentionSoftmax',
  infer: ([scores], { causal }) => {
    const { shape } = scores as TensorType;
    requireType('attentionSoftmax', scores as TensorType, 'scores', 'float32');
    requireRows('attentionSoftmax', scores as TensorType, 'scores');
    if (causal && (shape.length < 2 || shape.at(-1) !== shape.at(-2))) {
      throw shapeMismatch(
        `attentionSoftmax: scores are ${show(shape)}; where causal they must be [..., tokens, tokens].`,
        'give as many queries as keys, or leave causal out.',
        { actual: shape },
      );
    }
    return { shape, dtype: 'float32' };
  },
  variants: rowVariants('attention-softmax', source, 'forward', ['x', 'y'], parameters),
  shapeClass: rowClass,
  gradient: (a, da) => [apply(attentionSoftmaxBackwardOperation, [a, da], a.attributes)],
};

/** dθ = (a ⊙ (da − Σ a ⊙ da)) / τ, from the weights a [..., keys] and da, of the same shape. */
export const attentionSoftmaxBackwardOperation: Operation<AttentionSoftmaxAttributes> = {
  name: 'attentionSoftmaxBackward',
  infer: ([a, da]) => {
    requireType('attentionSoftmaxBackward', a as TensorType, 'a', 'float32');
    requireType('attentionSoftmaxBackward', da as TensorType, 'da', 'float32');
    requireShape('attentionSoftmaxBackward', da as TensorType, 'da', (a as TensorType).shape, 'the shape of a');
    return { shape: (a as TensorType).shape, dtype: 'float32' };
  },
  variants: rowVariants('attention-softmax', source, 'backward_x', ['p', 'dy', 'dx'], parameters),
  shapeClass: rowClass,
  decompose: ({ inputs, attributes: { temperature } }) => {
    const [a, da] = inputs as [Node, Node];
    return scale(multiply(a, subtract(da, sum(multiply(a, da), [a.shape.length - 1], { keepDims: true }))), 1 / temperature);
  },
};

/**
 * Attention weights: a_i = e^(θ_i/τ) / Σ_j e^(θ_j/τ) over the last axis.
 *
 * @param options.temperature τ, 1 by default
 * @param options.causal whether query i of scores [..., tokens, tokens] sees only the keys 0 … i; no by default
 * @throws VitrineError `invalid-option` for a temperature that is not above 0; `shape-mismatch`
 */
export function attentionSoftmax(scores: Node, options: Partial<AttentionSoftmaxAttributes> = {}): Node<AttentionSoftmaxAttributes> {
  const { temperature = 1, causal = false } = options;
  checkTemperature('attentionSoftmax', temperature);
  return apply(attentionSoftmaxOperation, [scores], { temperature, causal });
}

/** Refuses what is no temperature. @throws VitrineError `invalid-option` */
export function checkTemperature(name: string, temperature: number): void {
  if (Number.isFinite(temperature) && temperature > 0) return;
  throw new VitrineError(
    'invalid-option',
    `${name}: temperature is ${typeof temperature === 'number' ? temperature : JSON.stringify(temperature)}; it must be above 0.`,
    'pass 1 for the plain softmax, less to sharpen it, more to level it.',
    { name, temperature },
  );
}
