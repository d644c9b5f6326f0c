import { describe, expect, test } from 'vitest';
import { VitrineError } from '../../src/engine/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/engine/safetensors.ts';

/** A file of any header and any values, well formed or not. */
function file(header: unknown, data: ArrayLike<number> = [], length?: number): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function refusal(bytes: ArrayBuffer | Uint8Array): VitrineError {
  try {
    decodeSafetensors(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(VitrineError);
    return error as VitrineError;
  }
  throw new Error('the file was accepted');
}

const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes);
const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({ dtype, shape, data_offsets: [begin, end] });

test('a small file is known byte for byte', () => {
  const bytes = encodeSafetensors([{ name: 'a', shape: [2, 1], values: Float32Array.of(1, -2) }], { by: 'test' });
  const header = '{"__metadata__":{"by":"test"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   ';
  expect(header.length % 8).toBe(0);
  expect([...bytes]).toEqual([header.length, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode(header), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
});

test('what was written is read back with the same bits, NaN and −0 too', () => {
  const floats = new Float32Array(Uint32Array.of(0x7fc12345, 0x80000000, 0x00000001).buffer);
  const bytes = encodeSafetensors(
    [
      { name: 'floats/ü', shape: [3], values: floats },
      { name: 'words', shape: [1, 2], values: Uint32Array.of(0xffffffff, 7) },
    ],
    { text: 'Zeile\n"2"' },
  );
  const { tensors, metadata } = decodeSafetensors(bytes);
  expect(metadata).toEqual({ text: 'Zeile\n"2"' });
  expect([...tensors.keys()]).toEqual(['floats/ü', 'words']);
  expect([...new Uint32Array(tensors.get('floats/ü')?.values.buffer as ArrayBuffer)]).toEqual([0x7fc12345, 0x80000000, 1]);
  expect(tensors.get('words')).toEqual({ dtype: 'U32', shape: [1, 2], values: Uint32Array.of(0xffffffff, 7) });
});

test('a part of a larger array is written as that part alone', () => {
  const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
  const { tensors } = decodeSafetensors(encodeSafetensors([{ name: 'a', shape: [2], values }], {}));
  expect([...(tensors.get('a')?.values ?? [])]).toEqual([1, 2]);
});

test('a file is read from the middle of a buffer, where no float may start', () => {
  const bytes = encodeSafetensors([{ name: 'a', shape: [1], values: Float32Array.of(0.5) }], {});
  const moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  expect(decodeSafetensors(moved.subarray(3)).tensors.get('a')?.values).toEqual(Float32Array.of(0.5));
  expect(decodeSafetensors(bytes.buffer).tensors.size).toBe(1);
});

test('tensors of other types are given as bytes, and the header may name them in any order', () => {
  const { tensors, metadata } = decodeSafetensors(file({ b: entry(2, 10), a: entry(0, 2, [1], 'F16') }, [0, 0x3c, ...zeros(8)]));
  expect(tensors.get('a')).toEqual({ dtype: 'F16', shape: [1], values: Uint8Array.of(0, 0x3c) });
  expect(tensors.get('b')?.shape).toEqual([2]);
  expect(metadata).toEqual({});
});

test('a scalar and an empty tensor are tensors', () => {
  const { tensors } = decodeSafetensors(file({ empty: entry(0, 0, [0, 3]), scalar: entry(0, 4, []) }, zeros(4)));
  expect([...tensors.values()].map(({ values }) => values.length)).toEqual([0, 1]);
});

describe('refused is', () => {
  const cases: Record<string, { readonly bytes: Uint8Array; readonly reason: string; readonly message: string }> = {
    'a file too short for its first number': {
      bytes: zeros(5),
      reason: 'too-short',
      message:
        "The file is 5 bytes long; a safetensors file begins with 8 bytes that give its header's length.\nTo mend: load a whole safetensors file.",
    },
    'an empty file': {
      bytes: zeros(0),
      reason: 'too-short',
      message:
        "The file is 0 bytes long; a safetensors file begins with 8 bytes that give its header's length.\nTo mend: load a whole safetensors file.",
    },
    'a header longer than the file': {
      bytes: file('{}', [], 300),
      reason: 'header-cut-off',
      message:
        'The header is 300 bytes long, but the file ends after 2 of them.\nTo mend: copy or download the file again; it was cut off.',
    },
    'a header longer than 100 MB': {
      bytes: file('{}', [], 100_000_001),
      reason: 'header-too-long',
      message:
        'The header would be 100000001 bytes long; at most 100000000 are allowed.\nTo mend: load a safetensors file; this is some other kind of file.',
    },
    'another kind of file': {
      bytes: new TextEncoder().encode('PK\u0003\u0004 is how an archive begins'),
      reason: 'header-too-long',
      message:
        'The header would be 2338328217762614096 bytes long; at most 100000000 are allowed.\nTo mend: load a safetensors file; this is some other kind of file.',
    },
    'a header that is no JSON': {
      bytes: file('{"a":'),
      reason: 'header-not-json',
      message: 'The header is not a JSON object.\nTo mend: load a safetensors file; this one is damaged, or of another kind.',
    },
    'a header that is a list': {
      bytes: file('[]'),
      reason: 'header-not-json',
      message: 'The header is not a JSON object.\nTo mend: load a safetensors file; this one is damaged, or of another kind.',
    },
    'metadata that is no text': {
      bytes: file({ __metadata__: { epochs: 3 } }),
      reason: 'metadata',
      message: 'The __metadata__ of the header is not a list of texts.\nTo mend: write its values as texts.',
    },
    'an entry without offsets': {
      bytes: file({ a: { dtype: 'F32', shape: [1] } }),
      reason: 'entry',
      message:
        "The header's entry 'a' is no tensor; it needs a dtype, a shape and two data_offsets.\nTo mend: write the file again; this one is damaged.",
    },
    'a shape with half an element': {
      bytes: file({ a: entry(0, 4, [1.5]) }, zeros(4)),
      reason: 'entry',
      message:
        "The header's entry 'a' is no tensor; it needs a dtype, a shape and two data_offsets.\nTo mend: write the file again; this one is damaged.",
    },
    'a shape that its offsets do not fit': {
      bytes: file({ a: entry(0, 20, [2, 3]) }, zeros(20)),
      reason: 'entry-size',
      message: 'a is F32 [2, 3], 24 bytes, but its data_offsets are [0, 20].\nTo mend: write the file again; this one is damaged.',
    },
    'offsets the wrong way round': {
      bytes: file({ a: entry(8, 4, [1]) }, zeros(8)),
      reason: 'entry-size',
      message: 'a is F32 [1], 4 bytes, but its data_offsets are [8, 4].\nTo mend: write the file again; this one is damaged.',
    },
    'a tensor that overlaps another': {
      bytes: file({ a: entry(0, 8), b: entry(4, 12) }, zeros(12)),
      reason: 'offsets',
      message:
        'b begins at byte 4 of the values, not at 8; it overlaps the tensor before it.\nTo mend: write the file again; this one is damaged.',
    },
    'a tensor given twice': {
      bytes: file({ a: entry(0, 8), b: entry(0, 8) }, zeros(8)),
      reason: 'offsets',
      message:
        'b begins at byte 0 of the values, not at 8; it overlaps the tensor before it.\nTo mend: write the file again; this one is damaged.',
    },
    'a hole between tensors': {
      bytes: file({ a: entry(0, 8), b: entry(12, 16) }, zeros(16)),
      reason: 'offsets',
      message:
        'b begins at byte 12 of the values, not at 8; it leaves a hole before it.\nTo mend: write the file again; this one is damaged.',
    },
    'data that was cut off': {
      bytes: file({ a: entry(0, 8) }, zeros(7)),
      reason: 'data-cut-off',
      message: 'The tensors take 8 bytes, but the file ends after 7 of them.\nTo mend: copy or download the file again; it was cut off.',
    },
    'data that something follows': {
      bytes: file({ a: entry(0, 8) }, zeros(9)),
      reason: 'trailing-bytes',
      message:
        'The last tensor ends at byte 8 of the values, but the file goes on to 9.\nTo mend: copy or download the file again; something was added to it.',
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { bytes, reason, message }) => {
    const error = refusal(bytes);
    expect(error.code).toBe('bad-file');
    expect(error.parameters.reason).toBe(reason);
    expect(error.message).toBe(message);
  });

  test('every file cut off anywhere', () => {
    const bytes = encodeSafetensors([{ name: 'a', shape: [2], values: Float32Array.of(1, 2) }], { key: 'value' });
    for (let length = 0; length < bytes.length; length++) expect(refusal(bytes.subarray(0, length)).code).toBe('bad-file');
  });
});
