/** The kernels of explanations that work on groups: masks, coalitions, orders, and what another example's columns change. */

import type { Input } from '../../engine/reference/check-operation.ts';
import { listsOf } from '../../explain/masked.ts';
import { changedProducts, changedRows } from '../../explain/ops/changed-rows.ts';
import { groupProducts, withoutGroups } from '../../explain/ops/group-products.ts';
import { maskWidth } from '../../explain/ops/mask-bits.ts';
import { rankedRows, rankedSums } from '../../explain/ops/ranked-rows.ts';
import { riseMasks } from '../../explain/ops/rise-masks.ts';
import { exactShapley, marginals, shapleyWeights } from '../../explain/ops/shapley.ts';
import { spread } from '../../explain/ops/spread.ts';
import * as references from '../../explain/reference/coalitions.ts';
import { call, type SelfTestCase } from './cases.ts';

const words = (shape: readonly number[], values: Iterable<number>): Input => ({ shape, dtype: 'uint32', values: [...values] });

function changes(): SelfTestCase[] {
  const [rows, columns, units, examples, donors, groups] = [67, 13, 7, 5, 3, 4];
  const members = Array.from({ length: groups }, (_, g) =>
    Array.from({ length: columns }, (_each, c) => c).filter((c) => c % groups === g),
  );
  // The last group has no columns.
  const { start, members: list } = listsOf([...members, []]);
  const query = Array.from({ length: rows }, (_, r) => [(3 * r) % examples, r % (groups + 1), (5 * r + 1) % donors]).flat();
  const data = [{ shape: [examples, columns] }, { shape: [donors, columns] }, words([rows, 3], query)] as const;
  return [
    call('changedRows', `${rows} rows of ${columns} columns`, {
      build: changedRows,
      inputs: [
        ...data,
        words(
          [columns],
          Array.from({ length: columns }, (_, c) => c % groups),
        ),
      ],
      reference: references.changedRowsReference(columns),
      gradient: false,
      tolerance: 0,
    }),
    call('changedProducts', `${rows} rows of ${columns} columns by ${units} units`, {
      build: (x, d, q, f, m, z, w) => changedProducts({ x, donors: d, query: q, firstOf: f, members: m, products: z, weight: w } as never),
      inputs: [...data, words([groups + 2], start), words([columns], list), { shape: [examples, units] }, { shape: [columns, units] }],
      reference: references.changedProductsReference(members, columns, units),
      gradient: false,
    }),
  ];
}

/** Overlapping groups and an empty one; groups of one. */
const products = (): SelfTestCase[] =>
  (
    [
      [2, 5, 66, [[0, 1, 2], [1, 2, 3], [], [4, 0]]],
      [2, 13, 4, Array.from({ length: 13 }, (_, i) => [i])],
    ] as [number, number, number, number[][]][]
  ).flatMap(([examples, features, units, groups]) => {
    const { start, members } = listsOf(groups);
    const inputs = [
      { shape: [examples, features] },
      { shape: [features, units] },
      { shape: [examples, units] },
      words([start.length], start),
      words([members.length], members),
    ];
    const name = `${examples} examples, ${groups.length} groups, ${units} units`;
    const width = maskWidth(groups.length);
    return [
      call('groupProducts', name, {
        build: groupProducts,
        inputs,
        reference: references.groupProductsReference(groups, width, units),
        gradient: false,
      }),
      call('withoutGroups', name, {
        build: withoutGroups,
        inputs,
        reference: references.withoutGroupsReference(groups, units),
        gradient: false,
      }),
    ];
  });

const ranked = (): SelfTestCase[] =>
  (
    [
      [3, 1, 5, 7, [0, 2, 2, 5], true],
      [2, 2, 67, 65, [0, 1, 66, 67], false],
    ] as [number, number, number, number, number[], boolean][]
  ).flatMap(([examples, curves, groups, inputs, counts, own]) => {
    const lists = (own ? examples : 1) * curves;
    const { order, rank } = references.drawnOrders(lists, groups);
    const along = { examples, curves, rows: counts.length, groups, own };
    const name = `${examples} examples, ${curves} ${own ? 'own' : 'common'} curves of ${groups} groups`;
    const width = groups + 3;
    return [
      call('rankedRows', name, {
        build: (begin, end, ranks, groupOf, rows) =>
          rankedRows(begin as never, end as never, ranks as never, groupOf as never, rows as never, { own }),
        inputs: [
          { shape: [examples, inputs] },
          { shape: [examples, inputs] },
          words([lists, groups], rank),
          words(
            [inputs],
            Array.from({ length: inputs }, (_, i) => (i * 5) % groups),
          ),
          words([counts.length], counts),
        ],
        reference: references.rankedRowsReference(along, inputs),
        gradient: false,
        tolerance: 0,
      }),
      call('rankedSums', name, {
        build: (given, path, rows) => rankedSums(given as never, path as never, rows as never, { own }),
        inputs: [{ shape: [examples, width, inputs] }, words([lists, groups], order), words([counts.length], counts)],
        reference: references.rankedSumsReference(along, width, inputs),
        gradient: false,
      }),
    ];
  });

function masks(): SelfTestCase[] {
  const draw = { seed: 9, stream: 5, first: 3 };
  const inputs = (keep: number): Input[] => [words([3], [draw.seed, draw.first, 1]), { shape: [1], values: [keep] }];
  const [samples, groups] = [7, 66];
  const [height, width, cells] = [9, 7, 4];
  return [
    call('riseMasks', `${samples} independent of ${groups} groups`, {
      build: (drawn, keep) => riseMasks(drawn as never, keep as never, { samples, groups, stream: draw.stream }),
      inputs: inputs(0.3),
      reference: references.independentMasksReference({ ...draw, samples, width: maskWidth(groups) }, groups),
      gradient: false,
      tolerance: 0,
    }),
    call('riseMasks', `${samples} of a grid of ${cells} over ${height} × ${width} pixels`, {
      build: (drawn, keep) =>
        riseMasks(drawn as never, keep as never, {
          samples,
          groups: height * width,
          stream: draw.stream,
          grid: { height, width, cells },
        }),
      inputs: inputs(0.5),
      reference: references.gridMasksReference({ ...draw, samples, width: maskWidth(height * width) }, height, width, cells),
      gradient: false,
    }),
  ];
}

function shapley(): SelfTestCase[] {
  const [examples, n, draws, orders, groups] = [3, 6, 2, 2, 33];
  const { rank } = references.drawnOrders(draws * orders, groups);
  const lists = Array.from({ length: 67 }, (_, i) => (i % 13 === 0 ? [] : [i % 9, (i * 2) % 9]));
  const { start, members } = listsOf(lists);
  return [
    call('exactShapley', `${examples} examples of ${n} groups`, {
      build: exactShapley,
      inputs: [{ shape: [examples, 2 ** n] }, { shape: [n], values: [...shapleyWeights(n)] }, words([2], [2 ** n - 1, 1])],
      reference: references.shapleyReference(n),
      gradient: false,
    }),
    call('marginals', `${examples} examples, ${draws} draws of ${orders} orders of ${groups} groups`, {
      build: (v, none, ranks) => marginals(v as never, none as never, ranks as never, { orders }),
      inputs: [{ shape: [examples * draws * orders * groups] }, { shape: [examples] }, words([draws * orders, groups], rank)],
      reference: references.marginalsReference(draws, orders, groups),
      gradient: false,
    }),
    call('spread', `2 examples of ${lists.length} elements`, {
      build: spread,
      inputs: [{ shape: [2, 9] }, words([start.length], start), words([members.length], members), { shape: [lists.length] }],
      reference: references.spreadReference(lists, 9),
      gradient: false,
    }),
  ];
}

export const coalitionCases = (): SelfTestCase[] => [...masks(), ...products(), ...ranked(), ...shapley(), ...changes()];
