import { describe, test } from 'vitest';
import { noisyRows } from '../../../src/explain/ops/noisy-rows.ts';
import { noisyRowsReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const STREAM = 5;

describe('noisyRows', () => {
  test.each([
    ['normal', 1, [1], 1],
    ['normal', 3, [7], 5],
    ['normal', 2, [4, 5], 13],
    ['uniform', 2, [6], 4],
    ['uniform', 1, [65], 3],
  ] as const)('adds %s noise to %i examples of %j, %i copies each, as the CPU twin draws it', async (noise, examples, shape, samples) => {
    const width = shape.reduce((a: number, b: number) => a * b, 1);
    const first = 3;
    const seed = 9;
    await checkOperation({
      build: (x, deviation, drawn) => noisyRows(x as never, deviation as never, drawn as never, { samples, stream: STREAM, noise }),
      inputs: [
        { shape: [examples, ...shape] },
        { shape: [examples], range: [0, 2] },
        { shape: [3], dtype: 'uint32', values: [seed, first, samples] },
      ],
      reference: noisyRowsReference(examples, samples, width, { noise, seed, stream: STREAM, first }),
      gradient: false,
      // WGSL asks no more of log than 2⁻²¹ near 1, and of cos than 2⁻¹¹.
      tolerance: 1e-3,
    });
  });
});
