import { describe, expect, test } from 'vitest';
import { adam, createTrainer } from '../../src/engine/index.ts';
import {
  activationStatistics,
  integratedGradients,
  linearCka,
  modelAt,
  record,
  sharpness,
  weightReductions,
} from '../../src/explain/index.ts';
import { bits, clusters, smallModel } from '../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';

failOnGpuErrors();

const data = clusters(64, 8, 3);

async function training() {
  const model = await smallModel(await testDevice());
  return { model, trainer: await createTrainer(model, { data, optimizer: adam(), batchSize: 16 }) };
}

describe('record', () => {
  test('looks at the same examples every so many steps, from the step it begins at', async () => {
    const { model, trainer } = await training();
    await trainer.run(3);
    const recorder = await record(trainer, {
      every: 10,
      probe: { dataset: data, count: 4, seed: 2 },
      methods: ['saliency', 'integratedGradients'],
      options: { target: 1 },
      metrics: ['sparseness'],
      measures: { weight: async (seen) => (await seen.flatParameters.read()).reduce((sum, value) => sum + value * value, 0) },
    });
    await recorder.run(32);
    expect(recorder.records.map(({ step }) => step)).toEqual([3, 10, 20, 30]);
    expect(trainer.step).toBe(35);
    await recorder.look();
    const last = recorder.records.at(-1);
    expect(last?.step).toBe(35);
    const now = await integratedGradients(model, recorder.probe, { target: 1 });
    expect([...(last?.maps.get('integratedGradients') ?? [])]).toEqual([...(await now.values.read())]);
    expect([...(last?.outputs.get('integratedGradients') ?? [])]).toEqual([...(await now.output.read())]);
    expect([...(last?.maps.get('saliency') ?? [])]).not.toEqual([...(recorder.records[0]?.maps.get('saliency') ?? [])]);
    expect(last?.evaluation?.rows.map(({ method, metric }) => [method, metric])).toEqual([
      ['saliency', 'sparseness'],
      ['integratedGradients', 'sparseness'],
    ]);
    const weights = (await model.flatParameters.read()).reduce((sum, value) => sum + value * value, 0);
    expect(last?.measures.weight).toBe(weights);
    expect(recorder.share).toBeGreaterThan(0);
    expect(recorder.share).toBeLessThan(1);
    now.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('takes what explains the whole as a series: likeness to the beginning, sharpness, reductions, statistics', async () => {
    const { model, trainer } = await training();
    const start = await modelAt(model);
    const labels = Array.from({ length: 16 }, (_, i) => i % 3);
    const recorder = await record(trainer, {
      every: 20,
      probe: data.inputs.slice(0, 16 * 8) as Float32Array,
      measures: {
        likeness: async (seen, x) =>
          (await linearCka(seen, x, { against: start, layers: ['activation/dense_1'] })).values[0]?.[0] as number,
        sharpness: async (seen, x) => (await sharpness(seen, x, labels, { iterations: 10 })).eigenvalue,
        norms: async (seen) => [...(await weightReductions(seen, { bins: 0 })).values()].map(({ norm }) => norm),
        dead: async (seen, x) => (await activationStatistics(seen, x)).map(({ deadShare }) => deadShare),
      },
    });
    await recorder.run(60);
    const series = (name: string): unknown[] => recorder.records.map(({ measures }) => measures[name]);
    const likeness = series('likeness') as number[];
    expect(likeness).toHaveLength(4);
    expect(likeness[0]).toBeCloseTo(1, 5);
    expect(likeness.at(-1)).toBeLessThan(0.999);
    expect((series('sharpness') as number[]).every((value) => value > 0)).toBe(true);
    expect((series('norms') as number[][]).map(({ length }) => length)).toEqual([4, 4, 4, 4]);
    expect((series('dead') as number[][]).flat().every((share) => share >= 0 && share <= 1)).toBe(true);
    start.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('scores by the baseline that the methods take', async () => {
    const { model, trainer } = await training();
    const options = { baseline: 'mean', background: data, target: 0 } as const;
    const { records } = await record(trainer, {
      probe: { dataset: data, count: 4 },
      methods: ['deepLift'],
      options,
      metrics: ['completeness'],
    });
    for (const gap of records[0]?.evaluation?.rows[0]?.values ?? [null]) expect(gap).toBeLessThan(1e-3);
    trainer.dispose();
    model.dispose();
  });

  test('changes no bit of the training', async () => {
    const run = async (watched: boolean): Promise<number[]> => {
      const { model, trainer } = await training();
      if (watched) await (await record(trainer, { every: 7, probe: { dataset: data }, methods: ['saliency'] })).run(40);
      else await trainer.run(40);
      const result = [...(await bits(model))];
      trainer.dispose();
      model.dispose();
      return result;
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test('keeps so many looks and no more: then they are twice as far apart, and bytes stay', async () => {
    const device = await testDevice();
    const { model, trainer } = await training();
    const recorder = await record(trainer, { every: 1, probe: { dataset: data, count: 2 }, methods: ['saliency'], most: 8 });
    await recorder.run(10);
    const { bytes, buffers } = device.memory;
    await recorder.run(90);
    expect(recorder.records.length).toBeLessThanOrEqual(9);
    expect(recorder.every).toBe(16);
    expect(recorder.records.map(({ step }) => step)).toEqual([0, 16, 32, 48, 64, 80, 96]);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    trainer.dispose();
    model.dispose();
  });

  test('draws the same probe for one seed, and refuses more examples than there are and methods that are not', async () => {
    const { model, trainer } = await training();
    const probe = async (seed: number): Promise<number[]> => [
      ...(await record(trainer, { probe: { dataset: data, count: 3, seed } })).probe,
    ];
    expect(await probe(1)).toEqual(await probe(1));
    expect(await probe(1)).not.toEqual(await probe(2));
    await expect(record(trainer, { probe: { dataset: data, count: 65 } })).rejects.toThrow(
      'record: clusters has 64 examples; the probe asks for 65.\nTo mend: ask for fewer, or give another data set.',
    );
    await expect(record(trainer, { probe: { dataset: data }, methods: ['saliencey'] })).rejects.toMatchObject({ code: 'unknown-name' });
    await expect(record(trainer, { probe: { dataset: data }, every: 0 })).rejects.toMatchObject({ code: 'invalid-option' });
    trainer.dispose();
    model.dispose();
  });
});
