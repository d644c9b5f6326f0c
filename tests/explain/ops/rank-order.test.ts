import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { rankOrder, strictRanks } from '../../../src/explain/ops/rank-order.ts';
import { rankOrderReference, strictRanksReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('rank-order', () => {
  test.each([
    [1, 1, 1],
    [3, 5, 100],
    [2, 65, 4],
    [4, 17, 1],
    [1, 130, 2 ** 30],
  ])('%i rows of %i ranks below %i, ties to the lower index', async (rows, width, below) => {
    const inputs = [{ shape: [rows, width], dtype: 'uint32' as const, range: [0, below] as const }];
    await checkOperation({ build: rankOrder, inputs, reference: rankOrderReference(width), tolerance: 0 });
    await checkOperation({
      build: strictRanks,
      inputs,
      reference: strictRanksReference(width),
      tolerance: 0,
    });
  });

  test('takes no ranks that are not uint32', () => {
    expect(() => rankOrder(new Graph().placeholder('rank', [2, 3]))).toThrow('rankOrder: rank is float32 [2, 3]; it must be uint32.');
  });
});
