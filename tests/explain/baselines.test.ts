import { describe, expect, test } from 'vitest';
import type { Dataset, Model } from '../../src/engine/index.ts';
import { permute, streamOf } from '../../src/engine/random.ts';
import { deepLift, type IntegratedGradientsOptions, integratedGradients } from '../../src/explain/index.ts';
import { expectClose } from '../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { examplesOf, randomNetwork } from './networks.ts';

failOnGpuErrors();

const bytes: Dataset = {
  name: 'bytes',
  size: 40,
  inputShape: [10],
  inputs: Uint8Array.from({ length: 400 }, (_, i) => (i * 37 + (i >> 3) * 11) % 256),
};
const exampleOf = (index: number): number[] => Array.from(bytes.inputs.slice(10 * index, 10 * index + 10), (byte) => byte / 255);

async function read(model: Model, x: Float32Array, options: IntegratedGradientsOptions) {
  const attribution = await integratedGradients(model, x, options);
  const result = {
    values: await attribution.values.read(),
    delta: (await attribution.delta?.read()) as Float32Array,
    options: attribution.options,
  };
  attribution.dispose();
  return result;
}

describe('a baseline', () => {
  test("'mean' is the mean example of the background", async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(3, 10);
    const mean = Array.from(
      { length: 10 },
      (_, j) => Array.from({ length: 40 }, (_, i) => exampleOf(i)[j] as number).reduce((a, b) => a + b) / 40,
    );
    const given = await read(model, x, { baseline: mean, target: 0 });
    const named = await read(model, x, { baseline: 'mean', background: bytes, target: 0 });
    expectClose(named.values, given.values, [3, 10], 1e-6, 'values');
    expect(named.options).toMatchObject({ baseline: 'mean', background: 'bytes' });
    model.dispose();
  });

  test.each([
    ['in one run', {}],
    ['in slices of samples and blocks of examples', { budget: 5000 }],
  ])('that is a data set averages over a seeded choice of 32 of its examples, %s', async (_name, more) => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(5, 10);
    const chosen = Array.from({ length: 32 }, (_, k) => permute(k, 40, 3, streamOf('baselines')));
    expect(new Set(chosen).size).toBe(32);
    const mean = { values: new Float64Array(50), delta: new Float64Array(5) };
    for (const index of chosen) {
      const { values, delta } = await read(model, x, { baseline: exampleOf(index), target: 1, steps: 20 });
      values.forEach((value, i) => {
        (mean.values[i] as number) += value / 32;
      });
      delta.forEach((value, i) => {
        (mean.delta[i] as number) += value / 32;
      });
    }
    const averaged = await read(model, x, { baseline: bytes, target: 1, seed: 3, steps: 20, ...more });
    expectClose(averaged.values, mean.values, [5, 10], 1e-5, 'values');
    expectClose(averaged.delta, mean.delta, [5], 1e-5, 'delta');
    expect(averaged.options).toMatchObject({ baseline: 'bytes', baselines: 32, seed: 3 });
    model.dispose();
  });

  test('that is a data set is the same bits whatever the budget and the neighbours, and another with another seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(6, 10);
    const options = { baseline: bytes, baselines: 7, target: 2, steps: 12 };
    const whole = await read(model, x, options);
    expect(await read(model, x, { ...options, budget: 5000 })).toEqual(whole);
    const alone = await read(model, x.slice(20, 30), options);
    expect(alone.values).toEqual(whole.values.slice(20, 30));
    expect((await read(model, x, { ...options, seed: 1 })).values).not.toEqual(whole.values);
    model.dispose();
  });

  test('that is a data set of fewer examples takes them all', async () => {
    const model = await randomNetwork(await testDevice());
    const few: Dataset = { name: 'few', size: 2, inputShape: [10], inputs: examplesOf(2, 10, 8) };
    const attribution = await deepLift(model, examplesOf(1, 10), { baseline: few });
    expect(attribution.options).toMatchObject({ baseline: 'few', baselines: 2 });
    attribution.dispose();
    model.dispose();
  });

  test('tells its progress over all baselines, and ends at its signal between two of them', async () => {
    const model = await randomNetwork(await testDevice());
    const seen: string[] = [];
    const options = { baseline: bytes, baselines: 3, steps: 4 };
    const attribution = await integratedGradients(model, examplesOf(1, 10), {
      ...options,
      onProgress: ({ done, total }) => seen.push(`${done}/${total}`),
    });
    attribution.dispose();
    expect(seen).toEqual(['1/3', '2/3', '3/3']);
    const ended = new AbortController();
    const { buffers } = model.device.memory;
    const explained = integratedGradients(model, examplesOf(1, 10), { ...options, signal: ended.signal, onProgress: () => ended.abort() });
    await expect(explained).rejects.toMatchObject({ code: 'aborted' });
    expect(model.device.memory.buffers).toBe(buffers);
    model.dispose();
  });

  test('is refused where it cannot be one', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(2, 10);
    await expect(integratedGradients(model, x, { baseline: 'mean' })).rejects.toThrow(
      "integratedGradients: the baseline is 'mean', but there is no data set to take the mean of.\nTo mend: give one as `background`, or pass 0 for black or an example of your own as `baseline`.",
    );
    await expect(integratedGradients(model, x, { baseline: { ...bytes, inputShape: [5, 4] } })).rejects.toMatchObject({
      code: 'shape-mismatch',
    });
    await expect(integratedGradients(model, x, { baseline: { ...bytes, size: 0 } })).rejects.toMatchObject({ code: 'empty-dataset' });
    await expect(deepLift(model, x, { baseline: bytes, baselines: 0 })).rejects.toThrow('deepLift: baselines is 0');
    await expect(deepLift(model, x, { baseline: bytes, seed: -1 })).rejects.toThrow('deepLift: seed is -1');
    await expect(deepLift(model, x, { baseline: 'median' as never })).rejects.toThrow(
      "deepLift: there is no such baseline as 'median'.\nTo mend: give a number, 'mean', a data set, one example, or one baseline an example.",
    );
    // What is recorded of a tensor is not the tensor.
    await expect(deepLift(model, x, { baseline: { shape: [10] } as never })).rejects.toThrow(
      'deepLift: there is no such baseline as an object with shape.',
    );
    await expect(deepLift(model, x, { baseline: 'mean', background: 'bytes' as never })).rejects.toThrow(
      "The background is 'bytes', which is no data set.\nTo mend: pass the data set itself.",
    );
    await expect(deepLift(model, x, { baseline: [1, 2, 3] })).rejects.toThrow(
      'deepLift: the baseline is 3 values, but an example is [10] and x has 2.\nTo mend: give a number, one example, or one baseline an example.',
    );
    const indices = model.device.tensor(new Uint32Array(10), [10], 'indices');
    await expect(deepLift(model, x, { baseline: indices })).rejects.toThrow(
      'deepLift: baseline is uint32 [10]; it must be float32.\nTo mend: pass baseline as float32.',
    );
    indices.dispose();
    await expect(deepLift(model, x, { baseline: Number.NaN })).rejects.toThrow('deepLift: baseline is');
    await expect(deepLift(model, x, { baseline: Array(10).fill(Number.NaN) })).rejects.toMatchObject({ code: 'non-finite-data' });
    model.dispose();
  });
});
