import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMnist, take } from '../../src/data/index.ts';
import { adam, buildModel, createTrainer, type Dataset, dense, flatten, type Model, type Tensor } from '../../src/engine/index.ts';
import {
  type Attribution,
  deepLift,
  expectedGradients,
  fgsm,
  inputXGradient,
  integratedGradients,
  layerConductance,
  lrp,
  lrpDeepTaylor,
  pgd,
  smoothGrad,
  smoothGradSquared,
  varGrad,
} from '../../src/explain/index.ts';
import { expectClose } from '../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';

failOnGpuErrors();

/** 784-128-10 and 784-128-64-10, trained on MNIST. */
let shallow: Model;
let deep: Model;
let data: Dataset;
/** Test images and their classes. */
let x: Float32Array;
let labels: number[];
const ROWS = 64;

beforeAll(async () => {
  const { train, test: held } = await loadMnist();
  data = take(train, 0, 6000);
  const trained = async (hidden: number[]): Promise<Model> => {
    const model = await buildModel(await testDevice(), {
      inputShape: [28, 28, 1],
      layers: [flatten(), ...hidden.map((units) => dense(units, { activation: 'relu' })), dense(10)],
      seed: 1,
    });
    const trainer = await createTrainer(model, { data, optimizer: adam(), batchSize: 32 });
    await trainer.fit({ epochs: 2 });
    trainer.dispose();
    return model;
  };
  shallow = await trained([128]);
  deep = await trained([128, 64]);
  x = Float32Array.from(held.inputs.subarray(0, ROWS * 784), (byte) => byte / 255);
  labels = Array.from((held.labels as Uint8Array).subarray(0, ROWS));
});

afterAll(() => {
  shallow.dispose();
  deep.dispose();
});

async function read(explained: Promise<Attribution>) {
  const attribution = await explained;
  const result = {
    values: await attribution.values.read(),
    output: await attribution.output.read(),
    delta: (await attribution.delta?.read()) ?? new Float32Array(),
  };
  attribution.dispose();
  return result;
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const expectComplete = ({ delta, output }: { delta: Float32Array; output: Float32Array }): void => {
  expect(delta.length).toBe(output.length);
  delta.forEach((gap, row) => {
    expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[row] as number)));
  });
};

describe('on a network trained on MNIST', () => {
  test('LRP-0 is gradient × input', async () => {
    const gradient = await read(inputXGradient(deep, x));
    expectClose((await read(lrp(deep, x, { rule: 'zero' }))).values, gradient.values, [ROWS, 784], 1e-5, 'values');
  });

  test('LRP by ε = 1e-6 absorbs next to nothing but what the biases do', async () => {
    const [zero, epsilon] = [await read(lrp(deep, x, { rule: 'zero' })), await read(lrp(deep, x))];
    expectClose(epsilon.delta, zero.delta, [ROWS], 1e-4, 'delta');
  });

  test('deep Taylor decomposition hands a logit back in parts of one sign', async () => {
    const { values, output, delta } = await read(lrp(deep, x, { rule: lrpDeepTaylor() }));
    output.forEach((f, row) => {
      expect(f).toBeGreaterThan(0);
      const own = values.subarray(784 * row, 784 * row + 784);
      const total = sum(own);
      expect(Math.min(...own)).toBeGreaterThanOrEqual(-1e-6 * f);
      // Biases take what they speak for, no more.
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThan(f * (1 + 1e-4));
      expect(Math.abs(total - f - (delta[row] as number))).toBeLessThan(1e-4 * f);
    });
  });

  test('DeepLIFT is complete, from black, from the mean and over a choice of examples', async () => {
    expectComplete(await read(deepLift(deep, x)));
    expectComplete(await read(deepLift(deep, x, { baseline: 'mean', background: data, target: 3, against: 5 })));
    expectComplete(await read(deepLift(deep, x, { baseline: data, baselines: 8 })));
    expectComplete(await read(deepLift(deep, x, { output: 'probability' })));
  });

  test('integrated gradients of one hidden layer are exact in one pass, and 50 points come close', async () => {
    const exact = await read(integratedGradients(shallow, x, { rule: 'exact' }));
    expectComplete(exact);
    expectClose(exact.values, (await read(deepLift(shallow, x))).values, [ROWS, 784], 1e-5, 'DeepLIFT');
    const points = await read(integratedGradients(shallow, x));
    const norm = (values: Float32Array): number => Math.sqrt(sum(values.map((value) => value * value)));
    const correlation =
      sum(exact.values.map((value, i) => value * (points.values[i] as number))) / norm(exact.values) / norm(points.values);
    expect(correlation).toBeGreaterThan(0.9999);
    // What is left of 50 points is their error at kinks: here in the mean less than a hundredth.
    const relative = Array.from(points.delta, (gap, row) => Math.abs(gap) / Math.max(1, Math.abs(points.output[row] as number)));
    expect(sum(relative) / ROWS).toBeLessThan(0.01);
  });

  test('conductance adds up at every layer as integrated gradients do at the input', async () => {
    const few = x.subarray(0, 8 * 784);
    const { delta } = await read(integratedGradients(deep, few, { target: 4 }));
    for (const layer of ['preactivation/dense_1', 'dense_1', 'dense_2', 'dense_3']) {
      expectClose((await read(layerConductance(deep, few, { target: 4, layer }))).delta, delta, [8], 1e-4, layer);
    }
  });

  test('expected gradients add up within four standard errors', async () => {
    const attribution = await expectedGradients(deep, x.subarray(0, 8 * 784), { background: data });
    const [delta, error] = [await attribution.delta.read(), await attribution.deltaStandardError.read()];
    attribution.dispose();
    delta.forEach((gap, row) => {
      expect(Math.abs(gap)).toBeLessThan(4 * (error[row] as number));
    });
  });

  test('the mean square of noisy gradients is their mean’s square and their variance', async () => {
    const few = x.subarray(0, 4 * 784);
    const of = async (method: typeof smoothGrad) => (await read(method(deep, few, { target: 7 }))).values;
    const [mean, squared, variance] = [await of(smoothGrad), await of(smoothGradSquared), await of(varGrad)];
    expectClose(
      squared,
      mean.map((value, i) => value * value + (variance[i] as number)),
      [4, 784],
      1e-5,
      'squares',
    );
  });

  test('attacks turn most of what it had right', async () => {
    const rightOf = async (classes: Tensor): Promise<number> => {
      const read = await classes.readUint32();
      return labels.filter((label, row) => read[row] === label).length;
    };
    for (const attack of [await fgsm(deep, x, { target: labels }), await pgd(deep, x, { target: labels, steps: 10, stepSize: 0.05 })]) {
      expect(await rightOf(attack.before.classes)).toBeGreaterThan(0.85 * ROWS);
      expect(await rightOf(attack.after.classes)).toBeLessThan(0.2 * ROWS);
      attack.dispose();
    }
  });
});
