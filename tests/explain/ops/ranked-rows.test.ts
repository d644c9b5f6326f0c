import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { rankedRows, rankedSums } from '../../../src/explain/ops/ranked-rows.ts';
import { drawnOrders, rankedRowsReference, rankedSumsReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const cases: [string, number, number, number, number, number[], boolean][] = [
  ['one of everything', 1, 1, 1, 1, [1], true],
  ['a curve of each example’s own', 3, 1, 5, 7, [0, 2, 2, 5], true],
  ['curves that examples share', 2, 3, 4, 6, [1, 2, 3, 4], false],
  ['many groups', 2, 2, 67, 130, [0, 1, 66, 67], false],
];

describe.each(cases)('%s', (_name, examples, curves, groups, inputs, counts, own) => {
  const lists = (own ? examples : 1) * curves;
  const { order, rank } = drawnOrders(lists, groups);
  const along = { examples, curves, rows: counts.length, groups, own };
  const perCurve = { shape: [lists, groups], dtype: 'uint32' as const };
  const thresholds = { shape: [counts.length], dtype: 'uint32' as const, values: counts };

  test('rankedRows puts the first groups at the end', async () => {
    const group = Array.from({ length: inputs }, (_, i) => (i * 5) % groups);
    await checkOperation({
      build: (begin, end, ranks, groupOf, rows) => rankedRows(begin, end, ranks, groupOf, rows, { own }),
      inputs: [
        { shape: [examples, inputs] },
        { shape: [examples, inputs] },
        { ...perCurve, values: rank },
        { shape: [inputs], dtype: 'uint32', values: group },
        thresholds,
      ],
      reference: rankedRowsReference(along, inputs),
      gradient: false,
      tolerance: 0,
    });
  });

  test('rankedSums adds up the first groups’ products', async () => {
    const width = groups + 3;
    await checkOperation({
      build: (products, path, rows) => rankedSums(products, path, rows, { own }),
      inputs: [{ shape: [examples, width, inputs] }, { ...perCurve, values: order }, thresholds],
      reference: rankedSumsReference(along, width, inputs),
      gradient: false,
    });
  });
});

test('rankedSums refuses curves of other examples', () => {
  const graph = new Graph();
  const products = graph.placeholder('p', [2, 4, 5]);
  const [order, counts] = [graph.placeholder('o', [3, 3], 'uint32'), graph.placeholder('c', [2], 'uint32')];
  expect(() => rankedSums(products, order, counts, { own: true })).toThrow(
    'rankedSums: order is [3, 3]; it must be [2, 3], one curve an example.',
  );
});
