/**
 * Small least squares on the CPU, in float64: a design of a few hundred columns that is the same for every example, and an answer for each.
 *
 * **Source** Golub, Van Loan 2013, "Matrix computations", 4.2 (Cholesky), 5.3 (normal equations).
 */

/** Xᵀ diag(w) X of a design [rows, columns]; zeros, of which designs of coalitions are half full, cost nothing. */
export function gram(design: Float64Array, weights: Float64Array, columns: number): Float64Array {
  const result = new Float64Array(columns * columns);
  const rows = weights.length;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let i = 0; i < columns; i++) {
      const left = (design[at + i] as number) * (weights[row] as number);
      if (left === 0) continue;
      for (let j = 0; j <= i; j++) result[i * columns + j] = (result[i * columns + j] as number) + left * (design[at + j] as number);
    }
  }
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) result[j * columns + i] = result[i * columns + j] as number;
  return result;
}

/** Xᵀ diag(w) y. */
export function moments(design: Float64Array, weights: Float64Array, columns: number, y: Float64Array): Float64Array {
  const result = new Float64Array(columns);
  for (let row = 0; row < weights.length; row++) {
    const value = (weights[row] as number) * (y[row] as number);
    for (let i = 0; i < columns; i++) result[i] = (result[i] as number) + value * (design[row * columns + i] as number);
  }
  return result;
}

/** Pivots smaller than this share of their diagonal element are rounding: the columns depend on one another. */
const SINGULAR = 1e-11;

/**
 * Solves A x = b for a symmetric positive definite A [n, n], factorised once.
 *
 * @returns the solver of one right-hand side; undefined where A is singular
 */
export function cholesky(matrix: Float64Array, n: number): ((b: Float64Array) => Float64Array) | undefined {
  const lower = Float64Array.from(matrix);
  const at = (i: number, j: number): number => lower[i * n + j] as number;
  for (let j = 0; j < n; j++) {
    const diagonal = at(j, j);
    let pivot = diagonal;
    for (let k = 0; k < j; k++) pivot -= at(j, k) ** 2;
    if (!(pivot > SINGULAR * diagonal)) return undefined;
    const root = Math.sqrt(pivot);
    lower[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      lower[i * n + j] = sum / root;
    }
  }
  return (b) => {
    const x = Float64Array.from(b);
    for (let i = 0; i < n; i++) {
      let sum = x[i] as number;
      for (let k = 0; k < i; k++) sum -= at(i, k) * (x[k] as number);
      x[i] = sum / at(i, i);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i] as number;
      for (let k = i + 1; k < n; k++) sum -= at(k, i) * (x[k] as number);
      x[i] = sum / at(i, i);
    }
    return x;
  };
}
