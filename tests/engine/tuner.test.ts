import { describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.ts';
import { type Device, openDevice } from '../../src/engine/device.ts';
import { Graph } from '../../src/engine/graph.ts';
import { kernel } from '../../src/engine/kernel.ts';
import type { Variant } from '../../src/engine/operation.ts';
import { matmul } from '../../src/engine/ops/matmul.ts';
import type { Plan } from '../../src/engine/plan.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import { atMost, choose, tune } from '../../src/engine/tuner.ts';
import { deviceKey, remember, type TuningStore } from '../../src/engine/tuning.ts';
import { bits, clusters, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const data = clusters(100, 8, 3);

/** A store in memory, and what is in it. */
function memoryStore(content: Record<string, string> = {}): TuningStore & { content: Record<string, string>; loads: string[] } {
  const loads: string[] = [];
  return {
    content,
    loads,
    load: async (key) => {
      loads.push(key);
      return content[key];
    },
    save: async (key, value) => {
      content[key] = value;
    },
  };
}

/** The plan of a [16, 8] · b [8, 12]. */
async function productPlan(device: Device, variants: Record<string, string> = {}): Promise<Plan> {
  const graph = new Graph();
  return compile(device, [matmul(graph.placeholder('a', [16, 8]), graph.placeholder('b', [8, 12]))], { variants });
}

const KEY = 'matmul nn 8→12';

async function onDeviceWith<T>(tuning: TuningStore, work: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice({ tuning });
  try {
    const result = await work(device);
    expect(device.faults).toEqual([]);
    return result;
  } finally {
    device.destroy();
  }
}

describe('tuning a trainer', { timeout: 240_000 }, () => {
  test('times every variant of every step, and leaves training and memory as they are', async () => {
    const device = await testDevice();
    const run = async (tuned: boolean): Promise<Uint32Array> => {
      const model = await smallModel(device);
      const trainer = await createTrainer(model, { data, batchSize: 16 });
      await trainer.run(5);
      if (tuned) {
        const { bytes, buffers } = device.memory;
        const plans = [trainer.gatherPlan as Plan, trainer.plan];
        const { variants, classes } = await tune(device, plans);
        expect(device.memory).toMatchObject({ bytes, buffers });
        const keys = classes.map(({ key }) => key.split(' ')[0]);
        expect(keys).toEqual(expect.arrayContaining(['gatherBatch', 'affine', 'affineWeightGradient', 'maskedMatmul', 'adam']));
        for (const { key, before, chosen, trials } of classes) {
          expect(trials.map(({ variant }) => variant)).toEqual(expect.arrayContaining([before, chosen]));
          expect(trials.length).toBeGreaterThan(1);
          for (const { milliseconds, timed, failure } of trials) {
            expect(failure).toBeUndefined();
            expect(milliseconds).toBeGreaterThan(0);
            expect(timed).toBe(1);
          }
          expect(variants[key]).toBe(chosen);
          expect({ ...trainer.plan.variants, ...trainer.gatherPlan?.variants }[key]).toBe(before);
        }
        const next = await createTrainer(model, { data, batchSize: 16, variants });
        expect({ ...next.plan.variants, ...next.gatherPlan?.variants }).toMatchObject(variants);
        next.dispose();
      }
      await trainer.run(5);
      const result = await bits(model);
      trainer.dispose();
      model.dispose();
      return result;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('stops where it is told to', async () => {
    const device = await testDevice();
    const plan = await productPlan(device);
    const stop = new AbortController();
    const seen: string[] = [];
    const onTrial = (_key: string, variant: string): void => {
      seen.push(variant);
      if (seen.length === 2) stop.abort(new Error('enough'));
    };
    const { bytes } = device.memory;
    await expect(tune(device, [plan], { signal: stop.signal, onTrial })).rejects.toThrow('enough');
    expect(seen).toHaveLength(2);
    expect(device.memory.bytes).toBe(bytes);
    plan.dispose();
  });

  test('tells of a variant that does not compile, and does not choose it', async () => {
    const device = await testDevice();
    const plan = await productPlan(device);
    const [step] = plan.steps;
    const good = step?.family.variants.find(({ name }) => name === 'quadsScalar') as Variant;
    const bad: Variant = {
      name: 'bad',
      dispatch: (call) => {
        const dispatch = good.dispatch(call);
        const { source, bindings } = dispatch.kernel;
        return { ...dispatch, kernel: kernel('bad', source.replace('return Tile(', 'return Tyle('), 'product', bindings) };
      },
    };
    const family = { name: 'matmul', variants: [bad, good] };
    const { classes } = await tune(device, [{ ...plan, steps: [{ ...step, family }] } as unknown as Plan]);
    expect(classes[0]?.trials[0]).toMatchObject({ variant: 'bad', milliseconds: null });
    expect(classes[0]?.trials[0]?.failure).toContain('bad.product: the shader does not compile');
    expect(classes[0]?.chosen).toBe('quadsScalar');
    plan.dispose();
  });
});

describe('what was found', { timeout: 120_000 }, () => {
  test('is taken by the next plan, and by those of the next visit', async () => {
    const store = memoryStore();
    const chosen = await onDeviceWith(store, async (device) => {
      const plan = await productPlan(device);
      const { variants } = await tune(device, [plan]);
      expect(Object.keys(store.content)).toEqual([deviceKey(device)]);
      expect((await productPlan(device)).variants).toEqual(variants);
      return variants;
    });
    const [key, text] = Object.entries(store.content)[0] as [string, string];
    const choices = JSON.parse(text) as Record<string, { variant: string; hash: string }>;
    expect(choices[KEY]?.variant).toBe(chosen[KEY]);
    // Another visit, on which another variant had won.
    const edited = memoryStore({ [key]: JSON.stringify({ [KEY]: { ...choices[KEY], variant: 'naive' } }) });
    await onDeviceWith(edited, async (device) => {
      expect((await productPlan(device)).variants[KEY]).toBe('naive');
      expect((await productPlan(device)).variants[KEY]).toBe('naive');
      expect(edited.loads).toEqual([key]);
      expect((await productPlan(device, { [KEY]: 'register4x4' })).variants[KEY]).toBe('register4x4');
    });
  });

  test('is not taken by a training that has begun', async () => {
    await onDeviceWith(memoryStore(), async (device) => {
      const trainer = await createTrainer(await smallModel(device), { data, batchSize: 16 });
      const { variants, steps } = trainer.plan;
      const found = steps
        .filter(({ variantKey }) => variantKey.startsWith('affine'))
        .map(({ variantKey: key, family, call }) => ({ key, family, call, variant: 'naive' }));
      await remember(device, found);
      await trainer.watch(['preactivation/dense_1']);
      expect(trainer.plan.variants).toMatchObject(variants);
      const next = await createTrainer(trainer.model, { data, batchSize: 16 });
      for (const { key } of found) expect(next.plan.variants[key]).toBe('naive');
    });
  });

  test.each([
    ['a shader that is another', { [KEY]: { variant: 'naive', hash: '00000000' } }],
    ['no table', [1, null]],
    ['nothing', null],
  ])('is forgotten with %s', async (_what, content) => {
    const key = deviceKey(await testDevice());
    await onDeviceWith(memoryStore({ [key]: JSON.stringify(content) }), async (device) => {
      expect(deviceKey(device)).toBe(key);
      expect((await productPlan(device)).variants[KEY]).toBe('quads');
    });
  });

  test('is forgotten where it cannot be read', async () => {
    const key = deviceKey(await testDevice());
    await onDeviceWith(memoryStore({ [key]: '{"matmul' }), async (device) => {
      expect((await productPlan(device)).variants[KEY]).toBe('quads');
    });
  });

  test('is kept by vendor, architecture, browser, features and limits', async () => {
    const device = await testDevice();
    const like = (changes: object): Device =>
      ({ info: device.info, limits: device.limits, features: device.features, ...changes }) as Device;
    const key = deviceKey(like({}));
    expect(key).toBe(deviceKey(device));
    expect(key).toContain(`${device.info.vendor} ${device.info.architecture}`);
    expect(deviceKey(like({ features: new Set() }))).not.toBe(key);
    expect(deviceKey(like({ limits: { maxBufferSize: 1 } }))).not.toBe(key);
    expect(deviceKey(like({ info: { vendor: 'another' } }))).not.toBe(key);
  });
});

describe('the choice', () => {
  const trial = (variant: string, milliseconds: number | null) => ({ variant, milliseconds, timed: 1 });

  test('is the fastest', () => {
    expect(choose('a', [trial('a', 2), trial('b', 1), trial('c', 1.5)])).toBe('b');
  });

  test('stays where another is hardly faster', () => {
    expect(choose('a', [trial('a', 1), trial('b', 0.97)])).toBe('a');
  });

  test('is no variant that failed', () => {
    expect(choose('a', [trial('a', null), trial('b', 9)])).toBe('b');
  });
});

test('a part of a dispatch is whole rows of workgroups, or a part of one', () => {
  expect(atMost([3, 5, 2], 64)).toEqual([3, 5, 2]);
  expect(atMost([100, 5, 2], 64)).toEqual([64, 1, 1]);
  expect(atMost([10, 50, 2], 64)).toEqual([10, 6, 1]);
  expect(atMost([4, 4, 50], 64)).toEqual([4, 4, 4]);
});
