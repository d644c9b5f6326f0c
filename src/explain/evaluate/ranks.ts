/** Ranks, correlations and means, in float64. */

/** Indices from the largest value to the smallest; of equal values the lower index comes first. */
export function fallingOrder(values: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => (values[b] as number) - (values[a] as number) || a - b);
}

/** The place of each element in `fallingOrder`, from 0. */
export function fallingRanks(values: ArrayLike<number>): Uint32Array {
  const ranks = new Uint32Array(values.length);
  fallingOrder(values).forEach((index, place) => {
    ranks[index] = place;
  });
  return ranks;
}

/** Ranks from 1 for the smallest; equal values share the mean of their places. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = fallingOrder(values).reverse();
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end] as number] === values[order[first] as number]) end++;
    for (let place = first; place < end; place++) ranks[order[place] as number] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}

/** Pearson's correlation; NaN where one of the two is constant, for then there is none. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? Number.NaN : Math.max(-1, Math.min(1, ab / Math.sqrt(aa * bb)));
}

/**
 * Spearman's rank correlation, with the mean of their places as the rank of equal values; NaN where one of the two is constant.
 *
 * **Source** Spearman 1904; ties: Kendall 1945, "The treatment of ties in ranking problems".
 */
export const spearman = (a: ArrayLike<number>, b: ArrayLike<number>): number => correlation(averageRanks(a), averageRanks(b));

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Standard deviation with n − 1; NaN for fewer than two values. */
export function deviation(values: ArrayLike<number>): number {
  const middle = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - middle) ** 2;
  return values.length < 2 ? Number.NaN : Math.sqrt(sum / (values.length - 1));
}

/** Standard error of the mean; NaN for fewer than two values. */
export const standardErrorOf = (values: ArrayLike<number>): number => deviation(values) / Math.sqrt(values.length);

export const absolute = (values: Float32Array): Float32Array => values.map(Math.abs);
