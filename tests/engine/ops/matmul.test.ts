import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { type MatmulAttributes, maskedProductKernels, matmul } from '../../../src/engine/ops/matmul.ts';
import { relu, reluBackward } from '../../../src/engine/ops/relu.ts';
import { matmulReference as reference, type ProductSizes as Sizes } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

const layouts: MatmulAttributes[] = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true },
  { transposeA: true, transposeB: false },
  { transposeA: true, transposeB: true },
];

// 1, a tile less one, a tile, a tile and one, primes; and what vec4 kernels need, with an edge in each direction.
const sizes: Sizes[] = [
  { rows: 1, inner: 1, cols: 1 },
  { rows: 3, inner: 5, cols: 2 },
  { rows: 4, inner: 4, cols: 4 },
  { rows: 7, inner: 9, cols: 15 },
  { rows: 8, inner: 8, cols: 8 },
  { rows: 9, inner: 17, cols: 33 },
  { rows: 12, inner: 20, cols: 36 },
  { rows: 36, inner: 12, cols: 44 },
  { rows: 31, inner: 37, cols: 29 },
  { rows: 16, inner: 4, cols: 16 },
  { rows: 20, inner: 8, cols: 132 },
  { rows: 132, inner: 36, cols: 68 },
];

// Kernels with barriers are slow to compile on a software adapter, and some tests meet many for the first time.
describe('matmul', { timeout: 240_000 }, () => {
  for (const layout of layouts) {
    for (const size of sizes) {
      const { rows, inner, cols } = size;
      const name = `${layout.transposeA ? 'aᵀ' : 'a'} ${layout.transposeB ? 'bᵀ' : 'b'}`;
      test(`${name} of [${rows}, ${inner}] and [${inner}, ${cols}]`, async () => {
        await checkOperation({
          build: (a, b) => matmul(a, b, layout),
          inputs: [
            { shape: layout.transposeA ? [inner, rows] : [rows, inner] },
            { shape: layout.transposeB ? [cols, inner] : [inner, cols] },
          ],
          reference: (a, b = []) => reference(size, layout, a as number[], b),
          tolerance: 1e-5,
          twice: rows === 3,
        });
      });
    }
  }

  test.each(layouts)('multiplies many matrices at a time (%j)', async (layout) => {
    const size = { rows: 12, inner: 8, cols: 20, batch: 6 };
    await checkOperation({
      build: (a, b) => matmul(a, b, layout),
      inputs: [{ shape: layout.transposeA ? [2, 3, 8, 12] : [2, 3, 12, 8] }, { shape: layout.transposeB ? [2, 3, 20, 8] : [2, 3, 8, 20] }],
      reference: (a, b = []) => reference(size, layout, a as number[], b),
    });
  });

  test('uses one matrix for all of a batch, and sums its gradient', async () => {
    const layout = { transposeA: false, transposeB: false };
    await checkOperation({
      build: (a, b) => matmul(a, b),
      inputs: [{ shape: [3, 5, 4] }, { shape: [4, 8] }],
      reference: (a, b = []) => reference({ rows: 5, inner: 4, cols: 8, batch: 3 }, layout, a as number[], b),
    });
  });

  test('refuses inner axes that differ', () => {
    const graph = new Graph();
    expect(() => matmul(graph.placeholder('a', [2, 3]), graph.placeholder('b', [4, 5]))).toThrow(
      'matmul: a is [2, 3] but b is [4, 5]; the inner axes (3 and 4) differ.\nTo mend: make b have as many rows as a has columns, or transpose one of them.',
    );
  });

  test('refuses a vector and leading axes that differ', () => {
    const graph = new Graph();
    expect(() => matmul(graph.placeholder('a', [3]), graph.placeholder('b', [3, 5]))).toThrow(
      'matmul: a is [3] and b is [3, 5]; both need two axes.',
    );
    expect(() => matmul(graph.placeholder('a', [2, 4, 3]), graph.placeholder('b', [5, 3, 4]))).toThrow('the leading axes differ.');
  });
});

describe('a product masked by a ReLU in the same step', { timeout: 240_000 }, () => {
  test.each([
    { rows: 1, inner: 1, cols: 1 },
    { rows: 7, inner: 3, cols: 5 },
    { rows: 8, inner: 8, cols: 8 },
    { rows: 9, inner: 12, cols: 36 },
    { rows: 33, inner: 10, cols: 17 },
  ])('is the product where the gate is open, else 0 (%j)', async (size) => {
    const layout = { transposeA: false, transposeB: true };
    await checkOperation({
      build: (gate, a, b) => reluBackward(relu(gate), matmul(a, b, layout)),
      inputs: [
        { shape: [size.rows, size.cols], avoid: (x) => Math.abs(x) < 1e-2, gradient: false },
        { shape: [size.rows, size.inner], gradient: false },
        { shape: [size.cols, size.inner], gradient: false },
      ],
      reference: (gate, a = [], b = []) =>
        reference(size, layout, a, b).map((value, i) => (((gate as number[])[i] as number) > 0 ? value : 0)),
      fused: maskedProductKernels,
    });
  });
});
