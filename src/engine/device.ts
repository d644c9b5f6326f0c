/**
 * The one place that creates GPU objects. It counts what it makes, looks errors in the eye, caches pipelines, and brings everything back
 * after the device was lost. It knows no operation by name.
 */

import { internal, VitrineError } from './errors.ts';
import { type Kernel, kernelInterface } from './kernel.ts';
import { type DataType, elements } from './operation.ts';
import { Tensor } from './tensor.ts';
import type { TuningStore } from './tuning.ts';

/** Who makes a call: the two counters of the interface are kept apart by owner. */
export type Owner = 'engine' | 'train' | 'reader' | 'explain' | 'ui';

export type CallKind =
  | 'createBuffer'
  | 'createBindGroup'
  | 'createComputePipeline'
  | 'writeBuffer'
  | 'copyBuffer'
  | 'mapAsync'
  | 'dispatch'
  | 'submit';

export type Calls = Record<CallKind, number>;

const noCalls = (): Calls => ({
  createBuffer: 0,
  createBindGroup: 0,
  createComputePipeline: 0,
  writeBuffer: 0,
  copyBuffer: 0,
  mapAsync: 0,
  dispatch: 0,
  submit: 0,
});

export interface MemoryUse {
  /** Bytes in GPU buffers now. */
  bytes: number;
  /** Number of GPU buffers now. */
  buffers: number;
  /** The most bytes held at one time. */
  peakBytes: number;
}

export interface DeviceOptions {
  /**
   * Where devices come from: called at the start and again after a loss (an adapter serves one `requestDevice`, so it must ask for an
   * adapter each time). The browser's own adapter by default.
   */
  readonly requestDevice?: () => Promise<GPUDevice>;
  /** A device of yours. It cannot be replaced, so its loss is an error. */
  readonly gpu?: GPUDevice;
  readonly powerPreference?: GPUPowerPreference;
  /** Where what `tune` finds is kept from one visit to the next; without it nothing is remembered. */
  readonly tuning?: TuningStore;
}

/** What brings its own GPU objects back on a new device, in the order in which it was registered. */
export interface Recoverable {
  rebuild(): Promise<void> | void;
}

/** A GPUBuffer that keeps its identity when the device under it is replaced. */
export class DeviceBuffer {
  readonly label: string;
  readonly size: number;
  readonly usage: GPUBufferUsageFlags;
  /** Made anew, empty, after a loss; its owner writes the contents back. Otherwise it is lost with the device. */
  readonly recoverable: boolean;
  readonly #device: Device;
  #gpu: GPUBuffer | undefined;
  #end: 'disposed' | 'lost' | undefined;

  constructor(device: Device, gpu: GPUBuffer, recoverable: boolean) {
    this.#device = device;
    this.#gpu = gpu;
    this.label = gpu.label;
    this.size = gpu.size;
    this.usage = gpu.usage;
    this.recoverable = recoverable;
  }

  /** @throws VitrineError `tensor-disposed`, `device-lost` */
  requireAlive(): void {
    if (this.#gpu) return;
    if (this.#end === 'lost') {
      throw new VitrineError(
        'device-lost',
        `${this.label}: its contents went with the lost GPU device.`,
        'make the tensor again from its data.',
        {
          name: this.label,
        },
      );
    }
    throw new VitrineError(
      'tensor-disposed',
      `${this.label} was used after dispose().`,
      'keep the tensor until its last reader has finished.',
      {
        name: this.label,
      },
    );
  }

  /** @throws VitrineError `tensor-disposed`, `device-lost` */
  get gpu(): GPUBuffer {
    this.requireAlive();
    return this.#gpu as GPUBuffer;
  }

  /** For the device, after a loss. */
  replace(gpu: GPUBuffer | undefined): void {
    this.#gpu = gpu;
    if (!gpu) this.#end = 'lost';
  }

  /** Frees the memory; what is already submitted still runs. Twice is once. */
  dispose(): void {
    if (!this.#gpu) return;
    this.#gpu.destroy();
    this.#gpu = undefined;
    this.#end = 'disposed';
    this.#device.forget(this);
  }
}

/** A compiled entry point with its explicit layouts. */
export interface Pipeline {
  readonly kernel: Kernel;
  gpu: GPUComputePipeline;
  bufferLayout: GPUBindGroupLayout;
  parameterLayout: GPUBindGroupLayout;
}

const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const;

const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups', 'shader-f16'];

/** How long after a failed map the device may still be found lost. */
const LOSS_NEWS_MILLISECONDS = 1000;

/** Storage buffers bind at multiples of this many bytes, so tensors in a flat buffer start there. */
export const ALIGNMENT = 256;

/** Asks for a WebGPU device. @throws VitrineError `no-webgpu`, `no-adapter` */
async function requestBrowserDevice(powerPreference: GPUPowerPreference): Promise<GPUDevice> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  if (!gpu) {
    throw new VitrineError(
      'no-webgpu',
      'This browser has no WebGPU (navigator.gpu is missing).',
      'use a current Chrome, Edge, Firefox or Safari, on https or on localhost; WebGPU is hidden from other pages.',
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter) {
    throw new VitrineError(
      'no-adapter',
      'WebGPU is here but found no adapter: the GPU or its driver is blocked.',
      'switch on hardware acceleration or update the driver; headless Chromium needs --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  return adapter.requestDevice({
    label: 'vitrine',
    requiredLimits,
    requiredFeatures: WANTED_FEATURES.filter((feature) => adapter.features.has(feature)),
  });
}

/**
 * Opens a GPU device.
 *
 * @throws VitrineError `no-webgpu` (no navigator.gpu), `no-adapter` (no GPU that it may use)
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  if (options.gpu) return new Device(options.gpu, undefined, options.tuning);
  const request = options.requestDevice ?? (() => requestBrowserDevice(options.powerPreference ?? 'high-performance'));
  let gpu: GPUDevice | undefined;
  let why = 'requestDevice returned none';
  try {
    gpu = await request();
  } catch (error) {
    if (error instanceof VitrineError) throw error;
    why = error instanceof Error ? error.message : String(error);
  }
  if (!gpu) {
    throw new VitrineError(
      'no-adapter',
      `No GPU device could be opened: ${why}.`,
      'ask a new adapter for the device each time; an adapter gives one device only.',
      {
        why,
      },
    );
  }
  return new Device(gpu, request, options.tuning);
}

export class Device {
  readonly calls: Record<Owner, Calls> = { engine: noCalls(), train: noCalls(), reader: noCalls(), explain: noCalls(), ui: noCalls() };
  readonly memory: MemoryUse = { bytes: 0, buffers: 0, peakBytes: 0 };
  /** Errors that no one awaited, oldest first: a fault of the engine or of the driver. */
  readonly faults: VitrineError[] = [];
  /** Resolves when the device is gone for good: it could not be replaced, or its owner destroyed it. */
  readonly lost: Promise<VitrineError | 'destroyed'>;
  /** How many devices came before this one: it grows at each replacement. */
  generation = 0;
  readonly tuning: TuningStore | undefined;

  #gpu: GPUDevice;
  readonly #request: (() => Promise<GPUDevice>) | undefined;
  readonly #buffers = new Set<DeviceBuffer>();
  readonly #recoverables = new Set<Recoverable>();
  readonly #listeners = new Set<() => void>();
  readonly #pipelines = new Map<string, Promise<Pipeline>>();
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  /** What the guarded call that is running now has made. */
  #made: { readonly buffers: Set<DeviceBuffer>; readonly recoverables: Set<Recoverable> } | undefined;
  #replacement: Promise<void> | undefined;
  #destroyed = false;
  #end: VitrineError | undefined;
  #resolveLost!: (end: VitrineError | 'destroyed') => void;

  constructor(gpu: GPUDevice, request: (() => Promise<GPUDevice>) | undefined, tuning?: TuningStore) {
    this.#gpu = gpu;
    this.tuning = tuning;
    this.#request = request;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
    this.#watch(gpu);
  }

  /** The GPUDevice in use now; another one after a loss. @throws VitrineError `device-lost` once it is gone for good */
  get gpu(): GPUDevice {
    if (this.#end) throw this.#end;
    return this.#gpu;
  }

  get info(): GPUAdapterInfo {
    return this.#gpu.adapterInfo;
  }

  get limits(): GPUSupportedLimits {
    return this.#gpu.limits;
  }

  get features(): GPUSupportedFeatures {
    return this.#gpu.features;
  }

  /** A tensor with the given values on the GPU. @throws VitrineError `shape-mismatch`, `limit-exceeded` */
  tensor(data: Float32Array | Uint32Array | readonly number[], shape: readonly number[] = [data.length], name = 'tensor'): Tensor {
    const values = data instanceof Float32Array || data instanceof Uint32Array ? data : Float32Array.from(data);
    const tensor = this.empty(shape, values instanceof Uint32Array ? 'uint32' : 'float32', name);
    try {
      tensor.write(values);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    return tensor;
  }

  /** A tensor of zeros. @throws VitrineError `limit-exceeded` */
  empty(shape: readonly number[], dtype: DataType, name: string, options: { recoverable?: boolean; owner?: Owner } = {}): Tensor {
    const buffer = this.createBuffer(name, 4 * elements(shape), { ...options, tensorShape: shape });
    return new Tensor(this, { name, shape, dtype, storage: buffer, byteOffset: 0, owned: true });
  }

  /** Calls `callback` after each replacement of the device, when all that can be brought back is back. Returns what undoes it. */
  onReplaced(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Resolves when the device can be used: at once, or after a replacement that is under way. @throws VitrineError `device-lost` */
  async ready(): Promise<void> {
    await this.#replacement;
    if (this.#end) throw this.#end;
  }

  /** Ends the device and frees everything on it. This is no loss. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const buffer of [...this.#buffers]) buffer.dispose();
    this.#recoverables.clear();
    this.#gpu.destroy();
    this.#end ??= new VitrineError('device-lost', 'The device was destroyed by its owner.', 'open another with openDevice().');
    this.#resolveLost('destroyed');
  }

  /** For tests: the GPU goes away as it does when a driver crashes. */
  simulateLoss(): void {
    this.#gpu.destroy();
  }

  // ---- for the engine ------------------------------------------------------------------------------------------------------------

  count(owner: Owner, kind: CallKind, times = 1): void {
    this.calls[owner][kind] += times;
  }

  /** A storage buffer of zeros. @throws VitrineError `limit-exceeded`, before the GPU is asked */
  createBuffer(
    label: string,
    bytes: number,
    options: { usage?: GPUBufferUsageFlags; recoverable?: boolean; owner?: Owner; tensorShape?: readonly number[] } = {},
  ): DeviceBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16);
    const most = Math.min(this.limits.maxBufferSize, this.limits.maxStorageBufferBindingSize);
    if (size > most) {
      const what = options.tensorShape ? ` [${options.tensorShape.join(', ')}]` : '';
      throw new VitrineError(
        'limit-exceeded',
        `${label}${what} needs ${size} bytes, but this adapter binds at most ${most}.`,
        'make it smaller, split it, or use a GPU with a larger maxStorageBufferBindingSize.',
        { label, bytes: size, limit: most },
      );
    }
    const usage = options.usage ?? GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = new DeviceBuffer(this, this.#create(label, size, usage), options.recoverable ?? false);
    this.count(options.owner ?? 'engine', 'createBuffer');
    this.#buffers.add(buffer);
    this.#made?.buffers.add(buffer);
    this.memory.bytes += size;
    this.memory.buffers += 1;
    this.memory.peakBytes = Math.max(this.memory.peakBytes, this.memory.bytes);
    return buffer;
  }

  #create(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    return this.gpu.createBuffer({ label, size, usage });
  }

  /** For DeviceBuffer.dispose. */
  forget(buffer: DeviceBuffer): void {
    if (!this.#buffers.delete(buffer)) return;
    this.memory.bytes -= buffer.size;
    this.memory.buffers -= 1;
  }

  /**
   * Runs what creates GPU objects and turns the errors that WebGPU reports later into a typed one now. Where that fails, the buffers that
   * `create` made before its first await are freed.
   */
  async guarded<T>(label: string, create: () => T | Promise<T>): Promise<T> {
    const { gpu } = this;
    const made = { buffers: new Set<DeviceBuffer>(), recoverables: new Set<Recoverable>() };
    gpu.pushErrorScope('out-of-memory');
    gpu.pushErrorScope('validation');
    let result: T;
    let scopes: Promise<(GPUError | null)[]> | undefined;
    try {
      const outer = this.#made;
      this.#made = made;
      let pending: T | Promise<T>;
      try {
        pending = create();
      } finally {
        this.#made = outer;
        // The scopes close before anything is awaited, so that no other code falls into them.
        scopes = Promise.all([gpu.popErrorScope(), gpu.popErrorScope()]);
      }
      result = await pending;
      const [validation, memory] = await scopes;
      if (memory) throw outOfMemory(label, this.memory.bytes);
      if (validation) throw validationError(label, validation.message);
    } catch (error) {
      await scopes?.catch(() => undefined);
      for (const recoverable of made.recoverables) this.unregister(recoverable);
      for (const buffer of made.buffers) buffer.dispose();
      throw error;
    }
    return result;
  }

  writeBuffer(owner: Owner, buffer: DeviceBuffer, byteOffset: number, data: ArrayBufferView): void {
    this.count(owner, 'writeBuffer');
    this.gpu.queue.writeBuffer(buffer.gpu, byteOffset, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  }

  /** Encodes and submits. */
  submit(owner: Owner, label: string, encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.gpu.createCommandEncoder({ label });
    encode(encoder);
    this.gpu.queue.submit([encoder.finish()]);
    this.count(owner, 'submit');
  }

  /** Copies a range of a buffer to the CPU. @throws VitrineError `device-lost`, `tensor-disposed` */
  async readBuffer(buffer: DeviceBuffer, byteOffset: number, bytes: number, owner: Owner = 'reader'): Promise<ArrayBuffer> {
    const [result] = await this.readRanges(buffer.label, [{ buffer, byteOffset, bytes }], owner);
    return result as ArrayBuffer;
  }

  /** Copies ranges of buffers to the CPU in one submit, so that they belong to one moment. @throws VitrineError `device-lost`, `tensor-disposed` */
  async readRanges(
    label: string,
    ranges: readonly { readonly buffer: DeviceBuffer; readonly byteOffset: number; readonly bytes: number }[],
    owner: Owner = 'reader',
  ): Promise<ArrayBuffer[]> {
    // Without a replacement under way the copy is submitted at once: it holds what the buffers hold now.
    if (this.#replacement) await this.#replacement;
    const { gpu } = this;
    const padded = ranges.map(({ bytes }) => Math.ceil(bytes / 4) * 4);
    const starts = padded.map((_bytes, i) => padded.slice(0, i).reduce((sum, each) => sum + each, 0));
    const sources = ranges.map(({ buffer }) => buffer.gpu);
    const total = padded.reduce((sum, each) => sum + each, 0);
    const staging = this.createBuffer(`${label} (read)`, total, { usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ, owner });
    try {
      this.submit(owner, `read ${label}`, (encoder) => {
        for (const [i, { byteOffset }] of ranges.entries()) {
          encoder.copyBufferToBuffer(sources[i] as GPUBuffer, byteOffset, staging.gpu, starts[i] as number, padded[i] as number);
        }
        this.count(owner, 'copyBuffer', ranges.length);
      });
      this.count(owner, 'mapAsync');
      await staging.gpu.mapAsync(GPUMapMode.READ);
      const mapped = staging.gpu.getMappedRange();
      return ranges.map(({ bytes }, i) => mapped.slice(starts[i] as number, (starts[i] as number) + bytes));
    } catch (error) {
      if (error instanceof VitrineError) throw error;
      // A map fails when the device goes; the news of that may be a little behind.
      await Promise.race([gpu.lost, new Promise((resolve) => setTimeout(resolve, LOSS_NEWS_MILLISECONDS))]);
      throw new VitrineError(
        'device-lost',
        `${label} could not be read: ${(error as Error).message}`,
        'read it again when the device is back.',
        {
          name: label,
        },
      );
    } finally {
      staging.dispose();
    }
  }

  /** The compiled pipeline of a kernel, from the cache where it was made before. @throws VitrineError `shader-invalid` with line numbers */
  pipeline(kernel: Kernel, constants: Readonly<Record<string, number>> = {}, owner: Owner = 'engine'): Promise<Pipeline> {
    const key = `${kernel.name}\n${JSON.stringify(constants)}\n${kernel.source}`;
    let found = this.#pipelines.get(key);
    if (!found) {
      found = this.#compile(kernel, constants, owner);
      this.#pipelines.set(key, found);
      found.catch(() => this.#pipelines.delete(key));
    }
    return found;
  }

  async #compile(kernel: Kernel, constants: Readonly<Record<string, number>>, owner: Owner): Promise<Pipeline> {
    const { gpu } = this;
    const { bindings } = kernelInterface(kernel);
    const bufferLayout = this.#layout(
      bindings.map(({ binding, access }) => [binding, access === 'read' ? 'read-only-storage' : 'storage'] as const),
    );
    const parameterLayout = this.#layout([[0, 'uniform']]);
    // Another kernel's error scope may be open on this device, so the module's own faults are read from its compilation info.
    const module = this.#module(kernel);
    const layout = gpu.createPipelineLayout({ label: kernel.name, bindGroupLayouts: [bufferLayout, parameterLayout] });
    this.count(owner, 'createComputePipeline');
    try {
      const pipeline = await gpu.createComputePipelineAsync({
        label: kernel.name,
        layout,
        compute: { module, entryPoint: kernel.entry, constants: { ...constants } },
      });
      return { kernel, gpu: pipeline, bufferLayout, parameterLayout };
    } catch (error) {
      // Chromium never answers a second getCompilationInfo of the same module, so another attempt gets a module of its own.
      this.#modules.delete(kernel.source);
      const info = await module.getCompilationInfo();
      const lines = info.messages
        .filter(({ type }) => type === 'error')
        .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`);
      const detail = lines.length > 0 ? lines.join('; ') : (error as Error).message;
      throw new VitrineError(
        'shader-invalid',
        `${kernel.name}: the shader does not compile: ${detail}`,
        'correct the WGSL at the line and column given.',
        {
          kernel: kernel.name,
          errors: lines,
        },
      );
    }
  }

  #module(kernel: Kernel): GPUShaderModule {
    let module = this.#modules.get(kernel.source);
    if (!module) {
      this.gpu.pushErrorScope('validation');
      module = this.gpu.createShaderModule({ label: kernel.name.split('.')[0] as string, code: kernel.source });
      // Its faults come back with the pipeline's, with line numbers.
      this.gpu.popErrorScope().catch(() => undefined);
      this.#modules.set(kernel.source, module);
    }
    return module;
  }

  #layout(entries: readonly (readonly [number, GPUBufferBindingType])[]): GPUBindGroupLayout {
    const key = JSON.stringify(entries);
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.gpu.createBindGroupLayout({
        label: key,
        entries: entries.map(([binding, type]) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  /** Registers what rebuilds its GPU objects after a loss; in order, so what stands on something registers after it. */
  register(recoverable: Recoverable): void {
    this.#recoverables.add(recoverable);
    this.#made?.recoverables.add(recoverable);
  }

  unregister(recoverable: Recoverable): void {
    this.#recoverables.delete(recoverable);
  }

  #watch(gpu: GPUDevice): void {
    gpu.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.faults.push(
        error instanceof GPUOutOfMemoryError
          ? outOfMemory('a GPU object', this.memory.bytes)
          : validationError('uncaptured', error.message),
      );
    });
    gpu.lost.then((info) => {
      if (this.#destroyed || gpu !== this.#gpu) return;
      this.#replacement = this.#replace(info).finally(() => {
        this.#replacement = undefined;
      });
      this.#replacement.catch(() => undefined);
    });
  }

  async #replace(info: GPUDeviceLostInfo): Promise<void> {
    try {
      if (!this.#request) throw internal('device.ts', 'no factory');
      const gpu = await this.#request();
      this.#gpu = gpu;
      this.generation += 1;
      this.#watch(gpu);
      this.#pipelines.clear();
      this.#modules.clear();
      this.#layouts.clear();
      for (const buffer of [...this.#buffers]) {
        if (buffer.recoverable) buffer.replace(this.#create(buffer.label, buffer.size, buffer.usage));
        else {
          buffer.replace(undefined);
          this.forget(buffer);
        }
      }
      for (const recoverable of [...this.#recoverables]) await recoverable.rebuild();
      for (const listener of [...this.#listeners]) listener();
    } catch (error) {
      const why = this.#request
        ? ` and no other could be opened (${(error as Error).message.split('\n')[0]})`
        : ' and was given as a bare GPUDevice';
      for (const buffer of this.#buffers) buffer.replace(undefined);
      this.#end = new VitrineError(
        'device-lost',
        `The GPU device was lost${info.message ? ` (${info.message})` : ''}${why}.`,
        'open a device with openDevice({ requestDevice }) so that it can be replaced, and load the last saved model.',
        { reason: info.reason },
      );
      this.#resolveLost(this.#end);
    }
  }
}

function outOfMemory(label: string, bytes: number): VitrineError {
  return new VitrineError(
    'out-of-memory',
    `${label}: the GPU is out of memory (${bytes} bytes are in use by this engine).`,
    'use a smaller batch or model, dispose of tensors no longer needed, or close other tabs.',
    { label, bytes },
  );
}

function validationError(label: string, message: string): VitrineError {
  return new VitrineError('gpu-validation', `${label}: WebGPU refused a call: ${message}`, 'report this with the steps that led here.', {
    label,
  });
}
