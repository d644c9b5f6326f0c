import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { meanOverRows, meanOverRowsBackward } from '../../../src/engine/ops/mean-over-rows.ts';
import { meanOverRowsReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, type Input } from './check-operation.ts';

failOnGpuErrors();

/** A training state in which `rows` rows are in use. */
const stateOf = (rows: number): Input => ({ shape: [32], dtype: 'uint32', values: (i) => (i === 2 ? rows : 0) });

describe('meanOverRows', () => {
  test.each([
    [1, 1],
    [1, 0],
    [5, 3],
    [5, 5],
    [63, 62],
    [64, 64],
    [65, 65],
    [257, 100],
    [1000, 999],
  ])('of %i rows, %i of them in use, its gradient and the gradient of that', async (capacity, rows) => {
    await checkOperation({ build: meanOverRows, inputs: [{ shape: [capacity] }, stateOf(rows)], reference, twice: true });
  });

  test('takes the whole buffer where the state claims more rows than it holds', async () => {
    await checkOperation({ build: meanOverRows, inputs: [{ shape: [5] }, stateOf(9)], reference });
  });

  test('does not see what lies in rows beyond those in use', async () => {
    await checkOperation({
      build: meanOverRows,
      inputs: [{ shape: [4], values: [1, 2, 3.4e38, -3.4e38] }, stateOf(2)],
      reference,
      gradient: false,
    });
  });

  test('refuses values that are not one a row, and what is no training state', () => {
    const graph = new Graph();
    const state = graph.placeholder('state', [32], 'uint32');
    expect(() => meanOverRows(graph.placeholder('values', [3, 2]), state)).toThrow(
      'meanOverRows: values are [3, 2]; they must be [rows].\nTo mend: reduce every row to one value first.',
    );
    expect(() => meanOverRows(graph.placeholder('values', [3]), graph.placeholder('state', [3], 'uint32'))).toThrow(
      'meanOverRows: state is [3]; it must be [32], the state of a training step.\nTo mend: give state the shape [32].',
    );
    expect(() => meanOverRows(graph.placeholder('values', [3]), graph.placeholder('state', [32]))).toThrow(
      'meanOverRows: state is float32 [32]; it must be uint32.\nTo mend: pass state as uint32.',
    );
  });
});

describe('meanOverRowsBackward', () => {
  test('of 70 rows, 65 of them in use, and its gradient', async () => {
    await checkOperation({
      build: (dy, state) => meanOverRowsBackward(dy, state, 70),
      inputs: [{ shape: [] }, stateOf(65)],
      reference: (dy) => Array.from({ length: 70 }, (_, row) => (row < 65 ? (dy[0] as number) / 65 : 0)),
    });
  });
});
