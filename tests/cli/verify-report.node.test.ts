import { expect, test } from 'vitest';
import type { TrainSummary } from '../../src/cli/train-task.ts';
import { judge, verifyReport } from '../../src/cli/verify-report.ts';

const summary = (seed: number, testAccuracy: number): TrainSummary => ({
  data: 'mnist',
  model: 'mlp',
  parameters: 101770,
  epochs: 10,
  batch: 32,
  seed,
  variants: { matmul: 'register8' },
  trainLoss: 0.01,
  validationAccuracy: 0.97,
  testLoss: 0.09,
  testAccuracy,
  seconds: 40,
  samplesPerSecond: 12000,
  adapter: 'google swiftshader',
});

test('the promises hold at their bounds and break below them', () => {
  expect(judge([0.973, 0.977]).broken).toEqual([]);
  expect(judge([0.9729, 0.979]).broken).toEqual(['the smallest test accuracy is 97.29 %, below 97.30 %']);
  expect(judge([0.974, 0.975]).broken).toEqual(['the mean test accuracy is 97.45 %, below 97.50 %']);
});

test('an accuracy that is no number breaks both', () => {
  expect(judge([Number.NaN, 0.98]).broken).toHaveLength(2);
});

test('the report has a row a seed, the date, the adapter, the versions and the verdict', () => {
  const report = verifyReport([summary(0, 0.976), summary(1, 0.978)], { browser: 'Chromium 156' }, new Date('2026-11-24T12:00:00Z'));
  expect(report).toContain('**It holds.**');
  expect(report).toContain('| 0 | 0.0100 | 97.00 % | 0.0900 | 97.60 % | 40 s |');
  expect(report).toContain('Mean test accuracy 97.70 %, smallest 97.60 %');
  for (const row of [
    '| date | 2026-11-24 |',
    '| adapter | google swiftshader |',
    '| browser | Chromium 156 |',
    '| variant of matmul | register8 |',
  ]) {
    expect(report).toContain(row);
  }
  expect(verifyReport([summary(0, 0.9)], {}, new Date(0))).toContain('**It does not hold: the smallest');
});
