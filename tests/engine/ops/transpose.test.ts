import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { transpose } from '../../../src/engine/ops/transpose.ts';
import { transposeReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('transpose', () => {
  test.each([
    [[], []],
    [[1], [0]],
    [[13], [0]],
    [
      [2, 3],
      [1, 0],
    ],
    [
      [63, 65],
      [1, 0],
    ],
    [
      [2, 3, 5],
      [2, 0, 1],
    ],
    [
      [3, 2, 8],
      [1, 0, 2],
    ],
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
    [
      [2, 5, 3, 4],
      [0, 2, 1, 3],
    ],
    [
      [2, 3, 5, 4],
      [0, 2, 3, 1],
    ],
    [
      [1, 7, 1, 3],
      [3, 2, 1, 0],
    ],
  ])('of %j by %j, its gradient and the gradient of that', async (shape: number[], permutation: number[]) => {
    await checkOperation({
      build: (x) => transpose(x, permutation),
      inputs: [{ shape }],
      reference: reference(shape, permutation),
      tolerance: 0,
      gradientTolerance: 1e-5,
      twice: true,
    });
  });

  test('moves labels as well', async () => {
    await checkOperation({
      build: (x) => transpose(x, [1, 0]),
      inputs: [{ shape: [3, 5], dtype: 'uint32', range: [0, 4_000_000_000] }],
      reference: reference([3, 5], [1, 0]),
      tolerance: 0,
    });
  });

  test('exchanges the last two axes where no permutation is given', async () => {
    await checkOperation({
      build: (x) => transpose(x),
      inputs: [{ shape: [2, 3, 5] }],
      reference: reference([2, 3, 5], [0, 2, 1]),
      tolerance: 0,
      gradient: false,
    });
  });

  test('refuses what is no permutation, and more than four axes', () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [2, 3]);
    for (const permutation of [[0], [0, 0], [1, 2], [0, 1, 2]]) {
      expect(() => transpose(x, permutation)).toThrow(
        `transpose: the permutation [${permutation.join(', ')}] does not name each axis of [2, 3] once.\n` +
          'To mend: give the numbers 0 to 1 in the wanted order.',
      );
    }
    expect(() => transpose(graph.placeholder('x', [1, 2, 3, 4, 5]))).toThrow(
      'transpose: x is [1, 2, 3, 4, 5], of more than 4 axes.\nTo mend: reshape neighbouring axes that stay together into one.',
    );
  });
});
