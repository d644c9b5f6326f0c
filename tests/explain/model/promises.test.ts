/** What the explanations of the whole promise together: identities against float64, bounded memory, errors with a remedy, the cost of watching. */

import { describe, expect, test } from 'vitest';
import { adam, buildModel, createTrainer, dense, type Model } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import {
  activationStatistics,
  classPrototypes,
  counterfactual,
  dataRandomisation,
  decisionField,
  gradientNoiseScale,
  hessianVectorProduct,
  linearCka,
  lossLandscape,
  partialDependence,
  saliency,
  sharpness,
  watchWeights,
} from '../../../src/explain/index.ts';
import { filterDirection } from '../../../src/explain/model/loss-landscape.ts';
import { clusters, smallModel } from '../../engine/fixtures.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const labelsOf = (rows: number, classes: number): number[] => Array.from({ length: rows }, (_, i) => (i * 5 + 1) % classes);

/** Gradient of the mean cross-entropy of a network of tanh layers, in float64 and in loops; parameters as [weight, bias] of each layer, flat. */
function gradientReference(parameters: readonly number[][], x: ArrayLike<number>, labels: readonly number[]): number[] {
  const depth = parameters.length / 2;
  const gradients = parameters.map(({ length }) => Array<number>(length).fill(0));
  labels.forEach((label, row) => {
    const features = x.length / labels.length;
    const layers = [Array.from({ length: features }, (_, i) => x[row * features + i] as number)];
    for (let l = 0; l < depth; l++) {
      const [weight, bias] = [parameters[2 * l] as number[], parameters[2 * l + 1] as number[]];
      const z = bias.map((b, j) => (layers[l] as number[]).reduce((sum, h, i) => sum + h * (weight[i * bias.length + j] as number), b));
      layers.push(l < depth - 1 ? z.map(Math.tanh) : z);
    }
    const logits = layers[depth] as number[];
    const largest = Math.max(...logits);
    const total = logits.reduce((sum, z) => sum + Math.exp(z - largest), 0);
    let upstream = logits.map((z, k) => (Math.exp(z - largest) / total - (k === label ? 1 : 0)) / labels.length);
    for (let l = depth - 1; l >= 0; l--) {
      const [weight, below] = [parameters[2 * l] as number[], layers[l] as number[]];
      const units = upstream.length;
      upstream.forEach((d, j) => {
        const [ofWeight, ofBias] = [gradients[2 * l] as number[], gradients[2 * l + 1] as number[]];
        ofBias[j] = (ofBias[j] as number) + d;
        below.forEach((h, i) => {
          ofWeight[i * units + j] = (ofWeight[i * units + j] as number) + d * h;
        });
      });
      upstream = below.map((h, i) => (1 - h * h) * upstream.reduce((sum, d, j) => sum + d * (weight[i * units + j] as number), 0));
    }
  });
  return gradients.flat();
}

describe('identities', () => {
  test('a Hessian-vector product is the central difference of the float64 gradient', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const [x, labels] = [examplesOf(12, 10), labelsOf(12, 4)];
    const parameters: number[][] = [];
    for (const tensor of model.parameters.values()) parameters.push(Array.from(await tensor.read()));
    const v = parameters.map(({ length }, k) => Array.from({ length }, (_, i) => Math.fround(normal(9, k, 0, i))));
    const names = [...model.parameters.keys()];
    const product = await hessianVectorProduct(
      model,
      x,
      labels,
      new Map(names.map((name, k) => [name, Float32Array.from(v[k] as number[])])),
    );
    const h = 1e-3;
    const at = (step: number): number[] =>
      gradientReference(
        parameters.map((values, k) => values.map((value, i) => value + step * (v[k]?.[i] as number))),
        x,
        labels,
      );
    const [above, below] = [at(h), at(-h)];
    const expected = above.map((value, i) => (value - (below[i] as number)) / (2 * h));
    const found = names.flatMap((name) => Array.from(product.get(name) as Float32Array));
    const length = Math.hypot(...expected);
    expect(length).toBeGreaterThan(0.1);
    expect(Math.hypot(...found.map((value, i) => value - (expected[i] as number)))).toBeLessThan(1e-4 * length);
    model.dispose();
  });

  test('each filter of a direction of the loss landscape is as long as the network’s, and biases do not move', async () => {
    const model = await randomNetwork(await testDevice());
    const direction = await filterDirection(model, 3, 1);
    expect([...direction.keys()]).toEqual([...model.parameters.keys()].filter((name) => name.endsWith('/weight')));
    for (const [name, tensor] of direction) {
      const units = tensor.shape.at(-1) as number;
      const lengths = (values: Float32Array): number[] =>
        Array.from({ length: units }, (_, j) => Math.hypot(...values.filter((_value, i) => i % units === j)));
      expectClose(lengths(await tensor.read()), lengths((await model.parameters.get(name)?.read()) as Float32Array), [units], 1e-5, name);
      tensor.dispose();
    }
    model.dispose();
  });
});

describe('memory', () => {
  const [x, labels] = [examplesOf(12, 10), labelsOf(12, 4)];
  const over = (model: Model) => new Map([...model.parameters].map(([name, { length }]) => [name, new Float32Array(length).fill(0.1)]));
  const ranges = [
    [-1, 1],
    [-1, 1],
  ] as const;
  const runs: Readonly<Record<string, (model: Model) => Promise<unknown>>> = {
    hessianVectorProduct: (model) => hessianVectorProduct(model, x, labels, over(model)),
    sharpness: (model) => sharpness(model, x, labels, { iterations: 5 }),
    gradientNoiseScale: (model) => gradientNoiseScale(model, x, labels, { small: 3 }),
    decisionField: (model) => decisionField(model, { columns: [0, 1], ranges, size: 7 }),
    activationStatistics: (model) => activationStatistics(model, x),
    linearCka: (model) => linearCka(model, x),
    partialDependence: (model) => partialDependence(model, x, { target: 0, points: 5 }),
    counterfactual: (model) => counterfactual(model, x.slice(0, 20)),
    dataRandomisation: (model) => dataRandomisation(model, model, x, (of, values, options) => saliency(of, values, options)),
  };

  test.each(Object.keys(runs))('is as it was after %s', async (name) => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const run = runs[name] as (typeof runs)[string];
    await run(model);
    const { bytes, buffers } = device.memory;
    for (let i = 0; i < 5; i++) await run(model);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    model.dispose();
  });
});

describe('what cannot be done is refused with a remedy', () => {
  const [x, labels] = [examplesOf(6, 10), labelsOf(6, 4)];
  const stopped = AbortSignal.abort();
  const refusals: readonly (readonly [string, string, (model: Model) => Promise<unknown>])[] = [
    ['sharpness of labels that are no classes', 'label-out-of-range', (model) => sharpness(model, x, [0, 1, 2, 3, 4, 0])],
    ['sharpness in no step', 'invalid-option', (model) => sharpness(model, x, labels, { iterations: 0 })],
    ['sharpness, stopped', 'aborted', (model) => sharpness(model, x, labels, { signal: stopped })],
    ['a landscape of too few labels', 'shape-mismatch', (model) => lossLandscape(model, x, [0, 1])],
    ['a landscape of no point', 'invalid-option', (model) => lossLandscape(model, x, labels, { size: 0 })],
    ['a landscape, stopped', 'aborted', (model) => lossLandscape(model, x, labels, { signal: stopped })],
    ['a noise scale of too few labels', 'shape-mismatch', (model) => gradientNoiseScale(model, x, [0, 1], { small: 2 })],
    ['prototypes in a layer that is not there', 'unknown-name', (model) => classPrototypes(model, x, { layer: 'nowhere' })],
    ['prototypes of too few labels', 'shape-mismatch', (model) => classPrototypes(model, x, { layer: 'input', labels: [0] })],
    ['statistics, stopped', 'aborted', (model) => activationStatistics(model, x, { signal: stopped })],
    ['likeness, stopped', 'aborted', (model) => linearCka(model, x, { signal: stopped })],
    ['examples of another shape', 'shape-mismatch', (model) => linearCka(model, x.slice(1))],
  ];

  test.each(refusals)('%s: %s', async (_what, code, ask) => {
    const model = await randomNetwork(await testDevice());
    // The model keeps the plans that it predicts with.
    await ask(model).catch(() => {});
    const { bytes } = model.device.memory;
    const refused = ask(model);
    await expect(refused).rejects.toMatchObject({ name: 'VitrineError', code });
    await expect(refused).rejects.toThrow(/\nTo mend: ./);
    expect(model.device.memory.bytes).toBe(bytes);
    model.dispose();
  });

  test('a watch of no step, of too many parts, of no look', async () => {
    const model = await smallModel(await testDevice());
    const trainer = await createTrainer(model, { data: clusters(32, 8, 3), optimizer: adam(), batchSize: 8 });
    for (const options of [{ every: 0 }, { parts: 65 }, { slots: 0 }]) {
      await expect(watchWeights(trainer, options)).rejects.toMatchObject({ code: 'invalid-option' });
    }
    trainer.dispose();
    model.dispose();
  });
});

describe('the cost of watching', () => {
  // Time is measured where the machine is quiet; what it is made of can be counted anywhere.
  test('every weight of the MNIST network at every step is a dispatch and a fourteenth a step, and neither submit, write nor map until it is read', async () => {
    const device = await testDevice();
    const callsOf = async (watched: boolean) => {
      const model = await buildModel(device, { inputShape: [784], layers: [dense(128, { activation: 'relu' }), dense(10)] });
      const trainer = await createTrainer(model, { data: clusters(64, 784, 10), optimizer: adam(), batchSize: 32 });
      const watch = watched ? await watchWeights(trainer) : undefined;
      const before = structuredClone(device.calls);
      await trainer.run(512);
      const kinds = ['dispatch', 'submit', 'writeBuffer', 'copyBuffer', 'mapAsync'] as const;
      const made = kinds.map((kind) => device.calls.engine[kind] + device.calls.explain[kind] - before.engine[kind] - before.explain[kind]);
      expect((await watch?.read())?.length).toBe(watched ? 512 : undefined);
      watch?.dispose();
      trainer.dispose();
      model.dispose();
      return made;
    };
    const [alone, watched] = [await callsOf(false), await callsOf(true)];
    const more = watched.map((calls, i) => calls - (alone[i] as number));
    // A look a step, two joins every thirty-second, four of the power iteration once in 512.
    expect(more).toEqual([512 + 2 * 16 + 4, 0, 0, 0, 0]);
  });
});
