import mjs from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import * as runtime from 'onnxruntime-web/wasm';
import type { Contender } from '../contender.ts';
import { ort } from './ort.ts';

runtime.env.wasm.wasmPaths = { mjs: new URL(mjs, import.meta.url).href, wasm: new URL(wasm, import.meta.url).href };
// Threads need an isolated page; it takes one where there is none.
runtime.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;

export const contender: Contender = ort(
  runtime,
  `SIMD, ${runtime.env.wasm.numThreads} threads`,
  { executionProviders: ['wasm'] },
  ({ Tensor }, x, shape) => new Tensor('float32', x, shape),
);
