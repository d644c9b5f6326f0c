import { describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.ts';
import { type Device, openDevice } from '../../src/engine/device.ts';
import { Graph, type Node } from '../../src/engine/graph.ts';
import { accumulate } from '../../src/engine/ops/advance.ts';
import { add, multiply } from '../../src/engine/ops/arithmetic.ts';
import { constant } from '../../src/engine/ops/fill.ts';
import { relu } from '../../src/engine/ops/relu.ts';
import { reshape } from '../../src/engine/ops/reshape.ts';
import { tanh } from '../../src/engine/ops/tanh.ts';
import { adam } from '../../src/engine/optimizers.ts';
import type { Plan, PlanStep } from '../../src/engine/plan.ts';
import { normal } from '../../src/engine/random.ts';
import { Tensor } from '../../src/engine/tensor.ts';
import { createTrainer, type Trainer } from '../../src/engine/trainer.ts';
import type { StepRecord } from '../../src/engine/training-options.ts';
import { makeState, STATE_WORDS } from '../../src/engine/training-state.ts';
import { clusters, smallModel } from './fixtures.ts';
import { expectClose } from './ops/check-operation.ts';
import { operationsOf, smallNetwork } from './small-network.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const numbers = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => normal(1, 2, 3, i));
const read = async (plan: Plan, node: Node): Promise<number[]> => [...(await plan.tensor(node).read())];

/** x → x² → x² + x² → (x² + x²) · x, every value kept. */
async function chain(device: Device): Promise<{ plan: Plan; x: Node; values: Node[] }> {
  const graph = new Graph();
  const x = graph.placeholder('x', [3]);
  const squared = multiply(x, x);
  const twice = add(squared, squared);
  const values = [squared, twice, multiply(twice, x)];
  const plan = await compile(device, values.slice(-1), { keep: 'all', name: 'chain' });
  plan.tensor(x).write(new Float32Array([1, 2, 3]));
  return { plan, x, values };
}

describe('run', () => {
  test('runs every step, in one submit', async () => {
    const device = await testDevice();
    const { plan, values } = await chain(device);
    const { submit, dispatch } = device.calls.engine;
    plan.run();
    expect([device.calls.engine.submit - submit, device.calls.engine.dispatch - dispatch]).toEqual([1, 3]);
    expect(await read(plan, values[2] as Node)).toEqual([2, 16, 54]);
    plan.dispose();
  });

  test('runs the whole plan as often as asked, in one submit', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const [loss, hit, totals] = [graph.placeholder('loss', [2]), graph.placeholder('hit', [2]), graph.placeholder('totals', [4])];
    const state = graph.placeholder('state', [STATE_WORDS], 'uint32');
    const plan = await compile(device, [accumulate(loss, hit, state, totals)]);
    plan.tensor(loss).write(new Float32Array([1, 0.5]));
    plan.tensor(state).write(makeState({ rows: 2, batch: 2, examples: 1000 }));
    const { submit } = device.calls.engine;
    plan.run(7);
    expect(device.calls.engine.submit - submit).toBe(1);
    expect(await read(plan, totals)).toEqual([10.5, 0, 14, 0]);
    plan.dispose();
  });

  test('runs one step alone, on what the others left', async () => {
    const { plan, values } = await chain(await testDevice());
    plan.run();
    plan.tensor(values[0] as Node).write(new Float32Array([10, 20, 30]));
    plan.runStep(1);
    expect(await read(plan, values[1] as Node)).toEqual([20, 40, 60]);
    expect(await read(plan, values[2] as Node)).toEqual([2, 16, 54]);
    plan.dispose();
  });

  test.each([0, 1, 2])('runs the steps up to step %i and none after it', async (index) => {
    const { plan, values } = await chain(await testDevice());
    plan.runTo(index);
    const wanted = [
      [1, 4, 9],
      [2, 8, 18],
      [2, 16, 54],
    ];
    for (const [i, node] of values.entries()) expect(await read(plan, node)).toEqual(i <= index ? wanted[i] : [0, 0, 0]);
    plan.dispose();
  });

  test('refuses a step that does not exist, and no runs at all', async () => {
    const { plan } = await chain(await testDevice());
    expect(() => plan.runStep(3)).toThrow('step is 3; it must be a number between 0 and 2.\nTo mend: pass a number between 0 and 2.');
    expect(() => plan.runTo(-1)).toThrow('step is -1; it must be a number between 0 and 2.');
    expect(() => plan.run(0)).toThrow('times is 0; it must be a number at least 1.');
    plan.dispose();
  });
});

describe('the steps of a plan', () => {
  test('are a list to read: operations, kernel, WGSL, workgroups and variant', async () => {
    const device = await testDevice();
    const { loss, gradients } = smallNetwork();
    const plan = await compile(device, [loss, ...gradients], { fuse: false });
    expect(operationsOf(plan)).toEqual([
      'affine',
      'relu',
      'affine',
      'crossEntropy',
      'meanOverRows',
      'meanOverRowsBackward',
      'crossEntropyBackward',
      ...operationsOf(plan).slice(7),
    ]);
    expect(operationsOf(plan).slice(7).sort()).toEqual(['matmul', 'matmul', 'matmul', 'reluBackward', 'sum', 'sum']);
    plan.steps.forEach((step, i) => {
      const { kernel, variant, variantKey, covers, workgroups, bound } = step;
      expect(step.index).toBe(i);
      expect(kernel.name).toMatch(new RegExp(`^[a-z0-9-]+\\.${kernel.entry}$`));
      expect(kernel.source).toContain(`fn ${kernel.entry}(`);
      expect(bound).toHaveLength(kernel.bindings.length);
      expect(workgroups.every((count) => Number.isInteger(count) && count >= 1)).toBe(true);
      expect(covers).toHaveLength(1);
      expect(covers[0]?.operation?.variants.map(({ name }) => name)).toContain(variant);
      expect(plan.variants[variantKey]).toBe(variant);
    });
    plan.dispose();
  });

  test('give the same values fused and unfused', async () => {
    const device = await testDevice();
    const { loss, gradients, feed } = smallNetwork();
    const roots = [loss, ...gradients];
    const [fused, unfused] = await Promise.all([compile(device, roots), compile(device, roots, { fuse: false })]);
    expect(fused.steps.length).toBeLessThan(unfused.steps.length);
    for (const plan of [fused, unfused]) {
      feed(plan);
      plan.run();
    }
    for (const root of roots) {
      const wanted = await read(unfused, root);
      expect(wanted.every((value) => value === 0)).toBe(false);
      expectClose(await read(fused, root), wanted, root.shape, 1e-6, 'fused');
    }
    fused.dispose();
    unfused.dispose();
  });
});

describe('tensor', () => {
  test('of a node that was fused away is an error that names the step', async () => {
    const device = await testDevice();
    const { product, hidden } = smallNetwork();
    product.name = 'preactivation/dense_1';
    const plan = await compile(device, [hidden], { name: 'forward' });
    expect(() => plan.tensor(product)).toThrow(
      `forward: preactivation/dense_1 is not kept: it is fused into step 0 (${plan.steps[0]?.kernel.name}), or its buffer is reused later.\n` +
        'To mend: compile the plan with it in `keep`.',
    );
    plan.dispose();
  });

  test('of a node that is kept can be read', async () => {
    const device = await testDevice();
    const { product, hidden, feed } = smallNetwork();
    const plan = await compile(device, [hidden], { keep: [product] });
    feedWhatIsThere(plan, feed);
    plan.run();
    const before = await read(plan, product);
    expect(before.some((value) => value < 0)).toBe(true);
    expect(await read(plan, hidden)).toEqual(before.map((value) => Math.max(0, value)));
    plan.dispose();
  });

  test('of a node that the plan does not need is an error', async () => {
    const device = await testDevice();
    const { product, logits } = smallNetwork();
    const plan = await compile(device, [product], { name: 'first layer' });
    expect(() => plan.tensor(logits)).toThrow(/^first layer: affine#\d+ is not kept: nothing here needs it\.\nTo mend: /);
    plan.dispose();
  });
});

/** Feeds the placeholders that a plan has. */
function feedWhatIsThere(plan: Plan, feed: (plan: Plan) => void): void {
  const tensor = (node: Node): Pick<Tensor, 'write'> => {
    try {
      return plan.tensor(node);
    } catch {
      return { write: () => undefined };
    }
  };
  feed({ tensor } as Plan);
}

describe('buffers', () => {
  /** What compiling leaves allocated, the plan's parameters included. */
  async function allocated(roots: readonly Node[], keep?: 'all'): Promise<{ plan: Plan; buffers: number }> {
    const device = await testDevice();
    const before = device.memory.buffers;
    const plan = await compile(device, roots, keep ? { keep } : {});
    return { plan, buffers: device.memory.buffers - before };
  }

  test('are reused along a chain: forty steps need two besides input, output and parameters', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [64, 64]);
    let y = x;
    for (let i = 0; i < 40; i++) y = tanh(y);
    const { plan, buffers } = await allocated([y]);
    expect(plan.steps).toHaveLength(40);
    expect(buffers).toBeLessThanOrEqual(5);
    const kept = await allocated([y], 'all');
    expect(kept.buffers).toBeGreaterThanOrEqual(41);
    for (const each of [plan, kept.plan]) {
      each.tensor(x).write(numbers(64 * 64));
      each.run();
    }
    expect(await plan.tensor(y).read()).toEqual(await kept.plan.tensor(y).read());
    plan.dispose();
    kept.plan.dispose();
  });

  test('are never reused while a later step still reads them, directly or under another shape', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [8, 4]);
    const values = [x];
    for (let i = 1; i < 30; i++) {
      const last = values.at(-1) as Node;
      const older = values[Math.max(0, i - 1 - ((7 * i) % 5))] as Node;
      const viewed = i % 3 === 0 ? reshape(reshape(older, [32]), [8, 4]) : older;
      values.push(i % 2 ? tanh(add(last, viewed)) : add(tanh(last), viewed));
    }
    const y = values.at(-1) as Node;
    const lean = await allocated([y, values[11] as Node]);
    const kept = await allocated([y], 'all');
    expect(lean.buffers).toBeLessThan(kept.buffers / 2);
    for (const { plan } of [lean, kept]) {
      plan.tensor(x).write(numbers(32));
      plan.run(2);
    }
    for (const node of [y, values[11] as Node]) expect(await read(lean.plan, node)).toEqual(await read(kept.plan, node));
    lean.plan.dispose();
    kept.plan.dispose();
  });

  test('may be places from outside, also for what is viewed under another shape', async () => {
    const device = await testDevice();
    const flat = device.tensor(new Float32Array(256).fill(7));
    const graph = new Graph();
    const x = graph.placeholder('x', [2, 3]);
    const doubled = add(x, x);
    const viewed = reshape(multiply(x, x), [6]);
    const part = (name: string, shape: number[], byteOffset: number): Tensor =>
      new Tensor(device, { name, shape, dtype: 'float32', storage: flat.storage, byteOffset, owned: false });
    const tensors = new Map([
      [doubled, part('doubled', [2, 3], 256)],
      [viewed, part('viewed', [6], 512)],
    ]);
    const plan = await compile(device, [doubled, viewed], { tensors });
    plan.tensor(x).write(new Float32Array([1, 2, 3, 4, 5, 6]));
    plan.run();
    const values = [...(await flat.read())];
    expect(values.slice(64, 70)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(values.slice(128, 134)).toEqual([1, 4, 9, 16, 25, 36]);
    expect(values.filter((value) => value === 7)).toHaveLength(256 - 12);
    expect(plan.tensor(doubled)).toBe(tensors.get(doubled));
    // What came from outside stays when the plan goes.
    plan.dispose();
    expect((await flat.read())[64]).toBe(2);
    flat.dispose();
  });

  test('are all freed by dispose, once, and the plan runs no more', async () => {
    const device = await testDevice();
    const before = { ...device.memory };
    const { loss, gradients } = smallNetwork();
    const plan = await compile(device, [loss, ...gradients], { name: 'small' });
    expect(device.memory.bytes).toBeGreaterThan(before.bytes);
    plan.dispose();
    plan.dispose();
    expect({ ...device.memory, peakBytes: 0 }).toEqual({ ...before, peakBytes: 0 });
    expect(() => plan.run()).toThrow(
      'small: the plan was used after dispose().\nTo mend: compile it again, or keep it until the last run.',
    );
  });
});

describe('profile', () => {
  const data = clusters(60, 8, 3);

  async function trainer(device: Device): Promise<Trainer> {
    return createTrainer(await smallModel(device), { data, batchSize: 16, optimizer: adam({ learningRate: 0.01 }), clipNorm: 1 });
  }

  async function dispose(of: Trainer): Promise<void> {
    of.dispose();
    of.model.dispose();
  }

  async function allBits(of: Trainer): Promise<Record<string, Uint32Array>> {
    const entries = [...of.tensors].map(
      async ([name, tensor]) =>
        [name, tensor.dtype === 'uint32' ? await tensor.readUint32() : new Uint32Array((await tensor.read()).buffer)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  async function bareDevice(): Promise<Device> {
    const device = await openDevice({
      requestDevice: async () => {
        const adapter = await navigator.gpu.requestAdapter();
        if (!adapter) throw new Error('no adapter');
        return adapter.requestDevice();
      },
    });
    expect(device.features.has('timestamp-query')).toBe(false);
    return device;
  }

  test.each([
    ['by timestamps where there are any', openDevice],
    ['by the clock where there are none', bareDevice],
  ])('times every step %s and leaves every bit of training as it was', async (_name, open) => {
    const device = await open();
    const profiled = await trainer(device);
    const records: StepRecord[] = [];
    const onSteps = (steps: readonly StepRecord[]): void => {
      records.push(...steps);
    };
    await profiled.run(5, { onSteps });
    const before = await allBits(profiled);
    const { bytes, buffers } = device.memory;
    const rows = await profiled.plan.profile();
    expect([device.memory.bytes, device.memory.buffers]).toEqual([bytes, buffers]);
    expect(await allBits(profiled)).toEqual(before);

    expect(rows.map(({ index, kernel, operations, variant }) => ({ index, kernel, operations, variant }))).toEqual(
      profiled.plan.steps.map(({ index, kernel, operations, variant }) => ({ index, kernel: kernel.name, operations, variant })),
    );
    for (const { milliseconds, repeats, kernel } of rows) {
      expect(milliseconds, kernel).toBeGreaterThan(0);
      expect(milliseconds, kernel).toBeLessThan(1000);
      expect(repeats).toBeGreaterThanOrEqual(1);
    }
    // The training state and the ring went back too: training goes on as if nothing had been.
    const straight = await trainer(device);
    const wanted: StepRecord[] = [];
    await straight.run(10, { onSteps: (steps) => wanted.push(...steps) });
    await profiled.run(5, { onSteps });
    expect(records).toEqual(wanted);
    expect(await allBits(profiled)).toEqual(await allBits(straight));
    expect(device.faults).toEqual([]);
    await Promise.all([dispose(profiled), dispose(straight)]);
    device.destroy();
  });
});

const sourceOf = (plan: Plan, index = 0): string => (plan.steps[index] as PlanStep).kernel.source;
const leaky = (plan: Plan, index = 0): string => sourceOf(plan, index).replace('max(0.0, x[i])', 'max(0.5 * x[i], x[i])');

describe('replaceKernel', () => {
  const input = [-2, -1, 0, 1, 2];

  async function rectifier(device: Device): Promise<{ plan: Plan; x: Node; y: Node; run: () => Promise<number[]> }> {
    const graph = new Graph();
    const x = graph.placeholder('x', [5]);
    const y = relu(x);
    const plan = await compile(device, [y], { name: 'rectifier' });
    plan.tensor(x).write(Float32Array.from(input));
    const run = (): Promise<number[]> => {
      plan.run();
      return read(plan, y);
    };
    return { plan, x, y, run };
  }

  test('changes what the step computes from the next run on, and marks the plan modified', async () => {
    const { plan, run } = await rectifier(await testDevice());
    expect(await run()).toEqual([0, 0, 0, 1, 2]);
    expect(plan.modified).toBe(false);
    await plan.replaceKernel(0, leaky(plan));
    expect(await run()).toEqual([-1, -0.5, 0, 1, 2]);
    expect(plan.modified).toBe(true);
    plan.dispose();
  });

  test('changes no other plan, not even one compiled later', async () => {
    const device = await testDevice();
    const [edited, before] = [await rectifier(device), await rectifier(device)];
    await edited.plan.replaceKernel(0, leaky(edited.plan));
    const after = await rectifier(device);
    for (const { plan, run } of [before, after]) {
      expect(await run()).toEqual([0, 0, 0, 1, 2]);
      expect(plan.modified).toBe(false);
    }
    for (const { plan } of [edited, before, after]) plan.dispose();
  });

  test.each<[string, (source: string) => string, RegExp]>([
    ['is no WGSL', (source) => source.replace('y[i] = max(0.0, x[i]);', 'y[i] = nonsense;'), /does not compile: \d+:\d+ .*nonsense/],
    ['lacks the entry point', (source) => source.replace('fn forward(', 'fn backwards('), /does not compile/],
    ['lacks a binding', (source) => source.replaceAll(/\bx\b(?=[:[])/g, 'input'), /bindings and parameters of a kernel must stay/],
    ['would write an input', (source) => source.replace('<storage, read> x:', '<storage, read_write> x:'), /must stay/],
    ['has other parameters', (source) => source.replace('count: u32,', 'count: u32, slope: f32,'), /must stay/],
  ])('keeps the old kernel where the new one %s', async (_name, edit, message) => {
    const device = await testDevice();
    const { plan, run } = await rectifier(device);
    const before = sourceOf(plan);
    expect(edit(before)).not.toBe(before);
    const error = await plan.replaceKernel(0, edit(before)).catch((reason) => reason);
    expect(error.code).toBe('shader-invalid');
    expect(error.message).toMatch(message);
    expect(plan.modified).toBe(false);
    expect(sourceOf(plan)).toBe(before);
    expect(await run()).toEqual([0, 0, 0, 1, 2]);
    plan.dispose();
  });
});

describe('a lost device', () => {
  test('takes no constant, no parameter and no edited kernel from a plan', async () => {
    const device = await openDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [5]);
    const y = relu(add(multiply(x, constant(graph, 3)), constant(graph, -1, [5])));
    const plan = await compile(device, [y]);
    const run = async (): Promise<number[]> => {
      plan.tensor(x).write(new Float32Array([-1, 0, 1, 2, 3]));
      plan.run();
      return read(plan, y);
    };
    const lose = (): Promise<void> =>
      new Promise((resolve) => {
        const off = device.onReplaced(() => {
          off();
          resolve();
        });
        device.simulateLoss();
      });
    expect(await run()).toEqual([0, 0, 2, 5, 8]);
    const old = plan.tensor(y).buffer;
    await lose();
    expect(plan.tensor(y).buffer).not.toBe(old);
    expect(await run()).toEqual([0, 0, 2, 5, 8]);
    const last = plan.steps.length - 1;
    await plan.replaceKernel(last, leaky(plan, last));
    await lose();
    expect(await run()).toEqual([-2, -0.5, 2, 5, 8]);
    expect(plan.modified).toBe(true);
    expect(device.faults).toEqual([]);
    device.destroy();
  });
});
