import { describe, expect, test } from 'vitest';
import { buildModel, dense, type Model } from '../../../src/engine/index.ts';
import { type Attribution, deconvnet, guidedBackprop, saliency } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

const methods = { guidedBackprop, deconvnet } as const;

async function valuesOf(attribution: Promise<Attribution>): Promise<Float32Array> {
  const { values, dispose } = await attribution;
  const read = await values.read();
  dispose();
  return read;
}

/** A network whose weights are all positive: with positive inputs every gate is open and every gradient positive. */
async function positiveNetwork(): Promise<Model> {
  const model = await randomNetwork(await testDevice(), { bias: false });
  for (const tensor of model.parameters.values()) tensor.write((await tensor.read()).map(Math.abs));
  return model;
}

describe('guidedBackprop', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const values = await valuesOf(guidedBackprop(model, network.x.data, { target: network.targets }));
    expectClose(values, network.guidedBackprop.data, network.guidedBackprop.shape, 1e-5, 'values');
    model.dispose();
  });

  test('is 0 where every unit is off', async () => {
    const model = await randomNetwork(await testDevice(), { hidden: [6] });
    model.parameters.get('dense_1/bias')?.write(new Float32Array(6).fill(-1e3));
    expect(await valuesOf(guidedBackprop(model, examplesOf(2, 10)))).toEqual(new Float32Array(20));
    model.dispose();
  });
});

describe('deconvnet', () => {
  test('is the same for every input of a network of dense layers, as its documentation warns', async () => {
    const model = await randomNetwork(await testDevice());
    const values = await valuesOf(deconvnet(model, examplesOf(2, 10), { target: 1 }));
    expect(Array.from(values.slice(0, 10))).toEqual(Array.from(values.slice(10)));
    expect(values.some((value) => value !== 0)).toBe(true);
    model.dispose();
  });
});

describe.each(Object.entries(methods))('%s', (name, method) => {
  test('agrees with the oracle on the tiny network', async () => {
    const model = await tinyModel(await testDevice());
    const values = await valuesOf(method(model, tiny.x as number[], { target: tiny.target }));
    expectClose(values, tiny[name === 'deconvnet' ? 'deconvnet' : 'guided_backprop'] as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test('is the gradient where all gates are open and gradients positive', async () => {
    const model = await positiveNetwork();
    const x = examplesOf(4, 10).map(Math.abs);
    const gradient = await valuesOf(saliency(model, x, { target: 2, signed: true }));
    expectClose(await valuesOf(method(model, x, { target: 2 })), gradient, [4, 10], 1e-5, 'values');
    model.dispose();
  });

  test('of a linear model is w', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const expected = Array.from({ length: 14 }, (_, i) => weight[(i % 7) * 3 + 2] as number);
    expectClose(await valuesOf(method(model, examplesOf(2, 7), { target: 2 })), expected, [2, 7], 1e-5, 'values');
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    await expectSameAloneAndAmongOthers(model, (x) => method(model, x, { target: 1 }));
    await expectSameTwice(model, (x) => method(model, x));
    model.dispose();
  });

  test('repeated with other targets and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    await expectBoundedMemory(model, (x, call) => method(model, x, { target: call % 4, ...(call % 3 ? {} : { against: (call + 1) % 4 }) }));
    model.dispose();
  });

  test('refuses a model whose activations its rule would not touch', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [3], layers: [dense(4, { activation: 'gelu' }), dense(2)] });
    await expect(method(model, [1, 2, 3])).rejects.toThrow(
      `${name}: the model has no ReLU, only gelu; the rule would change nothing.\nTo mend: use saliency, which is what would come out, or integratedGradients.`,
    );
    await expect(method(model, [1, 2, 3], { target: 2 })).rejects.toMatchObject({ code: 'unsupported-model' });
    model.dispose();
  });
});
