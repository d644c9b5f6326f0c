import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Idx, type IdxData, imageDataset, parseIdx, readIdx, writeIdx } from '../../src/data/idx.ts';
import { refusal } from './refusal.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('an IDX file', () => {
  test('of one byte is read', () => {
    expect(parseIdx(bytes(0, 0, 8, 1, 0, 0, 0, 1, 42))).toEqual({ shape: [1], data: bytes(42) });
  });

  test('is big-endian in its header and its elements', () => {
    const file = bytes(0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x01, 0x02, 0xff, 0xfe);
    expect(parseIdx(file)).toEqual({ shape: [1, 2], data: Int16Array.of(258, -2) });
  });

  const arrays: IdxData[] = [
    Uint8Array.of(0, 255, 1, 2, 3, 4),
    Int8Array.of(-128, 127, 0, -1, 1, 2),
    Int16Array.of(-32768, 32767, 258, -2, 0, 1),
    Int32Array.of(-2147483648, 2147483647, 16909060, -2, 0, 1),
    Float32Array.of(1.5, -2.25, Math.PI, 3e38, -0, Number.NaN),
    Float64Array.of(1.5, -2.25, Math.PI, 1e308, -0, Number.NaN),
  ];
  for (const data of arrays) {
    test(`of ${data.constructor.name} comes back as it was written`, () => {
      expect(parseIdx(writeIdx({ shape: [3, 2], data }))).toEqual({ shape: [3, 2], data });
    });
  }

  test('of no examples is read', () => {
    expect(parseIdx(writeIdx({ shape: [0, 28, 28], data: new Uint8Array(0) })).shape).toEqual([0, 28, 28]);
  });

  test('of bytes is a view, not a copy', () => {
    const file = writeIdx({ shape: [2], data: bytes(7, 8) });
    expect(parseIdx(file).data.buffer).toBe(file.buffer);
  });

  test('at an odd offset of a larger buffer is read', () => {
    const file = writeIdx({ shape: [2], data: Float64Array.of(1, 2) });
    const larger = new Uint8Array(file.length + 3);
    larger.set(file, 3);
    expect(parseIdx(larger.subarray(3)).data).toEqual(Float64Array.of(1, 2));
  });

  test('may be gzipped, in a blob or in an answer', async () => {
    const file = writeIdx({ shape: [3], data: Int32Array.of(1, -2, 3) });
    const packed = new Uint8Array(gzipSync(file));
    const expected = { shape: [3], data: Int32Array.of(1, -2, 3) };
    expect(await readIdx(packed)).toEqual(expected);
    expect(await readIdx(new Blob([packed]))).toEqual(expected);
    expect(await readIdx(new Response(packed))).toEqual(expected);
    expect(await readIdx(file.buffer as ArrayBuffer)).toEqual(expected);
  });
});

describe('an IDX file is refused', () => {
  test('when it is gzip', async () => {
    expect(await refusal(() => parseIdx(bytes(0x1f, 0x8b, 8, 0), 'train-images'))).toEqual([
      'bad-file',
      'train-images: the bytes are gzip (they begin 1f 8b), not IDX.',
      'To mend: read the file with readIdx, which decompresses, or unpack it with gunzip.',
    ]);
  });

  test('when its gzip stream is damaged', async () => {
    const packed = new Uint8Array(gzipSync(writeIdx({ shape: [3], data: bytes(1, 2, 3) })));
    expect(await refusal(() => readIdx(packed.subarray(0, packed.length - 6), 'labels'))).toEqual([
      'bad-file',
      'labels: the gzip stream is damaged.',
      'To mend: get the whole file again; it is cut short or altered.',
    ]);
  });

  test('when its magic number is foreign', async () => {
    const page = new TextEncoder().encode('<!doctype html>');
    expect(await refusal(() => parseIdx(page, 'labels'))).toEqual([
      'bad-file',
      'labels: the file begins 3c 21 64 6f; an IDX file begins 00 00.',
      'To mend: give an IDX file, such as train-images-idx3-ubyte; a page of HTML here means that the address is wrong.',
    ]);
  });

  test('when its element type is unknown', async () => {
    expect(await refusal(() => parseIdx(bytes(0, 0, 0x0a, 1, 0, 0, 0, 0)))).toEqual([
      'bad-file',
      'idx: element type 0a is not one of IDX.',
      'To mend: use 08 (uint8), 09 (int8), 0b (int16), 0c (int32), 0d (float32) or 0e (float64).',
    ]);
  });

  test('when it is empty', async () => {
    expect(await refusal(() => parseIdx(new ArrayBuffer(0)))).toEqual([
      'bad-file',
      'idx: the file is truncated: 4 bytes expected for the magic number, 0 found.',
      'To mend: get the whole file again; it was cut short.',
    ]);
  });

  test('when its header is cut short', async () => {
    expect((await refusal(() => parseIdx(bytes(0, 0, 8, 3, 0, 0, 0, 1))))[1]).toBe(
      'idx: the file is truncated: 16 bytes expected for the header of 3 dimensions, 8 found.',
    );
  });

  test('when its elements are cut short, saying how many bytes are missing', async () => {
    const file = writeIdx({ shape: [40, 28], data: new Float32Array(1120) });
    expect(await refusal(() => parseIdx(file.subarray(0, 4000)))).toEqual([
      'bad-file',
      'idx: the file is truncated: 4,492 bytes expected for [40, 28], 4,000 found.',
      'To mend: get the whole file again; it was cut short.',
    ]);
  });

  test('when it is over-long', async () => {
    expect(await refusal(() => parseIdx(bytes(0, 0, 8, 1, 0, 0, 0, 1, 42, 43)))).toEqual([
      'bad-file',
      'idx: the file is over-long: 9 bytes expected for [1], 10 found.',
      'To mend: give one IDX file with nothing after it.',
    ]);
  });

  test('when its dimensions promise more than a machine holds', async () => {
    const file = bytes(0, 0, 0x0e, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255);
    expect((await refusal(() => parseIdx(file)))[1]).toMatch(/^idx: the file is truncated: .* bytes expected/);
  });

  test('when it is written with a shape that its values do not fill', async () => {
    expect(await refusal(() => writeIdx({ shape: [2, 2], data: bytes(1, 2, 3) }))).toEqual([
      'shape-mismatch',
      'writeIdx: 3 values do not fill [2, 2] (4 values).',
      'To mend: make the shape that of the values.',
    ]);
  });
});

describe('a set of images', () => {
  const images: Idx = { shape: [3, 2, 2], data: bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) };
  const labels: Idx = { shape: [3], data: bytes(2, 0, 1) };

  test('has one channel unless the file has a fourth axis', () => {
    expect(imageDataset({ name: 'a', images }).inputShape).toEqual([2, 2, 1]);
    expect(imageDataset({ name: 'a', images: { ...images, shape: [1, 2, 2, 3] } }).inputShape).toEqual([2, 2, 3]);
  });

  test('names its classes by number unless they are named', () => {
    expect(imageDataset({ name: 'a', images, labels }).classes).toEqual(['0', '1', '2']);
    expect(imageDataset({ name: 'a', images, labels, classes: ['x', 'y', 'z'] })).toEqual({
      name: 'a',
      size: 3,
      inputShape: [2, 2, 1],
      inputs: images.data,
      divisor: 255,
      labels: bytes(2, 0, 1),
      classes: ['x', 'y', 'z'],
    });
  });

  test('is refused when labels stand in for images', async () => {
    expect(await refusal(() => imageDataset({ name: 'digits', images: labels }))).toEqual([
      'bad-file',
      'digits: images are a uint8 array [n, height, width] or [n, height, width, channels]; this is [3] of uint8.',
      'To mend: give the file of images, such as train-images-idx3-ubyte, and that of labels in its own place.',
    ]);
  });

  test('is refused when images stand in for labels', async () => {
    expect(await refusal(() => imageDataset({ name: 'digits', images, labels: images }))).toEqual([
      'bad-file',
      'digits: labels are a uint8 array [n]; this is [3, 2, 2] of uint8.',
      'To mend: give the file of labels, such as train-labels-idx1-ubyte.',
    ]);
  });

  test('is refused when the counts differ', async () => {
    const fewer: Idx = { shape: [2], data: bytes(0, 1) };
    expect(await refusal(() => imageDataset({ name: 'digits', images, labels: fewer }))).toEqual([
      'shape-mismatch',
      'digits: 3 images but 2 labels.',
      'To mend: give the images and the labels of the same set.',
    ]);
  });

  test('is refused when a label has no name', async () => {
    expect(await refusal(() => imageDataset({ name: 'digits', images, labels, classes: ['x', 'y'] }))).toEqual([
      'label-out-of-range',
      'digits: the largest label is 2, but there are 2 class names (classes 0 to 1).',
      'To mend: name every class.',
    ]);
  });
});
