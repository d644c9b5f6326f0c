import { describe, expect, test } from 'vitest';
import { buildModel, createTrainer, dense, type Model } from '../../../src/engine/index.ts';
import { linearCka } from '../../../src/explain/global/linear-cka.ts';
import { activationPca } from '../../../src/explain/model/activation-pca.ts';
import { activationStatistics } from '../../../src/explain/model/activation-statistics.ts';
import { modelAt } from '../../../src/explain/model/model-at.ts';
import { jacobi, leadingEigenvectors } from '../../../src/explain/model/moments.ts';
import { clusters, smallModel } from '../../engine/fixtures.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const column = (values: Float32Array, columns: number, j: number): number[] =>
  Array.from({ length: values.length / columns }, (_, i) => values[i * columns + j] as number);

async function activation(model: Model, x: Float32Array, layer: string): Promise<Float32Array> {
  const tensors = await model.activations(x);
  const values = await tensors.get(layer)?.read();
  for (const tensor of tensors.values()) tensor.dispose();
  return values as Float32Array;
}

/** A linear model y = x W, for layers that are known maps of the input. */
async function linear(weight: readonly number[], features: number): Promise<Model> {
  const model = await buildModel(await testDevice(), { inputShape: [features], layers: [dense(weight.length / features)] });
  model.parameters.get('dense_1/weight')?.write(Float32Array.from(weight));
  return model;
}

describe('activationStatistics', () => {
  // One chunk, a chunk and a bit, and one example.
  test.each([40, 700, 1])('agrees with float64 over %i examples', async (rows) => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [9], classes: 3 });
    const x = examplesOf(rows, 6);
    for (const { layer, units, ...whole } of await activationStatistics(model, x, { layers: ['input', 'activation/dense_1', 'logits'] })) {
      const values = layer === 'input' ? x : await activation(model, x, layer === 'logits' ? 'activation/dense_2' : layer);
      const each = units.map((_unit, j) => column(values, units.length, j));
      for (const [found, of] of [[whole, Array.from(values)] as const, ...units.map((unit, j) => [unit, each[j] as number[]] as const)]) {
        const mean = of.reduce((a, b) => a + b, 0) / of.length;
        const deviation = Math.sqrt(of.reduce((a, b) => a + (b - mean) ** 2, 0) / of.length);
        expectClose([found.mean, found.deviation], [mean, deviation], [2], 1e-5, layer);
        expect([found.least, found.greatest]).toEqual([Math.min(...of) + 0, Math.max(...of) + 0]);
        expect(found.zeros).toBe(of.filter((value) => value === 0).length / of.length);
      }
      expect(whole.dead).toBe(each.filter((unit) => unit.every((value) => value === 0)).length);
    }
    model.dispose();
  });

  test('biases of −1e6 give dead share 1, and nothing else does', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [9], classes: 3 });
    const before = await activationStatistics(model, examplesOf(300, 6));
    expect(before[0]?.deadShare).toBeLessThan(1);
    model.parameters.get('dense_1/bias')?.write(new Float32Array(9).fill(-1e6));
    const [hidden, output] = await activationStatistics(model, examplesOf(300, 6));
    expect([hidden?.dead, hidden?.deadShare, hidden?.zeros]).toEqual([9, 1, 1]);
    expect(output?.deadShare).toBe(0);
    model.dispose();
  });

  test('refuses a layer that is not there, by the names of those that are', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [9] });
    await expect(activationStatistics(model, examplesOf(2, 6), { layers: ['dense_1'] })).rejects.toThrow(
      "activationStatistics: the model has no layer output 'dense_1'.\nTo mend: use one of input, logits, ",
    );
    model.dispose();
  });
});

describe('eigenvectors', () => {
  test('of a small and of a larger matrix agree with what they are made of', () => {
    const { values } = jacobi([
      [2, 1],
      [1, 2],
    ]);
    expect(values.map((value) => Number(value.toFixed(12)))).toEqual([3, 1]);
    // A diagonal matrix under a reflection I − 2vvᵀ: its eigenvalues are the diagonal, its eigenvectors the reflection's columns.
    const n = 40;
    const v = Array.from({ length: n }, (_, i) => Math.sin(i + 1));
    const length = Math.hypot(...v);
    const reflection = (i: number, j: number): number => (i === j ? 1 : 0) - (2 * (v[i] as number) * (v[j] as number)) / length ** 2;
    const matrix = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      let total = 0;
      for (let k = 0; k < n; k++) total += reflection(i, k) * (n - k) * reflection(j, k);
      return total;
    });
    const found = leadingEigenvectors(matrix, n, 3);
    expectClose(found.values, [40, 39, 38], [3], 1e-8, 'values');
    found.vectors.forEach((vector, k) => {
      const along = vector.reduce((total, value, i) => total + value * reflection(i, k), 0);
      expect(Math.abs(Math.abs(along) - 1)).toBeLessThan(1e-6);
    });
  });
});

describe('activationPca', () => {
  test('components are orthonormal, variances descend and sum to the total, signs are fixed, projections have those variances', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [9], classes: 3, activation: 'tanh' });
    const rows = 800;
    const x = examplesOf(rows, 6);
    const { components, variances, totalVariance, projections, mean } = await activationPca(model, x, {
      layer: 'activation/dense_1',
      components: 9,
    });
    components.forEach((a, i) => {
      components.forEach((b, j) => {
        const along = a.reduce((total, value, k) => total + value * (b[k] as number), 0);
        expect(Math.abs(along - (i === j ? 1 : 0))).toBeLessThan(1e-5);
      });
      const largest = a.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
      expect(largest).toBeGreaterThan(0);
    });
    for (let k = 1; k < 9; k++) expect(variances[k]).toBeLessThanOrEqual(variances[k - 1] as number);
    expectClose([variances.reduce((a, b) => a + b)], [totalVariance], [1], 1e-5, 'total');
    const values = await activation(model, x, 'activation/dense_1');
    const expected = Array.from({ length: 9 }, (_, j) => column(values, 9, j).reduce((a, b) => a + b) / rows);
    expectClose(mean, expected, [9], 1e-5, 'mean');
    for (let k = 0; k < 9; k++) {
      const along = column(projections, 9, k);
      expectClose([along.reduce((a, b) => a + b * b, 0) / (rows - 1)], [variances[k] as number], [1], 1e-4, `variance of component ${k}`);
    }
    model.dispose();
  });

  test('finds the one direction that the data have', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [4], hidden: [5] });
    const x = Float32Array.from({ length: 400 }, (_, i) => Math.sin(Math.floor(i / 4)) * ([3, 0, -4, 0][i % 4] as number) + 1);
    const { components, variances, totalVariance } = await activationPca(model, x, { layer: 'input', components: 1 });
    expectClose(components[0] as Float64Array, [-0.6, 0, 0.8, 0], [4], 1e-5, 'component');
    expectClose([variances[0] as number], [totalVariance], [1], 1e-5, 'variance');
    model.dispose();
  });

  test('is the same twice, leaves memory as it was, refuses one example and too many components', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [6], hidden: [9] });
    const of = (rows: number, components = 2) => activationPca(model, examplesOf(rows, 6), { layer: 'activation/dense_1', components });
    const first = await of(50);
    const { bytes, buffers } = device.memory;
    expect(await of(50)).toEqual(first);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    await expect(of(1)).rejects.toThrow('activationPca: one example does not vary.\nTo mend: pass at least two.');
    await expect(of(5, 10)).rejects.toThrow('activationPca: 10 components of activation/dense_1, which has 9 values.');
    model.dispose();
  });
});

describe('linearCka', () => {
  test('of a layer with itself is 1, symmetric, and within [0, 1]', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], hidden: [9, 7], classes: 3 });
    const { layers, values } = await linearCka(model, examplesOf(700, 6));
    expect(layers).toHaveLength(3);
    values.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        if (i === j) expect(value).toBeGreaterThan(1 - 1e-6);
        expect(Math.abs(value - (values[j]?.[i] as number))).toBeLessThan(1e-6);
      });
    });
    model.dispose();
  });

  test('is invariant under rotation and scale, and not under every linear map', async () => {
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const rotation = [c, s, 0, -s, c, 0, 0, 0, 1];
    const x = examplesOf(300, 3);
    const of = async (weight: readonly number[]) => {
      const model = await linear(weight, 3);
      const { values } = await linearCka(model, x, { layers: ['input'], againstLayers: ['logits'] });
      model.dispose();
      return values[0]?.[0] as number;
    };
    expect(Math.abs((await of(rotation)) - 1)).toBeLessThan(1e-5);
    expect(Math.abs((await of(rotation.map((value) => 31 * value))) - 1)).toBeLessThan(1e-5);
    expect(await of([1, 0, 0, 0, 30, 0, 0, 0, 1])).toBeLessThan(0.8);
  });

  test('agrees with its formula in float64', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [4], hidden: [5], classes: 3 });
    const x = examplesOf(30, 4);
    const centred = (values: Float32Array, columns: number): number[][] => {
      const each = Array.from({ length: columns }, (_, j) => column(values, columns, j));
      return each.map((list) => list.map((value) => value - list.reduce((a, b) => a + b) / list.length));
    };
    const a = centred(x, 4);
    const b = centred(await activation(model, x, 'activation/dense_1'), 5);
    const square = (p: number[][], q: number[][]): number =>
      p
        .flatMap((u) => q.map((v) => u.reduce((sum, value, i) => sum + value * (v[i] as number), 0) ** 2))
        .reduce((sum, value) => sum + value, 0);
    const { values } = await linearCka(model, x, { layers: ['input'], againstLayers: ['activation/dense_1'] });
    expectClose([values[0]?.[0] as number], [square(a, b) / Math.sqrt(square(a, a) * square(b, b))], [1], 1e-5, 'CKA');
    model.dispose();
  });

  test('between training steps is 1 with a copy, and falls as the layer learns', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data: clusters(96, 8, 3), batchSize: 16 });
    const start = await modelAt(model);
    const x = examplesOf(100, 8);
    const layers = ['activation/dense_1'];
    const same = await linearCka(model, x, { layers, against: start });
    await trainer.run(150);
    const later = await linearCka(model, x, { layers, against: start });
    expect(same.values[0]?.[0]).toBeGreaterThan(1 - 1e-6);
    expect(later.values[0]?.[0]).toBeLessThan(0.99);
    const kept = await modelAt(model, await trainer.snapshot({ view: true }));
    expect(await kept.flatParameters.read()).toEqual(await model.flatParameters.read());
    await expect(modelAt(model, { parameters: new Float32Array(3) })).rejects.toMatchObject({ code: 'shape-mismatch' });
    for (const each of [start, kept]) each.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('refuses models of other inputs, and is NaN for a layer that does not vary', async () => {
    const device = await testDevice();
    const [a, b] = [await randomNetwork(device, { inputShape: [4] }), await randomNetwork(device, { inputShape: [5] })];
    await expect(linearCka(a, examplesOf(1, 4))).rejects.toThrow('linearCka: 1 example; how far examples lie apart takes two at least.');
    await expect(linearCka(a, examplesOf(3, 4), { against: b })).rejects.toThrow('linearCka: the models take [4] and [5].');
    const still = await linear([0, 0, 0, 0], 4);
    const { values } = await linearCka(still, examplesOf(9, 4), { layers: ['input'], againstLayers: ['logits'] });
    expect(values).toEqual([[Number.NaN]]);
    for (const model of [a, b, still]) model.dispose();
  });
});
