/** Networks with attention, and what their tests share. */

import {
  attentionPooling,
  buildModel,
  type Device,
  dense,
  embedding,
  flatten,
  globalAverage,
  type Layer,
  type Model,
  type ModelSpec,
  patches,
  positionalEmbedding,
  residual,
  selfAttention,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import type { AttentionMap } from '../../../src/explain/attention/attention-layers.ts';
import type { GoldenTensor } from '../../engine/golden.ts';
import golden from '../../golden/pytorch.json';

type Part = Record<'weight' | 'bias', GoldenTensor>;
export interface GoldenAttention {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly causal: boolean;
  readonly x: GoldenTensor;
  readonly params: Record<string, Part>;
  readonly attention: GoldenTensor;
  readonly rolloutOneLayer: GoldenTensor;
}

/** Multi-head self-attention computed by PyTorch in float64. */
export const goldenAttention = golden as unknown as { readonly attention: GoldenAttention; readonly attentionCausal: GoldenAttention };

export async function goldenModel(device: Device, { tokens, width, heads, causal, params }: GoldenAttention): Promise<Model> {
  const model = await buildModel(device, { inputShape: [tokens, width], layers: [selfAttention({ heads, causal })] });
  for (const [part, tensors] of Object.entries(params)) {
    for (const [kind, { data }] of Object.entries(tensors)) {
      model.parameters.get(`selfAttention_1/${part}/${kind}`)?.write(Float32Array.from(data));
    }
  }
  return model;
}

/** Random weights, biases too: as built they are 0, and what forgets them would pass. */
async function withBiases(device: Device, spec: ModelSpec): Promise<Model> {
  const model = await buildModel(device, spec);
  let stream = 300;
  for (const [name, tensor] of model.parameters) {
    stream += 1;
    if (name.endsWith('/bias'))
      tensor.write(Float32Array.from({ length: tensor.length }, (_, i) => 0.3 * normal(spec.seed ?? 0, stream, 0, i)));
  }
  return model;
}

export interface Vision {
  readonly causal?: boolean;
  /** After the blocks; attention pooling by default. */
  readonly end?: readonly Layer[];
  readonly classes?: number;
  readonly seed?: number;
}

/** A small vision transformer on images [8, 8, 1]: 4 tokens of width 8, two blocks of 2 heads and one of 4, pooled. */
export const vision = (
  device: Device,
  { causal = false, end = [attentionPooling()], classes = 3, seed = 2 }: Vision = {},
): Promise<Model> =>
  withBiases(device, {
    inputShape: [8, 8, 1],
    layers: [
      patches(4),
      dense(8, { name: 'embed', initializer: { kind: 'normal', deviation: 0.5 } }),
      positionalEmbedding(),
      transformerBlock({ heads: 2, causal }),
      transformerBlock({ heads: 2, causal, temperature: 0.5 }),
      residual([selfAttention({ heads: 4, causal })]),
      ...end,
      dense(classes),
    ],
    seed,
  });

export const VISION_LAYERS: readonly string[] = [
  'transformerBlock_1/selfAttention_1',
  'transformerBlock_2/selfAttention_1',
  'residual_1/selfAttention_1',
  'attentionPooling_1',
];

/** The same on sequences of 5 token indices below 6. */
export const language = (device: Device): Promise<Model> =>
  withBiases(device, {
    inputShape: [5],
    inputType: 'uint32',
    layers: [embedding(6, 8), positionalEmbedding(), transformerBlock({ heads: 2, causal: true }), globalAverage(), dense(3)],
    seed: 4,
  });

/** What is linear in the attention weights: tokens [5, 6] → self-attention of 3 heads → dense. */
export const linearInAttention = (device: Device, seed = 6): Promise<Model> =>
  withBiases(device, { inputShape: [5, 6], layers: [selfAttention({ heads: 3 }), flatten(), dense(4)], seed });

/** Seeded numbers for `rows` examples of a model. */
export const examplesFor = (model: Model, rows: number, seed = 9): Float32Array =>
  Float32Array.from({ length: rows * model.spec.inputShape.reduce((a, b) => a * b, 1) }, (_, i) => normal(seed, 30, 0, i));

/** The values of a map, which is freed. */
export async function valuesOf(map: Promise<AttentionMap> | AttentionMap): Promise<Float32Array> {
  const found = await map;
  const values = await found.values.read();
  found.dispose();
  return values;
}

/** Bits, for comparisons that allow no difference. */
export const bitsOf = (values: Float32Array): number[] => [...new Uint32Array(values.slice().buffer)];

/** Sums of rows of `length` elements. */
export const rowSums = (values: ArrayLike<number>, length: number): number[] =>
  Array.from({ length: values.length / length }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < length; i++) sum += values[row * length + i] as number;
    return sum;
  });
