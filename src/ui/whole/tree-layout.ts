/** Where the nodes of a binary tree stand in a diagram that is read from left to right: a column for each depth, a line for each leaf. */

import type { TreeNode } from '../../explain/global/surrogate-tree.ts';

export interface PlacedNode {
  readonly node: TreeNode;
  readonly parent: PlacedNode | undefined;
  /** Left end of its box, and the middle of its height, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export interface TreeLayout {
  /** Parents before children. */
  readonly nodes: readonly PlacedNode[];
  readonly width: number;
  readonly height: number;
}

/** Of a character at 11 px, a little more than on average. */
const CHARACTER = 6.1;
const PADDING = 22;
/** Between two columns, for the lines. */
const GAP = 44;
const LINE = 28;
/** Left at the end, where the example is pointed at. */
const END = 110;

export function layOutTree(root: TreeNode, textOf: (node: TreeNode) => string): TreeLayout {
  const widths: number[] = [];
  let leaves = 0;
  const lines = new Map<TreeNode, number>();
  const measure = (node: TreeNode): number => {
    widths[node.depth] = Math.max(widths[node.depth] ?? 0, CHARACTER * textOf(node).length + PADDING);
    let line: number;
    if (node.left && node.right) line = (measure(node.left) + measure(node.right)) / 2;
    else {
      line = leaves;
      leaves += 1;
    }
    lines.set(node, line);
    return line;
  };
  measure(root);
  const starts = widths.map((_, depth) => widths.slice(0, depth).reduce((sum, width) => sum + width + GAP, 0));
  const nodes: PlacedNode[] = [];
  const place = (node: TreeNode, parent: PlacedNode | undefined): void => {
    const placed: PlacedNode = {
      node,
      parent,
      x: 1 + (starts[node.depth] as number),
      y: LINE * ((lines.get(node) as number) + 0.5),
      width: CHARACTER * textOf(node).length + PADDING,
    };
    nodes.push(placed);
    if (node.left) place(node.left, placed);
    if (node.right) place(node.right, placed);
  };
  place(root, undefined);
  return { nodes, width: Math.ceil((starts.at(-1) as number) + (widths.at(-1) as number) + END), height: LINE * leaves };
}
