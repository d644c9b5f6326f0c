import { shapeMismatch, show, VitrineError } from './errors.ts';

/** Labelled examples, held on the CPU; the trainer keeps a copy on the GPU. */
export interface Dataset {
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Shape of one example, images as [height, width, channels]. */
  readonly inputShape: readonly number[];
  /**
   * size × product(inputShape) values, row-major. Bytes stay bytes on the GPU and are divided by `divisor` as they are gathered; a Uint32Array holds
   * token indices, for a model of that `inputType`.
   */
  readonly inputs: Uint8Array | Float32Array | Uint32Array;
  /** What bytes are divided by; 255 by default. Floats are used as they are. */
  readonly divisor?: number;
  /** Class index of each example. */
  readonly labels?: Uint8Array | Uint32Array;
  /** Names of the classes, in index order. */
  readonly classes?: readonly string[];
  /** Regression targets, size × product(targetShape). */
  readonly targets?: Float32Array;
  readonly targetShape?: readonly number[];
  /** Names of the input columns of tabular data. */
  readonly features?: readonly string[];
  /** Of texts: the words that token indices name. An index beyond them is padding. */
  readonly vocabulary?: readonly string[];
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/**
 * Refuses a data set that training would choke on, before anything is uploaded.
 *
 * @param classes number of classes the model tells apart; labels must lie below it
 * @throws VitrineError `empty-dataset`, `shape-mismatch`, `label-out-of-range`, `non-finite-data`
 */
export function validateDataset(dataset: Dataset, inputShape: readonly number[], classes?: number): void {
  const { name, size } = dataset;
  if (size < 1) {
    throw new VitrineError('empty-dataset', `${name}: the data set is empty.`, 'load at least one example.', { name });
  }
  const { divisor = 255 } = dataset;
  if (!(divisor > 0 && Number.isFinite(divisor))) {
    throw new VitrineError(
      'invalid-option',
      `${name}: divisor is ${divisor}; it must be a number above 0.`,
      'pass what its bytes are to be divided by, such as 255.',
      { name, divisor },
    );
  }
  const features = product(inputShape);
  if (product(dataset.inputShape) !== features) {
    throw shapeMismatch(
      `${name}: an example is ${show(dataset.inputShape)} but the model takes ${show(inputShape)}.`,
      'build the model with the inputShape of the data, or reshape the data.',
      { name, inputShape, actual: dataset.inputShape },
    );
  }
  if (dataset.inputs.length !== size * features) {
    throw shapeMismatch(
      `${name}: ${dataset.inputs.length} input values do not make ${size} examples of ${show(inputShape)} (${size * features} values).`,
      'make size × product(inputShape) values.',
      { name, values: dataset.inputs.length, expected: size * features },
    );
  }
  if (dataset.inputs instanceof Float32Array) checkFinite(name, 'input', dataset.inputs, features);
  if (dataset.labels) {
    if (dataset.labels.length !== size) {
      throw shapeMismatch(`${name}: ${dataset.labels.length} labels for ${size} examples.`, 'give one label an example.', { name });
    }
    if (classes !== undefined) checkLabels(name, dataset.labels, classes);
  }
  if (dataset.targets) {
    const width = product(dataset.targetShape ?? []);
    if (dataset.targets.length !== size * width) {
      throw shapeMismatch(
        `${name}: ${dataset.targets.length} target values do not make ${size} targets of ${show(dataset.targetShape ?? [])}.`,
        'make size × product(targetShape) values, and say targetShape.',
        { name },
      );
    }
    checkFinite(name, 'target', dataset.targets, width);
  }
}

/** Refuses NaN and infinity, naming the first example that holds one. */
export function checkFinite(name: string, what: string, values: Float32Array, width: number): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  const example = Math.floor(index / width);
  throw new VitrineError(
    'non-finite-data',
    `${name}: ${what} value ${index % width} of example ${example} is ${values[index]}.`,
    'replace or drop it before training; one such value makes every weight NaN.',
    { name, example, index: index % width },
  );
}

/** Refuses a label that is not in [0, classes). */
export function checkLabels(name: string, labels: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    if (!(label >= 0 && label < classes && Number.isInteger(label))) {
      throw new VitrineError(
        'label-out-of-range',
        `${name}: the label of example ${i} is ${label}, but the model has ${classes} outputs (classes 0 to ${classes - 1}).`,
        'number the classes from 0, or give the last layer as many units as there are classes.',
        { name, example: i, label, classes },
      );
    }
  }
}
