import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { repeatRows } from '../../../src/explain/ops/repeat-rows.ts';
import { repeatRowsReference as reference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('repeatRows', () => {
  test.each([
    [[1], 1],
    [[3], 2],
    [[1, 1], 3],
    [[2, 5], 1],
    [[3, 7], 4],
    [[5, 4], 3],
    [[2, 3, 8], 5],
    [[7, 64], 13],
  ])('of the shape %j, %d times', async (shape, copies) => {
    const width = shape.slice(1).reduce((a, b) => a * b, 1);
    for (const dtype of ['float32', 'uint32'] as const) {
      await checkOperation({
        build: (x) => repeatRows(x, copies),
        inputs: [{ shape, dtype, ...(dtype === 'uint32' ? { range: [0, 1000] as const } : {}) }],
        reference: reference(width, copies),
        gradient: false,
        tolerance: 0,
      });
    }
  });

  test('refuses no copies', () => {
    expect(() => repeatRows(new Graph().placeholder('x', [2]), 0)).toThrow('copies is 0; it must be a number at least 1.');
  });
});
