import { expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { listsOf } from '../../../src/explain/masked.ts';
import { spread } from '../../../src/explain/ops/spread.ts';
import { spreadReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

test.each([
  ['one element', 1, 1, [[0]]],
  ['elements in several windows, and in none', 3, 4, [[0], [0, 1], [], [1, 2, 3], [3]]],
  ['many elements', 2, 9, Array.from({ length: 67 }, (_, i) => [i % 9, (i * 2) % 9])],
] as [string, number, number, number[][]][])('spread: %s', async (_name, examples, width, lists) => {
  const { start, members } = listsOf(lists);
  await checkOperation({
    build: spread,
    inputs: [
      { shape: [examples, width] },
      { shape: [start.length], dtype: 'uint32', values: Array.from(start) },
      { shape: [members.length], dtype: 'uint32', values: Array.from(members) },
      { shape: [lists.length] },
    ],
    reference: spreadReference(lists, width),
    gradient: false,
  });
});

test('spread refuses a list too few', () => {
  const graph = new Graph();
  const [v, share] = [graph.placeholder('v', [2, 3]), graph.placeholder('s', [4])];
  const [start, members] = [graph.placeholder('start', [4], 'uint32'), graph.placeholder('m', [4], 'uint32')];
  expect(() => spread(v, start, members, share)).toThrow('spread: start is [4]; it must be [5], one more than share.');
});
