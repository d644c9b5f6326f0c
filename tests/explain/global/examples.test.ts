import { describe, expect, test } from 'vitest';
import { buildModel, createTrainer, dense, type Model, sgd } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import { classPrototypes } from '../../../src/explain/global/class-prototypes.ts';
import { counterfactual, nearestCounterfactual } from '../../../src/explain/global/counterfactual.ts';
import { linearProbe } from '../../../src/explain/global/linear-probe.ts';
import { logitsOf, predictedClasses } from '../../../src/explain/global/network-outputs.ts';
import { tcav } from '../../../src/explain/global/tcav.ts';
import { tracIn } from '../../../src/explain/global/trac-in.ts';
import { clusters, smallModel } from '../../engine/fixtures.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const labelsOf = (rows: number, classes: number): number[] => Array.from({ length: rows }, (_, i) => (7 * i + 3) % classes);

async function expectMemoryUnchanged(run: () => Promise<unknown>): Promise<void> {
  const { memory } = await testDevice();
  await run();
  const { bytes, buffers } = memory;
  await run();
  expect({ bytes: memory.bytes, buffers: memory.buffers }).toEqual({ bytes, buffers });
}

describe('tracIn', () => {
  /** Gradients of the last layer for one example, weight and bias, from the engine. */
  async function gradientOf(model: Model, x: Float32Array, label: number, last: string): Promise<number[]> {
    const { parameters, input } = await model.gradients(x, [label]);
    const own = [...parameters].filter(([name]) => name.startsWith(`${last}/`));
    const values = (await Promise.all(own.map(async ([, tensor]) => Array.from(await tensor.read())))).flat();
    for (const tensor of parameters.values()) tensor.dispose();
    input.dispose();
    return values;
  }

  test('is the product of the gradients of the last layer, summed over checkpoints', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], hidden: [6], classes: 3 });
    const x = examplesOf(7, 5);
    const labels = labelsOf(7, 3);
    const other = examplesOf(2, 5, 9);
    const now = await model.flatParameters.read();
    const earlier = now.map((value, i) => value + 0.3 * normal(3, 1, 0, i));
    const checkpoints = [
      { parameters: earlier, learningRate: 0.1 },
      { parameters: now, learningRate: 0.02 },
    ];
    const { influence } = await tracIn(model, { x, labels }, { x: other, labels: [1, 2] }, { checkpoints });
    const expected = new Float64Array(14);
    for (const { parameters, learningRate } of checkpoints) {
      model.flatParameters.write(parameters.slice());
      const explained = await Promise.all([0, 1].map((j) => gradientOf(model, other.slice(5 * j, 5 * j + 5), j + 1, 'dense_2')));
      for (let i = 0; i < 7; i++) {
        const trained = await gradientOf(model, x.slice(5 * i, 5 * i + 5), labels[i] as number, 'dense_2');
        explained.forEach((gradient, j) => {
          expected[j * 7 + i]! += learningRate * dot(gradient, trained);
        });
      }
    }
    expectClose(influence, expected, [2, 7], 1e-5, 'influence');
    model.dispose();
  });

  test('is symmetric, and the influence of an example on itself is not negative', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], hidden: [6], classes: 3 });
    const examples = { x: examplesOf(600, 5), labels: labelsOf(600, 3) };
    const few = { x: examples.x.slice(0, 50), labels: examples.labels.slice(0, 10) };
    const { influence, proponents, opponents } = await tracIn(model, examples, few);
    for (let j = 0; j < 10; j++) {
      expect(influence[j * 600 + j]).toBeGreaterThanOrEqual(0);
      for (let i = 0; i < 10; i++)
        expectClose([influence[j * 600 + i] as number], [influence[i * 600 + j] as number], [1], 1e-5, `${i}, ${j}`);
    }
    const best = proponents(3, 2);
    expect(best[0]?.influence).toBe(Math.max(...influence.subarray(1800, 2400)));
    expect(opponents(3, 1)[0]?.influence).toBe(Math.min(...influence.subarray(1800, 2400)));
    model.dispose();
  });

  test('foretells how a step of the last layer on one example lowers the loss of another, up to η²', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [5], hidden: [6], classes: 3 });
    const [x, other] = [examplesOf(1, 5), examplesOf(1, 5, 8)];
    const lossOf = async (): Promise<number> => {
      const { loss, parameters, input } = await model.gradients(other, [2]);
      for (const tensor of [...parameters.values(), input]) tensor.dispose();
      return loss;
    };
    const { influence } = await tracIn(model, { x, labels: [1] }, { x: other, labels: [2] });
    const start = await model.flatParameters.read();
    const before = await lossOf();
    const errors: number[] = [];
    for (const learningRate of [0.02, 0.01]) {
      model.flatParameters.write(start.slice());
      const trainer = await createTrainer(model, { optimizer: sgd({ learningRate }), batchSize: 1 });
      trainer.setFrozen(['dense_1/weight', 'dense_1/bias'], true);
      await trainer.trainOnBatch(x, [1]);
      errors.push(Math.abs(before - (await lossOf()) - learningRate * (influence[0] as number)));
      trainer.dispose();
    }
    expect(errors[0]).toBeLessThan(5 * 0.02 ** 2);
    // What is left over falls as η².
    expect(errors[1]).toBeLessThan(0.35 * (errors[0] as number));
    model.dispose();
  });

  test('refuses a model whose logits come from no dense layer, and leaves memory as it was', async () => {
    const device = await testDevice();
    const odd = await buildModel(device, { inputShape: [3], layers: [dense(3, { activation: 'tanh' })] });
    await expect(tracIn(odd, { x: [1, 2, 3], labels: [0] }, { x: [1, 2, 3], labels: [0] })).rejects.toMatchObject({
      code: 'unsupported-model',
    });
    const model = await randomNetwork(device, { inputShape: [5] });
    const checkpoints = [{ parameters: await model.flatParameters.read(), learningRate: 1 }];
    await expectMemoryUnchanged(() =>
      tracIn(model, { x: examplesOf(4, 5), labels: [0, 1, 2, 3] }, { x: examplesOf(1, 5), labels: [0] }, { checkpoints }),
    );
    for (const each of [odd, model]) each.dispose();
  });
});

describe('linearProbe', () => {
  test('started at the identity on the logits it never has a higher loss than the network', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], hidden: [8], classes: 3 });
    const x = examplesOf(200, 5);
    const labels = labelsOf(200, 3);
    const { loss, parameters, input } = await model.gradients(x, labels);
    for (const tensor of [...parameters.values(), input]) tensor.dispose();
    for (const steps of [1, 40]) {
      const probe = await linearProbe(model, x, labels, { layer: 'logits', start: 'identity', heldOut: 0, steps, control: false });
      expect(probe.loss).toBeLessThanOrEqual(loss * (1 + 1e-6));
    }
    model.dispose();
  });

  test('reads off a layer what it holds, beats the majority, and its control is at chance on held-out examples', async () => {
    const device = await testDevice();
    const data = clusters(400, 8, 4);
    const model = await smallModel(device, { classes: 3 });
    const probe = await linearProbe(model, data.inputs as Float32Array, data.labels as Uint32Array, {
      layer: 'activation/dense_1',
      steps: 120,
    });
    expect(probe.accuracy.low).toBeGreaterThan(probe.majority);
    expect(probe.trainingAccuracy).toBeGreaterThan(0.9);
    const { control } = probe;
    expect(control?.loss).toBeGreaterThan(probe.loss);
    expect(control?.accuracy.low).toBeLessThan(0.25);
    expect(control?.accuracy.high).toBeLessThan(probe.accuracy.low);
    model.dispose();
  });

  test('is the same twice, leaves memory as it was, and refuses an identity that does not fit', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], hidden: [8], classes: 3 });
    const of = () => linearProbe(model, examplesOf(50, 5), labelsOf(50, 3), { layer: 'activation/dense_1', steps: 10 });
    expect(await of()).toEqual(await of());
    await expectMemoryUnchanged(of);
    await expect(linearProbe(model, examplesOf(9, 5), labelsOf(9, 3), { layer: 'input', start: 'identity' })).rejects.toThrow(
      'linearProbe: input has 5 values for 3 classes.',
    );
    model.dispose();
  });
});

describe('tcav', () => {
  /** A linear model, so that the gradient is the column of its class. */
  async function alongWeight(shift: number) {
    const { model, weight } = await linearModel(await testDevice(), 6, 2);
    const u = Array.from({ length: 6 }, (_, i) => weight[2 * i + 1] as number);
    const random = examplesOf(60, 6, 41);
    const concept = examplesOf(20, 6, 42).map((value, i) => value + shift * (u[i % 6] as number));
    return { model, concept, random };
  }

  test('is 1 along the gradient and 0 against it, with a small p-value', async () => {
    for (const [shift, expected] of [
      [3, 1],
      [-3, 0],
    ] as const) {
      const { model, concept, random } = await alongWeight(shift);
      const { score, scores, pValue } = await tcav(model, examplesOf(30, 6), concept, random, { layer: 'input', target: 1, runs: 40 });
      expect(score.value).toBe(expected);
      expect(scores).toHaveLength(40);
      expect(pValue).toBeLessThan(1e-3);
      model.dispose();
    }
  });

  test('finds no concept among random examples: the p-value is not small', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [10], classes: 3 });
    const { pValue, score, random } = await tcav(model, examplesOf(40, 6), examplesOf(20, 6, 43), examplesOf(80, 6, 44), {
      layer: 'activation/dense_1',
      target: 0,
      runs: 20,
    });
    expect(pValue).toBeGreaterThan(1e-4);
    expect(Math.abs(score.value - random.value)).toBeLessThan(0.5);
    model.dispose();
  });

  test('is the same twice, leaves memory as it was, and refuses too few random examples', async () => {
    const { model, concept, random } = await alongWeight(1);
    const of = () => tcav(model, examplesOf(9, 6), concept, random, { layer: 'input', target: 1, runs: 3 });
    expect(await of()).toEqual(await of());
    await expectMemoryUnchanged(of);
    await expect(tcav(model, examplesOf(9, 6), concept, random.slice(0, 60), { layer: 'input', target: 1 })).rejects.toThrow(
      'tcav: 20 examples of the concept and 10 random ones.',
    );
    // 40 examples in six dimensions, and no penalty to speak of.
    await expect(tcav(model, examplesOf(9, 6), concept, random, { layer: 'input', target: 1, ridge: 1e-12 })).rejects.toThrow(
      'tcav: with a ridge of 1e-12 the activations of 40 examples do not determine a classifier.\nTo mend: raise ridge; it is 0.01 by default.',
    );
    model.dispose();
  });
});

describe('classPrototypes', () => {
  test('are the examples nearest to the centre of their class, which is the mean of its activations', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [4], hidden: [6], classes: 3 });
    const rows = 600;
    const x = examplesOf(rows, 4);
    const labels = labelsOf(rows, 3);
    const found = await classPrototypes(model, x, { layer: 'input', labels, count: 4 });
    for (const { label, examples, centre, prototypes, outlier } of found) {
      const own = Array.from({ length: rows }, (_, i) => i).filter((i) => labels[i] === label);
      expect(examples).toBe(own.length);
      const mean = Array.from({ length: 4 }, (_, j) => own.reduce((sum, i) => sum + (x[4 * i + j] as number), 0) / own.length);
      expectClose(centre, mean, [4], 1e-5, 'centre');
      const distance = (i: number): number => Math.hypot(...mean.map((value, j) => value - (x[4 * i + j] as number)));
      const order = [...own].sort((a, b) => distance(a) - distance(b));
      expect(prototypes.map(({ example }) => example)).toEqual(order.slice(0, 4));
      expect(outlier?.example).toBe(order.at(-1));
      expectClose([prototypes[0]?.distance as number], [distance(order[0] as number)], [1], 1e-5, 'distance');
    }
    const own = await classPrototypes(model, x, { layer: 'activation/dense_1' });
    const predicted = await predictedClasses('test', model, x);
    for (const { label, prototypes } of own) for (const { example } of prototypes) expect(predicted[example]).toBe(label);
    await expectMemoryUnchanged(() => classPrototypes(model, x, { layer: 'logits' }));
    model.dispose();
  });
});

describe('counterfactual', () => {
  test.each(['l1', 'l2'] as const)('of a linear model is the shortest there is, in %s', async (norm) => {
    const { model, weight } = await linearModel(await testDevice(), 6, 2);
    const w = Array.from({ length: 6 }, (_, i) => (weight[2 * i] as number) - (weight[2 * i + 1] as number));
    const x = examplesOf(12, 6);
    const logits = await logitsOf(model, x);
    const found = await counterfactual(model, x, { norm });
    found.forEach(({ distance, from, to, values, by }, i) => {
      const margin = Math.abs((logits[2 * i] as number) - (logits[2 * i + 1] as number));
      const expected = norm === 'l1' ? margin / Math.max(...w.map(Math.abs)) : margin / Math.hypot(...w);
      expectClose([distance / expected], [1], [1], 1e-3, `distance of ${i}`);
      expect([to, by]).toEqual([1 - from, 'gradient']);
      const changed = Array.from(values as Float32Array).filter((value, k) => value !== x[6 * i + k]).length;
      if (norm === 'l1') expect(changed).toBe(1);
    });
    model.dispose();
  });

  test('flips the prediction, to the class that was asked for, within the range, and no farther than the nearest example', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], hidden: [12, 8], classes: 3, seed: 9 });
    const x = examplesOf(20, 5);
    const data = examplesOf(300, 5, 12);
    const predicted = await predictedClasses('test', model, x);
    for (const norm of ['l1', 'l2'] as const) {
      const nearest = await nearestCounterfactual(model, x, data, { norm });
      const found = await counterfactual(model, x, { norm, data, range: [-4, 4] });
      for (const [i, { values, distance, from, to }] of found.entries()) {
        expect(from).toBe(predicted[i]);
        expect(distance).toBeLessThanOrEqual((nearest[i]?.distance as number) * (1 + 1e-6));
        expect(to).not.toBe(from);
        expect((await predictedClasses('test', model, values as Float32Array))[0]).toBe(to);
        expect((values as Float32Array).every((value) => value >= -4 && value <= 4)).toBe(true);
      }
    }
    const target = Array.from(predicted, (label) => (label + 1) % 3);
    for (const [i, { to, values }] of (await counterfactual(model, x, { target, data })).entries()) {
      expect(values).toBeDefined();
      expect(to).toBe(target[i]);
    }
    model.dispose();
  });

  test('the nearest example is the nearest of another prediction', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [4], hidden: [6], classes: 3 });
    const [x, data] = [examplesOf(5, 4), examplesOf(700, 4, 6)];
    const [own, others] = [await predictedClasses('test', model, x), await predictedClasses('test', model, data)];
    const found = await nearestCounterfactual(model, x, data, { norm: 'l2' });
    found.forEach(({ example, distance, to }, i) => {
      const away = (k: number): number => Math.hypot(...[0, 1, 2, 3].map((j) => (x[4 * i + j] as number) - (data[4 * k + j] as number)));
      const candidates = Array.from(others.keys()).filter((k) => others[k] !== own[i]);
      const best = candidates.sort((a, b) => away(a) - away(b))[0] as number;
      expect(example).toBe(best);
      expect(to).toBe(others[best]);
      expectClose([distance], [away(best)], [1], 1e-5, 'distance');
    });
    await expectMemoryUnchanged(() => counterfactual(model, x, { data, steps: 3 }));
    expect(await counterfactual(model, x, { data })).toEqual(await counterfactual(model, x, { data }));
    model.dispose();
  });

  test('says so where there is none, and refuses another norm', async () => {
    const { model } = await linearModel(await testDevice(), 3, 2);
    model.parameters.get('dense_1/weight')?.write(new Float32Array(6));
    const [found] = await counterfactual(model, [1, 2, 3], { steps: 2 });
    expect(found?.values).toBeUndefined();
    expect(found?.distance).toBe(Number.POSITIVE_INFINITY);
    await expect(counterfactual(model, [1, 2, 3], { norm: 'l0' as 'l1' })).rejects.toThrow("counterfactual: there is no norm 'l0'.");
    await expect(counterfactual(model, [1, 2, 3], { target: 2 })).rejects.toMatchObject({ code: 'label-out-of-range' });
    model.dispose();
  });
});
