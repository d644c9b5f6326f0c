import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import { checkAnswers, type Examples, type Forward, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { subtract } from '../../engine/ops/arithmetic.ts';
import { crossEntropy, hits } from '../../engine/ops/cross-entropy.ts';
import { constant } from '../../engine/ops/fill.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { squaredError } from '../../engine/ops/squared-error.ts';
import { permute } from '../../engine/random.ts';
import type { ExplainProgress } from '../attribution.ts';
import { ChangedColumns, columnGroupsOf, countRows } from './changed-columns.ts';
import { columnNames, inputsOf, requireClasses } from './network-outputs.ts';
import { type Interval, meanInterval, meanOf } from './statistics.ts';

/** What is to be kept small: cross-entropy in nats, the share of wrong predictions, or the mean squared error. */
export type ImportanceMetric = 'crossEntropy' | 'errorRate' | 'meanSquaredError';

export interface PermutationImportanceOptions {
  /** 'crossEntropy' by default. */
  readonly metric?: ImportanceMetric;
  /** Permutations of each column; 5 by default. */
  readonly repeats?: number;
  /** Columns to try, or groups of columns that are permuted together, such as the levels of one category; every column by itself, by default. */
  readonly groups?: readonly (number | readonly number[])[];
  readonly seed?: number;
  /** Names of the columns; x0, x1, … by default. */
  readonly features?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each run: rows that are done, and all that there will be. */
  readonly onProgress?: (progress: ExplainProgress) => void;
}

export interface ColumnImportance {
  readonly columns: readonly number[];
  readonly names: readonly string[];
  /** Mean over the repeats of the metric with these columns permuted, less the metric; Student's interval at 95 %. */
  readonly importance: Interval;
  readonly repeats: readonly number[];
}

export interface PermutationImportance {
  readonly metric: ImportanceMetric;
  /** The metric of the data as they are. */
  readonly base: number;
  /** In the order of the groups. */
  readonly columns: readonly ColumnImportance[];
}

const METRICS: Readonly<Record<ImportanceMetric, (forward: Forward, labels: Node) => Node>> = {
  crossEntropy: ({ logits }, labels) => crossEntropy(logits, labels),
  errorRate: ({ logits }, labels) => {
    const hit = hits(logits, labels);
    return subtract(constant(hit.graph, 1, hit.shape), hit);
  },
  meanSquaredError: ({ output }, targets) => {
    const flat = [output.shape[0] as number, elements(output.shape.slice(1))];
    return squaredError(reshape(output, flat), reshape(targets, flat));
  },
};

/**
 * Permutation importance: how much worse the network does when a column's values are dealt out anew among the examples.
 *
 * **Shapes** x [rows, ...inputShape]; labels [rows] class indices, or targets [rows, ...outputShape] for 'meanSquaredError'.
 * **Cost** rows · columns · repeats forward rows, from the first affine layer on where the model begins with one: that layer costs only what changes.
 * **Shows** what the network relies on, on these data. **Does not show** what it would rely on without the column: of two columns that say the same, each
 * may come out unimportant; and permuted rows may be such as never occur.
 * The repeats share their permutations between columns, so that columns can be compared. Defaults: 5 repeats (scikit-learn), cross-entropy.
 * **Source** Breiman 2001, "Random forests", section 10; Fisher, Rudin, Dominici 2019, "All models are wrong, but many are useful".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `label-out-of-range`, `non-finite-data`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export async function permutationImportance(
  model: Model,
  x: Examples,
  labels: ArrayLike<number>,
  options: PermutationImportanceOptions = {},
): Promise<PermutationImportance> {
  const method = 'permutationImportance';
  const { metric = 'crossEntropy', repeats = 5, seed = 0, signal } = options;
  checkWhole(`${method}: repeats`, repeats, 1, 10_000);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  if (!Object.hasOwn(METRICS, metric)) {
    throw new VitrineError(
      'invalid-option',
      `${method}: there is no metric '${String(metric)}'.`,
      `use one of ${Object.keys(METRICS).join(', ')}.`,
      {
        metric,
      },
    );
  }
  const regression = metric === 'meanSquaredError';
  if (!regression) requireClasses(method, model);
  const features = elements(model.spec.inputShape);
  const names = columnNames(method, model, options.features);
  const groups = columnGroupsOf(method, features, options.groups);
  const values = await inputsOf(model, x);
  const rows = values.length / features;
  const outputShape = model.layers.at(-1)?.outputShape ?? [];
  const answers = checkAnswers(
    model,
    regression ? 'meanSquaredError' : 'crossEntropy',
    labels,
    regression ? [rows, ...outputShape] : [rows],
  );
  const asked = await ChangedColumns.create(method, model, {
    x: values,
    groups,
    labels: answers,
    answer: (forward, given) => METRICS[metric](forward, given as Node),
    signal,
    onRows: countRows(rows * (1 + groups.length * repeats), options.onProgress),
  });
  try {
    // The data as they are go the same way, so that a column that nothing depends on comes out as exactly 0.
    const base = meanOf(await asked.ask(queries(rows, groups.length, new Uint32Array(rows))));
    const permutations = Array.from({ length: repeats }, (_, k) =>
      Uint32Array.from({ length: rows }, (_each, i) => permute(i, rows, seed, k)),
    );
    const columns: ColumnImportance[] = [];
    const together = Math.max(1, Math.floor(MOST_QUERIES / (rows * repeats)));
    for (let first = 0; first < groups.length; first += together) {
      const some = groups.slice(first, first + together);
      const worse = await asked.ask(joined(some.flatMap((_, i) => permutations.map((donors) => queries(rows, first + i, donors)))));
      some.forEach((members, i) => {
        const differences = permutations.map(
          (_, k) => meanOf(worse.subarray((i * repeats + k) * rows, (i * repeats + k + 1) * rows)) - base,
        );
        columns.push({
          columns: members,
          names: members.map((column) => names[column] as string),
          importance: meanInterval(differences),
          repeats: differences,
        });
      });
    }
    return { metric, base, columns };
  } finally {
    asked.dispose();
  }
}

/** Queries that are asked at once. */
const MOST_QUERIES = 2 ** 18;

/** Every example with one group changed to what its donor holds. */
function queries(rows: number, group: number, donors: ArrayLike<number>): Uint32Array {
  const result = new Uint32Array(3 * rows);
  for (let i = 0; i < rows; i++) result.set([i, group, donors[i] as number], 3 * i);
  return result;
}

function joined(parts: readonly Uint32Array[]): Uint32Array {
  const result = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
