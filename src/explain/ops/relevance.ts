/**
 * How layer-wise relevance propagation divides relevance by the sums that it is shared in proportion to.
 *
 *     stabilisedQuotient  s = R / (z + ε sgn z), sgn 0 = +1; 0 where that divisor is 0
 *     alphaBetaShare      s = α R / z⁺, or −β R / z⁻; where one part is empty the other takes all
 *
 * **Shapes** R of any shape; z the same, or its last axes; z⁺ and z⁻ the same; ε and α [1] → s, the shape of R.
 * **Gradient** none. **Error** of a division, 2.5 ulp.
 * **Source** Bach et al. 2015, "On pixel-wise explanations for non-linear classifier decisions by layer-wise relevance propagation", equations 58
 * and 60.
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/relevance.wgsl?raw';

export const stabilisedQuotientOperation: Operation<object> = {
  name: 'stabilisedQuotient',
  infer: (inputs) => {
    const [relevance, z, epsilon] = inputs as [TensorType, TensorType, TensorType];
    requireType('stabilisedQuotient', relevance, 'relevance', 'float32');
    requireType('stabilisedQuotient', z, 'z', 'float32');
    requireShape('stabilisedQuotient', z, 'z', relevance.shape.slice(-z.shape.length), 'the last axes of the relevance');
    requireShape('stabilisedQuotient', epsilon, 'epsilon', [1], 'one number');
    return { shape: relevance.shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [, z], outputs: [s] }) => {
        const count = elements((s as TensorType).shape);
        return {
          kernel: kernel('relevance', source, 'quotient', ['relevance', 'z', 'epsilon', 's']),
          parameters: { count, sums: elements((z as TensorType).shape) },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

export interface AlphaBetaAttributes {
  readonly part: 'positive' | 'negative';
}

export const alphaBetaShareOperation: Operation<AlphaBetaAttributes> = {
  name: 'alphaBetaShare',
  infer: (inputs) => {
    const [relevance, positive, negative, alpha] = inputs as [TensorType, TensorType, TensorType, TensorType];
    requireType('alphaBetaShare', relevance, 'relevance', 'float32');
    requireShape('alphaBetaShare', positive, 'positive', relevance.shape, 'the shape of the relevance');
    requireShape('alphaBetaShare', negative, 'negative', relevance.shape, 'the shape of the relevance');
    requireShape('alphaBetaShare', alpha, 'alpha', [1], 'one number');
    return { shape: relevance.shape, dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ outputs: [s], attributes: { part } }) => {
        const count = elements((s as TensorType).shape);
        return {
          kernel: kernel('relevance', source, 'alpha_beta', ['relevance', 'positive_sum', 'negative_sum', 'alpha', 's']),
          constants: { negative: part === 'negative' ? 1 : 0 },
          parameters: { count, sums: count },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** R / (z + ε sgn z), and 0 where that divides by 0. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const stabilisedQuotient = (relevance: Node, z: Node, epsilon: Node): Node =>
  apply(stabilisedQuotientOperation, [relevance, z, epsilon], {});

/** α R / z⁺ or −β R / z⁻, by which a part's terms are multiplied. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const alphaBetaShare = (relevance: Node, positive: Node, negative: Node, alpha: Node, part: 'positive' | 'negative'): Node =>
  apply(alphaBetaShareOperation, [relevance, positive, negative, alpha], { part });
