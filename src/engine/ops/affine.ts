/**
 * An affine map, the heart of a dense layer: y = x W + b.
 *
 * **Shapes** x [..., inputs], W [inputs, outputs], b [outputs] → y [..., outputs].
 * **Gradient** dx = dy Wᵀ, dW = xᵀ dy and db = Σ_rows dy, over all leading axes.
 * **Error** as matmul.
 * **Source** Goodfellow, Bengio, Courville 2016, "Deep Learning", eq. 6.5 and algorithm 6.4. One operation, not two, because LRP's
 * denominator is the whole x W + b.
 */

import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { type Call, elements, type KernelFamily, type Operation, type TensorType } from '../operation.ts';
import { matmul, type Product, productClass, productVariants } from './matmul.ts';
import { sumTo } from './reduce.ts';
import { reshape } from './reshape.ts';

export interface AffineAttributes {
  /** Only in a fused step: ReLU follows in the same kernel. */
  readonly relu?: boolean;
}

const describe = ({ inputs: [x, w], attributes }: Call<AffineAttributes>): Product & { relu: boolean } => {
  const [inner, cols] = (w as TensorType).shape as [number, number];
  return {
    rows: elements((x as TensorType).shape) / inner,
    inner,
    cols,
    batch: 1,
    aBatch: 0,
    bBatch: 0,
    transposeA: false,
    transposeB: false,
    relu: attributes.relu ?? false,
  };
};

export const affineOperation: Operation<AffineAttributes> = {
  name: 'affine',
  infer: ([x, weight, bias]) => {
    const [xs, ws, bs] = [x, weight, bias].map((input, i) => {
      requireType('affine', input as TensorType, ['x', 'weight', 'bias'][i] as string, 'float32');
      return (input as TensorType).shape;
    }) as [readonly number[], readonly number[], readonly number[]];
    if (ws.length !== 2 || xs.length < 1 || xs.at(-1) !== ws[0] || bs.length !== 1 || bs[0] !== ws[1]) {
      throw shapeMismatch(
        `affine: x is ${show(xs)}, weight ${show(ws)} and bias ${show(bs)}; they must be [..., inputs], [inputs, outputs] and [outputs].`,
        'flatten x to the inputs that the weight has, and give the bias one value an output.',
        { x: xs, weight: ws, bias: bs },
      );
    }
    return { shape: [...xs.slice(0, -1), ws[1] as number], dtype: 'float32' };
  },
  shapeClass: (call) => productClass(describe(call)),
  ...productVariants('affine', describe),
  gradient: ({ inputs: [x, weight, bias] }, dy) => {
    const [p, w, b] = [x, weight, bias] as [Node, Node, Node];
    const rows = elements(p.shape.slice(0, -1));
    const x2 = p.shape.length === 2 ? p : reshape(p, [rows, w.shape[0] as number]);
    const dy2 = dy.shape.length === 2 ? dy : reshape(dy, [rows, w.shape[1] as number]);
    const dx = matmul(dy2, w, { transposeB: true });
    return [p.shape.length === 2 ? dx : reshape(dx, p.shape), matmul(x2, dy2, { transposeA: true }), sumTo(dy2, b.shape)];
  },
};

/** y = x W + b. @throws VitrineError `shape-mismatch` */
export const affine = (x: Node, weight: Node, bias: Node): Node => apply(affineOperation, [x, weight, bias], {});

/** Fused: dW = xᵀ dy and db = Σ_rows dy in one pass over dy. Inputs x [rows, inputs], dy [rows, outputs]; outputs dW, db. */
export const weightGradientKernels: KernelFamily<object> = {
  name: 'affineWeightGradient',
  shapeClass: (call) => productClass(describeWeightGradient(call)),
  ...productVariants('weight_gradient', describeWeightGradient),
};

function describeWeightGradient({ inputs: [x, dy] }: Call<object>): Product {
  const [inner, rows] = (x as TensorType).shape as [number, number];
  return { rows, inner, cols: (dy as TensorType).shape[1] as number, batch: 1, aBatch: 0, bBatch: 0, transposeA: true, transposeB: false };
}
