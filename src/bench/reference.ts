/** What every contender must agree with: the same work in float64 on the CPU, in loops that a person can read. */

import { brief, checkedRows } from './agreement.ts';
import type { Results } from './contender.ts';
import { type Batch, batchOf, CHECKED_STEPS, makeDigits, matrix, pathOf } from './problem.ts';
import { AttentionReference, DenseReference, softmaxRows } from './reference-networks.ts';
import type { TimedWorkload } from './workloads.ts';

export function referenceResults(workload: TimedWorkload): Results {
  if (workload.kind === 'matmul') return referenceProduct(workload.size);
  const digits = makeDigits();
  const batch = (index: number): Batch => batchOf(digits, workload.batch, index);
  if (workload.kind !== 'train') {
    const dense = new DenseReference(workload.network);
    if (workload.kind === 'infer') return { probabilities: Float32Array.from(softmaxRows(dense.logits(batch(0)))) };
    if (workload.kind === 'saliency') return { maps: brief(dense.outputGradient(batch(0)).map(Math.abs)) };
    return { maps: brief(integratedGradients(dense, batch(0), workload.steps)) };
  }
  const network = workload.network === 'attention' ? new AttentionReference() : new DenseReference(workload.network);
  const logits = Float32Array.from(network.logits(batch(0)));
  const gradients = network.gradients(batch(0));
  const losses = Float32Array.from({ length: CHECKED_STEPS }, (_, step) => network.train(batch(step)));
  return { logits, losses, ...Object.fromEntries(gradients.values.map((values, i) => [`gradient/${network.names[i]}`, brief(values)])) };
}

/** Some rows of C = A B, and the sum of every row, which is A (B 1). */
function referenceProduct(size: number): Results {
  const a = matrix('a', size);
  const b = matrix('b', size);
  const rows = checkedRows(size).flatMap((row) => {
    const out = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      const factor = a[row * size + k] as number;
      for (let col = 0; col < size; col++) out[col] = (out[col] as number) + factor * (b[k * size + col] as number);
    }
    return [...out];
  });
  const sumsOfB = Float64Array.from({ length: size }, (_, k) =>
    b.subarray(k * size, (k + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  const rowSums = Float32Array.from({ length: size }, (_, row) =>
    sumsOfB.reduce((sum, value, k) => sum + (a[row * size + k] as number) * value, 0),
  );
  return { rows: Float32Array.from(rows), rowSums };
}

/** Along the straight path from black: x ⊙ Σ weight · gradient at point · x. */
function integratedGradients(network: DenseReference, { x, labels }: Batch, steps: number): Float64Array {
  const { points, weights } = pathOf(steps);
  const sum = new Float64Array(x.length);
  points.forEach((point, s) => {
    const gradient = network.outputGradient({ x: Float64Array.from(x, (value) => point * value), labels });
    gradient.forEach((value, i) => {
      sum[i] = (sum[i] as number) + (weights[s] as number) * value * (x[i] as number);
    });
  });
  return sum;
}
