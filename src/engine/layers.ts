/**
 * Layers are frozen plain values `{ kind, name?, options }`; a kind says how a value becomes nodes of a graph. The table of kinds is what
 * files are loaded by.
 */

import { checkNumber, checkWhole, shapeMismatch, show, VitrineError } from './errors.ts';
import type { Node } from './graph.ts';
import type { Initializer } from './initializers.ts';
import { elements } from './operation.ts';
import { affine } from './ops/affine.ts';
import { dropout as dropoutOperation } from './ops/dropout.ts';
import { embedding as embeddingOperation } from './ops/embedding.ts';
import { gelu as geluOperation } from './ops/gelu.ts';
import { layerNorm as layerNormOperation } from './ops/layer-norm.ts';
import { relu as reluOperation } from './ops/relu.ts';
import { reshape } from './ops/reshape.ts';
import { sigmoid as sigmoidOperation } from './ops/sigmoid.ts';
import { softmax as softmaxOperation } from './ops/softmax.ts';
import { tanh as tanhOperation } from './ops/tanh.ts';
import { streamOf } from './random.ts';

/** A layer as a value: what a specification and a file hold. */
export interface Layer<O = Readonly<Record<string, unknown>>> {
  readonly kind: string;
  readonly name?: string;
  readonly options: O;
}

/** What a layer builds with. */
export interface LayerContext {
  /** Name of this layer, such as `dense_1`. */
  readonly name: string;
  /** Dropout acts only in training. */
  readonly training: boolean;
  /** The training state, which dropout is keyed by; present in training. */
  readonly state: Node | undefined;
  /** A parameter of this layer; the model makes it on the first build. */
  parameter(name: string, shape: readonly number[], initializer: Initializer): Node;
  /** A layer within this one. */
  layer(layer: Layer, x: Node): Node;
}

export interface LayerKind<O> {
  /** Also the stem of its counted names: `dense` gives dense_1, dense_2. */
  readonly kind: string;
  build(context: LayerContext, x: Node, options: O): Node;
}

// biome-ignore lint/suspicious/noExplicitAny: each kind knows its own options only.
const kinds = new Map<string, LayerKind<any>>();

/** Adds a kind to the table that files are loaded by. @throws VitrineError `duplicate-name` */
export function addKind<O extends object>(kind: LayerKind<O>): void {
  if (kinds.has(kind.kind)) {
    throw new VitrineError('duplicate-name', `A kind of layer called '${kind.kind}' exists.`, 'choose another name for the kind.', {
      kind: kind.kind,
    });
  }
  kinds.set(kind.kind, kind);
}

/**
 * What makes layers of a kind. The kind enters the table with its first layer, not before: so a page carries the kernels of the layers that
 * it makes, and no others.
 */
export function makerOf<O extends object>(kind: LayerKind<O>): (options: O & { readonly name?: string }) => Layer<O> {
  return ({ name, ...options }) => {
    kinds.set(kind.kind, kind);
    return Object.freeze({ kind: kind.kind, ...(name === undefined ? {} : { name }), options: Object.freeze(options) as unknown as O });
  };
}

/** The kind of a layer. @throws VitrineError `unknown-layer` */
export function layerKind(kind: string): LayerKind<Readonly<Record<string, unknown>>> {
  const found = kinds.get(kind);
  if (!found) {
    const known = [...kinds.keys()].sort();
    throw new VitrineError(
      'unknown-layer',
      `There is no layer of the kind '${kind}'.`,
      `use one of ${known.join(', ')}, defineLayer() it, or for a specification in JSON call registerBuiltInLayers() first.`,
      { kind, known },
    );
  }
  return found;
}

export type Activation = 'relu' | 'gelu' | 'geluTanh' | 'tanh' | 'sigmoid' | 'softmax';

const activations: Record<Activation, (x: Node) => Node> = {
  relu: reluOperation,
  gelu: (x) => geluOperation(x),
  geluTanh: (x) => geluOperation(x, { approximate: 'tanh' }),
  tanh: tanhOperation,
  sigmoid: sigmoidOperation,
  softmax: softmaxOperation,
};

/** Applies an activation by name and names what went in and came out, as the inspector lists them. */
function activate(context: LayerContext, x: Node, activation: Activation | undefined): Node {
  if (activation === undefined) return x;
  const apply = Object.hasOwn(activations, activation) ? activations[activation] : undefined;
  if (!apply) {
    throw new VitrineError(
      'invalid-option',
      `${context.name}: there is no activation '${String(activation)}'.`,
      `use one of ${Object.keys(activations).join(', ')}.`,
      {
        activation,
      },
    );
  }
  x.name = `preactivation/${context.name}`;
  return apply(x);
}

export interface DenseOptions {
  readonly units: number;
  readonly activation?: Activation;
  /** Of the weight; Glorot uniform by default, as in Keras. */
  readonly initializer?: Initializer;
}

const defineDense = /* @__PURE__ */ makerOf<DenseOptions>({
  kind: 'dense',
  build: (context, x, { units, activation, initializer }) => {
    checkWhole(`${context.name}: units`, units, 1);
    const inputs = x.shape.at(-1);
    if (x.shape.length < 2 || inputs === undefined) {
      throw shapeMismatch(
        `${context.name}: an example is ${show(x.shape.slice(1))}; a dense layer needs at least one axis.`,
        'put flatten() before it.',
        {
          shape: x.shape,
        },
      );
    }
    const weight = context.parameter('weight', [inputs, units], initializer ?? 'glorotUniform');
    const bias = context.parameter('bias', [units], 'zeros');
    return activate(context, affine(x, weight, bias), activation);
  },
});

/** A dense layer: activation(x W + b), x [batch, ..., inputs] → [batch, ..., units]. */
export const dense = (units: number, options: Omit<DenseOptions, 'units'> & { readonly name?: string } = {}): Layer =>
  defineDense({ units, ...options }) as unknown as Layer;

const plain = (kind: string, build: (context: LayerContext, x: Node) => Node): ((options?: { readonly name?: string }) => Layer) => {
  const define = makerOf<object>({ kind, build });
  return (options = {}) => define(options) as unknown as Layer;
};

/** [batch, ...] → [batch, product of the rest] */
export const flatten: (options?: { readonly name?: string }) => Layer = /* @__PURE__ */ plain('flatten', (_context, x) =>
  reshape(x, [x.shape[0] as number, elements(x.shape.slice(1))]),
);
/** max(x, 0) */
export const relu: (options?: { readonly name?: string }) => Layer = /* @__PURE__ */ plain('relu', (_context, x) => reluOperation(x));
/** tanh x */
export const tanh: (options?: { readonly name?: string }) => Layer = /* @__PURE__ */ plain('tanh', (_context, x) => tanhOperation(x));
/** 1 / (1 + e⁻ˣ) */
export const sigmoid: (options?: { readonly name?: string }) => Layer = /* @__PURE__ */ plain('sigmoid', (_context, x) =>
  sigmoidOperation(x),
);
/** eˣ / Σ eˣ over the last axis. At the end of a model it is its head: losses are built on what goes into it. */
export const softmax: (options?: { readonly name?: string }) => Layer = /* @__PURE__ */ plain('softmax', (_context, x) =>
  softmaxOperation(x),
);

export interface GeluOptions {
  /** 'none' for the exact form with erf, 'tanh' for the approximation. */
  readonly approximate?: 'none' | 'tanh';
}
const defineGelu = /* @__PURE__ */ makerOf<GeluOptions>({
  kind: 'gelu',
  build: (context, x, { approximate = 'none' }) => {
    if (approximate !== 'none' && approximate !== 'tanh') {
      throw new VitrineError(
        'invalid-option',
        `${context.name}: there is no approximation '${String(approximate)}'.`,
        "use 'none' or 'tanh'.",
        {
          approximate,
        },
      );
    }
    return geluOperation(x, { approximate });
  },
});
/** x Φ(x) */
export const gelu = (options: GeluOptions & { readonly name?: string } = {}): Layer => defineGelu(options) as unknown as Layer;

export interface DropoutOptions {
  readonly rate: number;
}
const defineDropout = /* @__PURE__ */ makerOf<DropoutOptions>({
  kind: 'dropout',
  build: (context, x, { rate }) => {
    checkNumber(`${context.name}: rate`, rate, 0, 0.999999);
    if (!context.training || !context.state || rate === 0) return x;
    return dropoutOperation(x, context.state, { rate, stream: streamOf(context.name) });
  },
});
/** In training, zeroes a share `rate` of its inputs and scales the rest by 1/(1 − rate); otherwise does nothing. */
export const dropout = (rate: number, options: { readonly name?: string } = {}): Layer =>
  defineDropout({ rate, ...options }) as unknown as Layer;

export interface LayerNormOptions {
  readonly epsilon?: number;
}
const defineLayerNorm = /* @__PURE__ */ makerOf<LayerNormOptions>({
  kind: 'layerNorm',
  build: (context, x, { epsilon }) => {
    const width = [x.shape.at(-1) as number];
    return layerNormOperation(x, context.parameter('scale', width, 'ones'), context.parameter('bias', width, 'zeros'), {
      epsilon: epsilon ?? 1e-5,
    });
  },
});
/** Layer normalisation over the last axis, with a scale and a bias; epsilon 1e-5 by default. */
export const layerNorm = (options: LayerNormOptions & { readonly name?: string } = {}): Layer =>
  defineLayerNorm(options) as unknown as Layer;

export interface EmbeddingOptions {
  /** Number of rows of the table. */
  readonly vocabulary: number;
  /** Length of a row. */
  readonly width: number;
}
const defineEmbedding = /* @__PURE__ */ makerOf<EmbeddingOptions>({
  kind: 'embedding',
  build: (context, x, { vocabulary, width }) => {
    checkWhole(`${context.name}: vocabulary`, vocabulary, 1);
    checkWhole(`${context.name}: width`, width, 1);
    const table = context.parameter('table', [vocabulary, width], { kind: 'normal', deviation: 0.02 });
    return embeddingOperation(table, x);
  },
});
/** Rows of a trained table, looked up by uint32 indices: [batch, ...] → [batch, ..., width]. */
export const embedding = (vocabulary: number, width: number, options: { readonly name?: string } = {}): Layer =>
  defineEmbedding({ vocabulary, width, ...options }) as unknown as Layer;
