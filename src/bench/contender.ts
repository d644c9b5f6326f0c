/** The one interface that every contender implements, and what is known of each without loading it. */

import type { TunedClass } from '../engine/index.ts';
import type { TimedWorkload } from './workloads.ts';

/**
 * What a contender computed before any time counts, by name:
 * `logits`, `losses`, `gradient/dense_1/weight`, … for training; `probabilities` for inference; `rows`, `rowSums` for a product;
 * `maps` for explanations.
 */
export type Results = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

/** One workload, set up on the contender's device with its data already there. */
export interface Session {
  /** Called once, first: what it makes of the first batches. A contender leaves out what it cannot give. */
  results(): Promise<Results>;
  /** Does the work `times` times and resolves with a number that depends on all of it. */
  run(times: number): Promise<number>;
  /** Only the JavaScript of `times` repetitions, with nothing awaited in between, for the overhead of a step; absent where it cannot be told apart. */
  encode?(times: number): void | Promise<void>;
  /** The times of all kernel variants, where the contender was asked to tune and can. */
  readonly tuning?: readonly TunedClass[];
}

export interface Contender {
  /** Versions of its packages, and how it does the work where there was a choice. */
  readonly description: string;
  /** With `tune` it may look for the fastest kernels of this adapter before anything is timed. */
  open(workload: TimedWorkload, tune?: boolean): Promise<Session>;
}

export type ContenderName = 'vitrine' | 'tfjs-webgpu' | 'jax-webgpu' | 'tfjs-wasm' | 'jax-wasm' | 'tfjs-cpu' | 'ort-webgpu' | 'ort-wasm';

export interface ContenderFacts {
  readonly title: string;
  /** It computes through WebGPU, so its calls and its memory can be counted. */
  readonly webgpu: boolean;
  /** The kinds of work that it does, where it does not do all. */
  readonly only?: readonly TimedWorkload['kind'][];
}

export const contenders: Readonly<Record<ContenderName, ContenderFacts>> = {
  vitrine: { title: 'Vitrine', webgpu: true },
  'tfjs-webgpu': { title: 'TensorFlow.js WebGPU', webgpu: true },
  'jax-webgpu': { title: 'jax-js WebGPU', webgpu: true },
  'tfjs-wasm': { title: 'TensorFlow.js WASM', webgpu: false },
  'jax-wasm': { title: 'jax-js WASM', webgpu: false },
  'tfjs-cpu': { title: 'TensorFlow.js CPU', webgpu: false },
  'ort-webgpu': { title: 'ONNX Runtime WebGPU', webgpu: true, only: ['infer'] },
  'ort-wasm': { title: 'ONNX Runtime WASM', webgpu: false, only: ['infer'] },
};

export const contenderNames: readonly ContenderName[] = Object.keys(contenders) as ContenderName[];

/** Whether a contender does work of this kind at all. One that is not known is tried, and fails. */
export const does = (contender: ContenderName, kind: TimedWorkload['kind']): boolean => contenders[contender]?.only?.includes(kind) ?? true;
