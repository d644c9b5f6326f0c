import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import type { ExplainProgress } from '../attribution.ts';
import { ChangedColumns, columnGroupsOf, countRows } from './changed-columns.ts';
import { type AskedOutput, askedOutput, columnNames, inputsOf } from './network-outputs.ts';
import { quantile } from './statistics.ts';

export interface PartialDependenceOptions extends AskedOutput {
  /** Columns to vary; all by default. */
  readonly columns?: readonly number[];
  /** Points of a grid; 100 by default. A column of fewer different values is tried at those. */
  readonly points?: number;
  /** Quantiles of the column between which the grid lies; [0.05, 0.95] by default. */
  readonly between?: readonly [number, number];
  /** Names of the columns; x0, x1, … by default. */
  readonly features?: readonly string[];
  readonly signal?: AbortSignal;
  /** Called after each run: rows that are done, and all that there will be. */
  readonly onProgress?: (progress: ExplainProgress) => void;
}

export interface PartialDependence {
  readonly column: number;
  readonly name: string;
  /** [points] values of the column. */
  readonly grid: Float64Array;
  /** [points] the mean of the output over the examples with the column set to each. */
  readonly mean: Float64Array;
  /** [examples, points] each example's own curve (ICE). */
  readonly ice: Float32Array;
}

/**
 * Partial dependence and individual conditional expectation: the output as one column takes each value of a grid, every other column as it
 * is; f̄(v) = mean_i f(v, x_i,−j), and the curve of each example.
 *
 * **Shapes** x [rows, ...inputShape] → for each column grid [points], mean [points], ice [rows, points].
 * **Cost** rows · points forward rows a column, from the first affine layer on where the model begins with one.
 * **Shows** how the output goes with one column; curves that are not parallel are interactions, which the mean hides. **Does not show** what happens along the
 * data where columns go together: the grid leaves them. accumulatedLocalEffects stays with them.
 * Defaults: 100 points between the 5 % and the 95 % quantile (scikit-learn); the logit.
 * **Source** Friedman 2001, "Greedy function approximation", 8.2; Goldstein, Kapelner, Bleich, Pitkin 2015, "Peeking inside the black box".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `label-out-of-range`, `non-finite-data`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export async function partialDependence(model: Model, x: Examples, options: PartialDependenceOptions = {}): Promise<PartialDependence[]> {
  const method = 'partialDependence';
  const { points = 100, between = [0.05, 0.95], signal } = options;
  checkWhole(`${method}: points`, points, 1, 10_000);
  for (const end of between) checkNumber(`${method}: between`, end, 0, 1);
  if (between[0] >= between[1]) {
    throw new VitrineError('invalid-option', `${method}: between is ${between[0]} to ${between[1]}.`, 'give the smaller quantile first.', {
      between,
    });
  }
  const asked = askedOutput(method, model, options);
  const features = elements(model.spec.inputShape);
  const names = columnNames(method, model, options.features);
  const columns = columnGroupsOf(method, features, options.columns).map(([column]) => column as number);
  const values = await inputsOf(model, x);
  const rows = values.length / features;
  const grids = columns.map((column) => gridOf(columnOf(values, features, column), points, between));
  const network = await ChangedColumns.create(method, model, {
    x: values,
    donors: donorsOf(features, columns, grids),
    groups: columns.map((column) => [column]),
    answer: asked.of,
    signal,
    onRows: countRows(
      grids.reduce((sum, { length }) => sum + rows * length, 0),
      options.onProgress,
    ),
  });
  try {
    const result: PartialDependence[] = [];
    for (const [group, column] of columns.entries()) {
      const grid = grids[group] as Float64Array;
      const queries = new Uint32Array(3 * rows * grid.length);
      for (let i = 0; i < rows; i++) for (let p = 0; p < grid.length; p++) queries.set([i, group, p], 3 * (i * grid.length + p));
      const ice = await network.ask(queries);
      const mean = new Float64Array(grid.length);
      for (let i = 0; i < rows; i++) for (let p = 0; p < grid.length; p++) mean[p]! += (ice[i * grid.length + p] as number) / rows;
      result.push({ column, name: names[column] as string, grid, mean, ice });
    }
    return result;
  } finally {
    network.dispose();
  }
}

/** The values of one column, ascending. */
export const columnOf = (x: Float32Array, features: number, column: number): Float64Array =>
  Float64Array.from({ length: x.length / features }, (_, i) => x[i * features + column] as number).sort();

/** Rows whose column c holds the p-th value of c's grid, whatever the others hold: [longest grid, features]. */
export function donorsOf(features: number, columns: readonly number[], grids: readonly Float64Array[]): Float32Array {
  const longest = Math.max(...grids.map(({ length }) => length));
  const donors = new Float32Array(longest * features);
  columns.forEach((column, group) => {
    (grids[group] as Float64Array).forEach((value, p) => {
      donors[p * features + column] = value;
    });
  });
  return donors;
}

/** As scikit-learn's: the different values where there are few, else points evenly between two quantiles. */
function gridOf(sorted: Float64Array, points: number, [low, high]: readonly [number, number]): Float64Array {
  const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
  if (distinct.length <= points) return distinct;
  const [from, to] = [quantile(sorted, low), quantile(sorted, high)];
  if (from === to) return Float64Array.of(from);
  return Float64Array.from({ length: points }, (_, p) => (points === 1 ? (from + to) / 2 : from + ((to - from) * p) / (points - 1)));
}
