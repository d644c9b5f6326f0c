import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { layerNorm, normalise } from '../../../src/engine/ops/layer-norm.ts';
import { normaliseReference, layerNormReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('layerNorm', () => {
  test.each([[[1]], [[4]], [[1, 3]], [[5, 4]], [[31, 8]], [[33, 10]], [[2, 63]], [[3, 64]], [[2, 65]], [[2, 3, 5, 8]], [[2, 257]]])(
    'of the shape %j, its three gradients and the gradients of those',
    async (shape) => {
      const columns = shape.at(-1) as number;
      // Rows of two or three elements may lie so close together that 1 / deviation is large; a large ε keeps the derivatives near 1.
      const epsilon = columns < 8 ? 0.5 : 1e-5;
      await checkOperation({
        build: (x, scale, bias) => layerNorm(x, scale, bias, { epsilon }),
        inputs: [{ shape }, { shape: [columns] }, { shape: [columns] }],
        reference: reference(columns, epsilon),
        twice: true,
      });
    },
  );

  test('does not lose the variance of rows far from 0', async () => {
    // E[x²] − E[x]² would have no digit left: 1e8 against 1.
    for (const columns of [64, 65]) {
      await checkOperation({
        build: (x, scale, bias) => layerNorm(x, scale, bias),
        inputs: [
          { shape: [2, columns], values: (i) => 10_000 + Math.sin(i) },
          { shape: [columns], values: () => 1 },
          { shape: [columns], values: () => 0 },
        ],
        reference: reference(columns, 1e-5),
        // The mean of numbers near 10,000 is rounded to about 1e-3.
        tolerance: 1e-3,
        gradient: false,
      });
    }
  });

  test('gives the bias for a row of equal elements, and does not divide by 0', async () => {
    for (const columns of [3, 4]) {
      await checkOperation({
        build: (x, scale, bias) => layerNorm(x, scale, bias),
        inputs: [
          { shape: [3, columns], values: (i) => [-80, 0, 80][Math.floor(i / columns)] as number },
          { shape: [columns] },
          { shape: [columns] },
        ],
        reference: reference(columns, 1e-5),
        gradient: false,
      });
    }
  });

  test('refuses a scale of another width', () => {
    const graph = new Graph();
    const row = graph.placeholder('bias', [3]);
    expect(() => layerNorm(graph.placeholder('x', [2, 3]), graph.placeholder('scale', [2]), row)).toThrow(
      'layerNorm: scale is [2]; it must be [3], the last axis of x.\nTo mend: give scale the shape [3].',
    );
    expect(() => layerNorm(graph.placeholder('x', [2, 3]), row, graph.placeholder('bias', [1, 3]))).toThrow(
      'layerNorm: bias is [1, 3]; it must be [3], the last axis of x.\nTo mend: give bias the shape [3].',
    );
  });

  test('refuses a scalar and a negative ε', () => {
    const graph = new Graph();
    const scalar = graph.placeholder('x', []);
    expect(() => layerNorm(scalar, scalar, scalar)).toThrow(
      'layerNorm: x is a scalar; it has no axis to work along.\nTo mend: give x an axis, as in [1].',
    );
    expect(() => layerNorm(scalar, scalar, scalar, { epsilon: -1 })).toThrow(
      'epsilon is -1; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    );
  });
});

describe('normalise', () => {
  test.each([[[2, 12]], [[3, 13]]])('gives rows of %j mean 0 and variance 1', async (shape) => {
    const columns = shape.at(-1) as number;
    await checkOperation({
      build: (x) => normalise(x),
      inputs: [{ shape }],
      reference: normaliseReference(columns, 1e-5),
      twice: true,
    });
  });
});
