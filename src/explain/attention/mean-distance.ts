import { shapeMismatch } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { multiply } from '../../engine/ops/arithmetic.ts';
import { mean, sum } from '../../engine/ops/reduce.ts';
import { unsupportedModel } from '../attribution.ts';
import { explainerOf } from '../explainer.ts';
import {
  type AttentionMap,
  attentionMapOf,
  type LayerAttentionOptions,
  requireLayer,
  temperatureData,
  weightsAt,
} from './attention-layers.ts';

export interface MeanAttentionDistanceOptions extends LayerAttentionOptions {
  /** Tokens down and across, where they are patches of an image, row by row: distances are then Euclidean. In a line by default. */
  readonly grid?: readonly [down: number, across: number];
}

/** Mean over the queries of Σ_j a_ij d_ij: [..., queries, keys] with distances [queries, keys] → [...]. */
export function meanDistance(weights: Node, distances: Node): Node {
  const rank = weights.shape.length;
  return mean(sum(multiply(weights, distances), [rank - 1]), [rank - 2]);
}

/** |i − j| of tokens in a line, or the distance of their places in a grid, [tokens, tokens], in tokens. */
export function tokenDistances(tokens: number, grid: readonly [number, number] = [1, tokens]): Float32Array {
  const place = (token: number): [number, number] => [Math.floor(token / grid[1]), token % grid[1]];
  return Float32Array.from({ length: tokens * tokens }, (_, index) => {
    const [[y, x], [v, u]] = [place(Math.floor(index / tokens)), place(index % tokens)];
    return Math.hypot(y - v, x - u);
  });
}

/**
 * Mean attention distance: Σ_j a_ij |i − j|, averaged over the queries i: how far each head looks, in tokens.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, heads]. **Cost** one forward row an example.
 * **Shows** which heads look nearby and which across the whole. **Does not show** where, nor in which direction.
 * **Source** Vig, Belinkov 2019, "Analyzing the Structure of Attention in a Transformer Language Model"; of images: Dosovitskiy et al. 2021, figure 7.
 *
 * @throws VitrineError `unsupported-model` for a layer that does not attend among its own tokens; `unknown-name`, `invalid-option`, `shape-mismatch`,
 * `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `aborted`
 */
export async function meanAttentionDistance(model: Model, x: Examples, options: MeanAttentionDistanceOptions = {}): Promise<AttentionMap> {
  const method = 'meanAttentionDistance';
  const { temperature = 1, grid } = options;
  const layer = requireLayer(method, model, options.layer);
  const { queries: tokens } = layer;
  if (tokens !== layer.keys) {
    throw unsupportedModel(
      method,
      `${layer.name} has ${tokens} queries for ${layer.keys} keys; its queries have no place among the tokens.`,
      'name a layer of selfAttention, or use attentionEntropy.',
    );
  }
  if (grid && grid[0] * grid[1] !== tokens) {
    throw shapeMismatch(
      `${method}: a grid of ${grid[0]} × ${grid[1]} has not the ${tokens} tokens of ${layer.name}.`,
      'give the patches down and across, or leave the grid out for tokens in a line.',
      { grid, tokens },
    );
  }
  const distances = tokenDistances(tokens, grid);
  const atTemperature = temperatureData(method, temperature);
  const explained = await explainerOf(model).run(
    {
      method,
      key: layer.name,
      tokens: true,
      classless: true,
      slice: () => ({ ...atTemperature(), distances }),
      build: (scene) => ({ outputs: { values: meanDistance(weightsAt(scene, layer.name), scene.input('distances', [tokens, tokens])) } }),
    },
    x,
    options,
  );
  return attentionMapOf(method, [layer], { layer: layer.name, temperature, grid: grid ?? [1, tokens] }, explained);
}
