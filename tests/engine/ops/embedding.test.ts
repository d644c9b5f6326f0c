import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { embedding, embeddingBackward } from '../../../src/engine/ops/embedding.ts';
import { embeddingReference as rowsRead } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

describe('embedding', () => {
  test.each([
    [1, 1, [1]],
    [2, 1, [3]],
    [5, 4, [7]],
    [13, 3, [2, 31]],
    [65, 8, [3, 5]],
    [3, 64, [4]],
    [7, 65, [2, 2, 2]],
    [4, 3, []],
  ])('of a table [%i, %i] by indices %j, its gradient and the gradient of that', async (rows, width, shape) => {
    await checkOperation({
      build: embedding,
      inputs: [
        { shape: [rows, width] },
        // Rows are read several times, and not at all.
        { shape, dtype: 'uint32', range: [0, rows] },
      ],
      reference: rowsRead(width),
      twice: true,
    });
  });

  test('gives zeros, and passes no gradient, for an index that names no row', async () => {
    for (const width of [3, 4]) {
      await checkOperation({
        build: embedding,
        inputs: [{ shape: [2, width] }, { shape: [4], dtype: 'uint32', values: [1, 2, 0, 4_000_000_000] }],
        reference: rowsRead(width),
        twice: true,
      });
    }
  });

  test('refuses a table that has not two axes, and indices that are no whole numbers', () => {
    const graph = new Graph();
    const indices = graph.placeholder('indices', [3], 'uint32');
    expect(() => embedding(graph.placeholder('table', [6]), indices)).toThrow(
      'embedding: the table is [6]; it must be [rows, width].\nTo mend: reshape the table to two axes.',
    );
    expect(() => embedding(graph.placeholder('table', [2, 3]), graph.placeholder('indices', [3]))).toThrow(
      'embedding: indices is float32 [3]; it must be uint32.\nTo mend: pass indices as uint32.',
    );
  });
});

describe('embeddingBackward', () => {
  test.each([3, 4])('sums the rows of width %i that were read from the same place', async (width) => {
    await checkOperation({
      build: (dy, indices) => embeddingBackward(dy, indices, 5),
      inputs: [{ shape: [2, 6, width] }, { shape: [2, 6], dtype: 'uint32', values: (i) => [4, 0, 0, 2][i % 4] as number }],
      reference: (dy, indices = []) => {
        const table = Array<number>(5 * width).fill(0);
        indices.forEach((index, i) => {
          for (let col = 0; col < width; col++) table[index * width + col]! += (dy as number[])[i * width + col] as number;
        });
        return table;
      },
    });
  });

  test('refuses an adjoint that is not a row for each index', () => {
    const graph = new Graph();
    expect(() => embeddingBackward(graph.placeholder('dy', [2, 4]), graph.placeholder('indices', [3], 'uint32'), 5)).toThrow(
      'embeddingBackward: dy is [2, 4]; it must be [3, 4], a row for each index.\nTo mend: give dy the shape [3, 4].',
    );
  });
});
