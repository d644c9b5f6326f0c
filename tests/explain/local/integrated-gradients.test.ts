import { describe, expect, test } from 'vitest';
import { buildModel, dense, type Tensor } from '../../../src/engine/index.ts';
import { integratedGradients, saliency } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

describe('integratedGradients', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s, folded and plain', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const { steps, attributions, delta } = network.integratedGradients;
    for (const fold of [true, false]) {
      const attribution = await integratedGradients(model, network.x.data, {
        target: network.targets,
        baseline: network.baseline.data,
        steps,
        fold,
      });
      expectClose(await attribution.values.read(), attributions.data, attributions.shape, 1e-5, 'values');
      expectClose((await attribution.delta?.read()) ?? [], delta.data, delta.shape, 1e-5, 'delta');
      attribution.dispose();
    }
    model.dispose();
  });

  test('agrees with the oracle on the tiny network, kink and all', async () => {
    const model = await tinyModel(await testDevice());
    const attribution = await integratedGradients(model, tiny.x as number[], { target: tiny.target });
    expectClose(await attribution.values.read(), tiny.ig_gauss50 as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test('is exact where the model has one layer of activations: the oracle, pieces and all', async () => {
    const model = await tinyModel(await testDevice());
    const attribution = await integratedGradients(model, tiny.x as number[], { target: tiny.target, rule: 'exact' });
    expectClose(await attribution.values.read(), tiny.ig_exact_piecewise as number[], [4], 1e-5, 'values');
    expect(Math.abs((await attribution.delta?.read())?.[0] as number)).toBeLessThan(1e-5);
    expect(attribution.options).toEqual({ target: tiny.target, output: 'logit', rule: 'exact', baseline: 0 });
    model.dispose();
  });

  test.each(['tanh', 'gelu', 'sigmoid'] as const)(
    'is exact in one pass for a layer of %s: many points come to the same',
    async (activation) => {
      const model = await randomNetwork(await testDevice(), { hidden: [16], activation });
      const x = examplesOf(6, 10);
      const baseline = examplesOf(6, 10, 9);
      const exact = await integratedGradients(model, x, { target: 2, against: 1, baseline, rule: 'exact' });
      const points = await integratedGradients(model, x, { target: 2, against: 1, baseline, steps: 100 });
      expectClose(await exact.values.read(), await points.values.read(), [6, 10], 1e-5, 'values');
      model.dispose();
    },
  );

  test('says why it cannot be exact', async () => {
    const device = await testDevice();
    const deep = await randomNetwork(device);
    await expect(integratedGradients(deep, examplesOf(1, 10), { rule: 'exact' })).rejects.toThrow(
      "integratedGradients: the rule 'exact' needs one layer of activations, but the model has activations behind activations, so what goes into the second is not linear on the path.\nTo mend: leave rule out, which takes 50 points, or use deepLift.",
    );
    const soft = await buildModel(device, { inputShape: [10], layers: [dense(4, { activation: 'softmax' }), dense(2)] });
    await expect(integratedGradients(soft, examplesOf(1, 10), { rule: 'exact' })).rejects.toMatchObject({
      code: 'unsupported-model',
      message: expect.stringContaining('the model has softmax, which is not a function of one element'),
    });
    const shallow = await randomNetwork(device, { hidden: [4] });
    await expect(integratedGradients(shallow, examplesOf(1, 10), { rule: 'exact', output: 'probability' })).rejects.toThrow(
      "integratedGradients: the rule 'exact' explains logits, but output is 'probability', which bends along the path.",
    );
    for (const model of [deep, soft, shallow]) model.dispose();
  });

  test('of a function of one projection is w ⊙ (x − x′) · (g(z) − g(z′)) / (z − z′)', async () => {
    const device = await testDevice();
    const model = await buildModel(device, { inputShape: [6], layers: [dense(1, { activation: 'tanh' }), dense(1)] });
    const weight = [...examplesOf(1, 6, 12)].map((value) => 0.6 * value);
    [weight, [0.2], [1.5], [0.1]].forEach((values, i) => {
      [...model.parameters.values()][i]?.write(Float32Array.from(values));
    });
    const [x, baseline] = [examplesOf(1, 6), examplesOf(1, 6, 9)];
    const z = (at: Float32Array): number => weight.reduce((total, w, i) => total + w * (at[i] as number), 0.2);
    const slope = (1.5 * (Math.tanh(z(x)) - Math.tanh(z(baseline)))) / (z(x) - z(baseline));
    const { values } = await integratedGradients(model, x, { baseline });
    expectClose(
      await values.read(),
      weight.map((w, i) => w * ((x[i] as number) - (baseline[i] as number)) * slope),
      [6],
      1e-4,
      'values',
    );
    model.dispose();
  });

  test('depends on what a network computes, not on how: one with twice the units and half the weights has the same map', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { hidden: [8], activation: 'tanh' });
    const twin = await randomNetwork(device, { hidden: [16], activation: 'tanh' });
    const [w1, b1, w2, b2] = await Promise.all([...model.parameters.values()].map((tensor) => tensor.read()));
    const doubled = [
      Array.from({ length: 160 }, (_, i) => w1?.[Math.floor(i / 16) * 8 + (i % 8)] as number),
      [...(b1 as Float32Array), ...(b1 as Float32Array)],
      [...(w2 as Float32Array), ...(w2 as Float32Array)].map((value) => value / 2),
      [...(b2 as Float32Array)],
    ];
    [...twin.parameters.values()].forEach((tensor, i) => {
      tensor.write(Float32Array.from(doubled[i] as number[]));
    });
    const x = examplesOf(4, 10);
    const [a, b] = [await integratedGradients(model, x, { target: 1 }), await integratedGradients(twin, x, { target: 1 })];
    expectClose(await b.values.read(), await a.values.read(), [4, 10], 1e-4, 'values');
    for (const each of [model, twin]) each.dispose();
  });

  test('gives equal inputs that enter symmetrically equal parts', async () => {
    const model = await randomNetwork(await testDevice());
    const weight = (await model.parameters.get('dense_1/weight')?.read()) as Float32Array;
    weight.copyWithin(3 * 12, 7 * 12, 8 * 12);
    model.parameters.get('dense_1/weight')?.write(weight);
    const x = examplesOf(3, 10);
    for (let row = 0; row < 3; row++) x[10 * row + 3] = x[10 * row + 7] as number;
    const { values } = await integratedGradients(model, x);
    const read = await values.read();
    for (let row = 0; row < 3; row++) expect(read[10 * row + 3]).toBe(read[10 * row + 7]);
    model.dispose();
  });

  test('repeated with other steps, baselines and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice(), { hidden: [12] });
    const rules = ['gaussLegendre', 'exact', 'right'] as const;
    await expectBoundedMemory(
      model,
      (x, call) => integratedGradients(model, x, { rule: rules[call % 3] as 'exact', steps: 5 + (call % 2), baseline: 0.1 * call }),
      60,
    );
    await expectSameTwice(model, (x) => integratedGradients(model, x));
    model.dispose();
  });

  test('of a linear model is (x − x′) ⊙ w, at any number of steps', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const baseline = examplesOf(1, 7, 9);
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 7] as number)) * (weight[(i % 7) * 3 + 1] as number));
    for (const steps of [1, 5, 50]) {
      const { values } = await integratedGradients(model, x, { target: 1, baseline, steps });
      expectClose(await values.read(), expected, [2, 7], 1e-5, `${steps} steps`);
    }
    model.dispose();
  });

  test.each(['tanh', 'gelu'] as const)('is complete on a network of %s', async (activation) => {
    const model = await randomNetwork(await testDevice(), { activation });
    const attribution = await integratedGradients(model, examplesOf(20, 10));
    const output = await attribution.output.read();
    const gaps = (await attribution.delta?.read()) as Float32Array;
    gaps.forEach((gap, i) => {
      expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[i] as number)));
    });
    model.dispose();
  });

  test('its gap on ReLU networks is that of the quadrature at kinks: small in the mean', async () => {
    const device = await testDevice();
    for (const [steps, bound] of [
      [50, 4e-2],
      [200, 8e-3],
    ] as const) {
      let total = 0;
      for (let seed = 0; seed < 5; seed++) {
        const model = await randomNetwork(device, { inputShape: [10], hidden: [12, 8], classes: 1, seed: 50 + seed });
        const x = examplesOf(20, 10, seed);
        const { delta } = await integratedGradients(model, x, { target: 0, steps });
        total += sum(((await (delta as Tensor).read()) as Float32Array).map(Math.abs)) / 100;
        model.dispose();
      }
      expect(total).toBeLessThan(bound);
    }
  });

  test('takes more steps than one run holds, in slices, to nearly the same values', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(3, 10);
    const whole = await (await integratedGradients(model, x, { steps: 60 })).values.read();
    const sliced = await (await integratedGradients(model, x, { steps: 60, budget: 4000 })).values.read();
    expect(Array.from(sliced)).toEqual(Array.from(whole));
    model.dispose();
  });

  test('its weights sum to 1 and integrate α³ to ¼, whatever the rule', async () => {
    const { quadrature } = await import('../../../src/explain/quadrature.ts');
    for (const rule of ['gaussLegendre', 'midpoint', 'trapezoid', 'left', 'right'] as const) {
      for (const count of [2, 5, 50, 200]) {
        expect(Math.abs(sum(quadrature(rule, count).weights) - 1)).toBeLessThan(1e-12);
      }
    }
    for (const count of [2, 5, 50, 200]) {
      const { points, weights } = quadrature('gaussLegendre', count);
      expect(Math.abs(sum(points.map((point, i) => point ** 3 * (weights[i] as number))) - 0.25)).toBeLessThan(1e-12);
      expect(points.every((point) => point > 0 && point < 1)).toBe(true);
    }
  });

  test('of a probability, log-odds or contrast is that of the same function', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(4, 10);
    const of = async (options: Parameters<typeof integratedGradients>[2]) => {
      const attribution = await integratedGradients(model, x, options);
      return { values: await attribution.values.read(), delta: await attribution.delta?.read() };
    };
    for (const output of ['probability', 'logOdds'] as const) {
      const { delta } = await of({ target: 2, output });
      for (const gap of delta ?? []) expect(Math.abs(gap)).toBeLessThan(1e-4);
    }
    const [a, b, contrast] = [await of({ target: 2 }), await of({ target: 0 }), await of({ target: 2, against: 0 })];
    expectClose(
      contrast.values,
      a.values.map((value, i) => value - (b.values[i] as number)),
      [4, 10],
      1e-5,
      'contrast',
    );
    model.dispose();
  });

  test('is the same bits alone and among others', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    await expectSameAloneAndAmongOthers(model, (x) => integratedGradients(model, x, { target: 1, steps: 20 }));
    await expectSameAloneAndAmongOthers(model, (x) => integratedGradients(model, x, { target: 1, steps: 20, fold: false }));
    model.dispose();
  });

  test('refuses zero steps, a baseline of another shape and a class that is not there', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(2, 10);
    await expect(integratedGradients(model, x, { steps: 0 })).rejects.toThrow(
      'integratedGradients: steps is 0; it must be a number at least 1.',
    );
    await expect(integratedGradients(model, x, { rule: 'simpson' as never })).rejects.toThrow(
      "integratedGradients: there is no quadrature rule 'simpson'.\nTo mend: use one of gaussLegendre, midpoint, trapezoid, left, right.",
    );
    await expect(integratedGradients(model, x, { baseline: [1, 2, 3] })).rejects.toThrow(
      'integratedGradients: the baseline is 3 values, but an example is [10] and x has 2.\nTo mend: give a number, one example, or one baseline an example.',
    );
    await expect(integratedGradients(model, x, { target: 4 })).rejects.toMatchObject({ code: 'label-out-of-range' });
    await expect(saliency(model, x, { target: [0, 1, 2] })).rejects.toMatchObject({ code: 'shape-mismatch' });
    model.dispose();
  });
});
