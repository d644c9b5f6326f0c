import type { Examples, Model } from '../../engine/model.ts';
import { multiply } from '../../engine/ops/arithmetic.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { attributionOf, explainerOf } from '../explainer.ts';
import { outputGradient, recordOptions } from './gradient.ts';

/**
 * Gradient × input: φ = x ⊙ ∂f_c / ∂x.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** one forward and one backward row an example.
 * **Shows** each element's part in the output's first-order approximation around 0; on a ReLU network it is LRP-0, and Σφ is f_c less what the biases
 * give. **Does not show** anything about elements that are 0, black pixels among them.
 * Of token indices a token has the sum over its embedding.
 * **Source** Shrikumar, Greenside, Shcherbina, Kundaje 2016, "Not just a black box"; equality with LRP: Ancona et al. 2018.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `unsupported-model`,
 * `invalid-option`, `aborted`
 */
export async function inputXGradient(model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> {
  const explained = await explainerOf(model).run(
    {
      method: 'inputXGradient',
      tokens: 'embedded',
      build: (scene) => ({ outputs: { values: multiply(scene.x, outputGradient(scene, scene.forward)) } }),
    },
    x,
    options,
  );
  return attributionOf('inputXGradient', recordOptions(options), explained);
}
