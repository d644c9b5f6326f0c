import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { abs, exp, log, power, reciprocal, sign, sqrt, square } from '../../../src/engine/ops/elementary.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, type Input } from './check-operation.ts';

failOnGpuErrors();

const nearZero = (x: number): boolean => Math.abs(x) < 1e-2;
const positive: Partial<Input> = { range: [0.5, 3] };
const awayFromZero: Partial<Input> = { avoid: nearZero };

const functions: [string, (x: Node) => Node, (x: number) => number, Partial<Input>][] = [
  ['exp', exp, Math.exp, { range: [-2, 2] }],
  ['log', log, Math.log, positive],
  ['sqrt', sqrt, Math.sqrt, positive],
  ['abs', abs, Math.abs, awayFromZero],
  ['sign', sign, Math.sign, awayFromZero],
  ['square', square, (x) => x * x, {}],
  ['reciprocal', reciprocal, (x) => 1 / x, positive],
  ['power(x, 3)', (x) => power(x, 3), (x) => x ** 3, {}],
  ['power(x, −2)', (x) => power(x, -2), (x) => x ** -2, positive],
  ['power(x, 0.7)', (x) => power(x, 0.7), (x) => x ** 0.7, positive],
  ['power(x, −1.5)', (x) => power(x, -1.5), (x) => x ** -1.5, positive],
];

describe.each(functions)('%s', (_name, build, f, input) => {
  test.each([[[]], [[1]], [[63]], [[64]], [[65]], [[7, 12]]])('matches the reference in the shape %j', async (shape) => {
    await checkOperation({ build, inputs: [{ shape, ...input }], reference: (x) => x.map(f), twice: build !== sign });
  });
});

/** Values only, at points where the gradient has a kink or a pole. */
const at = (build: (x: Node) => Node, values: number[], expected: number[]): Promise<void> =>
  checkOperation({ build, inputs: [{ shape: [values.length], values }], reference: () => expected, gradient: false });

test('exp vanishes far below 0', () => at(exp, [-200, -1e30, 0], [0, 0, 1]));
test('log of 1 is 0', () => at(log, [1, Math.E, 1e-30], [0, 1, Math.log(1e-30)]));
test('sqrt of 0 is 0', () => at(sqrt, [0, 4, 1e-30], [0, 2, 1e-15]));
test('sign of 0 is 0', () => at(sign, [0, -0, -2, 3], [0, 0, -1, 1]));
test('a whole power takes negative numbers and 0', () => at((x) => power(x, 3), [-2, 0, -0.5], [-8, 0, -0.125]));
test('a negative whole power takes negative numbers', () => at((x) => power(x, -3), [-2, -0.5], [-0.125, -8]));
test('a fractional power of 0 is 0', () => at((x) => power(x, 0.5), [0, 4], [0, 2]));
test('x⁰ is 1, also at 0', () => at((x) => power(x, 0), [0, -3], [1, 1]));
test('x¹ is x', () => at((x) => power(x, 1), [0, -3], [0, -3]));

test('the gradient of x² by power is 2 x, also at 0 and below', async () => {
  await checkOperation({
    build: (x) => power(x, 2),
    inputs: [{ shape: [4], values: [0, -1, 2, -3] }],
    reference: (x) => x.map((value) => value ** 2),
    twice: true,
  });
});

test('x⁰ is flat', () => {
  const x = new Graph().placeholder('x', [2]);
  expect(differentiate(power(x, 0), [x])).toEqual([undefined]);
});

test('an elementary function refuses labels', () => {
  const labels = new Graph().placeholder('labels', [2], 'uint32');
  expect(() => exp(labels)).toThrow('exp: x is uint32 [2]; it must be float32.\nTo mend: pass x as float32.');
});
