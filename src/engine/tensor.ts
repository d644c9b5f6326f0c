/** A named array on the GPU. Whoever wants to see it binds its buffer; `read()` copies it to the CPU. */

import type { Device, DeviceBuffer } from './device.ts';
import { shapeMismatch, show, VitrineError } from './errors.ts';
import { type DataType, elements, type TensorType } from './operation.ts';

export interface TensorInit extends TensorType {
  readonly name: string;
  readonly storage: DeviceBuffer;
  readonly byteOffset: number;
  /** dispose() frees the buffer: true for a buffer of its own, false for a part of a flat one. */
  readonly owned: boolean;
  /** Bytes to bind from byteOffset; what the shape needs, by default. */
  readonly bindingBytes?: number;
}

export class Tensor implements TensorType {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DataType;
  readonly byteOffset: number;
  readonly bindingBytes: number;
  readonly storage: DeviceBuffer;
  /** The training step its value belongs to, where it has one. */
  step: number | undefined;
  readonly #device: Device;
  readonly #owned: boolean;
  #disposed = false;

  constructor(device: Device, init: TensorInit) {
    this.#device = device;
    this.name = init.name;
    this.shape = [...init.shape];
    this.dtype = init.dtype;
    this.storage = init.storage;
    this.byteOffset = init.byteOffset;
    this.bindingBytes = init.bindingBytes ?? Math.max(4, this.bytes);
    this.#owned = init.owned;
  }

  /** Number of elements. */
  get length(): number {
    return elements(this.shape);
  }

  /** Size of its values in bytes. */
  get bytes(): number {
    return 4 * this.length;
  }

  /** @throws VitrineError `tensor-disposed`, `device-lost` */
  requireAlive(): void {
    if (this.#disposed) {
      throw new VitrineError(
        'tensor-disposed',
        `${this.name} ${show(this.shape)} was used after dispose().`,
        'keep the tensor until its last reader has finished.',
        {
          name: this.name,
        },
      );
    }
    this.storage.requireAlive();
  }

  /** Its GPUBuffer, to bind at `byteOffset`; another one after the device was replaced. @throws VitrineError `tensor-disposed`, `device-lost` */
  get buffer(): GPUBuffer {
    this.requireAlive();
    return this.storage.gpu;
  }

  /** Its float32 values, row-major. @throws VitrineError `dtype-mismatch` for uint32, `tensor-disposed`, `device-lost` */
  async read(): Promise<Float32Array> {
    this.#require('float32');
    return new Float32Array(await this.#bytes());
  }

  /** Its uint32 values, row-major. @throws VitrineError `dtype-mismatch` for float32, `tensor-disposed`, `device-lost` */
  async readUint32(): Promise<Uint32Array> {
    this.#require('uint32');
    return new Uint32Array(await this.#bytes());
  }

  /** Replaces its values. @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `tensor-disposed` */
  write(values: Float32Array | Uint32Array): void {
    this.#require(values instanceof Uint32Array ? 'uint32' : 'float32');
    if (values.length !== this.length) {
      throw shapeMismatch(
        `${this.name}: ${values.length} values do not fill ${show(this.shape)} (${this.length} values).`,
        'pass one value an element, row-major, or give the shape that the values have.',
        { name: this.name, shape: this.shape, values: values.length },
      );
    }
    if (!this.buffer || values.length === 0) return;
    this.#device.writeBuffer('engine', this.storage, this.byteOffset, values);
  }

  /** Frees its memory, unless it is part of a larger buffer that its owner frees. */
  dispose(): void {
    this.#disposed = true;
    if (this.#owned) this.storage.dispose();
  }

  async #bytes(): Promise<ArrayBuffer> {
    if (!this.buffer) return new ArrayBuffer(0);
    return this.#device.readBuffer(this.storage, this.byteOffset, this.bytes);
  }

  #require(dtype: DataType): void {
    if (this.dtype === dtype) return;
    throw new VitrineError(
      'dtype-mismatch',
      `${this.name} is ${this.dtype} but was used as ${dtype}.`,
      `use ${this.dtype === 'uint32' ? 'readUint32() and a Uint32Array' : 'read() and a Float32Array'}.`,
      {
        name: this.name,
        dtype: this.dtype,
      },
    );
  }
}
