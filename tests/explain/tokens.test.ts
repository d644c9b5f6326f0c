import { describe, expect, test } from 'vitest';
import {
  attentionPooling,
  buildModel,
  type Device,
  dense,
  embedding,
  flatten,
  type Layer,
  type Model,
  positionalEmbedding,
  residual,
  selfAttention,
} from '../../src/engine/index.ts';
import { normal } from '../../src/engine/random.ts';
import { deepLift } from '../../src/explain/local/deep-lift.ts';
import { inputXGradient } from '../../src/explain/local/input-x-gradient.ts';
import { integratedGradients } from '../../src/explain/local/integrated-gradients.ts';
import { lrp } from '../../src/explain/local/lrp.ts';
import { occlusion } from '../../src/explain/local/occlusion.ts';
import { saliency } from '../../src/explain/local/saliency.ts';
import { expectClose } from '../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';

failOnGpuErrors();

const [TOKENS, WORDS, WIDTH, CLASSES] = [6, 9, 4, 3];
/** An index beyond the table is padding. */
const PAD = WORDS;
const x = Uint32Array.of(1, 4, 0, 8, 4, PAD, 7, 7, 2, PAD, PAD, PAD, 3, 1, 5, 6, 0, 2);
const rows = x.length / TOKENS;

const attending: readonly Layer[] = [
  positionalEmbedding(),
  residual([selfAttention({ heads: 2 })]),
  attentionPooling(),
  dense(7, { activation: 'tanh' }),
  dense(CLASSES, { activation: 'softmax' }),
];

/** Weights of a size that matters, biases too. */
async function build(device: Device, layers: readonly Layer[], inputs: 'tokens' | 'embedded' = 'tokens'): Promise<Model> {
  const tokens = inputs === 'tokens';
  const model = await buildModel(device, {
    inputShape: tokens ? [TOKENS] : [TOKENS, WIDTH],
    ...(tokens ? { inputType: 'uint32' as const } : {}),
    layers: tokens ? [embedding(WORDS, WIDTH), ...layers] : layers,
  });
  let stream = tokens ? 0 : 1;
  for (const tensor of model.parameters.values()) {
    const values = Float32Array.from({ length: tensor.length }, (_, i) => 0.5 * normal(3, stream, 0, i));
    tensor.write(values);
    stream += 1;
  }
  return model;
}

const read = async (made: Promise<{ readonly values: { read(): Promise<Float32Array> }; dispose(): void }>): Promise<Float32Array> => {
  const attribution = await made;
  const values = await attribution.values.read();
  attribution.dispose();
  return values;
};

async function logitsOf(model: Model, tokens: ArrayLike<number>): Promise<Float32Array> {
  const logits = await model.logits(Uint32Array.from(tokens));
  const values = await logits.read();
  logits.dispose();
  return values;
}

/** The rows of the table that the tokens name, zeros for padding. */
async function embedded(model: Model): Promise<Float32Array> {
  const table = (await model.parameters.get('embedding_1/table')?.read()) as Float32Array;
  return Float32Array.from({ length: x.length * WIDTH }, (_, i) => {
    const token = x[Math.floor(i / WIDTH)] as number;
    return token < WORDS ? (table[token * WIDTH + (i % WIDTH)] as number) : 0;
  });
}

const perToken = (values: Float32Array): number[] =>
  Array.from({ length: x.length }, (_, i) => values.subarray(i * WIDTH, (i + 1) * WIDTH).reduce((sum, value) => sum + value, 0));

describe('token indices', () => {
  test('are explained completely: what the tokens are given adds up to the logit less that of padding alone', async () => {
    const model = await build(await testDevice(), attending);
    const [full, none] = [await logitsOf(model, x), await logitsOf(model, Array<number>(TOKENS).fill(PAD))];
    for (const target of [0, 1, 2]) {
      for (const method of [integratedGradients, deepLift]) {
        const attribution = await method(model, x, { target });
        expect(attribution.values.shape).toEqual([rows, TOKENS]);
        const [values, delta] = [await attribution.values.read(), (await attribution.delta?.read()) as Float32Array];
        for (let i = 0; i < rows; i++) {
          const sum = values.subarray(i * TOKENS, (i + 1) * TOKENS).reduce((total, value) => total + value, 0);
          const change = (full[i * CLASSES + target] as number) - (none[target] as number);
          // DeepLIFT holds attention's softmax by a rule of its own, and stays complete.
          expect(Math.abs(sum - change), `${attribution.method} of ${target}`).toBeLessThan(1e-4 * Math.max(1, Math.abs(change)));
          expect(Math.abs((delta[i] as number) - (sum - change))).toBeLessThan(2e-6);
        }
        // Padding is the baseline itself.
        for (let i = 0; i < x.length; i++) if (x[i] === PAD) expect(values[i]).toBe(0);
        expect(values.some((value) => Math.abs(value) > 0.01)).toBe(true);
        attribution.dispose();
      }
    }
    model.dispose();
  });

  test('get what a network that is given the embedding gives its elements, summed', async () => {
    const device = await testDevice();
    const [model, plain] = [await build(device, attending), await build(device, attending, 'embedded')];
    const given = await embedded(model);
    const options = { target: 1 };
    for (const method of [integratedGradients, inputXGradient, deepLift, lrp]) {
      expectClose(
        await read(method(model, x, options)),
        perToken(await read(method(plain, given, options))),
        [rows, TOKENS],
        1e-5,
        method.name,
      );
    }
    model.dispose();
    plain.dispose();
  });

  test('lose by occlusion what the logit falls by when one becomes padding, alone or in groups', async () => {
    const model = await build(await testDevice(), attending);
    const before = await logitsOf(model, x);
    const target = 2;
    const without = async (hidden: readonly number[]): Promise<number[]> => {
      const after = await logitsOf(
        model,
        x.map((token, i) => (hidden.includes(i % TOKENS) ? PAD : token)),
      );
      return Array.from({ length: rows }, (_, i) => (before[i * CLASSES + target] as number) - (after[i * CLASSES + target] as number));
    };
    const each = await Promise.all(Array.from({ length: TOKENS }, (_, token) => without([token])));
    const alone = Array.from(x, (_, i) => (each[i % TOKENS] as number[])[Math.floor(i / TOKENS)] as number);
    expectClose(await read(occlusion(model, x, { target })), alone, [rows, TOKENS], 1e-5, 'alone');
    const pair = await without([1, 2]);
    const grouped = await read(occlusion(model, x, { target, groups: [0, 1, 1, 2, 3, 4] }));
    for (let i = 0; i < rows; i++) {
      for (const token of [1, 2]) expect(Math.abs((grouped[i * TOKENS + token] as number) - (pair[i] as number))).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  test('of a linear network all get the product of their embedding and its weight', async () => {
    const model = await build(await testDevice(), [flatten(), dense(CLASSES)]);
    const weight = (await model.parameters.get('dense_1/weight')?.read()) as Float32Array;
    const given = await embedded(model);
    const target = 1;
    const expected = perToken(given.map((value, i) => value * (weight[(i % (TOKENS * WIDTH)) * CLASSES + target] as number)));
    for (const method of [integratedGradients, inputXGradient, deepLift, occlusion]) {
      expectClose(await read(method(model, x, { target })), expected, [rows, TOKENS], 1e-5, method.name);
    }
    expectClose(await read(integratedGradients(model, x, { target, rule: 'exact' })), expected, [rows, TOKENS], 1e-5, 'exact');
    expectClose(await read(integratedGradients(model, x, { target, fold: false })), expected, [rows, TOKENS], 1e-5, 'plain');
    model.dispose();
  });

  test('get the same bits alone and among others', async () => {
    const model = await build(await testDevice(), attending);
    for (const method of [integratedGradients, inputXGradient, deepLift, lrp, occlusion]) {
      const together = await read(method(model, x, { target: 0 }));
      for (let i = 0; i < rows; i++) {
        const own = await read(method(model, x.subarray(i * TOKENS, (i + 1) * TOKENS), { target: 0 }));
        expect([...own], method.name).toEqual([...together.subarray(i * TOKENS, (i + 1) * TOKENS)]);
      }
    }
    model.dispose();
  });

  test('are refused by methods whose values are no shares, and with a baseline that is no number', async () => {
    const model = await build(await testDevice(), attending);
    await expect(saliency(model, x)).rejects.toThrow(
      'saliency: the model reads token indices, which have no gradient and no values in between.\nTo mend: use integratedGradients',
    );
    await expect(integratedGradients(model, x, { baseline: [1, 2, 3, 4, 5, 6] })).rejects.toMatchObject({ code: 'invalid-option' });
    model.dispose();
  });
});
