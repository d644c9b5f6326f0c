import { describe, expect, test } from 'vitest';
import {
  attentionPooling,
  buildModel,
  columnTokens,
  type Dataset,
  type Device,
  defineLayer,
  dense,
  globalAverage,
  type Layer,
  type Model,
  residual,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { add, divide, maximum, minimum, multiply } from '../../../src/engine/ops/arithmetic.ts';
import { abs, exp, square } from '../../../src/engine/ops/elementary.ts';
import { constant } from '../../../src/engine/ops/fill.ts';
import { largest } from '../../../src/engine/ops/largest.ts';
import { matmul } from '../../../src/engine/ops/matmul.ts';
import { relu } from '../../../src/engine/ops/relu.ts';
import { reshape } from '../../../src/engine/ops/reshape.ts';
import { tanh } from '../../../src/engine/ops/tanh.ts';
import { type DeepLiftOptions, deepLift, integratedGradients } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function read(model: Model, x: ArrayLike<number>, options: DeepLiftOptions = {}) {
  const attribution = await deepLift(model, Float32Array.from(x), options);
  const result = {
    values: await attribution.values.read(),
    delta: (await attribution.delta?.read()) as Float32Array,
    output: await attribution.output.read(),
    options: attribution.options,
  };
  attribution.dispose();
  return result;
}

const layer = (
  kind: string,
  build: (x: import('../../../src/engine/graph.ts').Node) => import('../../../src/engine/graph.ts').Node,
): Layer => defineLayer<object>({ kind: `${kind}ForDeepLift`, build: (_context, x) => build(x) })({}) as unknown as Layer;

/** The largest of each two neighbours: max-pooling. */
const pooled = layer('pool', (x) => largest(reshape(x, [x.shape[0] as number, (x.shape[1] as number) / 2, 2]), [2]));

async function networkOf(device: Device, layers: readonly Layer[], inputShape: readonly number[] = [10]): Promise<Model> {
  const model = await buildModel(device, { inputShape, layers, seed: 7 });
  for (const [name, tensor] of model.parameters) {
    if (name.endsWith('bias')) tensor.write(examplesOf(1, tensor.length, name.length).map((value) => 0.3 * value));
  }
  return model;
}

describe('deepLift', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s, baselines and all', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const { attributions, delta } = network.deepLiftRescale;
    const result = await read(model, network.x.data, { target: network.targets, baseline: network.baseline.data });
    expectClose(result.values, attributions.data, attributions.shape, 1e-5, 'values');
    expectClose(result.delta, delta.data, delta.shape, 1e-5, 'delta');
    model.dispose();
  });

  test('agrees with the oracle on the tiny network', async () => {
    const model = await tinyModel(await testDevice());
    const { values } = await read(model, tiny.x as number[], { target: tiny.target });
    expectClose(values, tiny.deeplift_rescale as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test.each(['relu', 'tanh', 'gelu', 'sigmoid'] as const)('is complete on a network of %s, whatever is explained', async (activation) => {
    const model = await randomNetwork(await testDevice(), { activation });
    const x = examplesOf(16, 10);
    const baseline = examplesOf(16, 10, 6);
    for (const options of [{}, { target: 1, against: 2 }, { output: 'probability' }, { output: 'logOdds', target: 3 }] as const) {
      const { delta, output } = await read(model, x, { ...options, baseline });
      delta.forEach((gap, i) => {
        expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[i] as number)));
      });
    }
    model.dispose();
  });

  // Captum #1082, #1104 and PR 1843: reused and adjacent nonlinearities.
  test.each<[string, readonly Layer[]]>([
    ['an activation used twice', [dense(8), layer('twice', (x) => multiply(add(relu(x), relu(x)), constant(x.graph, 0.5))), dense(3)]],
    ['one value that two activations read', [dense(8), layer('shared', (x) => add(relu(x), tanh(x))), dense(3)]],
    ['an activation behind an activation', [dense(8), layer('adjacent', (x) => tanh(relu(x))), dense(3)]],
    ['max-pooling, then ReLU', [dense(8), pooled, layer('relu', relu), dense(3)]],
    ['ReLU, then max-pooling', [dense(8, { activation: 'relu' }), pooled, dense(3)]],
    ['a residual', [dense(10), residual([dense(10, { activation: 'relu' }), dense(10, { activation: 'relu' })]), dense(3)]],
    [
      'maximum and minimum of two',
      [dense(8), layer('two', (x) => add(maximum(x, relu(tanh(x))), minimum(x, constant(x.graph, 0.3)))), dense(3)],
    ],
    ['a product of two', [dense(8), layer('gated', (x) => multiply(relu(x), tanh(x))), dense(3)]],
    ['a quotient', [dense(8), layer('quotient', (x) => divide(x, add(square(x), constant(x.graph, 1)))), dense(3)]],
    ['abs, square and exp', [dense(8), layer('elementary', (x) => add(abs(x), add(square(x), exp(x)))), dense(3)]],
    ['a hidden softmax', [dense(8, { activation: 'softmax' }), dense(3)]],
  ])('is complete with %s', async (_name, layers) => {
    const model = await networkOf(await testDevice(), layers);
    const { delta, output, values } = await read(model, examplesOf(16, 10), { target: 1, baseline: examplesOf(16, 10, 6) });
    expect(values.some((value) => value !== 0)).toBe(true);
    delta.forEach((gap, i) => {
      expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[i] as number)));
    });
    model.dispose();
  });

  test.each<[string, readonly Layer[]]>([
    ['attention pooling', [columnTokens(4), attentionPooling(), dense(2)]],
    ['a transformer block', [columnTokens(4), transformerBlock({ heads: 2 }), globalAverage(), dense(2)]],
    ['a matrix product of two', [columnTokens(4), layer('gram', (x) => matmul(x, x, { transposeB: true })), globalAverage(), dense(2)]],
  ])('is complete through %s', async (_name, layers) => {
    const model = await networkOf(await testDevice(), layers, [5]);
    const { delta, output } = await read(model, examplesOf(4, 5), { target: 1, baseline: examplesOf(4, 5, 6) });
    delta.forEach((gap, i) => {
      expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[i] as number)));
    });
    model.dispose();
  });

  test('hands what a maximum gained to its new winner, and what it lost to its old one', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [2], layers: [pooled, dense(1)] });
    model.parameters.get('dense_1/weight')?.write(Float32Array.of(1));
    expectClose((await read(model, [5, 3], { baseline: [1, 2] })).values, [3, 0], [2], 1e-6, 'gained');
    expectClose((await read(model, [1, 2], { baseline: [5, 3] })).values, [-3, 0], [2], 1e-6, 'lost');
    expectClose((await read(model, [4, 4], { baseline: [0, 1] })).values, [1.5, 1.5], [2], 1e-6, 'two winners');
    expectClose((await read(model, [4, 1], { baseline: [4, 2] })).values, [0, 0], [2], 1e-6, 'unchanged');
    model.dispose();
  });

  test('is 0 where the input is the baseline', async () => {
    for (const activation of ['relu', 'gelu'] as const) {
      const model = await randomNetwork(await testDevice(), { activation });
      const x = examplesOf(3, 10);
      expect((await read(model, x, { baseline: x })).values.every((value) => value === 0)).toBe(true);
      model.dispose();
    }
  });

  test('of a linear model is (x − x′) ⊙ w', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const baseline = examplesOf(1, 7, 9);
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 7] as number)) * (weight[(i % 7) * 3 + 1] as number));
    expectClose((await read(model, x, { target: 1, baseline })).values, expected, [2, 7], 1e-5, 'values');
    model.dispose();
  });

  test('with one hidden layer is integrated gradients', async () => {
    const model = await randomNetwork(await testDevice(), { hidden: [12], activation: 'tanh' });
    const x = examplesOf(5, 10);
    const { values } = await read(model, x, { target: 2 });
    const path = await integratedGradients(model, x, { target: 2, steps: 100 });
    expectClose(values, await path.values.read(), [5, 10], 1e-5, 'values');
    path.dispose();
    model.dispose();
  });

  test('is linear in the target', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(5, 10);
    const [a, b, contrast] = [
      await read(model, x, { target: 2 }),
      await read(model, x, { target: 0 }),
      await read(model, x, { target: 2, against: 0 }),
    ];
    const difference = a.values.map((value, i) => value - (b.values[i] as number));
    expectClose(contrast.values, difference, [5, 10], 1e-5, 'contrast');
    model.dispose();
  });

  test('keeps its digits where a smooth function hardly moved', async () => {
    for (const activation of ['tanh', 'gelu', 'sigmoid'] as const) {
      const model = await randomNetwork(await testDevice(), { hidden: [12], activation });
      const x = examplesOf(4, 10);
      const step = examplesOf(4, 10, 6);
      for (const size of [1e-6, 1e-3, 3e-3, 1e-2]) {
        // What differs is rounded to float32, so it is x − baseline as the GPU sees it.
        const baseline = x.map((value, i) => value - size * (step[i] as number));
        const { values } = await read(model, x, { target: 0, baseline });
        const gradient = await integratedGradients(model, x, { target: 0, steps: 5, baseline });
        const expected = await gradient.values.read();
        const scale = Math.max(...expected.map(Math.abs));
        expectClose(
          values.map((value) => value / scale),
          expected.map((value) => value / scale),
          [4, 10],
          1e-4,
          `${activation} moved by ${size}`,
        );
        gradient.dispose();
      }
      model.dispose();
    }
  });

  test('over a data set is DeepSHAP: the mean over its examples', async () => {
    const model = await randomNetwork(await testDevice());
    const background: Dataset = { name: 'five', size: 5, inputShape: [10], inputs: examplesOf(5, 10, 31) };
    const x = examplesOf(3, 10);
    const mean = new Float64Array(30);
    for (let k = 0; k < 5; k++) {
      const { values } = await read(model, x, { target: 1, baseline: background.inputs.slice(10 * k, 10 * k + 10) as Float32Array });
      values.forEach((value, i) => {
        mean[i] = (mean[i] as number) + value / 5;
      });
    }
    const { values, delta, options } = await read(model, x, { target: 1, baseline: background });
    expectClose(values, mean, [3, 10], 1e-5, 'values');
    for (const gap of delta) expect(Math.abs(gap)).toBeLessThan(1e-4);
    expect(options).toEqual({ target: 1, output: 'logit', baseline: 'five', baselines: 5, seed: 0 });
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [20], hidden: [16, 8] });
    await expectSameAloneAndAmongOthers(model, (x) => deepLift(model, x, { target: 1 }));
    await expectSameTwice(model, (x) => deepLift(model, x));
    model.dispose();
    // Captum subtracts a mean over the whole tensor, batch included, where there is a softmax.
    const soft = await networkOf(device, [dense(8, { activation: 'softmax' }), dense(3)]);
    await expectSameAloneAndAmongOthers(soft, (x) => deepLift(soft, x, { target: 1, output: 'probability' }));
    soft.dispose();
  });

  test('repeated with other baselines, outputs and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    const background: Dataset = { name: 'four', size: 4, inputShape: [10], inputs: examplesOf(4, 10, 31) };
    await expectBoundedMemory(
      model,
      (x, call) => deepLift(model, x, { baseline: call % 3 ? call : background, output: call % 2 ? 'logit' : 'probability' }),
      60,
    );
    model.dispose();
  });
});
