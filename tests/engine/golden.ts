import golden from '../golden/pytorch.json';

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface GoldenTrajectory {
  readonly losses: readonly number[];
  readonly params: readonly GoldenTensor[];
}

export interface GoldenNetwork {
  readonly sizes: readonly number[];
  readonly x: GoldenTensor;
  readonly labels: readonly number[];
  readonly params: readonly GoldenTensor[];
  readonly lr: number;
  readonly steps: number;
  readonly logits: GoldenTensor;
  readonly probabilities: GoldenTensor;
  readonly loss: number;
  readonly activations: readonly GoldenTensor[];
  readonly paramGradients: readonly GoldenTensor[];
  readonly inputGradient: GoldenTensor;
  readonly adam: GoldenTrajectory;
  readonly adamw: GoldenTrajectory;
  readonly sgdMomentum: GoldenTrajectory;
}

/** Networks and trajectories computed by PyTorch 1.13 in float64. */
export const pytorch = golden as unknown as { readonly mlp532: GoldenNetwork; readonly mlp: GoldenNetwork };

/** The largest difference relative to the largest reference value. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((actual[i] as number) - (expected[i] as number)));
    largest = Math.max(largest, Math.abs(expected[i] as number));
  }
  if (actual.length !== expected.length || Number.isNaN(worst)) return Number.POSITIVE_INFINITY;
  return worst / largest;
}
