import { expect, test } from 'vitest';
import {
  attentionPooling,
  buildModel,
  createTrainer,
  dense,
  patches,
  positionalEmbedding,
  softmax,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { adam } from '../../../src/engine/optimizers.ts';
import { ablateHead } from '../../../src/explain/attention/ablate-head.ts';
import { attentionRelevance } from '../../../src/explain/attention/gradient-attention.ts';
import { attentionRelevanceMap, attentionRolloutMap } from '../../../src/explain/attention/input-map.ts';
import { attentionRollout } from '../../../src/explain/attention/rollout.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { patchMask } from '../../../src/explain/evaluate/evidence.ts';
import { pointingGame } from '../../../src/explain/evaluate/pointing-game.ts';
import { markedPatches } from '../../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { valuesOf } from './attention-networks.ts';

failOnGpuErrors();

/** The share of examples whose largest of four values is at the marked place. */
function found(values: Float32Array, places: Uint32Array): number {
  const right = [...places].filter((place, i) => {
    const row = [...values.slice(4 * i, 4 * i + 4)];
    return row.indexOf(Math.max(...row)) === place;
  });
  return right.length / places.length;
}

test.each([
  ['that pools patches', []],
  ['that mixes them in a block before', [transformerBlock({ heads: 2 })]],
])('a trained network %s is seen to attend to the one patch that tells the classes apart', async (_what, blocks) => {
  const model = await buildModel(await testDevice(), {
    inputShape: [8, 8, 1],
    layers: [patches(4), dense(8), positionalEmbedding(), ...blocks, attentionPooling(), dense(2), softmax()],
    seed: 1,
  });
  const trainer = await createTrainer(model, { data: markedPatches(256), batchSize: 32, optimizer: adam({ learningRate: 0.01 }) });
  await trainer.run(250);
  const fresh = markedPatches(128, 2);
  const { accuracy } = await trainer.evaluate(fresh);
  expect(accuracy).toBeGreaterThan(0.98);
  const x = fresh.inputs as Float32Array;
  for (const method of [attentionWeights, attentionRollout, attentionRelevance]) {
    expect(found(await valuesOf(method(model, x)), fresh.places), method.name).toBeGreaterThan(0.95);
  }
  const masks = [...fresh.places].flatMap((place) => [
    ...patchMask([8, 8, 1], { row: 4 * Math.floor(place / 2), column: 4 * (place % 2), size: 4 }),
  ]);
  for (const method of [attentionRolloutMap, attentionRelevanceMap]) {
    const map = await method(model, x);
    const hits = await pointingGame(map, masks);
    expect(hits.reduce((sum, hit) => sum + hit, 0) / fresh.size, method.name).toBeGreaterThan(0.95);
    map.dispose();
  }
  // All the network knows comes through the pooling head.
  const effects = await valuesOf(ablateHead(model, x, { target: fresh.labels }));
  expect([...effects].filter((effect) => effect > 0).length / fresh.size).toBeGreaterThan(0.95);
  trainer.dispose();
  model.dispose();
});
