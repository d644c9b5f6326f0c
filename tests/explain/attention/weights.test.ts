import { describe, expect, test } from 'vitest';
import { attentionLayers } from '../../../src/explain/attention/attention-layers.ts';
import { attentionEntropy } from '../../../src/explain/attention/entropy.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import {
  bitsOf,
  examplesFor,
  goldenAttention,
  goldenModel,
  language,
  rowSums,
  VISION_LAYERS,
  valuesOf,
  vision,
} from './attention-networks.ts';

failOnGpuErrors();

describe('attentionLayers', () => {
  test('lists what attends, in the order of computation', async () => {
    const model = await vision(await testDevice(), { causal: true });
    const square = { queries: 4, keys: 4, causal: true };
    expect(attentionLayers(model)).toEqual([
      { name: VISION_LAYERS[0], heads: 2, ...square },
      { name: VISION_LAYERS[1], heads: 2, ...square },
      { name: VISION_LAYERS[2], heads: 4, ...square },
      { name: VISION_LAYERS[3], heads: 1, queries: 1, keys: 4, causal: false },
    ]);
    model.dispose();
  });
});

describe('attentionWeights', () => {
  test.each(['attention', 'attentionCausal'] as const)('are those of PyTorch: %s', async (key) => {
    const reference = goldenAttention[key];
    const model = await goldenModel(await testDevice(), reference);
    const map = await attentionWeights(model, reference.x.data);
    expect(map.method).toBe('attentionWeights');
    expect(map.options).toEqual({ layer: 'selfAttention_1', temperature: 1 });
    expect(map.layers).toEqual(['selfAttention_1']);
    expect(map.values.shape).toEqual(reference.attention.shape);
    expect(map.target).toBeUndefined();
    expect(map.step).toBeUndefined();
    const values = await valuesOf(map);
    expectClose(values, reference.attention.data, reference.attention.shape, 1e-5, key);
    model.dispose();
  });

  test.each(VISION_LAYERS)('are to the bit what the network computes, in %s', async (layer) => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 3);
    const activations = await model.activations(x);
    const own = await activations.get(`attention/${layer}`)?.read();
    expect(bitsOf(await valuesOf(attentionWeights(model, x, { layer })))).toEqual(bitsOf(own as Float32Array));
    for (const tensor of activations.values()) tensor.dispose();
    model.dispose();
  });

  test('sum to 1 and give exactly 0 to what comes later, at every temperature', async () => {
    const model = await vision(await testDevice(), { causal: true });
    const x = examplesFor(model, 2);
    for (const temperature of [1e-3, 0.3, 1, 5, 1e4]) {
      const values = await valuesOf(attentionWeights(model, x, { layer: VISION_LAYERS[1] as string, temperature }));
      for (const sum of rowSums(values, 4)) expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
      values.forEach((weight, i) => {
        if (i % 4 > Math.floor(i / 4) % 4) expect(weight).toBe(0);
        else expect(weight).toBeGreaterThanOrEqual(0);
      });
    }
    model.dispose();
  });

  test('at a temperature are the softmax of the same scores, divided by it', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    const plain = await valuesOf(attentionWeights(model, x));
    const warm = await valuesOf(attentionWeights(model, x, { temperature: 2.5 }));
    const expected: number[] = [];
    for (let row = 0; row < plain.length; row += 4) {
      const powers = [...plain.slice(row, row + 4)].map((weight) => weight ** (1 / 2.5));
      expected.push(...powers.map((power) => power / powers.reduce((a, b) => a + b)));
    }
    expectClose(warm, expected, [plain.length], 1e-5, 'weights');
    model.dispose();
  });

  test('at another temperature need no new plan', async () => {
    const device = await testDevice();
    const model = await vision(device);
    const x = examplesFor(model, 1);
    await valuesOf(attentionWeights(model, x, { temperature: 2 }));
    const before = device.calls.explain.createBindGroup;
    for (let i = 1; i <= 20; i++) await valuesOf(attentionWeights(model, x, { temperature: i / 10 }));
    expect(device.calls.explain.createBindGroup).toBe(before);
    model.dispose();
  });

  test('are had of token indices, and of a model that tells no classes apart', async () => {
    const device = await testDevice();
    const model = await language(device);
    const tokens = Uint32Array.of(0, 1, 2, 3, 4, 5, 4, 3, 2, 1);
    const map = await attentionWeights(model, tokens);
    expect(map.values.shape).toEqual([2, 2, 5, 5]);
    for (const sum of rowSums(await valuesOf(map), 5)) expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    expect((await valuesOf(attentionEntropy(model, tokens))).length).toBe(20);
    model.dispose();
  });
});
