/** Where each contender is found. It is loaded only when it is asked for, in a worker of its own. */

import type { Contender, ContenderName } from '../contender.ts';

export const loadContender: Readonly<Record<ContenderName, () => Promise<{ contender: Contender }>>> = {
  vitrine: () => import('./vitrine.ts'),
  'tfjs-webgpu': () => import('./tfjs-webgpu.ts'),
  'jax-webgpu': () => import('./jax-webgpu.ts'),
  'tfjs-wasm': () => import('./tfjs-wasm.ts'),
  'jax-wasm': () => import('./jax-wasm.ts'),
  'tfjs-cpu': () => import('./tfjs-cpu.ts'),
  'ort-webgpu': () => import('./ort-webgpu.ts'),
  'ort-wasm': () => import('./ort-wasm.ts'),
};
