import { describe, expect, test } from 'vitest';
import type { Dataset, Model } from '../../../src/engine/index.ts';
import { deepLift, type ExpectedGradientsOptions, expectedGradients } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function read(model: Model, x: Float32Array, options: ExpectedGradientsOptions) {
  const attribution = await expectedGradients(model, x, options);
  const result = {
    values: await attribution.values.read(),
    standardError: await attribution.standardError.read(),
    delta: await attribution.delta.read(),
    deltaStandardError: await attribution.deltaStandardError.read(),
    output: await attribution.output.read(),
    options: attribution.options,
  };
  attribution.dispose();
  return result;
}

/** Within four standard errors, and the standard errors no excuse. */
function expectWithin(actual: ArrayLike<number>, expected: ArrayLike<number>, standardError: ArrayLike<number>, most: number): void {
  for (let i = 0; i < actual.length; i++) {
    expect(Math.abs((actual[i] as number) - (expected[i] as number))).toBeLessThan(4 * (standardError[i] as number) + 1e-5);
    expect(standardError[i] as number).toBeLessThan(most);
  }
}

const background = (size: number): Float32Array => examplesOf(size, 10, 41);
const dataset = (size: number): Dataset => ({ name: 'background', size, inputShape: [10], inputs: background(size) });

describe('expectedGradients', () => {
  test('of a linear model is w ⊙ (x − mean x′) within four standard errors', async () => {
    const { model, weight } = await linearModel(await testDevice(), 10, 3);
    const x = examplesOf(2, 10);
    const data = background(20);
    const expected = Array.from(x, (value, i) => {
      const mean = Array.from({ length: 20 }, (_, k) => data[10 * k + (i % 10)] as number).reduce((a, b) => a + b) / 20;
      return (value - mean) * (weight[(i % 10) * 3 + 1] as number);
    });
    const { values, standardError, delta } = await read(model, x, { target: 1, background: data, samples: 2000 });
    expectWithin(values, expected, standardError, 0.1);
    // Of a linear model each draw is complete by itself.
    for (const gap of delta) expect(Math.abs(gap)).toBeLessThan(1e-5);
    model.dispose();
  });

  test('adds up to f(x) less the mean output over the background, within four standard errors', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(6, 10);
    const { delta, deltaStandardError, values, output } = await read(model, x, { target: 1, background: dataset(30), samples: 1000 });
    expectWithin(delta, new Float32Array(6), deltaStandardError, 0.3);
    const outputs = await model.logits(background(30));
    const logits = await outputs.read();
    outputs.dispose();
    const ofClass = Array.from({ length: 30 }, (_, k) => logits[4 * k + 1] as number);
    const mean = ofClass.reduce((a, b) => a + b) / 30;
    // Of the mean over the baselines drawn, against that over all of them.
    const drawn = Math.sqrt(ofClass.reduce((total, f) => total + (f - mean) ** 2, 0) / 30 / 1000);
    output.forEach((f, row) => {
      const total = values.slice(10 * row, 10 * row + 10).reduce((a, b) => a + b);
      expect(Math.abs(total - (f - mean))).toBeLessThan(4 * Math.hypot(deltaStandardError[row] as number, drawn) + 1e-5);
    });
    model.dispose();
  });

  test('of one hidden layer is the mean of DeepLIFT over the background, within four standard errors', async () => {
    const model = await randomNetwork(await testDevice(), { hidden: [12] });
    const x = examplesOf(3, 10);
    const shap = await deepLift(model, x, { target: 2, baseline: dataset(25) });
    const { values, standardError } = await read(model, x, { target: 2, background: dataset(25), samples: 2000 });
    expectWithin(values, await shap.values.read(), standardError, 0.2);
    shap.dispose();
    model.dispose();
  });

  test('its standard error is that of the draws: halved by four times as many', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const few = await read(model, x, { target: 0, background: dataset(30), samples: 250 });
    const many = await read(model, x, { target: 0, background: dataset(30), samples: 1000 });
    const mean = (values: Float32Array): number => values.reduce((a, b) => a + b) / values.length;
    expect(mean(few.standardError) / mean(many.standardError)).toBeGreaterThan(1.8);
    expect(mean(few.standardError) / mean(many.standardError)).toBeLessThan(2.2);
    model.dispose();
  });

  test('draws the same from a data set, from values and from a tensor on the GPU', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(3, 10);
    const tensor = device.tensor(background(15), [15, 10]);
    const options = { target: 1, samples: 70, seed: 4 };
    const [a, b, c] = [
      await read(model, x, { ...options, background: dataset(15) }),
      await read(model, x, { ...options, background: background(15) }),
      await read(model, x, { ...options, background: tensor }),
    ];
    expect(a.values).toEqual(b.values);
    expect(c.values).toEqual(b.values);
    expect(a.options).toEqual({ target: 1, output: 'logit', samples: 70, seed: 4, background: 'background', backgroundSize: 15 });
    tensor.dispose();
    model.dispose();
  });

  test('leaves a background on the GPU where it is: no copy of it, and none of the budget', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(3, 10);
    const size = 100_000;
    const values = Float32Array.from({ length: 10 * size }, (_, i) => Math.sin(i));
    const tensor = device.tensor(values, [size, 10]);
    const before = device.memory.bytes;
    const runs = { gpu: 0, cpu: 0 };
    const options = { target: 1, samples: 60, budget: 6000 };
    const count = (where: 'gpu' | 'cpu') => ({
      onProgress: ({ total }: { total: number }) => {
        runs[where] = total;
      },
    });
    const gpu = await expectedGradients(model, x, { ...options, background: tensor, ...count('gpu') });
    expect(device.memory.bytes - before).toBeLessThan(tensor.bytes / 10);
    const cpu = await expectedGradients(model, x, { ...options, background: values, ...count('cpu') });
    expect(runs.gpu).toBe(runs.cpu);
    expect(await gpu.values.read()).toEqual(await cpu.values.read());
    for (const each of [gpu, cpu, tensor, model]) each.dispose();
  });

  test('takes its samples in slices to the same bits, and others with another seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const options = { target: 1, samples: 60, background: dataset(15) };
    const whole = await read(model, x, options);
    expect(await read(model, x, { ...options, budget: 6000 })).toEqual(whole);
    expect((await read(model, x, { ...options, seed: 1 })).values).not.toEqual(whole.values);
    model.dispose();
  });

  test('of a contrast is the difference of two', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const of = (target: number, against?: number) =>
      read(model, x, { target, ...(against === undefined ? {} : { against }), background: dataset(15), samples: 50 });
    const [a, b, contrast] = [await of(2), await of(0), await of(2, 0)];
    expectClose(
      contrast.values,
      a.values.map((value, i) => value - (b.values[i] as number)),
      [3, 10],
      1e-5,
      'contrast',
    );
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice());
    const options = { background: dataset(15), samples: 40 };
    await expectSameAloneAndAmongOthers(model, (x) => expectedGradients(model, x, { ...options, target: 1 }));
    await expectSameTwice(model, (x) => expectedGradients(model, x, options));
    model.dispose();
  });

  test('repeated with other backgrounds, seeds and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    await expectBoundedMemory(
      model,
      (x, call) => expectedGradients(model, x, { background: dataset(3 + (call % 3)), seed: call, samples: 10 + (call % 2) }),
      40,
    );
    model.dispose();
  });

  test('refuses no background, one of another shape, and fewer than two samples', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await expect(expectedGradients(model, x, {} as never)).rejects.toThrow(
      'expectedGradients: there is no background to draw baselines from.\nTo mend: pass the training data, or a hundred examples of it, as `background`.',
    );
    await expect(expectedGradients(model, x, { background: new Float32Array(15) })).rejects.toThrow(
      'expectedGradients: the background is 15 values, but an example is [10].\nTo mend: give [size, ...inputShape], one example at least.',
    );
    await expect(expectedGradients(model, x, { background: { ...dataset(3), size: 0 } })).rejects.toMatchObject({ code: 'empty-dataset' });
    const indices = model.device.tensor(new Uint32Array(20), [2, 10], 'indices');
    await expect(expectedGradients(model, x, { background: indices })).rejects.toThrow(
      'expectedGradients: background is uint32 [2, 10]; it must be float32.\nTo mend: pass background as float32.',
    );
    indices.dispose();
    await expect(expectedGradients(model, x, { background: dataset(3), samples: 1 })).rejects.toThrow('expectedGradients: samples is 1');
    await expect(expectedGradients(model, x, { background: new Float32Array(10).fill(Number.NaN) })).rejects.toMatchObject({
      code: 'non-finite-data',
    });
    await expect(expectedGradients(model, x, { background: dataset(3), target: 4 })).rejects.toMatchObject({ code: 'label-out-of-range' });
    model.dispose();
  });
});
