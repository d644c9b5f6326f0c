/** What a map foretells, and what the output does, when subsets of the input are hidden: replaced by the baseline. */

import type { Examples, Model } from '../../engine/model.ts';
import type { ExplainOptions } from '../attribution.ts';
import type { Baseline } from '../explainer.ts';
import { coalitionValues, type Groups } from '../masked.ts';
import { maskWords } from '../ops/mask-bits.ts';
import type { BackgroundOptions } from './explained-by.ts';

/** For each example and draw. */
export interface Foretold {
  /** What the map says that the output will lose. */
  foretold(example: number): ArrayLike<number>;
  /** What it does lose. */
  lost(example: number): ArrayLike<number>;
}

/**
 * Hides subsets of groups, the same for every example: foretold is Σ of the contributions in the subset, lost f(x) − f(x with the subset at x′).
 *
 * @param contributions of each element, in units of the output, [examples · features]
 * @param hidden the groups of each subset
 */
export async function hideSubsets(
  model: Model,
  x: Examples,
  contributions: Float32Array,
  hidden: readonly ArrayLike<number>[],
  options: ExplainOptions & BackgroundOptions & { readonly groups: Groups; readonly baseline: Baseline },
): Promise<Foretold> {
  const { groups } = options;
  const words = maskWords(groups.count);
  const coalitions = new Uint32Array(hidden.length * words).fill(0xffffffff);
  hidden.forEach((subset, draw) => {
    for (let i = 0; i < subset.length; i++) {
      const [word, bit] = [draw * words + Math.floor((subset[i] as number) / 32), (subset[i] as number) % 32];
      coalitions[word] = (coalitions[word] as number) & ~(1 << bit);
    }
  });
  const found = await coalitionValues(model, x, { coalitions }, options);
  const [left, whole] = await Promise.all([found.values.read(), found.output.read()]).finally(() => found.dispose());
  const draws = hidden.length;
  const features = groups.of.length;
  return {
    foretold: (example) => {
      const sums = new Float64Array(groups.count);
      groups.of.forEach((group, i) => {
        sums[group] = (sums[group] as number) + (contributions[example * features + i] as number);
      });
      return Float64Array.from(hidden, (subset) => {
        let sum = 0;
        for (let i = 0; i < subset.length; i++) sum += sums[subset[i] as number] as number;
        return sum;
      });
    },
    lost: (example) =>
      Float64Array.from({ length: draws }, (_, draw) => (whole[example] as number) - (left[example * draws + draw] as number)),
  };
}
