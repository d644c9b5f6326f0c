import { describe, expect, test } from 'vitest';
import { normal, uniform } from '../../src/engine/random.ts';
import { cholesky, gram, moments } from '../../src/explain/least-squares.ts';

/** 40 rows of 5 columns, each the list of its ones. */
const rows = Array.from({ length: 40 }, (_, s) => Uint32Array.of(0, 1, 2, 3, 4).filter((i) => uniform(1, 2, s, i) < 0.5));
const weights = Float64Array.from({ length: 40 }, (_, i) => 0.1 + (i % 7));
const answersOf = (coefficients: ArrayLike<number>): Float64Array =>
  Float64Array.from(rows, (members) => members.reduce((sum, i) => sum + (coefficients[i] as number), 0));

describe('least squares', () => {
  test('sum the weight of the rows that have both columns, and of those that have one times their answers', () => {
    const has = (s: number, i: number): number => ((rows[s] as Uint32Array).includes(i) ? 1 : 0);
    const all = Array.from({ length: 40 }, (_, s) => s);
    const products = gram(rows, weights, 5);
    products.forEach((value, k) => {
      const expected = all.reduce((sum, s) => sum + (weights[s] as number) * has(s, Math.floor(k / 5)) * has(s, k % 5), 0);
      expect(Math.abs(value - expected)).toBeLessThan(1e-12);
    });
    const y = Float64Array.from(all, (s) => normal(5, 6, 0, s));
    moments(rows, weights, 5, y).forEach((value, i) => {
      const expected = all.reduce((sum, s) => sum + (weights[s] as number) * has(s, i) * (y[s] as number), 0);
      expect(Math.abs(value - expected)).toBeLessThan(1e-12);
    });
  });

  test('find the coefficients of an answer that is linear', () => {
    const wanted = [1, -2, 0.5, 3, -0.25];
    const found = cholesky(gram(rows, weights, 5), 5)?.(moments(rows, weights, 5, answersOf(wanted))) as Float64Array;
    found.forEach((value, i) => {
      expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(1e-12);
    });
  });

  test('leave a rest that is orthogonal to every column', () => {
    const answers = Float64Array.from({ length: 40 }, (_, i) => normal(3, 4, 0, i));
    const found = cholesky(gram(rows, weights, 5), 5)?.(moments(rows, weights, 5, answers)) as Float64Array;
    const fitted = answersOf(found);
    const rest = answers.map((y, row) => y - (fitted[row] as number));
    for (const value of moments(rows, weights, 5, rest)) expect(Math.abs(value)).toBeLessThan(1e-10);
  });

  test('say so where columns depend on one another', () => {
    const twice = rows.map((members) => Uint32Array.from([...members.filter((i) => i < 4), ...(members.includes(3) ? [4] : [])]));
    expect(cholesky(gram(twice, weights, 5), 5)).toBeUndefined();
    expect(cholesky(new Float64Array(4), 2)).toBeUndefined();
  });
});
