import { describe, expect, test } from 'vitest';
import { uniform } from '../../../src/engine/random.ts';
import { type LimeOptions, lime } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

describe('lime', () => {
  test('without a penalty finds a linear model exactly, whatever the kernel, from n + 1 copies on; its intercept is f(x′)', async () => {
    const { model, weight, bias } = await linearModel(await testDevice(), 7, 3);
    const [x, baseline] = [examplesOf(2, 7), examplesOf(1, 7, 9)];
    const expected = Array.from(x, (value, i) => (value - (baseline[i % 7] as number)) * (weight[(i % 7) * 3 + 1] as number));
    const atBaseline = (bias[1] as number) + baseline.reduce((sum, value, i) => sum + value * (weight[3 * i + 1] as number), 0);
    for (const options of [{}, { fold: false }, { kernelWidth: 5, samples: 200 }, { kernelWidth: 0.1, samples: 300 }, { samples: 12 }]) {
      const found = await lime(model, x, { target: 1, baseline, regularization: 0, ...options });
      expectClose(await found.values.read(), expected, [2, 7], 1e-4, JSON.stringify(options));
      for (const e of [0, 1]) {
        expect(Math.abs((found.intercept[e] as number) - atBaseline)).toBeLessThan(1e-4);
        expect(Math.abs((found.rSquared[e] as number) - 1)).toBeLessThan(1e-9);
      }
      expect(found.delta).toBeUndefined();
      found.dispose();
    }
    model.dispose();
  });

  test('is the weighted ridge regression of its masked copies, with a free intercept', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [4], hidden: [6] });
    const x = examplesOf(1, 4);
    const found = await lime(model, x, { target: 2, samples: 40, regularization: 0.3, kernelWidth: 0.4, seed: 6, baseline: 0.2 });
    // The masks, outputs and weights again, and the normal equations of (w₀, w) solved by elimination.
    const { streamOf } = await import('../../../src/engine/random.ts');
    const masks = Array.from({ length: 40 }, (_, s) =>
      Array.from({ length: 4 }, (_, i) => (s === 0 || uniform(6, streamOf('lime'), s, i) < 0.5 ? 1 : 0)),
    );
    const logits = await (await model.logits(masks.flatMap((mask) => mask.map((kept, i) => (kept ? (x[i] as number) : 0.2))))).read();
    const y = masks.map((_, s) => logits[4 * s + 2] as number);
    const pi = masks.map((mask) => {
      const kept = mask.filter(Boolean).length;
      const cosine = kept === 0 ? 0 : kept / (Math.sqrt(kept) * Math.sqrt(4));
      return Math.sqrt(Math.exp(-((1 - cosine) ** 2) / 0.4 ** 2));
    });
    const rows = masks.map((mask) => [1, ...mask]);
    const system = Array.from({ length: 5 }, (_, i) => [
      ...Array.from({ length: 5 }, (_, j) =>
        rows.reduce((sum, row, s) => sum + (pi[s] as number) * (row[i] as number) * (row[j] as number), i === j && i > 0 ? 0.3 : 0),
      ),
      rows.reduce((sum, row, s) => sum + (pi[s] as number) * (row[i] as number) * (y[s] as number), 0),
    ]);
    for (let k = 0; k < 5; k++) {
      for (let i = 0; i < 5; i++) {
        if (i === k) continue;
        const factor = (system[i]?.[k] as number) / (system[k]?.[k] as number);
        system[i] = (system[i] as number[]).map((value, j) => value - factor * (system[k]?.[j] as number));
      }
    }
    const [w0, ...w] = system.map((row, i) => (row[5] as number) / (row[i] as number)) as [number, ...number[]];
    expectClose(await found.groupValues.read(), w, [4], 1e-5, 'weights');
    expect(Math.abs((found.intercept[0] as number) - w0)).toBeLessThan(1e-5);
    const middle = y.reduce((sum, value, s) => sum + (pi[s] as number) * value, 0) / pi.reduce((a, b) => a + b, 0);
    const fitted = masks.map((mask) => mask.reduce((sum, kept, i) => sum + kept * (w[i] as number), w0));
    const missed = y.reduce((sum, value, s) => sum + (pi[s] as number) * (value - (fitted[s] as number)) ** 2, 0);
    const variance = y.reduce((sum, value, s) => sum + (pi[s] as number) * (value - middle) ** 2, 0);
    expect(Math.abs((found.rSquared[0] as number) - (1 - missed / variance))).toBeLessThan(1e-5);
    expect(found.rSquared[0]).toBeLessThan(0.999);
    model.dispose();
  });

  test('has the authors’ defaults, and records them', async () => {
    const model = await randomNetwork(await testDevice());
    const { options } = await lime(model, examplesOf(1, 10), { target: 1 });
    expect(options).toEqual({
      target: 1,
      output: 'logit',
      groups: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      samples: 1000,
      kernelWidth: 0.25,
      regularization: 1,
      seed: 0,
      fold: true,
      baseline: 0,
    });
    model.dispose();
  });

  test('is linear in the target, and R² of a constant output is 1', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(2, 10);
    const of = async (options: LimeOptions) => (await lime(model, x, options)).groupValues.read();
    const [a, b] = [await of({ target: 2 }), await of({ target: 0 })];
    const expected = a.map((value, i) => value - (b[i] as number));
    expectClose(await of({ target: 2, against: 0 }), expected, [2, 10], 1e-5, 'contrast');
    const same = await lime(model, x, { target: 1, against: 1 });
    expect(Array.from(same.rSquared)).toEqual([1, 1]);
    expect((await same.groupValues.read()).every((value) => value === 0)).toBe(true);
    model.dispose();
  });

  test('is the same bits alone and among others, and twice; repeated runs leave memory bounded', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [12], hidden: [8] });
    for (const fold of [true, false]) {
      await expectSameAloneAndAmongOthers(model, (x) => lime(model, x, { target: 1, fold, samples: 100 }));
      await expectSameTwice(model, (x) => lime(model, x, { fold, samples: 100, seed: 7 }));
    }
    await expectBoundedMemory(model, (x, i) => lime(model, x, { samples: i % 2 === 0 ? 60 : 100, fold: i % 4 < 2 }));
    model.dispose();
  });

  test('refuses no samples, too few without a penalty, and a kernel without width', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    const of = (options: LimeOptions) => expect(lime(model, x, options)).rejects;
    await of({ samples: 0 }).toThrow('lime: samples is 0; it must be a number at least 2.');
    await of({ samples: 1 }).toMatchObject({ code: 'invalid-option' });
    await of({ samples: 8, regularization: 0 }).toThrow(
      'lime: 8 masked copies do not determine the weights of 10 groups.\nTo mend: draw more samples, or leave regularization above 0.',
    );
    await of({ kernelWidth: 0 }).toMatchObject({ code: 'invalid-option' });
    await of({ regularization: -1 }).toThrow('lime: regularization is -1; it must be a number at least 0.');
    await of({ groups: [0, 0, 1] }).toThrow('lime: the groups have 3 elements, but an example of [10] has 10.');
    model.dispose();
  });
});
