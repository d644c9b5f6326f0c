/** What the methods on attention share: which layers of a model attend, their nodes, and what a result is. */

import { show, VitrineError } from '../../engine/errors.ts';
import { Graph, type Node } from '../../engine/graph.ts';
import type { Forward, Model } from '../../engine/model.ts';
import { multiply } from '../../engine/ops/arithmetic.ts';
import { attentionSoftmax, attentionSoftmaxOperation, checkTemperature } from '../../engine/ops/attention-softmax.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import type { Explained, Scene } from '../explainer.ts';

/** A layer that attends. */
export interface AttentionLayer {
  /** Such as `transformerBlock_1/selfAttention_1`. */
  readonly name: string;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** Whether a query sees no key after itself. */
  readonly causal: boolean;
}

/** What is told of attention, on the GPU. Whoever asked for it disposes of it. */
export interface AttentionMap {
  /** Name of the method, as it is exported. */
  readonly method: string;
  /** Every option that the result depends on, defaults included, as `Attribution.options`; of a background how many examples it has. JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The layers it is about, in the order in which they are computed. */
  readonly layers: readonly string[];
  /** [rows, ...]; the method says what the other axes are. */
  readonly values: Tensor;
  /** The explained class of each example, uint32 [rows], of methods that are about a class. */
  readonly target?: Tensor;
  /** The explained number of each example, f(x), [rows], of methods that are about a class. */
  readonly output?: Tensor;
  /** The training step whose parameters it saw; absent where the model was not trained here. */
  readonly step?: number;
  /** The last step it saw, where training went on during a long explanation. */
  readonly lastStep?: number;
  /** Frees its tensors. */
  dispose(): void;
}

/** Of every method on attention. */
export type AttentionOptions = Pick<ExplainOptions, 'signal' | 'onProgress' | 'budget'>;

/** Of a method that reads the weights of one layer. */
export interface LayerAttentionOptions extends AttentionOptions {
  /** Name of the layer; the last one that attends, by default. */
  readonly layer?: string;
  /** τ, by which its scores are divided besides what the layer does itself; 1 by default: the weights as the network has them. */
  readonly temperature?: number;
}

const ATTENTION = 'attention/';

/** The weights of each layer that attends, [rows, heads, queries, keys], by its name, in the order in which they are computed. */
export function attentionNodes(forward: Forward): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const [name, node] of forward.activations) if (name.startsWith(ATTENTION)) found.set(name.slice(ATTENTION.length), node);
  return found;
}

/** The layers of a model that attend, in the order in which they are computed; none where it has no attention. */
export function attentionLayers(model: Model): AttentionLayer[] {
  return [...attentionNodes(model.forward(new Graph(), 1))].map(([name, node]) => {
    const [, heads, queries, keys] = node.shape as [number, number, number, number];
    return { name, heads, queries, keys, causal: node.operation === attentionSoftmaxOperation && node.attributes.causal };
  });
}

/** The layers of a model that a method needs at least one of. @throws VitrineError `unsupported-model` */
export function requireAttention(method: string, model: Model): [AttentionLayer, ...AttentionLayer[]] {
  const [first, ...others] = attentionLayers(model);
  if (first) return [first, ...others];
  throw unsupportedModel(
    method,
    `none of the model's layers attends (${model.layers.map(({ kind }) => kind).join(', ')}).`,
    'use integratedGradients or occlusion, which explain any model, or build one with selfAttention() or attentionPooling().',
  );
}

/** The layer asked for; the last by default. @throws VitrineError `unsupported-model`, `unknown-name` */
export function requireLayer(method: string, model: Model, name: string | undefined): AttentionLayer {
  const layers = requireAttention(method, model);
  const found = name === undefined ? layers.at(-1) : layers.find((layer) => layer.name === name);
  if (found) return found;
  const known = layers.map((layer) => layer.name);
  throw new VitrineError('unknown-name', `${method}: no layer called '${name}' attends.`, `use one of ${known.join(', ')}.`, {
    method,
    layer: name,
    known,
  });
}

/** The layers of a model that attend, whose tokens follow one another: the queries of each are the keys of the next. @throws VitrineError `unsupported-model`, `unknown-name` */
export function requireChain(method: string, model: Model, last: string | undefined): AttentionLayer[] {
  const layers = requireAttention(method, model);
  const end =
    last === undefined
      ? layers.length
      : layers.indexOf(layers.find(({ name }) => name === requireLayer(method, model, last).name) as AttentionLayer) + 1;
  const chain = layers.slice(0, end);
  chain.forEach((layer, i) => {
    const before = chain[i - 1];
    if (!before || before.queries === layer.keys) return;
    throw unsupportedModel(
      method,
      `${layer.name} attends to ${layer.keys} tokens but ${before.name} gives ${before.queries}; their weights have no product.`,
      `use attentionWeights on each layer, or name ${before.name} as the last one.`,
    );
  });
  return chain;
}

/**
 * The weights of a layer at another temperature: a_i = e^(θ_i/τ) / Σ_j e^(θ_j/τ) of the layer's own scores. The temperature is data, so a slider
 * needs no new plan; at 1 they are the network's own weights, to the bit.
 */
export function weightsAt(scene: Scene, layer: string): Node {
  const weights = attentionNodes(scene.forward).get(layer) as Node;
  if (weights.operation !== attentionSoftmaxOperation) return weights;
  const scores = multiply(weights.inputs[0] as Node, scene.input('inverseTemperature', [1]));
  return attentionSoftmax(scores, weights.attributes);
}

/** The data that `weightsAt` reads. @throws VitrineError `invalid-option` */
export function temperatureData(method: string, temperature: number): () => Record<string, Float32Array> {
  checkTemperature(method, temperature);
  return () => ({ inverseTemperature: Float32Array.of(1 / temperature) });
}

/** Makes a result of what a run gave. */
export function attentionMapOf(
  method: string,
  layers: readonly AttentionLayer[],
  options: Readonly<Record<string, unknown>>,
  { tensors, step, lastStep }: Explained,
): AttentionMap {
  const target = tensors.get('target');
  const output = tensors.get('output');
  return {
    method,
    options,
    layers: layers.map(({ name }) => name),
    values: tensors.get('values') as Tensor,
    ...(target ? { target } : {}),
    ...(output ? { output } : {}),
    ...(step === undefined ? {} : { step }),
    ...(lastStep === undefined ? {} : { lastStep }),
    dispose: () => disposeAll(tensors.values()),
  };
}

/** Refuses a head that the layer does not have. @throws VitrineError `invalid-option` */
export function requireHead(method: string, layer: AttentionLayer, head: number): void {
  if (Number.isInteger(head) && head >= 0 && head < layer.heads) return;
  throw new VitrineError(
    'invalid-option',
    `${method}: ${layer.name} has no head ${head}; it has ${layer.heads}.`,
    `name a head from 0 to ${layer.heads - 1}.`,
    { method, layer: layer.name, head, heads: layer.heads, shape: show([layer.heads, layer.queries, layer.keys]) },
  );
}
