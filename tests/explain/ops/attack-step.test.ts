import { describe, test } from 'vitest';
import { attackStep } from '../../../src/explain/ops/attack-step.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const reference = (x: number[], current: number[], gradient: number[], limits: number[]): number[] => {
  const [step, epsilon, low, high] = limits as [number, number, number, number];
  return x.map((value, i) => {
    const moved = (current[i] as number) + step * Math.sign(gradient[i] as number);
    return Math.min(Math.max(Math.min(Math.max(moved, value - epsilon), value + epsilon), low), high);
  });
};

describe('attackStep', () => {
  test.each([[[1]], [[3, 5]], [[67, 4]], [[2, 3, 7]]])('moves by the sign and stays in the ball and in the range, of %j', async (shape) => {
    for (const limits of [
      [0.5, 10, -10, 10],
      [-0.5, 0.3, -10, 10],
      [0.5, 10, -0.2, 0.4],
    ]) {
      await checkOperation({
        build: attackStep,
        inputs: [{ shape }, { shape }, { shape }, { shape: [4], values: limits }],
        reference,
        gradient: false,
      });
    }
  });

  test('leaves alone what has no gradient', async () => {
    await checkOperation({
      build: attackStep,
      inputs: [
        { shape: [3], values: [1, 2, 3] },
        { shape: [3], values: [1, 2, 3] },
        { shape: [3], values: [0, -0, 1e-30] },
        { shape: [4], values: [0.25, 1, -9, 9] },
      ],
      reference: () => [1, 2, 3.25],
      gradient: false,
    });
  });
});
