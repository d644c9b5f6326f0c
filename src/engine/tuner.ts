/**
 * The tuner: times the variants that can serve each step of a plan, and says which is the fastest on this device. It reads the live tensors
 * and writes to scratch ones, so training goes on with the same bits; a plan that is compiled keeps the variants it has, the next one
 * takes what was found.
 */

import type { VariantTable } from './compile.ts';
import type { Device } from './device.ts';
import { VitrineError } from './errors.ts';
import { kernelInterface, type Workgroups } from './kernel.ts';
import type { Dispatch, Variant } from './operation.ts';
import { Plan, type PlanStep } from './plan.ts';
import type { Tensor } from './tensor.ts';

/** How one variant did. */
export interface Trial {
  readonly variant: string;
  /** Of a whole dispatch, extrapolated from the workgroups that ran; null where it could not be compiled or run. */
  readonly milliseconds: number | null;
  /** Share of the workgroups that ran. */
  readonly timed: number;
  readonly failure?: string;
}

/** What was found for one class of calls. */
export interface TunedClass {
  /** Key in a variant table. */
  readonly key: string;
  /** What the plan has. */
  readonly before: string;
  readonly chosen: string;
  /** Of all that could serve, the chosen one and those that were not. */
  readonly trials: readonly Trial[];
}

export interface Tuning {
  /** To give to `createTrainer` or `compile`; a device with a store takes it by itself. */
  readonly variants: VariantTable;
  readonly classes: readonly TunedClass[];
}

export interface TuneOptions {
  readonly signal?: AbortSignal;
  /** Called before each trial. */
  readonly onTrial?: (key: string, variant: string) => void;
}

/** Workgroups of the first attempt; four times as many follow until the time is long enough to tell, or all have run. */
const FIRST_WORKGROUPS = 64;
const LONG_ENOUGH_MILLISECONDS = 2;
/** The best of so many counts: what disturbs a measurement only makes it longer. */
const TRIES = 3;
/** A variant must be faster by this much to displace the one in use: less is noise. */
const WORTH_A_CHANGE = 0.95;

/**
 * Times the variants of every step of some plans, a bounded number of workgroups each, and remembers the fastest where the device was opened
 * with a store. For when the device is idle; never before the first step, which it would delay.
 *
 * @throws what `signal` was aborted with
 */
export async function tune(device: Device, plans: readonly Plan[], options: TuneOptions = {}): Promise<Tuning> {
  const { candidatesOf, remember } = await import('./tuning.ts');
  const classes: TunedClass[] = [];
  const found: { key: string; variant: string; family: PlanStep['family']; call: PlanStep['call'] }[] = [];
  const seen = new Set<string>();
  for (const step of plans.flatMap(({ steps }) => steps)) {
    const { variantKey: key, variant: before, family, call } = step;
    const candidates = await candidatesOf(device, family, call);
    if (seen.has(key) || candidates.length < 2 || step.modified) continue;
    seen.add(key);
    const trials = await timeAll(device, step, candidates, options);
    const chosen = choose(before, trials);
    classes.push({ key, before, chosen, trials });
    found.push({ key, variant: chosen, family, call });
  }
  await remember(device, found);
  return { variants: Object.fromEntries(classes.map(({ key, chosen }) => [key, chosen])), classes };
}

/** The fastest, unless it is hardly faster than what is in use. */
export function choose(before: string, trials: readonly Trial[]): string {
  const timeOf = ({ milliseconds }: Trial): number => milliseconds ?? Number.POSITIVE_INFINITY;
  const fastest = trials.reduce((best, trial) => (timeOf(trial) < timeOf(best) ? trial : best));
  const own = trials.find(({ variant }) => variant === before);
  return own && timeOf(fastest) >= WORTH_A_CHANGE * timeOf(own) ? before : fastest.variant;
}

async function timeAll(device: Device, step: PlanStep, candidates: readonly Variant[], options: TuneOptions): Promise<Trial[]> {
  const trials: Trial[] = [];
  const { bindings } = kernelInterface(step.kernel);
  const scratch: Tensor[] = [];
  try {
    const bound = step.bound.map((tensor, i) => {
      if (bindings[i]?.access === 'read') return tensor;
      const copy = device.empty(tensor.shape, tensor.dtype, `${tensor.name} (tuning)`);
      scratch.push(copy);
      device.submit('engine', 'tuning copy', (encoder) => {
        encoder.copyBufferToBuffer(tensor.buffer, tensor.byteOffset, copy.buffer, 0, tensor.bytes);
      });
      return copy;
    });
    for (const variant of candidates) {
      options.onTrial?.(step.variantKey, variant.name);
      await idle(device);
      options.signal?.throwIfAborted();
      const dispatch = variant.dispatch(step.call);
      try {
        trials.push({ variant: variant.name, ...(await time(device, { ...step, bound }, dispatch)) });
      } catch (error) {
        if (!(error instanceof VitrineError) || error.code === 'device-lost') throw error;
        trials.push({ variant: variant.name, milliseconds: null, timed: 0, failure: error.message.split('\n')[0] as string });
      }
    }
  } finally {
    for (const tensor of scratch) tensor.dispose();
  }
  return trials;
}

/** Nothing is left to do for the GPU, nor for the page where it can tell. */
async function idle(device: Device): Promise<void> {
  await device.gpu.queue.onSubmittedWorkDone();
  await new Promise<void>((resolve) => {
    if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(), { timeout: 100 });
    else setTimeout(resolve, 0);
  });
}

/** Milliseconds of a dispatch, from as many of its workgroups as it takes to tell. */
async function time(device: Device, step: PlanStep, dispatch: Dispatch): Promise<{ milliseconds: number; timed: number }> {
  const all = count(dispatch.workgroups);
  const pipeline = await device.pipeline(dispatch.kernel, dispatch.constants);
  for (let most = FIRST_WORKGROUPS; ; most *= 4) {
    const workgroups = atMost(dispatch.workgroups, most);
    const share = count(workgroups) / all;
    const { kernel, constants = {}, parameters } = dispatch;
    const plan = await device.guarded(kernel.name, () => {
      const trial: PlanStep = { ...step, index: 0, kernel, constants, parameters, workgroups };
      const made = new Plan(device, {
        name: 'tuning',
        owner: 'engine',
        steps: [trial],
        variants: {},
        tensors: new Map(),
        readable: new Set(),
        owned: [],
        literals: [],
      });
      made.attach([pipeline]);
      return made;
    });
    try {
      let milliseconds = await millisecondsOf(plan);
      if (share < 1 && milliseconds < LONG_ENOUGH_MILLISECONDS) continue;
      for (let i = 1; i < TRIES; i++) milliseconds = Math.min(milliseconds, await millisecondsOf(plan));
      return { milliseconds: milliseconds / share, timed: share };
    } finally {
      plan.dispose();
    }
  }
}

const millisecondsOf = async (plan: Plan): Promise<number> => (await plan.profile())[0]?.milliseconds ?? 0;

const count = ([x, y, z]: Workgroups): number => x * y * z;

/** No more workgroups than `most`, of whole rows where a row is not too long. */
export function atMost([x, y, z]: Workgroups, most: number): Workgroups {
  if (x * y * z <= most) return [x, y, z];
  if (x >= most) return [most, 1, 1];
  const rows = Math.floor(most / x);
  return rows >= y ? [x, y, Math.floor(rows / y)] : [x, rows, 1];
}
