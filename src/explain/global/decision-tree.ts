/**
 * A classification tree: binary splits x_j ≤ t, each the one that lowers the impurity most.
 *
 *     gini 1 − Σ p²        entropy −Σ p log₂ p        gain = i(node) − Σ (n_child / n) · i(child)
 *
 * Values are ranks among the distinct values of their column, so a split is found by counting. Ties go to the lowest column, then to the lowest
 * threshold; a threshold lies halfway between two neighbouring values. The same rows in another order give the same tree.
 * **Source** Breiman, Friedman, Olshen, Stone 1984, "Classification and regression trees".
 */

import { uniform } from '../../engine/random.ts';

export type Impurity = 'gini' | 'entropy';

export interface TreeNode {
  /** From 0, parents before children. */
  readonly id: number;
  readonly depth: number;
  /** Rows of each class that come here, queries included. */
  readonly counts: readonly number[];
  /** How many of them are the data's, and how many were asked of the network. */
  readonly rows: number;
  readonly queries: number;
  /** The commonest class, the lowest of equals. */
  readonly prediction: number;
  readonly impurity: number;
  /** Absent in a leaf: rows with x[feature] ≤ threshold go left. */
  readonly split?: { readonly feature: number; readonly threshold: number; readonly gain: number };
  readonly left?: TreeNode;
  readonly right?: TreeNode;
}

export interface TreeOptions {
  readonly classes: number;
  readonly depth: number;
  readonly impurity: Impurity;
  /** Fewest rows of a leaf. */
  readonly leastRows: number;
  /** A node with fewer rows than this asks for more, as TREPAN does; 0 for none. */
  readonly queries: number;
  readonly seed: number;
  /** Labels of [rows, features] values. */
  readonly ask: (x: Float32Array) => Promise<Uint32Array>;
}

export function impurityOf(counts: ArrayLike<number>, kind: Impurity): number {
  let total = 0;
  for (let c = 0; c < counts.length; c++) total += counts[c] as number;
  if (total === 0) return 0;
  let result = kind === 'gini' ? 1 : 0;
  for (let c = 0; c < counts.length; c++) {
    const share = (counts[c] as number) / total;
    if (share > 0) result -= kind === 'gini' ? share * share : share * Math.log2(share);
  }
  return result;
}

/** Columns of data as ranks of their distinct values. */
interface Ranked {
  readonly features: number;
  /** Of each column, ascending. */
  readonly values: readonly Float32Array[];
  /** [rows, features] */
  readonly ranks: Uint32Array;
}

function rank(x: Float32Array, features: number): Ranked {
  const rows = x.length / features;
  const ranks = new Uint32Array(x.length);
  const values = Array.from({ length: features }, (_, j) => {
    const column = Float32Array.from({ length: rows }, (_each, i) => x[i * features + j] as number).sort();
    const distinct = column.filter((value, i) => i === 0 || value !== column[i - 1]);
    for (let i = 0; i < rows; i++) {
      const value = x[i * features + j] as number;
      let [low, high] = [0, distinct.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((distinct[middle] as number) < value) low = middle + 1;
        else high = middle;
      }
      ranks[i * features + j] = low;
    }
    return distinct;
  });
  return { features, values, ranks };
}

/** Rows that have come to a node. */
interface Here {
  /** [rows, features] */
  readonly ranks: Uint32Array;
  readonly labels: Uint32Array;
  /** How many of them, the first, are the data's. */
  readonly own: number;
}

/** Grows a tree on labelled rows. */
export async function growTree(x: Float32Array, labels: Uint32Array, features: number, options: TreeOptions): Promise<TreeNode> {
  const data = rank(x, features);
  let next = 0;
  const grow = async (given: Here, depth: number): Promise<TreeNode> => {
    const id = next++;
    const here = depth < options.depth ? await askMore(data, given, id, options) : given;
    const counts = Array<number>(options.classes).fill(0);
    for (const label of here.labels) counts[label] = (counts[label] as number) + 1;
    const impurity = impurityOf(counts, options.impurity);
    const node = {
      id,
      depth,
      counts,
      rows: here.own,
      queries: here.labels.length - here.own,
      prediction: counts.indexOf(Math.max(...counts)),
      impurity,
    };
    const split = depth < options.depth && impurity > 0 ? bestSplit(data, here, counts, impurity, options) : undefined;
    if (!split) return node;
    const { feature, rank: upTo, threshold, gain } = split;
    const left = await grow(
      take(here, features, (r) => (r[feature] as number) <= upTo),
      depth + 1,
    );
    const right = await grow(
      take(here, features, (r) => (r[feature] as number) > upTo),
      depth + 1,
    );
    return { ...node, split: { feature, threshold, gain }, left, right };
  };
  return grow({ ranks: data.ranks, labels, own: labels.length }, 0);
}

/** The rows that `goes` says yes to, given a row's ranks. */
function take({ ranks, labels, own }: Here, features: number, goes: (row: Uint32Array) => boolean): Here {
  const kept: number[] = [];
  for (let i = 0; i < labels.length; i++) if (goes(ranks.subarray(i * features, (i + 1) * features))) kept.push(i);
  const result = new Uint32Array(kept.length * features);
  kept.forEach((i, at) => {
    result.set(ranks.subarray(i * features, (i + 1) * features), at * features);
  });
  return { ranks: result, labels: Uint32Array.from(kept, (i) => labels[i] as number), own: kept.filter((i) => i < own).length };
}

/**
 * More rows from where a node is: each column drawn from the rows that came here, so that every split on the way holds, and labelled by the network.
 * **Source** Craven, Shavlik 1996, "Extracting tree-structured representations of trained networks" (drawing from the columns' own distributions).
 */
async function askMore(data: Ranked, here: Here, node: number, { queries, seed, ask }: TreeOptions): Promise<Here> {
  const rows = here.labels.length;
  const wanted = queries - rows;
  if (wanted <= 0 || rows === 0) return here;
  const { features, values } = data;
  const ranks = new Uint32Array((rows + wanted) * features);
  ranks.set(here.ranks);
  const x = new Float32Array(wanted * features);
  for (let i = 0; i < wanted; i++) {
    for (let j = 0; j < features; j++) {
      const from = Math.min(rows - 1, Math.floor(rows * uniform(seed, node, i, j)));
      const drawn = here.ranks[from * features + j] as number;
      ranks[(rows + i) * features + j] = drawn;
      x[i * features + j] = (values[j] as Float32Array)[drawn] as number;
    }
  }
  const labels = new Uint32Array(rows + wanted);
  labels.set(here.labels);
  labels.set(await ask(x), rows);
  return { ranks, labels, own: here.own };
}

/** Gains nearer than this are equal. */
const EQUAL_GAINS = 1e-12;

function bestSplit(
  { features, values }: Ranked,
  { ranks, labels }: Here,
  counts: readonly number[],
  impurity: number,
  { classes, impurity: kind, leastRows }: TreeOptions,
): { feature: number; rank: number; threshold: number; gain: number } | undefined {
  const n = labels.length;
  let best: { feature: number; rank: number; threshold: number; gain: number } | undefined;
  for (let feature = 0; feature < features; feature++) {
    const distinct = values[feature] as Float32Array;
    if (distinct.length < 2) continue;
    const byRank = new Uint32Array(distinct.length * classes);
    const present = new Uint32Array(distinct.length);
    for (let i = 0; i < n; i++) {
      const r = ranks[i * features + feature] as number;
      byRank[r * classes + (labels[i] as number)]! += 1;
      present[r]! += 1;
    }
    const left = Array<number>(classes).fill(0);
    const right = [...counts];
    let before = -1;
    let leftRows = 0;
    for (let r = 0; r < distinct.length; r++) {
      if (present[r] === 0) continue;
      // Between the value before and this one.
      if (before >= 0 && leftRows >= leastRows && n - leftRows >= leastRows) {
        const gain = impurity - (leftRows * impurityOf(left, kind) + (n - leftRows) * impurityOf(right, kind)) / n;
        if (gain > (best?.gain ?? 0) + EQUAL_GAINS) {
          best = { feature, rank: before, threshold: ((distinct[before] as number) + (distinct[r] as number)) / 2, gain };
        }
      }
      for (let c = 0; c < classes; c++) {
        const count = byRank[r * classes + c] as number;
        left[c] = (left[c] as number) + count;
        right[c] = (right[c] as number) - count;
      }
      leftRows += present[r] as number;
      before = r;
    }
  }
  return best;
}

/** The nodes that an example passes, from the root on, at most `depth` deep. */
export function pathOf(root: TreeNode, row: ArrayLike<number>, depth: number = Number.POSITIVE_INFINITY): TreeNode[] {
  const path = [root];
  for (let node = root; node.split && node.left && node.right && node.depth < depth; ) {
    node = (row[node.split.feature] as number) <= node.split.threshold ? node.left : node.right;
    path.push(node);
  }
  return path;
}

/** Every node, parents before children. */
export const nodesOf = (root: TreeNode): TreeNode[] => [
  root,
  ...(root.left ? nodesOf(root.left) : []),
  ...(root.right ? nodesOf(root.right) : []),
];
