/** One worker, one contender, one workload: it is opened, checked, warmed up and timed here, and goes away with the worker. */

import type { AdapterFigures } from './adapter.ts';
import type { ContenderName, Results, Session } from './contender.ts';
import { loadContender } from './contenders/index.ts';
import { type GpuCounts, installCounter, readCounts } from './gpu-counter.ts';
import type { KernelProfile } from './roofline.ts';
import { summarise } from './statistics.ts';
import { findWorkload, isTimed, type TimedWorkload } from './workloads.ts';

export interface WorkerTasks {
  /**
   * Loads the contender and sets the workload up. With `counting`, its calls are counted from here on; with `tune`, it may tune its kernels
   * first. Returns what the tuner found.
   */
  open(contender: ContenderName, workload: string, counting: boolean, tune?: boolean): Promise<Session['tuning']>;
  results(): Promise<Results>;
  /** What the results of a workload must be. */
  reference(workload: string): Promise<Results>;
  /** Runs until kernels are compiled and times are steady; returns how many repetitions last about `target` milliseconds. */
  warmUp(target: number): Promise<number>;
  /** Milliseconds of `times` repetitions, the value at the end awaited. */
  sample(times: number): Promise<number>;
  /** What a step asks of WebGPU, in a run of many. */
  callsAStep(steps: number): Promise<GpuCounts>;
  /** Microseconds of JavaScript a step: encoding alone, nothing awaited in between. */
  microsecondsAStep(): Promise<number>;
  /** The most bytes in GPU buffers at one time, setting up and training. */
  peakBytes(steps: number): Promise<number>;
  /** Shares of Vitrine's training speed that explaining at the same time costs, one a pair of spells. */
  explainingCost(pairs: number, spellMilliseconds: number): Promise<number[]>;
  /** What the adapter can do. */
  adapter(): Promise<AdapterFigures>;
  /** The kernels of a step of Vitrine's. */
  profile(workload: string, adapter: AdapterFigures): Promise<readonly KernelProfile[]>;
}

const ENCODE_SAMPLES = 15;
/** The clock is coarse: a sample lasts at least so long. */
const LEAST_ENCODE_MILLISECONDS = 0.5;
const MOST_ENCODED_STEPS = 1024;

let session: Session | undefined;

function opened(): Session {
  if (!session) throw new Error('internal: worker.ts was asked to work before open()');
  return session;
}

function timedWorkload(name: string): TimedWorkload {
  const workload = findWorkload(name);
  if (!isTimed(workload)) throw new Error(`internal: worker.ts cannot time ${name}`);
  return workload;
}

async function milliseconds(times: number): Promise<number> {
  const begin = performance.now();
  const value = await opened().run(times);
  const elapsed = performance.now() - begin;
  if (!Number.isFinite(value)) throw new Error(`The work ended in ${value}.`);
  return elapsed;
}

const tasks: WorkerTasks = {
  async open(contender, workload, counting, tune = false) {
    if (counting) installCounter();
    const { contender: loaded } = await loadContender[contender]();
    session = await loaded.open(timedWorkload(workload), tune);
    return session.tuning;
  },

  results: () => opened().results(),

  async reference(workload) {
    const { referenceResults } = await import('./reference.ts');
    return referenceResults(timedWorkload(workload));
  },

  async warmUp(target) {
    await milliseconds(1);
    let times = 1;
    let elapsed = await milliseconds(times);
    while (elapsed < target / 2) {
      times = Math.min(8 * times, Math.ceil((times * target) / Math.max(elapsed, 0.1)));
      elapsed = await milliseconds(times);
    }
    return Math.max(1, Math.round((times * target) / elapsed));
  },

  sample: milliseconds,

  async callsAStep(steps) {
    await opened().run(2);
    await opened().run(steps);
    const before = readCounts();
    await opened().run(steps);
    const after = readCounts();
    const names = Object.keys(after) as (keyof GpuCounts)[];
    return Object.fromEntries(names.map((name) => [name, (after[name] - before[name]) / steps])) as unknown as GpuCounts;
  },

  async microsecondsAStep() {
    // Few at a time and each from an idle GPU: a full command queue would block, and its waiting would count.
    const { run, encode } = opened();
    if (!encode) throw new Error('It is lazy: its JavaScript cannot be told from its waiting.');
    let steps = 1;
    const samples: number[] = [];
    while (samples.length < ENCODE_SAMPLES) {
      await run(1);
      const begin = performance.now();
      await encode(steps);
      const elapsed = performance.now() - begin;
      if (elapsed < LEAST_ENCODE_MILLISECONDS && steps < MOST_ENCODED_STEPS) {
        steps *= 2;
        samples.length = 0;
      } else samples.push((1000 * elapsed) / steps);
    }
    return summarise(samples).median;
  },

  async peakBytes(steps) {
    await opened().run(steps);
    return readCounts().peakBytes;
  },

  async explainingCost(pairs, spellMilliseconds) {
    const { explainingCost } = await import('./contenders/vitrine.ts');
    return explainingCost(timedWorkload('train-mlp-32'), pairs, spellMilliseconds);
  },

  async adapter() {
    const { measureAdapter } = await import('./adapter.ts');
    return measureAdapter();
  },

  async profile(name, adapter) {
    const { profileWorkload } = await import('./contenders/vitrine.ts');
    return profileWorkload(timedWorkload(name), adapter);
  },
};

export interface WorkerRequest {
  readonly id: number;
  readonly task: keyof WorkerTasks;
  readonly args: readonly unknown[];
}

export type WorkerReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { name: string; message: string } };

// A worker's own postMessage takes no target; the types here are those of a page.
const reply = (message: WorkerReply): void => (postMessage as (message: unknown) => void)(message);

addEventListener('message', async ({ data }: MessageEvent<WorkerRequest>) => {
  const { id, task, args } = data;
  try {
    reply({ id, value: await (tasks[task] as (...args: readonly unknown[]) => unknown)(...args) });
  } catch (error) {
    const { name, message } = error as Error;
    reply({ id, error: { name, message } });
  }
});

// What a contender lets fall must not end the page: the task that waits for it says so.
for (const kind of ['error', 'unhandledrejection']) addEventListener(kind, (event) => event.preventDefault());
