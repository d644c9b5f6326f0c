import { describe, expect, test } from 'vitest';
import { type CompileOptions, compile } from '../../src/engine/compile.ts';
import type { Device } from '../../src/engine/device.ts';
import { Graph, type Node } from '../../src/engine/graph.ts';
import { dense, flatten, softmax } from '../../src/engine/layers.ts';
import { buildModel } from '../../src/engine/model.ts';
import { matmul } from '../../src/engine/ops/matmul.ts';
import { sum } from '../../src/engine/ops/reduce.ts';
import { relu } from '../../src/engine/ops/relu.ts';
import { tanh } from '../../src/engine/ops/tanh.ts';
import type { Plan, PlanStep } from '../../src/engine/plan.ts';
import { normal } from '../../src/engine/random.ts';
import type { Tensor } from '../../src/engine/tensor.ts';
import { createTrainer, type Trainer } from '../../src/engine/trainer.ts';
import { expectClose } from './ops/check-operation.ts';
import { operationsOf, smallNetwork } from './small-network.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

/** A trainer of the network that the README trains, on noise. */
async function mnistTrainer(device: Device): Promise<Trainer> {
  const size = 64;
  const model = await buildModel(device, {
    inputShape: [28, 28, 1],
    layers: [flatten(), dense(128, { activation: 'relu' }), dense(10), softmax()],
  });
  const data = {
    name: 'noise',
    size,
    inputShape: [28, 28, 1],
    inputs: new Uint8Array(size * 784).map((_v, i) => (i * 37) % 251),
    labels: new Uint8Array(size).map((_v, i) => i % 10),
  };
  return createTrainer(model, { data, batchSize: 32 });
}

/** The graph of a plan compiled once more on the same tensors. */
function compileAgain(device: Device, plan: Plan, options: CompileOptions): Promise<Plan> {
  const { graph } = (plan.steps[0] as PlanStep).covers[0] as Node;
  const tensors = new Map<Node, Tensor>();
  for (const node of graph.nodes) {
    try {
      tensors.set(node, plan.tensor(node));
    } catch {
      // Fused away, or never needed.
    }
  }
  const roots = [...tensors.keys()].filter(({ operation }) => operation);
  return compile(device, roots, { tensors, ...options });
}

describe('the training step of the MNIST network', () => {
  test('is nine dispatches, the gathering of its batch among them', async () => {
    const device = await testDevice();
    const trainer = await mnistTrainer(device);
    expect(operationsOf(trainer.gatherPlan as Plan)).toEqual(['gatherBatch']);
    expect(operationsOf(trainer.plan)).toEqual([
      'affine + relu',
      'affine',
      'crossEntropy + hits + meanOverRowsBackward + crossEntropyBackward',
      'matmul + sum',
      'matmul + reluBackward',
      'matmul + sum',
      'advance',
      'adam',
    ]);
    trainer.dispose();
    trainer.model.dispose();
  });

  test('computes the gradients that it does unfused', async () => {
    const device = await testDevice();
    const trainer = await mnistTrainer(device);
    const unfused = await compileAgain(device, trainer.plan, { fuse: false });
    expect(unfused.steps.every(({ covers }) => covers.length === 1)).toBe(true);
    trainer.gatherPlan?.run();
    const gradients = [...trainer.tensors].filter(([name]) => name.startsWith('gradient/'));
    const run = async (plan: Plan): Promise<Float32Array[]> => {
      // Without advance and update, so that both see the same parameters.
      const steps = plan.steps.findIndex(({ operations }) => operations.includes('advance'));
      plan.runTo(steps - 1);
      return Promise.all(gradients.map(([, tensor]) => tensor.read()));
    };
    const [fused, wanted] = [await run(trainer.plan), await run(unfused)];
    for (const [i, [name, { shape }]] of gradients.entries()) {
      expect(
        (wanted[i] as Float32Array).some((value) => Math.abs(value) > 1e-3),
        name,
      ).toBe(true);
      expectClose(fused[i] as Float32Array, wanted[i] as Float32Array, shape, 1e-6, name);
    }
    unfused.dispose();
    trainer.dispose();
    trainer.model.dispose();
  });
});

describe('a pattern', () => {
  const small = smallNetwork();
  const compiled = async (options: CompileOptions = {}, more: readonly Node[] = []): Promise<string[]> => {
    const plan = await compile(await testDevice(), [small.loss, ...small.gradients, ...more], options);
    const operations = operationsOf(plan);
    plan.dispose();
    return operations;
  };
  const nodeOf = (operation: string): Node => {
    const found = small.graph.nodes.find((node) => node.operation?.name === operation);
    return found as Node;
  };
  /** The product under ReLU's gradient. */
  const masked = (): Node => nodeOf('reluBackward').inputs[1] as Node;

  test('of each kind fires where nothing is kept', async () => {
    const operations = await compiled({}, [small.rowHit]);
    for (const fused of [
      'affine + relu',
      'crossEntropy + hits + meanOverRowsBackward + crossEntropyBackward',
      'matmul + reluBackward',
      'matmul + sum',
    ]) {
      expect(operations).toContain(fused);
    }
    expect(operations).toHaveLength(7);
  });

  test('of no kind fires where fusion is switched off', async () => {
    expect((await compiled({ fuse: false })).filter((operations) => operations.includes('+'))).toEqual([]);
  });

  test.each<[string, string, () => Node, string[]]>([
    ['affine + relu', 'the product', () => small.product, ['affine', 'relu']],
    ['matmul + reluBackward', 'the product', masked, ['matmul', 'reluBackward']],
    [
      'crossEntropy + hits + meanOverRowsBackward + crossEntropyBackward',
      'the gradient of the mean',
      () => nodeOf('meanOverRowsBackward'),
      ['crossEntropy', 'meanOverRowsBackward', 'crossEntropyBackward'],
    ],
  ])('%s does not fire where %s is kept, or read elsewhere', async (fused, _what, inner, apart) => {
    const more = [small.rowHit];
    expect(await compiled({}, more)).toContain(fused);
    const kept = await compiled({ keep: [inner()] }, more);
    const read = await compiled({}, [...more, tanh(inner())]);
    for (const operations of [kept, read]) {
      expect(operations).not.toContain(fused);
      expect(operations).toEqual(expect.arrayContaining(apart));
    }
    expect(read).toContain('tanh');
  });

  test('of cross-entropy takes no hits where no one asks for them', async () => {
    const without = await compiled({ keep: [small.rowLoss] });
    // The hits are no ancestor of the roots, so the kernel writes them where no one reads.
    expect(without).toContain('crossEntropy + meanOverRowsBackward + crossEntropyBackward');
  });

  test.each(['loss', 'rowHit', 'rowLoss', 'logits', 'hidden'] as const)('gives the values that it gives unfused, %s too', async (name) => {
    const device = await testDevice();
    const values: number[][] = [];
    for (const fuse of [true, false]) {
      const plan = await compile(device, [...small.gradients, small[name]], { fuse });
      small.feed(plan);
      plan.run();
      values.push([...(await plan.tensor(small[name]).read())]);
      plan.dispose();
    }
    expect((values[1] as number[]).some((value) => value !== 0)).toBe(true);
    expectClose(values[0] as number[], values[1] as number[], small[name].shape, 1e-6, name);
  });

  test('runs after all that it reads, even where one of its results is asked for before that', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [4, 3]);
    const dy = graph.placeholder('dy', [4, 2]);
    const bias = sum(dy, [0]);
    // Younger than the sum that would share its kernel.
    const weight = matmul(relu(x), dy, { transposeA: true });
    const plan = await compile(device, [bias, weight]);
    const unfused = await compile(device, [bias, weight], { fuse: false });
    const values: number[][] = [];
    for (const each of [plan, unfused]) {
      each.tensor(x).write(Float32Array.from({ length: 12 }, (_, i) => normal(1, 1, 1, i)));
      each.tensor(dy).write(Float32Array.from({ length: 8 }, (_, i) => normal(1, 2, 1, i)));
      each.run();
      values.push([...(await each.tensor(weight).read()), ...(await each.tensor(bias).read())]);
    }
    expectClose(values[0] as number[], values[1] as number[], [8], 1e-6, 'weight and bias');
    plan.dispose();
    unfused.dispose();
  });
});

/** One storage buffer of a bind group, as WebGPU was given it, with the access mode that the WGSL declares. */
interface Bound {
  readonly name: string;
  readonly access: string;
  readonly buffer: GPUBuffer;
  readonly from: number;
  readonly to: number;
}

/** Runs `compiling` and returns every bind group of storage buffers that it made, in order. */
async function bindGroupsOf(device: Device, compiling: () => Promise<unknown>): Promise<GPUBindGroupDescriptor[]> {
  const { gpu } = device;
  const made: GPUBindGroupDescriptor[] = [];
  const create = gpu.createBindGroup;
  gpu.createBindGroup = (descriptor) => {
    made.push(descriptor);
    return create.call(gpu, descriptor);
  };
  try {
    await compiling();
  } finally {
    gpu.createBindGroup = create;
  }
  // Group 0 are the tensors, group 1 the parameters, in turn.
  return made.filter((_, i) => i % 2 === 0);
}

function boundBy({ kernel }: PlanStep, { entries }: GPUBindGroupDescriptor): Bound[] {
  return [...entries].map(({ binding, resource }) => {
    const declared = [...kernel.source.matchAll(/@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+)/g)]
      .filter(([, number, , name]) => Number(number) === binding && kernel.bindings.includes(name as string))
      .map(([, , access, name]) => ({ access: access as string, name: name as string }));
    expect(declared, `${kernel.name}, binding ${binding}`).toHaveLength(1);
    const { buffer, offset = 0, size } = resource as GPUBufferBinding;
    return { ...(declared[0] as { access: string; name: string }), buffer, from: offset, to: offset + (size ?? buffer.size - offset) };
  });
}

/** What WebGPU or the engine forbids among the bindings of one dispatch. */
function conflicts(bound: readonly Bound[]): string[] {
  const found: string[] = [];
  bound.forEach((a, i) => {
    for (const b of bound.slice(i + 1)) {
      if (a.buffer !== b.buffer || (a.access === 'read' && b.access === 'read')) continue;
      if (a.access !== b.access) found.push(`${a.name} and ${b.name} bind one buffer to read and to write`);
      else if (a.from < b.to && b.from < a.to) found.push(`${a.name} and ${b.name} overlap`);
    }
  });
  return found;
}

describe('no dispatch binds one buffer to read and to write, nor writes two ranges that overlap', () => {
  const buffer = (): GPUBuffer => ({}) as GPUBuffer;
  const [one, other] = [buffer(), buffer()];

  test.each<[string, Omit<Bound, 'name'>[], number]>([
    ['reading and writing apart', [at('read', one, 0, 256), at('read_write', other, 0, 256)], 0],
    ['reading one range twice', [at('read', one, 0, 256), at('read', one, 0, 256)], 0],
    ['writing ranges that touch', [at('read_write', one, 0, 256), at('read_write', one, 256, 512)], 0],
    ['writing ranges that overlap', [at('read_write', one, 0, 260), at('read_write', one, 256, 512)], 1],
    ['reading and writing one buffer in disjoint ranges', [at('read', one, 0, 256), at('read_write', one, 256, 512)], 1],
  ])('by a walker that judges %s', (_name, bound, count) => {
    expect(conflicts(bound.map((each, i) => ({ name: `${i}`, ...each })))).toHaveLength(count);
  });

  test('in the training of the MNIST network, fused and unfused', async () => {
    const device = await testDevice();
    // A trainer compiles several plans at once, which would mix their bind groups: they are compiled again, one after another.
    const trainer = await mnistTrainer(device);
    const { plan, gatherPlan } = trainer;
    const walked: Record<string, number> = {};
    for (const [name, source, options] of [
      ['fused', plan, {}],
      ['unfused', plan, { fuse: false }],
      ['gather', gatherPlan as Plan, {}],
    ] as const) {
      let again: Plan | undefined;
      const groups = await bindGroupsOf(device, async () => {
        again = await compileAgain(device, source, options);
      });
      const { steps } = again as unknown as Plan;
      expect(groups).toHaveLength(steps.length);
      for (const [i, step] of steps.entries()) {
        const bound = boundBy(step, groups[i] as GPUBindGroupDescriptor);
        expect(bound).toHaveLength(step.bound.length);
        expect(bound.length).toBeLessThanOrEqual(8);
        expect(bound.some(({ access }) => access === 'read_write')).toBe(true);
        expect(conflicts(bound), `${name} step ${i}, ${step.kernel.name}`).toEqual([]);
      }
      walked[name] = steps.length;
      (again as unknown as Plan).dispose();
    }
    expect(walked).toEqual({ fused: 8, unfused: 15, gather: 1 });
    trainer.dispose();
    trainer.model.dispose();
  });

  test('because compile refuses a result placed on what it is computed from', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [4]);
    const y = relu(x);
    const shared = device.tensor([1, 2, 3, 4], [4], 'shared');
    const tensors = new Map([
      [x, shared],
      [y, shared],
    ]);
    const { bytes } = device.memory;
    await expect(compile(device, [y], { tensors })).rejects.toThrow(
      /^internal: compile\.ts: relu\.forward\w* binds shared both to read and to write/,
    );
    expect(device.memory.bytes).toBe(bytes);
    shared.dispose();
  });
});

function at(access: string, buffer: GPUBuffer, from: number, to: number): Omit<Bound, 'name'> {
  return { access, buffer, from, to };
}
