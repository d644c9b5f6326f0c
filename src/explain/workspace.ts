/**
 * Buffers that explanation plans use in turn. Plans of one device never run at the same time, and nothing that must outlive a run stays in
 * them, so all plans together take about what the largest takes alone.
 */

import type { Device, DeviceBuffer } from '../engine/device.ts';
import { elements, type TensorType } from '../engine/operation.ts';
import { Tensor } from '../engine/tensor.ts';

/** Sizes come in steps of a quarter of a power of two, so that plans of about one size meet in the same buffers. */
function roundedSize(bytes: number): number {
  const step = Math.max(16, 2 ** Math.floor(Math.log2(Math.max(bytes, 1))) / 4);
  return Math.ceil(bytes / step) * step;
}

export class Workspace {
  readonly #device: Device;
  #buffers: DeviceBuffer[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Bytes in its buffers. */
  get bytes(): number {
    return this.#buffers.reduce((sum, buffer) => sum + buffer.size, 0);
  }

  /** What one plan takes its buffers by: each at most once. */
  lease(): (name: string, type: TensorType) => Tensor {
    const free = [...this.#buffers].sort((a, b) => a.size - b.size);
    return (name, type) => {
      const size = roundedSize(4 * elements(type.shape));
      const at = free.findIndex((buffer) => buffer.size >= size && buffer.size <= 2 * size);
      let storage = free[at];
      if (storage) free.splice(at, 1);
      else {
        storage = this.#device.createBuffer('explain: workspace', size, { recoverable: true, owner: 'explain', tensorShape: type.shape });
        this.#buffers.push(storage);
      }
      return new Tensor(this.#device, { name, shape: type.shape, dtype: type.dtype, storage, byteOffset: 0, owned: false });
    };
  }

  /** Frees every buffer; no plan that leased from it may run afterwards. */
  dispose(): void {
    for (const buffer of this.#buffers) buffer.dispose();
    this.#buffers = [];
  }
}
