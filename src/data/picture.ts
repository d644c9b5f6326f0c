import { shapeMismatch, show } from '../engine/errors.ts';
import { blueOrange, type Color, type ColorMap, colorOf, greys, type Limits, limitsOf, viridis } from './color-maps.ts';

type Values = Float32Array | Uint8Array;

/** RGBA pixels, row-major: what `new ImageData(data, width, height)` takes. */
export interface HeatMap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** The values of the first and the last colour. */
  readonly limits: Limits;
  /** The colour of the value 0. */
  readonly zero: Color;
  /** Values beyond the limits, which got the colour of the nearer one. */
  readonly beyond: number;
  /** Values that are NaN or infinite. */
  readonly notFinite: number;
}

/**
 * heatmap: one pixel a value. Values go to the colour map as they are: nothing is clamped, scaled to bytes or cast before it.
 *
 * **Shapes** values [height, width], row-major.
 *
 * @param options.map viridis by default; give `blueOrange` for signed values
 * @param options.limits by default `limitsOf(values, map)`; give the same limits to pictures that are compared
 * @throws VitrineError `shape-mismatch`
 */
export function heatmap(
  values: Values,
  width: number,
  height: number,
  options: { readonly map?: ColorMap; readonly limits?: Limits } = {},
): HeatMap {
  if (values.length !== width * height) {
    throw shapeMismatch(
      `heatmap: ${values.length} values do not make a picture of ${show([height, width])} (${width * height} values).`,
      'pass the width and the height of the values.',
      { values: values.length, width, height },
    );
  }
  const { map = viridis } = options;
  const limits = options.limits ?? limitsOf(values, map);
  const data = new Uint8ClampedArray(4 * values.length);
  let beyond = 0;
  let notFinite = 0;
  for (const [pixel, value] of values.entries()) {
    data.set(colorOf(value, map, limits), 4 * pixel);
    data[4 * pixel + 3] = 255;
    if (!Number.isFinite(value)) notFinite++;
    else if (value < limits[0] || value > limits[1]) beyond++;
  }
  return { width, height, data, limits, zero: colorOf(0, map, limits), beyond, notFinite };
}

/** Where the values of a tensor are drawn: `cells` holds the index of the value at each place, −1 where there is none. */
export interface Arrangement {
  readonly width: number;
  readonly height: number;
  readonly cells: Int32Array;
  /** Whether neighbours mean something (an image) or each cell is a unit of its own. */
  readonly kind: 'image' | 'units' | 'channels';
}

/**
 * arrangement: how one example of a shape is laid out in two dimensions.
 *
 * [h, w] and [h, w, 1] are images; [h, w, c] is c images side by side in a grid, one cell apart; [n] is a square image when n is a
 * square (784 as 28 × 28), else a grid of units with the most nearly square sides (128 as 8 rows of 16).
 */
export function arrangement(shape: readonly number[]): Arrangement {
  const [height, width, channels] = shape;
  if (height !== undefined && width !== undefined && shape.length <= 3 && (channels ?? 1) === 1) {
    return { width, height, cells: Int32Array.from({ length: width * height }, (_, i) => i), kind: 'image' };
  }
  if (shape.length === 3) return channelGrid(height!, width!, channels!);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const [rows, columns] = gridOf(count);
  const cells = Int32Array.from({ length: rows * columns }, (_, i) => (i < count ? i : -1));
  return { width: columns, height: rows, cells, kind: rows === columns && rows > 8 ? 'image' : 'units' };
}

/** Rows and columns for `count` things: exact and nearly square where that is possible, else the last row is short. */
function gridOf(count: number): [rows: number, columns: number] {
  for (let rows = Math.floor(Math.sqrt(count)); rows >= 1; rows--) {
    if (count % rows === 0 && count / rows <= 4 * rows) return [rows, count / rows];
  }
  const columns = Math.ceil(Math.sqrt(2 * count));
  return [Math.ceil(count / columns), columns];
}

function channelGrid(height: number, width: number, channels: number): Arrangement {
  const [down, across] = gridOf(channels);
  const gridWidth = across * (width + 1) - 1;
  const gridHeight = down * (height + 1) - 1;
  const cells = new Int32Array(gridWidth * gridHeight).fill(-1);
  for (let channel = 0; channel < channels; channel++) {
    const top = Math.floor(channel / across) * (height + 1);
    const left = (channel % across) * (width + 1);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        cells[(top + row) * gridWidth + left + column] = (row * width + column) * channels + channel;
      }
    }
  }
  return { width: gridWidth, height: gridHeight, cells, kind: 'channels' };
}

export interface PicturedTensor {
  /** Shape of one example, without the batch axis. */
  readonly shape: readonly number[];
  readonly values: Values;
}

export interface PicturedLayer extends PicturedTensor {
  readonly name: string;
  /** What the layer does, in a word or two, such as `ReLU`. */
  readonly note?: string;
  /** By default bars for up to 20 units in a row, else a grid. */
  readonly as?: 'grid' | 'bars';
  /** Of its units, where they are no classes. */
  readonly names?: readonly string[];
}

export interface ActivationPicture {
  /** The example; float inputs as the network saw them. */
  readonly input: PicturedTensor & {
    /** Of the columns of a table row, which is then drawn as bars. */
    readonly names?: readonly string[];
  };
  readonly layers: readonly PicturedLayer[];
  /** True class, where it is known. */
  readonly label?: number;
  /** Predicted class. */
  readonly prediction: number;
  /** Names of the classes; by default their numbers. */
  readonly classes?: readonly string[];
  readonly title?: string;
}

// Lengths are CSS pixels; the picture has twice as many in each direction.
const SCALE = 2;
export const MARGIN = 40;
const HEADER_HEIGHT = 64;
export const CAPTION_HEIGHT = 46;
const PICTURE_HEIGHT = 280;
const PICTURE_WIDTH = 344;
const GAP = 46;
const ROW_GAP = 40;
const ROW_WIDTH = 1640;
const BAR_WIDTH = 10;
const SCALE_WIDTH = 62;
const FOOTER_HEIGHT = 34;
const BARS_WIDTH = 300;

export const INK = '#1c1e26';
export const QUIET = '#646a78';
export const HAIRLINE = '#d9dce3';
const TRACK = '#eef0f4';
const RIGHT = '#21766d';
const WRONG = '#b3412d';
const FONT = 'Inter, "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif';

/**
 * activationPicture: a PNG of one example on its way through a network: the input, then what each layer made of it, each with its
 * shape and its scale; bars for the classes. Needs `OffscreenCanvas` (a browser's page or worker).
 *
 * Unsigned layers are drawn in viridis from 0, layers with a negative value in blue–orange about 0; each has its own limits,
 * printed beside it. Ink is the input's map.
 *
 * @returns the bytes of a PNG, two pixels to the CSS pixel
 * @throws VitrineError `shape-mismatch`: a layer whose values do not fill its shape
 */
export async function activationPicture(picture: ActivationPicture): Promise<Uint8Array> {
  const { input, layers } = picture;
  const first = input.names ? barPanel({ name: 'Input', ...input }, picture) : gridPanel('Input', input, undefined, greys);
  const panels = [first, ...layers.map((layer) => layerPanel(layer, picture))];
  return panelPicture(panels, {
    header: (context, width) => drawHeader(context, picture, width),
    footer: (context, width, height) => drawFooter(context, layers, width, height),
  });
}

interface Frame {
  readonly header: (context: OffscreenCanvasRenderingContext2D, width: number) => void;
  readonly footer: (context: OffscreenCanvasRenderingContext2D, width: number, height: number) => void;
}

/** Panels in rows, as a PNG: what the pictures of activations and of weights share. */
export async function panelPicture(panels: readonly Panel[], { header, footer }: Frame): Promise<Uint8Array> {
  const rows = wrap(panels);
  const rowHeights = rows.map((row) => Math.max(...row.map((panel) => panel.height)));
  const width = 2 * MARGIN + Math.max(480, ...rows.map(rowWidth));
  const height = 2 * MARGIN + HEADER_HEIGHT + rowHeights.reduce((sum, row) => sum + row + ROW_GAP, -ROW_GAP) + FOOTER_HEIGHT;

  const canvas = new OffscreenCanvas(SCALE * width, SCALE * height);
  // Drawn by the CPU: quicker for one picture than a trip over the GPU, which is busy training, and the same on every machine.
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.scale(SCALE, SCALE);
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  header(context, width);
  let y = MARGIN + HEADER_HEIGHT;
  for (const [index, row] of rows.entries()) {
    let x = MARGIN;
    for (const panel of row) {
      panel.draw(context, x, y);
      x += panel.width + GAP;
    }
    y += rowHeights[index]! + ROW_GAP;
  }
  footer(context, width, height);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new Uint8Array(await blob.arrayBuffer());
}

/** A part of a picture: lengths are CSS pixels. */
export interface Panel {
  readonly width: number;
  readonly height: number;
  readonly draw: (context: OffscreenCanvasRenderingContext2D, x: number, y: number) => void;
}

const asBars = ({ as, shape, values }: PicturedLayer): boolean =>
  as === 'bars' || (as === undefined && shape.length === 1 && values.length <= 20);

function layerPanel(layer: PicturedLayer, picture: ActivationPicture): Panel {
  if (asBars(layer)) return barPanel(layer, picture);
  return gridPanel(layer.name, layer, layer.note, mapFor(layer.values));
}

const total = (values: Values): number => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

const isSigned = (values: Values): boolean => values.some((value) => value < 0);

export const mapFor = (values: Values): ColorMap => (isSigned(values) ? blueOrange : viridis);

/** How a grid is drawn, where not as an activation is. */
export interface GridOptions {
  /** Where each value goes, by default as `arrangement(shape)` says. */
  readonly arranged?: Arrangement;
  /** In place of the shape and the note. */
  readonly detail?: string;
  readonly limits?: Limits;
  /** The space for it, and the largest cell. */
  readonly box?: { readonly width: number; readonly height: number; readonly cell?: number };
}

export function gridPanel(
  title: string,
  { shape, values }: PicturedTensor,
  note: string | undefined,
  map: ColorMap,
  options: GridOptions = {},
): Panel {
  checkShape(title, shape, values);
  const { width, height, cells, kind } = options.arranged ?? arrangement(shape);
  // By default all values lie within the limits: nothing in the picture is saturated.
  const limits = options.limits ?? limitsOf(values, map, 1);
  const box = { width: PICTURE_WIDTH, height: PICTURE_HEIGHT, cell: PICTURE_WIDTH, ...options.box };
  // Whole device pixels to a cell, so that every edge is sharp.
  const cell = Math.max(1, Math.floor(SCALE * Math.min(box.height / height, box.width / width, box.cell))) / SCALE;
  const { data } = heatmap(
    Float32Array.from(cells, (index) => (index < 0 ? 0 : values[index]!)),
    width,
    height,
    { map, limits },
  );
  // A place without a value is paper, whatever the map makes of 0.
  for (const [place, index] of cells.entries()) if (index < 0) data[4 * place + 3] = 0;
  const bitmap = new OffscreenCanvas(width, height);
  bitmap.getContext('2d', { willReadFrequently: true })!.putImageData(new ImageData(data, width, height), 0, 0);
  return {
    width: width * cell + 12 + BAR_WIDTH + SCALE_WIDTH,
    height: CAPTION_HEIGHT + height * cell,
    draw: (context, x, y) => {
      drawCaption(context, title, options.detail ?? describe(shape, note, [height, width]), x, y);
      const top = y + CAPTION_HEIGHT;
      context.imageSmoothingEnabled = false;
      context.drawImage(bitmap, x, top, width * cell, height * cell);
      if (kind === 'units') drawLattice(context, x, top, width, height, cell);
      if (kind === 'image') frame(context, x, top, width * cell, height * cell);
      drawScale(context, map, limits, x + width * cell + 12, top, height * cell);
    },
  };
}

export function barPanel(
  layer: PicturedLayer,
  { classes, label, prediction }: Pick<ActivationPicture, 'classes' | 'label'> & { readonly prediction?: number },
): Panel {
  const { name, shape, values, note } = layer;
  const own = layer.names?.length === values.length ? layer.names : undefined;
  checkShape(name, shape, values);
  const among = own ?? (classes?.length === values.length ? classes : undefined);
  const names = Array.from(values, (_, index) => among?.[index] ?? String(index));
  const isProbability = !isSigned(values) && Math.abs(total(values) - 1) < 1e-3;
  const [low, high] = isProbability ? [0, 1] : limitsOf(values, viridis);
  // Names are written at every pitch, so it never falls below their height.
  const pitch = Math.max(own ? 15 : 0, Math.min(28, PICTURE_HEIGHT / values.length));
  const size = Math.min(14, pitch - 3);
  const nameWidth = Math.min(170, Math.max(22, ...names.map((text) => 0.58 * size * text.length + 12)));
  const trackWidth = 170;
  return {
    width: Math.max(BARS_WIDTH, nameWidth + trackWidth + 104),
    height: CAPTION_HEIGHT + pitch * values.length + 22,
    draw: (context, x, y) => {
      drawCaption(context, name, describe(shape, note), x, y);
      const left = x + nameWidth;
      const at = (value: number) => left + (trackWidth * (value - low)) / (high - low);
      const barHeight = Math.min(16, pitch - 6);
      for (const [index, value] of values.entries()) {
        const middle = y + CAPTION_HEIGHT + pitch * (index + 0.5);
        const strong = !own && index === prediction;
        context.fillStyle = TRACK;
        context.fillRect(left, middle - barHeight / 2, trackWidth, barHeight);
        if (Number.isFinite(value)) {
          context.fillStyle = strong ? '#3b528b' : '#9aa5c0';
          context.fillRect(Math.min(at(0), at(value)), middle - barHeight / 2, Math.abs(at(value) - at(0)), barHeight);
        }
        const weight = strong ? 600 : 400;
        text(context, names[index]!, left - 10, middle, { size, weight, align: 'right', baseline: 'middle', maxWidth: nameWidth - 10 });
        const color = strong ? INK : QUIET;
        const written = written3(value);
        text(context, written, left + trackWidth + 10, middle, { size: Math.min(13, size), weight, color, baseline: 'middle' });
        if (!own && index === label) {
          const after = left + trackWidth + 10 + context.measureText(written).width + 8;
          text(context, 'label', after, middle, { size: 12, color: strong ? RIGHT : WRONG, baseline: 'middle' });
        }
      }
      const bottom = y + CAPTION_HEIGHT + pitch * values.length;
      for (const tick of new Set([low, 0, high])) {
        context.fillStyle = HAIRLINE;
        context.fillRect(at(tick) - 0.5, y + CAPTION_HEIGHT, 1, pitch * values.length + 4);
        text(context, written3(tick), at(tick), bottom + 18, { size: 12, color: QUIET, align: 'center' });
      }
    },
  };
}

function drawHeader(context: OffscreenCanvasRenderingContext2D, picture: ActivationPicture, width: number): void {
  const { label, prediction, classes, title = 'One test example on its way through the network' } = picture;
  const nameOf = (index: number) => classes?.[index] ?? String(index);
  text(context, title, MARGIN, MARGIN + 14, { size: 20, weight: 600, maxWidth: width - 2 * MARGIN });
  const verdict = label === undefined ? '' : label === prediction ? ', correct' : ', wrong';
  const head = label === undefined ? '' : `label ${nameOf(label)}, `;
  const style = { size: 15, color: QUIET };
  text(context, head, MARGIN, MARGIN + 38, style);
  const start = MARGIN + context.measureText(head).width;
  const said = `predicted ${nameOf(prediction)}${verdict}`;
  const color = label === undefined ? INK : label === prediction ? RIGHT : WRONG;
  text(context, said, start, MARGIN + 38, { size: 15, weight: 600, color });
}

function drawFooter(context: OffscreenCanvasRenderingContext2D, layers: readonly PicturedLayer[], width: number, height: number): void {
  const grids = layers.some((layer) => !asBars(layer));
  const signed = layers.some((layer) => isSigned(layer.values));
  const broken = layers.some((layer) => !layer.values.every(Number.isFinite));
  const note = [
    'Every panel has its own scale, printed beside it.',
    ...(grids
      ? [
          signed
            ? 'Without negative values, 0 is dark violet; with them, 0 is near-white, blue below it and orange above.'
            : '0 is dark violet.',
        ]
      : []),
    ...(broken ? ['Pink is not a number, or infinite.'] : []),
  ].join(' ');
  text(context, note, MARGIN, height - MARGIN, { size: 12, color: QUIET, maxWidth: width - 2 * MARGIN });
}

export function drawCaption(context: OffscreenCanvasRenderingContext2D, title: string, detail: string, x: number, y: number): void {
  text(context, title, x, y + 14, { size: 15, weight: 600 });
  text(context, detail, x, y + 33, { size: 13, color: QUIET });
}

function describe(shape: readonly number[], note: string | undefined, drawn?: readonly [height: number, width: number]): string {
  const said = shape.join(' × ');
  const asDrawn = shape.length === 1 && drawn ? `${said} as ${drawn.join(' × ')}` : said;
  return note ? `${asDrawn}, ${note}` : asDrawn;
}

/** The colour bar: the map from high at the top to low at the bottom, with its limits and, between them, 0. */
function drawScale(context: OffscreenCanvasRenderingContext2D, map: ColorMap, limits: Limits, x: number, y: number, height: number): void {
  const [low, high] = limits;
  const steps = Math.round(SCALE * height);
  for (let step = 0; step < steps; step++) {
    const value = high + ((low - high) * step) / (steps - 1);
    context.fillStyle = `rgb(${colorOf(value, map, limits).join(' ')})`;
    context.fillRect(x, y + step / SCALE, BAR_WIDTH, 1 / SCALE);
  }
  frame(context, x, y, BAR_WIDTH, height);
  const at = (value: number) => y + (height * (high - value)) / (high - low);
  const label = x + BAR_WIDTH + 7;
  text(context, written3(high), label, y + 9, { size: 12, color: QUIET });
  text(context, written3(low), label, y + height, { size: 12, color: QUIET });
  const zero = at(0);
  if (zero - y < 22 || y + height - zero < 22) return;
  text(context, '0', label, zero, { size: 12, color: QUIET, baseline: 'middle' });
  context.fillStyle = QUIET;
  context.fillRect(x + BAR_WIDTH, zero - 0.5, 4, 1);
}

/** White lines between units, which are no neighbours of each other. */
function drawLattice(context: OffscreenCanvasRenderingContext2D, x: number, y: number, columns: number, rows: number, cell: number): void {
  if (cell < 5) return;
  context.fillStyle = '#ffffff';
  for (let column = 1; column < columns; column++) context.fillRect(x + column * cell - 0.5, y, 1, rows * cell);
  for (let row = 1; row < rows; row++) context.fillRect(x, y + row * cell - 0.5, columns * cell, 1);
}

function frame(context: OffscreenCanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.strokeStyle = HAIRLINE;
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
}

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly color?: string;
  readonly align?: CanvasTextAlign;
  readonly baseline?: CanvasTextBaseline;
  readonly maxWidth?: number;
}

export function text(context: OffscreenCanvasRenderingContext2D, words: string, x: number, y: number, style: TextStyle): void {
  context.font = `${style.weight ?? 400} ${style.size}px ${FONT}`;
  context.fillStyle = style.color ?? INK;
  context.textAlign = style.align ?? 'left';
  context.textBaseline = style.baseline ?? 'alphabetic';
  context.fillText(words, x, y, style.maxWidth);
}

/** Three digits: 0.992, 12.3, 4.1e−6, 0. */
export function written3(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value).replace('-', '−');
  const magnitude = Math.abs(value);
  const digits = magnitude >= 1e-3 && magnitude < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return digits.replaceAll('-', '−');
}

function checkShape(name: string, shape: readonly number[], values: Values): void {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (count === values.length) return;
  throw shapeMismatch(
    `activationPicture: ${name} has ${values.length} values but its shape ${show(shape)} has ${count}.`,
    'pass the values of one example, without the batch axis.',
    { name, shape, values: values.length },
  );
}

/** Panels in rows no wider than `ROW_WIDTH`. */
function wrap(panels: readonly Panel[]): Panel[][] {
  const rows: Panel[][] = [[]];
  for (const panel of panels) {
    const row = rows.at(-1)!;
    if (row.length > 0 && rowWidth([...row, panel]) > ROW_WIDTH) rows.push([panel]);
    else row.push(panel);
  }
  return rows;
}

const rowWidth = (row: readonly Panel[]): number => row.reduce((sum, panel) => sum + panel.width + GAP, -GAP);
