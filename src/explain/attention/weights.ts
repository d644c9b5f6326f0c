import type { Examples, Model } from '../../engine/model.ts';
import { explainerOf } from '../explainer.ts';
import {
  type AttentionMap,
  attentionMapOf,
  type LayerAttentionOptions,
  requireLayer,
  temperatureData,
  weightsAt,
} from './attention-layers.ts';

/**
 * Attention weights: a_i = e^(θ_i/τ) / Σ_j e^(θ_j/τ), how much of each token a layer's heads let into each other token.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, heads, queries, keys]; rows of keys sum to 1. **Cost** one forward row an example.
 * **Shows** where values are taken from. **Does not show** what they do to the output: weights may be changed without changing it (Jain, Wallace
 * 2019, "Attention is not Explanation"), so look at a relevance and at a head's ablation beside them.
 * **Source** Vaswani et al. 2017, "Attention Is All You Need", equation 1; temperature: Hinton, Vinyals, Dean 2015, equation 1.
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `invalid-option`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`,
 * `aborted`
 */
export async function attentionWeights(model: Model, x: Examples, options: LayerAttentionOptions = {}): Promise<AttentionMap> {
  const method = 'attentionWeights';
  const { temperature = 1 } = options;
  const layer = requireLayer(method, model, options.layer);
  const explained = await explainerOf(model).run(
    {
      method,
      key: layer.name,
      tokens: true,
      classless: true,
      slice: temperatureData(method, temperature),
      build: (scene) => ({ outputs: { values: weightsAt(scene, layer.name) } }),
    },
    x,
    options,
  );
  return attentionMapOf(method, [layer], { layer: layer.name, temperature }, explained);
}
