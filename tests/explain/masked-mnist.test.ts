import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMnist, take } from '../../src/data/index.ts';
import { adam, buildModel, createTrainer, dense, flatten, type Model, type Tensor } from '../../src/engine/index.ts';
import {
  coalitionValues,
  imagePatches,
  integratedGradients,
  kernelShap,
  lime,
  occlusion,
  rise,
  shapleyValues,
} from '../../src/explain/index.ts';
import { expectClose } from '../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';

failOnGpuErrors();

/** 784-128-10, trained on MNIST: sure of itself, so that values are large beside their rounding. */
let model: Model;
/** Test images. */
let x: Float32Array;
const ROWS = 3;
const patches = imagePatches([28, 28, 1], 7);
let exact: Float32Array;

beforeAll(async () => {
  const { train, test: held } = await loadMnist();
  model = await buildModel(await testDevice(), {
    inputShape: [28, 28, 1],
    layers: [flatten(), dense(128, { activation: 'relu' }), dense(10)],
    seed: 1,
  });
  const trainer = await createTrainer(model, { data: take(train, 0, 6000), optimizer: adam(), batchSize: 32 });
  await trainer.fit({ epochs: 2 });
  trainer.dispose();
  x = Float32Array.from(held.inputs.subarray(0, ROWS * 784), (byte) => byte / 255);
});

afterAll(() => model.dispose());

describe('on a trained network, masks', () => {
  test('give exact Shapley values of 16 patches that are complete', async () => {
    const attribution = await shapleyValues(model, x, { groups: patches });
    exact = await attribution.groupValues.read();
    const output = await attribution.output.read();
    const gaps = await (attribution.delta as Tensor).read();
    gaps.forEach((gap, e) => {
      const sum = exact.subarray(16 * e, 16 * e + 16).reduce((total, value) => total + value, 0);
      expect(output[e]).toBeGreaterThan(3);
      expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(sum)));
    });
    expect(attribution.step).toBe(376);
  });

  test('give the same by KernelSHAP on all coalitions, and nearly the same by 25 permutations and by gradients along a path', async () => {
    const shap = await kernelShap(model, x, { groups: patches, samples: 65534 });
    expectClose(await shap.groupValues.read(), exact, [ROWS, 16], 1e-5, 'KernelSHAP');

    const drawn = await shapleyValues(model, x, { groups: patches, permutations: 25 });
    const values = await drawn.groupValues.read();
    const error = await (drawn.groupStandardError as Tensor).read();
    const path = await (await integratedGradients(model, x)).values.read();
    for (let e = 0; e < ROWS; e++) {
      const own = Array.from(exact.subarray(16 * e, 16 * e + 16));
      const largest = Math.max(...own.map(Math.abs));
      const summed = Array<number>(16).fill(0);
      patches.of.forEach((group, i) => {
        summed[group] = (summed[group] as number) + (path[784 * e + i] as number);
      });
      own.forEach((value, g) => {
        const difference = Math.abs((values[16 * e + g] as number) - value);
        expect(difference).toBeLessThan(4 * (error[16 * e + g] as number) + 1e-5);
        expect(difference).toBeLessThan(0.15 * largest);
      });
      expect(correlation(summed, own)).toBeGreaterThan(0.95);
    }
  });

  test('are the same folded and plain', async () => {
    const device = await testDevice();
    const ranks = device.tensor(
      Uint32Array.from({ length: ROWS * 784 }, (_, i) => (i * 37) % 784),
      [ROWS, 784],
    );
    const counts = [0, 1, 100, 400, 784];
    const both = async (of: (fold: boolean) => Promise<{ values: Tensor; dispose(): void }>, what: string): Promise<void> => {
      const [folded, plain] = [await of(true), await of(false)];
      expectClose(await folded.values.read(), await plain.values.read(), folded.values.shape, 1e-5, what);
      folded.dispose();
      plain.dispose();
    };
    await both((fold) => occlusion(model, x, { fold }), 'occlusion');
    await both((fold) => shapleyValues(model, x, { fold, groups: patches, permutations: 10 }), 'permutations');
    await both((fold) => coalitionValues(model, x, { ranks, counts }, { fold }), 'insertion');
    await both((fold) => coalitionValues(model, x, { ranks, counts, removing: true }, { fold }), 'deletion');
    await both((fold) => lime(model, x, { fold, groups: patches }), 'LIME');
    await both((fold) => rise(model, x, { fold, samples: 500 }), 'RISE');
    ranks.dispose();
  });

  test('let a line fit well, not exactly', async () => {
    for (const share of (await lime(model, x, { groups: patches })).rSquared) {
      expect(share).toBeGreaterThan(0.5);
      expect(share).toBeLessThan(1);
    }
  });
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (of: (i: number) => number): number => a.reduce((total, _, i) => total + of(i), 0);
  const along = sum((i) => ((a[i] as number) - ma) * ((b[i] as number) - mb));
  return along / Math.sqrt(sum((i) => ((a[i] as number) - ma) ** 2) * sum((i) => ((b[i] as number) - mb) ** 2));
}
