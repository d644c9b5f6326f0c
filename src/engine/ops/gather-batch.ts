/**
 * Gathers a batch from the resident data set: x[r] = data[index(cursor + r)], and its labels.
 *
 * **Shapes** data uint32 [count, words] (packed bytes, float bits or indices), labels [examples], state [32] → x [batch, features], labels [batch].
 * **Gradient** none: it writes the batch in place.
 * **Error** exact; bytes are divided by `divisor` in float32.
 * **Source** the permutation is engine/random.ts's `permute`, keyed by (seed, epoch, position).
 */

import source from '../../shaders/gather-batch.wgsl?raw';
import random from '../../shaders/random.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { apply, type Node } from '../graph.ts';
import { kernel, linearWorkgroups } from '../kernel.ts';
import { type Call, type Dispatch, type Operation, rowElements, type TensorType } from '../operation.ts';

export interface GatherAttributes {
  /** How data is stored. */
  readonly storage: 'bytes' | 'floats';
  readonly shuffle: boolean;
  /** Example at position 0, where the order is not shuffled. */
  readonly offset: number;
  /** First example of this shard of the data. */
  readonly first: number;
  /** Examples in this shard. */
  readonly count: number;
  readonly labelled: boolean;
  readonly divisor: number;
}

const code = `${random}\n${training}\n${source}`;
const bindings = ['data', 'all_labels', 'state', 'x', 'labels'];
const kernels = { bytes: kernel('gather-batch', code, 'bytes', bindings), floats: kernel('gather-batch', code, 'floats', bindings) };

function dispatch({ inputs, attributes }: Call<GatherAttributes>, wordsEach: number): Dispatch {
  const [data, , , x] = inputs as [TensorType, TensorType, TensorType, TensorType];
  const words = data.shape[1] as number;
  const rows = x.shape[0] as number;
  const parts = Math.ceil(words / wordsEach);
  return {
    kernel: kernels[attributes.storage],
    parameters: {
      features: rowElements(x.shape),
      words,
      parts,
      shuffle: attributes.shuffle ? 1 : 0,
      offset: attributes.offset,
      first: attributes.first,
      count: attributes.count,
      labelled: attributes.labelled ? 1 : 0,
      divisor: attributes.divisor,
    },
    workgroups: linearWorkgroups(rows * parts, 32),
  };
}

export const gatherBatchOperation: Operation<GatherAttributes> = {
  name: 'gatherBatch',
  infer: ([, , , x]) => x as TensorType,
  constant: true,
  writes: [3, 4],
  // A processor does best with 28 words an invocation, so that the permutation is computed rarely; a GPU with one (unmeasured).
  variants: [
    { name: 'strided', dispatch: (call) => dispatch(call, 28) },
    { name: 'word', dispatch: (call) => dispatch(call, 1) },
  ],
};

export const gatherBatch = (data: Node, allLabels: Node, state: Node, x: Node, labels: Node, attributes: GatherAttributes): Node =>
  apply(gatherBatchOperation, [data, allLabels, state, x, labels], attributes);
