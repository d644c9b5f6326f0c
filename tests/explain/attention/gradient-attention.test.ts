import { describe, expect, test } from 'vitest';
import { buildModel, dense, flatten, selfAttention } from '../../../src/engine/index.ts';
import { ablateHead } from '../../../src/explain/attention/ablate-head.ts';
import { attentionRelevance, gradientAttention } from '../../../src/explain/attention/gradient-attention.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesFor, language, linearInAttention, rowSums, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

describe('gradientAttention', () => {
  test('is A ⊙ ∂f/∂A by the closed form, where the output is linear in the weights', async () => {
    const model = await linearInAttention(await testDevice());
    const [rows, heads, tokens, width, classes] = [2, 3, 5, 6, 4];
    const each = width / heads;
    const x = examplesFor(model, rows);
    const activations = await model.activations(x);
    const [weights, values] = await Promise.all(
      ['attention/selfAttention_1', 'activation/selfAttention_1/value'].map((name) => activations.get(name)?.read()),
    );
    const [outputWeight, denseWeight] = await Promise.all(
      ['selfAttention_1/output/weight', 'dense_1/weight'].map((name) => model.parameters.get(name)?.read()),
    );
    const target = [3, 1];
    const expected: number[] = [];
    for (let b = 0; b < rows; b++) {
      for (let h = 0; h < heads; h++) {
        for (let i = 0; i < tokens; i++) {
          for (let j = 0; j < tokens; j++) {
            // ∂f/∂A_ij = Σ_k (∂f/∂o_ik) v_jk, where o joins the heads and f = Σ_im (o W_out)_im W_dense[im, c].
            let gradient = 0;
            for (let k = h * each; k < (h + 1) * each; k++) {
              let upstream = 0;
              for (let m = 0; m < width; m++) {
                upstream +=
                  (outputWeight?.[k * width + m] as number) * (denseWeight?.[(i * width + m) * classes + (target[b] as number)] as number);
              }
              gradient += upstream * (values?.[(b * tokens + j) * width + k] as number);
            }
            expected.push(gradient * (weights?.[((b * heads + h) * tokens + i) * tokens + j] as number));
          }
        }
      }
    }
    const map = await gradientAttention(model, x, { target });
    expect(map.values.shape).toEqual([rows, heads, tokens, tokens]);
    expect(map.options).toEqual({ target, output: 'logit', layer: 'selfAttention_1' });
    expect([...((await map.target?.readUint32()) ?? [])]).toEqual(target);
    const signed = await valuesOf(map);
    expectClose(signed, expected, [rows, heads, tokens, tokens], 1e-5, 'gradient × attention');
    expect(Math.min(...signed)).toBeLessThan(0);
    expect(Math.max(...signed)).toBeGreaterThan(0);
    for (const tensor of activations.values()) tensor.dispose();
    model.dispose();
  });

  test('sums over a head to what the output loses without it, where the output is linear in the weights', async () => {
    const model = await linearInAttention(await testDevice());
    const x = examplesFor(model, 4);
    const shares = rowSums(await valuesOf(gradientAttention(model, x)), 25);
    const effects = await valuesOf(ablateHead(model, x));
    expectClose(shares, effects, [4, 3], 1e-5, 'heads');
    model.dispose();
  });

  test('is linear in what is explained: of one class less another, the difference of the two', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 2);
    for (const layer of VISION_LAYERS) {
      const [a, b, contrast] = await Promise.all([
        valuesOf(gradientAttention(model, x, { layer, target: 0 })),
        valuesOf(gradientAttention(model, x, { layer, target: 2 })),
        valuesOf(gradientAttention(model, x, { layer, target: 0, against: 2 })),
      ]);
      expectClose(
        contrast,
        a.map((value, i) => value - (b[i] as number)),
        [a.length],
        1e-5,
        layer,
      );
    }
    model.dispose();
  });
});

describe('attentionRelevance', () => {
  test('of one layer of one head is I + (∇A ⊙ A)⁺', async () => {
    const model = await buildModel(await testDevice(), {
      inputShape: [4, 6],
      layers: [selfAttention({ heads: 1 }), flatten(), dense(3)],
      seed: 8,
    });
    const x = examplesFor(model, 3);
    const product = await valuesOf(gradientAttention(model, x));
    const map = await attentionRelevance(model, x);
    expect(map.values.shape).toEqual([3, 4, 4]);
    const relevance = await valuesOf(map);
    const expected = [...product].map((value, i) => Math.max(0, value) + ((i % 16) % 5 === 0 ? 1 : 0));
    expectClose(relevance, expected, [3, 4, 4], 1e-5, 'R');
    expect(Math.min(...product)).toBeLessThan(0);
    model.dispose();
  });

  test('follows R ← R + Ā R through layers of several heads, and ends in Ā R where they are pooled', async () => {
    const model = await vision(await testDevice());
    const rows = 2;
    const x = examplesFor(model, rows);
    const products = await Promise.all(VISION_LAYERS.map((layer) => valuesOf(gradientAttention(model, x, { layer, target: 1 }))));
    const expected: number[] = [];
    for (let b = 0; b < rows; b++) {
      let R = Array.from({ length: 16 }, (_, i): number => (i % 5 === 0 ? 1 : 0));
      products.forEach((product, l) => {
        const [heads, queries] = [[2, 2, 4, 1][l] as number, l === 3 ? 1 : 4];
        const mean = Array.from({ length: queries * 4 }, (_, k) => {
          let sum = 0;
          for (let h = 0; h < heads; h++) sum += Math.max(0, product[(b * heads + h) * queries * 4 + k] as number);
          return sum / heads;
        });
        const through = Array.from({ length: queries * 4 }, (_, k) => {
          const [i, j] = [Math.floor(k / 4), k % 4];
          return [0, 1, 2, 3].reduce((sum, m) => sum + (mean[i * 4 + m] as number) * (R[m * 4 + j] as number), 0);
        });
        R = queries === 1 ? through : R.map((value, k) => value + (through[k] as number));
      });
      expected.push(...R);
    }
    const map = await attentionRelevance(model, x, { target: 1 });
    expect(map.layers).toEqual(VISION_LAYERS);
    expect(map.values.shape).toEqual([rows, 1, 4]);
    const relevance = await valuesOf(map);
    expectClose(relevance, expected, [rows, 1, 4], 1e-5, 'R');
    for (const value of relevance) expect(value).toBeGreaterThanOrEqual(0);
    model.dispose();
  });

  test('is the identity where nothing has a gradient', async () => {
    const model = await vision(await testDevice(), { end: [flatten()] });
    const last = model.parameters.get('dense_1/weight');
    last?.write(new Float32Array(last.length));
    const relevance = await valuesOf(attentionRelevance(model, examplesFor(model, 2)));
    expect([...relevance]).toEqual(Array.from({ length: 32 }, (_, i) => ((i % 16) % 5 === 0 ? 1 : 0)));
    model.dispose();
  });

  test('of causal layers stays lower-triangular, for token indices too', async () => {
    const model = await language(await testDevice());
    const values = await valuesOf(attentionRelevance(model, Uint32Array.of(5, 1, 4, 2, 0)));
    values.forEach((value, i) => {
      if (i % 5 > Math.floor(i / 5)) expect(value).toBe(0);
      else expect(value).toBeGreaterThanOrEqual(i % 6 === 0 ? 1 : 0);
    });
    expect([...values].some((value, i) => i % 6 !== 0 && value > 0)).toBe(true);
    model.dispose();
  });

  test('is zero weight times gradient where the weight is zero: of later tokens nothing is said', async () => {
    const model = await vision(await testDevice(), { causal: true });
    const x = examplesFor(model, 2);
    const layer = VISION_LAYERS[0] as string;
    const weights = await valuesOf(attentionWeights(model, x, { layer }));
    const product = await valuesOf(gradientAttention(model, x, { layer }));
    weights.forEach((weight, i) => {
      if (weight === 0) expect(Math.abs(product[i] as number)).toBe(0);
    });
    expect([...weights].filter((weight) => weight === 0)).toHaveLength(2 * 2 * 6);
    model.dispose();
  });
});
