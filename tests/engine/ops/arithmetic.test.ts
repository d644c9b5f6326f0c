import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { add, divide, equal, greater, maximum, minimum, multiply, negate, scale, subtract } from '../../../src/engine/ops/arithmetic.ts';
import { broadcastIndex, eachIndex } from '../reference.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, type Input } from './check-operation.ts';

failOnGpuErrors();

const broadcast = (f: (a: number, b: number) => number, a: readonly number[], b: readonly number[], shape: readonly number[]) => {
  return (p: number[], q: number[] = []): number[] => {
    const y: number[] = [];
    eachIndex(shape, (_index, at) => {
      y.push(f(p[broadcastIndex(at, a)] as number, q[broadcastIndex(at, b)] as number));
    });
    return y;
  };
};

const shapes: [number[], number[], number[]][] = [
  [[], [], []],
  [[1], [1], [1]],
  [[3], [], [3]],
  [[], [2, 3], [2, 3]],
  [[63], [63], [63]],
  [[64], [64], [64]],
  [[65], [65], [65]],
  [[256], [256], [256]],
  [
    [7, 12],
    [7, 12],
    [7, 12],
  ],
  [[7, 12], [12], [7, 12]],
  [
    [5, 1],
    [1, 4],
    [5, 4],
  ],
  [
    [3, 1, 5],
    [2, 1],
    [3, 2, 5],
  ],
  [
    [2, 1, 3, 1],
    [4, 1, 5],
    [2, 4, 3, 5],
  ],
];

/** Numbers that are nowhere near those of the other input: even multiples of 0.05 in the first, odd ones in the second. */
const apart = (remainder: number) => (i: number) => 0.1 * (((i * (53 - 7 * remainder)) % 97) - 48) + 0.05 * remainder;

const operations: [string, (a: Node, b: Node) => Node, (a: number, b: number) => number, Partial<Input>, Partial<Input>][] = [
  ['add', add, (a, b) => a + b, {}, {}],
  ['subtract', subtract, (a, b) => a - b, {}, {}],
  ['multiply', multiply, (a, b) => a * b, {}, {}],
  ['divide', divide, (a, b) => a / b, {}, { range: [0.5, 2] }],
  ['maximum', maximum, Math.max, { values: apart(0) }, { values: apart(1) }],
  ['minimum', minimum, Math.min, { values: apart(0) }, { values: apart(1) }],
  ['greater', greater, (a, b) => Number(a > b), { values: apart(0) }, { values: apart(1) }],
  ['equal', equal, (a, b) => Number(a === b), { values: apart(0) }, { values: apart(1) }],
];

const constants = ['greater', 'equal'];

describe.each(operations)('%s', (name, build, f, first, second) => {
  test.each(shapes)('of %j and %j has the shape %j', async (a, b, shape) => {
    await checkOperation({
      build,
      inputs: [
        { shape: a, ...first },
        { shape: b, ...second },
      ],
      reference: broadcast(f, a, b, shape),
      twice: !constants.includes(name) && shape.length > 0 && shape.length < 3,
    });
  });
});

const four = (values: number[]): Input => ({ shape: [4], values });

test('equal and greater compare exactly, and −0 with 0', async () => {
  const a = four([1, 2, 0, -1]);
  const b = four([1, 2.0000002, -0, -2]);
  await checkOperation({ build: equal, inputs: [a, b], reference: () => [1, 0, 1, 0], gradient: false });
  await checkOperation({ build: greater, inputs: [a, b], reference: () => [0, 0, 0, 1], gradient: false });
});

test.each([
  ['maximum', maximum],
  ['minimum', minimum],
])('at a tie the whole gradient of %s goes to a', async (_name, build) => {
  const gradientOf = (k: number) => (a: Node, b: Node, dy: Node) => differentiate(build(a, b), [a, b], { seed: dy })[k] ?? a;
  const ties = four([1, 2, 3, 4]);
  const inputs = [ties, ties, four([5, 6, 7, 8])];
  await checkOperation({ build: gradientOf(0), inputs, reference: () => [5, 6, 7, 8], gradient: false });
  await checkOperation({ build: gradientOf(1), inputs, reference: () => [0, 0, 0, 0], gradient: false });
});

test('negate and scale multiply by a constant', async () => {
  const inputs = [{ shape: [3, 5] }];
  await checkOperation({ build: negate, inputs, reference: (x) => x.map((value) => -value), twice: true });
  await checkOperation({ build: (x) => scale(x, 2.5), inputs, reference: (x) => x.map((value) => 2.5 * value), twice: true });
});

test('an input may be used twice', async () => {
  await checkOperation({
    build: (x) => multiply(x, x),
    inputs: [{ shape: [8] }],
    reference: (x) => x.map((value) => value * value),
    twice: true,
  });
  await checkOperation({ build: (x) => divide(x, x), inputs: [{ shape: [8], range: [1, 2] }], reference: (x) => x.map(() => 1) });
});

test('arithmetic refuses shapes that do not broadcast, more than four axes, and labels', () => {
  const graph = new Graph();
  const a = graph.placeholder('a', [2, 3]);
  expect(() => add(a, graph.placeholder('b', [4]))).toThrow(
    'add: a is [2, 3] but b is [4]; they do not broadcast (3 against 4).\nTo mend: make the axes equal, or make one of them 1.',
  );
  expect(() => add(a, graph.placeholder('c', [1, 1, 1, 2, 3]))).toThrow('add: [2, 3] and [1, 1, 1, 2, 3] have more than 4 axes.');
  expect(() => multiply(a, graph.placeholder('labels', [3], 'uint32'))).toThrow('multiply: b is uint32 [3]; it must be float32.');
});
