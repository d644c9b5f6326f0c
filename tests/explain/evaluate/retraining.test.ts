import { describe, expect, test } from 'vitest';
import { shuffledLabels } from '../../../src/data/index.ts';
import { adam, buildModel, createTrainer, type Dataset, dense, softmax, type Trainer } from '../../../src/engine/index.ts';
import { mean } from '../../../src/explain/evaluate/ranks.ts';
import { dataRandomisation, deletion, inputMap, inputXGradient, roar, saliency } from '../../../src/explain/index.ts';
import { clusters } from '../../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';

failOnGpuErrors();

const take = (data: Dataset, first: number, count: number): Dataset => {
  const width = data.inputs.length / data.size;
  return {
    ...data,
    size: count,
    inputs: (data.inputs as Float32Array).slice(first * width, (first + count) * width),
    labels: (data.labels as Uint32Array).slice(first, first + count),
  };
};

/** 12 columns, of which clusters need a few; the rest is noise. */
const data = clusters(180, 12, 3, 4);
const train = take(data, 0, 120);
const test_ = take(data, 120, 60);

async function trained(on: Dataset, seed: number, epochs: number, hidden = 24): Promise<Trainer> {
  const model = await buildModel(await testDevice(), {
    inputShape: [12],
    layers: [dense(hidden, { activation: 'relu' }), dense(3), softmax()],
    seed,
  });
  const trainer = await createTrainer(model, { data: on, optimizer: adam({ learningRate: 0.01 }), batchSize: 20 });
  await trainer.fit({ epochs });
  return trainer;
}

const dispose = (...trainers: Trainer[]): void => {
  for (const trainer of trainers) {
    trainer.dispose();
    trainer.model.dispose();
  }
};

describe('data randomisation', () => {
  test('a network fits random labels, is at chance on others, and its deletion curves show no evidence', async () => {
    const random = shuffledLabels(train, 3);
    const [real, twin] = [await trained(train, 1, 20), await trained(random, 1, 400, 96)];
    expect((await twin.evaluate(random)).accuracy).toBeGreaterThan(0.9);
    expect(Math.abs((await twin.evaluate(test_)).accuracy - 1 / 3)).toBeLessThan(0.2);
    expect((await real.evaluate(test_)).accuracy).toBeGreaterThan(0.85);

    // How far the true class's probability falls from the whole input to none of it: the real network has that much evidence to lose, its twin none.
    const x = test_.inputs as Float32Array;
    const labels = test_.labels as Uint32Array;
    const evidence = async ({ model }: Trainer): Promise<number> => {
      const map = await inputXGradient(model, x, { target: labels });
      const { values, counts } = await deletion(model, x, map, { target: labels, output: 'probability', step: 1, randomOrders: 0 });
      map.dispose();
      const points = counts.length;
      return mean(Array.from(labels, (_, i) => (values[i * points] as number) - (values[(i + 1) * points - 1] as number)));
    };
    expect(await evidence(real)).toBeGreaterThan(0.4);
    expect(Math.abs(await evidence(twin))).toBeLessThan(0.2);

    const maps = await dataRandomisation(real.model, twin.model, x, saliency);
    const control = await dataRandomisation(real.model, twin.model, x, inputMap);
    expect(mean(control.signed)).toBeCloseTo(1, 6);
    expect(mean(maps.absolute)).toBeLessThan(0.6);
    const same = await dataRandomisation(real.model, real.model, x, saliency);
    expect(mean(same.absolute)).toBeCloseTo(1, 6);
    dispose(real, twin);
  });
});

describe('roar', () => {
  test('with nothing removed is the base accuracy, with everything the majority’s share, and a good map costs more than a random one', async () => {
    const trainer = await trained(train, 1, 20);
    const progress: number[] = [];
    const { base, majority, rows } = await roar(trainer.model, {
      train,
      test: test_,
      retrain: (on, seed) => trained(on, seed, 12),
      methods: { inputXGradient },
      shares: [0, 0.5, 1],
      retrainings: 2,
      onProgress: ({ done, total }) => progress.push(done / total),
    });
    const at = (method: string, share: number): number =>
      rows.find((row) => row.method === method && row.share === share)?.accuracy as number;
    expect(base).toBeGreaterThan(0.8);
    for (const method of ['inputXGradient', 'random']) {
      expect(at(method, 0)).toBe(base);
      expect(at(method, 1)).toBeLessThanOrEqual(majority + 1e-6);
    }
    expect(majority).toBeCloseTo(1 / 3, 6);
    expect(at('random', 0.5)).toBeLessThanOrEqual(base);
    expect(rows.map(({ method, share }) => `${method} ${share}`)).toEqual(
      ['random', 'inputXGradient'].flatMap((method) => [0, 0.5, 1].map((share) => `${method} ${share}`)),
    );
    expect(progress.at(-1)).toBe(1);
    dispose(trainer);
  });

  test('is the same for one seed, leaves no memory, and refuses what it cannot do', async () => {
    const device = await testDevice();
    const trainer = await trained(train, 1, 5);
    const options = {
      train,
      test: test_,
      retrain: (on: Dataset, seed: number) => trained(on, seed, 2),
      methods: { saliency },
      shares: [0.3],
      retrainings: 1,
    };
    const first = await roar(trainer.model, options);
    const { bytes, buffers } = device.memory;
    expect(await roar(trainer.model, options)).toEqual(first);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    await expect(roar(trainer.model, { ...options, shares: [1.5] })).rejects.toThrow('roar: a share is 1.5; shares lie between 0 and 1.');
    await expect(roar(trainer.model, { ...options, methods: { random: saliency } })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(roar(trainer.model, { ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    dispose(trainer);
  });
});
