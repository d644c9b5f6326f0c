export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median and range of at least one value; of an even number, the median is the mean of the middle two. */
export function summarise(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('internal: statistics.ts was given no values');
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number };
}

/** The contenders in the order of round `round`: each begins in turn, so that none always runs after the same other. */
export function rotated<T>(items: readonly T[], round: number): T[] {
  const from = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
