import { describe, expect, test } from 'vitest';
import { type Dataset, dense, flatten } from '../../../src/engine/index.ts';
import { permute, streamOf } from '../../../src/engine/random.ts';
import { fallingOrder } from '../../../src/explain/evaluate/ranks.ts';
import {
  type Curves,
  constantMap,
  deletion,
  gaussianBlur,
  inputXGradient,
  insertion,
  integratedGradients,
  randomMap,
} from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { average } from './statistics.ts';

failOnGpuErrors();

describe('deletion and insertion', () => {
  test('agree with the oracle: the curve of the probability and its area as in RISE', async () => {
    const model = await tinyModel(await testDevice());
    const attribution = await integratedGradients(model, tiny.x as number[], { target: tiny.target });
    expect(Array.from(fallingOrder(await attribution.values.read()))).toEqual(tiny.deletion_order);
    const { counts, values, auc } = await deletion(model, tiny.x as number[], attribution, { output: 'probability' });
    expect(counts).toEqual([0, 1, 2, 3, 4]);
    expectClose(values, tiny.deletion_prob_curve as number[], [5], 1e-5, 'curve');
    expect(Math.abs((auc[0] as number) - tiny.deletion_auc_rise_norm)).toBeLessThan(1e-5);
    model.dispose();
  });

  test('with a data set as baseline are the mean curves over its chosen examples', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(2, 10);
    const data: Dataset = { name: 'data', size: 9, inputShape: [10], inputs: examplesOf(9, 10, 8) };
    const attribution = await inputXGradient(model, x, { target: 1 });
    for (const curves of [deletion, insertion]) {
      const options = { randomOrders: 0, step: 2 };
      const each = await Promise.all(
        [0, 1, 2].map((k) => {
          const row = 10 * permute(k, 9, 5, streamOf('baselines'));
          return curves(model, x, attribution, { ...options, baseline: data.inputs.slice(row, row + 10) as Float32Array });
        }),
      );
      const { values, auc } = await curves(model, x, attribution, { ...options, baseline: data, baselines: 3, seed: 5 });
      const mean = (of: (curve: Curves) => number): number => average(each.map(of));
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(
          mean((curve) => curve.values[i] as number),
          5,
        );
      });
      auc.forEach((area, i) => {
        expect(area).toBeCloseTo(
          mean((curve) => curve.auc[i] as number),
          5,
        );
      });
    }
    attribution.dispose();
    model.dispose();
  });

  test.each([true, false])('on a linear model have their closed forms (folded: %s)', async (fold) => {
    const [features, rows] = [12, 3];
    const { model, weight, bias } = await linearModel(await testDevice(), features, 2);
    const [x, baseline] = [examplesOf(rows, features), examplesOf(1, features, 8)];
    const attribution = await integratedGradients(model, x, { target: 1, baseline });
    const options = { baseline, fold, randomOrders: 100 };
    const removed = await deletion(model, x, attribution, options);
    const inserted = await insertion(model, x, attribution, options);
    for (let row = 0; row < rows; row++) {
      const w = (i: number): number => weight[i * 2 + 1] as number;
      const at = (of: Float32Array, offset: number): number =>
        Array.from({ length: features }, (_, i) => (of[offset + i] as number) * w(i)).reduce((a, b) => a + b, bias[1] as number);
      const [whole, gone] = [at(x, row * features), at(baseline, 0)];
      const falling = Array.from({ length: features }, (_, i) => ((x[row * features + i] as number) - (baseline[i] as number)) * w(i)).sort(
        (a, b) => b - a,
      );
      const area = whole - falling.reduce((sum, value, r) => sum + ((features - r - 0.5) / features) * value, 0);
      expect(Math.abs((removed.auc[row] as number) - area)).toBeLessThan(1e-4);
      for (let k = 0; k <= features; k++) {
        const both = (removed.values[row * 13 + k] as number) + (inserted.values[row * 13 + k] as number);
        expect(Math.abs(both - whole - gone)).toBeLessThan(1e-4);
      }
      // In random order the mean is half way; and no order is below the falling one.
      const { random } = removed;
      expect(Math.abs((random?.auc[row] as number) - (whole + gone) / 2)).toBeLessThan((4 * (random?.deviation[row] as number)) / 10);
      expect(removed.auc[row]).toBeLessThan(random?.auc[row] as number);
    }
    model.dispose();
  });

  test('begin and end at f(x) and f(x′) exactly, folded or not, and agree with each other', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [30], hidden: [16, 8] });
    const [x, baseline] = [examplesOf(4, 30), examplesOf(4, 30, 9)];
    const attribution = await inputXGradient(model, x, { target: 2 });
    const [whole, gone] = [await (await model.logits(x)).read(), await (await model.logits(baseline)).read()];
    const curves = [];
    for (const fold of [true, false]) {
      const removed = await deletion(model, x, attribution, { baseline, fold, step: 7, randomOrders: 0 });
      const inserted = await insertion(model, x, attribution, { baseline, fold, step: 7, randomOrders: 0 });
      expect(removed.counts).toEqual([0, 7, 14, 21, 28, 30]);
      expect(removed.random).toBeUndefined();
      for (let row = 0; row < 4; row++) {
        for (const [curve, first, last] of [
          [removed, whole, gone],
          [inserted, gone, whole],
        ] as const) {
          expect(curve.values[row * 6]).toBe(first[row * 4 + 2]);
          expect(curve.values[row * 6 + 5]).toBe(last[row * 4 + 2]);
        }
      }
      curves.push(removed.values);
    }
    expectClose(curves[0] as Float32Array, Array.from(curves[1] as Float32Array), [4, 6], 1e-5, 'folded and plain');
    model.dispose();
  });

  test('ties are deleted from the lower index on: the constant map goes from first to last', async () => {
    const { model, weight, bias } = await linearModel(await testDevice(), 6, 2);
    const x = examplesOf(1, 6);
    const { values } = await deletion(model, x, await constantMap(model, x, { target: 0 }), { randomOrders: 0 });
    const expected = Array.from({ length: 7 }, (_, k) =>
      Array.from(x).reduce((sum, value, i) => sum + (i < k ? 0 : value * (weight[i * 2] as number)), bias[0] as number),
    );
    expectClose(values, expected, [7], 1e-5, 'curve');
    model.dispose();
  });

  test('a random map is no better than the band of random orders', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [60], hidden: [16] });
    const x = examplesOf(40, 60);
    const { auc, random } = await deletion(model, x, await randomMap(model, x), { step: 1 });
    const apart = auc.map((area, i) => (area - (random?.auc[i] as number)) / (random?.deviation[i] as number));
    expect(Math.abs(average(apart))).toBeLessThan(4 / Math.sqrt(40));
    model.dispose();
  });

  test('of images replaces whole pixels, and inserts into the blurred image', async () => {
    const model = await randomNetwork(await testDevice(), {
      inputShape: [5, 4, 3],
      hidden: [],
      before: [flatten(), dense(6, { activation: 'relu' })],
    });
    const x = examplesOf(2, 60);
    const attribution = await inputXGradient(model, x, { target: 1 });
    const { counts, values } = await insertion(model, x, attribution, { randomOrders: 0 });
    expect(counts).toHaveLength(21);
    const blurred = await (await model.logits(gaussianBlur([5, 4, 3], x))).read();
    expect([values[0], values[21]]).toEqual([blurred[1], blurred[5]]);
    model.dispose();
  });

  test('a blur keeps flat areas, spreads a dot by its Gaussian, and keeps channels apart', () => {
    const blurred = gaussianBlur(
      [1, 25, 2],
      Float32Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? 4 : i === 25 ? 1 : 0)),
      { size: 3, deviation: 1 },
    );
    const side = Math.exp(-0.5) / (1 + 2 * Math.exp(-0.5));
    // One row: from above and below comes 0.
    const down = 1 / (1 + 2 * Math.exp(-0.5));
    expect(blurred[24]).toBeCloseTo(4 * down, 5);
    expect(blurred[25]).toBeCloseTo(down * down, 5);
    expect(blurred[27]).toBeCloseTo(side * down, 5);
    expect(blurred[29]).toBe(0);
    expect(() => gaussianBlur([1, 25, 2], new Float32Array(50), { size: 10 })).toThrow(
      'gaussianBlur: size is 10; a blur needs a middle pixel.\nTo mend: pass an odd number, such as 11.',
    );
  });

  test('the same bits alone and among others, and bounded memory', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const x = examplesOf(5, 10);
    const of = async (rows: Float32Array) => {
      const attribution = await inputXGradient(model, rows, { target: 0 });
      const { values, random } = await deletion(model, rows, attribution, { randomOrders: 3 });
      attribution.dispose();
      return [Array.from(values.slice(-11)), random?.auc.at(-1)];
    };
    const [together, alone] = [await of(x), await of(x.slice(40))];
    expect(alone).toEqual(together);
    const { bytes } = device.memory;
    for (let i = 0; i < 5; i++) await of(x);
    expect(device.memory.bytes).toBe(bytes);
    model.dispose();
  });

  test('refuse the maps of other examples, and a step of 0', async () => {
    const model = await randomNetwork(await testDevice());
    const attribution = await inputXGradient(model, examplesOf(2, 10));
    await expect(deletion(model, examplesOf(3, 10), attribution)).rejects.toThrow(
      'deletion: the maps are [2, 10], but x is 3 examples of [10].\nTo mend: score the attribution of these examples by this model.',
    );
    await expect(insertion(model, examplesOf(2, 10), attribution, { step: 0 })).rejects.toThrow('insertion: step is 0');
    model.dispose();
  });
});
