import { describe, test } from 'vitest';
import { multiply } from '../../../src/engine/ops/arithmetic.ts';
import { sigmoid, sigmoidBackward } from '../../../src/engine/ops/sigmoid.ts';
import { sigmoid as logistic } from '../reference.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const reference = (x: number[]): number[] => x.map(logistic);

describe('sigmoid', () => {
  test.each([[[]], [[1]], [[63]], [[64]], [[65]], [[7, 37]], [[3, 5, 8]]])('matches the reference in the shape %j', async (shape) => {
    await checkOperation({ build: sigmoid, inputs: [{ shape }], reference, twice: true });
  });

  test('is 0 or 1 far from 0, with no NaN', async () => {
    await checkOperation({ build: sigmoid, inputs: [{ shape: [6], values: [20, -20, 100, -100, 1e30, -1e30] }], reference });
  });

  test('keeps its digits where it is small', async () => {
    const values = [-10, -20, -40, -60];
    await checkOperation({
      build: (x, inverse) => multiply(sigmoid(x), inverse),
      inputs: [
        { shape: [4], values },
        { shape: [4], values: values.map((x) => 1 / logistic(x)) },
      ],
      reference: () => [1, 1, 1, 1],
      gradient: false,
    });
  });
});

describe('sigmoidBackward', () => {
  test.each([[[1]], [[65]], [[5, 12]]])('is dy y (1 − y) in the shape %j', async (shape) => {
    await checkOperation({
      build: sigmoidBackward,
      inputs: [{ shape, range: [0, 1] }, { shape }],
      reference: (y, dy = []) => y.map((value, i) => (dy[i] as number) * value * (1 - value)),
    });
  });
});
