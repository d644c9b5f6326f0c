/** What stored values come to, as `statisticsOf` tells of a tensor on the GPU. */

import type { Statistics } from '../maps/statistics.ts';

const BINS = 64;

/** **Shapes** values of any shape whose last axis has so many columns. */
export function statisticsHere(values: Float32Array, columns: number): Statistics {
  const finite = values.filter(Number.isFinite);
  const least = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const greatest = finite.reduce((greatest, value) => Math.max(greatest, value), Number.NEGATIVE_INFINITY);
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const variance = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length;
  const histogram = new Uint32Array(BINS);
  const width = (greatest - least) / BINS;
  for (const value of finite) histogram[width > 0 ? Math.min(BINS - 1, Math.floor((value - least) / width)) : 0]! += 1;
  const alive = new Set<number>();
  values.forEach((value, i) => {
    if (value !== 0) alive.add(i % columns);
  });
  return {
    length: values.length,
    notFinite: values.length - finite.length,
    zeros: values.reduce((count, value) => count + (value === 0 ? 1 : 0), 0),
    dead: columns - alive.size,
    columns,
    least,
    greatest,
    mean,
    deviation: Math.sqrt(variance),
    histogram,
  };
}
