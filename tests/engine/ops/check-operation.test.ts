import { describe, expect, test } from 'vitest';
import { apply } from '../../../src/engine/graph.ts';
import { kernel } from '../../../src/engine/kernel.ts';
import type { Operation, TensorType } from '../../../src/engine/operation.ts';
import { scale } from '../../../src/engine/ops/arithmetic.ts';
import { reluOperation } from '../../../src/engine/ops/relu.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, expectClose, type OperationCheck } from './check-operation.ts';

failOnGpuErrors();

/** An operation that doubles, whose kernel is faulty as told: `body` has i, n, x and y. */
function doubling(...bodies: string[]): Operation<object> {
  const source = (body: string): string => `
    struct Params { n: u32 }
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @group(1) @binding(0) var<uniform> params: Params;
    @compute @workgroup_size(64)
    fn forward(@builtin(global_invocation_id) id: vec3<u32>) {
      let i = id.x;
      let n = params.n;
      ${body}
    }`;
  return {
    name: 'double',
    infer: ([x]) => x as TensorType,
    variants: bodies.map((body, k) => ({
      name: `variant ${k}`,
      dispatch: ({ inputs }) => ({
        kernel: kernel('double', source(body), 'forward', ['x', 'y']),
        parameters: { n: (inputs[0] as TensorType).shape[0] as number },
        workgroups: [1, 1, 1],
      }),
    })),
    gradient: (_y, dy) => [scale(dy, 2)],
  };
}

const RIGHT = 'if (i < n) { y[i] = 2.0 * x[i]; }';

const check = (operation: Operation<object>, more: Partial<OperationCheck> = {}): Promise<void> =>
  checkOperation({
    build: (x) => apply(operation, [x], {}),
    inputs: [{ shape: [5], values: [1, 2, 3, 4, 5] }],
    reference: (x) => x.map((value) => 2 * value),
    ...more,
  });

describe('the harness', () => {
  test('passes what is right', () => check(doubling(RIGHT, RIGHT), { twice: true }));

  test('names the worst element of a wrong value', async () => {
    await expect(check(doubling('if (i < n) { y[i] = x[i] * select(2.0, 2.25, i == 2u); }'))).rejects.toThrow(
      'value with {"double":"variant 0"}: largest error 7.5e-1 > 1e-4 at [2] of [5]: GPU 6.75, reference 6',
    );
  });

  test('finds a fault in a variant that would not be chosen', async () => {
    await expect(check(doubling(RIGHT, 'if (i < n) { y[i] = x[i]; }'))).rejects.toThrow('value with {"double":"variant 1"');
  });

  test('sees a store beyond the shape', async () => {
    await expect(check(doubling('y[i] = 2.0 * x[min(i, n - 1u)];'))).rejects.toThrow('double#1 [5]: element 5, outside it, was written');
  });

  test('sees a load beyond the shape', async () => {
    await expect(check(doubling('if (i < n) { y[i] = x[i] + x[i + 1u] - x[i + 1u] + x[i]; }'))).rejects.toThrow('double#1 [5]: NaN at [4]');
  });

  test('sees an element left out', async () => {
    await expect(check(doubling('if (i + 1u < n) { y[i] = 2.0 * x[i]; }'))).rejects.toThrow('double#1 [5]: not written, or NaN, at [4]');
  });

  test('sees a wrong gradient', async () => {
    const wrong = { ...doubling(RIGHT), gradient: reluOperation.gradient as NonNullable<Operation<object>['gradient']> };
    await expect(check(wrong)).rejects.toThrow('gradient of input 0');
  });

  test('sees a gradient that is missing', async () => {
    await expect(check({ ...doubling(RIGHT), constant: true })).rejects.toThrow('gradient of input 0');
  });

  test('sees a wrong second derivative', async () => {
    const leaky: Operation<object> = {
      ...doubling(RIGHT),
      gradient: (_y, dy) => [apply({ ...doubling(RIGHT), name: 'doubleBackward', gradient: (_node, ddx) => [scale(ddx, 3)] }, [dy], {})],
    };
    await check(leaky);
    await expect(check(leaky, { twice: true })).rejects.toThrow('gradient of input 1');
  });
});

test('a failure reads as documented', () => {
  const expected = Array.from({ length: 40 }, () => 0.0867);
  const actual = expected.with(19, 0.2609);
  expect(() => expectClose(actual, expected, [4, 10], 1e-5, 'value')).toThrow(
    'value: largest error 1.7e-1 > 1e-5 at [1, 9] of [4, 10]: GPU 0.2609, reference 0.0867',
  );
  expect(() => expectClose([Number.NaN], [0], [1], 1, 'value')).toThrow('GPU NaN, reference 0');
  expect(() => expectClose([1, 2], [1], [2], 1, 'value')).toThrow('value: the reference has 1 elements and the GPU 2, but [2] has 2');
});
