import { describe, expect, test } from 'vitest';
import {
  attentionPooling,
  buildModel,
  columnTokens,
  defineLayer,
  dense,
  flatten,
  globalAverage,
  type Layer,
  selfAttention,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { reshape } from '../../../src/engine/ops/reshape.ts';
import { attentionRelevance } from '../../../src/explain/attention/gradient-attention.ts';
import { attentionRelevanceMap, attentionRolloutMap } from '../../../src/explain/attention/input-map.ts';
import { attentionRollout } from '../../../src/explain/attention/rollout.ts';
import type { Attribution } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { expectSameAloneAndAmongOthers } from '../promises.ts';
import { examplesFor, language, rowSums, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

async function mapOf(attribution: Promise<Attribution>): Promise<{ values: Float32Array; shape: readonly number[] }> {
  const found = await attribution;
  const values = await found.values.read();
  const { shape } = found.values;
  found.dispose();
  return { values, shape };
}

/** Patch of each pixel of an image [8, 8], of side 4. */
const patchOf = (pixel: number): number => 2 * Math.floor(pixel / 32) + Math.floor((pixel % 8) / 4);

describe('a map of attention over the input', () => {
  test('gives each pixel its part of what its patch has, pooled by attention', async () => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 3);
    for (const [overPixels, overTokens] of [
      [attentionRolloutMap, attentionRollout],
      [attentionRelevanceMap, attentionRelevance],
    ] as const) {
      const tokens = await valuesOf(overTokens(model, x, {}));
      const { values, shape } = await mapOf(overPixels(model, x));
      expect(shape).toEqual([3, 8, 8, 1]);
      const expected = Array.from({ length: 192 }, (_, i) => (tokens[4 * Math.floor(i / 64) + patchOf(i % 64)] as number) / 16);
      expectClose(values, expected, shape, 1e-6, overPixels.name);
    }
    for (const sum of rowSums((await mapOf(attentionRolloutMap(model, x))).values, 64)) expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
    model.dispose();
  });

  test('is the mean over the queries where all tokens are read alike, without what a token is to itself', async () => {
    const model = await vision(await testDevice(), { end: [globalAverage()] });
    const x = examplesFor(model, 2);
    const R = await valuesOf(attentionRelevance(model, x, { target: 1 }));
    const { values } = await mapOf(attentionRelevanceMap(model, x, { target: 1 }));
    const expected = Array.from({ length: 128 }, (_, i) => {
      const patch = patchOf(i % 64);
      let sum = -1;
      for (let query = 0; query < 4; query++) sum += R[16 * Math.floor(i / 64) + 4 * query + patch] as number;
      return sum / 4 / 16;
    });
    expectClose(values, expected, [128], 1e-6, 'relevance');
    expect(Math.min(...values)).toBeGreaterThan(-1e-6);
    model.dispose();
  });

  test('is had of columns, of tokens as they are given, and of token indices', async () => {
    const device = await testDevice();
    const columns = await buildModel(device, { inputShape: [6], layers: [columnTokens(4), attentionPooling(), dense(2)], seed: 1 });
    const x = examplesFor(columns, 2);
    const rolled = await mapOf(attentionRolloutMap(columns, x));
    expect(rolled.shape).toEqual([2, 6]);
    expectClose(rolled.values, await valuesOf(attentionRollout(columns, x)), [2, 6], 1e-6, 'columns');
    columns.dispose();
    const given = await buildModel(device, {
      inputShape: [5, 4],
      layers: [selfAttention({ heads: 2 }), attentionPooling(), dense(2)],
      seed: 1,
    });
    const tokens = examplesFor(given, 2);
    const parts = await valuesOf(attentionRollout(given, tokens));
    const spread = await mapOf(attentionRolloutMap(given, tokens));
    expectClose(
      spread.values,
      Array.from({ length: 40 }, (_, i) => (parts[Math.floor(i / 4)] as number) / 4),
      [2, 5, 4],
      1e-6,
      'given',
    );
    given.dispose();
    const model = await language(device);
    const sequence = await mapOf(attentionRelevanceMap(model, Uint32Array.of(1, 0, 3, 5, 2)));
    expect(sequence.shape).toEqual([1, 5]);
    model.dispose();
  });

  test('is the same bits alone and among others', async () => {
    const model = await vision(await testDevice());
    for (const method of [attentionRolloutMap, attentionRelevanceMap]) {
      await expectSameAloneAndAmongOthers(model, (x) => method(model, x));
    }
    model.dispose();
  });

  test('is about the class that is asked for', async () => {
    const model = await vision(await testDevice());
    for (const method of [attentionRolloutMap, attentionRelevanceMap]) {
      const map = await method(model, examplesFor(model, 2), { target: [0, 2] });
      expect(map.options).toEqual({ target: [0, 2], output: 'logit' });
      expect([...(await map.target.readUint32())]).toEqual([0, 2]);
      expect(map.output.shape).toEqual([2]);
      map.dispose();
    }
    model.dispose();
  });

  test('is refused where the tokens are no parts of the input', async () => {
    const cut = defineLayer({ kind: 'inputMapTestCut', build: (_context, x) => reshape(x, [x.shape[0] as number, 4, 8]) }) as unknown as (
      options: object,
    ) => Layer;
    const model = await buildModel(await testDevice(), {
      inputShape: [4, 4],
      layers: [flatten(), dense(32), cut({}), transformerBlock({ heads: 2 }), globalAverage(), dense(2)],
    });
    await expect(attentionRolloutMap(model, examplesFor(model, 1))).rejects.toThrow(
      'attentionRolloutMap: the 4 tokens are no parts of the input: something mixes it before.\nTo mend: use attentionRollout or attentionRelevance, whose values are about tokens, or integratedGradients.',
    );
    await expect(attentionRelevanceMap(model, examplesFor(model, 1))).rejects.toMatchObject({ code: 'unsupported-model' });
    model.dispose();
  });
});
