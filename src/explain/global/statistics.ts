/** The small statistics that global methods report with: intervals, tests and quantiles, in float64 on the CPU. */

/** An estimate and the ends of its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959963984540054;

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
};

/** Of a sample: divided by n − 1; 0 for one value. */
export function deviationOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - mean) ** 2;
  return values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0;
}

/**
 * A share with Wilson's score interval at 95 %, which stays within [0, 1] and is right for shares near its ends.
 * **Source** Wilson 1927, "Probable inference, the law of succession, and statistical inference".
 */
export function shareInterval(hits: number, of: number): Interval {
  if (of === 0) return { value: Number.NaN, low: 0, high: 1 };
  const share = hits / of;
  const centre = (share + (Z * Z) / (2 * of)) / (1 + (Z * Z) / of);
  const half = (Z / (1 + (Z * Z) / of)) * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  return { value: share, low: Math.max(0, Math.min(share, centre - half)), high: Math.min(1, Math.max(share, centre + half)) };
}

/** The mean of a sample with Student's interval at 95 %; of one value, without width. */
export function meanInterval(values: ArrayLike<number>): Interval {
  const value = meanOf(values);
  const n = values.length;
  if (n < 2) return { value, low: value, high: value };
  const half = (studentQuantile(n - 1) * deviationOf(values)) / Math.sqrt(n);
  return { value, low: value - half, high: value + half };
}

/** P(|T| ≥ |t|) for Student's t with `freedom` degrees of freedom. */
export const studentTail = (t: number, freedom: number): number =>
  Number.isFinite(t) ? incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5) : 0;

/** t with P(|T| ≥ t) = 0.05, by bisection. */
function studentQuantile(freedom: number): number {
  let [low, high] = [0, 1e4];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (studentTail(middle, freedom) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** ln Γ(x). **Source** Lanczos 1964, with the coefficients of Numerical Recipes, 6.1. */
function logGamma(x: number): number {
  const coefficients = [
    76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5,
  ];
  const t = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  const series = coefficients.reduce((sum, coefficient, i) => sum + coefficient / (x + i + 1), 1.000000000190015);
  return -t + Math.log((2.5066282746310007 * series) / x);
}

/** The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction. **Source** Numerical Recipes, 6.4. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x));
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return result;
}

/** The p-quantile of sorted values, linear between neighbours (NumPy's default; Hyndman, Fan 1996, type 7). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (at - below) * (high - low);
}
