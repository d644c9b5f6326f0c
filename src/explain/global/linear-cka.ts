import { VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { layerNames } from '../model/chunks.ts';
import { centredProducts, type Source } from '../model/moments.ts';

export interface LinearCkaOptions {
  /** 'input', 'logits' or names of activations; the output of every layer by default. */
  readonly layers?: readonly string[];
  /** Another model of the same inputs, such as this one at another training step (modelAt); the model itself by default. */
  readonly against?: Model;
  /** Of the other model; `layers` by default, or the output of each of its layers. */
  readonly againstLayers?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface LinearCka {
  /** Layers of the model, and of the other. */
  readonly layers: readonly string[];
  readonly againstLayers: readonly string[];
  /** [layers][againstLayers] in [0, 1]; NaN for a layer that does not vary. */
  readonly values: readonly (readonly number[])[];
}

/**
 * Linear CKA: how alike two layers are as representations of the same examples, ‖YᵀX‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) with columns centred.
 *
 * **Shapes** x [rows, ...inputShape]; a layer's output is taken as [rows, width]. **Cost** two forward rows an example and model, and products of
 * width · width a pair and row.
 * **Shows** which layers, or training steps, say the same up to a rotation and a scale. **Does not show** what they say; few examples beside many units
 * make everything look alike.
 * **Source** Kornblith, Norouzi, Lee, Hinton 2019, "Similarity of neural network representations revisited", equation 4.
 *
 * @throws VitrineError `unknown-name`, `invalid-option` for a single example, `shape-mismatch`, what the model's inputs can be wrong in, `aborted`
 */
export async function linearCka(model: Model, x: Examples, options: LinearCkaOptions = {}): Promise<LinearCka> {
  const method = 'linearCka';
  model.requireAlive();
  const { against = model, layers = layerNames(model), signal } = options;
  if (model.rowsOf(x) < 2) {
    throw new VitrineError(
      'invalid-option',
      `${method}: 1 example; how far examples lie apart takes two at least.`,
      'give more examples: hundreds for a steady figure.',
      { method, examples: model.rowsOf(x) },
    );
  }
  const againstLayers = options.againstLayers ?? (options.layers || against === model ? layers : layerNames(against));
  const models = against === model ? [model] : [model, against];
  const sources: Source[] = layers.map((layer) => ({ model: 0, layer }));
  const indexOf = (source: Source): number => {
    const known = sources.findIndex((other) => other.model === source.model && other.layer === source.layer);
    return known >= 0 ? known : sources.push(source) - 1;
  };
  const others = againstLayers.map((layer) => indexOf({ model: models.length - 1, layer }));
  const pairs = new Map<string, readonly [number, number]>();
  const pair = (a: number, b: number): string => {
    const key = `${Math.min(a, b)} ${Math.max(a, b)}`;
    pairs.set(key, [Math.min(a, b), Math.max(a, b)]);
    return key;
  };
  const keys = layers.map((_layer, i) => others.map((other) => pair(i, other)));
  for (let i = 0; i < sources.length; i++) pair(i, i);
  const { products } = await centredProducts(method, models, x, sources, [...pairs.values()], signal);
  const norms = new Map(
    [...pairs.keys()].map((key, k) => [key, Math.sqrt((products[k] as Float32Array).reduce((sum, value) => sum + value * value, 0))]),
  );
  const norm = (key: string): number => norms.get(key) as number;
  const values = keys.map((row, i) =>
    row.map((key, j) => {
      const other = others[j] as number;
      // By Cauchy and Schwarz at most 1; rounding may say otherwise.
      return Math.min(1, norm(key) ** 2 / (norm(`${i} ${i}`) * norm(`${other} ${other}`)));
    }),
  );
  return { layers, againstLayers, values };
}
