import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { argmax } from '../../../src/engine/ops/argmax.ts';
import { argmaxReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('argmax', () => {
  test.each([[[1]], [[1, 1]], [[5, 3]], [[31, 4]], [[32, 8]], [[33, 10]], [[3, 63]], [[3, 64]], [[3, 65]], [[2, 257]], [[2, 3, 5, 7]]])(
    'finds the largest of each row of %j',
    async (shape) => {
      await checkOperation({ build: argmax, inputs: [{ shape }], reference: reference(shape.at(-1) as number) });
    },
  );

  test('takes the lowest index of equals', async () => {
    await checkOperation({ build: argmax, inputs: [{ shape: [4, 68], values: () => -3 }], reference: () => [0, 0, 0, 0] });
    const twoPeaks = (i: number): number => ([5, 66, 67].includes(i % 68) ? 2 : -1);
    await checkOperation({ build: argmax, inputs: [{ shape: [4, 68], values: twoPeaks }], reference: () => [5, 5, 5, 5] });
    const late = (i: number): number => ([65, 66].includes(i % 68) ? 2 : -1);
    await checkOperation({ build: argmax, inputs: [{ shape: [4, 68], values: late }], reference: () => [65, 65, 65, 65] });
  });

  test('finds the largest of rows whose every element is very negative', async () => {
    await checkOperation({ build: argmax, inputs: [{ shape: [1, 4], values: [-3e38, -2e38, -1e38, -3.4e38] }], reference: () => [2] });
  });

  test('refuses a scalar', () => {
    expect(() => argmax(new Graph().placeholder('x', []))).toThrow(
      'argmax: x is a scalar; it has no axis to work along.\nTo mend: give x an axis, as in [1].',
    );
  });
});
