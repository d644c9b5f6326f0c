/**
 * What the operations on groups, coalitions and masks must give, in float64 and in loops that a person can read: for the tests and for the
 * self-test page. Arrays are row-major; `groups` are the elements of each.
 */

import { pcg4d, permute, uniform } from '../../engine/random.ts';

type Lists = readonly (readonly number[])[];

/** Where row `k` of the curves of all examples comes from: its example, the list that orders its groups, and its place on the curve. */
const onCurve = (row: number, { curves, rows, own }: Curves): { example: number; list: number; place: number } => {
  const curve = Math.floor(row / rows);
  const example = Math.floor(curve / curves);
  return { example, list: own ? example : curve % curves, place: row % rows };
};

/** `own`: each example has one curve of its own; else all examples have the same ones. */
export interface Curves {
  readonly examples: number;
  readonly curves: number;
  /** Of a curve. */
  readonly rows: number;
  readonly groups: number;
  readonly own: boolean;
}

/** Orders of groups, drawn: who comes k-th in each of the lists, and the rank of each group in it; [lists, groups] both. */
export function drawnOrders(lists: number, groups: number): { readonly order: number[]; readonly rank: number[] } {
  const order = Array.from({ length: lists * groups }, (_, i) => permute(i % groups, groups, 4, Math.floor(i / groups)));
  const rank = Array<number>(lists * groups);
  order.forEach((group, i) => {
    rank[Math.floor(i / groups) * groups + group] = i % groups;
  });
  return { order, rank };
}

/** Rows whose first counts[place] groups, by their rank, are at `end` and the others at `begin`. */
export const rankedRowsReference =
  (curves: Curves, inputs: number) =>
  (begin: number[] = [], end: number[] = [], rank: number[] = [], groupOf: number[] = [], counts: number[] = []): number[] =>
    Array.from({ length: curves.examples * curves.curves * curves.rows * inputs }, (_, k) => {
      const i = k % inputs;
      const { example, list, place } = onCurve(Math.floor(k / inputs), curves);
      const passed = (rank[list * curves.groups + (groupOf[i] as number)] as number) < (counts[place] as number);
      return (passed ? end : begin)[example * inputs + i] as number;
    });

/** The base's products, and those of the first groups in order. */
export const rankedSumsReference =
  (curves: Curves, width: number, units: number) =>
  (products: number[] = [], order: number[] = [], counts: number[] = []): number[] =>
    Array.from({ length: curves.examples * curves.curves * curves.rows * units }, (_, k) => {
      const unit = k % units;
      const { example, list, place } = onCurve(Math.floor(k / units), curves);
      const at = (row: number): number => products[(example * width + row) * units + unit] as number;
      const path = order.slice(list * curves.groups, (list + 1) * curves.groups);
      return path.slice(0, counts[place]).reduce((sum, group) => sum + at(1 + group), at(0));
    });

/** Σ over the elements of a group of direction · weight. */
const product = (
  direction: readonly number[],
  weight: readonly number[],
  row: number,
  group: readonly number[],
  unit: number,
  units: number,
) => {
  const features = weight.length / units;
  return group.reduce((sum, i) => sum + (direction[row * features + i] as number) * (weight[i * units + unit] as number), 0);
};

/** The base, what each group adds to it, then zeros: `width` rows an example. */
export const groupProductsReference =
  (groups: Lists, width: number, units: number) =>
  (direction: number[] = [], weight: number[] = [], base: number[] = []): number[] =>
    Array.from({ length: base.length * width }, (_, k) => {
      const [example, row, unit] = [Math.floor(k / units / width), Math.floor(k / units) % width, k % units];
      return row === 0 ? (base[example * units + unit] as number) : product(direction, weight, example, groups[row - 1] ?? [], unit, units);
    });

/** The base less one group's product, for each group. */
export const withoutGroupsReference =
  (groups: Lists, units: number) =>
  (direction: number[] = [], weight: number[] = [], base: number[] = []): number[] =>
    Array.from({ length: base.length * groups.length }, (_, k) => {
      const [example, row, unit] = [Math.floor(k / units / groups.length), Math.floor(k / units) % groups.length, k % units];
      return (base[example * units + unit] as number) - product(direction, weight, example, groups[row] as number[], unit, units);
    });

/** A donor's values in the columns of the query's group, the example's elsewhere. A query is an example, a group and a donor. */
export const changedRowsReference =
  (columns: number) =>
  (x: number[] = [], donors: number[] = [], query: number[] = [], groupOf: number[] = []): number[] =>
    Array.from({ length: (query.length / 3) * columns }, (_, at) => {
      const [row, column] = [Math.floor(at / columns), at % columns];
      const [example, group, donor] = query.slice(3 * row, 3 * row + 3) as [number, number, number];
      return (groupOf[column] === group ? donors[donor * columns + column] : x[example * columns + column]) as number;
    });

/** The products of those rows with the weight, by what changes in the group's columns. */
export const changedProductsReference =
  (members: Lists, columns: number, units: number) =>
  (...inputs: number[][]): number[] => {
    const [x, donors, query, , , products, weight] = inputs as [number[], number[], number[], number[], number[], number[], number[]];
    return Array.from({ length: (query.length / 3) * units }, (_, at) => {
      const [row, unit] = [Math.floor(at / units), at % units];
      const [example, group, donor] = query.slice(3 * row, 3 * row + 3) as [number, number, number];
      return (members[group] ?? []).reduce(
        (sum, column) => {
          const change = (donors[donor * columns + column] as number) - (x[example * columns + column] as number);
          return sum + change * (weight[column * units + unit] as number);
        },
        products[example * units + unit] as number,
      );
    });
  };

export interface MaskDraw {
  readonly samples: number;
  /** Columns of a row: 1, the mask of each group, zeros. */
  readonly width: number;
  readonly seed: number;
  readonly stream: number;
  /** Of the samples. */
  readonly first: number;
}

/** Each group kept with the same probability, as the CPU twin draws it. */
export const independentMasksReference =
  ({ samples, width, seed, stream, first }: MaskDraw, groups: number) =>
  (_draw: number[] = [], [keep = 0]: number[] = []): number[] =>
    Array.from({ length: samples * width }, (_, k) => {
      const [sample, column] = [Math.floor(k / width), k % width];
      if (column === 0) return 1;
      return column <= groups && uniform(seed, stream, first + sample, column - 1) < Math.fround(keep) ? 1 : 0;
    });

/** A grid of cells drawn so, stretched over the image and moved by less than a cell. */
export const gridMasksReference =
  ({ samples, width: columns, seed, stream, first }: MaskDraw, height: number, width: number, cells: number) =>
  (_draw: number[] = [], [keep = 0]: number[] = []): number[] => {
    const groups = height * width;
    const maskOf = (sample: number): number[] => {
      const kept = Array.from({ length: cells }, (_, r) =>
        Array.from({ length: cells }, (_each, c) => (uniform(seed, stream, first + sample, r * cells + c) < Math.fround(keep) ? 1 : 0)),
      );
      const shift = pcg4d(seed, stream, first + sample, 0xffffffff);
      /** The two cells nearest to a pixel and how far it is towards the second. */
      const between = (at: number, side: number, bits: number): [number, number, number] => {
        const cell = Math.ceil(side / cells);
        const moved = at + Math.floor(((bits >>> 8) / 16777216) * cell);
        const place = Math.min(Math.max(((moved + 0.5) * cells) / ((cells + 1) * cell) - 0.5, 0), cells - 1);
        return [Math.floor(place), Math.min(Math.floor(place) + 1, cells - 1), place - Math.floor(place)];
      };
      return Array.from({ length: groups }, (_, pixel) => {
        const [top, bottom, down] = between(Math.floor(pixel / width), height, shift[0]);
        const [left, right, across] = between(pixel % width, width, shift[1]);
        const row = (r: number): number => (kept[r]?.[left] as number) * (1 - across) + (kept[r]?.[right] as number) * across;
        return row(top) * (1 - down) + row(bottom) * down;
      });
    };
    return Array.from({ length: samples }, (_, sample) => [1, ...maskOf(sample), ...Array<number>(columns - 1 - groups).fill(0)]).flat();
  };

/** Shapley's values by the definition over orders: the mean, over all n! of them, of what a group adds when it arrives. */
export const shapleyReference =
  (n: number) =>
  (v: number[] = []): number[] =>
    Array.from({ length: v.length / 2 ** n }, (_, example) => overAllOrders(v.slice(example * 2 ** n, (example + 1) * 2 ** n), n)).flat();

function overAllOrders(v: readonly number[], n: number): number[] {
  const total = Array<number>(n).fill(0);
  let orders = 0;
  const arrive = (present: number, added: number[]): void => {
    if (present === 2 ** n - 1) {
      orders += 1;
      added.forEach((value, i) => {
        total[i] = (total[i] as number) + value;
      });
      return;
    }
    for (let i = 0; i < n; i++) {
      if (present & (1 << i)) continue;
      const next = present | (1 << i);
      arrive(
        next,
        added.map((value, j) => (j === i ? (v[next] as number) - (v[present] as number) : value)),
      );
    }
  };
  arrive(0, Array<number>(n).fill(0));
  return total.map((value) => value / orders);
}

/** What each group adds when it comes, on average over the orders of a draw; v holds the values after each place of each order. */
export const marginalsReference =
  (draws: number, orders: number, n: number) =>
  (v: number[] = [], none: number[] = [], rank: number[] = []): number[] =>
    Array.from({ length: none.length * draws * n }, (_, k) => {
      const [i, draw] = [k % n, Math.floor(k / n) % draws];
      const example = Math.floor(k / n / draws);
      let total = 0;
      for (let o = 0; o < orders; o++) {
        const order = draw * orders + o;
        const place = rank[order * n + i] as number;
        const at = (p: number): number => (p < 0 ? none[example] : v[(example * draws * orders + order) * n + p]) as number;
        total += at(place) - at(place - 1);
      }
      return total / orders;
    });

/** share · Σ of the numbers of the groups or windows that an element lies in. */
export const spreadReference =
  (lists: Lists, width: number) =>
  (v: number[] = [], _start: number[] = [], _members: number[] = [], share: number[] = []): number[] =>
    Array.from({ length: (v.length / width) * lists.length }, (_, k) => {
      const [example, i] = [Math.floor(k / lists.length), k % lists.length];
      return (share[i] as number) * (lists[i] as number[]).reduce((sum, m) => sum + (v[example * width + m] as number), 0);
    });
