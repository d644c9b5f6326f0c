import { describe, test } from 'vitest';
import { divide } from '../../../src/engine/ops/arithmetic.ts';
import { tanh, tanhBackward } from '../../../src/engine/ops/tanh.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const reference = (x: number[]): number[] => x.map(Math.tanh);

describe('tanh', () => {
  test.each([[[]], [[1]], [[63]], [[64]], [[65]], [[7, 37]], [[3, 5, 8]]])('matches the reference in the shape %j', async (shape) => {
    await checkOperation({ build: tanh, inputs: [{ shape }], reference, twice: true });
  });

  test('is right to 1e-6 of itself near 0, where WGSL loses its digits', async () => {
    const values = [1e-3, -1e-3, 1e-2, 0.1, 0.3, 0.6249, 0.6251, -0.7];
    await checkOperation({
      build: (x) => divide(tanh(x), x),
      inputs: [{ shape: [8], values }],
      reference: (x) => x.map((value) => Math.tanh(value) / value),
      tolerance: 1e-6,
      gradient: false,
    });
  });

  test('is ±1 far from 0, with no NaN', async () => {
    await checkOperation({ build: tanh, inputs: [{ shape: [6], values: [9, -9, 90, -90, 1e30, -1e30] }], reference });
  });
});

describe('tanhBackward', () => {
  test.each([[[1]], [[65]], [[5, 12]]])('is dy (1 − y²) in the shape %j', async (shape) => {
    await checkOperation({
      build: tanhBackward,
      inputs: [{ shape, range: [-1, 1] }, { shape }],
      reference: (y, dy = []) => y.map((value, i) => (dy[i] as number) * (1 - value * value)),
    });
  });
});
