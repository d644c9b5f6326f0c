import type { Graph, Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { add, scale } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { mean } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { pad, slice } from '../../engine/ops/slice.ts';
import { explainerOf } from '../explainer.ts';
import { type AttentionMap, type AttentionOptions, attentionMapOf, attentionNodes, requireChain } from './attention-layers.ts';

export interface AttentionRolloutOptions extends AttentionOptions {
  /** The last layer to be rolled out; all that attend, by default. */
  readonly layer?: string;
}

/** The identity [n, n]: rows of a one and n zeros, read as a flat list, begin again one place further in every row of n. */
export function identity(graph: Graph, n: number): Node {
  const rows = pad(constant(graph, 1, [n, 1]), { start: [0, 0], shape: [n, n + 1] });
  return reshape(slice(reshape(rows, [n * (n + 1)]), { start: [0], end: [n * n] }), [n, n]);
}

/**
 * Rolls weights [rows, heads, queries, keys] of successive layers out, [rows, queries of the last, tokens]. A layer among its own tokens stands
 * beside a skip connection, ½ mean_h A + ½ I; a pooling layer, of as many queries as it pleases, has none.
 */
export function rollout(layers: readonly Node[]): Node {
  const [first] = layers as [Node];
  let rolled = identity(first.graph, first.shape[3] as number);
  for (const weights of layers) {
    const [, , queries, keys] = weights.shape as [number, number, number, number];
    const heads = mean(weights, [1]);
    const mixed = queries === keys ? add(scale(heads, 0.5), scale(identity(weights.graph, keys), 0.5)) : heads;
    rolled = matmul(mixed, rolled);
  }
  return rolled;
}

/**
 * Attention rollout: R = Â_L ⋯ Â_1 with Â_l = ½ mean_h A^(l,h) + ½ I: how much of each input token has reached each token after L layers, if
 * attention were all that mixed them.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, queries, tokens], queries being the tokens, or 1 after attentionPooling; rows sum to 1.
 * **Cost** one forward row an example.
 * **Shows** the paths of attention through all layers at once. **Does not show** a class, nor signs: it is the same whatever is predicted, and what
 * values and dense layers do is left out.
 * **Source** Abnar, Zuidema 2020, "Quantifying Attention Flow in Transformers", equation 1 (without the ½ rows would sum to 2^L).
 *
 * @throws VitrineError `unsupported-model`, `unknown-name`, `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `invalid-option`,
 * `aborted`
 */
export async function attentionRollout(model: Model, x: Examples, options: AttentionRolloutOptions = {}): Promise<AttentionMap> {
  const method = 'attentionRollout';
  const chain = requireChain(method, model, options.layer);
  const last = chain.at(-1)?.name as string;
  const explained = await explainerOf(model).run(
    {
      method,
      key: last,
      tokens: true,
      classless: true,
      build: ({ forward }) => {
        const nodes = attentionNodes(forward);
        return { outputs: { values: rollout(chain.map(({ name }) => nodes.get(name) as Node)) } };
      },
    },
    x,
    options,
  );
  return attentionMapOf(method, chain, { layer: last }, explained);
}
