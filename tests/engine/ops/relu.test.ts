import { describe, test } from 'vitest';
import { relu, reluBackward } from '../../../src/engine/ops/relu.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const reference = (x: number[]): number[] => x.map((value) => Math.max(0, value));
const nearKink = (x: number): boolean => Math.abs(x) < 1e-2;

describe('relu', () => {
  test.each([[[]], [[1]], [[3]], [[4]], [[63]], [[64]], [[65]], [[256]], [[7, 37]], [[2, 3, 5, 8]]])(
    'rectifies the shape %j',
    async (shape) => {
      await checkOperation({ build: relu, inputs: [{ shape, avoid: nearKink }], reference, twice: true });
    },
  );

  test('is 0 at 0, at −0 and far below, and x far above', async () => {
    await checkOperation({ build: relu, inputs: [{ shape: [5], values: [0, -0, -1e30, 1e30, 1e-30] }], reference, gradient: false });
  });
});

describe('reluBackward', () => {
  test.each([[[1]], [[65]], [[5, 12]]])('passes dy on where the output %j is above 0', async (shape) => {
    await checkOperation({
      build: reluBackward,
      inputs: [{ shape, avoid: nearKink }, { shape }],
      reference: (y, dy = []) => dy.map((value, i) => (((y as number[])[i] as number) > 0 ? value : 0)),
    });
  });

  test('passes nothing where the output is 0', async () => {
    await checkOperation({
      build: reluBackward,
      inputs: [
        { shape: [3], values: [0, 1e-30, 2] },
        { shape: [3], values: [5, 6, 7] },
      ],
      reference: () => [0, 6, 7],
      gradient: false,
    });
  });
});
