/** The written list of what compile may fuse. Each pattern says which nodes one kernel can compute together. */

import type { Node } from './graph.ts';
import type { KernelFamily, TensorType } from './operation.ts';
import { fillOperation } from './ops/fill.ts';

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
  const due = (group: Group): number => Math.min(...(group.outputs.some(isNode) ? group.outputs.filter(isNode) : group.covers).map((node) => node.id));
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

const patterns: readonly Pattern[] = [];
