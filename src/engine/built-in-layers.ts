/** The whole table of layers, which a page that makes its own layers does without: files, and kinds of layers of your own. */

import {
  addKind,
  dense,
  dropout,
  embedding,
  flatten,
  gelu,
  type Layer,
  type LayerKind,
  layerNorm,
  makerOf,
  relu,
  sigmoid,
  softmax,
  tanh,
} from './layers.ts';
import {
  attentionPooling,
  columnTokens,
  globalAverage,
  patches,
  positionalEmbedding,
  residual,
  selfAttention,
  transformerBlock,
} from './layers-attention.ts';

/** Puts every kind that the engine has into the table, as loading a file or a specification in JSON needs it. */
export function registerBuiltInLayers(): void {
  for (const make of [flatten, relu, tanh, sigmoid, softmax, gelu, layerNorm, globalAverage, positionalEmbedding]) make();
  dense(1);
  dropout(0);
  embedding(1, 1);
  patches(1);
  columnTokens(1);
  selfAttention({ heads: 1 });
  attentionPooling();
  residual([]);
  transformerBlock({ heads: 1 });
}

/** Adds a kind of layer of your own to the table that files are loaded by. @throws VitrineError `duplicate-name` */
export function defineLayer<O extends object>(kind: LayerKind<O>): (options: O & { readonly name?: string }) => Layer<O> {
  registerBuiltInLayers();
  addKind(kind);
  return makerOf(kind);
}
