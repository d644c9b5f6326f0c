/**
 * What operations must give, in float64 and in loops that a person can read. The tests compare every kernel with these, and so does the
 * self-test page. Arrays are row-major.
 */

import { elements } from '../operation.ts';
import type { AttentionSoftmaxAttributes } from '../ops/attention-softmax.ts';
import type { DropoutAttributes } from '../ops/dropout.ts';
import type { MatmulAttributes } from '../ops/matmul.ts';
import { uniform } from '../random.ts';

export interface ProductSizes {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  readonly batch?: number;
}

/** One product after another. */
export function matmulReference(
  { rows, inner, cols, batch = 1 }: ProductSizes,
  { transposeA, transposeB }: MatmulAttributes,
  a: number[],
  b: number[],
): number[] {
  const y: number[] = [];
  const [aBatch, bBatch] = [a.length > rows * inner ? rows * inner : 0, b.length > inner * cols ? inner * cols : 0];
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < cols; j++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) {
          const p = a[n * aBatch + (transposeA ? k * rows + i : i * inner + k)] as number;
          const q = b[n * bBatch + (transposeB ? j * inner + k : k * cols + j)] as number;
          sum += p * q;
        }
        y.push(sum);
      }
    }
  }
  return y;
}

export function affineReference(inputs: number, outputs: number, x: number[], w: number[], b: number[]): number[] {
  const rows = x.length / inputs;
  return Array.from({ length: rows * outputs }, (_v, at) => {
    const [i, j] = [Math.floor(at / outputs), at % outputs];
    let sum = b[j] as number;
    for (let k = 0; k < inputs; k++) sum += (x[i * inputs + k] as number) * (w[k * outputs + j] as number);
    return sum;
  });
}

const rowsOf = (x: readonly number[], columns: number): number[][] =>
  Array.from({ length: x.length / columns }, (_, row) => x.slice(row * columns, (row + 1) * columns));

const softmaxOfRow = (row: readonly number[]): number[] => {
  const largest = Math.max(...row);
  const exps = row.map((value) => Math.exp(value - largest));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / sum);
};

export const softmaxReference =
  (columns: number) =>
  (x: number[]): number[] =>
    rowsOf(x, columns).flatMap(softmaxOfRow);

export const softmaxBackwardReference =
  (columns: number) =>
  (y: number[], dy: number[] = []): number[] => {
    const dyRows = rowsOf(dy, columns);
    return rowsOf(y, columns).flatMap((row, r) => {
      const dyRow = dyRows[r] as number[];
      const mean = row.reduce((total, value, i) => total + value * (dyRow[i] as number), 0);
      return row.map((value, i) => value * ((dyRow[i] as number) - mean));
    });
  };

const logSoftmaxOfRow = (row: readonly number[]): number[] => {
  const largest = Math.max(...row);
  const logSum = Math.log(row.reduce((total, value) => total + Math.exp(value - largest), 0));
  return row.map((value) => value - largest - logSum);
};

export const logSoftmaxReference =
  (columns: number) =>
  (x: number[]): number[] =>
    rowsOf(x, columns).flatMap(logSoftmaxOfRow);

export const logSoftmaxBackwardReference =
  (columns: number) =>
  (y: number[], dy: number[] = []): number[] => {
    const dyRows = rowsOf(dy, columns);
    return rowsOf(y, columns).flatMap((row, r) => {
      const dyRow = dyRows[r] as number[];
      const sum = dyRow.reduce((a, b) => a + b);
      return row.map((value, i) => (dyRow[i] as number) - Math.exp(value) * sum);
    });
  };

const normaliseRow = (row: readonly number[], epsilon: number): number[] => {
  const mean = row.reduce((a, b) => a + b) / row.length;
  const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
  return row.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
};

export const normaliseReference =
  (columns: number, epsilon: number) =>
  (x: number[]): number[] =>
    rowsOf(x, columns).flatMap((row) => normaliseRow(row, epsilon));

export const layerNormReference =
  (columns: number, epsilon: number) =>
  (x: number[], scale: number[] = [], bias: number[] = []): number[] =>
    rowsOf(x, columns).flatMap((row) => normaliseRow(row, epsilon).map((value, i) => value * (scale[i] as number) + (bias[i] as number)));

/** The article's formula, row by row: e^(θ/τ) over its sum, among the keys that are seen. */
export const attentionSoftmaxReference =
  (columns: number, { temperature = 1, causal = false }: Partial<AttentionSoftmaxAttributes> = {}) =>
  (scores: number[]): number[] => {
    const weights = scores.map(() => 0);
    for (let first = 0; first < scores.length; first += columns) {
      const keys = causal ? ((first / columns) % columns) + 1 : columns;
      const row = scores.slice(first, first + keys).map((score) => score / temperature);
      const largest = Math.max(...row);
      const exps = row.map((score) => Math.exp(score - largest));
      const sum = exps.reduce((a, b) => a + b);
      exps.forEach((value, i) => {
        weights[first + i] = value / sum;
      });
    }
    return weights;
  };

export interface CrossEntropyRow {
  readonly probabilities: readonly number[];
  readonly label: number;
  /** Nats, 0 where the label names no class. */
  readonly loss: number;
  readonly hit: number;
}

export const crossEntropyRows = (logits: readonly number[], labels: readonly number[]): CrossEntropyRow[] => {
  const classes = logits.length / labels.length;
  return labels.map((label, r) => {
    const row = logits.slice(r * classes, (r + 1) * classes);
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    const probabilities = row.map((value) => Math.exp(value - largest) / sum);
    const known = label < classes;
    return {
      probabilities,
      label: known ? label : -1,
      loss: known ? Math.log(sum) + largest - (row[label] as number) : 0,
      hit: row.indexOf(largest) === label ? 1 : 0,
    };
  });
};

/** (softmax − onehot) · factor, 0 where the label names no class. */
export const crossEntropyGradient = ({ probabilities, label }: CrossEntropyRow, factor: number): number[] =>
  probabilities.map((p, k) => (label < 0 ? 0 : (p - (k === label ? 1 : 0)) * factor));

/** Rows of a table of `width` columns, by their indices. */
export const embeddingReference =
  (width: number) =>
  (table: number[], indices: number[] = []): number[] =>
    indices.flatMap((index) => Array.from({ length: width }, (_, col) => table[index * width + col] ?? 0));

/** The coordinates of a row-major index. */
const coordinates = (index: number, shape: readonly number[]): number[] =>
  shape.map((length, axis) => Math.floor(index / elements(shape.slice(axis + 1))) % length);

const position = (at: readonly number[], shape: readonly number[]): number =>
  at.reduce((index, coordinate, axis) => index * (shape[axis] as number) + coordinate, 0);

/** Keeps the elements of x that lie in the box. */
export const sliceReference =
  (shape: readonly number[], start: readonly number[], end: readonly number[]) =>
  (x: number[]): number[] =>
    x.filter((_, i) => coordinates(i, shape).every((at, axis) => at >= (start[axis] as number) && at < (end[axis] as number)));

/** Puts every element of x into its place among zeros. */
export const padReference =
  (box: readonly number[], start: readonly number[], shape: readonly number[]) =>
  (x: number[]): number[] => {
    const y = Array<number>(elements(shape)).fill(0);
    x.forEach((value, i) => {
      const at = coordinates(i, box).map((coordinate, axis) => coordinate + (start[axis] as number));
      y[position(at, shape)] = value;
    });
    return y;
  };

/** Moves each element of x to its place; the kernel looks for the source of each element of y. */
export const transposeReference =
  (shape: readonly number[], permutation: readonly number[]) =>
  (x: number[]): number[] => {
    const y = Array<number>(x.length);
    const shapeOfY = permutation.map((axis) => shape[axis] as number);
    x.forEach((value, i) => {
      const at = coordinates(i, shape);
      const moved = permutation.map((axis) => at[axis] as number);
      y[position(moved, shapeOfY)] = value;
    });
    return y;
  };

/** Takes the rows of each part in turn, a row being everything from the axis on. */
export const concatenateReference =
  (shapes: readonly (readonly number[])[], axis: number) =>
  (...parts: number[][]): number[] => {
    const rows = elements(shapes[0]?.slice(0, axis) ?? []);
    return Array.from({ length: rows }, (_, row) =>
      parts.flatMap((part) => part.slice((row * part.length) / rows, ((row + 1) * part.length) / rows)),
    ).flat();
  };

export const argmaxReference =
  (columns: number) =>
  (x: number[]): number[] =>
    rowsOf(x, columns).map((row) => row.indexOf(Math.max(...row)));

export const meanOverRowsReference = (values: number[], state: number[] = []): number[] => {
  const inUse = values.slice(0, state[2] as number);
  return [inUse.reduce((a, b) => a + b, 0) / Math.max(1, inUse.length)];
};

export const squaredErrorReference =
  (rows: number) =>
  (output: number[], target: number[] = []): number[] => {
    const columns = output.length / rows;
    const squares = output.map((value, i) => (value - (target[i] as number)) ** 2);
    return Array.from({ length: rows }, (_, row) => squares.slice(row * columns, (row + 1) * columns).reduce((a, b) => a + b) / columns);
  };

export const dropoutReference =
  ({ rate, stream }: DropoutAttributes) =>
  (x: number[], state: number[] = []): number[] => {
    const [seed, step] = state as [number, number];
    return x.map((value, i) => (uniform(seed, stream, step, i) >= rate ? value / (1 - rate) : 0));
  };
