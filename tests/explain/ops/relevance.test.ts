import { describe, test } from 'vitest';
import { alphaBetaShare, stabilisedQuotient } from '../../../src/explain/ops/relevance.ts';
import { stabilisedQuotientReference as reference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('stabilisedQuotient', () => {
  test.each([[[1]], [[3, 5]], [[2, 3, 7]], [[67, 4]]])('divides %j by sums kept away from 0, on their own side', async (shape) => {
    const inputs = [{ shape }, { shape, avoid: (z: number) => Math.abs(z) < 0.05 }, { shape: [1], values: [0.01] }];
    await checkOperation({ build: stabilisedQuotient, inputs, reference, gradient: false });
  });

  test('takes 0 as positive, and gives 0 where there is nothing to divide by', async () => {
    const relevance = { shape: [4], values: [1, 2, -3, 4] };
    const z = { shape: [4], values: [0, -0, 2, -2] };
    for (const epsilon of [0, 0.5]) {
      await checkOperation({
        build: stabilisedQuotient,
        inputs: [relevance, z, { shape: [1], values: [epsilon] }],
        reference: () => (epsilon === 0 ? [0, 0, -1.5, -2] : [2, 4, -1.2, -1.6]),
        gradient: false,
      });
    }
  });

  test('repeats sums of the last axes', async () => {
    const inputs = [{ shape: [3, 5] }, { shape: [5], values: [1, -1, 2, 0.5, -3] }, { shape: [1], values: [0] }];
    await checkOperation({ build: stabilisedQuotient, inputs, reference, gradient: false });
  });
});

describe('alphaBetaShare', () => {
  // Both parts; nothing against; nothing for; nothing at all.
  const relevance = { shape: [4], values: [6, 6, 6, 6] };
  const positive = { shape: [4], values: [3, 3, 0, 0] };
  const negative = { shape: [4], values: [-2, 0, -2, 0] };

  test.each([
    [2, 'positive', [4, 2, 0, 0]],
    [2, 'negative', [3, 0, -3, 0]],
    [1, 'positive', [2, 2, 0, 0]],
    [1, 'negative', [0, 0, -3, 0]],
  ] as const)('with α = %d gives the %s part its share, and all where the other is empty', async (alpha, part, expected) => {
    await checkOperation({
      build: (...[r, up, down, a]) => alphaBetaShare(r as never, up as never, down as never, a as never, part),
      inputs: [relevance, positive, negative, { shape: [1], values: [alpha] }],
      reference: () => [...expected],
      gradient: false,
    });
  });
});
