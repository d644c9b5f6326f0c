import { describe, expect, test } from 'vitest';
import { augment, moveImage } from '../../src/data/augment.ts';
import { likeMnist } from '../../src/data/drawing.ts';
import { stripes, twoMoons } from '../../src/data/synthetic.ts';
import { refusal } from './refusal.ts';

const image = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
const moved = (movement: { down?: number; right?: number; degrees?: number }) => {
  const target = new Uint8Array(9);
  moveImage(image, target, { shape: [3, 3, 1], down: 0, right: 0, degrees: 0, ...movement });
  return [...target];
};

describe('an image', () => {
  test('moved by nothing is itself', () => {
    expect(moved({})).toEqual([...image]);
  });

  test('moved by whole pixels brings in 0 at the edge', () => {
    expect(moved({ down: 1 })).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 6]);
    expect(moved({ right: -1 })).toEqual([2, 3, 0, 5, 6, 0, 8, 9, 0]);
  });

  test('moved by half a pixel is the mean of its neighbours, rounded', () => {
    expect(moved({ right: 0.5 })).toEqual([1, 2, 3, 2, 5, 6, 4, 8, 9]);
  });

  test('turned by a quarter turns clockwise', () => {
    expect(moved({ degrees: 90 })).toEqual([7, 4, 1, 8, 5, 2, 9, 6, 3]);
    expect(moved({ degrees: 180 })).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });
});

describe('augment', () => {
  const set = stripes({ size: 6 });

  test('keeps the examples and adds changed copies under the same labels', () => {
    const more = augment(set, { copies: 2 });
    expect(more.size).toBe(18);
    expect(more.inputs.length).toBe(18 * 64);
    expect(more.inputs.subarray(0, 6 * 64)).toEqual(set.inputs);
    expect(more.inputs.subarray(6 * 64, 12 * 64)).not.toEqual(set.inputs);
    expect([...more.labels!]).toEqual([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  });

  test('is the same for the same seed and another for another', () => {
    expect(augment(set, { seed: 1 })).toEqual(augment(set, { seed: 1 }));
    expect(augment(set, { seed: 1 }).inputs).not.toEqual(augment(set, { seed: 2 }).inputs);
  });

  test('with no movement copies', () => {
    const more = augment(set, { shift: 0, rotation: 0 });
    expect(more.inputs.subarray(6 * 64)).toEqual(set.inputs);
  });

  test('is refused for what is no image', async () => {
    expect((await refusal(() => augment(twoMoons())))[1]).toBe('augment: an example of two moons is [2], which is no image.');
    expect((await refusal(() => augment(set, { shift: -1 })))[0]).toBe('invalid-option');
  });
});

describe('a drawing like those of MNIST', () => {
  /** A bar, 10 wide and 50 high, far from the centre of 200 × 100. */
  const bar = new Uint8Array(200 * 100);
  for (let row = 40; row < 90; row++) bar.fill(255, row * 200 + 150, row * 200 + 160);

  test('fits a box of 20 × 20 and has its mass at the centre', () => {
    const digit = likeMnist(bar, 200, 100);
    let [mass, x, y] = [0, 0, 0];
    const rows = new Set<number>();
    for (const [i, value] of digit.entries()) {
      mass += value;
      x += value * ((i % 28) + 0.5);
      y += value * (Math.floor(i / 28) + 0.5);
      if (value > 0) rows.add(Math.floor(i / 28));
    }
    expect(x / mass).toBeCloseTo(14, 1);
    expect(y / mass).toBeCloseTo(14, 1);
    expect([...rows]).toEqual(Array.from({ length: 20 }, (_, i) => i + 4));
    expect(mass).toBeCloseTo(20 * 4, 0);
    expect(Math.max(...digit)).toBe(1);
  });

  test('does not depend on how large it was drawn, or where', () => {
    const larger = new Float32Array(400 * 300);
    for (let row = 10; row < 210; row++) larger.fill(0.3, row * 400 + 20, row * 400 + 60);
    const [a, b] = [likeMnist(bar, 200, 100), likeMnist(larger, 400, 300)];
    for (const [i, value] of a.entries()) expect(b[i]).toBeCloseTo(value, 5);
  });

  test('is blank when nothing was drawn', () => {
    expect(likeMnist(new Float32Array(100), 10, 10)).toEqual(new Float32Array(784));
  });

  test('is refused when the values are not one a pixel', async () => {
    expect(await refusal(() => likeMnist(new Uint8ClampedArray(400), 10, 10))).toEqual([
      'shape-mismatch',
      'likeMnist: 400 values do not make a drawing of [10, 10] (100 values).',
      'To mend: pass one value a pixel, without colour channels.',
    ]);
  });
});
