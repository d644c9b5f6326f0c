import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import { finished } from './finished.ts';
import { firstStep } from './tensorflow.ts';

// All three must be named; an isolated page takes the last and fetches no other.
setWasmPaths({
  'tfjs-backend-wasm.wasm': threaded,
  'tfjs-backend-wasm-simd.wasm': threaded,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
});
finished(await firstStep('wasm'));
