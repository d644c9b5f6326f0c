import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { meanAttentionDistance, meanDistance, tokenDistances } from '../../../src/explain/attention/mean-distance.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { evaluate } from '../../engine/evaluate.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesFor, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

const distanceOf = async (weights: readonly number[], tokens: number): Promise<number> => {
  const graph = new Graph();
  const node = graph.placeholder('weights', [1, 1, tokens, tokens]);
  const distances = graph.placeholder('distances', [tokens, tokens]);
  const fed = new Map([
    [node, weights],
    [distances, [...tokenDistances(tokens)]],
  ]);
  return ((await evaluate([meanDistance(node, distances)], fed))[0] as number[])[0] as number;
};

describe('mean attention distance', () => {
  test.each([2, 5, 8])('of %d tokens is 0 for the identity and (T² − 1) / 3T for uniform weights', async (tokens) => {
    const identity = Array.from({ length: tokens * tokens }, (_, i) => (i % (tokens + 1) === 0 ? 1 : 0));
    expect(await distanceOf(identity, tokens)).toBe(0);
    const uniform = Array<number>(tokens * tokens).fill(1 / tokens);
    expect(Math.abs((await distanceOf(uniform, tokens)) - (tokens ** 2 - 1) / (3 * tokens))).toBeLessThan(1e-5);
  });

  test('in a grid is Euclidean', () => {
    const root = Math.fround(Math.SQRT2);
    expect([...tokenDistances(4, [2, 2])]).toEqual([0, 1, 1, root, 1, 0, root, 1, 1, root, 0, 1, root, 1, 1, 0]);
    expect([...tokenDistances(3)]).toEqual([0, 1, 2, 1, 0, 1, 2, 1, 0]);
  });

  test.each([undefined, [2, 2] as const])("of a layer is the weights' mean of distances, in the grid %j", async (grid) => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    const layer = VISION_LAYERS[2] as string;
    const weights = await valuesOf(attentionWeights(model, x, { layer }));
    const map = await meanAttentionDistance(model, x, { layer, ...(grid ? { grid } : {}) });
    expect(map.values.shape).toEqual([2, 4]);
    expect(map.options).toEqual({ layer, temperature: 1, grid: grid ?? [1, 4] });
    const distances = tokenDistances(4, grid);
    const expected = Array.from({ length: 8 }, (_, head) => {
      let sum = 0;
      for (let k = 0; k < 16; k++) sum += (weights[16 * head + k] as number) * (distances[k] as number);
      return sum / 4;
    });
    expectClose(await valuesOf(map), expected, [2, 4], 1e-5, 'distance');
    model.dispose();
  });

  test('refuses a pooling layer, and a grid of another size', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 1);
    await expect(meanAttentionDistance(model, x)).rejects.toThrow(
      'meanAttentionDistance: attentionPooling_1 has 1 queries for 4 keys; its queries have no place among the tokens.\nTo mend: name a layer of selfAttention, or use attentionEntropy.',
    );
    await expect(meanAttentionDistance(model, x, { layer: VISION_LAYERS[0] as string, grid: [2, 3] })).rejects.toThrow(
      'meanAttentionDistance: a grid of 2 × 3 has not the 4 tokens of transformerBlock_1/selfAttention_1.\nTo mend: give the patches down and across, or leave the grid out for tokens in a line.',
    );
    model.dispose();
  });
});
