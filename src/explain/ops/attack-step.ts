/**
 * One step of an attack: y = clip(current + step · sign(gradient)) into [low, high], then into the box of ±ε around x.
 *
 * **Shapes** x, current and gradient of one shape, [rows, ...]; limits [rows, 4] (step, ε, low, high of each row) → y, the shape of x. Where the gradient is 0
 * nothing moves. The box comes last, so that no range takes y further than ε from x; where box and range meet, y is in both.
 * **Gradient** none. **Error** a rounding.
 * **Source** Goodfellow, Shlens, Szegedy 2015, "Explaining and harnessing adversarial examples"; Madry et al. 2018, section 2.1.
 */

import { elementwiseInfer } from '../../engine/elementwise.ts';
import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/attack-step.wgsl?raw';

export const attackStepOperation: Operation<object> = {
  name: 'attackStep',
  infer: (inputs) => {
    const limits = inputs[3] as TensorType;
    requireType('attackStep', limits, 'limits', 'float32');
    requireShape('attackStep', limits, 'limits', [(inputs[0] as TensorType).shape[0] ?? 1, 4], 'step, ε, low and high of each row');
    return elementwiseInfer('attackStep', ['x', 'current', 'gradient'])(inputs);
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ outputs: [y] }) => {
        const count = elements((y as TensorType).shape);
        return {
          kernel: kernel('attack-step', source, 'forward', ['x', 'current', 'gradient', 'limits', 'y']),
          parameters: { count, width: rowElements((y as TensorType).shape) },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** current + step · sign(gradient), within [low, high] and within ε of x. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const attackStep = (x: Node, current: Node, gradient: Node, limits: Node): Node =>
  apply(attackStepOperation, [x, current, gradient, limits], {});
