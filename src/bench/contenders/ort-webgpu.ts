import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import * as runtime from 'onnxruntime-web/webgpu';
import type { Contender } from '../contender.ts';
import { ort } from './ort.ts';

runtime.env.wasm.wasmPaths = { mjs: new URL(mjs, import.meta.url).href, wasm: new URL(wasm, import.meta.url).href };
// The products run on the GPU; threads would only wait.
runtime.env.wasm.numThreads = 1;

export const contender: Contender = ort(
  runtime,
  'inputs and outputs stay on the GPU',
  { executionProviders: ['webgpu'], preferredOutputLocation: 'gpu-buffer' },
  async ({ Tensor, env }, x, shape) => {
    const device = (await env.webgpu.device) as GPUDevice;
    const gpuBuffer = device.createBuffer({
      label: 'bench x',
      size: x.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
    device.queue.writeBuffer(gpuBuffer, 0, x);
    return Tensor.fromGpuBuffer(gpuBuffer, { dataType: 'float32', dims: shape });
  },
);
