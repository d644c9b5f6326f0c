import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { apply, Graph, type Node } from '../../../src/engine/graph.ts';
import type { Operation, TensorType } from '../../../src/engine/operation.ts';
import { crossEntropy, crossEntropyBackward, crossEntropyTrainingKernels, hits } from '../../../src/engine/ops/cross-entropy.ts';
import { meanOverRows } from '../../../src/engine/ops/mean-over-rows.ts';
import { crossEntropyGradient as gradientOf, crossEntropyRows as rowsOf } from '../../../src/engine/reference/operations.ts';
import { failOnGpuErrors, testDevice } from '../test-device.ts';
import { checkOperation, type Input } from './check-operation.ts';

failOnGpuErrors();

const labelsOf = (rows: number, classes: number): Input => ({ shape: [rows], dtype: 'uint32', range: [0, classes] });

const extremes: readonly [Input, Input] = [
  {
    shape: [6, 3],
    values: [80, -80, 0, 80, -80, 0, 0, 0, 0, -80, -80, -80, 1e30, -1e30, 0, 1, 2, 3],
  },
  // The last label names no class.
  { shape: [6], dtype: 'uint32', values: [0, 1, 2, 0, 0, 3] },
];

const sizes = [
  [1, 1],
  [1, 2],
  [3, 4],
  [5, 10],
  [31, 16],
  [33, 17],
  [32, 3],
  [2, 131],
];

describe('crossEntropy', () => {
  test.each(sizes)('of %i rows of %i classes, its gradient and the gradient of that', async (rows, classes) => {
    await checkOperation({
      build: crossEntropy,
      inputs: [{ shape: [rows, classes] }, labelsOf(rows, classes)],
      reference: (logits, labels = []) => rowsOf(logits as number[], labels).map(({ loss }) => loss),
      twice: true,
    });
  });

  test('stays finite at ±80 and 1e30, for equal logits, and ignores a label that names no class', async () => {
    await checkOperation({
      build: crossEntropy,
      inputs: extremes,
      reference: (logits, labels = []) => rowsOf(logits as number[], labels).map(({ loss }) => loss),
      gradient: false,
    });
  });

  test('keeps the digits of a loss near 0', async () => {
    // Probability first, logarithm after, would round 1 − 3e-8 to 1.
    await checkOperation({
      build: crossEntropy,
      inputs: [
        { shape: [1, 2], values: [12, 0] },
        { shape: [1], dtype: 'uint32', values: [0] },
      ],
      reference: () => [Math.log1p(Math.exp(-12))],
      tolerance: 1e-6,
      gradient: false,
    });
  });

  test('ignores a label that names no class when it is differentiated, once and twice', async () => {
    await checkOperation({
      build: crossEntropy,
      inputs: [{ shape: [4, 3] }, { shape: [4], dtype: 'uint32', values: [0, 3, 2, 4_000_000_000] }],
      reference: (logits, labels = []) => rowsOf(logits as number[], labels).map(({ loss }) => loss),
      twice: true,
    });
  });

  test('refuses logits that are no rows, and labels that are not one a row', () => {
    const graph = new Graph();
    const labels = graph.placeholder('labels', [4], 'uint32');
    expect(() => crossEntropy(graph.placeholder('logits', [4, 2, 3]), labels)).toThrow(
      'crossEntropy: logits are [4, 2, 3]; they must be [rows, classes].\n' +
        'To mend: reshape the logits so that every prediction is a row.',
    );
    expect(() => crossEntropy(graph.placeholder('logits', [5, 3]), labels)).toThrow(
      'crossEntropy: labels is [4]; it must be [5], one label for each row of the logits.\nTo mend: give labels the shape [5].',
    );
    expect(() => crossEntropy(graph.placeholder('logits', [4, 3]), graph.placeholder('labels', [4]))).toThrow(
      'crossEntropy: labels is float32 [4]; it must be uint32.\nTo mend: pass labels as uint32.',
    );
  });
});

describe('crossEntropyBackward', () => {
  test.each(sizes)('of %i rows of %i classes, and its gradients', async (rows, classes) => {
    await checkOperation({
      build: crossEntropyBackward,
      inputs: [{ shape: [rows, classes] }, labelsOf(rows, classes), { shape: [rows] }],
      reference: (logits, labels = [], dLoss = []) =>
        rowsOf(logits as number[], labels).flatMap((row, r) => gradientOf(row, dLoss[r] as number)),
      twice: true,
    });
  });

  test('stays finite at extremes', async () => {
    await checkOperation({
      build: crossEntropyBackward,
      inputs: [...extremes, { shape: [6] }],
      reference: (logits, labels = [], dLoss = []) =>
        rowsOf(logits as number[], labels).flatMap((row, r) => gradientOf(row, dLoss[r] as number)),
      gradient: false,
    });
  });
});

describe('hits', () => {
  test.each(sizes)('of %i rows of %i classes', async (rows, classes) => {
    await checkOperation({
      build: hits,
      inputs: [{ shape: [rows, classes] }, labelsOf(rows, Math.min(classes, 3))],
      reference: (logits, labels = []) => rowsOf(logits as number[], labels).map(({ hit }) => hit),
      gradient: false,
    });
  });

  test('counts the first of equal logits, and no label that names no class', async () => {
    await checkOperation({
      build: hits,
      inputs: [
        { shape: [5, 3], values: [1, 1, 0, 1, 1, 0, 0, 2, 2, 5, 5, 5, 0, 0, 0] },
        { shape: [5], dtype: 'uint32', values: [0, 1, 1, 2, 3] },
      ],
      reference: () => [1, 0, 1, 0, 0],
      gradient: false,
    });
  });
});

describe('crossEntropyTrainingKernels', () => {
  // The harness knows operations of one output: this one writes loss, hits and gradient in place, and returns the chosen one.
  const returning = (output: 3 | 4 | 5): ((...inputs: Node[]) => Node) => {
    const operation: Operation<object> = {
      ...crossEntropyTrainingKernels,
      infer: (inputs) => inputs[output] as TensorType,
      writes: [output, ...[3, 4, 5].filter((i) => i !== output)],
      constant: true,
    };
    return (...inputs) => apply(operation, inputs, {});
  };

  const check = async (logits: Input, labels: Input, inUse: number): Promise<void> => {
    const [rows, classes] = logits.shape as [number, number];
    const state: Input = { shape: [32], dtype: 'uint32', values: (i) => (i === 2 ? inUse : 0) };
    const unwritten = (shape: number[]): Input => ({ shape, values: () => 77 });
    const all = (values: number[], wanted: number[]) =>
      rowsOf(values, wanted).map((row, r) =>
        r < inUse
          ? { loss: row.loss, hit: row.hit, gradient: gradientOf(row, 1 / Math.min(inUse, rows)) }
          : { loss: 0, hit: 0, gradient: row.probabilities.map(() => 0) },
      );
    const inputs = [logits, labels, state, unwritten([rows]), unwritten([rows]), unwritten([rows, classes])];
    for (const [output, pick] of [
      [3, 'loss'],
      [4, 'hit'],
      [5, 'gradient'],
    ] as const) {
      await checkOperation({
        build: returning(output),
        inputs,
        reference: (values, wanted = []) => all(values as number[], wanted).flatMap((row) => row[pick]),
        gradient: false,
      });
    }
  };

  test.each([
    [1, 1, 1],
    [3, 2, 3],
    [5, 4, 3],
    [31, 10, 31],
    [33, 10, 32],
    [32, 15, 32],
    [7, 16, 7],
    [7, 17, 6],
    [3, 131, 2],
    [2, 3, 0],
  ])('of %i rows of %i classes, of which %i rows are in use', async (rows, classes, inUse) => {
    await check({ shape: [rows, classes] }, labelsOf(rows, classes), inUse);
  });

  test('stays finite at extremes, and ignores a label that names no class', async () => {
    await check(...extremes, 6);
    await check(...extremes, 4);
  });

  test('counts the first of equal logits', async () => {
    const tied = (i: number) => (i % 6 < 2 ? 1 : 0);
    await check({ shape: [4, 6], values: tied }, { shape: [4], dtype: 'uint32', values: [0, 1, 2, 5] }, 4);
    await check({ shape: [1, 16], values: () => 0 }, { shape: [1], dtype: 'uint32', values: [15] }, 1);
  });

  test.each([
    [10, 'held'],
    [10, 'general'],
    [40, 'general'],
  ])('with %i classes, %s, gives a training plan the loss, the hits and the gradient of the unfused one', async (classes, variant) => {
    const device = await testDevice();
    const graph = new Graph();
    const logits = graph.placeholder('logits', [7, classes]);
    const labels = graph.placeholder('labels', [7], 'uint32');
    const state = graph.placeholder('state', [32], 'uint32');
    const rowLoss = crossEntropy(logits, labels);
    const rowHit = hits(logits, labels);
    const loss = meanOverRows(rowLoss, state);
    const [gradient] = differentiate(loss, [logits]) as [Node];
    const results = [];
    for (const fuse of [true, false]) {
      const plan = await compile(device, [loss, rowLoss, rowHit, gradient], {
        fuse,
        variants: fuse ? { crossEntropyTraining: variant } : {},
      });
      expect(plan.steps.some((step) => step.kernel.name.startsWith('cross-entropy-training'))).toBe(fuse);
      plan.tensor(logits).write(Float32Array.from({ length: 7 * classes }, (_, i) => Math.sin(i * i)));
      plan.tensor(labels).write(Uint32Array.from({ length: 7 }, (_, i) => (3 * i) % classes));
      plan.tensor(state).write(Uint32Array.from({ length: 32 }, (_, i) => (i === 2 ? 5 : 0)));
      plan.run();
      const read = async (node: Node, length: number) => [...(await plan.tensor(node).read())].slice(0, length);
      results.push([await read(loss, 1), await read(rowLoss, 5), await read(rowHit, 5), await read(gradient, 7 * classes)].flat());
      plan.dispose();
    }
    const [fused = [], unfused = []] = results;
    expect(Math.max(...fused.map((value, i) => Math.abs(value - (unfused[i] as number))))).toBeLessThan(1e-6);
  });
});
