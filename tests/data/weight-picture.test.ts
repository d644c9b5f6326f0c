import { describe, expect, test } from 'vitest';
import { type PicturedWeights, weightPictures } from '../../src/data/weight-picture.ts';

const ramp = (count: number, low: number, high: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));

async function pixels(png: Uint8Array | undefined): Promise<ImageData> {
  const bitmap = await createImageBitmap(new Blob([png as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

const count = ({ data }: ImageData, [red, green, blue]: readonly [number, number, number]): number => {
  let found = 0;
  for (let i = 0; i < data.length; i += 4) found += +(data[i] === red && data[i + 1] === green && data[i + 2] === blue);
  return found;
};

const at = ({ data, width }: ImageData, x: number, y: number): number[] => [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)];

const YELLOW = [0xfd, 0xe7, 0x25] as const;
const PINK = [255, 0, 144] as const;
/** Where the first panel begins, in device pixels. */
const [LEFT, TOP] = [80, 300];

describe('the pictures of weights', () => {
  const image = { inputShape: [6, 5, 1], readsInput: 'w', title: 'A network' };

  test('show the units of a first layer as images where the input is one, and nowhere else', async () => {
    const first = { name: 'w', shape: [30, 4], values: ramp(120, -1, 1) };
    expect(Object.keys(await weightPictures([first], image))).toEqual(['weights', 'first-layer', 'input-importance']);
    expect(Object.keys(await weightPictures([first], { ...image, inputShape: [30] }))).toEqual(['weights', 'input-importance']);
    expect(Object.keys(await weightPictures([first], { ...image, inputShape: [7] }))).toEqual(['weights']);
    expect(Object.keys(await weightPictures([first], { ...image, readsInput: 'v' }))).toEqual(['weights']);
  });

  test('put each weight of a unit at the place of its pixel', async () => {
    // Unit 1 alone takes up pixel [2, 3]; without negative values the map is viridis, so that pixel is the only yellow one.
    const values = new Float32Array(60);
    values[2 * (2 * 5 + 3) + 1] = 2;
    const pictures = await weightPictures([{ name: 'w', shape: [30, 2], values }], image);
    const picture = await pixels(pictures['first-layer']);
    // Cells are 16 device pixels; unit 1 lies one cell beside unit 0.
    const [x, y] = [LEFT + 16 * (5 + 1 + 3) + 8, TOP + 16 * 2 + 8];
    expect(at(picture, x, y)).toEqual(YELLOW);
    for (const [dx, dy] of [
      [16, 0],
      [-16, 0],
      [0, 16],
      [0, -16],
      [-16 * 6, 0],
    ] as const)
      expect(at(picture, x + dx, y + dy)).not.toEqual(YELLOW);
    // The importance map has it at the same pixel.
    const importance = await pixels(pictures['input-importance']);
    const cell = Math.floor(2 * Math.min(280 / 6, 344 / 5));
    expect(at(importance, Math.floor(LEFT + cell * 3 + cell / 2), Math.floor(TOP + cell * 2 + cell / 2))).toEqual(YELLOW);
  });

  test('lay a tall matrix on its side, and keep the extreme of each block of a large one', async () => {
    const values = new Float32Array(4000 * 8);
    // Row 3999, column 7: the last block.
    values[4000 * 8 - 1] = 1;
    const { weights } = await weightPictures([{ name: 'w', shape: [4000, 8], values }], { ...image, inputShape: [1] });
    const picture = await pixels(weights);
    // Blocks of 3 × 3: 1334 across, a device pixel each, and 3 down, each drawn as 21.
    const line = 21;
    for (let y = 2 * line; y < 3 * line; y++) expect(at(picture, LEFT + 1333, TOP + y)).toEqual(YELLOW);
    expect(at(picture, LEFT + 1333, TOP + 2 * line - 1)).not.toEqual(YELLOW);
    expect(at(picture, LEFT + 1332, TOP + 2 * line)).not.toEqual(YELLOW);
  });

  test('draw what is no number in pink, and a histogram where there is one', async () => {
    const values = ramp(16, -1, 1);
    const clean: PicturedWeights = { name: 'w', shape: [4, 4], values };
    expect(count(await pixels((await weightPictures([clean], image)).weights), PINK)).toBe(0);
    values[5] = Number.NaN;
    const pictures = await weightPictures([{ ...clean, histogram: { from: -1, to: 1, counts: [1, 0, 3, 2] } }], image);
    expect(count(await pixels(pictures.weights), PINK)).toBeGreaterThan(1000);
    // The tallest bar, 160 CSS pixels high, and none where the count is 0.
    const histogram = await pixels(pictures.histograms);
    const middle = (bin: number): number => LEFT + 86 * 2 * (bin + 0.5);
    expect(at(histogram, middle(2), TOP + 10)).toEqual([0x3b, 0x52, 0x8b]);
    expect(at(histogram, middle(1), TOP + 310)).toEqual([255, 255, 255]);
    expect(at(histogram, middle(0), TOP + 100)).toEqual([255, 255, 255]);
    expect(at(histogram, middle(0), TOP + 300)).toEqual([0x3b, 0x52, 0x8b]);
  });

  test('are the same for the same weights, and of many parameters several', async () => {
    const many = Array.from({ length: 30 }, (_, i) => ({ name: `w${i}`, shape: [3], values: ramp(3, 0, 1) }));
    const pictures = await weightPictures(many, image);
    expect(Object.keys(pictures)).toEqual(['weights', 'weights-2']);
    expect(await weightPictures(many, image)).toEqual(pictures);
  });
});
