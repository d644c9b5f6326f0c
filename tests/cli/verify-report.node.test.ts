import { expect, test } from 'vitest';
import { judgeRandomisation, RANDOMISATION, randomisationSection } from '../../src/cli/randomisation-report.ts';
import type { RandomisationSummary } from '../../src/cli/randomisation-task.ts';
import type { TrainSummary } from '../../src/cli/train-task.ts';
import { accuracySection, judge, withSection } from '../../src/cli/verify-report.ts';

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
  const report = accuracySection([summary(0, 0.976), summary(1, 0.978)], { browser: 'Chromium 156' }, new Date('2026-11-24T12:00:00Z'));
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
  expect(accuracySection([summary(0, 0.9)], {}, new Date(0))).toContain('**It does not hold: the smallest');
});

test('a section is written anew and the others stay as they are, in their order', () => {
  const both = withSection(withSection('', 'randomisation', 'Old maps.'), 'accuracy', 'Old seeds.\n\n| a | b |');
  expect(both).toMatch(
    /^# What was verified\n[\s\S]*\n## Accuracy\n\nOld seeds.\n\n\| a \| b \|\n\n## Model randomisation\n\nOld maps.\n$/,
  );
  const again = withSection(both, 'randomisation', 'New maps.\n');
  expect(again).toBe(both.replace('Old maps.', 'New maps.'));
  expect(withSection(again, 'randomisation', 'New maps.')).toBe(again);
});

const randomisation = (gradient: number, guided: number): RandomisationSummary => {
  const scores = (first: number) => [first, 0.2, 0.1, 0].map((mean) => ({ mean, deviation: 0.05 }));
  return {
    ...RANDOMISATION,
    parameters: 1181810,
    testAccuracy: 0.97,
    correct: 10,
    stages: ['logits', 'hidden3', 'hidden2', 'hidden1'],
    rows: [
      { method: 'gradient', absolute: scores(gradient), signed: scores(0.4) },
      { method: 'guided backpropagation', absolute: scores(guided), signed: scores(0.9) },
      { method: 'noise (control)', absolute: scores(0), signed: scores(0) },
    ],
    trainSeconds: 60,
    seconds: 20,
    adapter: 'google swiftshader',
  };
};

test('the promises of randomisation hold at their bounds and break beyond them, or where a method is missing', () => {
  expect(judgeRandomisation(randomisation(0.3, 0.8))).toEqual([]);
  expect(judgeRandomisation(randomisation(0.301, 0.799))).toHaveLength(2);
  expect(judgeRandomisation({ rows: [] })).toHaveLength(2);
  expect(judgeRandomisation(randomisation(Number.NaN, 0.9))).toHaveLength(1);
});

test('the section on randomisation shows the scores beside the published ones, the network and the verdict', () => {
  const section = randomisationSection(randomisation(0.25, 0.85), { browser: 'Chromium 156' }, new Date('2026-11-24T12:00:00Z'));
  expect(section).toContain('The network is 784-800-500-300-10, ReLU, 1,181,810 parameters');
  expect(section).toContain('| gradient | 0.250 (0.050) | 0.200 (0.050) | 0.100 (0.050) | 0.000 (0.050) |\n| published | 0.234 (0.194)');
  expect(section).toContain('| guided backpropagation | 0.900 (0.050)');
  expect(section).toContain('**It holds.**');
  expect(section).toContain('With 2026-11-24; google swiftshader; browser Chromium 156. Training 60 s');
  expect(randomisationSection(randomisation(0.5, 0.85), {}, new Date(0))).toContain('**It does not hold: the gradient');
});
