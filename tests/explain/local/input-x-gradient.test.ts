import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/index.ts';
import { type ExplainOptions, inputXGradient, internalInfluence } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function read(model: Model, x: ArrayLike<number>, options: ExplainOptions = {}) {
  const attribution = await inputXGradient(model, Float32Array.from(x), options);
  const result = { values: await attribution.values.read(), output: await attribution.output.read() };
  attribution.dispose();
  return result;
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

describe('inputXGradient', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const { values } = await read(model, network.x.data, { target: network.targets });
    expectClose(values, network.inputXGradient.data, network.inputXGradient.shape, 1e-5, 'values');
    model.dispose();
  });

  test('agrees with the oracle on the tiny network, whose biases have a share of 0.0193', async () => {
    const model = await tinyModel(await testDevice());
    const { values, output } = await read(model, tiny.x as number[], { target: tiny.target });
    expectClose(values, tiny.grad_x_input as number[], [4], 1e-5, 'values');
    expect(Math.abs((output[0] as number) - sum(values) - 0.0192508368)).toBeLessThan(1e-6);
    model.dispose();
  });

  test('adds up to f_c on a ReLU network without biases', async () => {
    const model = await randomNetwork(await testDevice(), { bias: false });
    const { values, output } = await read(model, examplesOf(8, 10), { target: 3 });
    output.forEach((f, row) => {
      expect(Math.abs(sum(values.slice(10 * row, 10 * row + 10)) - f)).toBeLessThan(1e-4 * Math.max(1, Math.abs(f)));
    });
    model.dispose();
  });

  test('adds up to f_c with what the biases give, Σ b ∂f_c/∂z, on any ReLU network', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(8, 10);
    const { values, output } = await read(model, x, { target: 3 });
    const totals = Array.from(output, (_, row) => sum(values.slice(10 * row, 10 * row + 10)));
    for (const [layer, name] of [
      ['preactivation/dense_1', 'dense_1'],
      ['preactivation/dense_2', 'dense_2'],
      ['dense_3', 'dense_3'],
    ] as const) {
      const bias = (await model.parameters.get(`${name}/bias`)?.read()) as Float32Array;
      // The path from x to x is x: one point of it gives the gradient there.
      const influence = await internalInfluence(model, x, { target: 3, layer, baseline: x, steps: 1 });
      const slopes = await influence.values.read();
      influence.dispose();
      totals.forEach((total, row) => {
        totals[row] = total + sum(bias.map((b, j) => b * (slopes[bias.length * row + j] as number)));
      });
    }
    output.forEach((f, row) => {
      expect(Math.abs((totals[row] as number) - f)).toBeLessThan(1e-4 * Math.max(1, Math.abs(f)));
    });
    model.dispose();
  });

  test('of a linear model is x ⊙ w', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const expected = Array.from(x, (value, i) => value * (weight[(i % 7) * 3 + 1] as number));
    expectClose((await read(model, x, { target: 1 })).values, expected, [2, 7], 1e-5, 'values');
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
    expectClose(
      contrast.values,
      a.values.map((value, i) => value - (b.values[i] as number)),
      [5, 10],
      1e-5,
      'contrast',
    );
    model.dispose();
  });

  test('is 0 where the input is', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    x[4] = 0;
    expect(Math.abs((await read(model, x)).values[4] as number)).toBe(0);
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    await expectSameAloneAndAmongOthers(model, (x) => inputXGradient(model, x, { target: 1 }));
    await expectSameTwice(model, (x) => inputXGradient(model, x));
    model.dispose();
  });

  test('repeated with other targets and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    await expectBoundedMemory(model, (x, call) => inputXGradient(model, x, { target: call % 4 }));
    model.dispose();
  });
});
