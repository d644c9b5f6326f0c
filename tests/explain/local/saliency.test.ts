import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/index.ts';
import { type SaliencyOptions, saliency } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function valuesOf(model: Model, x: ArrayLike<number>, options: SaliencyOptions = {}): Promise<Float32Array> {
  const { values, dispose } = await saliency(model, Float32Array.from(x), options);
  const read = await values.read();
  dispose();
  return read;
}

async function probabilitiesOf(model: Model, x: Float32Array, classes: number): Promise<number[][]> {
  const logits = await model.logits(x);
  const read = await logits.read();
  logits.dispose();
  return Array.from({ length: read.length / classes }, (_, row) => {
    const exps = Array.from(read.slice(classes * row, classes * row + classes), Math.exp);
    const total = exps.reduce((a, b) => a + b);
    return exps.map((e) => e / total);
  });
}

/** Multiplies what goes to the logits. */
async function scaleLastLayer(model: Model, factor: number): Promise<void> {
  for (const name of ['dense_3/weight', 'dense_3/bias']) {
    const tensor = model.parameters.get(name);
    tensor?.write((await tensor.read()).map((value) => factor * value));
  }
}

describe('saliency', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s: the absolute gradient', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const values = await valuesOf(model, network.x.data, { target: network.targets });
    expectClose(values, network.saliency.data, network.saliency.shape, 1e-5, 'values');
    model.dispose();
  });

  test('agrees with the oracle on the tiny network, signed, and through it with the gradient of the loss', async () => {
    const model = await tinyModel(await testDevice());
    const options = { target: tiny.target, signed: true };
    expectClose(await valuesOf(model, tiny.x as number[], options), tiny.grad_logit as number[], [4], 1e-5, 'gradient');
    // ∂(−ln p) / ∂x = −(∂p / ∂x) / p
    const ofProbability = await valuesOf(model, tiny.x as number[], { ...options, output: 'probability' });
    const p = tiny.probs?.[tiny.target] as number;
    expectClose(
      ofProbability.map((value) => -value / p),
      tiny.grad_ce_loss as number[],
      [4],
      1e-5,
      'of the loss',
    );
    model.dispose();
  });

  test('is the product of weights and gates', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(5, 10);
    const [w1, , w2, , w3] = await Promise.all([...model.parameters.values()].map(async (tensor) => tensor.read()));
    const activations = await model.activations(x);
    const [h1, h2] = [await activations.get('activation/dense_1')?.read(), await activations.get('activation/dense_2')?.read()];
    for (const tensor of activations.values()) tensor.dispose();
    const expected: number[] = [];
    for (let row = 0; row < 5; row++) {
      const back2 = Array.from({ length: 8 }, (_, j) => ((h2?.[8 * row + j] as number) > 0 ? (w3?.[4 * j + 2] as number) : 0));
      const back1 = Array.from({ length: 12 }, (_, j) =>
        (h1?.[12 * row + j] as number) > 0 ? back2.reduce((total, back, k) => total + back * (w2?.[8 * j + k] as number), 0) : 0,
      );
      for (let i = 0; i < 10; i++) expected.push(back1.reduce((total, back, j) => total + back * (w1?.[12 * i + j] as number), 0));
    }
    expectClose(await valuesOf(model, x, { target: 2, signed: true }), expected, [5, 10], 1e-5, 'gradient');
    expectClose(await valuesOf(model, x, { target: 2 }), expected.map(Math.abs), [5, 10], 1e-5, 'absolute');
    model.dispose();
  });

  test('of a linear model is w, and |w|', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const expected = Array.from({ length: 14 }, (_, i) => weight[(i % 7) * 3 + 1] as number);
    expectClose(await valuesOf(model, examplesOf(2, 7), { target: 1, signed: true }), expected, [2, 7], 1e-5, 'signed');
    expectClose(await valuesOf(model, examplesOf(2, 7), { target: 1 }), expected.map(Math.abs), [2, 7], 1e-5, 'absolute');
    model.dispose();
  });

  // NeuralPlayground starts from onehot − p and normalises each frame; the fading of a sure network is then hidden. Here logits do not fade.
  test.each([2, 10, -3])('of f scaled by %d is scaled by its size, however sure the network', async (factor) => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const before = await valuesOf(model, x, { target: 1 });
    await scaleLastLayer(model, factor);
    expectClose(
      await valuesOf(model, x, { target: 1 }),
      before.map((value) => Math.abs(factor) * value),
      [4, 10],
      1e-5,
      'values',
    );
    model.dispose();
  });

  test('of a probability, log-odds or contrast is its formula of the logits’ gradients', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const p = await probabilitiesOf(model, x, 4);
    const slopes = await Promise.all([0, 1, 2, 3].map((target) => valuesOf(model, x, { target, signed: true })));
    const slope = (k: number, i: number): number => slopes[k]?.[i] as number;
    const own = (i: number): number[] => p[Math.floor(i / 10)] as number[];
    const mean = (i: number): number => own(i).reduce((total, share, k) => total + share * slope(k, i), 0);
    const of = (options: SaliencyOptions) => valuesOf(model, x, { target: 2, signed: true, ...options });
    const check = (values: Float32Array, formula: (i: number) => number, what: string): void =>
      expectClose(
        values,
        Array.from({ length: 40 }, (_, i) => formula(i)),
        [4, 10],
        1e-5,
        what,
      );
    check(await of({ output: 'probability' }), (i) => (own(i)[2] as number) * (slope(2, i) - mean(i)), 'probability');
    check(await of({ output: 'logOdds' }), (i) => (slope(2, i) - mean(i)) / (1 - (own(i)[2] as number)), 'log-odds');
    check(await of({ against: 0 }), (i) => slope(2, i) - slope(0, i), 'contrast');
    model.dispose();
  });

  test('explains the predicted class by default', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(6, 10);
    const attribution = await saliency(model, x);
    const predicted = (await probabilitiesOf(model, x, 4)).map((p) => p.indexOf(Math.max(...p)));
    expect([...(await attribution.target.readUint32())]).toEqual(predicted);
    expect(await attribution.values.read()).toEqual(await valuesOf(model, x, { target: predicted }));
    expect(attribution.options).toEqual({ output: 'logit', signed: false });
    attribution.dispose();
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    await expectSameAloneAndAmongOthers(model, (x) => saliency(model, x, { target: 1 }));
    await expectSameTwice(model, (x) => saliency(model, x));
    model.dispose();
  });

  test('a thousand times over takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    const outputs = ['logit', 'probability', 'logOdds'] as const;
    await expectBoundedMemory(
      model,
      (x, call) => saliency(model, x, { target: call % 4, output: outputs[call % 3] as 'logit', signed: call % 2 === 0 }),
      1000,
    );
    model.dispose();
  });
});
