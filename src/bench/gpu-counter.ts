/**
 * Counts what anyone asks of WebGPU in this thread, by wrapping the interface itself, so that every contender is counted alike. Installed
 * only where nothing is timed.
 */

export interface GpuCounts {
  dispatches: number;
  submits: number;
  /** Buffers, bind groups and pipelines created. */
  buffers: number;
  bindGroups: number;
  pipelines: number;
  /** writeBuffer and mapped writes count as uploads; mapAsync counts both ways. */
  writes: number;
  maps: number;
  copies: number;
  /** Bytes in buffers now, and the most at one time. */
  bytes: number;
  peakBytes: number;
}

const counts: GpuCounts = {
  dispatches: 0,
  submits: 0,
  buffers: 0,
  bindGroups: 0,
  pipelines: 0,
  writes: 0,
  maps: 0,
  copies: 0,
  bytes: 0,
  peakBytes: 0,
};

export const readCounts = (): GpuCounts => ({ ...counts });

type Method = (...args: never[]) => unknown;

function wrap<Name extends string>(owner: Record<Name, Method>, name: Name, before: (self: unknown, result: unknown) => void): void {
  const original = owner[name];
  owner[name] = function (this: unknown, ...args: never[]) {
    const result = original.apply(this, args);
    before(this, result);
    return result;
  };
}

let installed = false;

/** From now on every call counts. Twice is once. */
export function installCounter(): void {
  if (installed) return;
  installed = true;
  const count = (name: Exclude<keyof GpuCounts, 'bytes' | 'peakBytes'>) => (): void => {
    counts[name] += 1;
  };
  const live = new WeakSet<object>();
  wrap(GPUDevice.prototype as never, 'createBuffer', (_device, result) => {
    const buffer = result as GPUBuffer;
    live.add(buffer);
    counts.buffers += 1;
    counts.bytes += buffer.size;
    counts.peakBytes = Math.max(counts.peakBytes, counts.bytes);
  });
  wrap(GPUBuffer.prototype as never, 'destroy', (self) => {
    if (live.delete(self as object)) counts.bytes -= (self as GPUBuffer).size;
  });
  wrap(GPUDevice.prototype as never, 'createBindGroup', count('bindGroups'));
  wrap(GPUDevice.prototype as never, 'createComputePipeline', count('pipelines'));
  wrap(GPUDevice.prototype as never, 'createComputePipelineAsync', count('pipelines'));
  wrap(GPUComputePassEncoder.prototype as never, 'dispatchWorkgroups', count('dispatches'));
  wrap(GPUCommandEncoder.prototype as never, 'copyBufferToBuffer', count('copies'));
  wrap(GPUQueue.prototype as never, 'submit', count('submits'));
  wrap(GPUQueue.prototype as never, 'writeBuffer', count('writes'));
  wrap(GPUBuffer.prototype as never, 'mapAsync', count('maps'));
}
