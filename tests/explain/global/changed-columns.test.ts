import { describe, expect, test } from 'vitest';
import { buildModel, dense, type Model, relu } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import { accumulatedLocalEffects } from '../../../src/explain/global/accumulated-local-effects.ts';
import { logitsOf } from '../../../src/explain/global/network-outputs.ts';
import { partialDependence } from '../../../src/explain/global/partial-dependence.ts';
import { permutationImportance } from '../../../src/explain/global/permutation-importance.ts';
import { deviationOf, meanInterval, meanOf, quantile, shareInterval, studentTail } from '../../../src/explain/global/statistics.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, linearModel, randomNetwork } from '../networks.ts';

failOnGpuErrors();

const column = (x: ArrayLike<number>, features: number, j: number): number[] =>
  Array.from({ length: x.length / features }, (_, i) => x[i * features + j] as number);
const covariance = (a: readonly number[], b: readonly number[]): number =>
  meanOf(a.map((value, i) => (value - meanOf(a)) * ((b[i] as number) - meanOf(b))));

/** Examples whose columns go together: x₁ is nearly x₀. */
function correlated(rows: number, features: number): Float32Array {
  const x = examplesOf(rows, features, 31);
  for (let i = 0; i < rows; i++) x[i * features + 1] = (x[i * features] as number) + 0.1 * (x[i * features + 1] as number);
  return x;
}

/** A network with a layer that is not affine first, so that nothing folds. */
async function unfolded(): Promise<Model> {
  return buildModel(await testDevice(), { inputShape: [5], layers: [relu(), dense(8, { activation: 'tanh' }), dense(3)], seed: 2 });
}

/** Makes a network take no notice of a column. */
async function without(model: Model, j: number): Promise<Model> {
  const [weight] = [...model.parameters.values()];
  const values = (await weight?.read()) as Float32Array;
  const units = weight?.shape[1] as number;
  weight?.write(values.map((value, i) => (Math.floor(i / units) === j ? 0 : value)));
  return model;
}

describe('statistics', () => {
  test('Student’s and Wilson’s intervals agree with published values', () => {
    // Tables of Student's t: P(|T| ≥ 2.776) = 0.05 at 4, P(|T| ≥ 2.262) at 9, P(|T| ≥ 12.706) at 1.
    for (const [t, freedom] of [
      [2.7764451, 4],
      [2.2621572, 9],
      [12.7062047, 1],
      [1.9623415, 1000],
    ] as const) {
      expect(studentTail(t, freedom)).toBeCloseTo(0.05, 6);
    }
    expect(studentTail(0, 5)).toBeCloseTo(1, 12);
    const { value, low, high } = meanInterval([1, 2, 3, 4, 5]);
    expect([value, high - value, value - low].map((each) => Number(each.toFixed(4)))).toEqual([3, 1.9632, 1.9632]);
    // R: binom::binom.wilson(8, 10) gives 0.4901625 to 0.9433178.
    const share = shareInterval(8, 10);
    expect([share.value, share.low, share.high].map((each) => Number(each.toFixed(6)))).toEqual([0.8, 0.490162, 0.943318]);
    expect(shareInterval(10, 10).high).toBe(1);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  });
});

describe('permutationImportance', () => {
  test('of a linear model is 2w²Var(x) + 2w Cov(r, x), within 4 standard errors', async () => {
    const { model, weight } = await linearModel(await testDevice(), 4, 1);
    const rows = 300;
    const x = correlated(rows, 4);
    const output = await logitsOf(model, x);
    const targets = Float32Array.from(output, (value, i) => value + normal(7, 1, 0, i) + 0.5 * (x[4 * i] as number));
    const residual = Array.from(targets, (target, i) => target - (output[i] as number));
    const { columns, base } = await permutationImportance(model, x, targets, { metric: 'meanSquaredError', repeats: 60 });
    expectClose([base], [meanOf(residual.map((r) => r * r))], [1], 1e-4, 'metric');
    columns.forEach(({ importance, repeats, names }, j) => {
      const w = weight[j] as number;
      const values = column(x, 4, j);
      const expected = 2 * w * w * covariance(values, values) + 2 * w * covariance(residual, values);
      expect(Math.abs(importance.value - expected)).toBeLessThan((4 * deviationOf(repeats)) / Math.sqrt(60) + 1e-6);
      expect(importance.low).toBeLessThan(importance.value);
      expect(names).toEqual([`x${j}`]);
    });
    model.dispose();
  });

  test.each(['folded', 'not folded'] as const)('a column that is not used is exactly 0, %s', async (which) => {
    const model = await without(
      which === 'folded' ? await randomNetwork(await testDevice(), { inputShape: [5], classes: 3 }) : await unfolded(),
      2,
    );
    const labels = Array.from({ length: 50 }, (_, i) => i % 3);
    for (const metric of ['crossEntropy', 'errorRate'] as const) {
      const { columns } = await permutationImportance(model, examplesOf(50, 5), labels, { metric });
      expect(columns[2]?.repeats).toEqual([0, 0, 0, 0, 0]);
      expect(columns.some(({ importance }) => importance.value !== 0)).toBe(true);
    }
    model.dispose();
  });

  test('permutes groups together: one group of every column changes whole examples, whose labels no longer fit', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [6], classes: 3 });
    const x = examplesOf(200, 6);
    const logits = await logitsOf(model, x);
    const labels = Array.from(
      { length: 200 },
      (_, i) => [0, 1, 2].sort((a, b) => (logits[3 * i + b] as number) - (logits[3 * i + a] as number))[0] as number,
    );
    const { columns, base } = await permutationImportance(model, x, labels, {
      metric: 'errorRate',
      groups: [[0, 1, 2, 3, 4, 5]],
      features: ['a', 'b', 'c', 'd', 'e', 'f'],
    });
    expect(base).toBe(0);
    // Dealt out anew, an example is right as often as two drawn at random agree.
    const shares = [0, 1, 2].map((c) => labels.filter((label) => label === c).length / 200);
    const disagreement = 1 - shares.reduce((sum, share) => sum + share * share, 0);
    expect(Math.abs((columns[0]?.importance.value as number) - disagreement)).toBeLessThan(0.1);
    expect(columns[0]?.names).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    model.dispose();
  });

  test('is the same twice, differs between seeds, and leaves memory as it was', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [5], classes: 3 });
    const labels = Array.from({ length: 40 }, (_, i) => i % 3);
    const of = (seed: number) => permutationImportance(model, examplesOf(40, 5), labels, { seed });
    const first = await of(1);
    const { bytes, buffers } = device.memory;
    expect(await of(1)).toEqual(first);
    expect((await of(2)).columns[0]?.repeats).not.toEqual(first.columns[0]?.repeats);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    model.dispose();
  });

  test('refuses another metric, a column that is not there, one in two groups, and ends when it is asked to', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], classes: 3 });
    const x = examplesOf(4, 5);
    const of = (options: object) => permutationImportance(model, x, [0, 1, 2, 0], options);
    await expect(of({ metric: 'auc' })).rejects.toThrow("permutationImportance: there is no metric 'auc'.");
    await expect(of({ groups: [5] })).rejects.toThrow('permutationImportance: there is no column 5; an example has 5.');
    await expect(of({ groups: [[1, 2], 2] })).rejects.toThrow('permutationImportance: column 2 is in two groups.');
    await expect(permutationImportance(model, x, [0, 1, 9, 0])).rejects.toMatchObject({ code: 'label-out-of-range' });
    await expect(of({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    model.dispose();
  });
});

describe('partialDependence', () => {
  test('is the mean of its ICE curves, and each curve is what predict gives for the changed example', async () => {
    for (const model of [await randomNetwork(await testDevice(), { inputShape: [5], classes: 3 }), await unfolded()]) {
      const x = examplesOf(20, 5);
      const [found] = await partialDependence(model, x, { columns: [3], points: 7, target: 1 });
      const { grid, mean, ice } = found as NonNullable<typeof found>;
      expect(grid).toHaveLength(7);
      for (let p = 0; p < 7; p++) {
        const changed = x.map((value, i) => (i % 5 === 3 ? (grid[p] as number) : value));
        const logits = await logitsOf(model, changed);
        const curve = Array.from({ length: 20 }, (_, i) => ice[i * 7 + p] as number);
        expectClose(curve, column(logits, 3, 1), [20], 1e-5, 'ICE');
        expectClose([mean[p] as number], [meanOf(curve)], [1], 1e-5, 'mean');
      }
      model.dispose();
    }
  });

  test('of a linear model has slope w, and parallel curves', async () => {
    const { model, weight } = await linearModel(await testDevice(), 4, 3);
    const found = await partialDependence(model, correlated(30, 4), { points: 11, target: 2 });
    for (const { column: j, grid, ice } of found) {
      for (let i = 0; i < 30; i++) {
        const slope = ((ice[i * 11 + 10] as number) - (ice[i * 11] as number)) / ((grid[10] as number) - (grid[0] as number));
        expectClose([slope], [weight[3 * j + 2] as number], [1], 1e-4, `column ${j}`);
      }
    }
    model.dispose();
  });

  test('tries the values that occur where they are few, and a grid between the quantiles where they are many', async () => {
    const { model } = await linearModel(await testDevice(), 2, 1);
    const x = Float32Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? (i / 2) % 3 : i));
    const [few, many] = await partialDependence(model, x, { points: 9 });
    expect(Array.from(few?.grid ?? [])).toEqual([0, 1, 2]);
    expect(many?.grid[0]).toBeCloseTo(
      quantile(
        Array.from({ length: 200 }, (_, i) => 2 * i + 1),
        0.05,
      ),
      4,
    );
    expect(many?.grid).toHaveLength(9);
    model.dispose();
  });

  test('of a probability stays within 0 and 1; refuses to guess the class', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [5], classes: 3 });
    const found = await partialDependence(model, examplesOf(10, 5), { target: 0, output: 'probability', points: 5 });
    expect(found).toHaveLength(5);
    for (const { ice } of found) expect(ice.every((value) => value > 0 && value < 1)).toBe(true);
    await expect(partialDependence(model, examplesOf(10, 5))).rejects.toThrow(
      'partialDependence: which of the 3 classes?\nTo mend: name one as target.',
    );
    await expect(partialDependence(model, examplesOf(10, 5), { target: 3 })).rejects.toMatchObject({ code: 'label-out-of-range' });
    await expect(partialDependence(model, examplesOf(10, 5), { target: 1, between: [1, 0] })).rejects.toMatchObject({
      code: 'invalid-option',
    });
    model.dispose();
  });
});

describe('accumulatedLocalEffects', () => {
  test('of a linear model has slope w even where columns go together, and its mean over the examples is 0', async () => {
    const { model, weight } = await linearModel(await testDevice(), 4, 3);
    const x = correlated(500, 4);
    for (const { column: j, edges, effect, counts } of await accumulatedLocalEffects(model, x, { bins: 12, target: 1 })) {
      expect(counts.reduce((a, b) => a + b, 0)).toBe(500);
      for (let k = 1; k < edges.length; k++) {
        const rise = (effect[k] as number) - (effect[k - 1] as number);
        const run = (edges[k] as number) - (edges[k - 1] as number);
        expect(Math.abs(rise - (weight[3 * j + 1] as number) * run)).toBeLessThan(1e-5 * Math.max(1, Math.abs(run)));
      }
      const mean = Array.from(counts).reduce((sum, n, k) => sum + (n * ((effect[k] as number) + (effect[k + 1] as number))) / 2 / 500, 0);
      expect(Math.abs(mean)).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  test('a column that is not used is flat, exactly; a column of one value has no effect', async () => {
    const model = await without(await randomNetwork(await testDevice(), { inputShape: [5], classes: 3 }), 1);
    const x = examplesOf(60, 5).map((value, i) => (i % 5 === 4 ? 7 : value));
    const found = await accumulatedLocalEffects(model, x, { columns: [1, 4, 0], target: 0 });
    expect(found[0]?.effect.every((value) => value === 0)).toBe(true);
    expect([found[1]?.edges.length, found[1]?.effect[0]]).toEqual([1, 0]);
    expect(found[2]?.effect.some((value) => value !== 0)).toBe(true);
    model.dispose();
  });

  test('is the same twice and leaves memory as it was', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [5], classes: 3 });
    const of = (bins: number) => accumulatedLocalEffects(model, examplesOf(60, 5), { target: 0, bins });
    const first = await of(8);
    await of(3);
    const { bytes, buffers } = device.memory;
    expect(await of(8)).toEqual(first);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    await expect(of(0)).rejects.toMatchObject({ code: 'invalid-option' });
    model.dispose();
  });
});
