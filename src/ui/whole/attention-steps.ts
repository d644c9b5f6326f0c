/** A row of attention by its formula, step by step, in float64. */

export interface AttentionSteps {
  /** θ of each key. */
  readonly terms: readonly number[];
  /** e^(θ/τ) of each key. */
  readonly exponentials: readonly number[];
  /** Σ e^(θ/τ). */
  readonly sum: number;
  /** a = e^(θ/τ) / Σ e^(θ/τ). */
  readonly weights: readonly number[];
}

/** **Source** Vaswani et al. 2017, equation 1; temperature: Hinton, Vinyals, Dean 2015, equation 1. The GPU takes the largest θ off before, which changes no a. */
export function attentionSteps(scores: ArrayLike<number>, temperature: number): AttentionSteps {
  const terms = Array.from(scores);
  const exponentials = terms.map((score) => Math.exp(score / temperature));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return { terms, exponentials, sum, weights: exponentials.map((value) => value / sum) };
}
