import { describe, expect, test } from 'vitest';
import { buildModel, defineLayer, dense, type Model } from '../../../src/engine/index.ts';
import { square } from '../../../src/engine/ops/elementary.ts';
import { type Attribution, type SmoothGradOptions, saliency, smoothGrad, smoothGradSquared, varGrad } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function valuesOf(attribution: Promise<Attribution>): Promise<Float32Array> {
  const { values, dispose } = await attribution;
  const read = await values.read();
  dispose();
  return read;
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((total, value) => total + value * value, 0));

describe('smoothGrad', () => {
  // PAIR's squares by default; the sign is then lost.
  test('of a linear model is w, with its sign', async () => {
    const { model, weight } = await linearModel(await testDevice(), 7, 3);
    const expected = Array.from({ length: 14 }, (_, i) => weight[(i % 7) * 3 + 1] as number);
    expect(expected.some((w) => w < 0)).toBe(true);
    expectClose(await valuesOf(smoothGrad(model, examplesOf(2, 7), { target: 1 })), expected, [2, 7], 1e-5, 'values');
    model.dispose();
  });

  test('without noise is the gradient, to the bit', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const gradient = await valuesOf(saliency(model, x, { target: 1, signed: true }));
    expect(await valuesOf(smoothGrad(model, x, { target: 1, noise: 0, samples: 7 }))).toEqual(gradient);
    model.dispose();
  });

  test('errs by 1 / √n', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(8, 10);
    const truth = await valuesOf(smoothGrad(model, x, { target: 1, samples: 6400, seed: 1 }));
    const errorAt = async (samples: number): Promise<number> => {
      let total = 0;
      for (const seed of [2, 3, 4, 5]) {
        const values = await valuesOf(smoothGrad(model, x, { target: 1, samples, seed }));
        total += norm(values.map((value, i) => value - (truth[i] as number))) / norm(truth) / 4;
      }
      return total;
    };
    const [few, many] = [await errorAt(20), await errorAt(320)];
    // Sixteen times as many samples: a quarter of the error.
    expect(few / many).toBeGreaterThan(2.8);
    expect(few / many).toBeLessThan(5.6);
    model.dispose();
  });

  test('takes its noise from the range of each example: of x² the gradient varies by (2σ)²', async () => {
    const squares = defineLayer<object>({ kind: 'squareForSmoothGrad', build: (_context, x) => square(x) });
    const model = await buildModel(await testDevice(), { inputShape: [4], layers: [squares({}) as never, dense(1)] });
    model.parameters.get('dense_1/weight')?.write(Float32Array.of(1, 1, 1, 1));
    const x = Float32Array.of(0, 1, 0.5, 0.2, -3, 1, 5, 0);
    for (const noise of [0.15, 0.4]) {
      const variance = await valuesOf(varGrad(model, x, { noise, samples: 2000 }));
      const mean = await valuesOf(smoothGrad(model, x, { noise, samples: 2000 }));
      variance.forEach((value, i) => {
        const sigma = noise * (i < 4 ? 1 : 8);
        // Four standard errors of a variance and of a mean of 2000.
        expect(Math.abs(value / (4 * sigma * sigma) - 1)).toBeLessThan(4 * Math.sqrt(2 / 2000));
        expect(Math.abs((mean[i] as number) - 2 * (x[i] as number))).toBeLessThan((4 * 2 * sigma) / Math.sqrt(2000));
      });
    }
    model.dispose();
  });

  test('records what it was made with: 50 samples of 15 % of the range', async () => {
    const model = await randomNetwork(await testDevice());
    const attribution = await smoothGrad(model, examplesOf(1, 10), { target: 2 });
    expect(attribution.options).toEqual({ target: 2, output: 'logit', samples: 50, noise: 0.15, seed: 0 });
    attribution.dispose();
    model.dispose();
  });

  test('is linear in the target with the same noise', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const [a, b] = [await valuesOf(smoothGrad(model, x, { target: 2 })), await valuesOf(smoothGrad(model, x, { target: 0 }))];
    const contrast = await valuesOf(smoothGrad(model, x, { target: 2, against: 0 }));
    expectClose(
      contrast,
      a.map((value, i) => value - (b[i] as number)),
      [4, 10],
      1e-5,
      'contrast',
    );
    model.dispose();
  });
});

describe('varGrad', () => {
  test('of a linear model is 0', async () => {
    const { model } = await linearModel(await testDevice(), 7, 3);
    expectClose(await valuesOf(varGrad(model, examplesOf(2, 7), { target: 1 })), new Float32Array(14), [2, 7], 1e-5, 'values');
    model.dispose();
  });

  test.each([1, 10, 130])('is what smoothGradSquared has over the square of smoothGrad, of %d samples', async (samples) => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(4, 10);
    const of = (method: typeof smoothGrad) => valuesOf(method(model, x, { target: 1, samples, noise: 0.3 }));
    const [mean, squared, variance] = [await of(smoothGrad), await of(smoothGradSquared), await of(varGrad)];
    expectClose(
      squared,
      mean.map((value, i) => value * value + (variance[i] as number)),
      [4, 10],
      1e-5,
      'squares',
    );
    expect(Math.min(...variance)).toBeGreaterThanOrEqual(0);
    if (samples > 1) expect(Math.max(...variance)).toBeGreaterThan(0);
    model.dispose();
  });
});

describe.each(Object.entries({ smoothGrad, smoothGradSquared, varGrad }))('%s', (name, method) => {
  const of = (model: Model, x: Float32Array, options: SmoothGradOptions = {}) => method(model, x, { samples: 20, target: 1, ...options });

  test('takes its samples in slices to the same bits, and others with another seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(3, 10);
    const whole = await valuesOf(of(model, x));
    expect(await valuesOf(of(model, x, { budget: 4000 }))).toEqual(whole);
    expect(await valuesOf(of(model, x, { seed: 1 }))).not.toEqual(whole);
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice());
    await expectSameAloneAndAmongOthers(model, (x) => of(model, x));
    await expectSameTwice(model, (x) => of(model, x));
    model.dispose();
  });

  test('repeated with other noise, seeds and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    await expectBoundedMemory(model, (x, call) => of(model, x, { noise: 0.01 * call, seed: call, samples: 5 + (call % 2) }));
    model.dispose();
  });

  test('refuses no samples, negative noise and what is no seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await expect(method(model, x, { samples: 0 })).rejects.toThrow(`${name}: samples is 0; it must be a number at least 1.`);
    await expect(method(model, x, { noise: -0.1 })).rejects.toThrow(`${name}: noise is -0.1`);
    await expect(method(model, x, { seed: 1.5 })).rejects.toThrow(`${name}: seed is 1.5; it must be a whole number.`);
    model.dispose();
  });
});
