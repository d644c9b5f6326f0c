import { describe, expect, test, vi } from 'vitest';
import { buildModel, dense, flatten, gelu } from '../../../src/engine/index.ts';
import { Model } from '../../../src/engine/model.ts';
import { histogramEntropy } from '../../../src/explain/evaluate/efficient-randomisation.ts';
import {
  constantMap,
  type ExplanationMethod,
  efficientRandomisation,
  inputMap,
  inputXRandom,
  modelRandomisation,
  randomMap,
  saliency,
  sobelMap,
} from '../../../src/explain/index.ts';
import { bits } from '../../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, randomNetwork } from '../networks.ts';
import { sum } from './statistics.ts';

failOnGpuErrors();

const gradient: typeof inputMap = (model, x, options) => saliency(model, x, { ...options, signed: true });

describe('modelRandomisation', () => {
  test('the controls have their known scores: input and edges 1, random maps 0, a constant map none', async () => {
    const device = await testDevice();
    const features = 400;
    const model = await randomNetwork(device, { inputShape: [features], hidden: [8, 6] });
    const x = examplesOf(20, features);
    for (const { layer, signed, absolute } of await modelRandomisation(model, x, inputMap)) {
      expect(layer).toMatch(/^dense_[123]$/);
      expect([...signed, ...absolute]).toEqual(Array<number>(40).fill(1));
    }
    const chance = 1 / Math.sqrt((features - 1) * 20);
    for (const stage of await modelRandomisation(model, x, randomMap)) {
      for (const scores of [stage.signed, stage.absolute]) expect(Math.abs(sum(scores) / 20)).toBeLessThan(4 * chance);
    }
    // The trap: |x| is in both maps, so absolute values correlate although nothing of the network is in either.
    for (const stage of await modelRandomisation(model, x, inputXRandom)) {
      expect(Math.abs(sum(stage.signed) / 20)).toBeLessThan(4 * chance);
      expect(sum(stage.absolute) / 20).toBeGreaterThan(0.3);
    }
    expect(new Set((await modelRandomisation(model, x, constantMap)).flatMap(({ signed }) => [...signed]))).toEqual(new Set([Number.NaN]));
    model.dispose();
  });

  test('the edges of an image stay whatever the network', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8, 8, 1], hidden: [6], before: [flatten()] });
    for (const { signed, absolute } of await modelRandomisation(model, examplesOf(3, 64), sobelMap)) {
      expect([...signed, ...absolute]).toEqual(Array<number>(6).fill(1));
    }
    model.dispose();
  });

  test('redraws from the output down in a copy: the first stage is the model with another last layer, and the model is as it was', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [30], hidden: [12, 8], classes: 3 });
    const x = examplesOf(4, 30);
    const before = await bits(model);
    const stages = await modelRandomisation(model, x, gradient);
    expect(stages.map(({ layer }) => layer)).toEqual(['dense_3', 'dense_2', 'dense_1']);
    expect(await bits(model)).toEqual(before);
    // A cascade keeps what it has redrawn; each layer by itself gives other maps from the second on.
    const alone = await modelRandomisation(model, x, gradient, { order: 'independent' });
    const upward = await modelRandomisation(model, x, gradient, { order: 'bottomUp' });
    const stage = (stages: Awaited<ReturnType<typeof modelRandomisation>>, layer: string) =>
      Array.from(stages.find((each) => each.layer === layer)?.signed ?? []);
    expect(stage(alone, 'dense_3')).toEqual(stage(stages, 'dense_3'));
    expect(stage(alone, 'dense_2')).not.toEqual(stage(stages, 'dense_2'));
    expect(stage(alone, 'dense_1')).toEqual(stage(upward, 'dense_1'));
    // All layers drawn: the order does not matter.
    expect(stage(upward, 'dense_3')).toEqual(stage(stages, 'dense_1'));
    model.dispose();
  });

  test('is the same for one seed, another for another, and redraws a network that has never been trained', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [50], layers: [dense(10), gelu(), dense(4)], seed: 0 });
    const x = examplesOf(3, 50);
    const of = async (seed: number) => (await modelRandomisation(model, x, gradient, { seed })).map(({ signed }) => Array.from(signed));
    const first = await of(0);
    expect(await of(0)).toEqual(first);
    expect(await of(1)).not.toEqual(first);
    expect(Math.max(...(first.at(-1) ?? []))).toBeLessThan(0.9);
    model.dispose();
  });

  test('explains the class that each network predicts, unless one is asked for', async () => {
    const model = await randomNetwork(await testDevice(), { classes: 5 });
    const x = examplesOf(3, 10);
    const asked: unknown[] = [];
    const spy: typeof inputMap = (of, rows, options) => {
      asked.push(options?.target);
      return gradient(of, rows, options);
    };
    await modelRandomisation(model, x, spy);
    await modelRandomisation(model, x, spy, { target: 2 });
    expect(asked).toEqual([undefined, undefined, undefined, undefined, 2, 2, 2, 2]);
    model.dispose();
  });

  test('leaves nothing behind where its copy cannot be made', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(2, 10);
    await modelRandomisation(model, x, gradient);
    const before = { bytes: device.memory.bytes, buffers: device.memory.buffers };
    const draw = Model.prototype.initialParameters;
    const failing = vi.spyOn(Model.prototype, 'initialParameters').mockImplementation(function (this: Model, seed) {
      // A model that is built draws from its own seed.
      if (seed !== this.spec.seed) throw new Error('no numbers today');
      return draw.call(this, seed);
    });
    await expect(modelRandomisation(model, x, gradient)).rejects.toThrow('no numbers today');
    failing.mockRestore();
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual(before);
    model.dispose();
  });

  test('tells how far it is, ends at its signal, frees its copy and refuses an order that there is not', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(2, 10);
    await modelRandomisation(model, x, gradient);
    const { bytes } = device.memory;
    const stop = new AbortController();
    const done: number[] = [];
    const ended = modelRandomisation(model, x, gradient, {
      signal: stop.signal,
      onProgress: (progress) => {
        done.push(progress.done);
        if (progress.done === 2) stop.abort();
      },
    });
    await expect(ended).rejects.toMatchObject({ code: 'aborted' });
    expect(done).toEqual([1, 2]);
    expect(device.memory.bytes).toBe(bytes);
    await expect(modelRandomisation(model, x, gradient, { order: 'sideways' as 'topDown' })).rejects.toThrow(
      "modelRandomisation: there is no order 'sideways'.\nTo mend: use one of topDown, bottomUp, independent.",
    );
    model.dispose();
  });
});

describe('efficientRandomisation', () => {
  test('the entropy of a histogram has its closed forms', () => {
    expect(
      histogramEntropy(
        Float32Array.from({ length: 100 }, (_, i) => i),
        100,
      ),
    ).toBeCloseTo(Math.log(100), 12);
    expect(histogramEntropy(Float32Array.from([0, 0, 0, 1]), 2)).toBeCloseTo(-(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25)), 12);
    expect(histogramEntropy(new Float32Array(9).fill(3), 100)).toBe(0);
  });

  test('is 0 for what is blind to the network and near 0 for noise', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [500], hidden: [8] });
    const x = examplesOf(10, 500);
    expect(Array.from(await efficientRandomisation(model, x, inputMap))).toEqual(Array<number>(10).fill(0));
    for (const score of await efficientRandomisation(model, x, randomMap)) expect(Math.abs(score)).toBeLessThan(0.15);
    // Flat at first, noise once the network is another: there is no share of an entropy of 0.
    let calls = 0;
    const flatAtFirst: ExplanationMethod = (of, rows, options) => (calls++ === 0 ? constantMap : randomMap)(of, rows, options);
    expect(Array.from(await efficientRandomisation(model, x, flatAtFirst))).toEqual(Array<number>(10).fill(Number.NaN));
    expect(Array.from(await efficientRandomisation(model, x, constantMap))).toEqual(Array<number>(10).fill(Number.NaN));
    model.dispose();
  });
});
