import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { logSoftmax, logSoftmaxBackward } from '../../../src/engine/ops/log-softmax.ts';
import { logSoftmaxBackwardReference, logSoftmaxReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('logSoftmax', () => {
  test.each([
    [[1]],
    [[2]],
    [[1, 1]],
    [[3, 4]],
    [[5, 3]],
    [[31, 10]],
    [[32, 16]],
    [[33, 17]],
    [[2, 63]],
    [[3, 64]],
    [[2, 65]],
    [[2, 3, 5, 8]],
    [[2, 257]],
  ])('of the shape %j, its gradient and the gradient of that', async (shape) => {
    const columns = shape.at(-1) as number;
    await checkOperation({ build: logSoftmax, inputs: [{ shape }], reference: reference(columns), twice: true });
  });

  test('stays finite where the softmax is 0, at ±80 and at ±1e30, and for equal elements', async () => {
    const rows = [
      [80, -80, 0, 79],
      [-80, -80, -80, -80],
      [0, 0, 0, 0],
      [-80, 80, 80.5, 81],
    ];
    for (const width of [3, 4]) {
      await checkOperation({
        build: logSoftmax,
        inputs: [{ shape: [4, width], values: rows.flatMap((row) => row.slice(0, width)) }],
        reference: reference(width),
        gradient: false,
      });
    }
    await checkOperation({
      build: logSoftmax,
      inputs: [{ shape: [3], values: [1e30, -1e30, 0] }],
      reference: reference(3),
      gradient: false,
    });
  });

  test('refuses a scalar', () => {
    expect(() => logSoftmax(new Graph().placeholder('x', []))).toThrow(
      'logSoftmax: x is a scalar; it has no axis to work along.\nTo mend: give x an axis, as in [1].',
    );
  });
});

describe('logSoftmaxBackward', () => {
  test.each([[[1]], [[3, 4]], [[33, 10]], [[2, 65]], [[2, 3, 4, 12]]])('of the shape %j, from y and dy', async (shape) => {
    const columns = shape.at(-1) as number;
    await checkOperation({
      build: logSoftmaxBackward,
      inputs: [{ shape }, { shape }],
      reference: logSoftmaxBackwardReference(columns),
      // exp of numbers that are no logarithms of probabilities.
      tolerance: 1e-4,
      twice: true,
    });
  });

  test('refuses an adjoint of another shape', () => {
    const graph = new Graph();
    expect(() => logSoftmaxBackward(graph.placeholder('y', [2, 3]), graph.placeholder('dy', [2, 1]))).toThrow(
      'logSoftmaxBackward: dy is [2, 1]; it must be [2, 3], the shape of y.\nTo mend: give dy the shape [2, 3].',
    );
  });
});
