import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { listsOf } from '../../../src/explain/masked.ts';
import { groupProducts, withoutGroups } from '../../../src/explain/ops/group-products.ts';
import { maskWidth } from '../../../src/explain/ops/mask-bits.ts';
import { groupProductsReference, withoutGroupsReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const cases: [string, number, number, number, number[][]][] = [
  ['one of everything', 1, 1, 1, [[0]]],
  ['groups of several sizes', 3, 7, 5, [[0, 3], [1], [2, 4, 5, 6]]],
  ['overlapping groups and an empty one', 2, 5, 66, [[0, 1, 2], [1, 2, 3], [], [4, 0]]],
  ['groups of one', 2, 13, 4, Array.from({ length: 13 }, (_, i) => [i])],
];

describe.each(cases)('%s', (_name, examples, features, units, groups) => {
  const { start, members } = listsOf(groups);
  const inputs = [
    { shape: [examples, features] },
    { shape: [features, units] },
    { shape: [examples, units] },
    { shape: [start.length], dtype: 'uint32' as const, values: Array.from(start) },
    { shape: [members.length], dtype: 'uint32' as const, values: Array.from(members) },
  ];
  test('groupProducts gives the base, then what each group adds, then zeros', async () => {
    const width = maskWidth(groups.length);
    await checkOperation({
      build: groupProducts,
      inputs,
      reference: groupProductsReference(groups, width, units),
      gradient: false,
    });
  });

  test('withoutGroups takes one group away in each row', async () => {
    await checkOperation({
      build: withoutGroups,
      inputs,
      reference: withoutGroupsReference(groups, units),
      gradient: false,
    });
  });
});

test('groupProducts refuses a weight of other inputs', () => {
  const graph = new Graph();
  const [direction, weight, base] = [graph.placeholder('d', [2, 3]), graph.placeholder('w', [4, 5]), graph.placeholder('b', [2, 5])];
  const lists = [graph.placeholder('s', [2], 'uint32'), graph.placeholder('m', [3], 'uint32')] as const;
  expect(() => groupProducts(direction, weight, base, ...lists)).toThrow(
    'groupProducts: direction is [2, 3]; it must be [2, 4], an element for each row of weight.',
  );
});
