/** Attention over tokens, as a map over the input that the tokens are made of: so it can be drawn on the input, scored and ranked beside others. */

import { differentiate } from '../../engine/differentiate.ts';
import { ancestors, Graph, type Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { affineOperation } from '../../engine/ops/affine.ts';
import { addOperation, multiplyOperation, scale, subtract } from '../../engine/ops/arithmetic.ts';
import { embeddingOperation } from '../../engine/ops/embedding.ts';
import { layerNormOperation } from '../../engine/ops/layer-norm.ts';
import { broadcastTo, mean } from '../../engine/ops/reduce.ts';
import { reshape, reshapeOperation } from '../../engine/ops/reshape.ts';
import { transposeOperation } from '../../engine/ops/transpose.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { attributionOf, explainerOf, type Scene } from '../explainer.ts';
import { recordOptions } from '../local/gradient.ts';
import { type AttentionLayer, attentionNodes, requireChain } from './attention-layers.ts';
import { gradientTimesWeights, relevance } from './gradient-attention.ts';
import { identity, rollout } from './rollout.ts';

/** What only moves elements. */
const MOVES = new Set<unknown>([reshapeOperation, transposeOperation]);
/** What works on each token alone. */
const TOKENWISE = new Set<unknown>([affineOperation, addOperation, multiplyOperation, embeddingOperation, layerNormOperation]);

/** The elements of x by tokens, [rows, tokens, ...], where that is all that was done to them before each token is worked on alone. */
function inputTokens({ x, logits }: Forward, tokens: number): Node | undefined {
  const nodes = ancestors([logits]);
  for (let at = x; ; ) {
    const readers = nodes.filter(({ inputs }) => inputs.includes(at));
    const [reader] = readers;
    if (!reader) return undefined;
    if (readers.every(({ operation }) => TOKENWISE.has(operation))) return at.shape[1] === tokens ? at : undefined;
    if (readers.length > 1 || !MOVES.has(reader.operation)) return undefined;
    at = reader;
  }
}

/** Gives each element of an input token an equal part of the token's share, [rows, tokens], in the shape of x. */
function overInput(forward: Forward, shares: Node): Node {
  const [rows, tokens] = shares.shape as [number, number];
  const parts = inputTokens(forward, tokens) as Node;
  const each = elements(parts.shape.slice(2));
  const spread = reshape(broadcastTo(reshape(scale(shares, 1 / each), [rows, tokens, 1]), [rows, tokens, each]), parts.shape);
  // The gradient of a cut puts the pieces back where they were.
  return parts === forward.x ? spread : (differentiate(parts, [forward.x], { seed: spread })[0] as Node);
}

async function inputMap(
  method: string,
  model: Model,
  x: Examples,
  options: ExplainOptions,
  shares: (scene: Scene, chain: readonly AttentionLayer[]) => Node,
): Promise<Attribution> {
  const chain = requireChain(method, model, undefined);
  const tokens = chain[0]?.keys as number;
  if (!inputTokens(model.forward(new Graph(), 1), tokens)) {
    throw unsupportedModel(
      method,
      `the ${tokens} tokens are no parts of the input: something mixes it before.`,
      'use attentionRollout or attentionRelevance, whose values are about tokens, or integratedGradients.',
    );
  }
  const explained = await explainerOf(model).run(
    {
      method,
      tokens: true,
      build: (scene) => ({ outputs: { values: overInput(scene.forward, mean(shares(scene, chain), [1])) } }),
    },
    x,
    options,
  );
  return attributionOf(method, recordOptions(options), explained);
}

/**
 * Attention rollout over the input: what attentionRollout finds of each token, on average over the queries, in equal parts on the token's elements.
 *
 * **Shapes** x [rows, ...inputShape] → values the same, not negative, adding up to 1. **Cost** one forward row an example.
 * **Shows** where attention has carried its information from. **Does not show** a class, nor anything finer than a token.
 * **Source** Abnar, Zuidema 2020; drawn on images: Dosovitskiy et al. 2021, appendix D.8.
 *
 * @throws VitrineError `unsupported-model`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`,
 * `invalid-option`, `aborted`
 */
export const attentionRolloutMap = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  inputMap('attentionRolloutMap', model, x, options, ({ forward }, chain) => {
    const nodes = attentionNodes(forward);
    return rollout(chain.map(({ name }) => nodes.get(name) as Node));
  });

/**
 * Attention relevance over the input: what attentionRelevance finds of each token beyond the token itself, R − I, on average over the queries, in
 * equal parts on the token's elements.
 *
 * **Shapes** x [rows, ...inputShape] → values the same, not negative. **Cost** one forward and one backward row an example.
 * **Shows** which parts of the input spoke for the class by way of attention. **Does not show** evidence against it, nor anything finer than a token.
 * **Source** Chefer, Gur, Wolf 2021, "Generic Attention-model Explainability", section 3.
 *
 * @throws VitrineError `unsupported-model`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`,
 * `invalid-option`, `aborted`
 */
export const attentionRelevanceMap = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  inputMap('attentionRelevanceMap', model, x, options, (scene, chain) => {
    const found = relevance(gradientTimesWeights(scene, chain));
    const [, queries, tokens] = found.shape as [number, number, number];
    return queries === tokens ? subtract(found, identity(scene.graph, tokens)) : found;
  });
