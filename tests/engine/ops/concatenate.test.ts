import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { concatenate } from '../../../src/engine/ops/concatenate.ts';
import { concatenateReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('concatenate', () => {
  test.each([
    { axis: 0, shapes: [[1], [1]] },
    { axis: 0, shapes: [[3]] },
    { axis: 0, shapes: [[63], [2], [64]] },
    {
      axis: 0,
      shapes: [
        [2, 3],
        [1, 3],
      ],
    },
    {
      axis: 1,
      shapes: [
        [2, 3],
        [2, 5],
        [2, 1],
        [2, 4],
      ],
    },
    {
      axis: 1,
      shapes: [
        [3, 4],
        [3, 8],
      ],
    },
    {
      axis: 1,
      shapes: [
        [2, 1, 3, 4],
        [2, 5, 3, 4],
      ],
    },
    {
      axis: 3,
      shapes: [
        [2, 1, 3, 4],
        [2, 1, 3, 13],
      ],
    },
  ])('joins $shapes along axis $axis; its gradients and the gradients of those', async ({ axis, shapes }) => {
    await checkOperation({
      build: (...parts) => concatenate(parts, axis),
      inputs: shapes.map((shape) => ({ shape })),
      reference: reference(shapes, axis),
      tolerance: 0,
      gradientTolerance: 1e-5,
      twice: true,
    });
  });

  test('joins a tensor with itself', async () => {
    await checkOperation({
      build: (x) => concatenate([x, x], 0),
      inputs: [{ shape: [5] }],
      reference: (x) => [...(x as number[]), ...(x as number[])],
    });
  });

  test('joins labels as well', async () => {
    await checkOperation({
      build: (a, b) => concatenate([a, b], 0),
      inputs: [
        { shape: [3], dtype: 'uint32', range: [0, 4_000_000_000] },
        { shape: [2], dtype: 'uint32', range: [0, 4_000_000_000] },
      ],
      reference: reference([[3], [2]], 0),
      tolerance: 0,
    });
  });

  test('refuses shapes that differ in another axis, and a mixture of types', () => {
    const graph = new Graph();
    const a = graph.placeholder('a', [2, 3]);
    expect(() => concatenate([a, graph.placeholder('b', [3, 3])], 1)).toThrow(
      'concatenate: a is [2, 3] and b is [3, 3]; along axis 1 they cannot be joined.\n' +
        'To mend: give tensors of at most 4 axes that agree in every axis but the one they are joined along.',
    );
    expect(() => concatenate([a, a], 2)).toThrow('concatenate: a is [2, 3] and b is [2, 3]; along axis 2 they cannot be joined.');
    expect(() => concatenate([a, graph.placeholder('b', [2, 3], 'uint32')], 0)).toThrow(
      'concatenate: b is uint32 [2, 3]; it must be float32.\nTo mend: pass b as float32.',
    );
  });
});
