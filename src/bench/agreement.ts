/** Whether a contender computes the right thing: no time counts before it does. */

import type { Results } from './contender.ts';

/** Largest error that passes, relative to the largest reference value of the same array. Products sum up to 1024 terms in float32. */
const TOLERANCE = 1e-3;
/**
 * Of the largest gradient: an array of gradients is measured as if it held at least this much. Some are 0 but for rounding, whoever computes
 * them: a softmax over keys does not see the keys' bias.
 */
const LEAST_GRADIENT = 1e-4;

/** Without these there is no agreement. */
const REQUIRED = ['logits', 'losses', 'probabilities', 'rows', 'rowSums', 'maps'];

export interface Agreement {
  readonly agrees: boolean;
  /** Of all arrays, relative to the largest reference value. */
  readonly largestError: number;
  /** What was compared, and where it disagrees. */
  readonly detail: string;
}

/** Compares a contender's results with the reference. What a contender leaves out is not held against it, unless it is required. */
export function compare(results: Results, reference: Results): Agreement {
  const compared: string[] = [];
  let largestError = 0;
  const fault = (detail: string, error = Number.POSITIVE_INFINITY): Agreement => ({ agrees: false, largestError: error, detail });
  const isGradient = (name: string): boolean => name.startsWith('gradient/');
  const gradients = Object.entries(reference).filter(([name]) => isGradient(name));
  const largestGradient = Math.max(0, ...gradients.map(([, values]) => largestOf(values)));
  for (const [name, expected] of Object.entries(reference)) {
    const actual = results[name];
    if (!actual) {
      if (REQUIRED.includes(name)) return fault(`it gave no ${name}`);
      continue;
    }
    if (actual.length !== expected.length) return fault(`its ${name} are ${actual.length} values, not ${expected.length}`);
    const scale = Math.max(largestOf(expected), isGradient(name) ? LEAST_GRADIENT * largestGradient : 0, 1e-30);
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs((actual[i] as number) - (expected[i] as number)) / scale;
      if (!(error <= TOLERANCE)) return fault(`${name}[${i}] is ${actual[i]}, not ${expected[i]}`, error);
      largestError = Math.max(largestError, error);
    }
    compared.push(name);
  }
  if (compared.length === 0) return fault('it gave nothing to compare');
  return { agrees: true, largestError, detail: compared.join(', ') };
}

function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

const MOST_SAMPLES = 4096;

/** A long array in brief: evenly spaced values, and the root of its mean square, which all of it enters. */
export function brief(values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  if (values.length <= MOST_SAMPLES) return Float32Array.from(values);
  const sampled = Array.from({ length: MOST_SAMPLES }, (_, i) => values[Math.floor((i * values.length) / MOST_SAMPLES)] as number);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] as number) ** 2;
  // Root of the mean, so that it lies among the values and does not set the scale of the tolerance.
  return Float32Array.from([...sampled, Math.sqrt(squares / values.length)]);
}

const CHECKED_ROWS = 64;

/** Rows of a product that are compared in full. */
export function checkedRows(size: number): number[] {
  const count = Math.min(CHECKED_ROWS, size);
  return Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
}

/** A product in brief: some rows in full, and the sum of every row. */
export function productInBrief(
  values: ArrayLike<number>,
  size: number,
): { rows: Float32Array<ArrayBuffer>; rowSums: Float32Array<ArrayBuffer> } {
  const rows = new Float32Array(
    checkedRows(size).flatMap((row) => Array.from({ length: size }, (_, i) => values[row * size + i] as number)),
  );
  const rowSums = new Float32Array(size);
  for (let row = 0; row < size; row++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += values[row * size + i] as number;
    rowSums[row] = sum;
  }
  return { rows, rowSums };
}
