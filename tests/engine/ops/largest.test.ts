import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph } from '../../../src/engine/graph.ts';
import { multiply } from '../../../src/engine/ops/arithmetic.ts';
import { largest } from '../../../src/engine/ops/largest.ts';
import { sum } from '../../../src/engine/ops/reduce.ts';
import { reduceTo } from '../reference.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

/** Multiples of 0.05 in a shuffled order, so that no two are near. */
const spread = (i: number): number => ((i * 37) % 211) / 20 - 5;

const cases: [number[], number[]][] = [
  [[1], [0]],
  [[5, 3], [0]],
  [[5, 3], [1]],
  [
    [5, 3],
    [0, 1],
  ],
  [[7, 8], [0]],
  [[7, 8], [1]],
  [[3, 65], [1]],
  [[64, 3], [0]],
  [
    [2, 3, 5, 4],
    [0, 2],
  ],
];

describe('largest', () => {
  test.each(cases)('over %j along %j', async (shape, axes) => {
    const small = shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const reference = (x: number[]): number[] => reduceTo(x, shape, small, Math.max);
    await checkOperation({ build: (x) => largest(x, axes), inputs: [{ shape, values: spread }], reference, twice: true });
    await checkOperation({ build: (x) => largest(x, axes, { keepDims: true }), inputs: [{ shape, values: spread }], reference });
  });

  test('finds the largest of very negative numbers', async () => {
    await checkOperation({
      build: (x) => largest(x),
      inputs: [{ shape: [4], values: [-3e38, -2e38, -1e38, -3.4e38] }],
      reference: () => [-1e38],
      gradient: false,
    });
  });

  test('parts its gradient equally among equals', async () => {
    await checkOperation({
      build: (x, dy) => differentiate(largest(x, [1]), [x], { seed: dy })[0] ?? x,
      inputs: [
        { shape: [2, 3], values: [4, 4, 1, 2, 2, 2] },
        { shape: [2], values: [1, 6] },
      ],
      reference: () => [0.5, 0.5, 0, 2, 2, 2],
      gradient: false,
    });
  });

  test('is differentiable twice where something else bends', async () => {
    const square = (x: number[]): number[] => [Math.max(...x.map((value) => value * value))];
    await checkOperation({
      build: (x) => sum(largest(multiply(x, x))),
      inputs: [{ shape: [5], values: [1, -2, 3, -0.5, 0.1] }],
      reference: square,
      twice: true,
    });
  });

  test('says which axis is missing', () => {
    expect(() => largest(new Graph().placeholder('x', [2, 3]), [2])).toThrow('largest: x is [2, 3]; it has no axis 2.');
  });
});
