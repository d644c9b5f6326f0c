/** Coalitions by hand: masked copies made on the CPU, one by one, through the model's own forward pass; and Shapley's sum over them in float64. */

import type { Model } from '../../src/engine/index.ts';

/** v(S) = f_c of one example with the groups outside S at the baseline, for all 2ⁿ coalitions; bit g of S is group g. */
export async function coalitionsByHand(
  model: Model,
  x: ArrayLike<number>,
  baseline: (element: number) => number,
  groups: ArrayLike<number>,
  target: number,
): Promise<number[]> {
  const n = Math.max(...Array.from(groups)) + 1;
  const features = groups.length;
  const rows = Float32Array.from({ length: 2 ** n * features }, (_, k) => {
    const [s, i] = [Math.floor(k / features), k % features];
    return ((s >> (groups[i] as number)) & 1 ? x[i] : baseline(i)) as number;
  });
  const logits = await model.logits(rows);
  const values = await logits.read();
  logits.dispose();
  return Array.from({ length: 2 ** n }, (_, s) => values[s * (model.classes as number) + target] as number);
}

/** φ_i = Σ_{S ∌ i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)). */
export function shapleyByHand(v: readonly number[]): number[] {
  const n = Math.log2(v.length);
  const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1));
  return Array.from({ length: n }, (_, i) =>
    v.reduce((total, value, s) => {
      if ((s >> i) & 1) return total;
      const size = [...s.toString(2)].filter((bit) => bit === '1').length;
      return total + ((factorial(size) * factorial(n - size - 1)) / factorial(n)) * ((v[s | (1 << i)] as number) - value);
    }, 0),
  );
}
