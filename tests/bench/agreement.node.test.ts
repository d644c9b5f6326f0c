import { expect, test } from 'vitest';
import { brief, checkedRows, compare, productInBrief } from '../../src/bench/agreement.ts';
import { batchOf, initialParameters, makeDigits } from '../../src/bench/problem.ts';
import { referenceResults } from '../../src/bench/reference.ts';
import { AttentionReference, DenseReference } from '../../src/bench/reference-networks.ts';
import { findWorkload, type TimedWorkload } from '../../src/bench/workloads.ts';

const reference = {
  logits: Float32Array.of(0.5, -2, 1),
  losses: Float32Array.of(2.3, 2.1),
  'gradient/dense_1/weight': Float32Array.of(1e-3, -2e-3),
};

test('results within float32 of the reference agree, and the largest error is told', () => {
  const agreement = compare({ ...reference, logits: Float32Array.of(0.5, -2.00002, 1) }, reference);
  expect(agreement.agrees).toBe(true);
  expect(agreement.largestError).toBeCloseTo(1e-5, 6);
  expect(agreement.detail).toBe('logits, losses, gradient/dense_1/weight');
});

test.each([
  ['a wrong value', { logits: Float32Array.of(0.5, -2, 1.01) }, /^logits\[2\] is 1\.0[\d]*, not 1$/],
  ['NaN', { losses: Float32Array.of(2.3, Number.NaN) }, /^losses\[1\] is NaN/],
  ['a gradient that is too small to see beside the logits', { 'gradient/dense_1/weight': Float32Array.of(1e-3, -1.9e-3) }, /^gradient/],
  ['too few values', { losses: Float32Array.of(2.3) }, /^its losses are 1 values, not 2$/],
])('%s is no agreement', (_name, wrong, detail) => {
  const agreement = compare({ ...reference, ...wrong }, reference);
  expect(agreement.agrees).toBe(false);
  expect(agreement.detail).toMatch(detail);
});

test('gradients may be left out, losses may not', () => {
  const { logits, losses } = reference;
  expect(compare({ logits, losses }, reference).agrees).toBe(true);
  expect(compare({ logits }, reference)).toMatchObject({ agrees: false, detail: 'it gave no losses' });
  expect(compare({}, {})).toMatchObject({ agrees: false, detail: 'it gave nothing to compare' });
});

test('gradients that are 0 but for rounding are measured by the largest gradient', () => {
  const bias = 'gradient/selfAttention_1/key/bias';
  const expected = { ...reference, [bias]: Float32Array.of(0, 4e-20) };
  expect(compare({ ...expected, [bias]: Float32Array.of(3e-11, -3e-11) }, expected).agrees).toBe(true);
  expect(compare({ ...expected, [bias]: Float32Array.of(0, 1e-9) }, expected)).toMatchObject({ agrees: false });
});

test('a long array in brief still shows one wrong element anywhere', () => {
  const values = Float32Array.from({ length: 10_001 }, (_, i) => Math.sin(i));
  const wrong = values.slice();
  wrong[5001] = 500;
  expect(brief(values).length).toBe(4097);
  expect(compare({ losses: brief(wrong) }, { losses: brief(values) }).agrees).toBe(false);
});

test('a product in brief shows a wrong element in a row that is not kept', () => {
  const size = 100;
  const product = Float32Array.from({ length: size * size }, (_, i) => Math.cos(i));
  const wrong = product.slice();
  const row = Array.from({ length: size }, (_, i) => i).find((i) => !checkedRows(size).includes(i)) as number;
  wrong[row * size + 3] = 2;
  expect(compare(productInBrief(product, size), productInBrief(product, size)).agrees).toBe(true);
  expect(compare(productInBrief(wrong, size), productInBrief(product, size)).detail).toMatch(/^rowSums/);
});

test('the reference of a product is that of the definition', () => {
  const { rows, rowSums } = referenceResults({ name: 'matmul-8', title: '', kind: 'matmul', size: 8 }) as Record<string, Float32Array>;
  expect(rows?.length).toBe(64);
  for (let row = 0; row < 8; row++) {
    const sum = rows?.subarray(8 * row, 8 * row + 8).reduce((total, value) => total + value, 0);
    expect(rowSums?.[row]).toBeCloseTo(sum as number, 5);
  }
});

test.each([
  ['dense layers', () => new DenseReference('mlp')],
  ['self-attention', () => new AttentionReference()],
] as const)("the reference's gradients are the slopes of its loss, with %s", (_what, make) => {
  const network = make();
  const batch = batchOf(makeDigits(64), 8, 0);
  const { values } = network.gradients(batch);
  values.forEach((gradient, which) => {
    const parameter = network.parameters[which] as Float64Array;
    // The steepest of them, so that the difference is well above rounding.
    const at = gradient.reduce((best, value, i) => (Math.abs(value) > Math.abs(gradient[best] as number) ? i : best), 0);
    const before = parameter[at] as number;
    const lossAt = (value: number): number => {
      parameter[at] = value;
      return network.gradients(batch).loss;
    };
    const slope = (lossAt(before + 1e-6) - lossAt(before - 1e-6)) / 2e-6;
    parameter[at] = before;
    expect(gradient[at]).toBeCloseTo(slope, 6);
  });
});

test.each(['train-mlp-32', 'train-attention-32'])('the reference of %s learns', (name) => {
  const workload = findWorkload(name) as TimedWorkload;
  const { losses } = referenceResults(workload);
  expect(losses?.length).toBe(10);
  expect(losses?.[0]).toBeGreaterThan(2);
  expect(losses?.[9]).toBeLessThan(losses?.[0] as number);
});

test('examples, batches and weights are the same every time', () => {
  expect(makeDigits(32)).toEqual(makeDigits(32));
  expect(initialParameters('mlp')).toEqual(initialParameters('mlp'));
  expect(initialParameters('mlp').map(({ name, shape }) => `${name} ${shape.join('×')}`)).toEqual([
    'dense_1/weight 784×128',
    'dense_1/bias 128',
    'dense_2/weight 128×10',
    'dense_2/bias 10',
  ]);
  const digits = makeDigits(64);
  const seen = [0, 1].flatMap((index) => [...batchOf(digits, 32, index).labels]).sort();
  expect(seen).toEqual([...digits.labels].sort());
});
