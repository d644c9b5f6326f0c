import { describe, expect, test } from 'vitest';
import { normal } from '../../src/engine/random.ts';
import { cholesky, gram, moments } from '../../src/explain/least-squares.ts';

const design = Float64Array.from({ length: 40 * 5 }, (_, i) => (i % 3 === 0 ? 0 : normal(1, 2, 0, i)));
const weights = Float64Array.from({ length: 40 }, (_, i) => 0.1 + (i % 7));

describe('least squares', () => {
  test('find the coefficients of an answer that is linear', () => {
    const wanted = [1, -2, 0.5, 3, -0.25];
    const answers = Float64Array.from({ length: 40 }, (_, row) =>
      wanted.reduce((sum, w, i) => sum + w * (design[row * 5 + i] as number), 0),
    );
    const found = cholesky(gram(design, weights, 5), 5)?.(moments(design, weights, 5, answers)) as Float64Array;
    found.forEach((value, i) => {
      expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(1e-12);
    });
  });

  test('leave a rest that is orthogonal to every column', () => {
    const answers = Float64Array.from({ length: 40 }, (_, i) => normal(3, 4, 0, i));
    const found = cholesky(gram(design, weights, 5), 5)?.(moments(design, weights, 5, answers)) as Float64Array;
    const rest = answers.map((y, row) => y - found.reduce((sum, w, i) => sum + w * (design[row * 5 + i] as number), 0));
    for (const value of moments(design, weights, 5, rest)) expect(Math.abs(value)).toBeLessThan(1e-10);
  });

  test('say so where columns depend on one another', () => {
    const twice = Float64Array.from(design, (value, i) => (i % 5 === 4 ? 2 * (design[i - 1] as number) : value));
    expect(cholesky(gram(twice, weights, 5), 5)).toBeUndefined();
    expect(cholesky(new Float64Array(4), 2)).toBeUndefined();
  });
});
