import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { combineRows } from '../../../src/explain/ops/combine-rows.ts';
import { combineRowsReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('combineRows', () => {
  test.each([
    [1, 1, [1]],
    [3, 5, [7]],
    [2, 3, [4]],
    [5, 2, [3, 8]],
    [17, 4, [5]],
  ])('combines each of %d examples with each of %d references of shape %j', async (examples, references, shape) => {
    const width = shape.reduce((a, b) => a * b, 1);
    await checkOperation({
      build: combineRows,
      inputs: [{ shape: [examples, ...shape] }, { shape: [references, ...shape] }, { shape: [references] }, { shape: [references] }],
      reference: combineRowsReference(references, width),
      gradient: false,
    });
  });

  test('refuses references of another shape', () => {
    const graph = new Graph();
    const [x, reference, a] = [graph.placeholder('x', [2, 3]), graph.placeholder('reference', [4, 2]), graph.placeholder('a', [4])];
    expect(() => combineRows(x, reference, a, a)).toThrow('combineRows: reference is [4, 2]; it must be [4, 3], rows as those of x.');
  });
});
