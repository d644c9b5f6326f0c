/**
 * Layers on tokens: examples are [tokens, width]. They make tokens of images and of columns, let tokens attend to one another, and pool
 * them.
 *
 * Where a layer attends, its weights are a node called `attention/NAME`, [batch, heads, queries, keys], and what each head gives is
 * `heads/NAME`, [batch, heads, queries, width of a head]: explanations and the inspector find them among the model's activations.
 */

import { checkNumber, checkWhole, shapeMismatch, show, VitrineError } from './errors.ts';
import type { Node } from './graph.ts';
import { type Activation, dense, dropout, type Layer, type LayerContext, layerNorm, makerOf } from './layers.ts';
import { elements } from './operation.ts';
import { add, multiply } from './ops/arithmetic.ts';
import { attentionSoftmax, checkTemperature } from './ops/attention-softmax.ts';
import { matmul } from './ops/matmul.ts';
import { mean } from './ops/reduce.ts';
import { reshape } from './ops/reshape.ts';
import { transpose } from './ops/transpose.ts';

/** Batch, tokens and width of what a layer on tokens is given. @throws VitrineError `shape-mismatch` */
function tokensOf({ name }: LayerContext, x: Node): [batch: number, tokens: number, width: number] {
  if (x.shape.length === 3) return x.shape as unknown as [number, number, number];
  throw shapeMismatch(
    `${name}: an example is ${show(x.shape.slice(1))}; it must be [tokens, width].`,
    'put patches(), columnTokens() or embedding() before it.',
    { shape: x.shape },
  );
}

// ---- tokens ------------------------------------------------------------------------------------------------------------------------

export interface PatchesOptions {
  /** Side of a patch in pixels. */
  readonly size: number;
}
const definePatches = /* @__PURE__ */ makerOf<PatchesOptions>({
  kind: 'patches',
  build: ({ name }, x, { size }) => {
    checkWhole(`${name}: size`, size, 1);
    const [batch, height, width, channels = 1, ...more] = x.shape as [number, ...number[]];
    if (!height || !width || more.length > 0 || height % size !== 0 || width % size !== 0) {
      throw shapeMismatch(
        `${name}: an example is ${show(x.shape.slice(1))}; patches of ${size} × ${size} do not tile it.`,
        'give images [height, width, channels] whose sides are multiples of the size.',
        { shape: x.shape, size },
      );
    }
    const [down, across] = [height / size, width / size];
    // Rows of patches count as examples, so that four axes are enough.
    const cut = transpose(reshape(x, [batch * down, size, across, size * channels]), [0, 2, 1, 3]);
    return reshape(cut, [batch, down * across, size * size * channels]);
  },
});
/**
 * Cuts an image into square patches, row by row, each a token: [batch, height, width, channels] → [batch, patches, size² · channels].
 *
 * **Source** Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words". @param size side of a patch in pixels, which divides both sides
 */
export const patches = (size: number, options: { readonly name?: string } = {}): Layer =>
  definePatches({ size, ...options }) as unknown as Layer;

export interface ColumnTokensOptions {
  /** Length of a token. */
  readonly width: number;
}
const defineColumnTokens = /* @__PURE__ */ makerOf<ColumnTokensOptions>({
  kind: 'columnTokens',
  build: (context, x, { width }) => {
    checkWhole(`${context.name}: width`, width, 1);
    const [batch, columns, ...more] = x.shape as [number, ...number[]];
    if (!columns || more.length > 0) {
      throw shapeMismatch(
        `${context.name}: an example is ${show(x.shape.slice(1))}; it must be [columns].`,
        'give rows of a table, or put flatten() before it.',
        { shape: x.shape },
      );
    }
    const weight = context.parameter('weight', [columns, width], { kind: 'uniform', limit: 1 / Math.sqrt(width) });
    const bias = context.parameter('bias', [columns, width], { kind: 'uniform', limit: 1 / Math.sqrt(width) });
    return add(multiply(reshape(x, [batch, columns, 1]), weight), bias);
  },
});
/**
 * Makes a token of each column of a table: t_j = x_j · weight_j + bias_j, [batch, columns] → [batch, columns, width].
 *
 * **Source** Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (the feature tokenizer).
 */
export const columnTokens = (width: number, options: { readonly name?: string } = {}): Layer =>
  defineColumnTokens({ width, ...options }) as unknown as Layer;

const definePositionalEmbedding = /* @__PURE__ */ makerOf<object>({
  kind: 'positionalEmbedding',
  build: (context, x) => {
    const [, tokens, width] = tokensOf(context, x);
    return add(x, context.parameter('table', [tokens, width], { kind: 'normal', deviation: 0.02 }));
  },
});
/** Adds a trained vector to each token by its place: [batch, tokens, width] → the same. Without it attention knows no order. */
export const positionalEmbedding = (options: { readonly name?: string } = {}): Layer =>
  definePositionalEmbedding(options) as unknown as Layer;

const defineGlobalAverage = /* @__PURE__ */ makerOf<object>({
  kind: 'globalAverage',
  build: ({ name }, x) => {
    const between = x.shape.slice(1, -1);
    if (between.length === 0) {
      throw shapeMismatch(
        `${name}: an example is ${show(x.shape.slice(1))}; there is nothing to average over.`,
        'give [tokens, width] or [height, width, channels].',
        { shape: x.shape },
      );
    }
    return mean(reshape(x, [x.shape[0] as number, elements(between), x.shape.at(-1) as number]), [1]);
  },
});
/** The mean over everything but the last axis: [batch, ..., width] → [batch, width]. */
export const globalAverage = (options: { readonly name?: string } = {}): Layer => defineGlobalAverage(options) as unknown as Layer;

// ---- attention ---------------------------------------------------------------------------------------------------------------------

export interface SelfAttentionOptions {
  /** Number of heads, which divides the width. */
  readonly heads: number;
  /** Whether a token sees only itself and what comes before it; no by default. */
  readonly causal?: boolean;
  /** τ, by which the scores are divided besides √(width / heads); 1 by default. */
  readonly temperature?: number;
}
const defineSelfAttention = /* @__PURE__ */ makerOf<SelfAttentionOptions>({
  kind: 'selfAttention',
  build: (context, x, { heads, causal = false, temperature = 1 }) => {
    const { name } = context;
    const [batch, tokens, width] = tokensOf(context, x);
    checkWhole(`${name}: heads`, heads, 1);
    checkTemperature(name, temperature);
    if (width % heads !== 0) {
      throw shapeMismatch(
        `${name}: ${heads} heads do not divide a width of ${width}.`,
        'choose a number of heads that divides the width, or put dense() of another width before it.',
        { heads, width },
      );
    }
    const each = width / heads;
    const inHeads = (part: string): Node => {
      const projected = reshape(context.layer(dense(width, { name: part }), x), [batch, tokens, heads, each]);
      return heads === 1 ? reshape(projected, [batch, 1, tokens, each]) : transpose(projected, [0, 2, 1, 3]);
    };
    const [query, key, value] = [inHeads('query'), inHeads('key'), inHeads('value')];
    const scores = matmul(query, key, { transposeB: true });
    const weights = attentionSoftmax(scores, { temperature: temperature * Math.sqrt(each), causal: causal === true });
    weights.name = `attention/${name}`;
    const outputs = matmul(weights, value);
    outputs.name = `heads/${name}`;
    const joined = heads === 1 ? outputs : transpose(outputs, [0, 2, 1, 3]);
    return context.layer(dense(width, { name: 'output' }), reshape(joined, [batch, tokens, width]));
  },
});
/**
 * Multi-head self-attention: each head's softmax(q kᵀ / (√d τ)) v, d = width / heads, joined and passed through a dense layer.
 *
 * **Shapes** [batch, tokens, width] → the same. Weights [width, width] and biases of `query`, `key`, `value` and `output`, nested dense layers.
 * **Source** Vaswani et al. 2017, "Attention Is All You Need", section 3.2.
 */
export const selfAttention = (options: SelfAttentionOptions & { readonly name?: string }): Layer =>
  defineSelfAttention(options) as unknown as Layer;

export interface AttentionPoolingOptions {
  /** Length of the query and of the keys; the width of the tokens by default. */
  readonly width?: number;
  /** Length of what comes out; the width of the tokens by default. */
  readonly units?: number;
  /** τ, by which the scores are divided besides √width; 1 by default. */
  readonly temperature?: number;
}
const defineAttentionPooling = /* @__PURE__ */ makerOf<AttentionPoolingOptions>({
  kind: 'attentionPooling',
  build: (context, x, options) => {
    const { name } = context;
    const [batch, tokens, inputs] = tokensOf(context, x);
    const { width = inputs, units = inputs, temperature = 1 } = options;
    checkWhole(`${name}: width`, width, 1);
    checkWhole(`${name}: units`, units, 1);
    checkTemperature(name, temperature);
    const query = context.parameter('query', [width], 'glorotUniform');
    const keys = reshape(context.layer(dense(width, { name: 'key' }), x), [batch * tokens, width]);
    const values = context.layer(dense(units, { name: 'value' }), x);
    const scores = reshape(matmul(keys, reshape(query, [width, 1])), [batch, 1, 1, tokens]);
    const weights = attentionSoftmax(scores, { temperature: temperature * Math.sqrt(width) });
    weights.name = `attention/${name}`;
    const outputs = matmul(weights, reshape(values, [batch, 1, tokens, units]));
    outputs.name = `heads/${name}`;
    return reshape(outputs, [batch, units]);
  },
});
/**
 * Pools tokens by attention: y = Σ_i a_i v_i, where a_i = e^(θ_i) / Σ_j e^(θ_j) and θ_i = q · k_i / (√width τ). The query q is trained; keys k
 * and values v are dense in the token. Its weights say which patches or columns the rest of the network is given.
 *
 * **Shapes** [batch, tokens, width of a token] → [batch, units]. Weights are named `attention/NAME`, [batch, 1, 1, tokens].
 * **Source** Bahdanau, Cho, Bengio 2015, equations 5 and 6; Ilse, Tomczak, Welling 2018, "Attention-based Deep Multiple Instance Learning".
 */
export const attentionPooling = (options: AttentionPoolingOptions & { readonly name?: string } = {}): Layer =>
  defineAttentionPooling(options) as unknown as Layer;

// ---- blocks ------------------------------------------------------------------------------------------------------------------------

export interface ResidualOptions {
  readonly layers: readonly Layer[];
}
const defineResidual = /* @__PURE__ */ makerOf<ResidualOptions>({
  kind: 'residual',
  build: (context, x, { layers }) => {
    if (!Array.isArray(layers)) {
      throw new VitrineError('invalid-option', `${context.name}: layers is no list.`, 'give a list of layers.', { layers });
    }
    const inner = layers.reduce<Node>((output, layer) => context.layer(layer, output), x);
    if (show(inner.shape) !== show(x.shape)) {
      throw shapeMismatch(
        `${context.name}: its layers give ${show(inner.shape.slice(1))} but are given ${show(x.shape.slice(1))}; the two are added.`,
        'end them in a layer of the width that goes in.',
        { input: x.shape, output: inner.shape },
      );
    }
    return add(x, inner);
  },
});
/** x + layers(x), where the layers keep the shape. **Source** He et al. 2016, "Deep Residual Learning", equation 1. */
export const residual = (layers: readonly Layer[], options: { readonly name?: string } = {}): Layer =>
  defineResidual({ layers: Object.freeze([...layers]), ...options }) as unknown as Layer;

export interface TransformerBlockOptions extends SelfAttentionOptions {
  /** Units of the hidden dense layer; four times the width by default. */
  readonly hidden?: number;
  /** Of the hidden dense layer; 'gelu' by default. */
  readonly activation?: Activation;
  /** Share of what each half adds that is dropped in training; 0 by default. */
  readonly dropout?: number;
}
const defineTransformerBlock = /* @__PURE__ */ makerOf<TransformerBlockOptions>({
  kind: 'transformerBlock',
  build: (context, x, options) => {
    const [, , width] = tokensOf(context, x);
    const { hidden = 4 * width, activation = 'gelu', dropout: rate = 0, heads, causal, temperature } = options;
    checkNumber(`${context.name}: dropout`, rate, 0, 0.999999);
    const dropped = (y: Node): Node => (rate === 0 ? y : context.layer(dropout(rate), y));
    const attention = selfAttention({
      heads,
      ...(causal === undefined ? {} : { causal }),
      ...(temperature === undefined ? {} : { temperature }),
    });
    const attended = add(x, dropped(context.layer(attention, context.layer(layerNorm(), x))));
    const activated = context.layer(dense(hidden, { activation }), context.layer(layerNorm(), attended));
    return add(attended, dropped(context.layer(dense(width), activated)));
  },
});
/**
 * A transformer block, normalised before each half: h = x + attention(norm(x)); y = h + dense(activation(dense(norm(h)))).
 *
 * **Shapes** [batch, tokens, width] → the same.
 * **Source** Vaswani et al. 2017; the norm before: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture".
 */
export const transformerBlock = (options: TransformerBlockOptions & { readonly name?: string }): Layer =>
  defineTransformerBlock(options) as unknown as Layer;
