import { describe, test } from 'vitest';
import { attackStep } from '../../../src/explain/ops/attack-step.ts';
import { attackStepReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

/** The same limits for every row but the step, which turns round at every second. */
const rows = (shape: readonly number[], [step = 0, ...others]: readonly number[]): number[] =>
  Array.from({ length: shape[0] as number }, (_, row) => [row % 2 === 1 ? -step : step, ...others]).flat();

describe('attackStep', () => {
  test.each([[[1]], [[3, 5]], [[67, 4]], [[2, 3, 7]]])('moves by the sign and stays in the ball and in the range, of %j', async (shape) => {
    for (const limits of [
      [0.5, 10, -10, 10],
      [-0.5, 0.3, -10, 10],
      [0.5, 10, -0.2, 0.4],
    ]) {
      await checkOperation({
        build: attackStep,
        inputs: [{ shape }, { shape }, { shape }, { shape: [shape[0] as number, 4], values: rows(shape, limits) }],
        reference: attackStepReference,
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
        { shape: [3, 4], values: rows([3], [0.25, 1, -9, 9]) },
      ],
      reference: () => [1, 2, 3.25],
      gradient: false,
    });
  });

  test('never leaves the ball, whatever the range', async () => {
    await checkOperation({
      build: attackStep,
      inputs: [
        { shape: [2, 2], values: [3, -2, 0.5, 1.2] },
        { shape: [2, 2], values: [3, -2, 0.5, 1.2] },
        { shape: [2, 2], values: [1, 1, 1, 1] },
        { shape: [2, 4], values: [0.25, 0.25, 0, 1, 0.25, 0.25, 0, 1] },
      ],
      reference: () => [2.75, -1.75, 0.75, 1],
      gradient: false,
    });
  });
});
