import type { Scaling } from '../data/index.ts';

/** A value of a column as its table has it; as it is where the columns were not scaled. */
export function inOwnUnits(value: number, column: number, scaling: Scaling | undefined): number {
  if (!scaling) return value;
  const [deviation, mean] = [scaling.deviation[column] ?? 1, scaling.mean[column] ?? 0];
  const own = value * deviation + mean;
  // What is 0 in the table is not quite 0 after float32 has scaled it.
  return Math.abs(own) < 1e-6 * (Math.abs(mean) + deviation) ? 0 : own;
}
