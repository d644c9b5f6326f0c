import { describe, expect, test } from 'vitest';
import { split } from '../../src/data/split.ts';
import { rescale, scalingOf, standardise } from '../../src/data/standardise.ts';
import { columnGroups, loadBreastCancer, loadGermanCredit } from '../../src/data/tables.ts';
import { type Dataset, validateDataset } from '../../src/engine/dataset.ts';
import { refusal } from './refusal.ts';

const ofClass = ({ labels }: Dataset, wanted: number): number => [...labels!].filter((label) => label === wanted).length;

describe('the German credit data', () => {
  test('has 1,000 applicants, 700 of them good', async () => {
    const credit = await loadGermanCredit();
    validateDataset(credit, [61], 2);
    expect(credit.size).toBe(1000);
    expect(credit.classes).toEqual(['good', 'bad']);
    expect([ofClass(credit, 0), ofClass(credit, 1)]).toEqual([700, 300]);
    expect([...credit.inputs.subarray(0, 5)]).toEqual([6, 1169, 4, 4, 67]);
    expect(credit.features!.slice(0, 2)).toEqual(['Duration', 'Amount']);
  });

  test('has 9 numbers and 11 categories whose indicators sum to 1', async () => {
    const { inputs, features } = await loadGermanCredit();
    const groups = columnGroups(features!);
    expect(groups.length).toBe(20);
    expect(groups.flatMap(({ columns }) => columns).sort((a, b) => a - b)).toEqual([...features!.keys()]);
    const categories = groups.filter(({ columns }) => columns.length > 1);
    expect(categories.length).toBe(11);
    for (const { columns } of categories) {
      for (let row = 0; row < 1000; row++) {
        expect(columns.reduce((sum, column) => sum + inputs[61 * row + column]!, 0)).toBe(1);
      }
    }
  });
});

describe('the breast cancer data', () => {
  test('has 569 tumours, 212 of them malignant', async () => {
    const tumours = await loadBreastCancer();
    validateDataset(tumours, [30], 2);
    expect(tumours.size).toBe(569);
    expect(tumours.classes).toEqual(['benign', 'malignant']);
    expect([ofClass(tumours, 0), ofClass(tumours, 1)]).toEqual([357, 212]);
    expect(tumours.features![0]).toBe('mean_radius');
    expect(tumours.labels![0]).toBe(1);
    expect(tumours.inputs[0]).toBeCloseTo(17.99, 5);
  });
});

describe('standardise', () => {
  const column = (...values: number[]): Dataset => ({
    name: 'column',
    size: values.length,
    inputShape: [1],
    inputs: Float32Array.from(values),
  });

  test('gives the training columns mean 0 and deviation 1', async () => {
    const { train, test: held, scaling } = standardise(split(await loadBreastCancer(), { fraction: 0.2, seed: 0 }));
    const { mean, deviation } = scalingOf(train);
    for (let i = 0; i < 30; i++) {
      expect(mean[i]).toBeCloseTo(0, 6);
      expect(deviation[i]).toBeCloseTo(1, 6);
    }
    expect(scaling.mean.length).toBe(30);
    expect(held.size).toBe(114);
    expect(train.classes).toEqual(['benign', 'malignant']);
  });

  test('looks at the training rows only', () => {
    const { train, test: held, scaling } = standardise({ train: column(1, 3), test: column(1000, 2) });
    expect([...scaling.mean, ...scaling.deviation]).toEqual([2, 1]);
    expect(train.inputs).toEqual(Float32Array.of(-1, 1));
    expect(held.inputs).toEqual(Float32Array.of(998, 0));
  });

  test('makes a constant column 0, even one whose mean rounds', async () => {
    expect(standardise({ train: column(...new Array<number>(1000).fill(0.1)) }).train.inputs.every((x) => Math.abs(x) < 1e-12)).toBe(true);
    const { train } = standardise({ train: await loadGermanCredit() });
    const vacation = train.features!.indexOf('Purpose.Vacation');
    for (let row = 0; row < 1000; row++) expect(train.inputs[61 * row + vacation]).toBe(0);
    validateDataset(train, [61], 2);
  });

  test('turns bytes into floats, whatever their divisor was', () => {
    const bytes: Dataset = { name: 'bytes', size: 2, inputShape: [1], inputs: Uint8Array.of(0, 10), divisor: 10 };
    expect(standardise({ train: bytes }).train).toEqual({
      name: 'bytes',
      size: 2,
      inputShape: [1],
      inputs: Float32Array.of(-1, 1),
    });
  });

  test('is refused with nothing to take a mean of', async () => {
    expect(await refusal(() => standardise({ train: column() }))).toEqual([
      'empty-dataset',
      'column: there are no rows to take a mean of.',
      'To mend: give at least one training row.',
    ]);
  });

  test('is refused for other columns', async () => {
    const wide: Dataset = { name: 'wide', size: 1, inputShape: [2], inputs: Float32Array.of(1, 2) };
    expect(await refusal(() => rescale(wide, scalingOf(column(1, 2))))).toEqual([
      'shape-mismatch',
      'standardise: wide is [1, 2] but the mean has 1 columns.',
      'To mend: scale a set by the scaling of a set with the same columns.',
    ]);
  });
});
