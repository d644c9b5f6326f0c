/** Small data and models that several tests train. */

import type { Dataset } from '../../src/engine/dataset.ts';
import type { Device } from '../../src/engine/device.ts';
import { dense, dropout, type Layer, softmax } from '../../src/engine/layers.ts';
import { buildModel, type Model } from '../../src/engine/model.ts';
import { normal, permute } from '../../src/engine/random.ts';

/** `size` points of `features` values around one centre a class. */
export function clusters(size: number, features: number, classes: number, seed = 1): Dataset {
  const inputs = new Float32Array(size * features);
  const labels = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    const label = i % classes;
    labels[i] = label;
    for (let j = 0; j < features; j++) inputs[i * features + j] = 2 * normal(seed, 1, label, j) + normal(seed, 2, i, j);
  }
  return { name: 'clusters', size, inputShape: [features], inputs, labels };
}

export interface SmallModel {
  readonly features?: number;
  readonly hidden?: number;
  readonly classes?: number;
  readonly seed?: number;
  readonly dropoutRate?: number;
}

export function smallModel(
  device: Device,
  { features = 8, hidden = 12, classes = 3, seed = 7, dropoutRate }: SmallModel = {},
): Promise<Model> {
  const drop: Layer[] = dropoutRate === undefined ? [] : [dropout(dropoutRate)];
  return buildModel(device, {
    inputShape: [features],
    layers: [dense(hidden, { activation: 'relu' }), ...drop, dense(classes), softmax()],
    seed,
  });
}

/** All parameters as bits, for comparisons that allow no difference. */
export async function bits(model: Model): Promise<Uint32Array> {
  return new Uint32Array((await model.flatParameters.read()).buffer);
}

/**
 * Images [8, 8, 1] of noise with one bright patch of four at a random place; its left or its right half is bright, which is the class.
 * `places` says where, of the patches row by row.
 */
export function markedPatches(size: number, seed = 1): Dataset & { readonly labels: Uint32Array; readonly places: Uint32Array } {
  const inputs = new Float32Array(size * 64);
  const labels = new Uint32Array(size);
  const places = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    for (let p = 0; p < 64; p++) inputs[i * 64 + p] = 0.2 * normal(seed, 1, i, p);
    const place = permute(i % 4, 4, seed, i);
    const label = i % 2;
    [places[i], labels[i]] = [place, label];
    const [top, left] = [4 * Math.floor(place / 2), 4 * (place % 2) + 2 * label];
    for (let row = top; row < top + 4; row++) inputs.fill(2, i * 64 + row * 8 + left, i * 64 + row * 8 + left + 2);
  }
  return { name: 'marked patches', size, inputShape: [8, 8, 1], inputs, labels, places };
}
