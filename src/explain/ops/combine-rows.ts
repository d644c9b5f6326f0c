/**
 * Every example combined with every reference: y[e, s] = a_s x[e] + b_s reference[s].
 *
 * **Shapes** x [examples, ...], reference [references, ...], a and b [references] → y [examples · references, ...], an example's neighbours.
 * **Gradient** none. **Error** of two products and a sum.
 * **Source** Erion et al. 2021, "Improving performance of deep learning models with axiomatic attribution priors and expected gradients" (the points
 * between an example and samples of the data).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { type Call, elements, type Operation, rowElements, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/combine-rows.wgsl?raw';

const inQuads = ({ inputs: [x] }: Call): boolean => rowElements((x as TensorType).shape) % 4 === 0;

const dispatcher =
  (of: Kernel, perInvocation: number) =>
  ({ inputs: [x, reference], outputs: [y] }: Call) => {
    const count = elements((y as TensorType).shape);
    return {
      kernel: of,
      parameters: { count, width: rowElements((x as TensorType).shape), references: (reference as TensorType).shape[0] as number },
      workgroups: linearWorkgroups(count, 64 * perInvocation),
    };
  };

export const combineRowsOperation: Operation<object> = {
  name: 'combineRows',
  infer: (inputs) => {
    const [x, reference, a, b] = inputs as [TensorType, TensorType, TensorType, TensorType];
    inputs.forEach((input, i) => {
      requireType('combineRows', input, ['x', 'reference', 'a', 'b'][i] as string, 'float32');
    });
    const [examples = 1, ...rest] = x.shape;
    const references = reference.shape[0] ?? 1;
    requireShape('combineRows', reference, 'reference', [references, ...rest], 'rows as those of x');
    requireShape('combineRows', a, 'a', [references], 'one a reference');
    requireShape('combineRows', b, 'b', [references], 'one a reference');
    return { shape: [examples * references, ...rest], dtype: 'float32' };
  },
  variants: [
    {
      name: 'vec4',
      supports: inQuads,
      dispatch: dispatcher(kernel('combine-rows', source, 'forward_vec4', ['x4', 'reference4', 'a', 'b', 'y4']), 4),
    },
    { name: 'scalar', dispatch: dispatcher(kernel('combine-rows', source, 'forward', ['x', 'reference', 'a', 'b', 'y']), 1) },
  ],
  shapeClass: (call) => (inQuads(call) ? 'quads' : 'elements'),
  constant: true,
};

/** a_s x[e] + b_s reference[s], [examples · references, ...]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const combineRows = (x: Node, reference: Node, a: Node, b: Node): Node => apply(combineRowsOperation, [x, reference, a, b], {});
