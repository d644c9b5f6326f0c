import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/index.ts';
import { changedProducts, changedRows } from '../../../src/explain/ops/changed-rows.ts';
import { changedProductsReference, changedRowsReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

/** Queries: example, group, donor of each row, by turns. */
const queries = (rows: number, examples: number, groups: number, donors: number): number[] =>
  Array.from({ length: rows }, (_, r) => [(3 * r) % examples, r % groups, (5 * r + 1) % donors]).flat();

describe('changedRows', () => {
  test.each([
    [1, 1, 1, 1],
    [3, 2, 5, 7],
    [70, 13, 4, 9],
  ])('puts a donor’s columns into %i rows of %i columns', async (rows, columns, examples, donors) => {
    const groups = Math.min(columns, 3);
    const groupOf = Array.from({ length: columns }, (_, c) => c % groups);
    const query = queries(rows, examples, groups + 1, donors);
    await checkOperation({
      build: (x, d, q, g) => changedRows(x as never, d as never, q as never, g as never),
      inputs: [
        { shape: [examples, columns], gradient: false },
        { shape: [donors, columns], gradient: false },
        { shape: [rows, 3], dtype: 'uint32', values: query },
        { shape: [columns], dtype: 'uint32', values: groupOf },
      ],
      reference: changedRowsReference(columns),
      gradient: false,
    });
  });
});

describe('changedProducts', () => {
  test.each([
    [1, 1, 1, 1, 1],
    [6, 5, 3, 4, 2],
    [66, 9, 7, 5, 3],
  ])('is the product of the changed rows: %i rows of %i columns, %i units', async (rows, columns, units, examples, donors) => {
    const groups = Math.min(columns, 4);
    const members = Array.from({ length: groups }, (_, g) =>
      Array.from({ length: columns }, (_each, c) => c).filter((c) => c % groups === g),
    );
    const firstOf = [0];
    for (const own of members) firstOf.push((firstOf.at(-1) as number) + own.length);
    // The last group has no columns.
    firstOf.push(firstOf.at(-1) as number);
    const query = queries(rows, examples, groups + 1, donors);
    await checkOperation({
      build: (x, d, q, f, m, z, w) => changedProducts({ x, donors: d, query: q, firstOf: f, members: m, products: z, weight: w } as never),
      inputs: [
        { shape: [examples, columns], gradient: false },
        { shape: [donors, columns], gradient: false },
        { shape: [rows, 3], dtype: 'uint32', values: query },
        { shape: [groups + 2], dtype: 'uint32', values: firstOf },
        { shape: [columns], dtype: 'uint32', values: members.flat() },
        { shape: [examples, units], gradient: false },
        { shape: [columns, units], gradient: false },
      ],
      reference: changedProductsReference(members, columns, units),
      gradient: false,
    });
  });

  test('refuses donors of another width', () => {
    const graph = new Graph();
    const node = (shape: number[], dtype: 'float32' | 'uint32' = 'float32') => graph.placeholder('n', shape, dtype);
    expect(() => changedRows(node([4, 3]), node([2, 5]), node([6, 3], 'uint32'), node([3], 'uint32'))).toThrow(
      'changedRows: donors is [2, 5]; it must be [2, 3], rows of as many columns as x.',
    );
  });
});
