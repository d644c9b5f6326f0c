/** Rules to integrate over [0, 1] from a number of points, in float64. */

import { checkWhole, VitrineError } from '../engine/errors.ts';

export type QuadratureRule = 'gaussLegendre' | 'midpoint' | 'trapezoid' | 'left' | 'right';

export interface Quadrature {
  readonly points: readonly number[];
  /** Their sum is 1. */
  readonly weights: readonly number[];
}

/**
 * The points and weights of a rule on [0, 1].
 *
 * gaussLegendre is exact for polynomials up to degree 2n − 1: the roots of the Legendre polynomial P_n, found by Newton's method from
 * Tricomi's estimate, weights 1 / ((1 − t²) P_n′(t)²).
 *
 * @param count number of points, 2 at least for the trapezoid
 * @param method whose points they are, which errors name
 * @throws VitrineError `invalid-option`
 *
 * **Source** Golub, Welsch 1969; Press et al. 2007, "Numerical Recipes", section 4.6.
 */
export function quadrature(rule: QuadratureRule, count: number, method = 'quadrature'): Quadrature {
  checkWhole(`${method}: steps`, count, rule === 'trapezoid' ? 2 : 1);
  const even = (offset: number): Quadrature => ({
    points: Array.from({ length: count }, (_, i) => (i + offset) / count),
    weights: Array<number>(count).fill(1 / count),
  });
  switch (rule) {
    case 'gaussLegendre':
      return gaussLegendre(count);
    case 'midpoint':
      return even(0.5);
    case 'left':
      return even(0);
    case 'right':
      return even(1);
    case 'trapezoid':
      return {
        points: Array.from({ length: count }, (_, i) => i / (count - 1)),
        weights: Array.from({ length: count }, (_, i) => (i === 0 || i === count - 1 ? 0.5 : 1) / (count - 1)),
      };
    default:
      throw new VitrineError(
        'invalid-option',
        `${method}: there is no quadrature rule '${String(rule)}'.`,
        'use one of gaussLegendre, midpoint, trapezoid, left, right.',
        { rule },
      );
  }
}

/** `count` values from `first` on in a run of `width` samples; places that are not used get 0. */
export function padded(values: readonly number[], first: number, count: number, width: number): Float32Array {
  const result = new Float32Array(width);
  result.set(values.slice(first, first + count));
  return result;
}

function gaussLegendre(count: number): Quadrature {
  const points: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < count; i++) {
    let t = Math.cos((Math.PI * (count - i - 0.25)) / (count + 0.5));
    let slope = 1;
    for (let step = Number.POSITIVE_INFINITY; Math.abs(step) > 1e-15; ) {
      let [value, before] = [1, 0];
      for (let n = 1; n <= count; n++) [value, before] = [((2 * n - 1) * t * value - (n - 1) * before) / n, value];
      slope = (count * (t * value - before)) / (t * t - 1);
      step = value / slope;
      t -= step;
      if (Math.abs(step) <= 1e-15 * Math.max(1, Math.abs(t)) || value === 0) break;
    }
    points.push((1 + t) / 2);
    weights.push(1 / ((1 - t * t) * slope * slope));
  }
  return { points, weights };
}
