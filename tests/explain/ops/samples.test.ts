import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { runningM2, runningMean, weightedSum } from '../../../src/explain/ops/samples.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const sizes: [number, readonly number[], number][] = [
  [1, [1], 1],
  [2, [3], 5],
  [3, [2, 4], 13],
  [1, [65], 7],
];

/** Sample `s` of element `at` of example `example`. */
const sampleOf =
  (x: readonly number[], samples: number, width: number) =>
  (example: number, at: number): number[] =>
    Array.from({ length: samples }, (_, s) => x[(example * samples + s) * width + at] as number);

describe.each(sizes)('%i examples of %j, %i samples each', (examples, shape, samples) => {
  const width = shape.reduce((a, b) => a * b, 1);
  const x = { shape: [examples * samples, ...shape] };
  const before = { shape: [examples, ...shape] };
  const each = (of: (example: number, at: number, i: number) => number): number[] =>
    Array.from({ length: examples * width }, (_, i) => of(Math.floor(i / width), i % width, i));

  test('weightedSum', async () => {
    await checkOperation({
      build: weightedSum,
      inputs: [x, { shape: [samples] }, before],
      reference: (values = [], weight = [], sum = []) =>
        each((example, at, i) =>
          sampleOf(values, samples, width)(example, at).reduce((total, v, s) => total + v * (weight[s] as number), sum[i] as number),
        ),
      gradient: false,
    });
  });

  test('runningMean and runningM2, after four samples that were there before, of the samples that count', async () => {
    const count = Math.max(1, samples - 1);
    const draw = { shape: [3], dtype: 'uint32' as const, values: [0, 4, count] };
    const welford = (values: readonly number[], mean0: number, m20: number): [number, number] => {
      let [mean, m2] = [mean0, m20];
      values.slice(0, count).forEach((value, s) => {
        const difference = value - mean;
        mean += difference / (4 + s + 1);
        m2 += difference * (value - mean);
      });
      return [mean, m2];
    };
    await checkOperation({
      build: runningMean,
      inputs: [x, draw, before],
      reference: (values = [], _draw = [], mean = []) =>
        each((example, at, i) => welford(sampleOf(values, samples, width)(example, at), mean[i] as number, 0)[0]),
      gradient: false,
    });
    await checkOperation({
      build: runningM2,
      inputs: [x, draw, before, before],
      reference: (values = [], _draw = [], mean = [], m2 = []) =>
        each((example, at, i) => welford(sampleOf(values, samples, width)(example, at), mean[i] as number, m2[i] as number)[1]),
      gradient: false,
    });
  });
});

test('weightedSum refuses another number of weights than samples', () => {
  const graph = new Graph();
  const [x, weight, before] = [graph.placeholder('x', [6, 4]), graph.placeholder('w', [2]), graph.placeholder('b', [2, 4])];
  expect(() => weightedSum(x, weight, before)).toThrow('weightedSum: x is [6, 4], weight [2] and before [2, 4]');
});
