import { describe, expect, test } from 'vitest';
import { VitrineError } from '../../src/engine/errors.ts';
import { sgd } from '../../src/engine/optimizers.ts';
import { constantRate, cosineDecay, type Schedule, stepDecay, warmUp } from '../../src/engine/schedules.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import { clusters, smallModel } from './fixtures.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const valuesAt = (schedule: Schedule, steps: readonly number[], rate: number): number[] => steps.map((step) => schedule(step, rate));

describe('a schedule', () => {
  test('constantRate is the base rate throughout', () => {
    expect(valuesAt(constantRate(), [0, 1, 10_000], 0.3)).toEqual([0.3, 0.3, 0.3]);
  });

  test('stepDecay multiplies by the factor once more every so many steps', () => {
    expect(valuesAt(stepDecay({ every: 3, factor: 0.5 }), [0, 2, 3, 5, 6, 30], 8)).toEqual([8, 8, 4, 4, 2, 8 / 1024]);
    expect(stepDecay({ every: 1 })(2, 1)).toBeCloseTo(0.01, 12);
  });

  test('cosineDecay is half a cosine from the base rate to the final one, then that', () => {
    const schedule = cosineDecay({ steps: 6, final: 0.2 });
    const expected = [1, 0.2 + 0.4 * (1 + Math.sqrt(3) / 2), 0.8, 0.6, 0.4, 0.2 + 0.4 * (1 - Math.sqrt(3) / 2), 0.2, 0.2, 0.2];
    valuesAt(schedule, [0, 1, 2, 3, 4, 5, 6, 7, 1000], 1).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 12);
    });
    expect(cosineDecay({ steps: 4 })(4, 5)).toBe(0);
  });

  test('warmUp rises in a line to the base rate, then follows another, which starts at its own step 0', () => {
    expect(valuesAt(warmUp({ steps: 4 }), [0, 1, 2, 3, 4, 100], 2)).toEqual([0.5, 1, 1.5, 2, 2, 2]);
    const steps: number[] = [];
    const after: Schedule = (step, rate) => {
      steps.push(step);
      return rate / 2;
    };
    expect(valuesAt(warmUp({ steps: 2, after }), [0, 1, 2, 3], 1)).toEqual([0.5, 1, 0.5, 0.5]);
    expect(steps).toEqual([0, 1]);
  });

  test.each<[string, () => Schedule, string]>([
    ['stepDecay', () => stepDecay({ every: 0 }), 'every is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.'],
    ['stepDecay', () => stepDecay({ every: 1.5 }), 'every is 1.5; it must be a whole number.\nTo mend: pass a whole number.'],
    [
      'stepDecay',
      () => stepDecay({ every: 1, factor: -1 }),
      'factor is -1; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    ['cosineDecay', () => cosineDecay({ steps: 0 }), 'steps is 0; it must be a number at least 1.\nTo mend: pass a number at least 1.'],
    [
      'cosineDecay',
      () => cosineDecay({ steps: 1, final: Number.NaN }),
      'final is NaN; it must be a number at least 0.\nTo mend: pass a number at least 0.',
    ],
    ['warmUp', () => warmUp({ steps: -3 }), 'steps is -3; it must be a number at least 1.\nTo mend: pass a number at least 1.'],
  ])('is refused with an option out of range: %s', (_name, make, message) => {
    let error: unknown;
    try {
      make();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(VitrineError);
    expect((error as VitrineError).code).toBe('invalid-option');
    expect((error as VitrineError).message).toBe(message);
  });
});

describe('a trainer', () => {
  const data = clusters(30, 8, 3);

  test('follows any function of the step, each value of it in float32', async () => {
    const zigzag: Schedule = (step, rate) => (rate * (1 + ((7 * step) % 5))) / 11;
    const model = await smallModel(await testDevice());
    const trainer = await createTrainer(model, { data, batchSize: 10, optimizer: sgd({ learningRate: 0.1 }), schedule: zigzag });
    for (let step = 0; step < 8; step++) {
      await trainer.run(1);
      expect((await trainer.synchronize()).learningRate).toBe(Math.fround(zigzag(step, 0.1)));
    }
    trainer.dispose();
    model.dispose();
  });

  test('scales its schedule when the base rate is changed on the way', async () => {
    const model = await smallModel(await testDevice());
    const schedule = stepDecay({ every: 2, factor: 0.5 });
    const trainer = await createTrainer(model, { data, batchSize: 10, optimizer: sgd({ learningRate: 0.1 }), schedule });
    await trainer.run(3);
    trainer.setLearningRate(0.4);
    await trainer.run(1);
    expect((await trainer.synchronize()).learningRate).toBe(Math.fround(0.2));
    await trainer.run(1);
    expect((await trainer.synchronize()).learningRate).toBe(Math.fround(0.1));
    trainer.dispose();
    model.dispose();
  });

  test('refuses a schedule that gives no finite number, and leaves nothing behind', async () => {
    const device = await testDevice();
    const model = await smallModel(device);
    const before = device.memory.bytes;
    const schedule: Schedule = (step, rate) => rate / (3 - step);
    const error: VitrineError = await createTrainer(model, { data, batchSize: 10, schedule }).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.code).toBe('invalid-option');
    expect(error.parameters).toEqual({ step: 3 });
    expect(error.message).toBe('The schedule gives Infinity at step 3.\nTo mend: return a finite rate for every step.');
    expect(device.memory.bytes).toBe(before);
    model.dispose();
  });
});
