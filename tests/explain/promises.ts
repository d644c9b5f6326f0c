/** What every method promises besides its formula. */

import { expect } from 'vitest';
import type { Model } from '../../src/engine/index.ts';
import type { Attribution } from '../../src/explain/index.ts';
import { examplesOf } from './networks.ts';

/** The map of an example is the same bits alone, among a few, and among many. */
export async function expectSameAloneAndAmongOthers(
  model: Model,
  explain: (x: Float32Array) => Promise<Attribution>,
  rows = 9,
): Promise<void> {
  const features = model.spec.inputShape.reduce((a, b) => a * b, 1);
  const all = examplesOf(rows, features, 77);
  const among = await explain(all);
  const together = new Uint32Array((await among.values.read()).buffer);
  among.dispose();
  for (const row of [0, 4, rows - 1]) {
    const alone = await explain(all.slice(row * features, (row + 1) * features));
    const bits = new Uint32Array((await alone.values.read()).buffer);
    alone.dispose();
    expect(Array.from(bits)).toEqual(Array.from(together.slice(row * features, (row + 1) * features)));
  }
}
