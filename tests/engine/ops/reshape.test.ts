import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { Graph } from '../../../src/engine/graph.ts';
import { add, multiply } from '../../../src/engine/ops/arithmetic.ts';
import { reshape } from '../../../src/engine/ops/reshape.ts';
import { failOnGpuErrors, testDevice } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('reshape', () => {
  test.each([
    [[1], []],
    [[], [1, 1]],
    [
      [2, 3, 4],
      [6, 4],
    ],
    [[13], [13, 1]],
    [
      [2, 3, 2, 2],
      [4, 6],
    ],
  ])('of %j to %j, between two products, and its gradients', async (shape, wanted) => {
    await checkOperation({
      build: (x) => {
        const view = reshape(multiply(x, x), wanted);
        return multiply(view, view);
      },
      inputs: [{ shape }],
      reference: (x) => (x as number[]).map((value) => value ** 4),
      twice: true,
    });
  });

  test('runs no kernel, and is the tensor itself where the shape does not change', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [2, 3]);
    const sum = add(x, x);
    const view = reshape(sum, [6]);
    const plan = await compile(await testDevice(), [view]);
    plan.tensor(x).write(Float32Array.of(1, 2, 3, 4, 5, 6));
    plan.run();
    expect([...(await plan.tensor(view).read())]).toEqual([2, 4, 6, 8, 10, 12]);
    expect(plan.steps).toHaveLength(1);
    expect(plan.tensor(view).shape).toEqual([6]);
    expect(reshape(x, [2, 3])).toBe(x);
    plan.dispose();
  });

  test('refuses a shape of another number of elements', () => {
    expect(() => reshape(new Graph().placeholder('x', [2, 3]), [4, 2])).toThrow(
      'reshape: x is [2, 3], 6 elements; [4, 2] holds 8.\n' + 'To mend: give a shape whose axes multiply to the number of elements.',
    );
  });
});
