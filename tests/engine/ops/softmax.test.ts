import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { softmax, softmaxBackward } from '../../../src/engine/ops/softmax.ts';
import { softmaxBackwardReference as backwardReference, softmaxReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('softmax', () => {
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
    await checkOperation({ build: softmax, inputs: [{ shape }], reference: reference(columns), twice: true });
  });

  test('stays finite at ±80 and at ±1e30, and gives equal elements equal probabilities', async () => {
    const rows = [
      [80, -80, 0, 79],
      [-80, -80, -80, -80],
      [1e30, -1e30, 0, 1e30],
      [0, 0, 0, 0],
      [-80, 80, 80.5, 81],
    ];
    for (const width of [3, 4]) {
      await checkOperation({
        build: softmax,
        inputs: [{ shape: [5, width], values: rows.flatMap((row) => row.slice(0, width)) }],
        reference: reference(width),
        gradient: false,
      });
    }
  });

  test('gives 0 to what is masked with the lowest float', async () => {
    const lowest = -3.4028234663852886e38;
    await checkOperation({
      build: softmax,
      inputs: [{ shape: [2, 4], values: [1, lowest, 2, lowest, lowest, lowest, lowest, 0.5] }],
      reference: reference(4),
      gradient: false,
    });
  });

  test('finds its row where more than 65,535 workgroups fold into y', async () => {
    await checkOperation({ build: softmax, inputs: [{ shape: [65_537, 2] }], reference: reference(2), gradient: false });
  });

  test('refuses a scalar', () => {
    expect(() => softmax(new Graph().placeholder('x', []))).toThrow(
      'softmax: x is a scalar; it has no axis to work along.\nTo mend: give x an axis, as in [1].',
    );
  });

  test('refuses labels', () => {
    expect(() => softmax(new Graph().placeholder('x', [3], 'uint32'))).toThrow(
      'softmax: x is uint32 [3]; it must be float32.\nTo mend: pass x as float32.',
    );
  });
});

describe('softmaxBackward', () => {
  test.each([[[1]], [[3, 4]], [[33, 10]], [[2, 65]], [[2, 3, 4, 12]]])('of the shape %j, from y and dy', async (shape) => {
    const columns = shape.at(-1) as number;
    await checkOperation({ build: softmaxBackward, inputs: [{ shape }, { shape }], reference: backwardReference(columns), twice: true });
  });

  test('refuses an adjoint of another shape', () => {
    const graph = new Graph();
    expect(() => softmaxBackward(graph.placeholder('y', [2, 3]), graph.placeholder('dy', [3, 2]))).toThrow(
      'softmaxBackward: dy is [3, 2]; it must be [2, 3], the shape of y.\nTo mend: give dy the shape [2, 3].',
    );
  });
});
