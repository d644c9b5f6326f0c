import type { Dataset } from '../engine/dataset.ts';
import { shapeMismatch, show, VitrineError } from '../engine/errors.ts';

/** Mean and deviation of each column, in the units of the column. */
export interface Scaling {
  readonly mean: Float64Array;
  /** Population deviation, Σ(x − mean)² / n; 1 for a column that is constant, so that it becomes 0 and stays finite. */
  readonly deviation: Float64Array;
}

/**
 * standardise: x ← (x − mean) / deviation, with the mean and deviation of the training rows only, for all the parts of a set.
 * What the test rows look like must not leak into training.
 *
 * **Shapes** inputs [rows, features] stay so, as float32.
 *
 * @throws VitrineError `empty-dataset`, `shape-mismatch`
 */
export function standardise<Parts extends { readonly train: Dataset }>(
  parts: Parts,
): { [Part in keyof Parts]: Dataset } & { scaling: Scaling } {
  const scaling = scalingOf(parts.train);
  const scaled = Object.entries<Dataset>(parts as unknown as Record<string, Dataset>).map(([part, dataset]) => [
    part,
    rescale(dataset, scaling),
  ]);
  return { ...Object.fromEntries(scaled), scaling };
}

/**
 * scalingOf: mean and deviation of every column of a data set.
 *
 * @throws VitrineError `empty-dataset`
 */
export function scalingOf(dataset: Dataset): Scaling {
  const { name, size, inputs } = dataset;
  if (size === 0) {
    throw new VitrineError('empty-dataset', `${name}: there are no rows to take a mean of.`, 'give at least one training row.', { name });
  }
  const width = inputs.length / size;
  const mean = new Float64Array(width);
  const deviation = new Float64Array(width);
  for (let i = 0; i < inputs.length; i++) mean[i % width]! += inputs[i]! / size;
  for (let i = 0; i < inputs.length; i++) deviation[i % width]! += (inputs[i]! - mean[i % width]!) ** 2 / size;
  for (let column = 0; column < width; column++) {
    // The rounded mean of equal values may miss them by a rounding; a deviation that small is none.
    const spread = Math.sqrt(deviation[column]!);
    deviation[column] = spread > 1e-12 * Math.abs(mean[column]!) ? spread : 1;
  }
  return { mean, deviation };
}

/**
 * rescale: (x − mean) / deviation of every column.
 *
 * @throws VitrineError `shape-mismatch`: another number of columns
 */
export function rescale(dataset: Dataset, { mean, deviation }: Scaling): Dataset {
  const width = mean.length;
  if (dataset.inputs.length !== dataset.size * width) {
    throw shapeMismatch(
      `standardise: ${dataset.name} is ${show([dataset.size, ...dataset.inputShape])} but the mean has ${width} columns.`,
      'scale a set by the scaling of a set with the same columns.',
      { name: dataset.name, columns: width },
    );
  }
  const inputs = Float32Array.from(dataset.inputs, (value, i) => (value - mean[i % width]!) / deviation[i % width]!);
  const { divisor: _, ...rest } = dataset;
  return { ...rest, inputs };
}
