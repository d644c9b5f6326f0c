import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { runningM2, runningMean, weightedSum } from '../../../src/explain/ops/samples.ts';
import { runningReference, weightedSumReference } from '../../../src/explain/reference/operations.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const sizes: [number, readonly number[], number][] = [
  [1, [1], 1],
  [2, [3], 5],
  [3, [2, 4], 13],
  [1, [65], 7],
];

describe.each(sizes)('%i examples of %j, %i samples each', (examples, shape, samples) => {
  const width = shape.reduce((a, b) => a * b, 1);
  const x = { shape: [examples * samples, ...shape] };
  const before = { shape: [examples, ...shape] };
  test('weightedSum', async () => {
    await checkOperation({
      build: weightedSum,
      inputs: [x, { shape: [samples] }, before],
      reference: weightedSumReference(samples, width),
      gradient: false,
    });
  });

  test('runningMean and runningM2, after four samples that were there before, of the samples that count', async () => {
    const count = Math.max(1, samples - 1);
    const draw = { shape: [3], dtype: 'uint32' as const, values: [0, 4, count] };
    await checkOperation({
      build: runningMean,
      inputs: [x, draw, before],
      reference: runningReference(samples, width, 4, count, 'mean'),
      gradient: false,
    });
    await checkOperation({
      build: runningM2,
      inputs: [x, draw, before, before],
      reference: runningReference(samples, width, 4, count, 'm2'),
      gradient: false,
    });
  });
});

test('weightedSum refuses another number of weights than samples', () => {
  const graph = new Graph();
  const [x, weight, before] = [graph.placeholder('x', [6, 4]), graph.placeholder('w', [2]), graph.placeholder('b', [2, 4])];
  expect(() => weightedSum(x, weight, before)).toThrow('weightedSum: x is [6, 4], weight [2] and before [2, 4]');
});
