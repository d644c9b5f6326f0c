/** A data set on the GPU. Bytes stay bytes, rows padded to four; what is larger than one binding is split into shards. */

import type { Dataset } from './dataset.ts';
import type { Device } from './device.ts';
import { elements } from './operation.ts';
import type { Tensor } from './tensor.ts';

export interface Shard {
  /** uint32 [count, words]: packed bytes, or the bits of floats or indices. */
  readonly tensor: Tensor;
  readonly first: number;
  readonly count: number;
}

export interface ResidentData {
  readonly dataset: Dataset;
  readonly inputs: readonly Shard[];
  readonly storage: 'bytes' | 'floats';
  /** uint32 [size]; a single 0 where the data has no labels. */
  readonly labels: Tensor;
  readonly targets: readonly Shard[];
  dispose(): void;
}

/** Uploads a data set, and again after a device was replaced. @throws VitrineError `out-of-memory` */
export async function residentData(device: Device, dataset: Dataset): Promise<ResidentData> {
  return device.guarded(dataset.name, () => {
    const owned: Tensor[] = [];
    const fill: (() => void)[] = [];
    const make = (name: string, shape: readonly number[]): Tensor => {
      const tensor = device.empty(shape, 'uint32', name, { recoverable: true });
      owned.push(tensor);
      return tensor;
    };
    const shards = (name: string, values: Dataset['inputs'], width: number): Shard[] => {
      const words = values instanceof Uint8Array ? Math.ceil(width / 4) : width;
      // A buffer is a multiple of 16 bytes long.
      const most = 16 * Math.floor(Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize) / 16);
      const perShard = Math.max(1, Math.floor(most / (4 * words)));
      const result: Shard[] = [];
      for (let first = 0; first < dataset.size; first += perShard) {
        const count = Math.min(perShard, dataset.size - first);
        const tensor = make(`${dataset.name}/${name}`, [count, words]);
        fill.push(() => tensor.write(packRows(values, width, first, count)));
        result.push({ tensor, first, count });
      }
      return result;
    };
    const inputs = shards('inputs', dataset.inputs, elements(dataset.inputShape));
    const labels = make(`${dataset.name}/labels`, [dataset.labels ? dataset.size : 1]);
    if (dataset.labels) {
      const values = dataset.labels;
      fill.push(() => labels.write(Uint32Array.from(values)));
    }
    const targets = dataset.targets ? shards('targets', dataset.targets, elements(dataset.targetShape ?? [])) : [];
    const rebuild = (): void => {
      for (const write of fill) write();
    };
    rebuild();
    const recoverable = { rebuild };
    device.register(recoverable);
    return {
      dataset,
      inputs,
      storage: dataset.inputs instanceof Uint8Array ? ('bytes' as const) : ('floats' as const),
      labels,
      targets,
      dispose: () => {
        device.unregister(recoverable);
        for (const tensor of owned) tensor.dispose();
      },
    };
  });
}

/** Rows as 32-bit words. */
function packRows(values: Dataset['inputs'], width: number, first: number, count: number): Uint32Array<ArrayBuffer> {
  if (!(values instanceof Uint8Array)) return new Uint32Array(values.slice(first * width, (first + count) * width).buffer as ArrayBuffer);
  const padded = 4 * Math.ceil(width / 4);
  if (padded === width) return new Uint32Array(values.slice(first * width, (first + count) * width).buffer as ArrayBuffer);
  const bytes = new Uint8Array(count * padded);
  for (let row = 0; row < count; row++) bytes.set(values.subarray((first + row) * width, (first + row + 1) * width), row * padded);
  return new Uint32Array(bytes.buffer);
}

/** A fingerprint of a data set, so that a snapshot knows what it was trained on (FNV-1a over every word). */
export function dataHash(dataset: Dataset): string {
  let hash = 0x811c9dc5;
  const mix = (bytes: Uint8Array): void => {
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  };
  for (const values of [dataset.inputs, dataset.labels, dataset.targets]) {
    if (values) mix(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return `${dataset.size}-${(hash >>> 0).toString(16).padStart(8, '0')}`;
}
