import { describe, expect, test } from 'vitest';
import { arrange, extent, indexAt, type Picture, placeOf, placeOfIndex } from '../../src/ui/maps/arrange.ts';
import { extend, inputOf, readStrokes, writeStrokes } from '../../src/ui/session/strokes.ts';

describe('the picture of a tensor', () => {
  const cases: readonly (readonly [what: string, picture: Picture, values: number])[] = [
    ['an image', arrange([1, 28, 28, 1]), 784],
    ['a matrix', arrange([5, 7]), 35],
    ['few units in a row', arrange([1, 10]), 10],
    ['units in a grid', arrange([1, 128]), 128],
    ['units that fill no grid', arrange([113]), 113],
    ['weights as an image a unit', arrange([784, 128], { image: [28, 28] }), 784 * 128],
    ['channels', arrange([1, 6, 5, 3]), 90],
    ['many axes', arrange([2, 3, 4, 5]), 120],
  ];

  test.each(cases)('%s: every value has one place, and the place leads back to it', (_what, picture, values) => {
    const whole = extent(picture);
    const seen = new Set<number>();
    for (let y = 0; y < whole.height; y++) {
      for (let x = 0; x < whole.width; x++) {
        const index = indexAt(picture, { x, y });
        if (index === undefined) continue;
        expect(seen.has(index)).toBe(false);
        seen.add(index);
        expect(placeOfIndex(picture, index)).toEqual({ x, y });
      }
    }
    expect(seen.size).toBe(values);
    expect(Math.max(...seen)).toBe(values - 1);
  });

  test('pictures of units fill about twice as much across as down, whatever their shape', () => {
    for (const image of [
      [28, 28],
      [1, 16],
      [16, 1],
      [4, 8],
    ] as const) {
      const { width, height } = extent(arrange([image[0] * image[1], 128], { image }));
      expect(width / height, `${image}`).toBeGreaterThan(1.3);
      expect(width / height, `${image}`).toBeLessThan(3);
    }
  });

  test('a unit’s picture is its column of the weights', () => {
    const picture = arrange([6, 4], { image: [2, 3], only: 2 });
    expect(extent(picture)).toEqual({ width: 3, height: 2 });
    expect([0, 1, 2, 3, 4, 5].map((n) => indexAt(picture, placeOf(picture, n)))).toEqual([2, 6, 10, 14, 18, 22]);
    expect(placeOfIndex(picture, 3)).toBeUndefined();
    expect(placeOfIndex(picture, 6)).toEqual({ x: 1, y: 0 });
  });

  test('there is nothing in a gap, nor outside', () => {
    const picture = arrange([4, 2], { image: [2, 2] });
    expect(extent(picture)).toEqual({ width: 6, height: 2 });
    expect([2, 3].map((x) => indexAt(picture, { x, y: 0 }))).toEqual([undefined, undefined]);
    expect(indexAt(picture, { x: 0, y: 2 })).toBeUndefined();
    expect(indexAt(picture, { x: -1, y: 0 })).toBeUndefined();
  });
});

describe('a drawing', () => {
  const line = [40, 40, 60, 120, 60, 200];

  test('comes back from its text as it went', () => {
    const long = Array.from({ length: 700 }, (_, i) => (i * 37) % 256);
    expect(readStrokes(writeStrokes([line, [1, 2]]))).toEqual([line, [1, 2]]);
    expect(readStrokes(writeStrokes([long]))!.flat()).toEqual(long);
    expect(writeStrokes([line])).toMatch(/^[A-Za-z0-9_-]+$/);
    for (const text of ['', '!', 'AA', 'BQ']) expect(readStrokes(text)).toBeUndefined();
  });

  test('takes no point that is too near to the last, and none outside', () => {
    expect(extend([], -5, 300)).toEqual([0, 255]);
    expect(extend([10, 10], 11, 11)).toEqual([10, 10]);
    expect(extend([10, 10], 20, 10)).toEqual([10, 10, 20, 10]);
  });

  test('is centred by its mass as MNIST is, or left where it stands', () => {
    const mass = (values: Float32Array): readonly [x: number, y: number] => {
      let [sum, x, y] = [0, 0, 0];
      values.forEach((value, i) => {
        sum += value;
        x += value * ((i % 28) + 0.5);
        y += value * (Math.floor(i / 28) + 0.5);
      });
      return [x / sum, y / sum];
    };
    const [x, y] = mass(inputOf([line], 28, true));
    expect(Math.abs(x - 14)).toBeLessThan(0.6);
    expect(Math.abs(y - 14)).toBeLessThan(0.6);
    const [left] = mass(inputOf([line], 28, false));
    expect(left).toBeLessThan(8);
    expect(Math.max(...inputOf([line], 28, true))).toBe(1);
  });
});
