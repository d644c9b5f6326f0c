import type { Examples, Model } from '../../engine/model.ts';
import { abs } from '../../engine/ops/elementary.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { attributionOf, explainerOf } from '../explainer.ts';
import { outputGradient, recordOptions } from './gradient.ts';

export interface SaliencyOptions extends ExplainOptions {
  /** Keep the gradient's sign; the paper's map, and the default, is its absolute value. */
  readonly signed?: boolean;
}

/**
 * Saliency: φ = |∂f_c / ∂x|, how fast the output changes with each input element.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** one forward and one backward row an example.
 * **Shows** where a small change would change the output most. **Does not show** how much each element contributed: a saturated unit has no
 * gradient however much it matters.
 * **Source** Simonyan, Vedaldi, Zisserman 2013, "Deep inside convolutional networks".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `unsupported-model`,
 * `invalid-option`, `aborted`
 */
export async function saliency(model: Model, x: Examples, options: SaliencyOptions = {}): Promise<Attribution> {
  const { signed = false } = options;
  const explained = await explainerOf(model).run(
    {
      method: 'saliency',
      key: signed ? 'signed' : 'absolute',
      build: (scene) => {
        const gradient = outputGradient(scene, scene.forward);
        return { outputs: { values: signed ? gradient : abs(gradient) } };
      },
    },
    x,
    options,
  );
  return attributionOf('saliency', recordOptions(options, { signed }), explained);
}
