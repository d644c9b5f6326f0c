import { describe, expect, test } from 'vitest';
import { buildModel, createTrainer, dense, type Model, relu, VitrineError } from '../../../src/engine/index.ts';
import { ablateHead } from '../../../src/explain/attention/ablate-head.ts';
import type { AttentionMap } from '../../../src/explain/attention/attention-layers.ts';
import { attentionEntropy } from '../../../src/explain/attention/entropy.ts';
import { attentionRelevance, gradientAttention } from '../../../src/explain/attention/gradient-attention.ts';
import { meanAttentionDistance } from '../../../src/explain/attention/mean-distance.ts';
import { attentionRollout } from '../../../src/explain/attention/rollout.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { bits } from '../../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { bitsOf, examplesFor, goldenAttention, goldenModel, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

type Method = (model: Model, x: Float32Array, options?: { layer?: string }) => Promise<AttentionMap>;
const layer = VISION_LAYERS[1] as string;
const methods: [name: string, method: Method][] = [
  ['attentionWeights', attentionWeights],
  ['attentionEntropy', attentionEntropy],
  ['meanAttentionDistance', (model, x, options) => meanAttentionDistance(model, x, { layer, ...options })],
  ['attentionRollout', attentionRollout],
  ['gradientAttention', gradientAttention],
  ['attentionRelevance', attentionRelevance],
  ['ablateHead', (model, x, options) => ablateHead(model, x, { layer, ...options })],
];

async function refusalOf(promise: Promise<AttentionMap>): Promise<VitrineError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(VitrineError);
  return error as VitrineError;
}

describe.each(methods)('%s', (name, method) => {
  test('gives an example the same bits alone and among others, and again', async () => {
    const model = await vision(await testDevice());
    const rows = 9;
    const x = examplesFor(model, rows);
    const among = await valuesOf(method(model, x));
    const size = among.length / rows;
    for (const row of [0, 4, 8]) {
      const alone = await valuesOf(method(model, x.slice(row * 64, (row + 1) * 64)));
      expect(bitsOf(alone)).toEqual(bitsOf(among.slice(row * size, (row + 1) * size)));
    }
    expect(bitsOf(await valuesOf(method(model, x)))).toEqual(bitsOf(among));
    model.dispose();
  });

  test('refuses a model that does not attend, and says what can serve it', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [64], layers: [dense(4), relu(), dense(3)] });
    const error = await refusalOf(method(model, new Float32Array(64)));
    expect(error.code).toBe('unsupported-model');
    expect(error.message).toBe(
      `${name}: none of the model's layers attends (dense, relu, dense).\nTo mend: use integratedGradients or occlusion, which explain any model, or build one with selfAttention() or attentionPooling().`,
    );
    model.dispose();
  });

  test('refuses a layer that is none', async () => {
    const model = await vision(await testDevice());
    const error = await refusalOf(method(model, examplesFor(model, 1), { layer: 'dense_1' }));
    expect(error.code).toBe('unknown-name');
    expect(error.message).toBe(`${name}: no layer called 'dense_1' attends.\nTo mend: use one of ${VISION_LAYERS.join(', ')}.`);
    model.dispose();
  });

  test('ends when its signal says so', async () => {
    const model = await vision(await testDevice());
    const error = await refusalOf(method(model, examplesFor(model, 1), { signal: AbortSignal.abort() } as { layer?: string }));
    expect(error.code).toBe('aborted');
    model.dispose();
  });
});

describe('methods on attention', () => {
  test('refuse options that make no sense', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 1);
    const cases: [Promise<AttentionMap>, code: string, message: string][] = [
      [attentionWeights(model, x, { temperature: 0 }), 'invalid-option', 'attentionWeights: temperature is 0; it must be above 0.'],
      [attentionEntropy(model, x, { temperature: -1 }), 'invalid-option', 'attentionEntropy: temperature is -1; it must be above 0.'],
      [
        ablateHead(model, x, { layer, head: 2 }),
        'invalid-option',
        `ablateHead: ${layer} has no head 2; it has 2.\nTo mend: name a head from 0 to 1.`,
      ],
      [ablateHead(model, x, { layer, head: 0.5 }), 'invalid-option', `ablateHead: ${layer} has no head 0.5; it has 2.`],
      [ablateHead(model, x, { layer, head: [] }), 'invalid-option', 'ablateHead: there is no head to ablate.'],
      [
        ablateHead(model, x, { replacement: 'median' as 'mean' }),
        'invalid-option',
        "ablateHead: there is no replacement 'median'.\nTo mend: use 'zero' or 'mean'.",
      ],
      [ablateHead(model, x, { target: 3 }), 'label-out-of-range', 'ablateHead: target of example 0 is 3, but the model has 3 outputs'],
      [gradientAttention(model, x, { target: -1 }), 'label-out-of-range', 'gradientAttention: target of example 0 is -1'],
      [attentionRollout(model, x.slice(1)), 'shape-mismatch', 'The model takes examples of [8, 8, 1] (64 values) but got 63 values.'],
    ];
    for (const [promise, code, message] of cases) {
      const error = await refusalOf(promise);
      expect(error.message.startsWith(message), error.message).toBe(true);
      expect(error.code).toBe(code);
    }
    model.dispose();
  });

  test('that are about a class refuse a model that has none', async () => {
    const golden = goldenAttention.attention;
    const model = await goldenModel(await testDevice(), golden);
    const x = Float32Array.from(golden.x.data);
    for (const method of [gradientAttention, attentionRelevance, ablateHead]) {
      expect((await refusalOf(method(model, x))).code).toBe('unsupported-model');
    }
    model.dispose();
  });

  test('know the training step, and leave training to the bit as it is', async () => {
    const device = await testDevice();
    const data = {
      name: 'noise',
      size: 32,
      inputShape: [8, 8, 1],
      inputs: Float32Array.from(examplesFor({ spec: { inputShape: [64] } } as unknown as Model, 32)),
      labels: Uint32Array.from({ length: 32 }, (_, i) => i % 3),
    };
    const trained = async (explaining: boolean): Promise<Uint32Array> => {
      const model = await vision(device);
      const trainer = await createTrainer(model, { data, batchSize: 8 });
      for (let round = 1; round <= 4; round++) {
        const running = trainer.run(3);
        if (explaining)
          await Promise.all(methods.map(([, method]) => method(model, data.inputs.slice(0, 128)).then((map) => map.dispose())));
        await running;
        if (explaining) {
          const map = await attentionRollout(model, data.inputs.slice(0, 64));
          expect(map.step).toBe(3 * round);
          map.dispose();
        }
      }
      const result = await bits(model);
      trainer.dispose();
      model.dispose();
      return result;
    };
    expect(await trained(true)).toEqual(await trained(false));
  });

  test('a thousand times over, of varying numbers of examples, leave buffers and bytes bounded', async () => {
    const device = await testDevice();
    const model = await vision(device);
    const x = examplesFor(model, 8);
    const round = async (i: number): Promise<void> => {
      const [, method] = methods[i % methods.length] as [string, Method];
      const map = await method(model, x.slice(0, 64 * (1 + (i % 8))), { layer: VISION_LAYERS[i % 3] as string });
      map.dispose();
    };
    // Methods, layers and numbers of examples come round together every 168: the plans that are kept are then the same.
    for (let i = 0; i < 336; i++) await round(i);
    const { bytes, buffers } = device.memory;
    for (let i = 336; i < 1008; i++) await round(i);
    expect([device.memory.bytes, device.memory.buffers]).toEqual([bytes, buffers]);
    model.dispose();
  });
});
