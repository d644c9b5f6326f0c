import { elements } from '../engine/operation.ts';
import { type Limits, limitsOf, viridis } from './color-maps.ts';
import {
  type Arrangement,
  barPanel,
  CAPTION_HEIGHT,
  drawCaption,
  gridPanel,
  HAIRLINE,
  INK,
  MARGIN,
  mapFor,
  type Panel,
  panelPicture,
  QUIET,
  text,
  written3,
} from './picture.ts';

/** A parameter of a network, and how its values are spread. */
export interface PicturedWeights {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Counts of equal bins from `from` to `to`. */
  readonly histogram?: { readonly from: number; readonly to: number; readonly counts: ArrayLike<number> };
}

export interface WeightPictureOptions {
  /** Of one example: what an image is, the first layer's weights are shown as. */
  readonly inputShape: readonly number[];
  /** The name of the matrix with a row for each input, where there is one: a dense layer's, but no embedding's. */
  readonly readsInput?: string;
  /** Of the network. */
  readonly title: string;
}

/** Rows and columns of a matrix that get a cell each; of a larger one each cell is the largest of a block. */
const MOST_CELLS = 1600;
/** Units of a first layer that are shown as images. */
const MOST_UNITS = 256;
/** Panels in one picture: a canvas has an end. */
const MOST_PANELS = 24;
/** Inputs that get a bar each; more are drawn as a grid. */
const MOST_BARS = 64;

/** Of a matrix, in CSS pixels. */
const LEAST_HEIGHT = 36;

const MATRIX_BOX = { width: 800, height: 400, cell: 40 };
const VECTOR_BOX = { width: 400, height: 280, cell: 24 };
const UNITS_BOX = { width: 1400, height: 1000, cell: 8 };

const times = (shape: readonly number[]): string => shape.join(' × ');

/**
 * weightPictures: PNGs of what a network has learned, by the names of their files.
 *
 * `weights`: every parameter; a tensor of two axes or more as the matrix [everything before, last axis], its longer side across.
 * `first-layer`: where the input is an image and a matrix reads it, each unit's weights as such an image.
 * `input-importance`: Σ|w| of each input of that matrix, as an image where the input is one. `histograms`: those that are given.
 * Signed values are blue–orange about 0, others viridis from 0; the limits are printed. Needs `OffscreenCanvas`.
 *
 * @throws VitrineError `shape-mismatch`: values that do not fill their shape
 */
export async function weightPictures(
  weights: readonly PicturedWeights[],
  { inputShape, readsInput, title }: WeightPictureOptions,
): Promise<Record<string, Uint8Array>> {
  const pictures: Record<string, Uint8Array> = {};
  const draw = async (name: string, panels: readonly Panel[], detail: string, note: string): Promise<void> => {
    for (let first = 0; first < panels.length; first += MOST_PANELS) {
      pictures[first === 0 ? name : `${name}-${1 + first / MOST_PANELS}`] = await panelPicture(panels.slice(first, first + MOST_PANELS), {
        header: (context, width) => {
          text(context, title, MARGIN, MARGIN + 14, { size: 20, weight: 600, maxWidth: width - 2 * MARGIN });
          text(context, detail, MARGIN, MARGIN + 38, { size: 15, color: QUIET, maxWidth: width - 2 * MARGIN });
        },
        footer: (context, width, height) =>
          text(context, note, MARGIN, height - MARGIN, { size: 12, color: QUIET, maxWidth: width - 2 * MARGIN }),
      });
    }
  };
  const broken = weights.some(({ values }) => !values.every(Number.isFinite)) ? ' Pink is not a number, or infinite.' : '';
  const signs = `0 is near-white, blue below it and orange above; without negative values 0 is dark violet. The limits hold 99.9 % of the values.${broken}`;
  await draw('weights', weights.map(weightPanel), 'Every parameter as it is stored', `Each panel has its own scale. ${signs}`);

  const first = weights.find(({ name }) => name === readsInput);
  if (first && elements(first.shape.slice(0, -1)) === elements(inputShape)) {
    if (inputShape.length > 1) {
      const detail = 'The units of the first layer: their weights, each at the place of its pixel';
      await draw('first-layer', unitPanels(first, inputShape), detail, `One scale for all units. ${signs}`);
    }
    const detail = 'How strongly each input is taken up: Σ|w| over the units';
    await draw('input-importance', importancePanels(first, inputShape), detail, inputShape.length > 1 ? '0 is dark violet.' : '');
  }
  const drawn = weights.flatMap((each) => (each.histogram ? [histogramPanel(each, each.histogram)] : []));
  await draw('histograms', drawn, 'How the values of every parameter are spread', 'Bars are counts; each panel has its own scales.');
  return pictures;
}

function weightPanel({ name, shape, values }: PicturedWeights): Panel {
  const map = mapFor(values);
  const limits = limitsOf(values, map);
  if (shape.length < 2) return gridPanel(name, { shape, values }, undefined, map, { limits, box: VECTOR_BOX });
  const columns = shape.at(-1) as number;
  const rows = values.length / columns;
  const { matrix, down, across, block } = condensed(values, rows, columns);
  const wide = across >= down;
  const [lines, width] = wide ? [down, across] : [across, down];
  // A few lines are drawn taller than wide, or they and their scale could not be read.
  const repeat = Math.ceil(LEAST_HEIGHT / (lines * Math.min(MATRIX_BOX.width / width, MATRIX_BOX.cell)));
  const height = lines * repeat;
  const cells = Int32Array.from({ length: width * height }, (_, i) => {
    const [line, at] = [Math.floor(i / width / repeat), i % width];
    return wide ? line * across + at : at * across + line;
  });
  const said = `${times(shape)}, ${wide ? 'outputs across, inputs down' : 'inputs across, outputs down'}`;
  const detail = block > 1 ? `${said}; a cell is the largest of ${block} × ${block}` : said;
  const arranged: Arrangement = { width, height, cells, kind: 'image' };
  return gridPanel(name, { shape: [down, across], values: matrix }, undefined, map, { arranged, detail, limits, box: MATRIX_BOX });
}

/** A matrix with at most `MOST_CELLS` rows and columns: of each block the value that is largest in size, with its sign. */
function condensed(values: Float32Array, rows: number, columns: number) {
  const block = Math.ceil(Math.max(rows, columns) / MOST_CELLS);
  if (block <= 1) return { matrix: values, down: rows, across: columns, block: 1 };
  const [down, across] = [Math.ceil(rows / block), Math.ceil(columns / block)];
  const matrix = new Float32Array(down * across);
  values.forEach((value, i) => {
    const at = Math.floor(Math.floor(i / columns) / block) * across + Math.floor((i % columns) / block);
    if (Math.abs(value) > Math.abs(matrix[at] as number) || !Number.isFinite(value)) matrix[at] = value;
  });
  return { matrix, down, across, block };
}

/** One panel a channel of the image. */
function unitPanels({ name, shape, values }: PicturedWeights, inputShape: readonly number[]): Panel[] {
  const [height = 1, width = 1, channels = 1] = inputShape;
  const all = shape.at(-1) as number;
  const units = Math.min(all, MOST_UNITS);
  const map = mapFor(values);
  const limits: Limits = limitsOf(values, map);
  return Array.from({ length: channels }, (_, channel) => {
    const own = Float32Array.from(
      { length: height * width * units },
      (_, i) => values[(Math.floor(i / units) * channels + channel) * all + (i % units)] as number,
    );
    const which = units < all ? `the first ${units} of ${all} units` : `${all} units`;
    const detail = `${which}, each ${height} × ${width}${channels > 1 ? `, channel ${channel}` : ''}`;
    return gridPanel(name, { shape: [height, width, units], values: own }, undefined, map, { detail, limits, box: UNITS_BOX });
  });
}

function importancePanels({ name, shape, values }: PicturedWeights, inputShape: readonly number[]): Panel[] {
  const units = shape.at(-1) as number;
  const sums = new Float32Array(values.length / units);
  for (let i = 0; i < sums.length; i++) for (let k = 0; k < units; k++) sums[i] = sums[i]! + Math.abs(values[i * units + k] as number);
  const title = `Σ|w| of ${name}`;
  if (inputShape.length === 1 && sums.length <= MOST_BARS) {
    const names = Array.from(sums, (_, i) => `input ${i}`);
    return [barPanel({ name: title, shape: [sums.length], values: sums, names }, {})];
  }
  return [gridPanel(title, { shape: inputShape, values: sums }, undefined, viridis)];
}

/** Bars of the counts over the values, with 0 marked. */
function histogramPanel({ name, shape }: PicturedWeights, { from, to, counts }: NonNullable<PicturedWeights['histogram']>): Panel {
  const [width, height] = [344, 160];
  const most = Math.max(1, ...Array.from(counts));
  return {
    width: width + 20,
    height: CAPTION_HEIGHT + height + 26,
    draw: (context, x, y) => {
      drawCaption(context, name, `${times(shape)}, at most ${most.toLocaleString('en')} in a bin`, x, y);
      const bottom = y + CAPTION_HEIGHT + height;
      const step = width / counts.length;
      context.fillStyle = '#3b528b';
      for (let i = 0; i < counts.length; i++) {
        const bar = (height * (counts[i] as number)) / most;
        context.fillRect(x + i * step, bottom - bar, Math.max(0.5, step - (step > 4 ? 1 : 0)), bar);
      }
      context.fillStyle = HAIRLINE;
      context.fillRect(x, bottom, width, 1);
      const style = { size: 12, color: QUIET } as const;
      text(context, written3(from), x, bottom + 18, style);
      text(context, written3(to), x + width, bottom + 18, { ...style, align: 'right' });
      const zero = x + (width * (0 - from)) / (to - from);
      if (!(zero > x && zero < x + width)) return;
      context.fillStyle = INK;
      context.fillRect(zero - 0.5, bottom - 4, 1, 8);
      if (zero - x > 60 && x + width - zero > 60) text(context, '0', zero, bottom + 18, { ...style, align: 'center' });
    },
  };
}
