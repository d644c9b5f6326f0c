import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMnist, plantPatch, take } from '../../../src/data/index.ts';
import { adam, buildModel, createTrainer, type Dataset, dense, flatten, type Model } from '../../../src/engine/index.ts';
import {
  type Evaluation,
  evaluate,
  inputXGradient,
  integratedGradients,
  lrp,
  patchMask,
  pointingGame,
  randomMap,
  relevanceMass,
} from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { average } from './statistics.ts';

failOnGpuErrors();

/** The class that the patch goes with, and where it is. */
const CLASS = 3;
const patch = { size: 4, row: 22, column: 2 };
const mask = patchMask([28, 28, 1], patch);
/** Share of the image that the patch takes: what pointing at random scores. */
const CHANCE = 16 / 784;
const ROWS = 24;

/** Trained where the patch goes with the class, and where half of all images have it, whatever they show: there it tells nothing. */
let misled: Model;
let honest: Model;
/** Test images of other classes with the patch put in. */
let x: Float32Array;

async function trained(data: Dataset): Promise<Model> {
  const device = await testDevice();
  const model = await buildModel(device, {
    inputShape: [28, 28, 1],
    layers: [flatten(), dense(48, { activation: 'relu' }), dense(10)],
    seed: 1,
  });
  const trainer = await createTrainer(model, { data, optimizer: adam(), batchSize: 32 });
  await trainer.fit({ epochs: 3 });
  trainer.dispose();
  return model;
}

beforeAll(async () => {
  const { train, test: held } = await loadMnist();
  const some = take(train, 0, 4000);
  misled = await trained(plantPatch(some, { class: CLASS, probability: 0.95, ...patch }));
  honest = await trained(plantPatch(some, { class: CLASS, probability: 0.5, otherwise: 0.5, ...patch }));
  const others = plantPatch(take(held, 0, 200), { class: CLASS, probability: 0, otherwise: 1, ...patch });
  const rows = Array.from(others.labels ?? [])
    .flatMap((label, i) => (label === CLASS ? [] : [i]))
    .slice(0, ROWS);
  x = Float32Array.from(rows.flatMap((row) => Array.from(others.inputs.subarray(row * 784, (row + 1) * 784), (byte) => byte / 255)));
});

afterAll(() => {
  misled.dispose();
  honest.dispose();
});

const shareOfClass = async (model: Model): Promise<number> => {
  const logits = await (await model.logits(x)).read();
  const predicted = Array.from({ length: ROWS }, (_, row) => {
    const own = logits.subarray(row * 10, (row + 1) * 10);
    return own.indexOf(Math.max(...own));
  });
  return predicted.filter((label) => label === CLASS).length / ROWS;
};

describe('a planted shortcut', () => {
  test('is what the network goes by: it takes other digits with the patch for the class', async () => {
    expect(await shareOfClass(misled)).toBeGreaterThan(0.8);
    expect(await shareOfClass(honest)).toBeLessThan(0.2);
  });

  test.each([
    ['integrated gradients', integratedGradients],
    ['gradient × input', inputXGradient],
    ['LRP', lrp],
  ] as const)('is found by %s, as the pointing game says', async (_name, method) => {
    const found = await method(misled, x, { target: CLASS });
    expect(average(await pointingGame(found, mask))).toBeGreaterThan(0.9);
    expect(average(await relevanceMass(found, mask))).toBeGreaterThan(8 * CHANCE);
    // The same images, a network for which the patch means nothing: the map is about the digit.
    const absent = await method(honest, x, { target: CLASS });
    expect(average(await pointingGame(absent, mask))).toBeLessThan(0.3);
    expect(average(await relevanceMass(absent, mask))).toBeLessThan(average(await relevanceMass(found, mask)) / 2);
    found.dispose();
    absent.dispose();
  });

  test('is found by random maps only by chance', async () => {
    const maps = await randomMap(misled, x, { target: CLASS });
    expect(average(await pointingGame(maps, mask))).toBeLessThanOrEqual(CHANCE + 4 * Math.sqrt(CHANCE / ROWS));
    expect(Math.abs(average(await relevanceMass(maps, mask)) - CHANCE)).toBeLessThan(0.01);
    maps.dispose();
  });

  test('decides whom to believe: the evaluation ranks the methods that find it first and guided backpropagation last', async () => {
    const result: Evaluation = await evaluate(
      misled,
      x,
      ['integratedGradients', 'lrp', 'saliency', 'guidedBackprop'],
      ['pointingGame', 'relevanceMass', 'deletion', 'modelRandomisation'],
      {
        target: CLASS,
        mask,
      },
    );
    const pointing = (method: string) => result.rows.find((row) => row.method === method && row.metric === 'pointingGame')?.mean as number;
    expect(pointing('integratedGradients')).toBeGreaterThan(0.9);
    expect(pointing('constantMap')).toBeCloseTo(CHANCE, 12);
    expect(result.verdict[0]?.code).toBe('believe');
    expect([result.step, result.lastStep]).toEqual([375, undefined]);
    const order = result.ranking.map(({ method }) => method);
    expect(order.slice(0, 2).sort()).toEqual(['integratedGradients', 'lrp']);
    expect(order.at(-1)).toBe('guidedBackprop');
    expect(result.verdict).toContainEqual(
      expect.objectContaining({
        code: 'no-better-than-control',
        parameters: { method: 'guidedBackprop', control: 'inputMap', metrics: ['relevanceMass'], of: 3 },
      }),
    );
  });
});
