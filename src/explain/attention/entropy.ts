import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { maximum, multiply, negate } from '../../engine/ops/arithmetic.ts';
import { log } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { explainerOf } from '../explainer.ts';
import {
  type AttentionMap,
  attentionMapOf,
  type LayerAttentionOptions,
  requireLayer,
  temperatureData,
  weightsAt,
} from './attention-layers.ts';

/** The least normal number of float32, in whose place 0 may stand before a logarithm. */
const LEAST = 2 ** -126;

/** −Σ a ln a over the last axis, in nats, where 0 · ln 0 = 0. */
export const rowEntropy = (weights: Node): Node =>
  negate(sum(multiply(weights, log(maximum(weights, constant(weights.graph, LEAST)))), [weights.shape.length - 1]));

/**
 * Attention entropy: H_i = −Σ_j a_ij ln a_ij, in nats: 0 where a query reads one key, ln(keys) where it reads all alike.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, heads, queries]. **Cost** one forward row an example.
 * **Shows** how widely each head looks. **Does not show** at what, or to what end.
 * **Source** Shannon 1948; of attention: Clark, Khandelwal, Levy, Manning 2019, "What Does BERT Look At?", section 3.
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `invalid-option`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`,
 * `aborted`
 */
export async function attentionEntropy(model: Model, x: Examples, options: LayerAttentionOptions = {}): Promise<AttentionMap> {
  const method = 'attentionEntropy';
  const { temperature = 1 } = options;
  const layer = requireLayer(method, model, options.layer);
  const explained = await explainerOf(model).run(
    {
      method,
      key: layer.name,
      tokens: true,
      classless: true,
      slice: temperatureData(method, temperature),
      build: (scene) => ({ outputs: { values: rowEntropy(weightsAt(scene, layer.name)) } }),
    },
    x,
    options,
  );
  return attentionMapOf(method, [layer], { layer: layer.name, temperature }, explained);
}
