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

/** Of a box, on both sides of its text. */
const PADDING = 20;
/** Between two columns, for the lines. */
const GAP = 36;
const LINE = 28;

/**
 * @param widthOf of the text of a node, in pixels
 * @param end room that is left at the right, where the example is pointed at
 */
export function layOutTree(root: TreeNode, widthOf: (node: TreeNode) => number, end: number): TreeLayout {
  const widths: number[] = [];
  let leaves = 0;
  const lines = new Map<TreeNode, number>();
  const measure = (node: TreeNode): number => {
    widths[node.depth] = Math.max(widths[node.depth] ?? 0, widthOf(node) + PADDING);
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
      width: widthOf(node) + PADDING,
    };
    nodes.push(placed);
    if (node.left) place(node.left, placed);
    if (node.right) place(node.right, placed);
  };
  place(root, undefined);
  return { nodes, width: Math.ceil((starts.at(-1) as number) + (widths.at(-1) as number) + end), height: LINE * leaves };
}
