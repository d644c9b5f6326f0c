import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { maskedRows } from '../../../src/explain/ops/masked-rows.ts';
import { maskedRowsReference as reference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('maskedRows', () => {
  test.each([
    [1, [1], 1, 4],
    [3, [5], 2, 4],
    [2, [3, 7, 2], 5, 8],
    [2, [65], 3, 68],
  ] as [number, number[], number, number][])(
    'masks %i examples of %j by %i masks of %i columns',
    async (examples, shape, samples, width) => {
      const inputs = shape.reduce((a, b) => a * b, 1);
      await checkOperation({
        build: maskedRows,
        inputs: [
          { shape: [examples, ...shape] },
          { shape: [examples, ...shape] },
          { shape: [samples, width], range: [0, 1] },
          { shape: [inputs], dtype: 'uint32', range: [0, width - 1] },
        ],
        reference: reference(samples, width, inputs),
        gradient: false,
      });
    },
  );

  test('gives exactly x for 1 and the baseline for 0', async () => {
    await checkOperation({
      build: maskedRows,
      inputs: [
        { shape: [3, 11] },
        { shape: [3, 11], range: [-1e6, 1e6] },
        { shape: [4, 12], range: [0, 1], values: (i) => (i * 7) % 2 },
        { shape: [11], dtype: 'uint32', values: (i) => i },
      ],
      reference: (x = [], base = [], mask = []) =>
        Array.from({ length: 3 * 4 * 11 }, (_, k) => {
          const [row, i] = [Math.floor(k / 11), k % 11];
          return (mask[(row % 4) * 12 + 1 + i] === 1 ? x : base)[Math.floor(row / 4) * 11 + i] as number;
        }),
      gradient: false,
      tolerance: 0,
    });
  });

  test('refuses groups of another number of elements', () => {
    const graph = new Graph();
    const [x, mask] = [graph.placeholder('x', [2, 3]), graph.placeholder('m', [4, 4])];
    const groups = graph.placeholder('g', [2], 'uint32');
    expect(() => maskedRows(x, x, mask, groups)).toThrow('maskedRows: groupOf is [2]; it must be [3], a group for each element.');
  });
});
