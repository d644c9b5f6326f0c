import { describe, expect, test } from 'vitest';
import { flatten, type Tensor } from '../../../src/engine/index.ts';
import { imagePatches, type KernelShapOptions, kernelShap, shapleyValues } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

describe('kernelShap', () => {
  test('on all coalitions agrees with PyTorch’s and the oracle’s Shapley values', async () => {
    const network = golden.explain532;
    const model = await goldenModel(await testDevice(), network);
    const { data, shape } = network.shapley as NonNullable<typeof network.shapley>;
    const options = { target: network.targets, baseline: network.baseline.data };
    expectClose(await (await kernelShap(model, network.x.data, options)).values.read(), data, shape, 1e-5, 'values');
    model.dispose();
    const small = await tinyModel(await testDevice());
    const { values } = await kernelShap(small, tiny.x as number[], { target: tiny.target });
    expectClose(await values.read(), tiny.shapley_exact as number[], [4], 1e-5, 'values');
    small.dispose();
  });

  test.each([1, 2, 3, 6, 9])('on all coalitions of %i groups equals exact Shapley values', async (n) => {
    const model = await randomNetwork(await testDevice(), { inputShape: [n], hidden: [12, 8] });
    const x = examplesOf(3, n);
    for (const fold of [true, false]) {
      const options = { target: 1, baseline: 0.5, fold };
      const [exact, found] = [
        await shapleyValues(model, x, options),
        await kernelShap(model, x, { ...options, samples: Math.max(1, 2 ** n - 2) }),
      ];
      expectClose(await found.groupValues.read(), await exact.groupValues.read(), [3, n], 1e-5, `fold ${fold}`);
      for (const gap of await (found.delta as Tensor).read()) expect(Math.abs(gap)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  test('on all coalitions of 16 patches gives all 16 values, none of them left out', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8, 8, 1], hidden: [16], before: [flatten()] });
    const x = examplesOf(1, 64);
    const options = { target: 1, groups: imagePatches([8, 8], 2) };
    const exact = await (await shapleyValues(model, x, options)).groupValues.read();
    const found = await kernelShap(model, x, { ...options, samples: 2 ** 16 - 2 });
    expect(found.options).toMatchObject({ groups: Array.from(imagePatches([8, 8], 2).of), samples: 65534, seed: 0 });
    expect(found.coalitions).toBe(65534);
    expectClose(await found.groupValues.read(), exact, [16], 1e-5, 'values');
    expect(exact.every((value) => Math.abs(value) > 1e-4)).toBe(true);
    // A patch's value is divided among its four pixels.
    const values = await found.values.read();
    expect(values[0]).toBeCloseTo((exact[0] as number) / 4, 5);
    expect(values[63]).toBeCloseTo((exact[15] as number) / 4, 5);
    model.dispose();
  });

  test('on some coalitions comes near them, is complete, and evaluates as many as it says', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [14], hidden: [12, 8] });
    const x = examplesOf(2, 14);
    const exact = await (await shapleyValues(model, x, { target: 1 })).groupValues.read();
    const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const errorOf = async (samples: number): Promise<number> => {
      let total = 0;
      for (let seed = 0; seed < 4; seed++) {
        const found = await kernelShap(model, x, { target: 1, samples, seed });
        expect(found.coalitions).toBeLessThanOrEqual(samples);
        expect(found.coalitions).toBeGreaterThan(0.9 * samples);
        const values = await found.groupValues.read();
        for (const gap of await (found.delta as Tensor).read()) expect(Math.abs(gap)).toBeLessThan(1e-5);
        total += values.reduce((sum, value, k) => sum + (value - (exact[k] as number)) ** 2, 0) / (4 * values.length);
        found.dispose();
      }
      return Math.sqrt(total) / largest;
    };
    const [few, many] = [await errorOf(120), await errorOf(2076)];
    expect(few).toBeLessThan(0.2);
    expect(many).toBeLessThan(0.02);
    expect(many).toBeLessThan(few / 3);
    model.dispose();
  });

  test('of a linear model is (x − x′) ⊙ w, from few coalitions already', async () => {
    const { model, weight } = await linearModel(await testDevice(), 40, 3);
    const [x, baseline] = [examplesOf(2, 40), examplesOf(1, 40, 9)];
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 40] as number)) * (weight[(i % 40) * 3 + 1] as number));
    for (const options of [{ samples: 90 }, {}, { fold: false, samples: 300 }]) {
      const { values } = await kernelShap(model, x, { target: 1, baseline, ...options });
      expectClose(await values.read(), expected, [2, 40], 1e-4, JSON.stringify(options));
    }
    model.dispose();
  });

  test('gives a group that never matters 0, and is linear in the target', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [12, 8] });
    const weight = model.parameters.get('dense_1/weight');
    weight?.write(((await weight.read()) as Float32Array).map((value, i) => (Math.floor(i / 12) === 4 ? 0 : value)));
    const x = examplesOf(2, 6);
    const of = async (options: KernelShapOptions) => (await kernelShap(model, x, options)).groupValues.read();
    const [a, b] = [await of({ target: 2 }), await of({ target: 0 })];
    for (const e of [0, 1]) expect(Math.abs(a[6 * e + 4] as number)).toBeLessThan(1e-6);
    const expected = a.map((value, i) => value - (b[i] as number));
    expectClose(await of({ target: 2, against: 0 }), expected, [2, 6], 1e-5, 'contrast');
    model.dispose();
  });

  test('is the same bits alone and among others, and twice; repeated runs leave memory bounded', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [12], hidden: [8] });
    for (const fold of [true, false]) {
      await expectSameAloneAndAmongOthers(model, (x) => kernelShap(model, x, { target: 1, fold, samples: 100 }));
      await expectSameTwice(model, (x) => kernelShap(model, x, { fold, samples: 100, seed: 7 }));
    }
    await expectBoundedMemory(model, (x, i) => kernelShap(model, x, { samples: i % 2 === 0 ? 60 : 100, fold: i % 4 < 2 }));
    model.dispose();
  });

  test('refuses no samples, too few samples, and groups of another length', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    const of = (options: KernelShapOptions) => expect(kernelShap(model, x, options)).rejects;
    await of({ samples: 0 }).toThrow('kernelShap: samples is 0; it must be a number at least 1.');
    await of({ samples: 5 }).toThrow(
      'kernelShap: 5 coalitions do not determine the values of 10 groups.\nTo mend: evaluate more: samples is 5, and 2068 by default.',
    );
    await of({ groups: [0] }).toThrow('kernelShap: the groups have 1 elements, but an example of [10] has 10.');
    await of({ target: 7 }).toThrow('kernelShap: target of example 0 is 7');
    model.dispose();
  });
});
