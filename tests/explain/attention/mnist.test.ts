import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMnist, take } from '../../../src/data/index.ts';
import {
  adam,
  buildModel,
  createTrainer,
  dense,
  globalAverage,
  type Model,
  patches,
  residual,
  selfAttention,
} from '../../../src/engine/index.ts';
import {
  ablateHead,
  attentionEntropy,
  attentionRelevance,
  attentionRollout,
  attentionWeights,
  meanAttentionDistance,
} from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { rowSums, valuesOf } from './attention-networks.ts';

failOnGpuErrors();

const TOKENS = 16;
const ROWS = 8;
let model: Model;
let accuracy = 0;
let x: Float32Array;

beforeAll(async () => {
  const { train, test: held } = await loadMnist();
  model = await buildModel(await testDevice(), {
    inputShape: [28, 28, 1],
    layers: [patches(7), dense(32, { activation: 'relu' }), residual([selfAttention({ heads: 4 })]), globalAverage(), dense(10)],
    seed: 1,
  });
  const trainer = await createTrainer(model, { data: take(train, 0, 4000), optimizer: adam({ learningRate: 0.003 }), batchSize: 32 });
  await trainer.fit({ epochs: 2 });
  ({ accuracy } = await trainer.evaluate(take(held, 0, 1000)));
  trainer.dispose();
  x = Float32Array.from(held.inputs.subarray(0, ROWS * 784), (byte) => byte / 255);
}, 120_000);

afterAll(() => model.dispose());

describe('attention of a network trained on MNIST', () => {
  test('was learnt', () => {
    expect(accuracy).toBeGreaterThan(0.5);
  });

  test('has rows of sum 1, in its weights and in rollout', async () => {
    for (const values of [await valuesOf(attentionWeights(model, x)), await valuesOf(attentionRollout(model, x))]) {
      for (const sum of rowSums(values, TOKENS)) expect(Math.abs(sum - 1)).toBeLessThan(2e-6);
      expect(values.every((value) => value >= 0)).toBe(true);
    }
  });

  test('has the entropy of its weights, between 0 and ln T, and ln T as the temperature grows', async () => {
    const weights = await valuesOf(attentionWeights(model, x));
    const entropy = await valuesOf(attentionEntropy(model, x));
    entropy.forEach((found, row) => {
      const own = weights.slice(row * TOKENS, (row + 1) * TOKENS);
      const expected = -own.reduce((sum, a) => sum + (a > 0 ? a * Math.log(a) : 0), 0);
      expect(Math.abs(found - expected)).toBeLessThan(1e-5 * Math.max(1, expected));
      expect(found).toBeGreaterThanOrEqual(0);
      expect(found).toBeLessThan(Math.log(TOKENS) + 1e-5);
    });
    expect(Math.min(...entropy)).toBeLessThan(Math.log(TOKENS) - 0.1);
    for (const hot of await valuesOf(attentionEntropy(model, x, { temperature: 1e6 }))) expect(hot).toBeCloseTo(Math.log(TOKENS), 4);
  });

  test('looks as far as its weights say', async () => {
    const weights = await valuesOf(attentionWeights(model, x));
    const distances = await valuesOf(meanAttentionDistance(model, x));
    distances.forEach((found, map) => {
      let expected = 0;
      for (let i = 0; i < TOKENS; i++) {
        for (let j = 0; j < TOKENS; j++) expected += ((weights[(map * TOKENS + i) * TOKENS + j] as number) * Math.abs(i - j)) / TOKENS;
      }
      expect(Math.abs(found - expected)).toBeLessThan(1e-4);
    });
  });

  test('has relevance nowhere below 0, and heads whose loss changes the output', async () => {
    const relevance = await valuesOf(attentionRelevance(model, x));
    expect(relevance.every((value) => value >= 0)).toBe(true);
    expect(relevance.some((value) => value > 0)).toBe(true);
    const effects = await valuesOf(ablateHead(model, x));
    expect(effects.length).toBe(ROWS * 4);
    expect(effects.some((value) => Math.abs(value) > 1e-3)).toBe(true);
  });
});
