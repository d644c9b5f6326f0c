/** Images as ink on paper, or as chalk on slate in the dark, on canvases that need no GPU. */

import type { Dataset } from '../engine/index.ts';
import { isDark } from './scheme.ts';

/** As `--ink` of tokens.css is, light and dark. */
export const INK: readonly [number, number, number] = [27, 32, 39];
export const CHALK: readonly [number, number, number] = [233, 230, 223];

interface Painted {
  readonly of: object;
  readonly index: number;
  readonly dark: boolean;
}

const painted = new WeakMap<HTMLCanvasElement, Painted>();

/**
 * Paints an image of values from 0, paper, to 1, ink. What is on the canvas already is not painted again.
 *
 * @param valueAt of a pixel, row by row
 * @param of what the values belong to, and which of its images they are
 */
export function paintInk(
  canvas: HTMLCanvasElement,
  [height, width]: readonly [height: number, width: number],
  valueAt: (pixel: number) => number,
  of: object,
  index = 0,
): void {
  const dark = isDark(canvas);
  const before = painted.get(canvas);
  if (before?.of === of && before.index === index && before.dark === dark) return;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const color = dark ? CHALK : INK;
  for (let i = 0; i < width * height; i++) image.data.set([...color, Math.round(255 * valueAt(i))], 4 * i);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
  painted.set(canvas, { of, index, dark });
}

/** Paints an example of a data set of images; of several channels the first. */
export function paintExample(canvas: HTMLCanvasElement, test: Dataset, index: number): void {
  const { inputs, inputShape, divisor = 255 } = test;
  const [height = 1, width = 1, channels = 1] = inputShape;
  const by = inputs instanceof Uint8Array ? divisor : 1;
  const first = index * width * height;
  paintInk(canvas, [height, width], (pixel) => inputs[(first + pixel) * channels]! / by, test, index);
}
