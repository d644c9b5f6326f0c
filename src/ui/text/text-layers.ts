/** The layers that read a text: words become vectors, attend to one another, and are pooled by attention into what the dense layers take. */

import { attentionPooling, embedding, type Layer, positionalEmbedding, residual, selfAttention } from '../../engine/index.ts';
import { ATTENTION_HEADS, EMBEDDING_WIDTH } from '../settings.ts';

export const textLayers = (vocabulary: readonly string[]): readonly Layer[] => [
  embedding(vocabulary.length, EMBEDDING_WIDTH),
  positionalEmbedding(),
  residual([selfAttention({ heads: ATTENTION_HEADS })]),
  attentionPooling(),
];
