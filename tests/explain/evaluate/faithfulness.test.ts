import { describe, expect, test } from 'vitest';
import type { Dataset, Device, Model } from '../../../src/engine/index.ts';
import { normal, permute, streamOf, uniform } from '../../../src/engine/random.ts';
import {
  type Attribution,
  completeness,
  constantMap,
  faithfulnessCorrelation,
  infidelity,
  inputInvariance,
  inputMap,
  inputXGradient,
  integratedGradients,
  nonSensitivity,
  randomMap,
  saliency,
} from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { average, sum } from './statistics.ts';

failOnGpuErrors();

const gradient: typeof inputMap = (model, x, options) => saliency(model, x, { ...options, signed: true });

/** The gradient of a linear model, changed by a test. */
async function changed(model: Model, x: Float32Array, change: (value: number, i: number) => number, target = 1): Promise<Attribution> {
  const attribution = await gradient(model, x, { target });
  attribution.values.write((await attribution.values.read()).map(change));
  return attribution;
}

const [features, rows] = [8, 3];

async function linear(device: Device) {
  const { model, weight, bias } = await linearModel(device, features, 2);
  const w = Array.from({ length: features }, (_, i) => weight[2 * i + 1] as number);
  return { model, w, bias: bias[1] as number, x: examplesOf(rows, features) };
}

describe('completeness', () => {
  test('is 0 for integrated gradients of a linear model, 1 for a map of zeros, and what is missing otherwise', async () => {
    const { model, w, x } = await linear(await testDevice());
    const baseline = examplesOf(1, features, 9);
    const complete = await integratedGradients(model, x, { target: 1, baseline });
    for (const gap of await completeness(model, x, complete, { baseline })) expect(gap).toBeLessThan(1e-4);
    const nothing = await changed(model, x, () => 0);
    for (const gap of await completeness(model, x, nothing, { baseline })) expect(gap).toBe(1);
    const gaps = await completeness(model, x, await gradient(model, x, { target: 1 }), { baseline });
    gaps.forEach((gap, row) => {
      const difference = sum(w.map((value, i) => value * ((x[row * features + i] as number) - (baseline[i] as number))));
      expect(gap).toBeCloseTo(Math.abs(sum(w) - difference) / Math.abs(difference), 3);
    });
    model.dispose();
  });

  test('asks for the output that the attribution explains', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(4, 10);
    for (const options of [{ output: 'probability' }, { against: 0, target: 2 }, { output: 'logOdds', target: [0, 1, 2, 3] }] as const) {
      const attribution = await integratedGradients(model, x, options);
      for (const gap of await completeness(model, x, attribution)) expect(gap).toBeLessThan(5e-3);
    }
    model.dispose();
  });
});

describe('infidelity', () => {
  test.each(['noisyBaseline', 'gaussian', 'subsets'] as const)(
    'of a linear model is 0 for the gradient and what is lost for zeros (%s)',
    async (perturbation) => {
      const { model, x } = await linear(await testDevice());
      const options = { perturbation, draws: 500 };
      for (const score of await infidelity(model, x, await gradient(model, x, { target: 1 }), options)) expect(score).toBeLessThan(1e-9);
      const lost = await infidelity(model, x, await changed(model, x, () => 0), options);
      for (const score of lost) expect(score).toBeGreaterThan(1e-3);
      // Half the gradient foretells half of what is lost: a quarter of the square is left. Scaled as suits it best, nothing is.
      const half = await changed(model, x, (value) => value / 2);
      expectClose(
        await infidelity(model, x, half, options),
        Array.from(lost, (value) => value / 4),
        [rows],
        1e-4,
        perturbation,
      );
      for (const score of await infidelity(model, x, half, { ...options, optimalScaling: true })) expect(score).toBeLessThan(1e-9);
      model.dispose();
    },
  );

  test('under Gaussian noise is σ²‖φ − w‖², within four standard errors', async () => {
    const { model, x } = await linear(await testDevice());
    const draws = 4000;
    const other = await changed(model, x, (value, i) => value + (i % 3) - 1);
    const scores = await infidelity(model, x, other, { perturbation: 'gaussian', deviation: 0.3, draws });
    scores.forEach((score, row) => {
      const difference = sum(Array.from({ length: features }, (_, i) => (((row * features + i) % 3) - 1) ** 2));
      // A squared normal number has √2 times its mean as deviation.
      const expected = 0.09 * difference;
      expect(Math.abs(score - expected)).toBeLessThan((4 * Math.SQRT2 * expected) / Math.sqrt(draws));
    });
    model.dispose();
  });

  test('under Gaussian noise a map of zeros has σ²‖w‖², within four standard errors', async () => {
    const { model, w, x } = await linear(await testDevice());
    const draws = 4000;
    const scores = await infidelity(model, x, await changed(model, x, () => 0), { perturbation: 'gaussian', deviation: 0.3, draws });
    const expected = 0.09 * sum(w.map((value) => value ** 2));
    for (const score of scores) expect(Math.abs(score - expected)).toBeLessThan((4 * Math.SQRT2 * expected) / Math.sqrt(draws));
    model.dispose();
  });

  test.each(['noisyBaseline', 'gaussian', 'subsets'] as const)(
    'of a network is the mean that its formula gives in float64 (%s)',
    async (perturbation) => {
      const model = await tinyModel(await testDevice());
      const [x, draws, seed, stream] = [tiny.x as number[], 40, 6, streamOf('infidelity')];
      const attribution = await integratedGradients(model, x, { target: tiny.target });
      const phi = Array.from(await attribution.values.read());
      const output = (input: readonly number[]): number => {
        const hidden = tiny.b1.map((bias, j) =>
          Math.max(
            0,
            input.reduce((total, value, i) => total + value * (tiny.W1[i]?.[j] as number), bias),
          ),
        );
        return hidden.reduce((total, value, j) => total + value * (tiny.W2[j]?.[tiny.target] as number), tiny.b2[tiny.target] as number);
      };
      const drawn = (draw: number, i: number): number => {
        if (perturbation === 'subsets') return uniform(seed, stream, draw, i) < 0.5 ? (x[i] as number) : 0;
        const noise = 0.5 * normal(seed, stream, draw, i);
        return perturbation === 'gaussian' ? noise : (x[i] as number) - Math.min(1, Math.max(0, noise));
      };
      // The GPU's logarithm and cosine, which noise is made of, are 1e-4 off.
      const tolerance = perturbation === 'subsets' ? 1e-5 : 1e-3;
      const pairs = Array.from({ length: draws }, (_, draw) => {
        const taken = x.map((_value, i) => drawn(draw, i));
        const left = x.map((value, i) => value - (taken[i] as number));
        return { a: sum(taken.map((value, i) => value * (phi[i] as number))), d: output(x) - output(left) };
      });
      const beta = sum(pairs.map(({ a, d }) => a * d)) / sum(pairs.map(({ a }) => a * a));
      for (const [optimalScaling, factor] of [
        [false, 1],
        [true, beta],
      ] as const) {
        const [score] = await infidelity(model, x, attribution, { perturbation, deviation: 0.5, draws, seed, optimalScaling });
        const expected = average(pairs.map(({ a, d }) => (factor * a - d) ** 2));
        expect(Math.abs((score as number) - expected)).toBeLessThan(tolerance * Math.max(1, expected));
      }
      model.dispose();
    },
  );

  test('takes contributions for what they are: gradient × input is then the gradient', async () => {
    const { model, x } = await linear(await testDevice());
    const attribution = await inputXGradient(model, x, { target: 1 });
    for (const perturbation of ['noisyBaseline', 'gaussian', 'subsets'] as const) {
      const options = { perturbation, draws: 200 };
      for (const score of await infidelity(model, x, attribution, { ...options, unit: 'contribution' })) expect(score).toBeLessThan(1e-8);
      for (const score of await infidelity(model, x, attribution, options)) expect(score).toBeGreaterThan(1e-3);
    }
    model.dispose();
  });

  test.each([
    ['contribution', (difference: number) => difference],
    ['sensitivity', () => 1],
  ] as const)('with a data set as baseline takes the mean over its chosen examples, of a map of %s', async (unit, per) => {
    const model = await randomNetwork(await testDevice(), { inputShape: [features], activation: 'tanh' });
    const x = examplesOf(rows, features);
    const data: Dataset = { name: 'data', size: 7, inputShape: [features], inputs: examplesOf(7, features, 8) };
    const chosen = [0, 1, 2].map((k) => {
      const row = features * permute(k, 7, 4, streamOf('baselines'));
      return data.inputs.slice(row, row + features) as Float32Array;
    });
    const draws = 20;
    const hidden = (draw: number, i: number): boolean => uniform(4, streamOf('infidelity'), draw, i) < 0.5;
    /** Mean output over the chosen examples, of x with the elements of each draw at them. */
    const left = new Float64Array(rows * draws);
    for (const baseline of chosen) {
      const moved = Float32Array.from({ length: rows * draws * features }, (_, at) => {
        const [i, draw, row] = [at % features, Math.floor(at / features) % draws, Math.floor(at / features / draws)];
        return (hidden(draw, i) ? baseline[i] : x[row * features + i]) as number;
      });
      const logits = await model.logits(moved);
      (await logits.read()).forEach((value, at) => {
        if (at % 4 === 1) left[Math.floor(at / 4)] = (left[Math.floor(at / 4)] as number) + value / chosen.length;
      });
      logits.dispose();
    }
    const phi = examplesOf(rows, features, 12);
    const map = await changed(model, x, (_, i) => {
      const mean = average(chosen.map((baseline) => baseline[i % features] as number));
      return (phi[i] as number) * per((x[i] as number) - mean);
    });
    const output = await map.output.read();
    const expected = Array.from({ length: rows }, (_, row) =>
      average(
        Array.from({ length: draws }, (_, draw) => {
          const foretold = sum(
            Array.from({ length: features }, (_, i) => {
              const at = row * features + i;
              const mean = average(chosen.map((baseline) => baseline[i] as number));
              return hidden(draw, i) ? (phi[at] as number) * ((x[at] as number) - mean) : 0;
            }),
          );
          return (foretold - ((output[row] as number) - (left[row * draws + draw] as number))) ** 2;
        }),
      ),
    );
    const options = { baseline: data, baselines: 3, seed: 4, unit, perturbation: 'subsets', draws } as const;
    expectClose(Float32Array.from(await infidelity(model, x, map, options)), expected, [rows], 1e-4, 'infidelity');
    model.dispose();
  });

  test('blocks may come in any order: each is taken from the whole image', async () => {
    const { model, x } = await linear(await testDevice());
    const attribution = await gradient(model, x, { target: 1 });
    for (const groups of [
      [0, 0, 1, 1, 2, 2, 3, 3],
      [3, 3, 2, 2, 1, 1, 0, 0],
      [0, 1, 2, 3, 3, 2, 1, 0],
    ]) {
      for (const score of await infidelity(model, x, attribution, { perturbation: 'subsets', groups, draws: 50 }))
        expect(score).toBeLessThan(1e-9);
    }
    model.dispose();
  });

  test('an example has the same score alone and among others and in any number of runs, and the same for one seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(5, 10);
    for (const perturbation of ['noisyBaseline', 'gaussian', 'subsets'] as const) {
      const of = async (some: Float32Array, seed: number, budget?: number) =>
        infidelity(model, some, await inputXGradient(model, some, { target: 1 }), {
          perturbation,
          draws: 150,
          seed,
          ...(budget ? { budget } : {}),
        });
      const together = await of(x, 0);
      expect((await of(x.slice(20, 30), 0))[0]).toBe(together[2]);
      expect(await of(x, 0, 20_000)).toEqual(together);
      expect(await of(x, 1)).not.toEqual(together);
    }
    model.dispose();
  });

  test('refuses what it does not know', async () => {
    const { model, x } = await linear(await testDevice());
    const attribution = await gradient(model, x);
    await expect(infidelity(model, x, attribution, { perturbation: 'salt' as 'subsets' })).rejects.toThrow(
      "infidelity: there is no perturbation 'salt'.\nTo mend: use one of noisyBaseline, gaussian, subsets.",
    );
    await expect(infidelity(model, x, attribution, { draws: 0 })).rejects.toThrow('infidelity: draws is 0');
    await expect(infidelity(model, x.slice(features), attribution)).rejects.toMatchObject({ code: 'shape-mismatch' });
    model.dispose();
  });
});

describe('faithfulnessCorrelation', () => {
  test('of a linear model is 1 for contributions, −1 for their opposite, and 0 in the mean for random maps', async () => {
    const { model } = await linearModel(await testDevice(), 60, 2);
    const x = examplesOf(20, 60);
    const attribution = await inputXGradient(model, x, { target: 1 });
    for (const score of await faithfulnessCorrelation(model, x, attribution)) expect(score).toBeCloseTo(1, 6);
    attribution.values.write((await attribution.values.read()).map((value) => -3 * value));
    for (const score of await faithfulnessCorrelation(model, x, attribution)) expect(score).toBeCloseTo(-1, 6);
    // Maps differ, subsets do not: 20 nearly independent scores of deviation about √(1/100 + 1/59).
    const random = await faithfulnessCorrelation(model, x, await randomMap(model, x, { target: 1 }));
    expect(Math.abs(average(random))).toBeLessThan((4 * Math.sqrt(1 / 100 + 1 / 59)) / Math.sqrt(20));
    for (const score of await faithfulnessCorrelation(model, x, await constantMap(model, x, { target: 1 }))) expect(score).toBeNaN();
    model.dispose();
  });

  test('is the same folded and not, alone and among others, and refuses a subset larger than the input', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(4, 10);
    const of = async (some: Float32Array) => faithfulnessCorrelation(model, some, await inputXGradient(model, some, { target: 2 }));
    expect((await of(x.slice(30)))[0]).toBe((await of(x))[3]);
    await expect(faithfulnessCorrelation(model, x, await inputMap(model, x), { subsetSize: 11 })).rejects.toThrow(
      'faithfulnessCorrelation: subsetSize is 11; it must be a number between 1 and 10.',
    );
    model.dispose();
  });
});

describe('nonSensitivity', () => {
  test('counts what is given to unused elements, and used ones that get nothing', async () => {
    const { model, weight } = await linearModel(await testDevice(), 6, 2);
    const w = model.parameters.get('dense_1/weight');
    // Element 2 is not used by class 1, element 4 by neither.
    w?.write(Float32Array.from(weight, (value, i) => (i === 5 || i === 8 || i === 9 ? 0 : value)));
    const x = examplesOf(2, 6);
    const honest = await gradient(model, x, { target: 1 });
    expect(Array.from(await nonSensitivity(model, x, honest))).toEqual([0, 0]);
    expect(Array.from(await nonSensitivity(model, x, await constantMap(model, x, { target: 1 })))).toEqual([2, 2]);
    expect(Array.from(await nonSensitivity(model, x, await constantMap(model, x, { target: 0 })))).toEqual([1, 1]);
    honest.values.write(new Float32Array(12));
    expect(Array.from(await nonSensitivity(model, x, honest))).toEqual([4, 4]);
    model.dispose();
  });
});

describe('inputInvariance', () => {
  test('the gradient stays; gradient × input moves by m ⊙ ∇; integrated gradients stay when their baseline moves too', async () => {
    const model = await randomNetwork(await testDevice(), { before: [] });
    const x = examplesOf(3, 10);
    const shift = Array.from(examplesOf(1, 10, 31));
    for (const score of await inputInvariance(model, x, gradient, { shift, target: 1 })) expect(score).toBeLessThan(1e-4);
    const slopes = await (await gradient(model, x, { target: 1 })).values.read();
    const scores = await inputInvariance(model, x, inputXGradient, { shift, target: 1 });
    scores.forEach((score, row) => {
      const part = (of: (i: number) => number): number =>
        Math.hypot(...Array.from({ length: 10 }, (_, i) => of(i) * (slopes[row * 10 + i] as number)));
      expect(score).toBeCloseTo(part((i) => shift[i] as number) / part((i) => x[row * 10 + i] as number), 3);
    });
    for (const score of await inputInvariance(model, x, integratedGradients, { shift, target: 1 })) expect(score).toBeGreaterThan(0.05);
    let calls = 0;
    const moving: typeof inputMap = (of, rows, options) =>
      integratedGradients(of, rows, { ...options, baseline: calls++ === 0 ? 0 : shift });
    for (const score of await inputInvariance(model, x, moving, { shift, target: 1 })) expect(score).toBeLessThan(1e-3);
    model.dispose();
  });
});
