import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { pad, slice } from '../../../src/engine/ops/slice.ts';
import { padReference as padded, sliceReference as sliced } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

interface Box {
  readonly shape: readonly number[];
  readonly start: readonly number[];
  readonly end: readonly number[];
}

const boxes: Box[] = [
  { shape: [1], start: [0], end: [1] },
  { shape: [13], start: [3], end: [7] },
  { shape: [65], start: [64], end: [65] },
  { shape: [3, 5], start: [0, 0], end: [3, 5] },
  { shape: [7, 11], start: [2, 1], end: [5, 11] },
  { shape: [4, 16], start: [1, 4], end: [3, 12] },
  { shape: [4, 16], start: [1, 2], end: [3, 10] },
  { shape: [2, 3, 5], start: [1, 0, 2], end: [2, 3, 4] },
  { shape: [3, 2, 5, 8], start: [1, 0, 1, 4], end: [3, 2, 4, 8] },
  { shape: [2, 3, 5, 7], start: [0, 1, 2, 3], end: [1, 3, 4, 7] },
];

describe('slice', () => {
  test.each(boxes)('of $shape from $start to $end, its gradient and the gradient of that', async ({ shape, start, end }) => {
    await checkOperation({
      build: (x) => slice(x, { start, end }),
      inputs: [{ shape }],
      reference: sliced(shape, start, end),
      tolerance: 0,
      gradientTolerance: 1e-5,
      twice: true,
    });
  });

  test('cuts labels as well', async () => {
    await checkOperation({
      build: (x) => slice(x, { start: [1], end: [4] }),
      inputs: [{ shape: [5], dtype: 'uint32', range: [0, 4_000_000_000] }],
      reference: sliced([5], [1], [4]),
      tolerance: 0,
    });
  });

  test('refuses a box that is empty or does not lie inside', () => {
    const x = new Graph().placeholder('x', [3, 4]);
    for (const [start, end] of [
      [
        [0, 0],
        [3, 5],
      ],
      [
        [1, 1],
        [1, 2],
      ],
      [
        [-1, 0],
        [2, 2],
      ],
      [[0], [1]],
      [
        [0, 0.5],
        [1, 2],
      ],
    ] as const) {
      expect(() => slice(x, { start, end })).toThrow(
        `slice: the box from [${start.join(', ')}] to [${end.join(', ')}] does not lie in [3, 4].\n` +
          'To mend: give each axis a start and a greater end, at most its length.',
      );
    }
    expect(() => slice(new Graph().placeholder('x', [1, 1, 1, 1, 2]), { start: [0, 0, 0, 0, 0], end: [1, 1, 1, 1, 1] })).toThrow(
      'slice: x is [1, 1, 1, 1, 2], of more than 4 axes.\nTo mend: reshape neighbouring axes that stay whole into one.',
    );
  });
});

describe('pad', () => {
  test.each(boxes)('into $shape from $start on, its gradient and the gradient of that', async ({ shape, start, end }) => {
    const box = end.map((to, axis) => to - (start[axis] as number));
    await checkOperation({
      build: (x) => pad(x, { start, shape }),
      inputs: [{ shape: box }],
      reference: padded(box, start, shape),
      tolerance: 0,
      gradientTolerance: 1e-5,
      twice: true,
    });
  });

  test('refuses a shape that does not hold x where it is to begin', () => {
    expect(() => pad(new Graph().placeholder('x', [2, 2]), { start: [0, 3], shape: [2, 4] })).toThrow(
      'pad: x is [2, 2]; from [0, 3] on it does not fit into [2, 4].\nTo mend: give a shape that holds x where it is to begin.',
    );
  });
});
