import { expect, test } from 'vitest';
import { rotated, summarise } from '../../src/bench/statistics.ts';

test('the median of an odd number of values is the middle one, whatever their order', () => {
  expect(summarise([30, 1, 2])).toEqual({ median: 2, min: 1, max: 30 });
});

test('the median of an even number of values is the mean of the middle two', () => {
  expect(summarise([4, 1, 3, 100]).median).toBe(3.5);
});

test('one value is its own summary, and none is a fault of ours', () => {
  expect(summarise([7])).toEqual({ median: 7, min: 7, max: 7 });
  expect(() => summarise([])).toThrow('internal: statistics.ts');
});

test('each contender begins in turn', () => {
  const names = ['a', 'b', 'c'];
  expect([0, 1, 2, 3].map((round) => rotated(names, round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  expect(rotated([], 3)).toEqual([]);
});
