import { shapeMismatch } from '../engine/errors.ts';

const SIDE = 28;
const BOX = 20;

/**
 * likeMnist: a drawn digit brought into the form of MNIST's, so that a network trained on those can read it: scaled, keeping its
 * proportions, into a box of 20 × 20, and placed with its centre of mass at the centre of 28 × 28. A blank drawing stays blank.
 *
 * **Shapes** ink [height, width], 0 for paper, any positive number for ink → [28 · 28] in [0, 1], the darkest ink being 1.
 *
 * @throws VitrineError `shape-mismatch`
 * **Source** LeCun, Cortes, Burges, "The MNIST database of handwritten digits", first section.
 */
export function likeMnist(ink: Float32Array | Uint8Array | Uint8ClampedArray, width: number, height: number): Float32Array {
  if (ink.length !== width * height) {
    throw shapeMismatch(
      `likeMnist: ${ink.length} values do not make a drawing of [${height}, ${width}] (${width * height} values).`,
      'pass one value a pixel, without colour channels.',
      { values: ink.length, width, height },
    );
  }
  const digit = new Float32Array(SIDE * SIDE);
  const box = boundingBox(ink, width, height);
  if (!box) return digit;
  const edge = Math.max(box.right - box.left, box.bottom - box.top);
  const scale = BOX / edge;
  // Of the drawing's pixels, how many one pixel of the digit covers in each direction; at least 4 looks, so that thin lines count.
  const looks = Math.max(4, Math.ceil(1 / scale));
  const [massX, massY] = centreOfMass(ink, width, height);
  let darkest = 0;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      let sum = 0;
      for (let i = 0; i < looks * looks; i++) {
        const x = massX + (column + (0.5 + (i % looks)) / looks - SIDE / 2) / scale;
        const y = massY + (row + (0.5 + Math.floor(i / looks)) / looks - SIDE / 2) / scale;
        if (x >= 0 && y >= 0 && x < width && y < height) sum += ink[Math.floor(y) * width + Math.floor(x)]!;
      }
      digit[row * SIDE + column] = sum;
      darkest = Math.max(darkest, sum);
    }
  }
  return darkest === 0 ? digit : digit.map((value) => value / darkest);
}

/** The smallest box around the ink, in pixel edges; nothing when there is no ink. */
function boundingBox(ink: ArrayLike<number>, width: number, height: number) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let i = 0; i < width * height; i++) {
    if (!(ink[i]! > 0)) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row + 1);
  }
  return right > left ? { left, top, right, bottom } : undefined;
}

function centreOfMass(ink: ArrayLike<number>, width: number, height: number): [x: number, y: number] {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < width * height; i++) {
    const value = Math.max(0, ink[i]!);
    mass += value;
    x += value * ((i % width) + 0.5);
    y += value * (Math.floor(i / width) + 0.5);
  }
  return [x / mass, y / mass];
}
