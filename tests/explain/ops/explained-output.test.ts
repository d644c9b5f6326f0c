import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { explainedOutput, NO_CLASS, outputSeed, resolveTarget } from '../../../src/explain/ops/explained-output.ts';
import { explainedReference as explained } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const softmax = (row: readonly number[]): number[] => {
  const largest = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
};

const rowsOf = (logits: readonly number[], classes: number): number[][] =>
  Array.from({ length: logits.length / classes }, (_, i) => logits.slice(i * classes, (i + 1) * classes));

describe.each([
  [0, 'logit'],
  [1, 'probability'],
  [2, 'log-odds'],
])('kind %i, the %s', (kind) => {
  test.each([
    [1, 2, 1],
    [6, 3, 1],
    [65, 10, 1],
    [12, 5, 3],
  ])('of %i rows of %i classes, %i rows an example', async (rows, classes, perExample) => {
    const examples = rows / perExample;
    const targets = Array.from({ length: examples }, (_, i) => (i * 7) % classes);
    const against = Array.from({ length: examples }, (_, i) => (i % 2 === 0 ? NO_CLASS : (i * 7 + 1) % classes));
    const inputs = [
      { shape: [rows, classes] },
      { shape: [examples], dtype: 'uint32' as const, values: targets },
      { shape: [examples], dtype: 'uint32' as const, values: against },
      { shape: [1], dtype: 'uint32' as const, values: [kind] },
    ];
    const of = (logits: number[]) =>
      rowsOf(logits, classes).map((row, i) => {
        const example = Math.floor(i / perExample);
        const a = explained(row, kind, targets[example] as number);
        const b = explained(row, kind, against[example] as number);
        return { value: a.value - b.value, gradient: a.gradient.map((value, k) => value - (b.gradient[k] as number)) };
      });
    await checkOperation({
      build: (logits, target, other, by) => explainedOutput(logits as never, target as never, other as never, by as never, perExample),
      inputs,
      reference: (logits) => of(logits as number[]).map(({ value }) => value),
      gradient: false,
    });
    await checkOperation({
      build: (logits, target, other, by) => outputSeed(logits as never, target as never, other as never, by as never, perExample),
      inputs,
      reference: (logits) => of(logits as number[]).flatMap(({ gradient }) => gradient),
      gradient: false,
    });
  });
});

describe('log-odds', () => {
  test('keep their gradient where the probability rounds to 1', async () => {
    await checkOperation({
      build: (logits, target, other, by) => outputSeed(logits as never, target as never, other as never, by as never),
      inputs: [
        { shape: [1, 3], values: [60, 1, 0] },
        { shape: [1], dtype: 'uint32', values: [0] },
        { shape: [1], dtype: 'uint32', values: [NO_CLASS] },
        { shape: [1], dtype: 'uint32', values: [2] },
      ],
      reference: () => {
        const [p, q] = softmax([1, 0]) as [number, number];
        return [1, -p, -q];
      },
      gradient: false,
    });
  });
});

describe('resolveTarget', () => {
  test.each([
    [1, 1],
    [5, 3],
    [65, 10],
  ])('takes the class asked for, else the largest of %i rows of %i logits', async (rows, classes) => {
    const asked = Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? NO_CLASS : i % classes));
    await checkOperation({
      build: resolveTarget,
      inputs: [{ shape: [rows, classes] }, { shape: [rows], dtype: 'uint32', values: asked }],
      reference: (logits) =>
        rowsOf(logits as number[], classes).map((row, i) => (asked[i] === NO_CLASS ? row.indexOf(Math.max(...row)) : (asked[i] as number))),
    });
  });

  test('gives ties to the lowest class', async () => {
    await checkOperation({
      build: resolveTarget,
      inputs: [
        { shape: [2, 3], values: [1, 1, 1, 0, 2, 2] },
        { shape: [2], dtype: 'uint32', values: [NO_CLASS, NO_CLASS] },
      ],
      reference: () => [0, 1],
    });
  });

  test('refuses logits that are no rows of classes', () => {
    const graph = new Graph();
    const kind = graph.placeholder('kind', [1], 'uint32');
    const targets = graph.placeholder('targets', [2], 'uint32');
    expect(() => explainedOutput(graph.placeholder('logits', [2, 3, 4]), targets, targets, kind)).toThrow(
      'explainedOutput: the logits are [2, 3, 4]; they must be [rows, classes] with a multiple of 1 rows.\nTo mend: explain a model that ends in one axis of classes.',
    );
  });
});
