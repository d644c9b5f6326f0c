/**
 * DeepLIFT's rescale rule of elementwise functions: dx = dy Δy / Δx, Δ the difference from a reference.
 *
 *     rescaleRelu    exact: 1 or 0 where x and x′ are on the same side of 0
 *     rescaleSmooth  `midpoint`, dy times the derivative half-way, where |Δx| is at most `threshold`
 *
 * **Shapes** all inputs of one shape → dx, the same.
 * **Gradient** none. **Error** of rescaleRelu a division's; of rescaleSmooth with a threshold of 1e-2 within 2e-5 for tanh and GELU on either side.
 * **Source** Shrikumar, Greenside, Kundaje 2017, "Learning important features through propagating activation differences", section 3.3.
 */

import { elementwiseInfer } from '../../engine/elementwise.ts';
import { apply, type Node } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType, type Variant } from '../../engine/operation.ts';
import source from '../../shaders/rescale.wgsl?raw';

export interface RescaleAttributes {
  /** |Δx| up to which the derivative serves. */
  readonly threshold: number;
}

const scalar = (of: Kernel): Variant<RescaleAttributes>[] => [
  {
    name: 'scalar',
    dispatch: ({ outputs: [dx], attributes: { threshold } }) => {
      const count = elements((dx as TensorType).shape);
      return { kernel: of, parameters: { count, threshold }, workgroups: linearWorkgroups(count, 64) };
    },
  },
];

export const rescaleReluOperation: Operation<RescaleAttributes> = {
  name: 'rescaleRelu',
  infer: elementwiseInfer('rescaleRelu', ['x', 'reference', 'dy']),
  variants: scalar(kernel('rescale', source, 'relu', ['x', 'x_reference', 'dy', 'dx'])),
  constant: true,
};

export const rescaleSmoothOperation: Operation<RescaleAttributes> = {
  name: 'rescaleSmooth',
  infer: elementwiseInfer('rescaleSmooth', ['x', 'reference', 'y', 'yReference', 'dy', 'midpoint']),
  variants: scalar(kernel('rescale', source, 'smooth_function', ['x', 'x_reference', 'y', 'y_reference', 'dy', 'midpoint', 'dx'])),
  constant: true,
};

/** dy Δy / Δx of y = max(0, x). @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const rescaleRelu = (x: Node, reference: Node, dy: Node): Node => apply(rescaleReluOperation, [x, reference, dy], { threshold: 0 });

export interface SmoothRescale {
  readonly x: Node;
  readonly reference: Node;
  readonly y: Node;
  readonly yReference: Node;
  readonly dy: Node;
  /** dy times the derivative at (x + x′) / 2. */
  readonly midpoint: Node;
}

/** dy Δy / Δx of any y = f(x), `midpoint` where Δx is small. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const rescaleSmooth = ({ x, reference, y, yReference, dy, midpoint }: SmoothRescale, threshold: number): Node =>
  apply(rescaleSmoothOperation, [x, reference, y, yReference, dy, midpoint], { threshold });
