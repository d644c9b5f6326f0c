import { describe, expect, test } from 'vitest';
import { averageRanks, fallingOrder, fallingRanks, spearman } from '../../../src/explain/evaluate/ranks.ts';
import {
  type Attribution,
  complexity,
  constantMap,
  patchMask,
  pointingGame,
  randomMap,
  relevanceMass,
  sparseness,
} from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, randomNetwork } from '../networks.ts';

failOnGpuErrors();

/** An attribution of maps that a test makes up. */
async function madeUp(maps: readonly (readonly number[])[]): Promise<Attribution> {
  const device = await testDevice();
  const features = (maps[0] as readonly number[]).length;
  const values = device.tensor(Float32Array.from(maps.flat()), [maps.length, features], 'map');
  const none = device.tensor(new Uint32Array(maps.length), [maps.length], 'target');
  const output = device.tensor(new Float32Array(maps.length), [maps.length], 'output');
  return {
    method: 'madeUp',
    options: {},
    values,
    target: none,
    output,
    dispose: () => [values, none, output].map((each) => each.dispose()),
  };
}

const oneHot = (count: number, at: number, value = 1): number[] => Array.from({ length: count }, (_, i) => (i === at ? value : 0));

describe('ranks', () => {
  test('of equal values share the mean of their places; an order gives them to the lower index first', () => {
    expect(Array.from(averageRanks([3, 1, 3, 2, 3]))).toEqual([4, 1, 4, 2, 4]);
    expect(Array.from(fallingOrder([3, 1, 3, 2, 3]))).toEqual([0, 2, 4, 3, 1]);
    expect(Array.from(fallingRanks([3, 1, 3, 2, 3]))).toEqual([0, 4, 1, 3, 2]);
    expect(Array.from(fallingOrder([0, -0, 0]))).toEqual([0, 1, 2]);
  });

  test("Spearman's correlation is that of scipy.stats.spearmanr, ties and all", () => {
    expect(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])).toBeCloseTo(0.8207826816681233, 12);
    expect(spearman([1, 2, 3], [10, 200, 3000])).toBe(1);
    expect(spearman([1, 2, 3], [3, 2, 1])).toBe(-1);
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
  });
});

describe('sparseness and complexity', () => {
  test('have their closed forms: one-hot, m equal of n, uniform, zero', async () => {
    const some = Array.from({ length: 784 }, (_, i) => (i < 98 ? -2 : 0));
    const attribution = await madeUp([oneHot(784, 5, -3), some, Array<number>(784).fill(0.25), Array<number>(784).fill(0)]);
    const gini = await sparseness(attribution);
    expect(gini[0]).toBeCloseTo(783 / 784, 12);
    expect(gini[1]).toBeCloseTo(1 - 98 / 784, 12);
    expect(gini[2]).toBeCloseTo(0, 12);
    expect(gini[3]).toBe(0);
    const entropy = await complexity(attribution);
    expect(entropy[0]).toBe(0);
    expect(entropy[1]).toBeCloseTo(Math.log(98), 12);
    expect(entropy[2]).toBeCloseTo(Math.log(784), 12);
    expect(entropy[3]).toBe(Math.log(784));
    attribution.dispose();
  });

  test('depend on neither the scale nor the sign of a map', async () => {
    const map = Array.from(examplesOf(1, 50));
    const attribution = await madeUp([map, map.map((value) => -8 * value)]);
    for (const score of [await sparseness(attribution), await complexity(attribution)])
      expect(score[1]).toBeCloseTo(score[0] as number, 12);
    attribution.dispose();
  });
});

describe('the pointing game and the relevance mass', () => {
  const mask = patchMask([8, 8, 1], { row: 2, column: 4, size: 2 });

  test('know where a planted patch is', () => {
    expect(Array.from(mask.entries()).filter(([, value]) => value === 1)).toEqual([20, 21, 28, 29].map((i) => [i, 1]));
  });

  test('are 1 for a map inside the mask, 0 outside, and the share of what is inside', async () => {
    const attribution = await madeUp([oneHot(64, 21), oneHot(64, 22), [...oneHot(64, 20, 3)].map((value, i) => (i === 0 ? -9 : value))]);
    expect(Array.from(await pointingGame(attribution, mask))).toEqual([1, 0, 1]);
    expect(Array.from(await relevanceMass(attribution, mask))).toEqual([1, 0, 0.25]);
    attribution.dispose();
  });

  test('give the constant map exactly chance, and random maps chance in the mean', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [64], hidden: [4] });
    const rows = 2000;
    const x = examplesOf(rows, 64);
    const constant = await constantMap(model, x);
    for (const score of [await pointingGame(constant, mask), await relevanceMass(constant, mask)])
      expect(new Set(score)).toEqual(new Set([4 / 64]));
    const random = await randomMap(model, x);
    const [hits, mass] = [await pointingGame(random, mask), await relevanceMass(random, mask)];
    const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / rows;
    expect(Math.abs(mean(hits) - 4 / 64)).toBeLessThan(4 * Math.sqrt(((4 / 64) * (60 / 64)) / rows));
    expect(Math.abs(mean(mass) - 4 / 64)).toBeLessThan(0.005);
    constant.dispose();
    random.dispose();
    model.dispose();
  });

  test('refuse a mask of another size, an empty one and a patch outside the image', async () => {
    const attribution = await madeUp([oneHot(64, 21)]);
    await expect(pointingGame(attribution, [1, 0])).rejects.toThrow(
      'pointingGame: the mask has 2 values, but there are 1 maps of 64.\nTo mend: give one mask for all examples, or one an example.',
    );
    await expect(relevanceMass(attribution, new Uint8Array(64))).rejects.toThrow('relevanceMass: the mask of example 0 has nothing in it.');
    expect(() => patchMask([8, 8, 1], { row: 7, column: 0, size: 2 })).toThrow('row is 7; it must be a number between 0 and 6.');
    attribution.dispose();
  });
});
