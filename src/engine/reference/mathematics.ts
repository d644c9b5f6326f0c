/** Mathematics in float64 that kernels are compared with, by the tests and by the self-test page. Arrays are row-major. */

/** erf(x), within 1e-13: its series near 0, the continued fraction of its complement beyond (Abramowitz, Stegun 1964, 7.1.5, 7.1.14). */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
      term *= (-x * x) / n;
      total += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * total;
  }
  let fraction = z;
  for (let n = 60; n >= 1; n--) fraction = z + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** GELU: x times the chance that a normal number is below x. */
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** GELU as approximated by tanh. */
export const geluByTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Calls `visit` with each row-major index of a shape and its coordinates. */
export function eachIndex(shape: readonly number[], visit: (index: number, coordinates: readonly number[]) => void): void {
  const coordinates = shape.map(() => 0);
  const count = shape.reduce((a, b) => a * b, 1);
  for (let index = 0; index < count; index++) {
    visit(index, coordinates);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      coordinates[axis] = (coordinates[axis] as number) + 1;
      if (coordinates[axis] !== shape[axis]) break;
      coordinates[axis] = 0;
    }
  }
}

/** The row-major index in `shape` of coordinates in a larger shape that it broadcasts to. */
export function broadcastIndex(coordinates: readonly number[], shape: readonly number[]): number {
  const missing = coordinates.length - shape.length;
  return shape.reduce((index, length, axis) => index * length + (length === 1 ? 0 : (coordinates[axis + missing] as number)), 0);
}

/** x, repeated to a shape. */
export function broadcastTo(x: readonly number[], from: readonly number[], to: readonly number[]): number[] {
  const y: number[] = [];
  eachIndex(to, (_index, coordinates) => {
    y.push(x[broadcastIndex(coordinates, from)] as number);
  });
  return y;
}

/** x, of shape `from`, combined into the smaller shape `to`, which broadcasts to it. */
export function reduceTo(
  x: readonly number[],
  from: readonly number[],
  to: readonly number[],
  combine: (a: number, b: number) => number,
): number[] {
  const y: number[] = [];
  eachIndex(from, (index, coordinates) => {
    const at = broadcastIndex(coordinates, to);
    const value = x[index] as number;
    y[at] = at in y ? combine(y[at] as number, value) : value;
  });
  return y;
}
