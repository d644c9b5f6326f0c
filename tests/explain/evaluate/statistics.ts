/** What tests of scores count with. */

export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

export const average = (values: ArrayLike<number>): number => sum(values) / values.length;
