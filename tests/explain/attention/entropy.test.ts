import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { attentionSoftmax } from '../../../src/engine/ops/attention-softmax.ts';
import { attentionEntropy, rowEntropy } from '../../../src/explain/attention/entropy.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { evaluate } from '../../engine/evaluate.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { tiny } from '../networks.ts';
import { examplesFor, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

const flat = (values: unknown): number[] => (values as number[]).flat(4) as number[];

const entropyOf = async (weights: readonly number[], shape: readonly number[]): Promise<number[]> => {
  const graph = new Graph();
  const node = graph.placeholder('weights', shape);
  return (await evaluate([rowEntropy(node)], new Map([[node, weights]])))[0] as number[];
};

describe('attention entropy', () => {
  test('agrees with the golden values, and so do the weights themselves', async () => {
    const scores: number[] = [];
    for (const l of [0, 1]) {
      for (const h of [0, 1]) {
        for (const i of [0, 1, 2, 3]) for (const j of [0, 1, 2, 3]) scores.push(Math.sin(1 + l + 2.1 * i + 1.7 * j + h));
      }
    }
    const graph = new Graph();
    const node = graph.placeholder('scores', [2, 2, 4, 4]);
    const weights = attentionSoftmax(node);
    const [attention, entropy] = (await evaluate([weights, rowEntropy(weights)], new Map([[node, scores]]))) as [number[], number[]];
    expectClose(attention, flat(tiny.attention), [2, 2, 4, 4], 1e-5, 'attention');
    expectClose(entropy, flat(tiny.attention_entropy_nats), [2, 2, 4], 1e-5, 'entropy');
  });

  test('is ln T of a uniform row, ln(i + 1) of a causal one and 0 of one key', async () => {
    const uniform = Array<number>(7).fill(1 / 7);
    const causal = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].map((j) => (j <= i ? 1 / (i + 1) : 0)));
    expectClose(await entropyOf(uniform, [1, 7]), [Math.log(7)], [1], 1e-6, 'uniform');
    expectClose(await entropyOf(causal, [4, 4]), [0, Math.log(2), Math.log(3), Math.log(4)], [4], 1e-6, 'causal');
    expect((await entropyOf([0, 1, 0, 0, 0, 1], [2, 3])).map(Math.abs)).toEqual([0, 0]);
  });

  test('goes to ln T as the temperature rises and to 0 as it falls', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    for (const layer of VISION_LAYERS) {
      const hot = await valuesOf(attentionEntropy(model, x, { layer, temperature: 1e5 }));
      const cold = await valuesOf(attentionEntropy(model, x, { layer, temperature: 1e-5 }));
      for (const value of hot) expect(Math.abs(value - Math.log(4))).toBeLessThan(1e-5);
      for (const value of cold) expect(Math.abs(value)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  test('is that of the weights, and lies in [0, ln T]', async () => {
    const model = await vision(await testDevice(), { causal: true });
    const x = examplesFor(model, 3);
    const layer = VISION_LAYERS[0] as string;
    const map = await attentionEntropy(model, x, { layer, temperature: 0.8 });
    expect(map.values.shape).toEqual([3, 2, 4]);
    expect(map.options).toEqual({ layer, temperature: 0.8 });
    const weights = await valuesOf(attentionWeights(model, x, { layer, temperature: 0.8 }));
    const expected = Array.from({ length: weights.length / 4 }, (_, row) =>
      [...weights.slice(4 * row, 4 * row + 4)].reduce((sum, a) => (a > 0 ? sum - a * Math.log(a) : sum), 0),
    );
    const values = await valuesOf(map);
    expectClose(values, expected, [3, 2, 4], 1e-5, 'entropy');
    values.forEach((value, i) => {
      expect(value).toBeGreaterThan(-1e-6);
      expect(value).toBeLessThan(Math.log((i % 4) + 1) + 1e-6);
    });
    model.dispose();
  });
});
