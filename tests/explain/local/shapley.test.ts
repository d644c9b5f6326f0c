import { describe, expect, test } from 'vitest';
import { buildModel, type Device, dense, flatten, type Model } from '../../../src/engine/index.ts';
import { imagePatches, type ShapleyOptions, type ShapleyProgress, shapleyValues } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { coalitionsByHand, shapleyByHand } from '../coalitions.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function valuesOf(model: Model, x: ArrayLike<number>, options: ShapleyOptions) {
  const attribution = await shapleyValues(model, Float32Array.from(x), options);
  const read = {
    values: await attribution.values.read(),
    groupValues: await attribution.groupValues.read(),
    output: await attribution.output.read(),
    delta: (await attribution.delta?.read()) as Float32Array,
    error: await attribution.groupStandardError?.read(),
    elementError: await attribution.standardError?.read(),
    permutations: attribution.permutations,
    options: attribution.options,
  };
  attribution.dispose();
  return read;
}

/** f = a·b at (a, b), and 0 where either is 0: what a product looks like from its four corners. */
async function productModel(device: Device, a: number, b: number): Promise<Model> {
  const model = await buildModel(device, { inputShape: [2], layers: [dense(1, { activation: 'relu' }), dense(1)] });
  const values = [[1, 1], [-Math.max(a, b)], [(a * b) / Math.min(a, b)], [0]];
  [...model.parameters.values()].forEach((tensor, i) => {
    tensor.write(Float32Array.from(values[i] as number[]));
  });
  return model;
}

describe('shapleyValues, exact', () => {
  test('agree with PyTorch, folded and plain', async () => {
    const network = golden.explain532;
    const model = await goldenModel(await testDevice(), network);
    const { data, shape } = network.shapley as NonNullable<typeof network.shapley>;
    for (const fold of [true, false]) {
      const options = { target: network.targets, baseline: network.baseline.data, fold };
      expectClose((await valuesOf(model, network.x.data, options)).values, data, shape, 1e-5, `fold ${fold}`);
    }
    model.dispose();
  });

  test('agree with the oracle on the tiny network', async () => {
    const model = await tinyModel(await testDevice());
    const { values } = await valuesOf(model, tiny.x as number[], { target: tiny.target });
    expectClose(values, tiny.shapley_exact as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test.each(['relu', 'tanh'] as const)('of groups in a network of %s are the sum over coalitions, and complete', async (activation) => {
    const model = await randomNetwork(await testDevice(), { inputShape: [3, 4, 1], activation, before: [flatten()] });
    const groups = [0, 0, 1, 2, 2, 2, 3, 3, 4, 1, 0, 4];
    const x = examplesOf(3, 12);
    for (const fold of [true, false]) {
      for (const budget of [2 ** 20, 8000]) {
        const options = { target: 2, groups, baseline: 0.3, fold, budget };
        const { values, groupValues, output, delta, error } = await valuesOf(model, x, options);
        for (let e = 0; e < 3; e++) {
          const own = x.slice(12 * e, 12 * e + 12);
          const v = await coalitionsByHand(model, own, () => 0.3, groups, 2);
          const expected = shapleyByHand(v);
          expectClose(groupValues.slice(5 * e, 5 * e + 5), expected, [5], 1e-5, `fold ${fold}, budget ${budget}`);
          const divided = groups.map((g) => (expected[g] as number) / groups.filter((other) => other === g).length);
          expectClose(values.slice(12 * e, 12 * e + 12), divided, [12], 1e-5, 'values divided among elements');
          expect(Math.abs(delta[e] as number)).toBeLessThan(1e-4 * Math.max(1, Math.abs((output[e] as number) - (v[0] as number))));
        }
        expect(error).toBeUndefined();
      }
    }
    model.dispose();
  });

  test('of 16 groups are complete, and those of the sum over all 65,536 coalitions', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [16], hidden: [12, 8] });
    const x = examplesOf(1, 16);
    const { groupValues, delta } = await valuesOf(model, x, { target: 1 });
    const groups = Array.from({ length: 16 }, (_, i) => i);
    const expected = shapleyByHand(await coalitionsByHand(model, x, () => 0, groups, 1));
    expectClose(groupValues, expected, [16], 1e-5, 'values');
    expect(Math.abs(delta[0] as number)).toBeLessThan(1e-4);
    model.dispose();
  });

  test('of a linear model are (x − x′) ⊙ w', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const [x, baseline] = [examplesOf(2, 7), examplesOf(1, 7, 9)];
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 7] as number)) * (weight[(i % 7) * 3 + 1] as number));
    for (const options of [{}, { fold: false }, { permutations: 1 }, { permutations: 3, fold: false }]) {
      expectClose((await valuesOf(model, x, { target: 1, baseline, ...options })).values, expected, [2, 7], 1e-5, 'values');
    }
    model.dispose();
  });

  test('give a group that never matters exactly 0, drawn too, and groups that enter alike the same', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [12, 8] });
    const weight = model.parameters.get('dense_1/weight');
    const given = (await weight?.read()) as Float32Array;
    // Element 4 is not read; element 5 enters as element 1 does.
    weight?.write(given.map((value, i) => (Math.floor(i / 12) === 4 ? 0 : (given[Math.floor(i / 12) === 5 ? i - 48 : i] ?? value))));
    const x = examplesOf(2, 6).map((value, i, all) => (i % 6 === 5 ? (all[i - 4] as number) : value));
    for (const options of [{ fold: true }, { fold: false }, { permutations: 10 }, { permutations: 10, fold: false }]) {
      const { values } = await valuesOf(model, x, { target: 0, ...options });
      for (const e of [0, 1]) {
        expect(Math.abs(values[6 * e + 4] as number)).toBe(0);
        if (!('permutations' in options))
          expect(Math.abs((values[6 * e + 5] as number) - (values[6 * e + 1] as number))).toBeLessThan(1e-5);
      }
    }
    model.dispose();
  });

  test('of a product are half of it each', async () => {
    const model = await productModel(await testDevice(), 3, 0.5);
    for (const fold of [true, false]) {
      expectClose((await valuesOf(model, [3, 0.5], { target: 0, fold })).values, [0.75, 0.75], [2], 1e-5, `fold ${fold}`);
    }
    model.dispose();
  });

  test('are linear in the target, and of a probability complete', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8] });
    const x = examplesOf(2, 8);
    const of = async (options: ShapleyOptions) => (await valuesOf(model, x, options)).values;
    const [a, b] = [await of({ target: 2 }), await of({ target: 0 })];
    const expected = a.map((value, i) => value - (b[i] as number));
    expectClose(await of({ target: 2, against: 0 }), expected, [2, 8], 1e-5, 'contrast');
    for (const gap of (await valuesOf(model, x, { target: 1, output: 'probability' })).delta) expect(Math.abs(gap)).toBeLessThan(1e-4);
    model.dispose();
  });

  test('over patches of an image are the default up to 16, beyond which permutations are drawn', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8, 8, 1], hidden: [8], before: [flatten()] });
    const x = examplesOf(1, 64);
    expect((await valuesOf(model, x, { groups: imagePatches([8, 8], 2), permutations: 2 })).options).toMatchObject({ exact: false });
    const exact = await valuesOf(model, x, { groups: imagePatches([8, 8], 4) });
    expect(exact.options).toMatchObject({ exact: true, groups: Array.from(imagePatches([8, 8], 4).of), baseline: 0, fold: true });
    const drawn = await valuesOf(model, x, {});
    expect(drawn.options).toMatchObject({
      exact: false,
      groups: Array.from({ length: 64 }, (_, i) => i),
      permutations: 25,
      seed: 0,
      antithetic: false,
    });
    expect(Array.from(drawn.permutations as Uint32Array)).toEqual([25]);
    model.dispose();
  });
});

describe('shapleyValues, drawn', () => {
  test.each([true, false])(
    'are complete for every number of permutations, and within 4 standard errors of the exact ones (fold %s)',
    async (fold) => {
      const model = await randomNetwork(await testDevice(), { inputShape: [8], hidden: [12, 8] });
      const x = examplesOf(6, 8);
      const exact = await valuesOf(model, x, { target: 1, fold });
      for (const options of [{ permutations: 1 }, { permutations: 7 }, { permutations: 200 }, { permutations: 200, antithetic: true }]) {
        const { groupValues, delta, error } = await valuesOf(model, x, { target: 1, seed: 3, fold, ...options });
        for (const gap of delta) expect(Math.abs(gap)).toBeLessThan(1e-4);
        if (options.permutations < 200) continue;
        groupValues.forEach((value, k) => {
          expect(Math.abs(value - (exact.groupValues[k] as number))).toBeLessThan(4 * (error?.[k] as number) + 1e-5);
        });
      }
      model.dispose();
    },
  );

  test('know their standard error: that of the mean over draws, as the spread over seeds shows', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8], hidden: [12, 8] });
    const x = examplesOf(1, 8);
    const exact = (await valuesOf(model, x, { target: 1 })).groupValues;
    let [square, expected] = [0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const { groupValues, error } = await valuesOf(model, x, { target: 1, seed, permutations: 20 });
      groupValues.forEach((value, k) => {
        square += (value - (exact[k] as number)) ** 2;
        expected += (error?.[k] as number) ** 2;
      });
    }
    expect(square / expected).toBeGreaterThan(0.7);
    expect(square / expected).toBeLessThan(1.4);
    model.dispose();
  });

  test('have less error with each permutation followed by its reverse', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [10], hidden: [12, 8] });
    const x = examplesOf(8, 10);
    const total = async (antithetic: boolean) => {
      const { error } = await valuesOf(model, x, { target: 1, permutations: 100, antithetic });
      return (error as Float32Array).reduce((sum, value) => sum + value ** 2, 0);
    };
    expect(await total(true)).toBeLessThan(0.7 * (await total(false)));
    model.dispose();
  });

  test('of one draw have no standard error', async () => {
    const model = await randomNetwork(await testDevice());
    const one = await valuesOf(model, examplesOf(1, 10), { permutations: 1 });
    expect([one.error, one.elementError]).toEqual([undefined, undefined]);
    const two = await valuesOf(model, examplesOf(1, 10), { permutations: 2 });
    expect(two.error?.some((value) => value > 0)).toBe(true);
    expect(Array.from(two.elementError as Float32Array)).toEqual(Array.from(two.error as Float32Array));
    model.dispose();
  });

  test('show the running estimate, which ends in the result', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(2, 10);
    const seen: ShapleyProgress[] = [];
    const options = { target: 1, permutations: 30 };
    const watched = await valuesOf(model, x, { ...options, onProgress: (progress) => seen.push(progress as ShapleyProgress) });
    expect(seen.map(({ permutations, done, total }) => [permutations, done, total])).toEqual([
      [8, 1, 4],
      [16, 2, 4],
      [24, 3, 4],
      [30, 4, 4],
    ]);
    expect(Array.from(seen.at(-1)?.values as Float32Array)).toEqual(Array.from(watched.groupValues));
    expect(Array.from(seen.at(-1)?.standardError as Float32Array)).toEqual(Array.from(watched.error as Float32Array));
    // Watching changes no bit.
    expect(Array.from((await valuesOf(model, x, options)).groupValues)).toEqual(Array.from(watched.groupValues));
    model.dispose();
  });

  test('stop each example by itself when its error is small enough', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [8], hidden: [12, 8] });
    const x = examplesOf(5, 8);
    const options = { target: 1, tolerance: 0.05 };
    const all = await valuesOf(model, x, options);
    const taken = all.permutations as Uint32Array;
    expect(new Set(taken).size).toBeGreaterThan(1);
    for (let e = 0; e < 5; e++) {
      expect(taken[e]).toBeLessThan(1000);
      for (let g = 0; g < 8; g++) expect(all.error?.[8 * e + g]).toBeLessThanOrEqual(0.05);
      const alone = await valuesOf(model, x.slice(8 * e, 8 * e + 8), options);
      expect(alone.permutations?.[0]).toBe(taken[e]);
      expect(Array.from(alone.groupValues)).toEqual(Array.from(all.groupValues.slice(8 * e, 8 * e + 8)));
      const plain = await valuesOf(model, x.slice(8 * e, 8 * e + 8), { target: 1, permutations: taken[e] as number });
      expect(Array.from(plain.groupValues)).toEqual(Array.from(alone.groupValues));
    }
    model.dispose();
  });

  test('of more groups than go through the network together are complete, folded and plain, and take the memory of a part', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [600], hidden: [300, 8] });
    const x = examplesOf(1, 600);
    const baseline = 0.1;
    const before = device.memory.bytes;
    const plain = await valuesOf(model, x, { permutations: 3, baseline, fold: false, budget: 1 });
    // The 600 copies of a permutation would take 1.4 MB, and what the first layer makes of them half as much, twice.
    expect(device.memory.bytes - before).toBeLessThan(2e6);
    const folded = await valuesOf(model, x, { permutations: 3, baseline });
    expectClose(plain.values, folded.values, [600], 1e-5, 'plain');
    for (const { delta } of [folded, plain]) expect(Math.abs(delta[0] as number)).toBeLessThan(1e-4);
    model.dispose();
  });

  test('are another draw for another seed', async () => {
    const model = await randomNetwork(await testDevice());
    const of = async (seed: number) => Array.from((await valuesOf(model, examplesOf(1, 10), { permutations: 5, seed })).values);
    expect(await of(1)).not.toEqual(await of(2));
    model.dispose();
  });
});

describe('shapleyValues', () => {
  test('are the same bits alone and among others, and twice; repeated runs leave memory bounded', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [7], hidden: [8] });
    for (const fold of [true, false]) {
      for (const permutations of [undefined, 12]) {
        const options = { target: 1, fold, ...(permutations ? { permutations } : {}) };
        await expectSameAloneAndAmongOthers(model, (x) => shapleyValues(model, x, options));
        await expectSameTwice(model, (x) => shapleyValues(model, x, options));
      }
    }
    await expectBoundedMemory(model, (x, i) =>
      shapleyValues(model, x, [{}, { permutations: 12 }, { tolerance: 0.1 }, { permutations: 1, fold: false }][i % 4] as ShapleyOptions),
    );
    model.dispose();
  });

  test('refuse too many groups, no permutations, groups of another length, and a tolerance over many baselines', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20] });
    const x = examplesOf(2, 20);
    const of = (options: ShapleyOptions) => expect(shapleyValues(model, x, options)).rejects;
    await of({ exact: true }).toThrow(
      'shapleyValues: exact values of 20 groups take 2^20 coalitions; 16 groups are the most.\n' +
        'To mend: join elements to fewer groups, such as imagePatches, or leave exact out, which draws permutations.',
    );
    await of({ exact: true, permutations: 3 }).toThrow(
      'shapleyValues: exact values are asked for, and permutations, a tolerance or antithetic draws besides.\nTo mend: leave out exact, or the others.',
    );
    await of({ permutations: 0 }).toThrow('shapleyValues: permutations is 0; it must be a number at least 1.');
    await of({ permutations: 2.5 }).toMatchObject({ code: 'invalid-option' });
    await of({ tolerance: -1 }).toThrow('shapleyValues: tolerance is -1; it must be a number at least 0.');
    await of({ groups: [0, 1] }).toThrow('shapleyValues: the groups have 2 elements, but an example of [20] has 20.');
    await of({ target: 9 }).toMatchObject({ code: 'label-out-of-range' });
    const inputs = new Float32Array(60);
    const dataset = { name: 'few', size: 3, inputShape: [20], inputs, labels: Uint32Array.of(0, 1, 2), classes: ['a', 'b', 'c', 'd'] };
    await of({ tolerance: 1, baseline: dataset }).toThrow('shapleyValues: the baseline is a data set, whose examples are averaged over;');
    model.dispose();
  });

  test('with a data set as baseline are the mean of those with each of its examples', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5] });
    const x = examplesOf(2, 5);
    const inputs = examplesOf(3, 5, 8);
    const dataset = { name: 'few', size: 3, inputShape: [5], inputs, labels: Uint32Array.of(0, 1, 2), classes: ['a', 'b', 'c', 'd'] };
    for (const options of [{}, { fold: false }, { permutations: 4 }]) {
      const expected = new Float64Array(10);
      for (let k = 0; k < 3; k++) {
        const { values } = await valuesOf(model, x, { target: 1, baseline: inputs.slice(5 * k, 5 * k + 5), ...options });
        values.forEach((value, i) => {
          expected[i] = (expected[i] as number) + value / 3;
        });
      }
      const { values, delta } = await valuesOf(model, x, { target: 1, baseline: dataset, ...options });
      expectClose(values, expected, [2, 5], 1e-5, JSON.stringify(options));
      for (const gap of delta) expect(Math.abs(gap)).toBeLessThan(1e-4);
    }
    model.dispose();
  });

  test('end when their signal says so', async () => {
    const model = await randomNetwork(await testDevice());
    const controller = new AbortController();
    const run = shapleyValues(model, examplesOf(1, 10), {
      permutations: 100,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    model.dispose();
  });
});
