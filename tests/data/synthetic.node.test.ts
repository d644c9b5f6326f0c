import { describe, expect, test } from 'vitest';
import { blobs, plantPatch, spirals, stripes, twoMoons } from '../../src/data/synthetic.ts';
import { type Dataset, validateDataset } from '../../src/engine/dataset.ts';
import { refusal } from './refusal.ts';

const sets: [string, (options: { size?: number; noise?: number; seed?: number }) => Dataset][] = [
  ['two moons', twoMoons],
  ['spirals', spirals],
  ['blobs', blobs],
  ['stripes', stripes],
];

for (const [name, make] of sets) {
  describe(name, () => {
    test('are accepted by the engine and balanced', () => {
      const set = make({ size: 60 });
      const classes = set.classes!.length;
      validateDataset(set, set.inputShape, classes);
      for (let label = 0; label < classes; label++) {
        expect([...set.labels!].filter((other) => other === label).length).toBe(60 / classes);
      }
    });

    test('are the same for the same seed and others for another', () => {
      expect(make({ seed: 1 })).toEqual(make({ seed: 1 }));
      expect(make({ seed: 1 }).inputs).not.toEqual(make({ seed: 2 }).inputs);
    });

    test('begin alike however many are made', () => {
      const [few, many] = [make({ size: 10 }), make({ size: 20 })];
      expect(many.inputs.subarray(0, few.inputs.length)).toEqual(few.inputs);
    });

    test('are refused when there are none, or the noise is negative', async () => {
      expect((await refusal(() => make({ size: 0 })))[1]).toMatch(/^size is 0; it must be/);
      expect((await refusal(() => make({ noise: -1 })))[1]).toBe('noise is -1; it must be a number at least 0.');
    });
  });
}

test('two moons without noise lie on their half circles', () => {
  const { inputs, labels } = twoMoons({ size: 100, noise: 0 });
  for (let i = 0; i < 100; i++) {
    const [x, y] = [inputs[2 * i]!, inputs[2 * i + 1]!];
    const [dx, dy] = labels![i] === 0 ? [x, y] : [1 - x, 0.5 - y];
    expect(Math.hypot(dx, dy)).toBeCloseTo(1, 5);
    expect(dy).toBeGreaterThanOrEqual(0);
  }
});

test('stripes without noise repeat along their direction only', () => {
  const { inputs, labels } = stripes({ size: 50, noise: 0 });
  for (let i = 0; i < 50; i++) {
    const at = (row: number, column: number) => inputs[64 * i + 8 * row + column];
    const along = labels![i] === 0 ? at(0, 5) : at(5, 0);
    const across = labels![i] === 0 ? at(2, 0) : at(0, 2);
    expect(along).toBe(at(0, 0));
    expect(across).not.toBe(at(0, 0));
  }
});

describe('a planted patch', () => {
  const clean = stripes({ size: 1000, noise: 0 });

  test('is as frequent in its class as asked, and nowhere else', () => {
    const { planted, labels } = plantPatch(clean, { class: 1, probability: 0.8, seed: 3 });
    const inClass = planted.reduce((sum, flag, i) => sum + (labels![i] === 1 ? flag : 0), 0);
    const total = planted.reduce((sum, flag) => sum + flag, 0);
    // 500 examples; 8.9 is one deviation.
    expect(Math.abs(inClass - 400)).toBeLessThan(4 * 8.9);
    expect(total).toBe(inClass);
  });

  test('is bright where it was put and leaves every other pixel alone', () => {
    const set = plantPatch(clean, { class: 0, probability: 1, size: 3, row: 4, column: 5 });
    expect(set.patch).toEqual({ row: 4, column: 5, size: 3 });
    for (let i = 0; i < 20; i++) {
      for (let pixel = 0; pixel < 64; pixel++) {
        const [row, column] = [Math.floor(pixel / 8), pixel % 8];
        const inside = set.labels![i] === 0 && row >= 4 && row < 7 && column >= 5;
        expect(set.inputs[64 * i + pixel]).toBe(inside ? 255 : clean.inputs[64 * i + pixel]);
      }
    }
  });

  test('does not touch the set it was made from, and is the same for the same seed', () => {
    const before = clean.inputs.slice();
    const options = { class: 1, probability: 0.5, otherwise: 0.1, seed: 9 };
    expect(plantPatch(clean, options)).toEqual(plantPatch(clean, options));
    expect(clean.inputs).toEqual(before);
  });

  test('covers every channel of floats with 1', () => {
    const floats: Dataset = {
      name: 'rgb',
      size: 1,
      inputShape: [2, 2, 3],
      inputs: new Float32Array(12),
      labels: Uint8Array.of(0),
    };
    expect([...plantPatch(floats, { class: 0, probability: 1, size: 1, column: 1 }).inputs]).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test('is refused when it does not fit', async () => {
    expect((await refusal(() => plantPatch(clean, { class: 0, probability: 1, row: 5 })))[1]).toBe(
      'row is 5; it must be a number between 0 and 4.',
    );
    expect((await refusal(() => plantPatch(clean, { class: 0, probability: 1.1 })))[1]).toBe(
      'probability is 1.1; it must be a number between 0 and 1.',
    );
  });

  test('is refused without labels or images', async () => {
    const { labels: _, ...unlabelled } = clean;
    expect(await refusal(() => plantPatch(unlabelled, { class: 0, probability: 1 }))).toEqual([
      'invalid-option',
      'plantPatch: stripes has no labels.',
      'To mend: use a set with labels.',
    ]);
    expect(await refusal(() => plantPatch(blobs(), { class: 0, probability: 1 }))).toEqual([
      'invalid-option',
      'plantPatch: an example of blobs is [2], which is no image.',
      'To mend: use a set whose inputShape is [height, width, channels].',
    ]);
  });
});
