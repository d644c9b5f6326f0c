import { expect, test } from 'vitest';
import { rowsOf } from '../../src/bench/suite.ts';
import { bar, figure, formatAdapter, formatBrief, formatProfile, formatTable } from '../../src/bench/table.ts';

test('figures have three significant digits, and thousands apart', () => {
  expect([0, 0.04213, 0.5, 6.543, 42.04, 999.6, 1468, 15234].map(figure)).toEqual([
    '0',
    '0.0421',
    '0.500',
    '6.54',
    '42.0',
    '1,000',
    '1,470',
    '15,200',
  ]);
});

test('a bar is as long as its share, in eighths of a column', () => {
  expect(bar(1, 4)).toBe('████');
  expect(bar(0.5, 4)).toBe('██');
  expect(bar(0.53125, 4)).toBe('██▏');
  expect(bar(0, 4)).toBe('');
  expect(bar(7, 4)).toBe('████');
});

const rows = rowsOf('train-mlp-32', 'samples/s', 'higher', 'tfjs-webgpu', [
  { contender: 'vitrine', values: [5000, 4800, 5100], agreement: { agrees: true, largestError: 1e-6, detail: 'logits' } },
  { contender: 'tfjs-webgpu', values: [330, 320, 310], agreement: { agrees: true, largestError: 2e-6, detail: 'logits' } },
]);

test('rows carry median, range and the ratio to the baseline', () => {
  expect(rows[0]).toEqual({
    workload: 'train-mlp-32',
    contender: 'vitrine',
    median: 5000,
    min: 4800,
    max: 5100,
    unit: 'samples/s',
    better: 'higher',
    repeats: 3,
    ratioToBaseline: 15.625,
    agreement: true,
    largestError: 1e-6,
  });
  expect(rows[1]?.ratioToBaseline).toBe(1);
});

test('a contender that failed has a row that says why, and no ratio; a failed baseline leaves none', () => {
  const failed = rowsOf('train-mlp-32', 'samples/s', 'higher', 'tfjs-webgpu', [
    { contender: 'vitrine', values: [5000] },
    { contender: 'tfjs-webgpu', values: [], failure: 'No adapter.' },
  ]);
  expect(failed.map(({ median, ratioToBaseline, failure }) => [median, ratioToBaseline, failure])).toEqual([
    [5000, null, undefined],
    [null, null, 'No adapter.'],
  ]);
  expect(formatTable(failed)).toContain('TensorFlow.js WebGPU  No adapter.');
});

test('the table fits the columns it is given', () => {
  const style = { bold: String, dim: String, bar: String };
  const table = formatTable(rows, { ...style, columns: 80 });
  expect(table).toBe(
    [
      'train-mlp-32  samples/s',
      '  Vitrine               5,000  15.6 ×  ████████████████████████████  4,800–5,100',
      '  TensorFlow.js WebGPU    320  1.00 ×  █▊                            310–330',
      '',
    ].join('\n'),
  );
  for (const columns of [20, 60, 80, 200]) {
    const widest = Math.max(
      ...formatTable(rows, { ...style, columns })
        .split('\n')
        .map((line) => line.length),
    );
    expect(widest).toBeLessThanOrEqual(Math.max(columns, 54));
  }
});

test('a finished workload is told in a line', () => {
  expect(formatBrief(rows)).toBe('train-mlp-32: Vitrine 5,000, TensorFlow.js WebGPU 320 samples/s');
});

test('the adapter and the profile are said in full', () => {
  const adapter = {
    name: 'google swiftshader',
    isFallback: true,
    features: [],
    multiplyAddGflops: 36.7,
    copyGigabytesPerSecond: 5,
    transferGigabytesPerSecond: 30,
    dispatchMicroseconds: 26,
    submitMicroseconds: 40,
  };
  expect(formatAdapter(adapter)).toContain('multiply-add 36.7 GFLOP/s');
  const profile = formatProfile([
    {
      workload: 'train-mlp-32',
      plan: 'train',
      index: 0,
      kernel: 'adam.update',
      operations: ['adam'],
      variant: 'vec4x8',
      flop: 1.4e6,
      bytes: 2.8e6,
      milliseconds: 0.93,
      share: 1,
      gflops: 1.5,
      gigabytesPerSecond: 3,
      intensity: 0.5,
      bound: 'memory',
      ofLimit: 0.6,
    },
  ]);
  expect(profile).toContain('930 µs of kernels a step');
  expect(profile).toMatch(/adam\.update +vec4x8 +930 +100 % +1\.50 +3\.00 +0\.500 +memory +60 %/);
});
