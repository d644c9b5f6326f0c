import type { Dataset } from '../engine/dataset.ts';
import { show, VitrineError } from '../engine/errors.ts';

/** What an IDX file holds: a dense row-major array. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: IdxData;
}

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

type ElementArray =
  | Uint8ArrayConstructor
  | Int8ArrayConstructor
  | Int16ArrayConstructor
  | Int32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor;

/** The array that holds each element type, by its code in the file. */
const ELEMENT_TYPES: ReadonlyMap<number, ElementArray> = new Map<number, ElementArray>([
  [0x08, Uint8Array],
  [0x09, Int8Array],
  [0x0b, Int16Array],
  [0x0c, Int32Array],
  [0x0d, Float32Array],
  [0x0e, Float64Array],
]);

const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * parseIdx: the array in an IDX file, the format of MNIST.
 *
 * The file is two zero bytes, a type code, the rank, each dimension as a big-endian uint32, then the elements, row-major and
 * big-endian. Bytes are a view of what was given, wider elements a copy in this machine's order.
 *
 * @param name what to call the file in a message
 * @throws VitrineError `bad-file`: gzip, a foreign magic number, an unknown type, truncated, over-long
 * **Source** LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "The IDX file format".
 */
export function parseIdx(source: ArrayBuffer | Uint8Array, name = 'idx'): Idx {
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  if (isGzip(bytes)) {
    throw new VitrineError(
      'bad-file',
      `${name}: the bytes are gzip (they begin 1f 8b), not IDX.`,
      'read the file with readIdx, which decompresses, or unpack it with gunzip.',
      { name, compression: 'gzip' },
    );
  }
  if (bytes.length < 4) throw wrongLength(name, bytes.length, 4, 'for the magic number');
  const [zero0, zero1, code, rank] = bytes as unknown as readonly [number, number, number, number];
  if (zero0 !== 0 || zero1 !== 0) {
    throw new VitrineError(
      'bad-file',
      `${name}: the file begins ${hex(bytes.subarray(0, 4))}; an IDX file begins 00 00.`,
      'give an IDX file, such as train-images-idx3-ubyte; a page of HTML here means that the address is wrong.',
      { name, magic: hex(bytes.subarray(0, 4)) },
    );
  }
  const TypedArray = ELEMENT_TYPES.get(code);
  if (!TypedArray) {
    throw new VitrineError(
      'bad-file',
      `${name}: element type ${hex([code])} is not one of IDX.`,
      'use 08 (uint8), 09 (int8), 0b (int16), 0c (int32), 0d (float32) or 0e (float64).',
      { name, type: code },
    );
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw wrongLength(name, bytes.length, header, `for the header of ${rank} dimensions`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const width = TypedArray.BYTES_PER_ELEMENT;
  const expected = header + count * width;
  if (bytes.length !== expected) throw wrongLength(name, bytes.length, expected, `for ${show(shape)}`);
  if (width === 1) return { shape, data: new TypedArray(bytes.buffer as ArrayBuffer, bytes.byteOffset + header, count) };
  const native = bytes.slice(header);
  if (littleEndian) reverseEach(native, width);
  return { shape, data: new TypedArray(native.buffer, 0, count) };
}

/**
 * writeIdx: the IDX file of an array; `parseIdx(writeIdx(idx))` gives the same array.
 *
 * @throws VitrineError `shape-mismatch`: the shape and the number of values differ
 */
export function writeIdx({ shape, data }: Idx): Uint8Array {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (data.length !== count) {
    throw new VitrineError(
      'shape-mismatch',
      `writeIdx: ${data.length} values do not fill ${show(shape)} (${count} values).`,
      'make the shape that of the values.',
      { values: data.length, shape },
    );
  }
  const [code] = [...ELEMENT_TYPES].find(([, TypedArray]) => data instanceof TypedArray)!;
  const header = 4 + 4 * shape.length;
  const bytes = new Uint8Array(header + data.byteLength);
  bytes.set([0, 0, code, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [axis, dimension] of shape.entries()) view.setUint32(4 + 4 * axis, dimension);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header);
  if (littleEndian) reverseEach(bytes.subarray(header), data.BYTES_PER_ELEMENT);
  return bytes;
}

/**
 * readIdx: the array in an IDX file, which may be gzipped; a file from disk, an answer from the network or bytes.
 *
 * @throws VitrineError `bad-file`, as `parseIdx`; also when the gzip stream is damaged
 */
export async function readIdx(source: ArrayBuffer | Uint8Array | Blob | Response, name = 'idx'): Promise<Idx> {
  const whole = source instanceof Uint8Array || source instanceof ArrayBuffer ? source : await source.arrayBuffer();
  return parseIdx(await decompress(whole, name), name);
}

/**
 * Bytes as they are, or unpacked when they are gzip.
 *
 * @throws VitrineError `bad-file`: the gzip stream is damaged
 */
export async function decompress(source: ArrayBuffer | Uint8Array, name: string): Promise<Uint8Array> {
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  if (!isGzip(bytes)) return bytes;
  try {
    const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (cause) {
    throw new VitrineError('bad-file', `${name}: the gzip stream is damaged.`, 'get the whole file again; it is cut short or altered.', {
      name,
      cause,
    });
  }
}

/**
 * imageDataset: a data set from an IDX file of images and, if there is one, of their labels.
 *
 * **Shapes** images [n, h, w] or [n, h, w, channels] of uint8; labels [n] of uint8.
 *
 * @param classes names of the classes; by default the numbers up to the largest label
 * @throws VitrineError `bad-file`: not images, not labels; `shape-mismatch`: counts that differ; `label-out-of-range`: no name for a label
 */
export function imageDataset(options: {
  readonly name: string;
  readonly images: Idx;
  readonly labels?: Idx;
  readonly classes?: readonly string[];
}): Dataset {
  const { name, images, labels } = options;
  const [size, height, width, channels = 1] = images.shape;
  if (!(images.data instanceof Uint8Array) || images.shape.length < 3 || images.shape.length > 4) {
    throw new VitrineError(
      'bad-file',
      `${name}: images are a uint8 array [n, height, width] or [n, height, width, channels]; this is ${kind(images)}.`,
      'give the file of images, such as train-images-idx3-ubyte, and that of labels in its own place.',
      { name, shape: images.shape },
    );
  }
  const dataset = { name, size: size!, inputShape: [height!, width!, channels], inputs: images.data, divisor: 255 };
  if (!labels) return dataset;
  if (!(labels.data instanceof Uint8Array) || labels.shape.length !== 1) {
    throw new VitrineError(
      'bad-file',
      `${name}: labels are a uint8 array [n]; this is ${kind(labels)}.`,
      'give the file of labels, such as train-labels-idx1-ubyte.',
      { name, shape: labels.shape },
    );
  }
  if (labels.data.length !== size) {
    throw new VitrineError(
      'shape-mismatch',
      `${name}: ${size} images but ${labels.data.length} labels.`,
      'give the images and the labels of the same set.',
      { name, images: size, labels: labels.data.length },
    );
  }
  const largest = labels.data.reduce((most, label) => Math.max(most, label), 0);
  const classes = options.classes ?? Array.from({ length: largest + 1 }, (_, index) => String(index));
  if (largest >= classes.length) {
    throw new VitrineError(
      'label-out-of-range',
      `${name}: the largest label is ${largest}, but there are ${classes.length} class names (classes 0 to ${classes.length - 1}).`,
      'name every class.',
      { name, label: largest, classes: classes.length },
    );
  }
  return { ...dataset, labels: labels.data, classes };
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const hex = (bytes: ArrayLike<number>): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

const kind = ({ shape, data }: Idx): string => `${show(shape)} of ${data.constructor.name.replace('Array', '').toLowerCase()}`;

const thousands = (count: number): string => count.toLocaleString('en-US');

function wrongLength(name: string, found: number, expected: number, what: string): VitrineError {
  const fault = found < expected ? 'truncated' : 'over-long';
  return new VitrineError(
    'bad-file',
    `${name}: the file is ${fault}: ${thousands(expected)} bytes expected ${what}, ${thousands(found)} found.`,
    found < expected ? 'get the whole file again; it was cut short.' : 'give one IDX file with nothing after it.',
    { name, expected, found },
  );
}

/** Reverses the bytes of every element: big-endian to little-endian, or back. */
function reverseEach(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}
