import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { pcg4d, uniform } from '../../../src/engine/random.ts';
import { maskWidth } from '../../../src/explain/ops/mask-bits.ts';
import { riseMasks } from '../../../src/explain/ops/rise-masks.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const [SEED, STREAM, FIRST] = [9, 5, 3];
const inputs = (keep: number) => [
  { shape: [3], dtype: 'uint32' as const, values: [SEED, FIRST, 1] },
  { shape: [1], values: [keep], gradient: false as const },
];

describe('riseMasks', () => {
  test.each([
    [1, 1, 0.5],
    [5, 4, 0.3],
    [7, 66, 0.8],
  ])('independent: %i masks of %i groups', async (samples, groups, keep) => {
    const width = maskWidth(groups);
    await checkOperation({
      build: (draw, p) => riseMasks(draw, p, { samples, groups, stream: STREAM }),
      inputs: inputs(keep),
      reference: () =>
        Array.from({ length: samples * width }, (_, k) => {
          const [s, column] = [Math.floor(k / width), k % width];
          if (column === 0) return 1;
          return column <= groups && uniform(SEED, STREAM, FIRST + s, column - 1) < Math.fround(keep) ? 1 : 0;
        }),
      gradient: false,
      tolerance: 0,
    });
  });

  test.each([
    [1, 1, 1, 1],
    [4, 5, 8, 2],
    [6, 7, 7, 7],
    [5, 28, 28, 7],
  ])('grid: %i masks of %i × %i pixels by %i cells', async (samples, height, width, cells) => {
    const groups = height * width;
    const columns = maskWidth(groups);
    await checkOperation({
      build: (draw, p) => riseMasks(draw, p, { samples, groups, stream: STREAM, grid: { height, width, cells } }),
      inputs: inputs(0.5),
      reference: () => {
        const maskOf = (s: number): number[] => {
          const kept = Array.from({ length: cells }, (_, r) =>
            Array.from({ length: cells }, (_, c) => (uniform(SEED, STREAM, FIRST + s, r * cells + c) < 0.5 ? 1 : 0)),
          );
          const shift = pcg4d(SEED, STREAM, FIRST + s, 0xffffffff);
          /** The two cells nearest to a pixel and how far it is towards the second. */
          const between = (at: number, side: number, bits: number): [number, number, number] => {
            const cell = Math.ceil(side / cells);
            const moved = at + Math.floor(((bits >>> 8) / 16777216) * cell);
            const place = Math.min(Math.max(((moved + 0.5) * cells) / ((cells + 1) * cell) - 0.5, 0), cells - 1);
            return [Math.floor(place), Math.min(Math.floor(place) + 1, cells - 1), place - Math.floor(place)];
          };
          return Array.from({ length: groups }, (_, pixel) => {
            const [top, bottom, down] = between(Math.floor(pixel / width), height, shift[0]);
            const [left, right, across] = between(pixel % width, width, shift[1]);
            const row = (r: number): number => (kept[r]?.[left] as number) * (1 - across) + (kept[r]?.[right] as number) * across;
            return row(top) * (1 - down) + row(bottom) * down;
          });
        };
        return Array.from({ length: samples }, (_, s) => [1, ...maskOf(s), ...Array<number>(columns - 1 - groups).fill(0)]).flat();
      },
      gradient: false,
    });
  });

  test('refuses a draw without its count', () => {
    const graph = new Graph();
    expect(() =>
      riseMasks(graph.placeholder('d', [2], 'uint32'), graph.placeholder('p', [1]), { samples: 1, groups: 1, stream: 0 }),
    ).toThrow('riseMasks: draw is [2]; it must be [3], seed, first sample and count.');
  });
});
