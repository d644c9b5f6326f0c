import { describe, expect, test } from 'vitest';
import { folds, shuffledLabels, split, subset, take, withLabels } from '../../src/data/split.ts';
import { blobs } from '../../src/data/synthetic.ts';
import type { Dataset } from '../../src/engine/dataset.ts';
import { refusal } from './refusal.ts';

/** A set whose only input is the number of the example; the first three quarters are class 0. */
const numbered = (size: number): Dataset => ({
  name: 'numbered',
  size,
  inputShape: [1],
  inputs: Float32Array.from({ length: size }, (_, i) => i),
  labels: Uint8Array.from({ length: size }, (_, i) => (i < 0.75 * size ? 0 : 1)),
  classes: ['common', 'rare'],
  targets: Float32Array.from({ length: 2 * size }, (_, i) => i),
  targetShape: [2],
  features: ['number'],
});

const members = ({ inputs }: Dataset): number[] => [...inputs];
const rare = ({ labels }: Dataset): number => [...labels!].filter((label) => label === 1).length;
const ascending = (values: number[]): number[] => values.sort((a, b) => a - b);
const upTo = (size: number): number[] => Array.from({ length: size }, (_, i) => i);

describe('split', () => {
  for (const stratified of [false, true]) {
    for (const seed of [undefined, 0, 7]) {
      test(`gives disjoint and complete parts (stratified ${stratified}, seed ${seed})`, () => {
        for (const size of [2, 3, 10, 101, 1000]) {
          const options = { fraction: size === 2 ? 0.5 : 0.3, stratified, ...(seed === undefined ? {} : { seed }) };
          const { train, test: held } = split(numbered(size), options);
          expect(held.size).toBe(Math.round(size * options.fraction));
          expect(ascending([...members(train), ...members(held)])).toEqual(upTo(size));
        }
      });
    }
  }

  test('without a seed holds out the last examples, in order', () => {
    const { train, test: held } = split(numbered(10), { fraction: 0.2 });
    expect(members(train)).toEqual(upTo(8));
    expect(members(held)).toEqual([8, 9]);
  });

  test('takes labels and targets along', () => {
    const { test: held } = split(numbered(100), { fraction: 0.25, seed: 3 });
    for (const [row, index] of members(held).entries()) {
      expect(held.labels![row]).toBe(index < 75 ? 0 : 1);
      expect([...held.targets!.subarray(2 * row, 2 * row + 2)]).toEqual([2 * index, 2 * index + 1]);
    }
    expect(held.classes).toEqual(['common', 'rare']);
    expect(held.features).toEqual(['number']);
  });

  test('is the same for the same seed and another for another', () => {
    const held = (seed: number) => members(split(numbered(100), { fraction: 0.2, seed }).test);
    expect(held(1)).toEqual(held(1));
    expect(held(1)).not.toEqual(held(2));
  });

  test('stratified keeps the proportions of the classes', () => {
    for (const seed of [0, 1, 2, 3]) {
      const { train, test: held } = split(numbered(1000), { fraction: 0.2, stratified: true, seed });
      expect([train.size, rare(train), held.size, rare(held)]).toEqual([800, 200, 200, 50]);
    }
  });

  test('stratified shares out remainders so that the count is that of the fraction', () => {
    const { test: held } = split(blobs({ size: 100, classes: 7 }), { fraction: 0.25, stratified: true, seed: 0 });
    expect(held.size).toBe(25);
    const counts = new Array<number>(7).fill(0);
    for (const label of held.labels!) counts[label]! += 1;
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  test('is refused when a part would be empty', async () => {
    expect(await refusal(() => split(numbered(10), { fraction: 0.01 }))).toEqual([
      'invalid-option',
      'split: a fraction of 0.01 leaves one part of 10 examples empty.',
      'To mend: pass a fraction that gives both parts at least one example.',
    ]);
    expect((await refusal(() => split(numbered(10), { fraction: 1 })))[1]).toMatch(/leaves one part/);
    expect((await refusal(() => split(numbered(10), { fraction: 1.5 })))[0]).toBe('invalid-option');
  });

  test('stratified is refused without labels', async () => {
    const { labels: _, ...unlabelled } = numbered(10);
    expect(await refusal(() => split(unlabelled, { fraction: 0.5, stratified: true }))).toEqual([
      'invalid-option',
      'stratified: numbered has no labels.',
      'To mend: use a set with labels.',
    ]);
  });
});

describe('folds', () => {
  test('test on every example once, and train on the others', () => {
    for (const stratified of [false, true]) {
      const parts = folds(numbered(103), { count: 5, stratified, seed: 4 });
      expect(ascending(parts.flatMap((part) => members(part.test)))).toEqual(upTo(103));
      for (const part of parts) expect(ascending([...members(part.train), ...members(part.test)])).toEqual(upTo(103));
      for (const part of parts) expect([20, 21]).toContain(part.test.size);
    }
  });

  test('stratified have the classes in proportion', () => {
    for (const part of folds(numbered(1000), { count: 5, stratified: true, seed: 0 })) expect(rare(part.test)).toBe(50);
  });

  test('are refused when there are more of them than examples', async () => {
    expect((await refusal(() => folds(numbered(3), { count: 4 })))[1]).toBe('count is 4; it must be a number between 2 and 3.');
  });
});

describe('take', () => {
  test('is a view of a stretch', () => {
    const whole = numbered(10);
    const part = take(whole, 3, 5);
    expect(members(part)).toEqual([3, 4]);
    expect([...part.targets!]).toEqual([6, 7, 8, 9]);
    expect(part.inputs.buffer).toBe(whole.inputs.buffer);
    expect(take(whole, 8).size).toBe(2);
    expect(take(whole, 10).size).toBe(0);
  });

  test('is refused outside the set', async () => {
    expect((await refusal(() => take(numbered(10), 5, 11)))[1]).toBe('end is 11; it must be a number between 5 and 10.');
    expect((await refusal(() => take(numbered(10), 5, 4)))[0]).toBe('invalid-option');
  });
});

describe('subset', () => {
  test('keeps the order and the repetitions of the indices, and copies', () => {
    const whole = numbered(10);
    const part = subset(whole, [7, 0, 7]);
    expect(members(part)).toEqual([7, 0, 7]);
    expect([...part.labels!]).toEqual([0, 0, 0]);
    part.inputs[0] = 99;
    expect(whole.inputs[7]).toBe(7);
  });

  test('is refused for an index that is no example', async () => {
    expect(await refusal(() => subset(numbered(10), [0, 10]))).toEqual([
      'invalid-option',
      'subset: index 10 is no example of numbered, which has 10.',
      'To mend: use whole numbers from 0 to 9.',
    ]);
  });
});

describe('labels', () => {
  test('are exchanged by withLabels', () => {
    const { labels, classes } = withLabels(numbered(2), Uint8Array.of(2, 1), ['a', 'b', 'c']);
    expect(labels).toEqual(Uint8Array.of(2, 1));
    expect(classes).toEqual(['a', 'b', 'c']);
  });

  test('are refused when there is not one an example, or no such class', async () => {
    expect(await refusal(() => withLabels(numbered(3), Uint8Array.of(1)))).toEqual([
      'shape-mismatch',
      'numbered: 1 labels for 3 examples.',
      'To mend: give one label an example.',
    ]);
    expect((await refusal(() => withLabels(numbered(1), Uint8Array.of(2))))[0]).toBe('label-out-of-range');
  });

  test('are shuffled by a seed, each class keeping its count', () => {
    const whole = numbered(400);
    const shuffled = shuffledLabels(whole, 5);
    expect(rare(shuffled)).toBe(100);
    expect(shuffled.labels).not.toEqual(whole.labels);
    expect(shuffled.labels).toEqual(shuffledLabels(whole, 5).labels);
    expect(shuffled.labels).not.toEqual(shuffledLabels(whole, 6).labels);
    expect(shuffled.inputs).toBe(whole.inputs);
    // Of the 100 rare examples, chance leaves about 25 rare; 4.3 is one deviation (hypergeometric).
    const kept = rare(take(shuffled, 300));
    expect(Math.abs(kept - 25)).toBeLessThan(5 * 4.3);
  });
});
