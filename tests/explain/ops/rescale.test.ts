import { describe, test } from 'vitest';
import type { Node } from '../../../src/engine/graph.ts';
import { rescaleRelu, rescaleSmooth } from '../../../src/explain/ops/rescale.ts';
import { rescaleReluReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

describe('rescaleRelu', () => {
  test.each([[[1]], [[3, 5]], [[67, 4]], [[2, 3, 7]]])('passes Δy / Δx on, of %j', async (shape) => {
    await checkOperation({
      build: rescaleRelu,
      inputs: [{ shape }, { shape }, { shape }],
      reference: rescaleReluReference,
      gradient: false,
    });
  });

  test('is 1 or 0 on one side of 0, at equal inputs and at 0 too', async () => {
    await checkOperation({
      build: rescaleRelu,
      inputs: [
        { shape: [6], values: [2, 2, -1, -1, 0, 1e-30] },
        { shape: [6], values: [2, 1, -1, -3, 0, 2e-30] },
        { shape: [6], values: [3, 3, 3, 3, 3, 3] },
      ],
      reference: () => [3, 3, 0, 0, 0, 3],
      gradient: false,
    });
  });
});

describe('rescaleSmooth', () => {
  test('takes Δy / Δx, and the derivative half-way where Δx is small or 0', async () => {
    await checkOperation({
      build: (...[x, reference, y, yReference, dy, midpoint]) =>
        rescaleSmooth(
          { x, reference, y, yReference, dy, midpoint } as Record<'x' | 'reference' | 'y' | 'yReference' | 'dy' | 'midpoint', Node>,
          0.01,
        ),
      inputs: [
        { shape: [5], values: [1, 1, 1, 0.5, 3] },
        { shape: [5], values: [0, 1, 1.005, 0.52, 5] },
        { shape: [5], values: [4, 7, 7, 1, 2] },
        { shape: [5], values: [1, 9, 9, 2, 2] },
        { shape: [5], values: [2, 2, 2, 2, 2] },
        { shape: [5], values: [-1, -2, -3, -4, -5] },
      ],
      reference: () => [6, -2, -3, 2 * 50, 0],
      tolerance: 1e-4,
      gradient: false,
    });
  });
});
