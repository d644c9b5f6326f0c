import { expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { collect } from '../../../src/explain/ops/collect.ts';
import { collectReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

test.each([
  [1, 1, 1, 0, 1],
  [3, 10, 4, 6, 4],
  [2, 70, 64, 64, 6],
  [2, 5, 5, 0, 0],
])('collect: %i examples, %i numbers, a run of %i from %i on of which %i count', async (examples, total, width, first, count) => {
  await checkOperation({
    build: collect,
    inputs: [{ shape: [examples * width] }, { shape: [examples, total] }, { shape: [2], dtype: 'uint32', values: [first, count] }],
    reference: collectReference(total, width, first, count),
    gradient: false,
    tolerance: 0,
  });
});

test('collect refuses samples that are not as many for each example', () => {
  const graph = new Graph();
  const [x, before, at] = [graph.placeholder('x', [5]), graph.placeholder('b', [2, 9]), graph.placeholder('at', [2], 'uint32')];
  expect(() => collect(x, before, at)).toThrow('collect: x is [5]; it must be [6], as many samples for each example.');
});
