/** The written list of what compile may fuse. Each pattern says which nodes one kernel can compute together. */

import type { Node } from './graph.ts';
import type { KernelFamily, TensorType } from './operation.ts';
import { affineOperation, weightGradientKernels } from './ops/affine.ts';
import { crossEntropyBackwardOperation, crossEntropyOperation, crossEntropyTrainingKernels, hitsOperation } from './ops/cross-entropy.ts';
import { fillOperation } from './ops/fill.ts';
import { maskedProductKernels, matmulOperation } from './ops/matmul.ts';
import { meanOverRowsBackwardOperation } from './ops/mean-over-rows.ts';
import { sumOperation } from './ops/reduce.ts';
import { reluBackwardOperation, reluOperation } from './ops/relu.ts';

/** What one dispatch computes. */
export interface Group {
  readonly family: KernelFamily & { readonly writes?: readonly number[] };
  /** The nodes it stands for. */
  readonly covers: readonly Node[];
  readonly inputs: readonly Node[];
  /** Outputs in the order of the kernel's bindings; a bare type is written and read by no one. */
  readonly outputs: readonly (Node | TensorType)[];
  readonly attributes: unknown;
}

/** One group for each node, or for several where a pattern matches; in an order in which they can run. */
export function findFusions(nodes: readonly Node[], pinned: ReadonlySet<Node>, fuse: boolean): Group[] {
  const readers = new Map<Node, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const taken = new Set<Node>();
  const groups: Group[] = [];
  const context: FusionContext = {
    readers: (node) => readers.get(node) ?? [],
    absorbable: (node, by) => !pinned.has(node) && !taken.has(node) && (readers.get(node) ?? []).every((reader) => by.includes(reader)),
    free: (node) => !taken.has(node),
  };
  for (const node of fuse ? nodes : []) {
    if (taken.has(node)) continue;
    for (const pattern of patterns) {
      const group = pattern(node, context);
      if (!group) continue;
      for (const each of group.covers) taken.add(each);
      groups.push(group);
      break;
    }
  }
  for (const node of nodes) {
    const { operation } = node;
    if (taken.has(node) || !operation || operation.view || operation === fillOperation) continue;
    groups.push({
      family: operation,
      covers: [node],
      inputs: node.inputs,
      outputs: operation.writes ? [] : [node],
      attributes: node.attributes,
    });
  }
  // A group runs when its first output is due; all that a pattern reads is older than that.
  const due = (group: Group): number =>
    Math.min(...(group.outputs.some(isNode) ? group.outputs.filter(isNode) : group.covers).map((node) => node.id));
  return groups.sort((a, b) => due(a) - due(b));
}

const isNode = (output: Node | TensorType): output is Node => 'graph' in output;

export interface FusionContext {
  readers(node: Node): readonly Node[];
  /** The node's value may stay unwritten: no one asked for it, and no one but `by` reads it. */
  absorbable(node: Node, by: readonly Node[]): boolean;
  /** No other pattern has taken it. */
  free(node: Node): boolean;
}

type Pattern = (node: Node, context: FusionContext) => Group | undefined;

/** affine → ReLU: the activation is applied before the product is stored. */
const affineRelu: Pattern = (node, context) => {
  const product = node.inputs[0];
  if (node.operation !== reluOperation || product?.operation !== affineOperation || !context.absorbable(product, [node])) return undefined;
  return { family: affineOperation, covers: [product, node], inputs: product.inputs, outputs: [node], attributes: { relu: true } };
};

/** softmax, cross-entropy, accuracy and the gradient of their mean: one look at the logits serves them all. */
const crossEntropyStep: Pattern = (node, context) => {
  if (node.operation !== crossEntropyBackwardOperation) return undefined;
  const [logits, labels, dLoss] = node.inputs as [Node, Node, Node];
  const [seed, state] = dLoss.inputs;
  const plainMean = dLoss.operation === meanOverRowsBackwardOperation && seed?.operation === fillOperation && seed.attributes.value === 1;
  if (!plainMean || !state || !context.absorbable(dLoss, [node])) return undefined;
  const sibling = (operation: KernelFamily): Node | undefined =>
    context.readers(logits).find((reader) => reader.operation === operation && reader.inputs[1] === labels && context.free(reader));
  const loss = sibling(crossEntropyOperation);
  const hit = sibling(hitsOperation);
  if (!loss) return undefined;
  const unread: TensorType = { shape: loss.shape, dtype: 'float32' };
  return {
    family: crossEntropyTrainingKernels,
    covers: [loss, ...(hit ? [hit] : []), dLoss, node],
    inputs: [logits, labels, state],
    outputs: [loss, hit ?? unread, node],
    attributes: {},
  };
};

/** dW = xᵀ dy and db = Σ_rows dy: both walk dy. The sum must be younger than x too, or the group would be due before x is there. */
const weightAndBiasGradient: Pattern = (node, context) => {
  const { transposeA, transposeB } = node.attributes;
  const [x, dy] = node.inputs;
  if (node.operation !== matmulOperation || !transposeA || transposeB || !x || !dy || x.shape.length !== 2 || dy.shape.length !== 2)
    return undefined;
  const bias = context.readers(dy).find((reader) => {
    const { operation, attributes, shape } = reader;
    return (
      operation === sumOperation &&
      context.free(reader) &&
      reader.id > x.id &&
      attributes.axes.length === 1 &&
      attributes.axes[0] === 0 &&
      shape.length === 1
    );
  });
  if (!bias) return undefined;
  return { family: weightGradientKernels, covers: [node, bias], inputs: [x, dy], outputs: [node, bias], attributes: {} };
};

/** ReLU's gradient into the product before it: what the gate stops is not stored. */
const maskedProduct: Pattern = (node, context) => {
  const [y, product] = node.inputs;
  if (node.operation !== reluBackwardOperation || !y || product?.operation !== matmulOperation || !context.absorbable(product, [node]))
    return undefined;
  const { transposeA, transposeB } = product.attributes;
  if (transposeA || !transposeB) return undefined;
  return {
    family: maskedProductKernels,
    covers: [product, node],
    inputs: [...product.inputs, y],
    outputs: [node],
    attributes: product.attributes,
  };
};

const patterns: readonly Pattern[] = [affineRelu, crossEntropyStep, weightAndBiasGradient, maskedProduct];
