import { describe, expect, test } from 'vitest';
import { buildModel, columnTokens, dense, globalAverage, type Model, softmax, transformerBlock } from '../../../src/engine/index.ts';
import { integratedGradients, internalInfluence, type LayerOptions, layerConductance } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function read(method: typeof layerConductance, model: Model, x: Float32Array, options: LayerOptions) {
  const attribution = await method(model, x, options);
  const result = {
    shape: attribution.values.shape,
    values: await attribution.values.read(),
    delta: await attribution.delta?.read(),
    options: attribution.options,
  };
  attribution.dispose();
  return result;
}

/** h(x) − h(x′) of an activation. */
async function movedBy(model: Model, name: string, x: Float32Array, baseline: Float32Array): Promise<Float32Array> {
  const [now, before] = [await model.activations(x), await model.activations(baseline)];
  const values = (await now.get(name)?.read()) as Float32Array;
  const from = (await before.get(name)?.read()) as Float32Array;
  for (const tensors of [now, before]) for (const tensor of tensors.values()) tensor.dispose();
  return values.map((value, i) => value - (from[i % from.length] as number));
}

const everyLayer = ['input', 'preactivation/dense_1', 'dense_1', 'preactivation/dense_2', 'dense_2', 'dense_3'];

describe('layerConductance', () => {
  test.each(['tanh', 'gelu', 'sigmoid'] as const)('adds up to f(x) − f(x′) at every layer of a network of %s', async (activation) => {
    const model = await randomNetwork(await testDevice(), { activation });
    const x = examplesOf(4, 10);
    for (const options of [{ target: 1 }, { target: 1, against: 0 }, { output: 'probability' as const }]) {
      for (const layer of everyLayer) {
        const { delta } = await read(layerConductance, model, x, { ...options, layer, baseline: examplesOf(4, 10, 9) });
        for (const gap of delta ?? [Number.NaN]) expect(Math.abs(gap)).toBeLessThan(1e-4);
      }
    }
    model.dispose();
  });

  test('has the gap of integrated gradients at every layer of a ReLU network', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(6, 10);
    const path = await integratedGradients(model, x, { target: 2 });
    const expected = (await path.delta?.read()) as Float32Array;
    path.dispose();
    for (const layer of everyLayer) {
      const { delta } = await read(layerConductance, model, x, { target: 2, layer });
      expectClose(delta as Float32Array, expected, [6], 1e-5, layer);
    }
    model.dispose();
  });

  test('of the input is integrated gradients', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const path = await integratedGradients(model, x, { target: 2, baseline: 0.2 });
    const { values, shape, options } = await read(layerConductance, model, x, { target: 2, layer: 'input', baseline: 0.2 });
    expect(shape).toEqual([3, 10]);
    expectClose(values, await path.values.read(), [3, 10], 1e-5, 'values');
    expect(options).toEqual({ target: 2, output: 'logit', layer: 'input', steps: 50, rule: 'gaussLegendre', baseline: 0.2 });
    path.dispose();
    model.dispose();
  });

  test.each([
    ['relu', 400, 1e-2],
    ['tanh', 50, 1e-4],
  ] as const)('of the one hidden layer of %s is v_j (h_j(x) − h_j(x′))', async (activation, steps, tolerance) => {
    const model = await randomNetwork(await testDevice(), { hidden: [12], activation });
    const [x, baseline] = [examplesOf(3, 10), examplesOf(1, 10, 9)];
    const v = (await model.parameters.get('dense_2/weight')?.read()) as Float32Array;
    const moved = await movedBy(model, 'activation/dense_1', x, baseline);
    const { values, shape } = await read(layerConductance, model, x, { target: 3, layer: 'dense_1', steps, baseline });
    expect(shape).toEqual([3, 12]);
    expectClose(
      values,
      moved.map((change, i) => change * (v[(i % 12) * 4 + 3] as number)),
      [3, 12],
      tolerance,
      'values',
    );
    model.dispose();
  });

  test('of a linear model is (x − x′) ⊙ w at the input and the output’s change at the output', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const parts = Array.from(x, (value, i) => value * (weight[(i % 7) * 3 + 1] as number));
    const input = await read(layerConductance, model, x, { target: 1, layer: 'input', steps: 3 });
    expectClose(input.values, parts, [2, 7], 1e-5, 'input');
    const output = await read(layerConductance, model, x, { target: 1, layer: 'dense_1', steps: 3 });
    const total = (row: number): number => parts.slice(7 * row, 7 * row + 7).reduce((a, b) => a + b);
    expectClose(output.values, [0, total(0), 0, 0, total(1), 0], [2, 3], 1e-5, 'output');
    model.dispose();
  });

  test('goes through a transformer block, whose every part is differentiated twice', async () => {
    const model = await buildModel(await testDevice(), {
      inputShape: [5],
      layers: [columnTokens(4), transformerBlock({ heads: 2 }), globalAverage(), dense(2)],
      seed: 3,
    });
    const x = examplesOf(2, 5);
    for (const layer of [
      'columnTokens_1',
      'transformerBlock_1/layerNorm_1',
      'attention/transformerBlock_1/selfAttention_1',
      'transformerBlock_1',
      'globalAverage_1',
    ]) {
      const { values, shape } = await read(layerConductance, model, x, { target: 1, layer });
      expect(shape[0]).toBe(2);
      expect(values.every(Number.isFinite)).toBe(true);
    }
    for (const layer of ['columnTokens_1', 'transformerBlock_1', 'globalAverage_1']) {
      const { delta } = await read(layerConductance, model, x, { target: 1, layer, steps: 100 });
      for (const gap of delta ?? [Number.NaN]) expect(Math.abs(gap)).toBeLessThan(1e-3);
    }
    model.dispose();
  });
});

describe('internalInfluence', () => {
  test('of the input times the difference is integrated gradients', async () => {
    const model = await randomNetwork(await testDevice());
    const [x, baseline] = [examplesOf(3, 10), examplesOf(1, 10, 9)];
    const path = await integratedGradients(model, x, { target: 2, baseline });
    const { values, delta } = await read(internalInfluence, model, x, { target: 2, layer: 'input', baseline });
    const product = values.map((value, i) => value * ((x[i] as number) - (baseline[i % 10] as number)));
    expectClose(product, await path.values.read(), [3, 10], 1e-5, 'values');
    expect(delta).toBeUndefined();
    path.dispose();
    model.dispose();
  });

  test('of a layer that the output is linear in is its weights', async () => {
    const model = await randomNetwork(await testDevice());
    const weight = (await model.parameters.get('dense_3/weight')?.read()) as Float32Array;
    const { values, shape } = await read(internalInfluence, model, examplesOf(2, 10), { target: 1, layer: 'dense_2' });
    expect(shape).toEqual([2, 8]);
    expectClose(
      values,
      Array.from({ length: 16 }, (_, i) => weight[(i % 8) * 4 + 1] as number),
      [2, 8],
      1e-5,
      'values',
    );
    model.dispose();
  });

  test('is the mean gradient along the path', async () => {
    const model = await randomNetwork(await testDevice(), { hidden: [12], activation: 'tanh' });
    const x = examplesOf(1, 10);
    const v = (await model.parameters.get('dense_2/weight')?.read()) as Float32Array;
    const [w, b] = [await model.parameters.get('dense_1/weight')?.read(), await model.parameters.get('dense_1/bias')?.read()] as [
      Float32Array,
      Float32Array,
    ];
    // ∫ g′(z(α)) dα = (g(z) − g(z′)) / (z − z′)
    const expected = Array.from({ length: 12 }, (_, j) => {
      const slope = Array.from({ length: 10 }, (_, i) => (x[i] as number) * (w[i * 12 + j] as number)).reduce((a, c) => a + c);
      return ((v[j * 4 + 2] as number) * (Math.tanh(slope + (b[j] as number)) - Math.tanh(b[j] as number))) / slope;
    });
    const { values } = await read(internalInfluence, model, x, { target: 2, layer: 'preactivation/dense_1' });
    expectClose(values, expected, [1, 12], 1e-4, 'values');
    model.dispose();
  });
});

describe.each(Object.entries({ layerConductance, internalInfluence }))('%s', (name, method) => {
  test('takes its points in slices to the same bits, alone and among others', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    const x = examplesOf(9, 20);
    for (const layer of ['input', 'dense_1', 'dense_2']) {
      const whole = await read(method, model, x, { target: 1, layer });
      expect((await read(method, model, x, { target: 1, layer, budget: 20_000 })).values).toEqual(whole.values);
      const width = whole.values.length / 9;
      const alone = await read(method, model, x.slice(80, 100), { target: 1, layer });
      expect(alone.values).toEqual(whole.values.slice(4 * width, 5 * width));
    }
    await expectSameTwice(model, (rows) => method(model, rows, { layer: 'dense_2' }));
    model.dispose();
  });

  test('repeated with other layers, steps and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    const layers = ['dense_1', 'dense_2', 'input'];
    await expectBoundedMemory(model, (x, call) => method(model, x, { layer: layers[call % 3] as string, steps: 5, baseline: call }), 60);
    model.dispose();
  });

  test('refuses a layer that is not there, and one behind the logits', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [4], layers: [dense(3), softmax()] });
    await expect(method(model, examplesOf(1, 4), { layer: 'dense_2' })).rejects.toThrow(
      `${name}: the model has no layer or activation 'dense_2'.\nTo mend: name one of input, activation/dense_1, activation/softmax_1.`,
    );
    await expect(method(model, examplesOf(1, 4), { layer: 'softmax_1' })).rejects.toThrow(
      `${name}: activation/softmax_1 does not lie between the input and the logits.\nTo mend: name a layer before the softmax that ends the model.`,
    );
    await expect(method(model, examplesOf(1, 4), { layer: 'dense_1', steps: 0 })).rejects.toThrow(
      `${name}: steps is 0; it must be a number at least 1.`,
    );
    model.dispose();
  });
});
