import { checkNumber } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { normal, streamOf } from '../../engine/random.ts';
import type { ExplanationMethod } from './maps.ts';
import { distance, largestOverDraws, type PerturbationOptions } from './perturbed-maps.ts';

export interface LocalLipschitzOptions extends PerturbationOptions {
  /** Deviation of the normal move of each element, in units of the input; 0.1 by default. */
  readonly deviation?: number;
}

const STREAM = streamOf('localLipschitz');

/**
 * Local Lipschitz estimate: how far a map moves for how far the input does, max over draws of ‖φ(x + δ) − φ(x)‖ / ‖δ‖, δ ~ N(0, σ²).
 *
 * **Shapes** x [rows, ...] → [rows], in units of φ over units of the input: methods of different scale do not compare. **Cost** the method `draws` + 1 times.
 * **Lower is better**, with the caveat of maxSensitivity: a constant map has 0.
 * Defaults: 200 draws, σ 0.1 (Quantus).
 * **Source** Alvarez-Melis, Jaakkola 2018, "Towards robust interpretability with self-explaining neural networks", section 5.
 *
 * @throws VitrineError as the method; `invalid-option`, `aborted`
 */
export async function localLipschitz(
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: LocalLipschitzOptions = {},
): Promise<Float64Array> {
  const { deviation = 0.1, draws = 200, seed = 0 } = options;
  checkNumber('localLipschitz: deviation', deviation, 1e-6);
  return largestOverDraws(
    'localLipschitz',
    model,
    x,
    method,
    { ...options, draws },
    (draw, feature) => deviation * normal(seed, STREAM, draw, feature),
    (own, moved, by) => distance(own, moved) / distance(by),
  );
}
