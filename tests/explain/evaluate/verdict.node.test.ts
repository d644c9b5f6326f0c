import { describe, expect, test } from 'vitest';
import type { EvaluationRow, RankedMethod } from '../../../src/explain/evaluate/evaluate.ts';
import { METRICS, type MetricName } from '../../../src/explain/evaluate/metrics.ts';
import { type Finding, sentence, verdictOf } from '../../../src/explain/evaluate/verdict.ts';

const CONTROLS = ['randomMap', 'inputMap'];

/** A row as an evaluation makes it. */
function row(method: string, metric: MetricName, values: readonly (number | null)[]): EvaluationRow {
  const known = values.filter((value) => value !== null);
  const { better, about } = METRICS[metric];
  const mean = known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null;
  return { method, metric, control: CONTROLS.includes(method), better, about, mean, standardError: null, values, controls: {} };
}

const ranked = (method: string, meanRank: number, standardError: number | null = 0.1): RankedMethod => ({
  method,
  meanRank,
  standardError,
});

describe('the verdict', () => {
  const spread = [0.1, 0, -0.1, 0.05, -0.05];
  const around = (middle: number) => spread.map((value) => middle + value);
  const rows = [
    ...(['deletion', 'infidelity'] as const).flatMap((metric) => [
      row('good', metric, around(1)),
      row('bad', metric, around(3)),
      row('randomMap', metric, around(4)),
      row('inputMap', metric, [...around(3)].reverse()),
    ]),
    row('good', 'modelRandomisation', around(0)),
    row('bad', 'modelRandomisation', around(0.9)),
  ];

  test('believes what beats every control, and says of the rest what they fail', () => {
    const verdict = verdictOf({
      examples: 5,
      rows,
      ranking: [ranked('good', 1), ranked('bad', 2)],
      agreement: [{ methods: ['good', 'bad'], correlation: 0.2 }],
    });
    expect(verdict.map(({ code, parameters }) => ({ code, parameters }))).toEqual([
      { code: 'believe', parameters: { methods: ['good'], examples: 5, randomised: true } },
      { code: 'disagree', parameters: { methods: ['good', 'bad'], correlation: 0.2 } },
      { code: 'blind-to-network', parameters: { method: 'bad', correlation: expect.closeTo(0.9, 12) } },
      { code: 'no-better-than-control', parameters: { method: 'bad', control: 'inputMap', metrics: ['deletion', 'infidelity'], of: 2 } },
    ]);
    expect(verdict.map(({ text }) => text)).toEqual([
      'For these 5 examples, believe good: it does better than every control on most measures, and it depends on what the network has learned.',
      'The maps of good and bad disagree (mean rank correlation 0.20): they answer different questions, and no one of them is the whole explanation.',
      "bad hardly changes when the network's layers are drawn anew (rank correlation 0.90, whatever its sign): it shows the input more than what was learned.",
      'bad does no better than inputMap, which explains nothing, on deletion and infidelity (2 of 2 measures).',
    ]);
  });

  test('believes none where none beats the controls on most measures', () => {
    const verdict = verdictOf({
      examples: 5,
      rows: rows.filter(({ method }) => method !== 'good'),
      ranking: [ranked('bad', 1)],
      agreement: [],
    });
    expect(verdict[0]).toMatchObject({ code: 'believe-none', parameters: { examples: 5 } });
  });

  test('does not believe a method that is blind to the network, however well it scores', () => {
    const blind = [
      row('good', 'deletion', around(1)),
      row('randomMap', 'deletion', around(4)),
      row('good', 'modelRandomisation', around(0.8)),
    ];
    expect(verdictOf({ examples: 5, rows: blind, ranking: [ranked('good', 1)], agreement: [] }).map(({ code }) => code)).toEqual([
      'believe-none',
      'blind-to-network',
    ]);
  });

  test('counts correlation from what a random map has by chance, which of two elements is all of it', () => {
    const of = (chance: number, alike: number) =>
      verdictOf({
        examples: 5,
        rows: [
          row('good', 'deletion', around(1)),
          row('randomMap', 'deletion', around(4)),
          row('good', 'modelRandomisation', Array(5).fill(alike)),
          row('randomMap', 'modelRandomisation', Array(5).fill(chance)),
        ],
        ranking: [ranked('good', 1)],
        agreement: [],
      })[0];
    expect(of(0.03, 0.6)?.code).toBe('believe-none');
    expect(of(0.6, 0.7)).toMatchObject({ code: 'believe', parameters: { randomised: true } });
    expect(of(0.6, 0.9)?.code).toBe('believe-none');
    expect(of(1, 1)).toMatchObject({ code: 'believe', parameters: { randomised: false } });
  });

  test('calls methods tied whose ranks are within two standard errors, and lets them agree', () => {
    const both = [...rows, ...(['deletion', 'infidelity'] as const).map((metric) => row('other', metric, around(1.1)))];
    const of = (rank: number) =>
      verdictOf({
        examples: 5,
        rows: both,
        ranking: [ranked('good', 1), ranked('other', rank), ranked('bad', 3)],
        agreement: [
          { methods: ['good', 'other'], correlation: 0.9 },
          { methods: ['good', 'bad'], correlation: -0.5 },
        ],
      }).slice(0, 3);
    expect(of(1.2).map(({ code, parameters }) => [code, parameters])).toEqual([
      ['believe', { methods: ['good', 'other'], examples: 5, randomised: true }],
      ['tied', { methods: ['good', 'other'] }],
      ['agree', { methods: ['good', 'other'], correlation: 0.9 }],
    ]);
    expect(of(1.5).map(({ code }) => code)).toEqual(['believe', 'agree', 'blind-to-network']);
  });

  test('a score that does not exist is no lead; a control without one is none to beat', () => {
    const missing = [
      row('good', 'deletion', [1, null, 1]),
      row('randomMap', 'deletion', [4, 4, 4]),
      row('inputMap', 'deletion', [null, null, null]),
    ];
    const verdict = verdictOf({ examples: 3, rows: missing, ranking: [ranked('good', 1)], agreement: [] });
    expect(verdict.map(({ code }) => code)).toEqual(['believe-none', 'no-better-than-control', 'few-examples']);
    const whole = [row('good', 'deletion', [1, 2, 1]), ...missing.slice(1)];
    expect(verdictOf({ examples: 3, rows: whole, ranking: [ranked('good', 1)], agreement: [] })[0]).toMatchObject({ code: 'believe' });
  });

  test('of one example goes by the sign alone, and says how little that is', () => {
    const one = [row('good', 'deletion', [1]), row('randomMap', 'deletion', [2])];
    expect(verdictOf({ examples: 1, rows: one, ranking: [ranked('good', 1, null)], agreement: [] }).map(({ text }) => text)).toEqual([
      'For this example, believe good: it does better than every control on most measures, but whether it depends on what the network has learned was not measured.',
      'With so few examples (1) the standard errors say little; evaluate more of them before you trust this.',
    ]);
  });

  test('says when nothing was measured that could tell', () => {
    const form = [row('good', 'sparseness', around(0.5)), row('randomMap', 'sparseness', around(0.4))];
    expect(verdictOf({ examples: 5, rows: form, ranking: [], agreement: [] }).map(({ code }) => code)).toEqual(['nothing-measured']);
  });

  test('believes nothing without a control to be better than', () => {
    const alone = [row('good', 'deletion', around(1)), row('good', 'modelRandomisation', around(0))];
    expect(verdictOf({ examples: 5, rows: alone, ranking: [ranked('good', 1)], agreement: [] }).map(({ code }) => code)).toEqual([
      'no-controls',
    ]);
  });

  test('one example that is a thousand times larger does not decide: the sign test goes by how many are won', () => {
    const own = [1, 1, 1, 1, 1, 1, 1, 5000];
    const control = [2, 2, 2, 2, 2, 2, 2, 4];
    const of = (values: number[]) =>
      verdictOf({
        examples: 8,
        rows: [row('good', 'infidelity', values), row('randomMap', 'infidelity', control)],
        ranking: [ranked('good', 1)],
        agreement: [],
      })[0]?.code;
    expect(of(own)).toBe('believe');
    expect(of([1, 1, 1, 1, 1, 3, 3, 3])).toBe('believe-none');
  });

  test('every finding has a sentence that ends', () => {
    const findings: readonly Finding[] = [
      { code: 'believe', parameters: { methods: ['a', 'b', 'c'], examples: 2, randomised: true } },
      { code: 'no-controls', parameters: {} },
      { code: 'believe-none', parameters: { examples: 1 } },
      { code: 'nothing-measured', parameters: {} },
      { code: 'tied', parameters: { methods: ['a', 'b'] } },
      { code: 'no-better-than-control', parameters: { method: 'a', control: 'b', metrics: ['c'], of: 2 } },
      { code: 'blind-to-network', parameters: { method: 'a', correlation: 0.7 } },
      { code: 'agree', parameters: { methods: ['a', 'b'], correlation: 0.7 } },
      { code: 'disagree', parameters: { methods: ['a', 'b'], correlation: 0.1 } },
      { code: 'few-examples', parameters: { examples: 2 } },
    ];
    for (const finding of findings) expect(sentence(finding)).toMatch(/^[\w\S].+\.$/);
  });
});
