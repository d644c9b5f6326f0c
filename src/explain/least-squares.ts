/**
 * Small least squares on the CPU, in float64, for designs of coalitions: a few hundred columns of 0 and 1, the same for every example, and an answer
 * for each. A row is the list of its columns that are 1. And the solver of what is positive definite, which whoever has such a system takes.
 *
 * **Source** Golub, Van Loan 2013, "Matrix computations", 4.2 (Cholesky), 5.3 (normal equations).
 */

/** Xᵀ diag(w) X, [columns, columns]: for each pair the weight of the rows that have both. */
export function gram(rows: readonly Uint32Array[], weights: Float64Array, columns: number): Float64Array {
  const result = new Float64Array(columns * columns);
  rows.forEach((members, row) => {
    const weight = weights[row] as number;
    // Ascending, so the inner loop fills the lower triangle.
    for (let a = 0; a < members.length; a++) {
      const at = (members[a] as number) * columns;
      for (let b = 0; b <= a; b++) {
        const cell = at + (members[b] as number);
        result[cell] = (result[cell] as number) + weight;
      }
    }
  });
  for (let i = 0; i < columns; i++) for (let j = 0; j < i; j++) result[j * columns + i] = result[i * columns + j] as number;
  return result;
}

/** Xᵀ diag(w) y, [columns]. */
export function moments(rows: readonly Uint32Array[], weights: Float64Array, columns: number, y: ArrayLike<number>): Float64Array {
  const result = new Float64Array(columns);
  rows.forEach((members, row) => {
    const value = (weights[row] as number) * (y[row] as number);
    for (const column of members) result[column] = (result[column] as number) + value;
  });
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
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = lower[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (lower[i * n + k] as number) * (lower[j * n + k] as number);
      if (j < i) lower[i * n + j] = sum / (lower[j * n + j] as number);
      else if (sum > SINGULAR * (matrix[i * n + i] as number)) lower[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return (b) => {
    const x = Float64Array.from(b);
    for (let i = 0; i < n; i++) {
      let sum = x[i] as number;
      for (let k = 0; k < i; k++) sum -= (lower[i * n + k] as number) * (x[k] as number);
      x[i] = sum / (lower[i * n + i] as number);
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i] as number;
      for (let k = i + 1; k < n; k++) sum -= (lower[k * n + i] as number) * (x[k] as number);
      x[i] = sum / (lower[i * n + i] as number);
    }
    return x;
  };
}
