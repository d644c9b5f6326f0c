import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { squaredError } from '../../../src/engine/ops/squared-error.ts';
import { squaredErrorReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('squaredError', () => {
  test.each([[[1]], [[1, 1]], [[3]], [[5, 4]], [[31, 3]], [[32, 8]], [[33, 13]], [[2, 63]], [[3, 65]], [[2, 3, 5, 8]], [[2, 257]]])(
    'of the shape %j, its gradients and the gradients of those',
    async (shape) => {
      await checkOperation({ build: squaredError, inputs: [{ shape }, { shape }], reference: reference(shape[0] as number), twice: true });
    },
  );

  test('is 0 where output and target are equal', async () => {
    const values = [80, -80, 1e-30, 0];
    await checkOperation({
      build: squaredError,
      inputs: [
        { shape: [2, 2], values },
        { shape: [2, 2], values },
      ],
      reference: reference(2),
    });
  });

  test('refuses a target of another shape, and scalars', () => {
    const graph = new Graph();
    expect(() => squaredError(graph.placeholder('output', [4, 3]), graph.placeholder('target', [4]))).toThrow(
      'squaredError: target is [4]; it must be [4, 3], the shape of the output.\nTo mend: give target the shape [4, 3].',
    );
    expect(() => squaredError(graph.placeholder('output', []), graph.placeholder('target', []))).toThrow(
      'squaredError: output is a scalar; it has no axis to work along.\nTo mend: give output an axis, as in [1].',
    );
  });
});
