import { describe, expect, test } from 'vitest';
import { flatten, type Model } from '../../../src/engine/index.ts';
import { imagePatches, type RiseOptions, rise } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

/** f = the biases, whatever x is. */
async function constantModel(inputShape: readonly number[], bias: readonly number[]): Promise<Model> {
  const model = await randomNetwork(await testDevice(), { inputShape, hidden: [], classes: bias.length, before: [flatten()], bias: false });
  const [weight, offsets] = [...model.parameters.values()];
  weight?.write(new Float32Array(weight.length));
  offsets?.write(Float32Array.from(bias));
  return model;
}

async function valuesOf(model: Model, x: Float32Array, options: RiseOptions): Promise<Float32Array> {
  const attribution = await rise(model, x, options);
  const values = await attribution.values.read();
  attribution.dispose();
  return values;
}

describe('rise', () => {
  test('of a constant is a multiple of the mean mask, which is p everywhere within its error', async () => {
    const model = await constantModel([28, 28, 1], [2, -3]);
    const x = examplesOf(1, 784);
    for (const keep of [0.5, 0.1]) {
      const samples = 2000;
      const [a, b] = [await valuesOf(model, x, { target: 0, samples, keep }), await valuesOf(model, x, { target: 1, samples, keep })];
      expectClose(
        b,
        a.map((value) => -1.5 * value),
        [784],
        1e-4,
        'classes',
      );
      const error = Math.sqrt((keep * (1 - keep)) / samples);
      for (const value of a) expect(Math.abs((value / 2) * keep - keep)).toBeLessThan(4 * error);
    }
    model.dispose();
  });

  test('of a linear model with independent masks tends to (1 − p) w_i x_i + p wᵀx + b', async () => {
    const { model, weight, bias } = await linearModel(await testDevice(), 6, 3);
    const x = examplesOf(1, 6);
    const keep = 0.3;
    const terms = Array.from(x, (value, i) => value * (weight[3 * i + 1] as number));
    const all = terms.reduce((a, b) => a + b, 0);
    const runs: Float32Array[] = [];
    for (let seed = 0; seed < 40; seed++) {
      runs.push(await valuesOf(model, x, { target: 1, samples: 250, keep, seed, fold: seed % 2 === 0 }));
    }
    terms.forEach((term, i) => {
      const values = runs.map((run) => run[i] as number);
      const mean = values.reduce((a, b) => a + b, 0) / 40;
      const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (40 * 39));
      expect(Math.abs(mean - ((1 - keep) * term + keep * all + (bias[1] as number)))).toBeLessThan(4 * error);
    });
    model.dispose();
  });

  test('is the same folded and plain, in one run or several, and of all channels of a pixel', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8, 9, 2], hidden: [8], before: [flatten()] });
    const x = examplesOf(2, 144);
    const options = { target: 1, samples: 600, cells: 3, baseline: 0.1 };
    const values = await valuesOf(model, x, options);
    for (const other of [{ fold: false }, { budget: 60000 }]) {
      expectClose(await valuesOf(model, x, { ...options, ...other }), values, [2, 144], 1e-5, JSON.stringify(other));
    }
    for (let i = 0; i < 288; i += 2) expect(values[i]).toBe(values[i + 1]);
    model.dispose();
  });

  test('records its defaults: 4,000 masks of 7 × 7 cells; groups where the input is no image', async () => {
    const image = await randomNetwork(await testDevice(), { inputShape: [8, 8, 1], hidden: [4], before: [flatten()] });
    const x = examplesOf(1, 64);
    const { options } = await rise(image, x, { target: 0 });
    expect(options).toEqual({ target: 0, output: 'logit', samples: 4000, cells: 7, keep: 0.5, seed: 0, fold: true, baseline: 0 });
    const patches = await rise(image, x, { groups: imagePatches([8, 8], 4), samples: 10 });
    expect(patches.options).toMatchObject({ groups: Array.from(imagePatches([8, 8], 4).of), samples: 10 });
    const list = await randomNetwork(await testDevice(), { inputShape: [64], hidden: [4] });
    expect((await rise(list, x, { samples: 10 })).options).toMatchObject({ groups: Array.from({ length: 64 }, (_, i) => i) });
    expect((await rise(list, x, { samples: 10, imageShape: [8, 8] })).options).toMatchObject({ cells: 7, imageShape: [8, 8] });
    image.dispose();
    list.dispose();
  });

  test('finds the pixels that a network looks at', async () => {
    const { model, weight } = await linearModel(await testDevice(), 64, 2);
    const seen = new Set([18, 19, 26, 27]);
    [...model.parameters.values()][0]?.write(Float32Array.from(weight, (_, k) => (seen.has(Math.floor(k / 2)) ? 1 : 0)));
    const values = await valuesOf(model, new Float32Array(64).fill(1), { target: 0, imageShape: [8, 8], samples: 1000 });
    const order = Array.from(values, (_, i) => i).sort((a, b) => (values[b] as number) - (values[a] as number));
    expect(order.slice(0, 4).every((i) => seen.has(i))).toBe(true);
    model.dispose();
  });

  test('is the same bits alone and among others, and twice; repeated runs leave memory bounded', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6, 5, 1], hidden: [8], before: [flatten()] });
    for (const fold of [true, false]) {
      await expectSameAloneAndAmongOthers(model, (x) => rise(model, x, { target: 1, fold, samples: 700, cells: 3 }));
      await expectSameTwice(model, (x) => rise(model, x, { fold, samples: 100, seed: 7, cells: 4 }));
    }
    await expectBoundedMemory(model, (x, i) => rise(model, x, { samples: i % 2 === 0 ? 60 : 100, fold: i % 4 < 2, cells: 3 }));
    model.dispose();
  });

  test('refuses no masks, a probability of 0, more cells than pixels and what is no image', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6, 5, 1], hidden: [8], before: [flatten()] });
    const x = examplesOf(1, 30);
    const of = (options: RiseOptions) => expect(rise(model, x, options)).rejects;
    await of({ samples: 0 }).toThrow('rise: samples is 0; it must be a number at least 1.');
    await of({ keep: 0 }).toThrow('rise: keep is 0; it must be a number between 0.000001 and 1.');
    await of({ cells: 6 }).toThrow('rise: cells is 6; it must be a number between 1 and 5.');
    await of({ imageShape: [4, 4] }).toThrow('rise: an image of [4, 4, 1] has 16 elements, but an example of [6, 5, 1] has 30.');
    await of({ groups: imagePatches([6, 5], 2), cells: 2 }).toThrow(
      "rise: groups are given, and cells or an image's shape besides.\nTo mend: mask groups or an image by a grid of cells.",
    );
    await of({ groups: [0, 1] }).toMatchObject({ code: 'shape-mismatch' });
    model.dispose();
  });
});
