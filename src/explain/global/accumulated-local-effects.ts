import { checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { ChangedColumns, columnGroupsOf } from './changed-columns.ts';
import { type AskedOutput, askedOutput, columnNames, inputsOf } from './network-outputs.ts';
import { columnOf, donorsOf } from './partial-dependence.ts';
import { quantile } from './statistics.ts';

export interface AccumulatedLocalEffectsOptions extends AskedOutput {
  /** Columns to follow; all by default. */
  readonly columns?: readonly number[];
  /** Bins, each with about as many examples; 40 by default, fewer where quantiles coincide. */
  readonly bins?: number;
  /** Names of the columns; x0, x1, … by default. */
  readonly features?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface AccumulatedLocalEffects {
  readonly column: number;
  readonly name: string;
  /** [bins + 1] from the least value to the greatest. */
  readonly edges: Float64Array;
  /** [bins + 1] the effect at each edge; its mean over the examples is 0. */
  readonly effect: Float64Array;
  /** [bins] examples in each bin; the least value belongs to the first. */
  readonly counts: Uint32Array;
}

/**
 * Accumulated local effects: how the output goes with one column, following the data. In each bin the mean of f(z_k, ·) − f(z_{k−1}, ·) over the
 * examples that lie in it, added up from the left, less its mean over the examples.
 *
 * **Shapes** x [rows, ...inputShape] → for each column edges and effect [bins + 1]. **Cost** 2 forward rows an example and column, from the first affine
 * layer on where the model begins with one.
 * **Shows** the effect of a column where columns go together, without leaving the data as partial dependence does. **Does not show** interactions, nor
 * the level of the output: the effect is about its mean. A column of one value has one edge and no effect.
 * Defaults: 40 quantile bins (ALEPlot); the logit.
 * **Source** Apley, Zhu 2020, "Visualizing the effects of predictor variables in black box supervised learning models", equation 15.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `label-out-of-range`, `non-finite-data`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export async function accumulatedLocalEffects(
  model: Model,
  x: Examples,
  options: AccumulatedLocalEffectsOptions = {},
): Promise<AccumulatedLocalEffects[]> {
  const method = 'accumulatedLocalEffects';
  const { bins = 40, signal } = options;
  checkWhole(`${method}: bins`, bins, 1, 10_000);
  const asked = askedOutput(method, model, options);
  const features = elements(model.spec.inputShape);
  const names = columnNames(method, model, options.features);
  const columns = columnGroupsOf(method, features, options.columns).map(([column]) => column as number);
  const values = await inputsOf(model, x);
  const rows = values.length / features;
  const edges = columns.map((column) => {
    const sorted = columnOf(values, features, column);
    // Rounded as the GPU will hold them, so that every value lies in its bin.
    const all = Float64Array.from({ length: bins + 1 }, (_, k) => Math.fround(quantile(sorted, k / bins)));
    return all.filter((edge, k) => k === 0 || edge > (all[k - 1] as number));
  });
  const network = await ChangedColumns.create(method, model, {
    x: values,
    donors: donorsOf(features, columns, edges),
    groups: columns.map((column) => [column]),
    answer: asked.of,
    signal,
  });
  try {
    const result: AccumulatedLocalEffects[] = [];
    for (const [group, column] of columns.entries()) {
      const own = edges[group] as Float64Array;
      const bin = Uint32Array.from({ length: rows }, (_, i) => binOf(own, values[i * features + column] as number));
      const queries = new Uint32Array(6 * rows);
      for (let i = 0; i < rows; i++) {
        const k = bin[i] as number;
        queries.set([i, group, k, i, group, Math.min(k + 1, own.length - 1)], 6 * i);
      }
      const answers = await network.ask(queries);
      const counts = new Uint32Array(Math.max(0, own.length - 1));
      const sums = new Float64Array(counts.length);
      for (let i = 0; i < rows && counts.length > 0; i++) {
        counts[bin[i] as number]! += 1;
        sums[bin[i] as number]! += (answers[2 * i + 1] as number) - (answers[2 * i] as number);
      }
      const effect = new Float64Array(own.length);
      for (let k = 0; k < counts.length; k++)
        effect[k + 1] = (effect[k] as number) + (counts[k] ? (sums[k] as number) / (counts[k] as number) : 0);
      let mean = 0;
      for (let k = 0; k < counts.length; k++)
        mean += ((counts[k] as number) * ((effect[k] as number) + (effect[k + 1] as number))) / 2 / rows;
      result.push({ column, name: names[column] as string, edges: own, effect: effect.map((value) => value - mean), counts });
    }
    return result;
  } finally {
    network.dispose();
  }
}

/** The bin (edge k, edge k + 1] of a value; the least is in the first. */
function binOf(edges: Float64Array, value: number): number {
  let [low, high] = [0, Math.max(0, edges.length - 2)];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (edges[middle + 1] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
