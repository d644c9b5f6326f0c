import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/engine/index.ts';
import { type Attack, fgsm, type PgdOptions, pgd, saliency } from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

async function read(attack: Promise<Attack>) {
  const { values, target, before, after, options, dispose } = await attack;
  const result = {
    values: await values.read(),
    target: await target.readUint32(),
    before: { probabilities: await before.probabilities.read(), classes: await before.classes.readUint32() },
    after: { probabilities: await after.probabilities.read(), classes: await after.classes.readUint32() },
    options,
  };
  dispose();
  return result;
}

/** Examples in [0, 1]. */
const pixels = (rows: number, seed = 5): Float32Array => examplesOf(rows, 10, seed).map((value) => 0.5 + 0.4 * Math.tanh(value));

const crossEntropyOf = (probabilities: Float32Array, row: number, target: number): number =>
  -Math.log(probabilities[4 * row + target] as number);

describe('fgsm', () => {
  test.each(['explain', 'explain532'] as const)('agrees with PyTorch on %s', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const { values } = await read(
      fgsm(model, network.x.data as number[], { target: network.targets, epsilon: network.fgsm.epsilon, clip: false }),
    );
    expectClose(values, network.fgsm.x.data, network.fgsm.x.shape, 1e-5, 'values');
    model.dispose();
  });

  test('agrees with the oracle on the tiny network, and is clipped to the range it is given', async () => {
    const model = await tinyModel(await testDevice());
    const options = { target: tiny.target, epsilon: 0.1 };
    const expected = tiny['fgsm_eps_0.1'] as number[];
    expectClose((await read(fgsm(model, tiny.x as number[], options))).values, expected, [4], 1e-5, 'in [0, 1]');
    const [low, high] = [0.15, 0.85];
    const clipped = await read(fgsm(model, tiny.x as number[], { ...options, clip: [low, high] }));
    expect(expected.some((value) => value < low)).toBe(true);
    expectClose(
      clipped.values,
      expected.map((value) => Math.min(Math.max(value, low), high)),
      [4],
      1e-5,
      'clipped',
    );
    model.dispose();
  });

  test('changes every element by ε where the gradient is not 0 and nothing clips', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(6);
    const gradient = await saliency(model, x, { output: 'logOdds' });
    const slopes = await gradient.values.read();
    gradient.dispose();
    const { values } = await read(fgsm(model, x, { epsilon: 0.05, clip: false }));
    let moved = 0;
    values.forEach((value, i) => {
      const change = Math.abs(value - (x[i] as number));
      expect(change).toBeLessThanOrEqual(0.05 + 1e-6);
      if (slopes[i] === 0) return;
      moved += 1;
      expect(Math.abs(change - 0.05)).toBeLessThan(1e-6);
    });
    expect(moved).toBeGreaterThan(50);
    const inside = await read(fgsm(model, x, { epsilon: 0.4 }));
    expect(Math.min(...inside.values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...inside.values)).toBeLessThanOrEqual(1);
    model.dispose();
  });

  test('takes the gradient at x, not at where clipping would put it', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = pixels(6).map((value, i) => (i % 3 === 0 ? value + 0.9 : value - 0.9));
    const signs = async (at: Float32Array) => {
      const gradient = await saliency(model, at, { target: 1, signed: true });
      const values = await gradient.values.read();
      gradient.dispose();
      return values.map(Math.sign);
    };
    const own = await signs(x);
    expect(own).not.toEqual(await signs(x.map((value) => Math.min(1, Math.max(0, value)))));
    const { values } = await read(fgsm(model, x, { target: 1, objective: 'output', epsilon: 2, clip: [0, 1] }));
    expect(values).toEqual(x.map((value, i) => Math.min(1, Math.max(0, value - 2 * (own[i] as number)))));
    const one = { target: 1, objective: 'output', epsilon: 2, stepSize: 2, steps: 1, randomStart: false, clip: [0, 1] } as const;
    expect((await read(pgd(model, x, one))).values).toEqual(values);
    model.dispose();
  });

  test('of a linear model lowers f_c by ε‖w‖₁, or raises it, or lowers its lead', async () => {
    const { model, weight, bias } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const f = (at: ArrayLike<number>, row: number, k: number): number =>
      Array.from({ length: 7 }, (_, i) => (at[7 * row + i] as number) * (weight[3 * i + k] as number)).reduce(
        (a, b) => a + b,
        bias[k] as number,
      );
    const norm = (of: (i: number) => number): number => Array.from({ length: 7 }, (_, i) => Math.abs(of(i))).reduce((a, b) => a + b);
    const options = { target: 1, objective: 'output', epsilon: 0.1, clip: false } as const;
    const lowered = await read(fgsm(model, x, options));
    const raised = await read(fgsm(model, x, { ...options, targeted: true }));
    const contrast = await read(fgsm(model, x, { ...options, against: 2 }));
    const w = norm((i) => weight[3 * i + 1] as number);
    const lead = norm((i) => (weight[3 * i + 1] as number) - (weight[3 * i + 2] as number));
    for (const row of [0, 1]) {
      expect(Math.abs(f(lowered.values, row, 1) - f(x, row, 1) + 0.1 * w)).toBeLessThan(1e-4);
      expect(Math.abs(f(raised.values, row, 1) - f(x, row, 1) - 0.1 * w)).toBeLessThan(1e-4);
      const change = f(contrast.values, row, 1) - f(contrast.values, row, 2) - f(x, row, 1) + f(x, row, 2);
      expect(Math.abs(change + 0.1 * lead)).toBeLessThan(1e-4);
    }
    model.dispose();
  });

  test('tells what the network says before and after, of the predicted class by default', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(5);
    const { values, target, before, after, options } = await read(fgsm(model, x, { epsilon: 0.1 }));
    for (const [told, of] of [
      [before, x],
      [after, values],
    ] as const) {
      const logits = await model.logits(of);
      const rows = await logits.read();
      logits.dispose();
      for (let row = 0; row < 5; row++) {
        const own = [...rows.slice(4 * row, 4 * row + 4)];
        const exps = own.map((value) => Math.exp(value - Math.max(...own)));
        const total = exps.reduce((a, b) => a + b);
        expectClose(
          told.probabilities.slice(4 * row, 4 * row + 4),
          exps.map((e) => e / total),
          [4],
          1e-5,
          'probabilities',
        );
        expect(told.classes[row]).toBe(own.indexOf(Math.max(...own)));
      }
    }
    expect(target).toEqual(before.classes);
    expect(options).toEqual({ output: 'logit', epsilon: 0.1, clip: 'unit', objective: 'crossEntropy', targeted: false });
    model.dispose();
  });
});

describe('pgd', () => {
  test('with one step of ε from x is fgsm, to the bit', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(7);
    const options = { epsilon: 0.07, target: 2 };
    const one = await read(pgd(model, x, { ...options, stepSize: 0.07, steps: 1, randomStart: false }));
    expect(one.values).toEqual((await read(fgsm(model, x, options))).values);
    model.dispose();
  });

  test('stays within ε of x and within the range, whatever the steps', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(6);
    const { values, options } = await read(pgd(model, x));
    expect(options).toMatchObject({ epsilon: 0.3, stepSize: 0.01, steps: 40, randomStart: true, seed: 0, clip: 'unit' });
    values.forEach((value, i) => {
      expect(Math.abs(value - (x[i] as number))).toBeLessThanOrEqual(0.3 + 1e-6);
      expect(value >= 0 && value <= 1).toBe(true);
    });
    model.dispose();
  });

  test('raises the loss, by more than fgsm does in the mean; targeted, it lowers that of its target', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = pixels(20);
    const at = { epsilon: 0.3, target: 1 };
    const many = await read(pgd(model, x, { ...at, stepSize: 0.03 }));
    const one = await read(fgsm(model, x, at));
    const towards = await read(pgd(model, x, { ...at, targeted: true }));
    const mean = (probabilities: Float32Array): number =>
      Array.from({ length: 20 }, (_, row) => crossEntropyOf(probabilities, row, 1)).reduce((a, b) => a + b) / 20;
    expect(mean(one.after.probabilities)).toBeGreaterThan(mean(one.before.probabilities));
    expect(mean(many.after.probabilities)).toBeGreaterThanOrEqual(mean(one.after.probabilities));
    expect(mean(towards.after.probabilities)).toBeLessThan(mean(towards.before.probabilities));
    expect([...towards.target]).toEqual(Array(20).fill(1));
    model.dispose();
  });

  test('steps where it stands: two steps are a step from where one ended', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(3);
    const options = { epsilon: 1, stepSize: 0.05, randomStart: false, target: 0, clip: false } as const;
    const one = await read(pgd(model, x, { ...options, steps: 1 }));
    const two = await read(pgd(model, x, { ...options, steps: 2 }));
    expect(two.values).toEqual((await read(pgd(model, one.values, { ...options, steps: 1 }))).values);
    model.dispose();
  });

  test('begins anywhere in the ball, by its seed', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10).fill(0.5);
    const of = async (seed: number) => (await read(pgd(model, x, { steps: 1, stepSize: 0, epsilon: 0.2, seed }))).values;
    const changes = [...(await of(1))].map((value) => value - 0.5);
    expect(Math.max(...changes)).toBeGreaterThan(0.05);
    expect(Math.min(...changes)).toBeLessThan(-0.05);
    expect(new Set(changes).size).toBe(10);
    expect(await of(2)).not.toEqual(await of(1));
    model.dispose();
  });

  test('tells its progress and ends at its signal, and leaves nothing behind', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(2);
    await read(pgd(model, x, { steps: 3 }));
    const { buffers } = model.device.memory;
    const ended = new AbortController();
    const attack = pgd(model, x, { steps: 5, signal: ended.signal, onProgress: ({ done }) => done === 2 && ended.abort() });
    await expect(attack).rejects.toMatchObject({ code: 'aborted' });
    expect(model.device.memory.buffers).toBe(buffers);
    model.dispose();
  });
});

describe.each(
  Object.entries({ fgsm, pgd: (model: Model, x: Float32Array, options?: PgdOptions) => pgd(model, x, { steps: 5, ...options }) }),
)('%s', (name, method) => {
  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(9);
    const all = (await read(method(model, x, { target: 1 }))).values;
    for (const row of [0, 4, 8]) {
      expect((await read(method(model, x.slice(10 * row, 10 * row + 10), { target: 1 }))).values).toEqual(
        all.slice(10 * row, 10 * row + 10),
      );
    }
    await expectSameTwice(model, (rows) => method(model, rows) as never);
    model.dispose();
  });

  test('repeated with other radii, objectives and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    await expectBoundedMemory(model, (x, call) =>
      method(model, x, { epsilon: 0.01 * call, objective: call % 3 ? 'output' : 'crossEntropy', targeted: false }),
    );
    model.dispose();
  });

  test('stays within ε of inputs that lie outside [0, 1], and moves them by all of it', async () => {
    const model = await randomNetwork(await testDevice(), { activation: 'tanh' });
    const x = examplesOf(8, 10).map((value) => 2 * value);
    const options = { epsilon: 0.25, stepSize: 0.25, target: 1 };
    const { values, options: recorded } = await read(method(model, x, options));
    const changes = values.map((value, i) => Math.abs(value - (x[i] as number)));
    expect(Math.max(...changes)).toBeLessThanOrEqual(0.25 + 1e-6);
    // A gradient of tanh is nowhere 0.
    if (name === 'fgsm') expect(Math.min(...changes)).toBeGreaterThanOrEqual(0.25 - 1e-6);
    expect(values).toEqual((await read(method(model, x, { ...options, clip: false }))).values);
    expect(recorded).toMatchObject({ clip: 'unit' });
    model.dispose();
  });

  test('keeps in [0, 1] the examples that lie in it, and those alone', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { activation: 'tanh' });
    const x = pixels(3);
    x.set(examplesOf(1, 10), 10);
    const options = { epsilon: 0.6, stepSize: 0.6, target: 1 };
    const { values } = await read(method(model, x, options));
    const free = (await read(method(model, x, { ...options, clip: false }))).values;
    expect(values.slice(10, 20)).toEqual(free.slice(10, 20));
    for (const [from, to] of [
      [0, 10],
      [20, 30],
    ] as const) {
      expect(free.slice(from, to).some((value) => value < 0 || value > 1)).toBe(true);
      expect(values.slice(from, to).every((value) => value >= 0 && value <= 1)).toBe(true);
    }
    const tensor = device.tensor(x, [3, 10]);
    expect((await read(method(model, tensor as never, options))).values).toEqual(values);
    tensor.dispose();
    model.dispose();
  });

  test('keeps within ε and within a range that inputs lie somewhat outside of, and refuses one that ε does not reach', async () => {
    const device = await testDevice();
    const model = await randomNetwork(device, { activation: 'tanh' });
    const x = pixels(4);
    x[13] = 1.2;
    x[17] = -0.2;
    const options = { epsilon: 0.25, target: 2, clip: [0, 1] } as const;
    const { values } = await read(method(model, x, options));
    values.forEach((value, i) => {
      expect(Math.abs(value - (x[i] as number))).toBeLessThanOrEqual(0.25 + 1e-6);
      expect(value >= 0 && value <= 1).toBe(true);
    });
    x[13] = 1.5;
    const { buffers } = device.memory;
    const tensor = device.tensor(x, [4, 10]);
    for (const given of [x, tensor as never]) {
      await expect(method(model, given, options)).rejects.toMatchObject({
        code: 'invalid-option',
        message: expect.stringMatching(
          /^(fgsm|pgd): example 1 has elements from -0\.2\d* to 1\.5, which epsilon 0\.25 does not bring into the clip range \[0, 1\]\.\nTo mend: pass as clip the range that the inputs lie in, or false\.$/,
        ),
      });
    }
    tensor.dispose();
    expect(device.memory.buffers).toBe(buffers);
    model.dispose();
  });

  test('takes its predictions within the budget, too', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(16);
    const { explain } = model.device.calls;
    const before = explain.submit;
    (await method(model, x, { budget: 1, clip: false })).dispose();
    // A run an example: of the attack's steps, and of the predictions before and after.
    expect(explain.submit - before).toBe(16 * ((name === 'fgsm' ? 1 : 5) + 2));
    model.dispose();
  });

  test('refuses what is no attack', async () => {
    const model = await randomNetwork(await testDevice());
    const x = pixels(1);
    await expect((async () => method(model, x, { epsilon: -1 }))()).rejects.toThrow(`${name}: epsilon is -1`);
    await expect((async () => method(model, x, { clip: [1, 0] }))()).rejects.toThrow(`${name}: clip[1] is 0`);
    await expect((async () => method(model, x, { clip: 'image' as never }))()).rejects.toThrow(
      `${name}: clip is image.\nTo mend: pass [low, high], 'unit' for examples that lie in [0, 1], or false.`,
    );
    await expect((async () => method(model, x, { targeted: true }))()).rejects.toThrow(
      `${name}: a targeted attack needs a class to go to; the predicted one is where it is.\nTo mend: give it as target, or leave targeted out.`,
    );
    await expect((async () => method(model, x, { objective: 'hinge' as never }))()).rejects.toThrow(
      `${name}: there is no objective 'hinge'.`,
    );
    for (const given of [{ against: 1 }, { output: 'probability' as const }]) {
      await expect((async () => method(model, x, { target: 0, ...given }))()).rejects.toThrow(
        `${name}: ${Object.keys(given)[0]} is given, of which cross-entropy knows nothing.\nTo mend: leave it out, or attack the explained number: objective 'output'.`,
      );
    }
    await expect((async () => method(model, x, { target: 9 }))()).rejects.toMatchObject({ code: 'label-out-of-range' });
    model.dispose();
  });
});
