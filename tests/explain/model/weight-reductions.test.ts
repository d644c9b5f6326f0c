import { describe, expect, test } from 'vitest';
import { createTrainer, sgd } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import { type TensorReductions, watchWeights, weightReductions } from '../../../src/explain/model/weight-reductions.ts';
import { clusters, smallModel } from '../../engine/fixtures.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { randomNetwork } from '../networks.ts';

failOnGpuErrors();

/** The largest singular value, by a power iteration in float64 that goes on until it stands still. */
function spectralNorm(w: ArrayLike<number>, columns: number): number {
  let v = Array.from({ length: columns }, (_, i) => normal(1, 1, 1, i));
  let sigma = 0;
  for (let k = 0; k < 20_000; k++) {
    const length = Math.hypot(...v);
    v = v.map((value) => value / length);
    const u = Array<number>(columns).fill(0);
    for (let row = 0; row < w.length / columns; row++) {
      let z = 0;
      for (let c = 0; c < columns; c++) z += (w[row * columns + c] as number) * (v[c] as number);
      for (let c = 0; c < columns; c++) u[c] = (u[c] as number) + z * (w[row * columns + c] as number);
    }
    const next = Math.sqrt(Math.hypot(...u));
    if (Math.abs(next - sigma) <= 1e-14 * next) return next;
    sigma = next;
    v = u;
  }
  return sigma;
}

function expectReductions(actual: TensorReductions, w: Float32Array, what: string): void {
  const values = Array.from(w);
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
  const close = (value: number, reference: number, name: string): void => expectClose([value], [reference], [1], 1e-5, `${what}: ${name}`);
  close(actual.norm, Math.hypot(...values), 'norm');
  close(
    actual.absoluteSum,
    values.reduce((a, b) => a + Math.abs(b), 0),
    'absolute sum',
  );
  close(actual.mean, mean, 'mean');
  close(actual.deviation, Math.sqrt(variance), 'deviation');
  expect([actual.least, actual.greatest, actual.largest]).toEqual([
    Math.min(...values),
    Math.max(...values),
    Math.max(...values.map(Math.abs)),
  ]);
  const zeros = values.filter((value) => value === 0).length;
  expect([actual.zeros, actual.sparsity, actual.notFinite, actual.length]).toEqual([zeros, zeros / n, 0, n]);
}

const inDevice = async (values: Float32Array, shape: readonly number[]) => (await testDevice()).tensor(values, shape, 'w');

/** The reductions of one tensor of its own. */
async function reductionsOf(
  values: Float32Array,
  shape: readonly number[],
  options: Parameters<typeof weightReductions>[1] = {},
): Promise<TensorReductions> {
  const model = await randomNetwork(await testDevice());
  const tensor = await inDevice(values, shape);
  const found = await weightReductions(model, { ...options, tensors: new Map([['w', tensor]]) });
  tensor.dispose();
  model.dispose();
  return found.get('w') as TensorReductions;
}

const randomValues = (n: number, stream = 1): Float32Array => Float32Array.from({ length: n }, (_, i) => normal(4, stream, 0, i));

describe('weightReductions', () => {
  // One value, fewer than a quad, no multiple of four, pieces of 4, 16 and 64 rows, a convolution's four axes.
  test.each([[[1]], [[3]], [[4097]], [[1, 1]], [[5, 3]], [[65, 10]], [[37, 64]], [[9, 515]], [[3, 3, 2, 8]]])(
    'agrees with float64 on %j',
    async (shape) => {
      const values = randomValues(shape.reduce((a, b) => a * b, 1));
      values[Math.floor(values.length / 2)] = 0;
      const found = await reductionsOf(values, shape);
      expectReductions(found, values, JSON.stringify(shape));
      if (shape.length < 2) {
        expect(found.stableRank).toBeUndefined();
        expect(found.importance).toBeUndefined();
        return;
      }
      const columns = shape.at(-1) as number;
      const rows = Array.from({ length: values.length / columns }, (_, row) =>
        values.slice(row * columns, (row + 1) * columns).reduce((sum, value) => sum + Math.abs(value), 0),
      );
      expectClose(found.importance as Float32Array, rows, [rows.length], 1e-5, 'importance');
    },
  );

  test('counts every value once, in the bins of a float32 reference', async () => {
    const values = randomValues(5000);
    for (const bins of [1, 64, 100]) {
      const { histogram } = await reductionsOf(values, [50, 100], { bins });
      const counts = Array.from(histogram?.counts ?? []);
      expect(counts.reduce((a, b) => a + b, 0)).toBe(5000);
      const [from, to] = [Math.min(...values), Math.max(...values)];
      const expected = Array<number>(bins).fill(0);
      // A value within rounding of an edge may be in either bin.
      let doubtful = 0;
      for (const value of values) {
        const at = ((value - from) * bins) / (to - from);
        const bin = Math.min(Math.floor(at), bins - 1);
        if (Math.abs(at - Math.round(at)) < 1e-4) doubtful += 1;
        expected[bin] = (expected[bin] as number) + 1;
      }
      const moved = counts.reduce((sum, count, i) => sum + Math.abs(count - (expected[i] as number)), 0);
      expect(moved).toBeLessThanOrEqual(2 * doubtful);
      expect([histogram?.from, histogram?.to]).toEqual([from, to]);
    }
  });

  test('counts a million values exactly, and puts what lies beyond a given range into the outermost bins', async () => {
    const values = Float32Array.from({ length: 1_000_000 }, (_, i) => (i % 10) - 4.5);
    const own = await reductionsOf(values, [1000, 1000], { bins: 10, powerIterations: 1 });
    expect(Array.from(own.histogram?.counts ?? [])).toEqual(Array(10).fill(100_000));
    const given = await reductionsOf(values, [1000, 1000], { bins: 2, range: [-1, 1], powerIterations: 1 });
    expect(Array.from(given.histogram?.counts ?? [])).toEqual([500_000, 500_000]);
    expect(given.histogram?.from).toBe(-1);
  });

  test('has every value in the first bin where all are alike, and a deviation of 0 however far from it', async () => {
    const found = await reductionsOf(new Float32Array(300).fill(-1e6), [300]);
    expect(found.histogram?.counts[0]).toBe(300);
    expect([found.mean, found.deviation]).toEqual([-1e6, 0]);
  });

  test('σ₁ comes from below and agrees with float64; 1 ≤ stable rank ≤ rank', async () => {
    for (const [rows, columns] of [
      [20, 7],
      [40, 33],
      [12, 64],
    ] as const) {
      const values = randomValues(rows * columns, rows);
      const { spectralNorm: sigma = 0, stableRank = 0, norm } = await reductionsOf(values, [rows, columns], { powerIterations: 400 });
      const expected = spectralNorm(values, columns);
      expectClose([sigma], [expected], [1], 1e-4, `σ₁ of ${rows} × ${columns}`);
      expect(sigma).toBeLessThanOrEqual(norm);
      expect(sigma).toBeLessThan(expected * (1 + 1e-5));
      expect(stableRank).toBeGreaterThanOrEqual(1);
      expect(stableRank).toBeLessThanOrEqual(Math.min(rows, columns));
      expectClose([stableRank], [norm ** 2 / expected ** 2], [1], 1e-3, 'stable rank');
    }
  });

  test('a matrix of rank one has stable rank 1, however small its values, and the zero matrix 0', async () => {
    for (const scale of [1, 1e-9, 1e9]) {
      const values = Float32Array.from({ length: 30 * 17 }, (_, i) => scale * Math.sin(1 + Math.floor(i / 17)) * Math.cos(2 + (i % 17)));
      const { stableRank } = await reductionsOf(values, [30, 17]);
      expectClose([stableRank as number], [1], [1], 1e-4, `scale ${scale}`);
    }
    expect(await reductionsOf(new Float32Array(12), [3, 4])).toMatchObject({ stableRank: 0, spectralNorm: 0, norm: 0, sparsity: 1 });
  });

  test('counts what is not finite and leaves it out of everything else', async () => {
    const values = randomValues(200);
    const clean = values.filter((_value, i) => ![3, 77, 150].includes(i));
    values.set([Number.NaN], 3);
    values.set([Number.POSITIVE_INFINITY], 77);
    values.set([Number.NEGATIVE_INFINITY], 150);
    const found = await reductionsOf(values, [20, 10]);
    expect(found.notFinite).toBe(3);
    expect([found.least, found.greatest]).toEqual([Math.min(...clean), Math.max(...clean)]);
    expectClose([found.norm, found.mean], [Math.hypot(...clean), clean.reduce((a, b) => a + b) / 197], [2], 1e-5, 'norm and mean');
    expect(found.histogram?.counts.reduce((a, b) => a + b, 0)).toBe(197);
    const nothing = await reductionsOf(new Float32Array(8).fill(Number.NaN), [2, 4]);
    expect(nothing).toMatchObject({ notFinite: 8, norm: 0, least: Number.NaN, mean: Number.NaN, stableRank: 0 });
  });

  test('takes as many dispatches for all parameters of a model as for one, and reads them in one map', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { inputShape: [784], hidden: [128], classes: 10 });
    const before = structuredClone(device.calls.explain);
    const found = await weightReductions(model, { bins: 0, powerIterations: 1, importance: false });
    // The blocks and two joins; rows, columns, their sums and their norms.
    expect(device.calls.explain.dispatch - before.dispatch).toBe(7);
    expect(device.calls.explain.mapAsync - before.mapAsync).toBe(1);
    expect([...found.keys()]).toEqual([...model.parameters.keys()]);
    for (const [name, tensor] of model.parameters) expectReductions(found.get(name) as TensorReductions, await tensor.read(), name);
    model.dispose();
  });

  test('gives the same bits twice and leaves memory as it was', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device);
    const first = await weightReductions(model);
    const { bytes, buffers } = device.memory;
    for (const bins of [0, 10, 64]) await weightReductions(model, { bins, importance: bins > 0 });
    expect(await weightReductions(model)).toEqual(first);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    model.dispose();
  });

  test('refuses indices, too many bins, a range that is none, and no iteration', async () => {
    const model = await randomNetwork(await testDevice());
    const indices = (await testDevice()).tensor(new Uint32Array(4), [4], 'indices');
    await expect(weightReductions(model, { tensors: new Map([['indices', indices]]) })).rejects.toThrow(
      'weightReductions: indices is uint32 [4]; it must be float32.',
    );
    await expect(weightReductions(model, { bins: 5000 })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(weightReductions(model, { range: [1, 1] })).rejects.toThrow(
      'weightReductions: the range is from 1 to 1.\nTo mend: give the smaller end first.',
    );
    await expect(weightReductions(model, { powerIterations: 0 })).rejects.toMatchObject({ code: 'invalid-option' });
    indices.dispose();
    model.dispose();
  });
});

describe('watchWeights', () => {
  test('for plain SGD the update ratio is η‖g‖ / ‖W‖, at every step', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data: clusters(64, 8, 3), optimizer: sgd({ learningRate: 0.1 }), batchSize: 64 });
    const watch = await watchWeights(trainer, { parts: 1 });
    for (let step = 1; step <= 4; step++) {
      await trainer.run(1);
      const records = await watch.read();
      expect(records.map((record) => record.step)).toEqual([step]);
      for (const [name, found] of records[0]?.tensors ?? []) {
        const gradient = await trainer.tensors.get(`gradient/${name}`)?.read();
        const weight = await model.parameters.get(name)?.read();
        const ratio = (0.1 * Math.hypot(...(gradient ?? []))) / Math.hypot(...(weight ?? []));
        expectClose([found.updateRatio as number], [ratio], [1], 1e-5, `${name} at step ${step}`);
        expectReductions(found, weight as Float32Array, name);
      }
    }
    watch.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('keeps a look at every step of a run, or every few, changes no bit of training and reads once', async () => {
    const device = await testDevice();
    const trained = async (every: number | undefined) => {
      const model = await smallModel(device);
      const trainer = await createTrainer(model, { data: clusters(96, 8, 3), batchSize: 16 });
      const watch = every === undefined ? undefined : await watchWeights(trainer, { every, parts: 2 });
      await trainer.run(25);
      const maps = device.calls.explain.mapAsync;
      const records = (await watch?.read()) ?? [];
      const reads = device.calls.explain.mapAsync - maps;
      const bits = new Uint32Array((await model.flatParameters.read()).buffer);
      watch?.dispose();
      trainer.dispose();
      model.dispose();
      return { bits, steps: records.map(({ step }) => step), reads, last: records.at(-1)?.tensors.get('dense_1/weight') };
    };
    const alone = await trained(undefined);
    const all = await trained(1);
    const some = await trained(7);
    expect(Array.from(all.bits)).toEqual(Array.from(alone.bits));
    expect(all.steps).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
    expect(some.steps).toEqual([7, 14, 21]);
    expect([all.reads, some.reads]).toEqual([1, 1]);
    expect(all.last?.updateRatio).toBeGreaterThan(0);
  });

  test('joins the parts of the last looks: with weights that stand still it is what one look at everything gives', async () => {
    const device = await testDevice();
    const model = await smallModel(device, { features: 300, hidden: 40 });
    const trainer = await createTrainer(model, { data: clusters(64, 300, 3), optimizer: sgd({ learningRate: 0 }), batchSize: 16 });
    const watch = await watchWeights(trainer, { parts: 5, powerEvery: 1 });
    const whole = await weightReductions(model);
    await trainer.run(23);
    const records = await watch.read();
    expect(records).toHaveLength(23);
    for (const { tensors } of records) {
      for (const [name, found] of tensors) {
        expectReductions(found, (await model.parameters.get(name)?.read()) as Float32Array, name);
        expect(found.updateNorm).toBe(0);
      }
    }
    expectClose(
      [records.at(-1)?.tensors.get('dense_1/weight')?.spectralNorm as number],
      [whole.get('dense_1/weight')?.spectralNorm as number],
      [1],
      1e-2,
      'σ₁',
    );
    watch.dispose();
    trainer.dispose();
    model.dispose();
  });

  test('keeps the last `slots` looks, and no more memory however long it runs', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const trainer = await createTrainer(model, { data: clusters(96, 8, 3), batchSize: 16 });
    const watch = await watchWeights(trainer, { slots: 3 });
    await trainer.run(1);
    const { bytes, buffers } = device.memory;
    await trainer.run(9);
    expect((await watch.read()).map(({ step }) => step)).toEqual([8, 9, 10]);
    expect(await watch.read()).toEqual([]);
    expect({ bytes: device.memory.bytes, buffers: device.memory.buffers }).toEqual({ bytes, buffers });
    watch.dispose();
    await trainer.run(1);
    expect(trainer.companions.size).toBe(0);
    trainer.dispose();
    model.dispose();
  });
});
