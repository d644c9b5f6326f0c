import type { Examples, Model } from '../../engine/model.ts';
import { subtract } from '../../engine/ops/arithmetic.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { disposeAll } from '../attribution.ts';
import { type Baseline, baselineRows, explainerOf } from '../explainer.ts';
import { type BackgroundOptions, explainedBy } from './explained-by.ts';
import { readMaps, requireSameRows, scoreEach } from './maps.ts';

export interface CompletenessOptions extends ExplainOptions, BackgroundOptions {
  /** The x′ whose output is missing from the sum; 0 by default. Of a data set f(x′) is the mean over those of its examples that are chosen. */
  readonly baseline?: Baseline;
}

/**
 * Completeness gap: the share of the output that a map leaves unexplained, |Σφ − Δ| / |Δ|, Δ = f(x) − f(x′).
 *
 * **Shapes** x [rows, ...], maps the same → [rows], at least 0. **Cost** two forward rows an example. **Lower is better**: 0 for a complete method. Methods that promise no sum
 * are scored all the same; their gap says how far their numbers are from parts of the output.
 * **Caveat** complete is not right: Δ may be handed to the wrong elements.
 * **Source** Sundararajan, Taly, Yan 2017, proposition 1. SHAP asserts 1e-2, absolute.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `unsupported-model`, `invalid-option`, `aborted`
 */
export async function completeness(
  model: Model,
  x: Examples,
  attribution: Attribution,
  options: CompletenessOptions = {},
): Promise<Float64Array> {
  requireSameRows('completeness', model, x, attribution);
  const { tensors } = await explainerOf(model).run(
    {
      method: 'completeness',
      build: (scene) => {
        const output = scene.output(scene.forward.logits);
        return { outputs: { output, difference: subtract(output, scene.output(scene.forwardOf(scene.baseline()).logits)) } };
      },
    },
    x,
    { ...(await explainedBy(attribution, options)), baseline: baselineRows('completeness', model, x, options.baseline ?? 0, options) },
  );
  const differences = (await tensors
    .get('difference')
    ?.read()
    .finally(() => disposeAll(tensors.values()))) as Float32Array;
  return scoreEach(await readMaps(attribution), (map, example) => {
    const difference = differences[example] as number;
    let sum = 0;
    for (const value of map) sum += value;
    return sum === difference ? 0 : Math.abs(sum - difference) / Math.abs(difference);
  });
}
