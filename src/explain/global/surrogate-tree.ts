import { checkWhole, shapeMismatch, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { permute } from '../../engine/random.ts';
import { requireGoingOn } from '../attribution.ts';
import { growTree, type Impurity, nodesOf, pathOf, type TreeNode } from './decision-tree.ts';
import { columnNames, inputsOf, predictedClasses, requireClasses } from './network-outputs.ts';
import { type Interval, shareInterval } from './statistics.ts';

export type { Impurity, TreeNode } from './decision-tree.ts';

export interface SurrogateTreeOptions {
  /** Deepest leaf; 4 by default, which a person can still read. */
  readonly depth?: number;
  /** 'gini' by default. */
  readonly impurity?: Impurity;
  /** Fewest rows of a leaf; 1 by default. */
  readonly leastRows?: number;
  /** Examples that fidelity is measured on. By default a fifth of x, drawn by the seed, is kept for it. */
  readonly heldOut?: Examples;
  /**
   * A node with fewer rows than this asks the network about more, drawn column by column from the rows that came there (TREPAN); 0, none, by default.
   * The paper asks for 1000.
   */
  readonly queries?: number;
  readonly seed?: number;
  /** Names of the columns; x0, x1, … by default. */
  readonly features?: readonly string[];
  /** Names of the classes; their indices by default. */
  readonly classes?: readonly string[];
  readonly signal?: AbortSignal;
}

/** How often the tree, cut off at a depth, says what the network says. */
export interface Fidelity {
  readonly depth: number;
  readonly leaves: number;
  readonly training: number;
  /** With Wilson's interval at 95 %. */
  readonly heldOut: Interval;
}

/** One question on the way of an example, or the answer at its end. */
export interface PathStep {
  readonly node: TreeNode;
  /** `income ≤ 2.5`, as it is true of the example; the class, at the end. */
  readonly text: string;
}

export interface SurrogateTree {
  readonly root: TreeNode;
  readonly depth: number;
  readonly leaves: number;
  /** Of each depth from 0 (the commonest class for everything) on. */
  readonly fidelity: readonly Fidelity[];
  /** Share of the network's commonest class among the held-out rows: what fidelity has to be compared with. */
  readonly majority: number;
  readonly features: readonly string[];
  readonly classes: readonly string[];
  /** Rows that were asked of the network besides x. */
  readonly queries: number;
  /** [rows] classes of [rows, features] values. */
  predict(x: ArrayLike<number>): Uint32Array;
  /** The way of one example. @throws VitrineError `shape-mismatch` */
  path(x: ArrayLike<number>): PathStep[];
  /** An indented outline. */
  text(): string;
  /** A Mermaid flowchart. */
  mermaid(): string;
  toJSON(): object;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

/**
 * Surrogate tree: a small classification tree that answers what the network answers, to be read in its place.
 *
 * **Shapes** x [rows, ...inputShape], an example's elements being the columns. **Cost** one forward row an example and query, and the growing, on the CPU:
 * about rows × columns × depth steps.
 * **Shows** what in the data the network's decisions go by, as far as a few axis-aligned questions can say it: read it with its fidelity on held-out rows, and
 * that against the majority's share. **Does not show** how the network computes: a tree of the same answers may ask for something else.
 * Defaults: depth 4 (readable; there is no published default), Gini, no queries, a fifth held out.
 * **Source** Craven, Shavlik 1996 (TREPAN: labels and queries of the network); Breiman et al. 1984 (CART).
 *
 * @throws VitrineError `unsupported-model`, `shape-mismatch`, `dtype-mismatch`, `non-finite-data`, `invalid-option`, `empty-dataset`, `aborted`
 */
export async function surrogateTree(model: Model, x: Examples, options: SurrogateTreeOptions = {}): Promise<SurrogateTree> {
  const method = 'surrogateTree';
  const { depth = 4, impurity = 'gini', leastRows = 1, queries = 0, seed = 0 } = options;
  checkWhole(`${method}: depth`, depth, 0, 64);
  checkWhole(`${method}: leastRows`, leastRows, 1);
  checkWhole(`${method}: queries`, queries, 0, 1_000_000);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  if (impurity !== 'gini' && impurity !== 'entropy') {
    throw new VitrineError('invalid-option', `${method}: there is no impurity '${String(impurity)}'.`, "use 'gini' or 'entropy'.", {
      impurity,
    });
  }
  const count = requireClasses(method, model);
  const names = columnNames(method, model, options.features);
  const classes = options.classes ?? Array.from({ length: count }, (_, c) => String(c));
  if (classes.length !== count) {
    throw shapeMismatch(`${method}: ${classes.length} class names for ${count} classes.`, 'name every class, or none.', { classes: count });
  }
  const features = elements(model.spec.inputShape);
  const { training, heldOut } = await divide(method, model, x, options.heldOut, seed);
  const ask = (rows: Float32Array): Promise<Uint32Array> => {
    requireGoingOn(method, options.signal);
    return predictedClasses(method, model, rows);
  };
  const [labels, heldOutLabels] = [await ask(training), await ask(heldOut)];
  const root = await growTree(training, labels, features, { classes: count, depth, impurity, leastRows, queries, seed, ask });

  const nodes = nodesOf(root);
  const deepest = Math.max(...nodes.map((node) => node.depth));
  const row = (values: ArrayLike<number>, i: number): ArrayLike<number> =>
    Array.prototype.slice.call(values, i * features, (i + 1) * features);
  const hits = (values: Float32Array, wanted: Uint32Array, to: number): number => {
    let same = 0;
    for (let i = 0; i < wanted.length; i++) {
      const end = pathOf(root, values.subarray(i * features, (i + 1) * features), to).at(-1) as TreeNode;
      if (end.prediction === wanted[i]) same += 1;
    }
    return same;
  };
  const fidelity = Array.from({ length: deepest + 1 }, (_, to) => ({
    depth: to,
    leaves: nodes.filter((node) => node.depth === to || (node.depth < to && !node.split)).length,
    training: hits(training, labels, to) / labels.length,
    heldOut: shareInterval(hits(heldOut, heldOutLabels, to), heldOutLabels.length),
  }));
  const heldOutCounts = Array<number>(count).fill(0);
  for (const label of heldOutLabels) heldOutCounts[label] = (heldOutCounts[label] as number) + 1;
  const question = ({ split }: TreeNode, yes: boolean): string =>
    split ? `${names[split.feature]} ${yes ? '≤' : '>'} ${short(split.threshold)}` : '';
  const answer = ({ prediction, counts, rows, queries: asked }: TreeNode): string => {
    const all = rows + asked;
    return `${classes[prediction]} (${counts[prediction]} of ${all})`;
  };
  const outline = (node: TreeNode, indent: string): string[] => {
    if (!node.left || !node.right) return [`${indent}→ ${answer(node)}`];
    return [
      `${indent}${question(node, true)}`,
      ...outline(node.left, `${indent}  `),
      `${indent}${question(node, false)}`,
      ...outline(node.right, `${indent}  `),
    ];
  };
  const quoted = (text: string): string => text.replaceAll('"', '#quot;');
  const leaves = nodes.filter((node) => !node.split).length;
  const majority = Math.max(...heldOutCounts) / heldOutLabels.length;
  return {
    root,
    depth: deepest,
    leaves,
    fidelity,
    majority,
    features: names,
    classes,
    queries: nodes.reduce((sum, node) => sum + (node.split ? 0 : node.queries), 0),
    predict: (values) =>
      Uint32Array.from({ length: values.length / features }, (_, i) => (pathOf(root, row(values, i)).at(-1) as TreeNode).prediction),
    path: (example) => {
      if (example.length !== features) {
        throw shapeMismatch(`${method}: the example has ${example.length} values; the tree asks about ${features}.`, 'give one example.', {
          features,
        });
      }
      const path = pathOf(root, example);
      return path.map((node, i) => ({ node, text: i + 1 < path.length ? question(node, path[i + 1] === node.left) : answer(node) }));
    },
    text: () => outline(root, '').join('\n'),
    mermaid: () =>
      [
        'flowchart TD',
        ...nodes.map((node) => `  n${node.id}${node.split ? `{"${quoted(question(node, true))}"}` : `["${quoted(answer(node))}"]`}`),
        ...nodes.flatMap(({ id, left, right }) =>
          left && right ? [`  n${id} -->|yes| n${left.id}`, `  n${id} -->|no| n${right.id}`] : [],
        ),
      ].join('\n'),
    toJSON: () => ({ depth: deepest, leaves, majority, impurity, fidelity, features: names, classes, root }),
  };
}

/** The rows that the tree grows on, and those that it is tried on. */
async function divide(
  method: string,
  model: Model,
  x: Examples,
  given: Examples | undefined,
  seed: number,
): Promise<{ training: Float32Array; heldOut: Float32Array }> {
  const values = await inputsOf(model, x);
  if (given !== undefined) return { training: values, heldOut: await inputsOf(model, given) };
  const features = elements(model.spec.inputShape);
  const rows = values.length / features;
  if (rows < 2) {
    throw new VitrineError(
      'empty-dataset',
      `${method}: ${rows} example cannot be divided.`,
      'pass more, or examples to try the tree on as heldOut.',
      { rows },
    );
  }
  const apart = Math.max(1, Math.floor(rows / 5));
  const select = (from: number, to: number): Float32Array => {
    const result = new Float32Array((to - from) * features);
    for (let i = from; i < to; i++) {
      const source = permute(i, rows, seed, 0);
      result.set(values.subarray(source * features, (source + 1) * features), (i - from) * features);
    }
    return result;
  };
  return { training: select(apart, rows), heldOut: select(0, apart) };
}
