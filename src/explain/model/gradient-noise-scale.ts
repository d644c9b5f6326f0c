import { differentiate } from '../../engine/differentiate.ts';
import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Loss } from '../../engine/losses.ts';
import { distinct, type Examples, type Forward, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add } from '../../engine/ops/arithmetic.ts';
import { square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { mean, sum } from '../../engine/ops/reduce.ts';
import { inputsOf } from '../global/network-outputs.ts';
import { overChunks } from './chunks.ts';
import { checkBatch, rowLossOf } from './fixed-batch.ts';

export interface GradientNoiseScaleOptions {
  /** 'crossEntropy' by default. */
  readonly loss?: Loss;
  /** Rows of a small batch; an eighth of the examples by default. */
  readonly small?: number;
  readonly signal?: AbortSignal;
}

export interface GradientNoiseScale {
  /** tr Σ / |G|²: about the batch size beyond which larger batches stop paying. */
  readonly scale: number;
  /** |G|², of the true gradient; an unbiased estimate, which may come out negative. */
  readonly gradient: number;
  /** tr Σ, of one example's gradient. */
  readonly noise: number;
  /** Batch sizes b < B that it was estimated from. */
  readonly small: number;
  readonly large: number;
}

/**
 * Gradient noise scale: how much the gradients of examples differ beside the gradient they have in common, S / |G|².
 *
 * From the squared norms of gradients at two batch sizes b < B: |G|² = (B|G_B|² − b|G_b|²) / (B − b), S = (|G_b|² − |G_B|²) / (1/b − 1/B), where |G_b|² is the mean
 * over the small batches that the examples make.
 * **Shapes** x [rows, ...inputShape], labels [rows] or targets; rows beyond the last whole small batch are left out. **Cost** one forward and backward pass a row.
 * **Shows** the batch size at which noise and signal balance. **Does not show** curvature: it takes every direction as equally steep (the simple noise scale).
 * **Source** McCandlish, Kaplan, Amodei, OpenAI Dota Team 2018, "An empirical model of large-batch training", appendix A.1.
 *
 * @throws VitrineError `invalid-option`, `shape-mismatch`, `label-out-of-range`, `aborted`
 */
export async function gradientNoiseScale(
  model: Model,
  x: Examples,
  answers: ArrayLike<number>,
  options: GradientNoiseScaleOptions = {},
): Promise<GradientNoiseScale> {
  const method = 'gradientNoiseScale';
  const batch = checkBatch(method, model, x, answers, options.loss, Number.MAX_SAFE_INTEGER);
  const small = options.small ?? Math.max(1, Math.floor(batch.rows / 8));
  checkWhole(`${method}: small`, small, 1, 4096);
  const batches = Math.floor(batch.rows / small);
  if (batches < 2) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${batch.rows} examples make ${batches} batch of ${small}.`,
      'pass more, or a smaller batch.',
      {
        rows: batch.rows,
        small,
      },
    );
  }
  const large = batches * small;
  const values = (await inputsOf(model, x)).subarray(0, large * elements(model.spec.inputShape));
  const squares: number[] = [];
  const sums = await overChunks(method, {
    models: [model],
    x: values,
    rows: small,
    signal: options.signal,
    perRow: { answers: batch.answers.subarray(0, (batch.answers.length / batch.rows) * large) },
    build: (scene) => {
      const forward = scene.forwards[0] as Forward;
      const loss = mean(rowLossOf(batch.loss, forward, scene.perRow('answers')));
      const parameters = [...forward.parameters.values()];
      const gradients = differentiate(loss, parameters).map((gradient, i) => {
        const parameter = parameters[i] as Node;
        return gradient ? distinct(gradient, parameter) : constant(scene.graph, 0, parameter.shape);
      });
      const total = gradients.map((gradient) => sum(square(gradient))).reduce(add);
      return { each: { squares: total }, sum: Object.fromEntries(gradients.map((gradient, i) => [`${i}`, gradient])) };
    },
    onChunk: (found) => squares.push((found.get('squares') as Float32Array)[0] as number),
  });
  const atSmall = squares.reduce((total, value) => total + value, 0) / batches;
  let atLarge = 0;
  for (const gradient of sums.values()) for (const value of gradient) atLarge += (value / batches) ** 2;
  const gradient = (large * atLarge - small * atSmall) / (large - small);
  const noise = (atSmall - atLarge) / (1 / small - 1 / large);
  return { scale: noise / gradient, gradient, noise, small, large };
}
