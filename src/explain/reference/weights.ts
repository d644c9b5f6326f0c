/** What the reductions of weights must give, in float64 and in loops that a person can read: for the tests and for the self-test page. */

/** Of one tensor, or of a part of it; what is not finite is counted and otherwise left out. */
export interface WeightSums {
  readonly number: number;
  readonly mean: number;
  /** Σ (w − mean)². */
  readonly deviations: number;
  readonly squares: number;
  readonly absolute: number;
  readonly least: number;
  readonly greatest: number;
  readonly zeros: number;
  readonly broken: number;
}

export function weightSumsReference(values: ArrayLike<number>): WeightSums {
  const finite = Array.from(values).filter(Number.isFinite);
  const mean = finite.reduce((a, b) => a + b, 0) / Math.max(1, finite.length);
  return {
    number: finite.length,
    mean,
    deviations: finite.reduce((sum, w) => sum + (w - mean) ** 2, 0),
    squares: finite.reduce((sum, w) => sum + w * w, 0),
    absolute: finite.reduce((sum, w) => sum + Math.abs(w), 0),
    least: Math.min(...finite),
    greatest: Math.max(...finite),
    zeros: finite.filter((w) => w === 0).length,
    broken: values.length - finite.length,
  };
}

/** Counts in equal bins; what lies beyond the range is in the outermost, what is not finite in none. */
export function histogramReference(values: ArrayLike<number>, from: number, to: number, bins: number): number[] {
  const counts = Array<number>(bins).fill(0);
  for (const w of Array.from(values)) {
    if (!Number.isFinite(w)) continue;
    const bin = to > from ? Math.floor(((w - from) * bins) / (to - from)) : 0;
    const kept = Math.min(Math.max(bin, 0), bins - 1);
    counts[kept] = (counts[kept] as number) + 1;
  }
  return counts;
}

/** u = WᵀW v of a matrix [rows, v.length], and z = W v. */
export function powerStepReference(weights: ArrayLike<number>, v: readonly number[]): { readonly u: number[]; readonly z: number[] } {
  const columns = v.length;
  const rows = weights.length / columns;
  const at = (r: number, c: number): number => weights[r * columns + c] as number;
  const z = Array.from({ length: rows }, (_, r) => v.reduce((sum, value, c) => sum + at(r, c) * value, 0));
  return { z, u: v.map((_, c) => z.reduce((sum, value, r) => sum + at(r, c) * value, 0)) };
}
