/** A drawing: strokes of a round pen in a square, small enough to live in the address of the page. */

import { likeMnist } from '../../data/index.ts';

/** Points of a stroke, x and y in turn, whole numbers from 0 to 255. */
export type Stroke = readonly number[];
export type Strokes = readonly Stroke[];

/** Cells a side of the raster that strokes are drawn on. */
export const RASTER = 112;
/** Radius of the pen, of the 256 units that the square is wide. */
const PEN = 9;
/** Points closer than this to the last one say nothing new. */
const STEP = 4;
/** A digit takes a tenth of this; an address cannot grow without bound. */
export const MOST_POINTS = 1500;

/** Adds a point to the stroke that is being drawn, unless it is too near to the last. */
export function extend(stroke: Stroke, x: number, y: number): Stroke {
  const [px, py] = [stroke.at(-2), stroke.at(-1)];
  const point = [clamp(x), clamp(y)] as const;
  if (px !== undefined && py !== undefined && Math.hypot(point[0] - px, point[1] - py) < STEP) return stroke;
  return [...stroke, ...point];
}

const clamp = (value: number): number => Math.min(255, Math.max(0, Math.round(value)));

/** **Shapes** → [RASTER · RASTER], 1 under the pen, 0 beside it, in between at its edge. */
export function rasterise(strokes: Strokes): Float32Array {
  const ink = new Float32Array(RASTER * RASTER);
  const scale = RASTER / 256;
  const radius = PEN * scale;
  for (const stroke of strokes) {
    for (let i = 0; i < stroke.length; i += 2) {
      const [x0, y0] = [stroke[i]! * scale, stroke[i + 1]! * scale];
      const [x1, y1] = [(stroke[i + 2] ?? stroke[i]!) * scale, (stroke[i + 3] ?? stroke[i + 1]!) * scale];
      const [left, right] = [Math.floor(Math.min(x0, x1) - radius - 1), Math.ceil(Math.max(x0, x1) + radius + 1)];
      const [top, bottom] = [Math.floor(Math.min(y0, y1) - radius - 1), Math.ceil(Math.max(y0, y1) + radius + 1)];
      const [dx, dy] = [x1 - x0, y1 - y0];
      const square = dx * dx + dy * dy;
      for (let y = Math.max(0, top); y < Math.min(RASTER, bottom); y++) {
        for (let x = Math.max(0, left); x < Math.min(RASTER, right); x++) {
          const along = square === 0 ? 0 : Math.min(1, Math.max(0, ((x + 0.5 - x0) * dx + (y + 0.5 - y0) * dy) / square));
          const distance = Math.hypot(x + 0.5 - x0 - along * dx, y + 0.5 - y0 - along * dy);
          const value = Math.min(1, Math.max(0, radius + 0.5 - distance));
          const at = y * RASTER + x;
          if (value > ink[at]!) ink[at] = value;
        }
      }
    }
  }
  return ink;
}

/**
 * What the network sees of a drawing, [side · side] in [0, 1]: centred and scaled as MNIST is, where `centred` says so and the side is
 * MNIST's 28; the drawing as it stands otherwise, each value the mean of the raster under it.
 */
export function inputOf(strokes: Strokes, side: number, centred: boolean): Float32Array {
  const ink = rasterise(strokes);
  if (centred && side === 28) return likeMnist(ink, RASTER, RASTER);
  const input = new Float32Array(side * side);
  const count = new Float32Array(side * side);
  for (let i = 0; i < ink.length; i++) {
    const cell = Math.floor((Math.floor(i / RASTER) * side) / RASTER) * side + Math.floor(((i % RASTER) * side) / RASTER);
    input[cell]! += ink[i]!;
    count[cell]! += 1;
  }
  return input.map((sum, i) => sum / Math.max(1, count[i]!));
}

/** Strokes as text that an address may hold: base64url of the points, a stroke ending in 0, 0 past its length. */
export function writeStrokes(strokes: Strokes): string {
  const bytes: number[] = [];
  for (const stroke of strokes) {
    for (let first = 0; first < stroke.length; first += 510) {
      const part = stroke.slice(first, first + 510);
      bytes.push(part.length / 2, ...part);
    }
  }
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** Undefined where the text is no drawing. */
export function readStrokes(text: string): Strokes | undefined {
  let bytes: number[];
  try {
    bytes = Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
  const strokes: Stroke[] = [];
  for (let at = 0; at < bytes.length; ) {
    const points = bytes[at]!;
    const stroke = bytes.slice(at + 1, at + 1 + 2 * points);
    if (points === 0 || stroke.length !== 2 * points) return undefined;
    strokes.push(stroke);
    at += 1 + 2 * points;
  }
  return strokes.length > 0 ? strokes : undefined;
}

export const pointsOf = (strokes: Strokes): number => strokes.reduce((sum, stroke) => sum + stroke.length / 2, 0);
