import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { affine, affineOperation, weightGradientKernels } from '../../../src/engine/ops/affine.ts';
import { relu } from '../../../src/engine/ops/relu.ts';
import { affineReference as reference } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation } from './check-operation.ts';

failOnGpuErrors();

// rows, inputs, outputs: the smallest, edges of both tiles, vec4 with edges, primes.
const sizes: [number, number, number][] = [
  [1, 1, 1],
  [3, 4, 5],
  [8, 8, 8],
  [9, 12, 20],
  [5, 16, 4],
  [17, 31, 13],
  [36, 68, 68],
];

// Kernels with barriers are slow to compile on a software adapter, and some tests meet many for the first time.
describe('affine', { timeout: 240_000 }, () => {
  test.each(sizes)('is x W + b for %i rows of %i inputs and %i outputs', async (rows, inputs, outputs) => {
    await checkOperation({
      build: affine,
      inputs: [{ shape: [rows, inputs] }, { shape: [inputs, outputs] }, { shape: [outputs] }],
      reference: (x, w = [], b = []) => reference(inputs, outputs, x as number[], w, b),
      twice: rows === 3,
    });
  });

  test('works on the last axis of any number', async () => {
    await checkOperation({
      build: affine,
      inputs: [{ shape: [2, 3, 4] }, { shape: [4, 8] }, { shape: [8] }],
      reference: (x, w = [], b = []) => reference(4, 8, x as number[], w, b),
    });
  });

  test.each(sizes)('goes through ReLU in the same step (%i rows, %i inputs, %i outputs)', async (rows, inputs, outputs) => {
    await checkOperation({
      build: (x, w, b) => relu(affine(x, w, b)),
      inputs: [
        { shape: [rows, inputs], gradient: false },
        { shape: [inputs, outputs], gradient: false },
        { shape: [outputs], gradient: false },
      ],
      reference: (x, w = [], b = []) => reference(inputs, outputs, x as number[], w, b).map((value) => Math.max(value, 0)),
      fused: affineOperation,
    });
  });

  test.each(sizes)('computes dW and db in one step (%i rows, %i inputs, %i outputs)', async (rows, inputs, outputs) => {
    await checkOperation({
      build: affine,
      inputs: [{ shape: [rows, inputs], gradient: false }, { shape: [inputs, outputs] }, { shape: [outputs] }],
      reference: (x, w = [], b = []) => reference(inputs, outputs, x as number[], w, b),
      fused: weightGradientKernels,
    });
  });

  test('refuses shapes that do not fit, naming all three', () => {
    const graph = new Graph();
    const [x, w, b] = [graph.placeholder('x', [2, 3]), graph.placeholder('w', [4, 5]), graph.placeholder('b', [5])];
    expect(() => affine(x, w, b)).toThrow(
      'affine: x is [2, 3], weight [4, 5] and bias [5]; they must be [..., inputs], [inputs, outputs] and [outputs].\n' +
        'To mend: flatten x to the inputs that the weight has, and give the bias one value an output.',
    );
  });
});
