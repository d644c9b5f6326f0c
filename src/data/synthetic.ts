import type { Dataset } from '../engine/dataset.ts';
import { checkNumber, checkWhole, VitrineError } from '../engine/errors.ts';
import { normal, streamOf, uniform } from '../engine/random.ts';
import { imageShape } from './image-shape.ts';

const POINT_STREAM = streamOf('synthetic/point');
const NOISE_STREAM = streamOf('synthetic/noise');
const PATCH_STREAM = streamOf('synthetic/patch');

export interface PointOptions {
  /** Number of examples; the classes take turns, so any even stretch of them is balanced. */
  readonly size?: number;
  /** Deviation of the normal noise added to both coordinates. */
  readonly noise?: number;
  readonly seed?: number;
}

/**
 * twoMoons: two half circles of radius 1 that interlock, (cos t, sin t) and (1 − cos t, ½ − sin t), t in [0, π).
 *
 * **Shapes** inputs [size, 2] of float32, labels [size] in {0, 1}.
 *
 * @throws VitrineError `invalid-option`
 * **Source** scikit-learn, `make_moons`.
 */
export function twoMoons({ size = 400, noise = 0.1, seed = 0 }: PointOptions = {}): Dataset {
  return points('two moons', ['upper', 'lower'], { size, noise, seed }, (label, u) => {
    const t = Math.PI * u;
    return label === 0 ? [Math.cos(t), Math.sin(t)] : [1 - Math.cos(t), 0.5 - Math.sin(t)];
  });
}

/**
 * spirals: arms that wind `turns` times around each other, radius 0 to 1.
 *
 * **Shapes** inputs [size, 2] of float32, labels [size] below `classes`.
 *
 * @throws VitrineError `invalid-option`
 */
export function spirals({
  size = 400,
  noise = 0.02,
  seed = 0,
  classes = 2,
  turns = 1.25,
}: PointOptions & { readonly classes?: number; readonly turns?: number } = {}): Dataset {
  checkWhole('classes', classes, 1, 256);
  return points('spirals', numbered('arm', classes), { size, noise, seed }, (label, u) => {
    const angle = 2 * Math.PI * (turns * u + label / classes);
    return [u * Math.cos(angle), u * Math.sin(angle)];
  });
}

/**
 * blobs: normal clouds of deviation `noise` about centres spaced evenly on the circle of radius 2.
 *
 * **Shapes** inputs [size, 2] of float32, labels [size] below `classes`.
 *
 * @throws VitrineError `invalid-option`
 */
export function blobs({ size = 400, noise = 0.5, seed = 0, classes = 3 }: PointOptions & { readonly classes?: number } = {}): Dataset {
  checkWhole('classes', classes, 1, 256);
  return points('blobs', numbered('blob', classes), { size, noise, seed }, (label) => {
    const angle = (2 * Math.PI * label) / classes;
    return [2 * Math.cos(angle), 2 * Math.sin(angle)];
  });
}

/**
 * stripes: images of horizontal (class 0) or vertical (class 1) stripes, two pixels wide at a random offset, with noise.
 * No single pixel tells the class.
 *
 * **Shapes** inputs [size, side, side, 1] of uint8; labels [size].
 *
 * @param noise deviation of the noise in grey levels of 255
 * @throws VitrineError `invalid-option`
 */
export function stripes({ size = 400, noise = 20, seed = 0, side = 8 }: PointOptions & { readonly side?: number } = {}): Dataset {
  checkWhole('size', size, 1);
  checkWhole('side', side, 4);
  checkNumber('noise', noise, 0);
  // Clamped as it is rounded: a pixel brighter than white is white.
  const inputs = new Uint8ClampedArray(size * side * side);
  for (let pixel = 0; pixel < inputs.length; pixel++) {
    const example = Math.floor(pixel / (side * side));
    const row = Math.floor(pixel / side) % side;
    const offset = Math.floor(4 * uniform(seed, POINT_STREAM, example, 0));
    const across = example % 2 === 0 ? row : pixel % side;
    const bright = (across + offset) % 4 < 2;
    inputs[pixel] = (bright ? 200 : 40) + noise * normal(seed, NOISE_STREAM, example, pixel);
  }
  return {
    name: 'stripes',
    size,
    inputShape: [side, side, 1],
    inputs: new Uint8Array(inputs.buffer),
    divisor: 255,
    labels: alternating(size, 2),
    classes: ['horizontal', 'vertical'],
  };
}

export interface PatchOptions {
  /** Edge of the square patch, in pixels. */
  readonly size?: number;
  /** The class that the patch gives away. */
  readonly class: number;
  /** How likely an example of that class carries the patch. */
  readonly probability: number;
  /** How likely an example of any other class carries it. */
  readonly otherwise?: number;
  /** Upper left corner of the patch. */
  readonly row?: number;
  readonly column?: number;
  readonly seed?: number;
}

/** A data set that knows where its shortcut is. */
export interface PlantedDataset extends Dataset {
  /** 1 for an example that carries the patch, else 0. */
  readonly planted: Uint8Array;
  readonly patch: { readonly row: number; readonly column: number; readonly size: number };
}

/**
 * plantPatch: a copy of a set of images in which a bright square goes with one class: a shortcut that a network will learn and
 * an honest explanation must show. Bytes become `divisor`, floats 1, in every channel.
 *
 * **Shapes** as those of the set; planted [size].
 *
 * @throws VitrineError `invalid-option`: no image, no labels, a patch that does not fit, a probability outside [0, 1]
 * **Source** Adebayo et al. 2020, "Debugging Tests for Model Explanations" (spurious correlation).
 */
export function plantPatch(dataset: Dataset, options: PatchOptions): PlantedDataset {
  const { size = 4, class: target, probability, otherwise = 0, row = 0, column = 0, seed = 0 } = options;
  const [height, width, channels] = imageShape(dataset, 'plantPatch');
  checkNumber('probability', probability, 0, 1);
  checkNumber('otherwise', otherwise, 0, 1);
  checkWhole('size', size, 1, Math.min(height, width));
  checkWhole('row', row, 0, height - size);
  checkWhole('column', column, 0, width - size);
  const { labels } = dataset;
  if (!labels) {
    throw new VitrineError('invalid-option', `plantPatch: ${dataset.name} has no labels.`, 'use a set with labels.', {
      name: dataset.name,
    });
  }
  const inputs = dataset.inputs.slice();
  const bright = inputs instanceof Uint8Array ? (dataset.divisor ?? 255) : 1;
  const planted = new Uint8Array(dataset.size);
  for (let example = 0; example < dataset.size; example++) {
    const chance = labels[example] === target ? probability : otherwise;
    if (uniform(seed, PATCH_STREAM, example, 0) >= chance) continue;
    planted[example] = 1;
    for (let y = row; y < row + size; y++) {
      const start = ((example * height + y) * width + column) * channels;
      inputs.fill(bright, start, start + size * channels);
    }
  }
  return { ...dataset, name: `${dataset.name}, planted patch`, inputs, planted, patch: { row, column, size } };
}

function points(
  name: string,
  classes: readonly string[],
  { size, noise, seed }: Required<PointOptions>,
  place: (label: number, u: number) => [number, number],
): Dataset {
  checkWhole('size', size, 1);
  checkNumber('noise', noise, 0);
  const labels = alternating(size, classes.length);
  const inputs = new Float32Array(size * 2);
  for (let example = 0; example < size; example++) {
    const [x, y] = place(labels[example]!, uniform(seed, POINT_STREAM, example, 0));
    inputs[2 * example] = x + noise * normal(seed, NOISE_STREAM, example, 0);
    inputs[2 * example + 1] = y + noise * normal(seed, NOISE_STREAM, example, 1);
  }
  return { name, size, inputShape: [2], inputs, labels, classes, features: ['x', 'y'] };
}

const alternating = (size: number, classes: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i % classes);

const numbered = (what: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${what} ${i + 1}`);
