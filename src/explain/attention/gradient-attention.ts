import { differentiate } from '../../engine/differentiate.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { add, multiply } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { mean } from '../../engine/ops/reduce.ts';
import { relu } from '../../engine/ops/relu.ts';
import type { ExplainOptions } from '../attribution.ts';
import { explainerOf, type Scene } from '../explainer.ts';
import { recordOptions } from '../local/gradient.ts';
import { type AttentionLayer, type AttentionMap, attentionMapOf, attentionNodes, requireChain, requireLayer } from './attention-layers.ts';
import { identity } from './rollout.ts';

export interface GradientAttentionOptions extends ExplainOptions {
  /** Name of the layer; the last one that attends, by default. */
  readonly layer?: string;
}

export interface AttentionRelevanceOptions extends ExplainOptions {
  /** The last layer that counts; all that attend, by default. */
  readonly layer?: string;
}

/** ∇A ⊙ A of some layers: the gradient of the explained output with respect to each weight, times the weight. */
export function gradientTimesWeights({ forward, seed }: Scene, layers: readonly AttentionLayer[]): Node[] {
  const nodes = attentionNodes(forward);
  const weights = layers.map(({ name }) => nodes.get(name) as Node);
  const gradients = differentiate(forward.logits, weights, { seed: seed(forward.logits) });
  return weights.map((node, i) => multiply(gradients[i] ?? constant(node.graph, 0, node.shape), node));
}

/**
 * Relevance of tokens through layers whose ∇A ⊙ A are given, [rows, heads, queries, keys]: R ← R + Ā R from R = I, Ā = mean_h (∇A ⊙ A)⁺. A
 * pooling layer, whose queries are no tokens, has no relevance of before: R ← Ā R.
 */
export function relevance(layers: readonly Node[]): Node {
  const [first] = layers as [Node];
  let relevant = identity(first.graph, first.shape[3] as number);
  for (const layer of layers) {
    const through = matmul(mean(relu(layer), [1]), relevant);
    relevant = layer.shape[2] === layer.shape[3] ? add(relevant, through) : through;
  }
  return relevant;
}

/**
 * Gradient × attention: ∇A ⊙ A, how the explained output would change, to first order, were a weight scaled down to 0.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, heads, queries, keys], signed. **Cost** one forward row and one backward row to the layer.
 * **Shows** which of a layer's weights speak for the class, and which against it. **Does not show** paths through other layers: attentionRelevance does.
 * **Source** Chefer, Gur, Wolf 2021, "Generic Attention-model Explainability", equation 5 before its (·)⁺; Barkan et al. 2021, "Grad-SAM".
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `label-out-of-range`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`,
 * `non-finite-data`, `invalid-option`, `aborted`
 */
export async function gradientAttention(model: Model, x: Examples, options: GradientAttentionOptions = {}): Promise<AttentionMap> {
  const method = 'gradientAttention';
  const layer = requireLayer(method, model, options.layer);
  const explained = await explainerOf(model).run(
    {
      method,
      key: layer.name,
      tokens: true,
      build: (scene) => ({ outputs: { values: gradientTimesWeights(scene, [layer])[0] as Node } }),
    },
    x,
    options,
  );
  return attentionMapOf(method, [layer], recordOptions(options, { layer: layer.name }), explained);
}

/**
 * Attention relevance: R ← R + Ā R through the layers from R = I, Ā_l = mean_h (∇A^l ⊙ A^l)⁺: what each input token did for the class by way of
 * attention.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, queries, tokens], queries being the tokens, or 1 after attentionPooling; no entry is negative.
 * **Cost** one forward and one backward row an example.
 * **Shows** a rollout that is about a class: weights that speak against it are left out. **Does not show** evidence against, nor what dense layers do;
 * rows sum to nothing in particular.
 * **Source** Chefer, Gur, Wolf 2021, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers", equations 5 and 6.
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `label-out-of-range`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`,
 * `non-finite-data`, `invalid-option`, `aborted`
 */
export async function attentionRelevance(model: Model, x: Examples, options: AttentionRelevanceOptions = {}): Promise<AttentionMap> {
  const method = 'attentionRelevance';
  const chain = requireChain(method, model, options.layer);
  const last = chain.at(-1)?.name as string;
  const explained = await explainerOf(model).run(
    { method, key: last, tokens: true, build: (scene) => ({ outputs: { values: relevance(gradientTimesWeights(scene, chain)) } }) },
    x,
    options,
  );
  return attentionMapOf(method, chain, recordOptions(options, { layer: last }), explained);
}
