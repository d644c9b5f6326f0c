/** The plan that fetches a batch from resident data into the buffers of a step. */

import { compile, type VariantTable } from './compile.ts';
import type { Device, Owner } from './device.ts';
import { Graph, type Node } from './graph.ts';
import { gatherBatch } from './ops/gather-batch.ts';
import type { Plan } from './plan.ts';
import type { ResidentData, Shard } from './resident-data.ts';
import type { Tensor } from './tensor.ts';

export interface GatherInto {
  readonly state: Tensor;
  /** [batch, ...inputShape] */
  readonly x: Tensor;
  /** uint32 labels [batch], or float32 targets [batch, ...]. */
  readonly answer: Tensor;
  /** Whether the order is a keyed permutation of the epoch, or the data's own from `first` on. */
  readonly shuffle: boolean;
  readonly first: number;
  readonly owner: Owner;
  readonly variants?: VariantTable;
}

export function compileGather(device: Device, data: ResidentData, into: GatherInto): Promise<Plan> {
  const graph = new Graph();
  const tensors = new Map<Node, Tensor>();
  const place = (tensor: Tensor): Node => {
    const node = graph.placeholder(tensor.name, tensor.shape, tensor.dtype);
    tensors.set(node, tensor);
    return node;
  };
  const [state, x, answer, labels] = [into.state, into.x, into.answer, data.labels].map(place) as [Node, Node, Node, Node];
  const labelled = into.answer.dtype === 'uint32';
  // A regression gathers its targets as a second batch; the label binding is then a spare word.
  const spare = labelled ? answer : graph.placeholder('spare', [1], 'uint32');
  const gather = ({ tensor, first, count }: Shard, to: Node, storage: 'bytes' | 'floats', withLabels: boolean): Node =>
    gatherBatch(place(tensor), labels, state, to, spare, {
      storage,
      first,
      count,
      labelled: withLabels,
      shuffle: into.shuffle,
      offset: into.first,
      divisor: data.dataset.divisor ?? 255,
    });
  const roots = data.inputs.map((shard) => gather(shard, x, data.storage, labelled));
  if (!labelled) roots.push(...data.targets.map((shard) => gather(shard, answer, 'floats', false)));
  return compile(device, roots, { name: 'gather', owner: into.owner, tensors, variants: into.variants ?? {} });
}
