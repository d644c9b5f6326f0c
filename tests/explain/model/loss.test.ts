import { describe, expect, test } from 'vitest';
import { buildModel, dense, type Model } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import { decisionField, gradientNoiseScale, hessianVectorProduct, lossLandscape, sharpness } from '../../../src/explain/index.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const labelsOf = (rows: number, classes: number): number[] => Array.from({ length: rows }, (_, i) => (i * 5 + 1) % classes);

/** A seeded vector over the parameters. */
const vectorOf = (model: Model, stream: number): Map<string, Float32Array> =>
  new Map([...model.parameters].map(([name, { length }]) => [name, Float32Array.from({ length }, (_, i) => normal(9, stream, 0, i))]));

const dot = (a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number =>
  [...a].reduce((total, [name, values]) => total + values.reduce((sum, value, i) => sum + value * (b.get(name)?.[i] as number), 0), 0);

const norm = (a: ReadonlyMap<string, Float32Array>): number => Math.sqrt(dot(a, a));

/** Gradient of the mean loss, after the parameters were moved by `step` along v. */
async function gradientAt(model: Model, x: Float32Array, labels: number[], v: ReadonlyMap<string, Float32Array>, step: number) {
  const before = await model.flatParameters.read();
  for (const [name, tensor] of model.parameters) {
    const values = await tensor.read();
    tensor.write(values.map((value, i) => value + step * (v.get(name)?.[i] as number)));
  }
  const { parameters, input } = await model.gradients(x, labels);
  const result = new Map<string, Float32Array>();
  for (const [name, gradient] of parameters) {
    result.set(name, await gradient.read());
    gradient.dispose();
  }
  input.dispose();
  model.flatParameters.write(before);
  return result;
}

describe('hessianVectorProduct', () => {
  test('is symmetric: u · Hv = v · Hu', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const [x, labels] = [examplesOf(12, 10), labelsOf(12, 4)];
    const [u, v] = [vectorOf(model, 1), vectorOf(model, 2)];
    const [hu, hv] = [await hessianVectorProduct(model, x, labels, u), await hessianVectorProduct(model, x, labels, v)];
    expect(Math.abs(dot(u, hv) - dot(v, hu))).toBeLessThan(1e-4 * Math.max(1, Math.abs(dot(u, hv))));
    model.dispose();
  });

  test('is the slope of the gradient along v', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const [x, labels] = [examplesOf(12, 10), labelsOf(12, 4)];
    const v = vectorOf(model, 3);
    const product = await hessianVectorProduct(model, x, labels, v);
    const h = 5e-3;
    const [above, below] = [await gradientAt(model, x, labels, v, h), await gradientAt(model, x, labels, v, -h)];
    let worst = 0;
    for (const [name, values] of product) {
      values.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - ((above.get(name)?.[i] as number) - (below.get(name)?.[i] as number)) / (2 * h)));
      });
    }
    // Float32 gradients on both sides: their rounding, divided by 2h, is the bound.
    expect(worst).toBeLessThan(5e-3 * norm(product));
    model.dispose();
  });

  test('refuses a vector that is not over the parameters', async () => {
    const model = await randomNetwork(await testDevice());
    await expect(hessianVectorProduct(model, examplesOf(2, 10), [0, 1], new Map())).rejects.toThrow(
      'hessianVectorProduct: v has no values for dense_1/weight, which has 120.',
    );
    model.dispose();
  });
});

describe('sharpness', () => {
  test('of a linear model with squared error is the largest eigenvalue of 2 XᵀX / n', async () => {
    const device = await testDevice();
    const { model } = await linearModel(device, 3, 1);
    const rows = 20;
    const x = examplesOf(rows, 3);
    const { eigenvalue, converged } = await sharpness(model, x, Array(rows).fill(0), {
      loss: 'meanSquaredError',
      iterations: 500,
      tolerance: 1e-7,
    });
    expect(converged).toBe(true);
    // With a column of ones for the bias.
    const column = (j: number): number[] => Array.from({ length: rows }, (_, i) => (j === 3 ? 1 : (x[3 * i + j] as number)));
    const hessian = [0, 1, 2, 3].map((a) =>
      [0, 1, 2, 3].map((b) => (2 / rows) * column(a).reduce((sum, value, i) => sum + value * (column(b)[i] as number), 0)),
    );
    let vector = [1, 1, 1, 1];
    let largest = 0;
    for (let i = 0; i < 2000; i++) {
      const product = hessian.map((row) => row.reduce((sum, value, j) => sum + value * (vector[j] as number), 0));
      largest = Math.sqrt(product.reduce((sum, value) => sum + value * value, 0));
      vector = product.map((value) => value / largest);
    }
    expect(Math.abs(eigenvalue - largest)).toBeLessThan(1e-3 * largest);
    model.dispose();
  });

  test('is what the product multiplies its eigenvector by, and the same twice', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh', hidden: [6] });
    const [x, labels] = [examplesOf(16, 10), labelsOf(16, 4)];
    const options = { iterations: 2000, tolerance: 1e-6 };
    const { eigenvalue, eigenvector } = await sharpness(model, x, labels, options);
    const product = await hessianVectorProduct(model, x, labels, eigenvector);
    expect(norm(eigenvector)).toBeCloseTo(1, 4);
    const off = new Map(
      [...product].map(([name, values]) => [name, values.map((value, i) => value - eigenvalue * (eigenvector.get(name)?.[i] as number))]),
    );
    expect(norm(off)).toBeLessThan(3e-2 * Math.abs(eigenvalue));
    expect((await sharpness(model, x, labels, options)).eigenvalue).toBe(eigenvalue);
    model.dispose();
  });
});

describe('lossLandscape', () => {
  test('has the network’s own loss in its middle, and the same values for one seed', async () => {
    const model = await randomNetwork(await testDevice());
    const [x, labels] = [examplesOf(10, 10), labelsOf(10, 4)];
    const { loss, parameters, input } = await model.gradients(x, labels);
    const { losses, steps, size } = await lossLandscape(model, x, labels, { size: 5 });
    expect([...steps]).toEqual([-1, -0.5, 0, 0.5, 1]);
    expect(losses[2 * size + 2]).toBe(loss);
    expect([...(await lossLandscape(model, x, labels, { size: 5 })).losses]).toEqual([...losses]);
    expect([...(await lossLandscape(model, x, labels, { size: 5, seed: 1 })).losses]).not.toEqual([...losses]);
    for (const tensor of [...parameters.values(), input]) tensor.dispose();
    model.dispose();
  });

  test('of a linear model with squared error is quadratic along each direction', async () => {
    const { model } = await linearModel(await testDevice(), 4, 1);
    const { losses, size } = await lossLandscape(model, examplesOf(15, 4), Array(15).fill(0.5), { loss: 'meanSquaredError', size: 7 });
    const scale = Math.max(...losses);
    for (let row = 0; row < size; row++) {
      for (let i = 0; i + 3 < size; i++) {
        const [a, b, c, d] = [0, 1, 2, 3].map((k) => losses[row * size + i + k] as number) as [number, number, number, number];
        expect(Math.abs(d - 3 * c + 3 * b - a)).toBeLessThan(1e-4 * scale);
      }
    }
    model.dispose();
  });

  test('changes no parameter and leaves no memory', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const before = await model.flatParameters.read();
    const [x, labels] = [examplesOf(6, 10), labelsOf(6, 4)];
    await lossLandscape(model, x, labels, { size: 3 });
    const { bytes, buffers } = device.memory;
    for (let i = 0; i < 5; i++) await lossLandscape(model, x, labels, { size: 3, seed: i });
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    expect([...(await model.flatParameters.read())]).toEqual([...before]);
    model.dispose();
  });
});

describe('gradientNoiseScale', () => {
  test('of identical examples is 0', async () => {
    const model = await randomNetwork(await testDevice());
    const one = examplesOf(1, 10);
    const x = Float32Array.from({ length: 160 }, (_, i) => one[i % 10] as number);
    const { noise, gradient, scale } = await gradientNoiseScale(model, x, Array(16).fill(2), { small: 2 });
    expect(Math.abs(noise)).toBeLessThan(1e-5 * Math.max(1, gradient));
    expect(Math.abs(scale)).toBeLessThan(1e-4);
    model.dispose();
  });

  test('is that of its formula, from the gradients of the batches', async () => {
    const model = await randomNetwork(await testDevice());
    const [x, labels] = [examplesOf(12, 10), labelsOf(12, 4)];
    const found = await gradientNoiseScale(model, x, labels, { small: 3 });
    const still = new Map([...model.parameters].map(([name, { length }]) => [name, new Float32Array(length)]));
    const squares = async (first: number, count: number): Promise<number> =>
      norm(await gradientAt(model, x.slice(10 * first, 10 * (first + count)), labels.slice(first, first + count), still, 0)) ** 2;
    let small = 0;
    for (const first of [0, 3, 6, 9]) small += (await squares(first, 3)) / 4;
    const large = await squares(0, 12);
    expect(found).toMatchObject({ small: 3, large: 12 });
    expect(found.gradient).toBeCloseTo((12 * large - 3 * small) / 9, 4);
    expect(found.noise).toBeCloseTo((small - large) / (1 / 3 - 1 / 12), 4);
    model.dispose();
  });

  test('refuses what makes no two batches', async () => {
    const model = await randomNetwork(await testDevice());
    await expect(gradientNoiseScale(model, examplesOf(3, 10), [0, 1, 2], { small: 2 })).rejects.toMatchObject({ code: 'invalid-option' });
    model.dispose();
  });
});

describe('decisionField', () => {
  test('holds in each cell what predict gives for its point, to the bit', async () => {
    const model = await buildModel(await testDevice(), {
      inputShape: [3],
      layers: [dense(8, { activation: 'tanh' }), dense(3, { activation: 'softmax' })],
      seed: 6,
    });
    const field = await decisionField(model, {
      columns: [2, 0],
      at: [0, 0.25, 0],
      ranges: [
        [-1, 1],
        [-2, 2],
      ],
      size: 9,
    });
    for (const [i, j] of [
      [0, 0],
      [4, 4],
      [3, 8],
    ] as const) {
      const point = Float32Array.of(field.second[j] as number, 0.25, field.first[i] as number);
      const predicted = await model.predict(point);
      const cell = j * 9 + i;
      expect([...field.output.slice(3 * cell, 3 * cell + 3)]).toEqual([...(await predicted.read())]);
      predicted.dispose();
    }
    expect(field.classes.length).toBe(81);
    await expect(
      decisionField(model, {
        columns: [1, 1],
        ranges: [
          [0, 1],
          [0, 1],
        ],
      }),
    ).rejects.toThrow('decisionField: both axes are column 1.');
    await expect(
      decisionField(model, {
        columns: [0, 3],
        ranges: [
          [0, 1],
          [0, 1],
        ],
      }),
    ).rejects.toMatchObject({ code: 'shape-mismatch' });
    model.dispose();
  });
});
