/**
 * Images that a visitor brings. Many with classes, by folder or by name, are a data set; others are examples to be looked at with the
 * network that there is. They stay in the page: an address names them by their hash only.
 */

import { type Dataset, likeMnist, split } from '../../data/index.ts';
import { show, VitrineError } from '../../engine/errors.ts';
import type { TrainingData } from '../training.ts';

/** An image as a raster of ink: 0 for paper, 1 for the darkest ink. */
export interface OwnImage {
  /** Eight hexadecimal digits of its values. */
  readonly hash: string;
  /** The file's. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly ink: Float32Array;
  /** It was dark on light, and what is dark became 1. */
  readonly inverted: boolean;
  /** Its class, where its folder or its name says one. */
  readonly className: string | undefined;
}

/** What became of the files of a data set, to be told to the visitor. */
export interface TakenImages {
  readonly count: number;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** What each has become. */
  readonly size: readonly [height: number, width: number];
  readonly inverted: boolean;
  readonly resized: boolean;
}

export type OwnImages =
  | { readonly kind: 'examples'; readonly images: readonly OwnImage[] }
  | { readonly kind: 'data'; readonly name: `own:${string}`; readonly data: TrainingData; readonly taken: TakenImages };

/** Files with these endings are images, and those that the browser says are. */
export const isImage = ({ name, type }: File): boolean => type.startsWith('image/') || /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(name);

const MOST_IMAGES = 20_000;
/** Fewer images, whatever their classes, are examples. */
const LEAST_SET = 20;
/** Images of one size up to this stay as they are; others are brought to the size of MNIST. */
const LARGEST_SIDE = 64;
const SIDE = 28;
/** An image is looked at through a raster of at most this side. */
const RASTER = 256;
/** What differs from the paper by less than this share of the contrast is paper: the grain of a photograph. */
const GRAIN = 0.15;
const HELD_OUT = 0.2;
/** Of those that are trained on, as the studio holds out for validation. */
const VALIDATION = 0.2;

/** Where files came from with their folders, which the files themselves do not say. */
const paths = new WeakMap<File, string>();
export const notePath = (file: File, path: string): void => {
  paths.set(file, path);
};
const pathOf = (file: File): string => paths.get(file) ?? (file.webkitRelativePath || file.name);

/**
 * @param batch of the recipe
 * @throws VitrineError `bad-file` for an image that cannot be read, of its name; `limit-exceeded` for too many; `batch-too-large` for a data
 * set smaller than a batch; `invalid-option` where some of the files are no images
 */
export async function readOwnImages(files: readonly File[], batch: number): Promise<OwnImages> {
  const other = files.filter((file) => !isImage(file));
  if (other.length > 0) {
    throw new VitrineError(
      'invalid-option',
      `${other.map(({ name }) => name).join(', ')}: not an image, but dropped together with images.`,
      'drop images alone, in folders named by their classes if you like.',
      { files: other.map(({ name }) => name) },
    );
  }
  if (files.length > MOST_IMAGES) {
    throw new VitrineError('limit-exceeded', `${files.length} images; the page reads at most ${MOST_IMAGES}.`, 'drop a part of them.', {
      label: 'images',
      bytes: files.length,
      limit: MOST_IMAGES,
    });
  }
  const names = classesOf(files.map(pathOf));
  const pictures: { readonly file: File; readonly raster: Raster }[] = [];
  // One at a time: a decoded photograph is large.
  for (const file of files) pictures.push({ file, raster: await rasterOf(file) });
  if (names && files.length >= LEAST_SET) return dataOf(pictures, names, batch);
  const images: OwnImage[] = [];
  for (const [i, { file, raster }] of pictures.entries()) {
    const { inverted, ink } = inkOf(raster);
    images.push({
      hash: await hashOf(ink),
      name: file.name,
      width: raster.width,
      height: raster.height,
      ink,
      inverted,
      className: names?.[i] ?? prefixOf(file.name),
    });
  }
  return { kind: 'examples', images };
}

/**
 * An image as a network of this input shape gets it: centred and scaled as MNIST is for 28 × 28, kept in proportion and centred otherwise.
 *
 * @throws VitrineError `shape-mismatch` where the network takes no grey images
 */
export function inputOfImage({ ink, width, height, name }: OwnImage, shape: readonly number[]): Float32Array {
  const [rows, columns, channels = 1] = shape;
  if (rows === undefined || columns === undefined || shape.length > 3 || channels !== 1) {
    throw new VitrineError(
      'shape-mismatch',
      `${name}: an image, but the network takes ${show(shape)}.`,
      'choose data of grey images in the recipe, such as MNIST, and drop it again.',
      { expected: shape, actual: [height, width, 1] },
    );
  }
  if (rows === SIDE && columns === SIDE) return likeMnist(ink, width, height);
  return fitInto(ink, width, height, rows, columns);
}

// ---- classes ---------------------------------------------------------------------------------------------------------------------

/** `7_001.png` → 7, `cat-12.webp` → cat */
const prefixOf = (name: string): string | undefined => /^(.+?)[ _-]+\(?\d+\)?\.[^.]+$/.exec(name)?.[1];

/** A class a file: the folder that it lies in, or what stands before the number in its name; undefined where neither gives several classes. */
export function classesOf(all: readonly string[]): readonly string[] | undefined {
  const folders = all.map((path) => path.split('/').at(-2));
  const prefixes = all.map((path) => prefixOf(path.split('/').at(-1) as string));
  for (const found of [folders, prefixes]) {
    const known = found.filter((each) => each !== undefined);
    if (known.length === all.length && new Set(known).size > 1) return known;
  }
  return undefined;
}

// ---- reading ---------------------------------------------------------------------------------------------------------------------

interface Raster {
  readonly width: number;
  readonly height: number;
  /** Luminance, 0 to 1, on white where it is transparent. */
  readonly grey: Float32Array;
}

async function rasterOf(file: File): Promise<Raster> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch (error) {
    throw new VitrineError(
      'bad-file',
      `${file.name} cannot be read as an image: ${error instanceof Error ? error.message : String(error)}`,
      'open it in an image program and save it anew as PNG or JPEG; nothing else of the drop was taken.',
      { image: file.name },
    );
  }
  const scale = Math.min(1, RASTER / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.max(1, Math.round(bitmap.width * scale)), Math.max(1, Math.round(bitmap.height * scale))];
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  // Rec. 709.
  const grey = Float32Array.from(
    { length: width * height },
    (_, i) => (0.2126 * data[4 * i]! + 0.7152 * data[4 * i + 1]! + 0.0722 * data[4 * i + 2]!) / 255,
  );
  return { width, height, grey };
}

/** The level of the paper: the median along the edge. */
function paperOf({ grey, width, height }: Raster): number {
  const edge: number[] = [];
  for (let x = 0; x < width; x++) edge.push(grey[x]!, grey[(height - 1) * width + x]!);
  for (let y = 0; y < height; y++) edge.push(grey[y * width]!, grey[y * width + width - 1]!);
  edge.sort((a, b) => a - b);
  return edge[edge.length >> 1] as number;
}

/** Ink on paper of any level; what is as light as the paper, or differs on the other side, is 0. */
function inkOf(raster: Raster): { readonly ink: Float32Array; readonly inverted: boolean } {
  const paper = paperOf(raster);
  const inverted = paper > 0.5;
  const contrast = raster.grey.reduce((most, value) => Math.max(most, inverted ? paper - value : value - paper), 0);
  const ink = raster.grey.map((value) => {
    const share = (inverted ? paper - value : value - paper) / Math.max(contrast, 1e-6);
    return share < GRAIN ? 0 : share;
  });
  return { ink: contrast < 1 / 64 ? ink.fill(0) : ink, inverted };
}

/** Each value the mean of what lies under it; the image keeps its proportions, and stands in the middle. */
function fitInto(values: Float32Array, width: number, height: number, rows: number, columns: number): Float32Array {
  const scale = Math.max(width / columns, height / rows);
  const [left, top] = [(width - columns * scale) / 2, (height - rows * scale) / 2];
  const looks = Math.max(1, Math.ceil(scale));
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    let sum = 0;
    for (let look = 0; look < looks * looks; look++) {
      const x = Math.floor(left + ((i % columns) + (0.5 + (look % looks)) / looks) * scale);
      const y = Math.floor(top + (Math.floor(i / columns) + (0.5 + Math.floor(look / looks)) / looks) * scale);
      if (x >= 0 && y >= 0 && x < width && y < height) sum += values[y * width + x]!;
    }
    return sum / (looks * looks);
  });
}

// ---- a data set ------------------------------------------------------------------------------------------------------------------

async function dataOf(
  pictures: readonly { readonly file: File; readonly raster: Raster }[],
  names: readonly string[],
  batch: number,
): Promise<OwnImages> {
  const size = pictures.length;
  const trained = Math.floor((size - Math.floor(size * HELD_OUT)) * (1 - VALIDATION));
  if (trained < batch) {
    throw new VitrineError(
      'batch-too-large',
      `${size} images: ${trained} are left to train on, fewer than a batch of ${batch}.`,
      `choose a batch of at most ${trained} in the recipe, or drop more images.`,
      { batchSize: batch, examples: trained },
    );
  }
  const [first] = pictures;
  const { width, height } = first!.raster;
  const same = pictures.every(({ raster }) => raster.width === width && raster.height === height);
  const kept = same && Math.max(width, height) <= LARGEST_SIDE;
  const [rows, columns] = kept ? [height, width] : [SIDE, SIDE];
  // Of all of them alike, so that light and dark mean the same in every image.
  const inverted = pictures.filter(({ raster }) => paperOf(raster) > 0.5).length > size / 2;
  const classes = [...new Set(names)].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const inputs = new Uint8Array(size * rows * columns);
  for (const [i, { raster }] of pictures.entries()) {
    const grey = inverted ? raster.grey.map((value) => 1 - value) : raster.grey;
    const values = kept ? grey : fitInto(grey, raster.width, raster.height, rows, columns);
    inputs.set(
      Uint8Array.from(values, (value) => Math.round(255 * value)),
      i * rows * columns,
    );
  }
  const numbers = names.map((name) => classes.indexOf(name));
  const labels = classes.length > 256 ? Uint32Array.from(numbers) : Uint8Array.from(numbers);
  const dataset: Dataset = { name: 'images', size, inputShape: [rows, columns, 1], inputs, labels, classes };
  const taken = { count: size, classes, size: [rows, columns] as const, inverted, resized: !kept };
  const name = `own:${await hashOf(inputs, labels)}` as const;
  return { kind: 'data', name, data: split(dataset, { fraction: HELD_OUT, stratified: true, seed: 0 }), taken };
}

/** Eight hexadecimal digits. */
async function hashOf(...parts: readonly (Uint8Array | Uint32Array | Float32Array)[]): Promise<string> {
  const bytes = await new Blob(parts as readonly BlobPart[] as BlobPart[]).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes), 0, 4);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
