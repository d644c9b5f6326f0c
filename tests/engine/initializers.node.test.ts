import { describe, expect, test } from 'vitest';
import type { VitrineError } from '../../src/engine/errors.ts';
import { checkInitializer, fans, type Initializer, initialize } from '../../src/engine/initializers.ts';
import { normal, streamOf, uniform } from '../../src/engine/random.ts';

function drawn(initializer: Initializer, shape: readonly number[] = [300, 200], name = 'dense_1/weight', seed = 0): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  initialize(values, name, shape, initializer, seed);
  return values;
}

const moment = (values: Float32Array, power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe('the fans of a shape', () => {
  test.each([
    [[300, 200], 300, 200],
    [[5, 5, 3, 8], 75, 200],
    [[7], 7, 7],
    [[], 1, 1],
    [[2, 300, 200], 600, 400],
  ])('%j are %i in and %i out', (shape, fanIn, fanOut) => {
    expect(fans(shape)).toEqual({ fanIn, fanOut });
  });
});

describe('constant initial values', () => {
  test.each<[Initializer, number]>([
    ['zeros', 0],
    ['ones', 1],
    [{ kind: 'constant', value: 0.25 }, 0.25],
  ])('%j', (initializer, value) => {
    expect(new Set(drawn(initializer))).toEqual(new Set([value]));
  });

  test('overwrite what was there', () => {
    const values = Float32Array.of(3, 3);
    initialize(values, 'b', [2], 'zeros', 0);
    expect(values).toEqual(new Float32Array(2));
  });
});

describe('uniform initial values', () => {
  test.each<[Initializer, number[], number]>([
    ['glorotUniform', [300, 200], Math.sqrt(6 / 500)],
    ['heUniform', [300, 200], Math.sqrt(6 / 300)],
    ['glorotUniform', [5, 5, 30, 80], Math.sqrt(6 / (25 * 110))],
    ['heUniform', [5, 5, 30, 80], Math.sqrt(6 / (25 * 30))],
    [{ kind: 'uniform', limit: 0.125 }, [300, 200], 0.125],
  ])('%j of %j fill ±limit and no more, with its deviation of limit/√3', (initializer, shape, limit) => {
    const values = drawn(initializer, shape);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeLessThanOrEqual(Math.fround(limit));
    expect(largest).toBeGreaterThan(0.999 * limit);
    // Four standard errors: a uniform number has the deviation 1/√3, its square 2/√45.
    const error = 4 / Math.sqrt(values.length);
    expect(Math.abs(moment(values, 1) / limit)).toBeLessThan(error / Math.sqrt(3));
    expect(Math.abs(moment(values, 2) / limit ** 2 - 1 / 3)).toBeLessThan((2 * error) / Math.sqrt(45));
  });
});

describe('normal initial values', () => {
  test.each<[Initializer, number[], number]>([
    ['glorotNormal', [300, 200], Math.sqrt(2 / 500)],
    ['heNormal', [300, 200], Math.sqrt(2 / 300)],
    ['heNormal', [5, 5, 30, 80], Math.sqrt(2 / (25 * 30))],
    [{ kind: 'normal', deviation: 0.02 }, [300, 200], 0.02],
  ])('%j of %j have the mean 0, their deviation and the kurtosis 3', (initializer, shape, deviation) => {
    const values = drawn(initializer, shape).map((value) => value / deviation);
    const error = 4 / Math.sqrt(values.length);
    expect(Math.abs(moment(values, 1))).toBeLessThan(error);
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(error * Math.sqrt(2));
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(error * Math.sqrt(96));
  });
});

describe('what is drawn', () => {
  test('is the formula of its place, so any machine draws the same', () => {
    const limit = Math.sqrt(6 / 5);
    const stream = streamOf('dense_1/weight');
    expect([...drawn('glorotUniform', [2, 3], 'dense_1/weight', 9)]).toEqual(
      Array.from({ length: 6 }, (_, i) => Math.fround((2 * uniform(9, stream, 0, i) - 1) * limit)),
    );
    expect([...drawn('heNormal', [2, 3], 'dense_1/weight', 9)]).toEqual(
      Array.from({ length: 6 }, (_, i) => Math.fround(normal(9, stream, 0, i) * Math.sqrt(2 / 2))),
    );
  });

  test('is pinned: a change here would change every trained network', () => {
    expect([...drawn('glorotUniform', [2, 2], 'dense_1/weight', 0)]).toEqual([
      0.273648738861084, -0.2792958915233612, 0.9117916822433472, -0.3148129880428314,
    ]);
  });

  test('is the same twice, and other for another seed or another name', () => {
    for (const initializer of ['glorotUniform', 'heNormal'] as const) {
      const values = drawn(initializer);
      expect(drawn(initializer)).toEqual(values);
      expect(drawn(initializer, [300, 200], 'dense_1/weight', 1)).not.toEqual(values);
      expect(drawn(initializer, [300, 200], 'dense_2/weight')).not.toEqual(values);
    }
  });

  test('is uncorrelated between neighbouring layers', () => {
    const [a, b] = [drawn('heNormal'), drawn('heNormal', [300, 200], 'dense_2/weight')];
    const correlation = a.reduce((sum, value, i) => sum + value * (b[i] as number), 0) / a.length / (2 / 300);
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(a.length));
  });
});

describe('checkInitializer', () => {
  const known = 'use one of zeros, ones, glorotUniform, glorotNormal, heUniform, heNormal, or a kind of normal, uniform or constant.';
  test.each([
    ['orthogonal', 'dense_1/weight: there is no initialiser "orthogonal".', known],
    [{ kind: 'lecun' }, 'dense_1/weight: there is no initialiser {"kind":"lecun"}.', known],
    [undefined, 'dense_1/weight: there is no initialiser undefined.', known],
    [{ kind: 'constant', value: '1' }, 'dense_1/weight: there is no initialiser {"kind":"constant","value":"1"}.', known],
    [{ kind: 'normal' }, 'dense_1/weight: deviation is undefined; it must be a number at least 0.', 'pass a number at least 0.'],
    [{ kind: 'uniform', limit: -1 }, 'dense_1/weight: limit is -1; it must be a number at least 0.', 'pass a number at least 0.'],
  ])('refuses %j', (initializer, message, mend) => {
    let error: unknown;
    try {
      checkInitializer('dense_1/weight', initializer as unknown as Initializer);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as VitrineError).code).toBe('invalid-option');
    expect((error as VitrineError).message).toBe(`${message}\nTo mend: ${mend}`);
  });

  test('takes every initialiser that there is', () => {
    const all: Initializer[] = ['zeros', 'ones', 'glorotUniform', 'glorotNormal', 'heUniform', 'heNormal'];
    all.push({ kind: 'normal', deviation: 0 }, { kind: 'uniform', limit: 1 }, { kind: 'constant', value: -3 });
    for (const initializer of all) checkInitializer('dense_1/weight', initializer);
  });
});
