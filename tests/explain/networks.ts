/** Networks that explanations are tested on: those of the golden files, random ones, and linear models with closed forms. */

import { buildModel, type Device, dense, type Layer, type Model } from '../../src/engine/index.ts';
import { normal } from '../../src/engine/random.ts';
import type { GoldenTensor } from '../engine/golden.ts';
import tinyFile from '../golden/explanations-tiny.json';
import pytorchFile from '../golden/pytorch.json';

export interface GoldenExplanations {
  readonly sizes: readonly number[];
  readonly params: readonly GoldenTensor[];
  readonly x: GoldenTensor;
  readonly baseline: GoldenTensor;
  readonly targets: readonly number[];
  /** |∂f_c/∂x| */
  readonly saliency: GoldenTensor;
  readonly inputXGradient: GoldenTensor;
  readonly integratedGradients: { readonly steps: number; readonly attributions: GoldenTensor; readonly delta: GoldenTensor };
  readonly guidedBackprop: GoldenTensor;
  readonly lrpEpsilon: { readonly epsilon: number; readonly attributions: GoldenTensor };
  readonly deepLiftRescale: { readonly attributions: GoldenTensor; readonly delta: GoldenTensor };
  readonly occlusion: GoldenTensor;
  readonly fgsm: { readonly epsilon: number; readonly x: GoldenTensor };
  readonly shapley?: GoldenTensor;
}

/** Explanations computed by PyTorch in float64, several examples with baselines of their own. */
export const golden = pytorchFile as unknown as { readonly explain: GoldenExplanations; readonly explain532: GoldenExplanations };

/** One example of a 4-5-3 network with closed-form weights; described at the end of the notes on explanations. */
export const tiny = tinyFile as unknown as Record<string, number[]> & {
  readonly W1: number[][];
  readonly W2: number[][];
  readonly b1: number[];
  readonly b2: number[];
  readonly target: number;
  readonly deletion_auc_rise_norm: number;
};

/** Writes parameters in order: weight, bias, weight, bias, … */
function fill(model: Model, values: readonly (readonly number[])[]): Model {
  [...model.parameters.values()].forEach((tensor, i) => {
    tensor.write(Float32Array.from(values[i] as readonly number[]));
  });
  return model;
}

export async function goldenModel(device: Device, network: GoldenExplanations): Promise<Model> {
  const sizes = network.sizes.slice(1);
  const model = await buildModel(device, {
    inputShape: [network.sizes[0] as number],
    layers: sizes.map((units, i) => dense(units, i < sizes.length - 1 ? { activation: 'relu' } : {})),
  });
  return fill(
    model,
    network.params.map(({ data }) => data),
  );
}

export async function tinyModel(device: Device): Promise<Model> {
  const model = await buildModel(device, { inputShape: [4], layers: [dense(5, { activation: 'relu' }), dense(3)] });
  return fill(model, [tiny.W1.flat(), tiny.b1, tiny.W2.flat(), tiny.b2]);
}

/** f = x W + b, with random W and b. */
export async function linearModel(
  device: Device,
  features: number,
  classes: number,
  seed = 1,
): Promise<{ model: Model; weight: number[]; bias: number[] }> {
  const weight = Array.from({ length: features * classes }, (_, i) => Math.fround(normal(seed, 10, 0, i)));
  const bias = Array.from({ length: classes }, (_, i) => Math.fround(normal(seed, 11, 0, i)));
  const model = await buildModel(device, { inputShape: [features], layers: [dense(classes)] });
  return { model: fill(model, [weight, bias]), weight, bias };
}

export interface RandomNetwork {
  readonly inputShape?: readonly number[];
  readonly hidden?: readonly number[];
  readonly classes?: number;
  readonly activation?: 'relu' | 'tanh' | 'gelu' | 'sigmoid';
  readonly bias?: boolean;
  readonly seed?: number;
  readonly before?: readonly Layer[];
}

/** A multilayer perceptron with random weights and, unless `bias` is false, random biases. */
export async function randomNetwork(device: Device, options: RandomNetwork = {}): Promise<Model> {
  const { inputShape = [10], hidden = [12, 8], classes = 4, activation = 'relu', bias = true, seed = 3, before = [] } = options;
  const model = await buildModel(device, {
    inputShape,
    layers: [...before, ...hidden.map((units) => dense(units, { activation, initializer: 'heNormal' })), dense(classes)],
    seed,
  });
  if (bias) {
    let stream = 100;
    for (const [name, tensor] of model.parameters) {
      stream += 1;
      if (name.endsWith('/bias')) tensor.write(Float32Array.from({ length: tensor.length }, (_, i) => 0.3 * normal(seed, stream, 0, i)));
    }
  }
  return model;
}

/** Seeded normal numbers. */
export const examplesOf = (rows: number, features: number, seed = 5): Float32Array =>
  Float32Array.from({ length: rows * features }, (_, i) => normal(seed, 20, 0, i));
