/** How many operations and bytes a step of a plan stands for, and how near its time comes to the adapter's own limits. */

import type { Node, Plan, PlanStep, ProfileRow } from '../engine/index.ts';
import type { AdapterFigures } from './adapter.ts';

export interface KernelProfile {
  readonly workload: string;
  readonly plan: string;
  readonly index: number;
  readonly kernel: string;
  readonly operations: readonly string[];
  readonly variant: string;
  /** Multiplications and additions that the step stands for, and bytes that it must move: the same on every adapter. */
  readonly flop: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Of the time of all kernels of the step. */
  readonly share: number;
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
  /** Operations a byte. */
  readonly intensity: number;
  /** Which of the adapter's limits would bind first if the kernel were perfect. */
  readonly bound: 'arithmetic' | 'memory' | 'dispatch';
  /** The time that this limit allows, over the time that it took: 1 is perfect. */
  readonly ofLimit: number;
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Multiplications and additions of a product: two for each term of each sum. */
function product(node: Node): number {
  const shape = node.inputs[0]?.shape ?? [];
  const inner = (node.attributes as { transposeA?: boolean } | undefined)?.transposeA ? shape.at(-2) : shape.at(-1);
  return 2 * elements(node.shape) * (inner ?? 0);
}

/** Operations an element of the first input, for what is not a product; a transcendental function counts as one. Others: 1. */
const PER_INPUT: Readonly<Record<string, number>> = {
  adam: 14,
  sgd: 4,
  crossEntropy: 5,
  crossEntropyBackward: 3,
  softmax: 5,
  logSoftmax: 5,
  layerNorm: 8,
  hits: 1,
  sum: 1,
  gatherBatch: 0,
  advance: 0,
};

/** Arithmetic of a step, by the mathematics of its operations; what a kernel recomputes does not count. */
export function operationsOf(step: PlanStep): number {
  return step.covers.reduce((sum, node) => {
    const name = node.operation?.name ?? '';
    if (name === 'affine' || name === 'matmul') return sum + product(node);
    const each = PER_INPUT[name];
    return sum + (each === undefined ? elements(node.shape) : each * elements(node.inputs[0]?.shape ?? []));
  }, 0);
}

/** Bytes that a step must move at least: every input once, every output once; what changes in place, both ways. */
export function bytesOf(step: PlanStep): number {
  const [first] = step.operations;
  // A batch is fetched, not the whole set: a byte or a float is read for each value, and a float written.
  if (first === 'gatherBatch') return step.outputs.reduce((sum, { length }) => sum + 5 * length, 0);
  // Two values a row, the state and one entry of the ring.
  if (first === 'advance') return 4 * (2 * (step.inputs[0]?.length ?? 0) + 2 * 32 + 4);
  return [...step.inputs, ...step.outputs].reduce((sum, { length }) => sum + 4 * length, 0);
}

/** Profiles plans that together make one step of training. */
export async function profileStep(workload: string, plans: readonly Plan[], adapter: AdapterFigures): Promise<KernelProfile[]> {
  const timed: { plan: Plan; step: PlanStep; row: ProfileRow }[] = [];
  for (const plan of plans) {
    for (const row of await plan.profile()) timed.push({ plan, row, step: plan.steps[row.index] as PlanStep });
  }
  const total = timed.reduce((sum, { row }) => sum + row.milliseconds, 0);
  return timed.map(({ plan, row, step }) => {
    const [flop, bytes] = [operationsOf(step), bytesOf(step)];
    const limits = {
      arithmetic: flop / adapter.multiplyAddGflops / 1e6,
      memory: bytes / adapter.copyGigabytesPerSecond / 1e6,
      dispatch: adapter.dispatchMicroseconds / 1000,
    };
    const bound = (Object.keys(limits) as (keyof typeof limits)[]).reduce((most, each) => (limits[each] > limits[most] ? each : most));
    return {
      workload,
      plan: plan.name,
      index: row.index,
      kernel: row.kernel,
      operations: row.operations,
      variant: row.variant,
      flop,
      bytes,
      milliseconds: row.milliseconds,
      share: row.milliseconds / total,
      gflops: flop / row.milliseconds / 1e6,
      gigabytesPerSecond: bytes / row.milliseconds / 1e6,
      intensity: flop / bytes,
      bound,
      ofLimit: limits[bound] / row.milliseconds,
    };
  });
}
