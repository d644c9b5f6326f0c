import { lab, rgb } from 'd3-color';
import { describe, expect, test } from 'vitest';
import {
  blueOrange,
  type Color,
  cividis,
  colorMaps,
  colorOf,
  greys,
  limitsOf,
  NOT_FINITE_COLOR,
  viridis,
} from '../../src/data/color-maps.ts';
import { arrangement, heatmap } from '../../src/data/picture.ts';
import { normal } from '../../src/engine/random.ts';
import { refusal } from './refusal.ts';

const perceived = ([r, g, b]: Color) => lab(rgb(r, g, b));

describe('colour maps', () => {
  test('begin and end with the colours of their authors', () => {
    expect(colorOf(0, viridis, [0, 1])).toEqual([0x44, 0x01, 0x54]);
    expect(colorOf(1, viridis, [0, 1])).toEqual([0xfd, 0xe7, 0x25]);
    expect(colorOf(0, greys, [0, 1])).toEqual([255, 255, 255]);
    expect(colorOf(1, greys, [0, 1])).toEqual([0, 0, 0]);
  });

  test('grow lighter, or darker, all the way', () => {
    for (const map of [viridis, cividis, greys]) {
      const lightness = Array.from({ length: 33 }, (_, i) => perceived(colorOf(i / 32, map, [0, 1])).l);
      const signs = new Set(lightness.slice(1).map((value, i) => Math.sign(value - lightness[i]!)));
      expect(signs.size).toBe(1);
    }
  });

  test('of signed values have one neutral colour, at 0, whatever the limit', () => {
    for (const limit of [1e-9, 1, 3.7, 1e9]) {
      const { l, a, b } = perceived(colorOf(0, blueOrange, [-limit, limit]));
      expect(Math.hypot(a, b)).toBeLessThan(0.5);
      expect(l).toBeGreaterThan(96);
      expect(colorOf(-0, blueOrange, [-limit, limit])).toEqual(colorOf(0, blueOrange, [-limit, limit]));
    }
    expect((blueOrange.table.length / 4) % 2).toBe(1);
  });

  test('of signed values are mirrored: same lightness and chroma, blue below 0 and orange above', () => {
    for (let value = 0.02; value <= 1; value += 0.02) {
      const below = colorOf(-value, blueOrange, [-1, 1]);
      const above = colorOf(value, blueOrange, [-1, 1]);
      const [cold, warm] = [perceived(below), perceived(above)];
      expect(Math.abs(cold.l - warm.l)).toBeLessThan(0.7);
      expect(Math.abs(Math.hypot(cold.a, cold.b) - Math.hypot(warm.a, warm.b))).toBeLessThan(1.5);
      expect(below[2]).toBeGreaterThan(below[0]);
      expect(above[0]).toBeGreaterThan(above[2]);
    }
  });

  test('have a colour of their own for what is no number', () => {
    for (const map of colorMaps) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        expect(colorOf(value, map, [-1, 1])).toEqual(NOT_FINITE_COLOR);
      }
      for (let i = 0; i < map.table.length; i += 4) expect([...map.table.subarray(i, i + 3)]).not.toEqual(NOT_FINITE_COLOR);
    }
  });
});

describe('limits', () => {
  test('of unsigned values reach from 0 to the greatest', () => {
    expect(limitsOf([2, 5, 3], viridis)).toEqual([0, 5]);
    expect(limitsOf([-2, 5, Number.NaN], viridis)).toEqual([-2, 5]);
    expect(limitsOf([-3, -2], viridis)).toEqual([-3, 0]);
  });

  test('of signed values are symmetric, and those of φ and −φ the same', () => {
    const values = Float32Array.from({ length: 5000 }, (_, i) => normal(1, 2, 3, i) - 1);
    const [low, high] = limitsOf(values, blueOrange);
    expect(low).toBe(-high);
    expect(
      limitsOf(
        values.map((value) => -value),
        blueOrange,
      ),
    ).toEqual([low, high]);
  });

  test('of signed values ignore the largest in a thousand', () => {
    const values = Float32Array.from({ length: 2000 }, (_, i) => (i < 2 ? 1000 : i % 2 ? 1 : -1));
    expect(limitsOf(values, blueOrange)).toEqual([-1, 1]);
    expect(limitsOf(values, blueOrange, 1)).toEqual([-1000, 1000]);
  });

  test('of a map that is 0 nearly everywhere still show what is not', () => {
    const values = new Float32Array(5000);
    values[7] = -3;
    expect(limitsOf(values, blueOrange)).toEqual([-3, 3]);
  });

  test('of nothing, of zeros and of what is no number have a width', () => {
    for (const values of [[], [0, 0], [Number.NaN]]) {
      expect(limitsOf(values, viridis)).toEqual([0, 1]);
      expect(limitsOf(values, blueOrange)).toEqual([-1, 1]);
    }
  });
});

describe('a heat map', () => {
  test('has one opaque pixel a value, row by row', () => {
    const { width, height, data } = heatmap(Float32Array.of(0, 1, 2, 3, 4, 5), 3, 2);
    expect([width, height, data.length]).toEqual([3, 2, 24]);
    expect([...data.subarray(0, 4)]).toEqual([0x44, 0x01, 0x54, 255]);
    expect([...data.subarray(20)]).toEqual([0xfd, 0xe7, 0x25, 255]);
  });

  test('says the colour of 0, and paints it', () => {
    for (const map of [viridis, blueOrange]) {
      const { zero, data } = heatmap(Float32Array.of(0, 2, -1), 3, 1, { map });
      expect([...data.subarray(0, 3)]).toEqual([...zero]);
    }
  });

  test('of −φ is that of φ with the colours mirrored', () => {
    const values = Float32Array.from({ length: 100 }, (_, i) => normal(4, 5, 6, i));
    const entries = blueOrange.table.length / 4;
    const entryOf = (data: Uint8ClampedArray, pixel: number) => {
      for (let i = 0; i < entries; i++) {
        if ([0, 1, 2].every((c) => blueOrange.table[4 * i + c] === data[4 * pixel + c])) return i;
      }
      throw new Error('a colour that is not of the map');
    };
    const plus = heatmap(values, 10, 10, { map: blueOrange });
    const minus = heatmap(
      values.map((value) => -value),
      10,
      10,
      { map: blueOrange },
    );
    expect(minus.limits).toEqual(plus.limits);
    // Entries next to each other may share a colour, so the mirrored entry is met to within one.
    for (let i = 0; i < 100; i++) {
      expect(Math.abs(entryOf(plus.data, i) + entryOf(minus.data, i) - (entries - 1))).toBeLessThanOrEqual(2);
    }
  });

  test('does not clamp or cast before the map: negative and large values keep their order', () => {
    const { data, beyond } = heatmap(Float32Array.of(-300, -1, 0, 255.5, 300), 5, 1, { map: greys });
    const shades = [0, 1, 2, 3, 4].map((i) => data[4 * i]!);
    expect(shades).toEqual([...shades].sort((a, b) => b - a));
    expect(new Set(shades).size).toBe(5 - 1 + +(shades[1] !== shades[2]));
    expect(beyond).toBe(0);
  });

  test('counts what lies beyond given limits, and what is no number', () => {
    const values = Float32Array.of(-2, 0.5, 3, Number.NaN, Number.POSITIVE_INFINITY);
    const { data, beyond, notFinite, limits } = heatmap(values, 5, 1, { limits: [0, 1] });
    expect([beyond, notFinite]).toEqual([2, 2]);
    expect(limits).toEqual([0, 1]);
    expect([...data.subarray(0, 3)]).toEqual([0x44, 0x01, 0x54]);
    expect([...data.subarray(12, 15)]).toEqual([...NOT_FINITE_COLOR]);
  });

  test('doubles nothing away: twice the values under the same limits is another picture', () => {
    const values = Float32Array.of(0.1, 0.2, 0.3, 0.4);
    const options = { limits: [0, 1] as const };
    const [once, twice] = [
      heatmap(values, 2, 2, options),
      heatmap(
        values.map((value) => 2 * value),
        2,
        2,
        options,
      ),
    ];
    expect(once.data).not.toEqual(twice.data);
  });

  test('is refused when the values do not fill it', async () => {
    expect(await refusal(() => heatmap(new Float32Array(5), 2, 3))).toEqual([
      'shape-mismatch',
      'heatmap: 5 values do not make a picture of [3, 2] (6 values).',
      'To mend: pass the width and the height of the values.',
    ]);
  });
});

describe('an arrangement', () => {
  const size = (shape: number[]) => {
    const { width, height, kind } = arrangement(shape);
    return [height, width, kind];
  };

  test('is that of the image, of the square, of the nearly square grid', () => {
    expect(size([28, 28])).toEqual([28, 28, 'image']);
    expect(size([28, 28, 1])).toEqual([28, 28, 'image']);
    expect(size([784])).toEqual([28, 28, 'image']);
    expect(size([128])).toEqual([8, 16, 'units']);
    expect(size([64])).toEqual([8, 8, 'units']);
    expect(size([10])).toEqual([2, 5, 'units']);
    expect(size([61])).toEqual([6, 12, 'units']);
    expect(size([1])).toEqual([1, 1, 'units']);
  });

  test('sets channels side by side, one cell apart', () => {
    const { width, height, cells } = arrangement([2, 2, 2]);
    expect([height, width]).toEqual([2, 5]);
    expect([...cells]).toEqual([0, 2, -1, 1, 3, 4, 6, -1, 5, 7]);
  });

  test('shows every value once', () => {
    for (const shape of [[1], [7], [61], [784], [5, 3], [3, 4, 5], [26, 26, 32], [2, 3, 4, 5]]) {
      const count = shape.reduce((a, b) => a * b, 1);
      const shown = [...arrangement(shape).cells].filter((index) => index >= 0).sort((a, b) => a - b);
      expect(shown).toEqual(Array.from({ length: count }, (_, i) => i));
    }
  });
});
