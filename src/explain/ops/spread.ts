/**
 * Numbers of groups or windows as a map over the input: y[e, i] = share[i] · Σ v[e, k] over the k that element i lies in, in order.
 *
 * **Shapes** v [examples, width], start uint32 [inputs + 1], members uint32 [n] (element i lies in members[start[i]] … members[start[i + 1] − 1]),
 * share [inputs] → y [examples, inputs]. With share = 1 / (size of its group) a group's number is divided among its elements; with
 * 1 / (number of windows over it) an element gets their mean.
 * **Gradient** none. **Error** of a short sum and one product.
 * **Source** Zeiler, Fergus 2014, "Visualizing and understanding convolutional networks" (maps of overlapping windows).
 */

import { apply, type Node, requireType } from '../../engine/graph.ts';
import { kernel, linearWorkgroups } from '../../engine/kernel.ts';
import { elements, type Operation, type TensorType } from '../../engine/operation.ts';
import { requireShape } from '../../engine/rows.ts';
import source from '../../shaders/spread.wgsl?raw';

export const spreadOperation: Operation<object> = {
  name: 'spread',
  infer: (inputs) => {
    const [v, start, members, share] = inputs as [TensorType, TensorType, TensorType, TensorType];
    requireType('spread', v, 'v', 'float32');
    requireType('spread', start, 'start', 'uint32');
    requireType('spread', members, 'members', 'uint32');
    requireType('spread', share, 'share', 'float32');
    const examples = v.shape[0] ?? 1;
    requireShape('spread', v, 'v', [examples, v.shape[1] ?? 1], 'two axes');
    requireShape('spread', share, 'share', [share.shape[0] ?? 1], 'one axis');
    requireShape('spread', start, 'start', [(share.shape[0] as number) + 1], 'one more than share');
    requireShape('spread', members, 'members', [members.shape[0] ?? 1], 'one axis');
    return { shape: [examples, share.shape[0] as number], dtype: 'float32' };
  },
  variants: [
    {
      name: 'scalar',
      dispatch: ({ inputs: [v], outputs: [y] }) => {
        const { shape } = y as TensorType;
        const count = elements(shape);
        return {
          kernel: kernel('spread', source, 'forward', ['v', 'start', 'members', 'share', 'y']),
          parameters: { count, inputs: shape[1] as number, width: (v as TensorType).shape[1] as number },
          workgroups: linearWorkgroups(count, 64),
        };
      },
    },
  ],
  constant: true,
};

/** A map over the input from numbers of groups or windows, [examples, inputs]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const spread = (v: Node, start: Node, members: Node, share: Node): Node => apply(spreadOperation, [v, start, members, share], {});
