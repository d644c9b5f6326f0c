import { describe, expect, test } from 'vitest';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { broadcastTo, mean, sum, sumTo } from '../../../src/engine/ops/reduce.ts';
import { broadcastTo as broadcastReference, reduceTo } from '../reference.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const plus = (a: number, b: number): number => a + b;
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const kept = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((length, axis) => (axes.includes(axis) ? 1 : length));

const cases: [number[], number[]][] = [
  [[], []],
  [[1], [0]],
  [[5], [0]],
  [[64], [0]],
  [[5, 3], [0]],
  [[5, 3], [1]],
  [
    [5, 3],
    [0, 1],
  ],
  [[5, 3], []],
  [[7, 8], [0]],
  [[7, 8], [1]],
  [[63, 4], [0]],
  [[64, 4], [1]],
  [[65, 12], [0]],
  [[3, 65], [1]],
  [[2, 3, 5], [1]],
  [[2, 3, 8], [1]],
  [
    [2, 3, 8],
    [0, 2],
  ],
  [[4, 1, 8], [1]],
  [
    [2, 3, 4, 5],
    [0, 2],
  ],
  [
    [2, 3, 5, 4],
    [1, 3],
  ],
  [
    [2, 3, 5, 4],
    [0, 2],
  ],
  [
    [2, 3, 5, 4],
    [1, 2],
  ],
];

describe.each(cases)('over %j along %j', (shape, axes) => {
  const sums = (x: number[]): number[] => reduceTo(x, shape, kept(shape, axes), plus);

  test('sum adds up, and drops its axes or keeps them as 1', async () => {
    await checkOperation({ build: (x) => sum(x, axes), inputs: [{ shape }], reference: sums, twice: true });
    await checkOperation({ build: (x) => sum(x, axes, { keepDims: true }), inputs: [{ shape }], reference: sums });
  });

  test('mean divides by the number of elements', async () => {
    const count = size(shape) / size(kept(shape, axes));
    await checkOperation({
      build: (x) => mean(x, axes),
      inputs: [{ shape }],
      reference: (x) => sums(x).map((total) => total / count),
      twice: true,
    });
  });

  test('sumTo and broadcastTo are each the gradient of the other', async () => {
    const small = kept(shape, axes);
    await checkOperation({ build: (x) => sumTo(x, small), inputs: [{ shape }], reference: sums, twice: true });
    await checkOperation({
      build: (x) => broadcastTo(x, shape),
      inputs: [{ shape: small }],
      reference: (x) => broadcastReference(x, small, shape),
      twice: true,
    });
  });
});

const shapeOf = (build: (x: Node) => Node, shape: readonly number[]): readonly number[] => build(new Graph().placeholder('x', shape)).shape;

test('neighbouring axes count as one, so more than four are no matter', async () => {
  const shape = [2, 3, 2, 3, 2];
  await checkOperation({
    build: (x) => sum(x, [1, 2, 3]),
    inputs: [{ shape }],
    reference: (x) => reduceTo(x, shape, [2, 1, 1, 1, 2], plus),
  });
});

test('sum takes every axis by default and counts negative ones from the last', () => {
  expect(shapeOf((x) => sum(x), [2, 3])).toEqual([]);
  expect(shapeOf((x) => sum(x, [-1]), [2, 3])).toEqual([2]);
  expect(shapeOf((x) => sum(x, [0], { keepDims: true }), [2, 3])).toEqual([1, 3]);
  expect(shapeOf((x) => mean(x, undefined, { keepDims: true }), [2, 3])).toEqual([1, 1]);
});

test('broadcastTo adds leading axes and repeats axes of 1, as NumPy does', async () => {
  await checkOperation({
    build: (x) => broadcastTo(x, [2, 3, 4]),
    inputs: [{ shape: [4] }],
    reference: (x) => broadcastReference(x, [4], [2, 3, 4]),
  });
  await checkOperation({
    build: (x) => broadcastTo(x, [2, 3, 4]),
    inputs: [{ shape: [3, 1] }],
    reference: (x) => broadcastReference(x, [3, 1], [2, 3, 4]),
  });
  await checkOperation({
    build: (x) => broadcastTo(x, [3, 5]),
    inputs: [{ shape: [] }],
    reference: (x) => broadcastReference(x, [], [3, 5]),
  });
});

test('sumTo and broadcastTo leave a tensor of the right shape alone', () => {
  const x = new Graph().placeholder('x', [2, 3]);
  expect(sumTo(x, [2, 3])).toBe(x);
  expect(broadcastTo(x, [2, 3])).toBe(x);
});

test('a long sum is as exact as its runs of 64 promise', async () => {
  const count = 100_003;
  const values = (i: number): number => 0.1 + (i % 7) * 1e-3;
  await checkOperation({
    build: (x) => mean(x),
    inputs: [{ shape: [count], values }],
    reference: (x) => [x.reduce(plus) / count],
    tolerance: 2e-6,
    gradient: false,
  });
});

test('more than 65,535 workgroups fold into the second axis', async () => {
  const rows = 65_539;
  await checkOperation({
    build: (x) => sum(x, [1]),
    inputs: [{ shape: [rows, 1], values: (i) => i }],
    reference: (x) => x,
    tolerance: 0,
    gradient: false,
  });
});

test('reductions say which axis is missing and which shapes do not broadcast', () => {
  const graph = new Graph();
  const x = graph.placeholder('x', [2, 3]);
  expect(() => sum(x, [2])).toThrow('sum: x is [2, 3]; it has no axis 2.\nTo mend: name axes from 0 to 1, or from -2 to -1.');
  expect(() => mean(graph.placeholder('s', []), [0])).toThrow(
    'mean: x is []; it has no axis 0.\nTo mend: leave the axes out; a scalar has none.',
  );
  expect(() => broadcastTo(x, [2, 4])).toThrow('broadcastTo: [2, 3] does not broadcast to [2, 4].');
  expect(() => sumTo(x, [1, 2, 3])).toThrow('sumTo: [1, 2, 3] does not broadcast to [2, 3].');
  expect(() => sum(graph.placeholder('five', [2, 2, 2, 2, 2]), [0, 2, 4])).toThrow(
    'sum: [2, 2, 2, 2, 2] over the axes [0, 2, 4] alternates between kept and reduced axes 5 times; 4 is the most.',
  );
});
