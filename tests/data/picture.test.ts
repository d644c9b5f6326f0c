import { describe, expect, test } from 'vitest';
import { type ActivationPicture, activationPicture, loadMnist } from '../../src/data/index.ts';
import { refusal } from './refusal.ts';

describe('loadMnist in a browser', () => {
  test('finds its files with no address given, and says how far it is', async () => {
    let last = 0;
    const { train, test: held } = await loadMnist({
      onProgress: ({ loadedBytes, totalBytes }) => {
        expect(loadedBytes).toBeGreaterThan(last);
        expect(totalBytes).toBe(54_950_048);
        last = loadedBytes;
      },
    });
    expect(last).toBe(54_950_048);
    expect([train.size, held.size]).toEqual([60_000, 10_000]);
    expect([...train.labels!.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
  });
});

describe('the picture of activations', () => {
  const ramp = (count: number, low: number, high: number) =>
    Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

  const picture: ActivationPicture = {
    input: { shape: [28, 28, 1], values: ramp(784, 0, 1) },
    layers: [
      { name: 'flatten_1', shape: [784], values: ramp(784, 0, 1) },
      { name: 'dense_1', note: 'ReLU', shape: [128], values: ramp(128, 0, 3) },
      { name: 'dense_2', note: 'softmax', shape: [10], values: Float32Array.from({ length: 10 }, (_, i) => +(i === 7)) },
    ],
    label: 7,
    prediction: 7,
  };

  const decode = async (png: Uint8Array) => {
    const bitmap = await createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  };

  const count = ({ data }: ImageData, [red, green, blue]: [number, number, number]) => {
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) pixels += +(data[i] === red && data[i + 1] === green && data[i + 2] === blue);
    return pixels;
  };

  test('is a PNG on white, with viridis from end to end', async () => {
    const png = await activationPicture(picture);
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const image = await decode(png);
    expect([image.width, image.height]).toEqual([3348, 1052]);
    expect(count(image, [255, 255, 255]) / (image.width * image.height)).toBeGreaterThan(0.5);
    expect([...image.data.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    // A unit of dense_1 is 42 device pixels wide, one of them in each direction a line.
    expect(count(image, [0xfd, 0xe7, 0x25])).toBeGreaterThan(40 * 40);
    expect(count(image, [0x44, 0x01, 0x54])).toBeGreaterThan(40 * 40);
  });

  test('draws signed layers in blue and orange, and what is no number in pink', async () => {
    const values = ramp(128, -1, 1);
    const clean = await decode(await activationPicture({ ...picture, layers: [{ name: 'tanh_1', shape: [128], values }] }));
    expect(count(clean, [255, 0, 144])).toBe(0);
    expect(count(clean, [0x44, 0x01, 0x54])).toBe(0);
    values[3] = Number.NaN;
    const broken = await decode(await activationPicture({ ...picture, layers: [{ name: 'tanh_1', shape: [128], values }] }));
    expect(count(broken, [255, 0, 144])).toBeGreaterThan(40 * 40);
  });

  test('is the same for the same values', async () => {
    expect(await activationPicture(picture)).toEqual(await activationPicture(picture));
  });

  test('takes channels, primes, logits, an unknown label and long class names', async () => {
    const png = await activationPicture({
      input: { shape: [8, 8, 1], values: new Uint8Array(64).fill(200) },
      layers: [
        { name: 'conv2d_1', shape: [6, 6, 5], values: ramp(180, 0, 1) },
        { name: 'dense_1', shape: [61], values: new Float32Array(61) },
        { name: 'logits', shape: [2], values: Float32Array.of(-3, 4) },
        { name: 'logits', shape: [2], values: Float32Array.of(-3, 4), as: 'grid' },
      ],
      prediction: 1,
      classes: ['horizontal', 'vertical'],
      title: 'Stripes',
    });
    expect((await decode(png)).width).toBeGreaterThan(1000);
  });

  test('is refused when values do not fill their shape', async () => {
    const layers = [{ name: 'dense_1', shape: [32, 128], values: new Float32Array(128) }];
    expect(await refusal(() => activationPicture({ ...picture, layers }))).toEqual([
      'shape-mismatch',
      'activationPicture: dense_1 has 128 values but its shape [32, 128] has 4096.',
      'To mend: pass the values of one example, without the batch axis.',
    ]);
  });
});
