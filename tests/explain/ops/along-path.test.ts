import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { alongPath } from '../../../src/explain/ops/along-path.ts';
import { alongPathReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('alongPath', () => {
  test.each([
    [1, [1], 1],
    [2, [3], 5],
    [3, [4], 7],
    [5, [13], 3],
    [2, [2, 3, 4], 50],
    [1, [64], 65],
  ])('%i examples of %j at %i positions', async (examples, shape, positions) => {
    const width = shape.reduce((a, b) => a * b, 1);
    await checkOperation({
      build: alongPath,
      inputs: [{ shape: [examples, ...shape] }, { shape: [examples, ...shape] }, { shape: [positions], range: [0, 1] }],
      reference: alongPathReference(examples, positions, width),
      gradient: false,
    });
  });

  test('refuses a direction of another shape', () => {
    const graph = new Graph();
    expect(() => alongPath(graph.placeholder('a', [2, 3]), graph.placeholder('b', [3, 2]), graph.placeholder('p', [4]))).toThrow(
      'alongPath: direction is [3, 2]; it must be [2, 3], the shape of base.',
    );
  });
});
