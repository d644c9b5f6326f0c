import type { Dataset } from '../engine/dataset.ts';
import { checkNumber, checkWhole } from '../engine/errors.ts';
import { streamOf, uniform } from '../engine/random.ts';
import { imageShape } from './image-shape.ts';

const AUGMENT_STREAM = streamOf('augment');

export interface AugmentOptions {
  /** Largest shift along each axis, in pixels; each shift is uniform in ± this. */
  readonly shift?: number;
  /** Largest rotation about the centre, in degrees; uniform in ± this. */
  readonly rotation?: number;
  /** Changed copies of each example. */
  readonly copies?: number;
  readonly seed?: number;
}

/**
 * augment: the examples, then `copies` shifted and rotated copies of them all, under the same labels.
 *
 * **Shapes** inputs [size · (1 + copies), height, width, channels]
 *
 * @throws VitrineError `invalid-option`: no images, or an option out of range
 */
export function augment(dataset: Dataset, options: AugmentOptions = {}): Dataset {
  const { shift = 2, rotation = 10, copies = 1, seed = 0 } = options;
  const [height, width, channels] = imageShape(dataset, 'augment');
  checkNumber('shift', shift, 0);
  checkNumber('rotation', rotation, 0, 180);
  checkWhole('copies', copies, 0);
  const { size, labels, targets } = dataset;
  const image = height * width * channels;
  // Indices are no image.
  const images = dataset.inputs as Exclude<Dataset['inputs'], Uint32Array>;
  const inputs = repeated(images, copies);
  for (let example = size; example < size * (1 + copies); example++) {
    const draw = (index: number) => 2 * uniform(seed, AUGMENT_STREAM, example, index) - 1;
    const source = (example % size) * image;
    moveImage(images.subarray(source, source + image), inputs.subarray(example * image, (example + 1) * image), {
      shape: [height, width, channels],
      down: shift * draw(0),
      right: shift * draw(1),
      degrees: rotation * draw(2),
    });
  }
  return {
    ...dataset,
    name: `${dataset.name}, augmented`,
    size: size * (1 + copies),
    inputs,
    ...(labels && { labels: repeated(labels, copies) }),
    ...(targets && { targets: repeated(targets, copies) }),
  };
}

export interface Movement {
  /** [height, width, channels] */
  readonly shape: readonly [number, number, number];
  /** Shift in pixels. */
  readonly down: number;
  readonly right: number;
  /** Rotation about the centre, clockwise, before the shift. */
  readonly degrees: number;
}

/**
 * moveImage: writes into `target` the image `source` rotated and then shifted. Each pixel looks back to where it came from and
 * interpolates its four neighbours there; beyond the edge lies 0. Bytes are rounded to the nearest.
 *
 * **Shapes** source, target: height · width · channels values, row-major.
 */
export function moveImage(source: Uint8Array | Float32Array, target: Uint8Array | Float32Array, movement: Movement): void {
  const { down, right, degrees } = movement;
  const [height, width, channels] = movement.shape;
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const [centreY, centreX] = [(height - 1) / 2, (width - 1) / 2];
  const half = target instanceof Uint8Array ? 0.5 : 0;
  const at = (row: number, column: number, channel: number): number =>
    row < 0 || row >= height || column < 0 || column >= width ? 0 : source[(row * width + column) * channels + channel]!;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const y = row - down - centreY;
      const x = column - right - centreX;
      const sourceY = centreY + cos * y - sin * x;
      const sourceX = centreX + sin * y + cos * x;
      const [top, left] = [Math.floor(sourceY), Math.floor(sourceX)];
      const [v, u] = [sourceY - top, sourceX - left];
      for (let channel = 0; channel < channels; channel++) {
        const above = (1 - u) * at(top, left, channel) + u * at(top, left + 1, channel);
        const below = (1 - u) * at(top + 1, left, channel) + u * at(top + 1, left + 1, channel);
        target[(row * width + column) * channels + channel] = (1 - v) * above + v * below + half;
      }
    }
  }
}

function repeated<T extends Uint8Array | Uint32Array | Float32Array>(values: T, copies: number): T {
  const all = new (values.constructor as new (length: number) => T)(values.length * (1 + copies));
  for (let copy = 0; copy <= copies; copy++) all.set(values, copy * values.length);
  return all;
}
