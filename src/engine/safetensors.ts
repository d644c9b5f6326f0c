/**
 * The safetensors format, in the order of a file: eight bytes of header length, a JSON header, the values of every tensor one after
 * another. Values are little-endian, as every machine with WebGPU is. No GPU in sight.
 *
 * **Source** the format as the README of huggingface/safetensors gives it.
 */

import { type ErrorParameters, show, VitrineError } from './errors.ts';
import { elements } from './operation.ts';

export interface StoredTensor {
  /** As the format names it: F32, U32, F16, … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Row-major; of anything but F32 and U32 the bytes. */
  readonly values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
}

export interface Safetensors {
  /** In the order of the header. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What goes into a file. */
export interface TensorToStore {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint32Array;
}

const LENGTH_BYTES = 8;
/** Longest header that readers of the format accept. */
const MOST_HEADER_BYTES = 100_000_000;

const bytesOf: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BOOL: 1,
    U8: 1,
    I8: 1,
    F8_E4M3: 1,
    F8_E5M2: 1,
    U16: 2,
    I16: 2,
    F16: 2,
    BF16: 2,
    U32: 4,
    I32: 4,
    F32: 4,
    U64: 8,
    I64: 8,
    F64: 8,
  }),
);

/** A file that cannot be used; `reason` says why in a word that does not change. */
export function badFile(reason: string, message: string, mend: string, parameters: ErrorParameters = {}): VitrineError {
  return new VitrineError('bad-file', message, mend, { reason, ...parameters });
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const isShape = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isWhole);

/** Tensors as a file, their values in the order given. */
export function encodeSafetensors(tensors: readonly TensorToStore[], metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  let dataBytes = 0;
  const entries = tensors.map(({ name, shape, values }) => {
    const begin = dataBytes;
    dataBytes += values.byteLength;
    const dtype = values instanceof Uint32Array ? 'U32' : 'F32';
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, dataBytes] })}`;
  });
  const header = new TextEncoder().encode(`{${[`"__metadata__":${JSON.stringify(metadata)}`, ...entries].join(',')}}`);
  const headerBytes = LENGTH_BYTES * Math.ceil(header.length / LENGTH_BYTES);
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  file.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return file;
}

/**
 * The tensors and the metadata of any safetensors file, PyTorch's too.
 *
 * @throws VitrineError `bad-file` for a file that is cut off or not of this format
 */
export function decodeSafetensors(bytes: ArrayBuffer | Uint8Array): Safetensors {
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const header = readHeader(file);
  const data = file.subarray(LENGTH_BYTES + header.bytes);
  const { __metadata__: metadata = {}, ...entries } = header.json;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw badFile('metadata', 'The __metadata__ of the header is not a list of texts.', 'write its values as texts.');
  }
  const places = Object.entries(entries).map(([name, entry]) => readEntry(name, entry));
  checkPlaces(places, data.length);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of places) {
    // A copy starts where typed arrays may start.
    const { buffer } = data.slice(begin, end);
    const values = dtype === 'F32' ? new Float32Array(buffer) : dtype === 'U32' ? new Uint32Array(buffer) : new Uint8Array(buffer);
    tensors.set(name, { dtype, shape, values });
  }
  return { tensors, metadata: metadata as Readonly<Record<string, string>> };
}

function readHeader(file: Uint8Array): { readonly bytes: number; readonly json: Readonly<Record<string, unknown>> } {
  if (file.length < LENGTH_BYTES) {
    throw badFile(
      'too-short',
      `The file is ${file.length} bytes long; a safetensors file begins with 8 bytes that give its header's length.`,
      'load a whole safetensors file.',
      {
        bytes: file.length,
      },
    );
  }
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  const left = file.length - LENGTH_BYTES;
  if (length > MOST_HEADER_BYTES) {
    throw badFile(
      'header-too-long',
      `The header would be ${length} bytes long; at most ${MOST_HEADER_BYTES} are allowed.`,
      'load a safetensors file; this is some other kind of file.',
      {
        length: String(length),
      },
    );
  }
  const bytes = Number(length);
  if (bytes > left) {
    throw badFile(
      'header-cut-off',
      `The header is ${bytes} bytes long, but the file ends after ${left} of them.`,
      'copy or download the file again; it was cut off.',
      {
        length: bytes,
        bytes: left,
      },
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + bytes)));
  } catch {
    json = undefined;
  }
  if (!isRecord(json))
    throw badFile(
      'header-not-json',
      'The header is not a JSON object.',
      'load a safetensors file; this one is damaged, or of another kind.',
    );
  return { bytes, json };
}

interface Place {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, entry: unknown): Place {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== 'string' || !isShape(shape) || !isShape(offsets) || offsets.length !== 2) {
    throw badFile(
      'entry',
      `The header's entry '${name}' is no tensor; it needs a dtype, a shape and two data_offsets.`,
      'write the file again; this one is damaged.',
      {
        name,
      },
    );
  }
  const [begin, end] = offsets as [number, number];
  const size = bytesOf.get(dtype);
  const needed = size === undefined ? end - begin : size * elements(shape);
  if (begin > end || needed !== end - begin) {
    throw badFile(
      'entry-size',
      `${name} is ${dtype} ${show(shape)}, ${needed} bytes, but its data_offsets are ${show(offsets)}.`,
      'write the file again; this one is damaged.',
      {
        name,
        dtype,
        shape,
        offsets,
      },
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Refuses values that overlap, leave a hole or do not end where the file does. */
function checkPlaces(places: readonly Place[], bytes: number): void {
  let end = 0;
  for (const place of [...places].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (place.begin !== end) {
      const what = place.begin < end ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw badFile(
        'offsets',
        `${place.name} begins at byte ${place.begin} of the values, not at ${end}; it ${what}.`,
        'write the file again; this one is damaged.',
        {
          name: place.name,
          begin: place.begin,
          expected: end,
        },
      );
    }
    end = place.end;
  }
  if (bytes < end) {
    throw badFile(
      'data-cut-off',
      `The tensors take ${end} bytes, but the file ends after ${bytes} of them.`,
      'copy or download the file again; it was cut off.',
      {
        expected: end,
        bytes,
      },
    );
  }
  if (bytes > end) {
    throw badFile(
      'trailing-bytes',
      `The last tensor ends at byte ${end} of the values, but the file goes on to ${bytes}.`,
      'copy or download the file again; something was added to it.',
      { bytes: bytes - end },
    );
  }
}
