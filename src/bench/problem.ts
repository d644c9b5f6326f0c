/**
 * What every contender is given: the same networks, initial weights, examples, batches and matrices, all drawn from one seed by integer
 * hashes, so that each page makes the same arrays for itself.
 */

import type { Dataset } from '../engine/dataset.ts';
import { initialize } from '../engine/initializers.ts';
import { permute, streamOf, uniform } from '../engine/random.ts';
import { quadrature } from '../explain/quadrature.ts';

export const SEED = 0;

/** Adam's settings, said to every contender; ε is TensorFlow's, which two of them cannot do without. */
export const ADAM: { readonly learningRate: number; readonly beta1: number; readonly beta2: number; readonly epsilon: number } = {
  learningRate: 0.001,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-7,
};

export const PIXELS = 784;
export const CLASSES = 10;

/** Training steps whose losses are compared with the reference before any time counts. */
export const CHECKED_STEPS = 10;

/** Examples in the resident data set: a whole number of batches of 32 and of 256. */
export const EXAMPLES = 4096;

/** Width of every layer, the input first; ReLU between, softmax at the end. */
export const networks: Readonly<Record<DenseNetwork, readonly number[]>> = {
  mlp: [PIXELS, 128, CLASSES],
  wide: [PIXELS, 1024, 1024, CLASSES],
};

/** Networks of dense layers alone. */
export type DenseNetwork = 'mlp' | 'wide';
export type NetworkName = DenseNetwork | 'attention';

/** One self-attention over the 16 patches of an image, a residual around it, then the mean of its tokens. */
export const ATTENTION: { readonly patch: number; readonly tokens: number; readonly width: number; readonly heads: number } = {
  patch: 7,
  tokens: 16,
  width: 32,
  heads: 4,
};

/** Names, shapes [inputs, outputs] and biases of its dense layers, as the engine has them. */
const ATTENTION_LAYERS: readonly (readonly [name: string, inputs: number, outputs: number])[] = [
  ['dense_1', ATTENTION.patch ** 2, ATTENTION.width],
  ...['query', 'key', 'value', 'output'].map((part) => [`residual_1/selfAttention_1/${part}`, ATTENTION.width, ATTENTION.width] as const),
  ['dense_2', ATTENTION.width, CLASSES],
];

export interface Parameter {
  /** `dense_1/weight`, as the engine names it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** Initial weights (Glorot uniform) and biases (zero) of a network, a weight [inputs, outputs] before its bias. */
export function initialParameters(network: NetworkName): Parameter[] {
  return layersOf(network).flatMap(([layer, inputs, outputs]) => {
    const make = (kind: 'weight' | 'bias', shape: readonly number[]): Parameter => {
      const name = `${layer}/${kind}`;
      const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
      initialize(values, name, shape, kind === 'weight' ? 'glorotUniform' : 'zeros', SEED);
      return { name, shape, values };
    };
    return [make('weight', [inputs, outputs]), make('bias', [outputs])];
  });
}

function layersOf(network: NetworkName): typeof ATTENTION_LAYERS {
  if (network === 'attention') return ATTENTION_LAYERS;
  const widths = networks[network];
  return widths.slice(1).map((outputs, i) => [`dense_${i + 1}`, widths[i] as number, outputs] as const);
}

const SIDE = 28;
const STROKE_STREAM = streamOf('bench/stroke');
const SHIFT_STREAM = streamOf('bench/shift');
const NOISE_STREAM = streamOf('bench/noise');

/** Soft strokes on an empty page, the same for every example of a class: 0 to 1 a pixel. */
function prototype(label: number): Float32Array {
  const page = new Float32Array(PIXELS);
  for (let stroke = 0; stroke < 6; stroke++) {
    const [cx, cy] = [0, 1].map((axis) => 6 + 16 * uniform(SEED, STROKE_STREAM + axis, label, stroke)) as [number, number];
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const at = y * SIDE + x;
        page[at] = Math.min(1, (page[at] as number) + Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 6));
      }
    }
  }
  return page.map((value) => (value < 0.1 ? 0 : value));
}

/**
 * Bytes like MNIST's: mostly paper, a shifted and noisy figure of ten kinds. A tenth of the labels are wrong, so that the loss stays away
 * from zero however long a contender trains.
 *
 * **Shapes** inputs uint8 [size, 784], labels uint8 [size].
 */
export function makeDigits(size: number = EXAMPLES): Dataset & { inputs: Uint8Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> } {
  const prototypes = Array.from({ length: CLASSES }, (_, label) => prototype(label));
  const inputs = new Uint8Array(size * PIXELS);
  const labels = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const figure = i % CLASSES;
    const [dx, dy] = [0, 1].map((axis) => Math.floor(5 * uniform(SEED, SHIFT_STREAM + axis, 0, i)) - 2) as [number, number];
    const page = prototypes[figure] as Float32Array;
    for (let y = 0; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++) {
        const [sx, sy] = [x - dx, y - dy];
        const ink = sx >= 0 && sx < SIDE && sy >= 0 && sy < SIDE ? (page[sy * SIDE + sx] as number) : 0;
        if (ink > 0) inputs[i * PIXELS + y * SIDE + x] = Math.floor(255 * ink * (0.6 + 0.4 * uniform(SEED, NOISE_STREAM, i, y * SIDE + x)));
      }
    }
    labels[i] = uniform(SEED, SHIFT_STREAM + 2, 0, i) < 0.1 ? (figure + 3) % CLASSES : figure;
  }
  const classes = Array.from({ length: CLASSES }, (_, label) => String(label));
  return { name: 'bench digits', size, inputShape: [PIXELS], inputs, labels, classes };
}

export interface Batch {
  /** float32 [rows, 784], 0 to 1. */
  readonly x: Float32Array<ArrayBuffer>;
  /** uint8 [rows]. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** Batch `index` of the first epoch, in the order in which the engine's trainer visits the examples. */
export function batchOf(digits: { inputs: Uint8Array; labels: Uint8Array; size: number }, rows: number, index: number): Batch {
  const x = new Float32Array(rows * PIXELS);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const example = permute(index * rows + row, digits.size, SEED, 0);
    for (let i = 0; i < PIXELS; i++) x[row * PIXELS + i] = (digits.inputs[example * PIXELS + i] as number) / 255;
    labels[row] = digits.labels[example] as number;
  }
  return { x, labels };
}

/** Labels as float32 [rows, classes], for contenders that want them so. */
export function oneHot(labels: Uint8Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(labels.length * CLASSES);
  labels.forEach((label, row) => {
    values[row * CLASSES + label] = 1;
  });
  return values;
}

/** Gauss–Legendre points and weights on [0, 1], for contenders that bring none. */
export const pathOf = (steps: number): { points: readonly number[]; weights: readonly number[] } => quadrature('gaussLegendre', steps);

/** A square matrix of numbers in [−1, 1). */
export function matrix(name: 'a' | 'b', size: number): Float32Array<ArrayBuffer> {
  const stream = streamOf(`bench/matrix ${name}`);
  return Float32Array.from({ length: size * size }, (_, i) => 2 * uniform(SEED, stream, 0, i) - 1);
}
