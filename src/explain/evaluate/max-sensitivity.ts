import { checkNumber } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import type { ExplanationMethod } from './maps.ts';
import { distance, largestOverDraws, type PerturbationOptions } from './perturbed-maps.ts';

export interface MaxSensitivityOptions extends PerturbationOptions {
  /** Largest move of an element, in units of the input; 0.2 by default. */
  readonly radius?: number;
}

const STREAM = streamOf('maxSensitivity');

/**
 * Max-sensitivity: how much a map can change when the input hardly does, max over ‖δ‖_∞ ≤ r of ‖φ(x + δ) − φ(x)‖ / ‖φ(x)‖, estimated from uniform draws.
 *
 * **Shapes** x [rows, ...] → [rows], at least 0. **Cost** the method `draws` + 1 times. **Lower is better**, but a constant map is perfectly stable and
 * says nothing: read it only beside infidelity.
 * Defaults: radius 0.2, 50 draws (authors' code). Captum takes 0.02 and 10, Quantus 0.2 and 200.
 * **Source** Yeh, Hsieh, Suggala, Inouye, Ravikumar 2019, "On the (in)fidelity and sensitivity of explanations", definition 3.
 *
 * @throws VitrineError as the method; `invalid-option`, `aborted`
 */
export async function maxSensitivity(
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: MaxSensitivityOptions = {},
): Promise<Float64Array> {
  const { radius = 0.2, draws = 50, seed = 0 } = options;
  checkNumber('maxSensitivity: radius', radius, 0);
  return largestOverDraws(
    'maxSensitivity',
    model,
    x,
    method,
    { ...options, draws },
    (draw, feature) => radius * (2 * uniform(seed, STREAM, draw, feature) - 1),
    (own, moved) => {
      const change = distance(own, moved);
      // A map of zeros that stays so is stable; one that does not has moved without bound.
      return change === 0 ? 0 : change / distance(own);
    },
  );
}
