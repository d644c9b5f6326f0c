import type { Dataset } from '../engine/dataset.ts';
import { checkLabels } from '../engine/dataset.ts';
import { checkNumber, checkWhole, shapeMismatch, VitrineError } from '../engine/errors.ts';
import { permute, streamOf } from '../engine/random.ts';

export interface SplitOptions {
  /** Share of the examples that the second part gets, in (0, 1); the count is rounded to the nearest. */
  readonly fraction: number;
  /** Gives both parts the classes in equal proportions, to within one example a class. */
  readonly stratified?: boolean;
  /** Shuffles first; without a seed the second part is the last examples, in their order. */
  readonly seed?: number;
}

/**
 * split: two disjoint parts that together are the whole.
 *
 * @throws VitrineError `invalid-option`: a fraction outside (0, 1) or one that leaves a part empty; stratified without labels
 */
export function split(dataset: Dataset, options: SplitOptions): { train: Dataset; test: Dataset } {
  const { fraction, stratified = false, seed } = options;
  checkNumber('fraction', fraction, 0, 1);
  const held = Math.round(dataset.size * fraction);
  if (held === 0 || held === dataset.size) {
    throw new VitrineError(
      'invalid-option',
      `split: a fraction of ${fraction} leaves one part of ${dataset.size} examples empty.`,
      'pass a fraction that gives both parts at least one example.',
      { fraction, size: dataset.size },
    );
  }
  const order = shuffled(dataset.size, seed);
  const groups = stratified ? byClass(dataset, order) : [order];
  const test = new Set<number>();
  for (const [group, quota] of quotas(groups, held).entries()) {
    const members = groups[group]!;
    for (const index of members.slice(members.length - quota)) test.add(index);
  }
  return {
    train: subset(
      dataset,
      order.filter((index) => !test.has(index)),
    ),
    test: subset(
      dataset,
      order.filter((index) => test.has(index)),
    ),
  };
}

/**
 * folds: `count` splits for cross-validation; every example is tested on once.
 *
 * @throws VitrineError `invalid-option`: fewer than 2 folds or more than examples; stratified without labels
 */
export function folds(
  dataset: Dataset,
  options: { readonly count: number; readonly stratified?: boolean; readonly seed?: number },
): { train: Dataset; test: Dataset }[] {
  const { count, stratified = false, seed } = options;
  checkWhole('count', count, 2, dataset.size);
  const order = shuffled(dataset.size, seed);
  // Dealt in turn, class after class, so that neither a fold nor a class of it is larger than another by more than one.
  const dealt = (stratified ? byClass(dataset, order) : [order]).flat();
  const foldOf = new Uint32Array(dataset.size);
  for (const [position, index] of dealt.entries()) foldOf[index] = position % count;
  return Array.from({ length: count }, (_, fold) => ({
    train: subset(
      dataset,
      order.filter((index) => foldOf[index] !== fold),
    ),
    test: subset(
      dataset,
      order.filter((index) => foldOf[index] === fold),
    ),
  }));
}

/**
 * take: examples `start` to `end` (exclusive, by default the last), as a view: nothing is copied.
 *
 * @throws VitrineError `invalid-option`: a range outside the set
 */
export function take(dataset: Dataset, start: number, end: number = dataset.size): Dataset {
  checkWhole('start', start, 0, dataset.size);
  checkWhole('end', end, start, dataset.size);
  const { inputs, labels, targets } = dataset;
  const width = inputs.length / dataset.size;
  const targetWidth = (targets?.length ?? 0) / dataset.size;
  return {
    ...described(dataset),
    size: end - start,
    inputs: inputs.subarray(start * width, end * width),
    ...(labels && { labels: labels.subarray(start, end) }),
    ...(targets && { targets: targets.subarray(start * targetWidth, end * targetWidth) }),
  };
}

/**
 * subset: the examples at `indices`, in that order, copied. An index may occur more than once.
 *
 * @throws VitrineError `invalid-option`: an index that is no example
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const { name, inputs, labels, targets, size } = dataset;
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (Number.isInteger(index) && index >= 0 && index < size) continue;
    throw new VitrineError(
      'invalid-option',
      `subset: index ${index} is no example of ${name}, which has ${size}.`,
      `use whole numbers from 0 to ${size - 1}.`,
      { name, index, size },
    );
  }
  return {
    ...described(dataset),
    size: indices.length,
    inputs: gathered(inputs, inputs.length / size, indices),
    ...(labels && { labels: gathered(labels, 1, indices) }),
    ...(targets && { targets: gathered(targets, targets.length / size, indices) }),
  };
}

/**
 * withLabels: the same inputs under other labels.
 *
 * @param classes names of the classes; by default those of the set
 * @throws VitrineError `shape-mismatch`: not one label an example; `label-out-of-range`: a label without a class
 */
export function withLabels(
  dataset: Dataset,
  labels: Uint8Array | Uint32Array,
  classes: readonly string[] | undefined = dataset.classes,
): Dataset {
  const { name, size } = dataset;
  if (labels.length !== size) {
    throw shapeMismatch(`${name}: ${labels.length} labels for ${size} examples.`, 'give one label an example.', { name });
  }
  if (classes) checkLabels(name, labels, classes.length);
  return { ...described(dataset), size, inputs: dataset.inputs, labels, ...(classes && { classes }) };
}

/**
 * shuffledLabels: the labels dealt out anew, so that inputs say nothing about them; each class keeps its count. An explanation
 * that does not change when a network learns these is no explanation of the network.
 *
 * @throws VitrineError `invalid-option`: the set has no labels
 * **Source** Adebayo et al. 2018, "Sanity Checks for Saliency Maps", section 4 (data randomisation).
 */
export function shuffledLabels(dataset: Dataset, seed: number): Dataset {
  const labels = labelsOf(dataset, 'shuffledLabels');
  return { ...withLabels(dataset, gathered(labels, 1, shuffled(dataset.size, seed))), name: `${dataset.name}, labels shuffled` };
}

/** Everything that does not count examples. A field that this module does not know is not carried over: it might. */
function described({ name, inputShape, divisor, classes, targetShape, features }: Dataset): Omit<Dataset, 'size' | 'inputs'> {
  return {
    name,
    inputShape,
    ...(divisor !== undefined && { divisor }),
    ...(classes && { classes }),
    ...(targetShape && { targetShape }),
    ...(features && { features }),
  };
}

/** 0 … size − 1, or those in the order of a seed. */
function shuffled(size: number, seed: number | undefined): number[] {
  const epoch = streamOf('split');
  return Array.from({ length: size }, (_, position) => (seed === undefined ? position : permute(position, size, seed, epoch)));
}

function byClass(dataset: Dataset, order: readonly number[]): number[][] {
  const labels = labelsOf(dataset, 'stratified');
  const groups: number[][] = [];
  for (const index of order) {
    const label = labels[index]!;
    groups[label] ??= [];
    groups[label].push(index);
  }
  // A class that no example has leaves a hole.
  return groups.filter(Boolean);
}

/** `total` shared out in proportion to the groups, by largest remainder, so that the shares add up to it. */
function quotas(groups: readonly (readonly number[])[], total: number): number[] {
  const size = groups.reduce((count, group) => count + group.length, 0);
  const exact = groups.map((group) => (group.length * total) / size);
  const shares = exact.map(Math.floor);
  const byRemainder = [...exact.keys()].sort((a, b) => exact[b]! - shares[b]! - (exact[a]! - shares[a]!) || a - b);
  const missing = total - shares.reduce((sum, share) => sum + share, 0);
  for (const group of byRemainder.slice(0, missing)) shares[group]! += 1;
  return shares;
}

function labelsOf(dataset: Dataset, what: string): Uint8Array | Uint32Array {
  if (dataset.labels) return dataset.labels;
  throw new VitrineError('invalid-option', `${what}: ${dataset.name} has no labels.`, 'use a set with labels.', {
    name: dataset.name,
  });
}

type Values = Uint8Array | Uint32Array | Float32Array;

/** Rows of `width` values at `indices`. */
function gathered<T extends Values>(values: T, width: number, indices: ArrayLike<number>): T {
  const rows = new (values.constructor as new (length: number) => T)(indices.length * width);
  for (let row = 0; row < indices.length; row++) {
    rows.set(values.subarray(indices[row]! * width, (indices[row]! + 1) * width), row * width);
  }
  return rows;
}
