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

/** The same call gives the same bits twice. */
export async function expectSameTwice(model: Model, explain: (x: Float32Array) => Promise<Attribution>, rows = 3): Promise<void> {
  const features = model.spec.inputShape.reduce((a, b) => a * b, 1);
  const x = examplesOf(rows, features, 78);
  const bits = [];
  for (let i = 0; i < 2; i++) {
    const attribution = await explain(x);
    bits.push(Array.from(new Uint32Array((await attribution.values.read()).buffer)));
    attribution.dispose();
  }
  expect(bits[1]).toEqual(bits[0]);
}

/**
 * Repeated calls leave the GPU's bytes and buffers where they were after the first few, whatever the number of examples and the options.
 *
 * @param explain is given the number of the call, to vary its options by
 */
export async function expectBoundedMemory(
  model: Model,
  explain: (x: Float32Array, call: number) => Promise<{ dispose(): void }>,
  calls = 40,
): Promise<void> {
  const features = model.spec.inputShape.reduce((a, b) => a * b, 1);
  const sizes = [1, 2, 5, 8, 3];
  const { memory } = model.device;
  const call = async (i: number): Promise<void> => {
    (await explain(examplesOf(sizes[i % sizes.length] as number, features, i), i)).dispose();
  };
  // Every size meets every option once: two coprime cycles.
  const warm = calls / 2;
  for (let i = 0; i < warm; i++) await call(i);
  const before = { bytes: memory.bytes, buffers: memory.buffers };
  for (let i = warm; i < calls; i++) await call(i);
  expect({ bytes: memory.bytes, buffers: memory.buffers }).toEqual(before);
}
