import { describe, expect, test } from 'vitest';
import { constantMap, inputMap, inputXGradient, localLipschitz, maxSensitivity, randomMap, saliency } from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { average } from './statistics.ts';

failOnGpuErrors();

const gradient: typeof inputMap = (model, x, options) => saliency(model, x, { ...options, signed: true });
const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

describe('maxSensitivity', () => {
  test('of a linear model is 0 for the gradient, and for gradient × input below r‖w‖ / ‖w ⊙ x‖ and near it with few elements', async () => {
    const { model, weight } = await linearModel(await testDevice(), 3, 2);
    const x = examplesOf(4, 3);
    expect(Array.from(await maxSensitivity(model, x, gradient, { target: 1 }))).toEqual([0, 0, 0, 0]);
    const w = [0, 1, 2].map((i) => weight[i * 2 + 1] as number);
    const scores = await maxSensitivity(model, x, inputXGradient, { target: 1, radius: 0.1, draws: 200 });
    scores.forEach((score, row) => {
      const supremum = (0.1 * norm(w)) / norm(w.map((value, i) => value * (x[row * 3 + i] as number)));
      expect(score).toBeLessThan(supremum * (1 + 1e-4));
      expect(score).toBeGreaterThan(0.8 * supremum);
    });
    model.dispose();
  });

  test('of the constant map is 0, and of a random map near √2', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [400], hidden: [4] });
    const x = examplesOf(3, 400);
    expect(Array.from(await maxSensitivity(model, x, constantMap, { draws: 3 }))).toEqual([0, 0, 0]);
    expect(Math.abs(average(await maxSensitivity(model, x, randomMap, { draws: 1 })) - Math.SQRT2)).toBeLessThan(0.1);
    model.dispose();
  });

  test('explains the class of the example as it was, however far the copies move', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(2, 10);
    const predicted = Array.from(await (await saliency(model, x)).target.readUint32());
    const asked: number[][] = [];
    const spy: typeof inputMap = (of, rows, options) => {
      if (options?.target !== undefined) asked.push(Array.from(options.target as ArrayLike<number>));
      return gradient(of, rows, options);
    };
    await maxSensitivity(model, x, spy, { radius: 100, draws: 3 });
    expect(asked).toEqual([predicted, predicted, predicted]);
    model.dispose();
  });

  test('an example has the same score alone and among others, and the same for one seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(5, 10);
    const together = await maxSensitivity(model, x, inputXGradient, { draws: 6, seed: 4 });
    const alone = await maxSensitivity(model, x.slice(20, 30), inputXGradient, { draws: 6, seed: 4 });
    expect(alone[0]).toBe(together[2]);
    expect(await maxSensitivity(model, x, inputXGradient, { draws: 6, seed: 4 })).toEqual(together);
    expect(await maxSensitivity(model, x, inputXGradient, { draws: 6, seed: 5 })).not.toEqual(together);
    model.dispose();
  });

  test('refuses a negative radius and no draws', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await expect(maxSensitivity(model, x, gradient, { radius: -1 })).rejects.toThrow(
      'maxSensitivity: radius is -1; it must be a number at least 0.',
    );
    await expect(maxSensitivity(model, x, gradient, { draws: 0 })).rejects.toThrow('maxSensitivity: draws is 0');
    model.dispose();
  });
});

describe('localLipschitz', () => {
  test('of a linear model is 0 for the gradient, and at most max|w| for gradient × input', async () => {
    const { model, weight } = await linearModel(await testDevice(), 3, 2);
    const x = examplesOf(4, 3);
    expect(Array.from(await localLipschitz(model, x, gradient, { target: 0, draws: 20 }))).toEqual([0, 0, 0, 0]);
    const most = Math.max(...[0, 1, 2].map((i) => Math.abs(weight[i * 2] as number)));
    for (const score of await localLipschitz(model, x, inputXGradient, { target: 0 })) {
      expect(score).toBeLessThan(most * (1 + 1e-4));
      expect(score).toBeGreaterThan(0.8 * most);
    }
    model.dispose();
  });

  test('of the input itself is 1', async () => {
    const model = await randomNetwork(await testDevice());
    for (const score of await localLipschitz(model, examplesOf(2, 10), inputMap, { draws: 5 })) expect(score).toBeCloseTo(1, 5);
    model.dispose();
  });
});
