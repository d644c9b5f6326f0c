import { expect, test } from 'vitest';
import { clauses } from '../../src/data/clauses.ts';
import type { Dataset } from '../../src/engine/dataset.ts';
import { compileGather } from '../../src/engine/gather.ts';
import {
  adam,
  attentionPooling,
  buildModel,
  createTrainer,
  dense,
  embedding,
  type Layer,
  positionalEmbedding,
  residual,
  selfAttention,
} from '../../src/engine/index.ts';
import { residentData } from '../../src/engine/resident-data.ts';
import { makeState, STATE_WORDS } from '../../src/engine/training-state.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

/** Every bit pattern that a float would not keep: 0, small integers, which are denormal, and all ones. */
const INDICES = [0, 1, 2, 3, 100, 65535, 2 ** 23 - 1, 0x7fc00001, 0xffffffff];

test('token indices are gathered bit by bit', async () => {
  const device = await testDevice();
  const size = 5;
  const dataset: Dataset = {
    name: 'indices',
    size,
    inputShape: [INDICES.length],
    inputs: Uint32Array.from({ length: size * INDICES.length }, (_, i) => INDICES[(i + Math.floor(i / INDICES.length)) % INDICES.length]!),
    labels: Uint8Array.of(0, 1, 0, 1, 0),
  };
  const data = await residentData(device, dataset);
  const state = device.empty([STATE_WORDS], 'uint32', 'state');
  state.write(makeState({ rows: 3, batch: 4, cursor: 1, examples: size }));
  const x = device.empty([4, INDICES.length], 'uint32', 'x');
  const answer = device.empty([4], 'uint32', 'labels');
  const plan = await compileGather(device, data, { state, x, answer, shuffle: false, first: 0, owner: 'engine' });
  plan.run();
  const expected = [...dataset.inputs.subarray(INDICES.length, 4 * INDICES.length), ...INDICES.map(() => 0)];
  expect([...(await x.readUint32())]).toEqual(expected);
  plan.dispose();
  data.dispose();
  for (const tensor of [state, x, answer]) tensor.dispose();
});

const layersOf = (words: number): Layer[] => [
  embedding(words, 16),
  positionalEmbedding(),
  residual([selfAttention({ heads: 2 })]),
  attentionPooling(),
  dense(32, { activation: 'relu' }),
  dense(3, { activation: 'softmax' }),
];

test('a network that attends learns which words of a clause decide', async () => {
  const { train, test: held } = clauses();
  const device = await testDevice();
  const spec = { inputShape: train.inputShape, inputType: 'uint32' as const, layers: layersOf(train.vocabulary.length) };
  const model = await buildModel(device, spec);
  const trainer = await createTrainer(model, { data: train, loss: 'crossEntropy', optimizer: adam({ learningRate: 3e-3 }), batchSize: 32 });
  await trainer.run(3 * trainer.stepsPerEpoch);
  expect((await trainer.evaluate(held)).accuracy).toBeGreaterThan(0.95);
  trainer.dispose();
  model.dispose();
});

test('numbers for a model of tokens, and tokens for one of numbers, are refused', async () => {
  const device = await testDevice();
  const { train } = clauses({ train: 8, test: 3 });
  const numbers: Dataset = { ...train, name: 'numbers', inputs: Float32Array.from(train.inputs) };
  const cases = [
    [
      { inputShape: [24], inputType: 'uint32', layers: layersOf(train.vocabulary.length) },
      numbers,
      'numbers: inputs is float32 [8, 24]; it must be uint32.',
    ],
    [{ inputShape: [24], layers: [dense(3)] }, train, 'generated clauses: inputs is uint32 [8, 24]; it must be float32.'],
  ] as const;
  for (const [spec, data, message] of cases) {
    const model = await buildModel(device, spec);
    const refused = createTrainer(model, { data, loss: 'crossEntropy', optimizer: adam({ learningRate: 1e-3 }), batchSize: 4 });
    await expect(refused).rejects.toThrow(message);
    model.dispose();
  }
});
