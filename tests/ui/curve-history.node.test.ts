import { describe, expect, test } from 'vitest';
import { Curve, CurveHistory } from '../../src/ui/curve-history.ts';

describe('a curve', () => {
  test('keeps every step while there is room', () => {
    const curve = new Curve();
    for (const value of [3, 1, 2]) curve.add(value);
    expect(curve.points().x).toEqual([0, 1, 2]);
    expect(curve.points().raw).toEqual([3, 1, 2]);
  });

  test('begins its running mean at the first value, not at 0', () => {
    const curve = new Curve();
    expect(curve.last).toBeUndefined();
    curve.add(5);
    expect(curve.last).toBeCloseTo(5, 12);
    for (let i = 0; i < 1000; i++) curve.add(1);
    expect(curve.last).toBeCloseTo(1, 6);
  });

  test('stays bounded and keeps its envelope, however long it grows', () => {
    const curve = new Curve();
    const steps = 100_000;
    for (let i = 0; i < steps; i++) curve.add(i === 77_777 ? 50 : i === 12_345 ? -50 : i % 2);
    const { x, raw } = curve.points();
    expect(curve.buckets).toBeLessThanOrEqual(384);
    expect(x.length).toBeLessThanOrEqual(768);
    expect(x.every((value, i) => i === 0 || value > x[i - 1]!)).toBe(true);
    expect(x.at(-1)).toBeLessThan(steps);
    expect(Math.max(...(raw as number[]))).toBe(50);
    expect(Math.min(...(raw as number[]))).toBe(-50);
  });
});

describe('the history of a run', () => {
  test('counts a step that comes twice once, as after a lost device', () => {
    const history = new CurveHistory(4);
    const record = (step: number) => ({ step, loss: step, accuracy: 0.5, rows: 2 });
    for (const step of [0, 1, 2, 1, 2, 3]) history.add(record(step));
    expect(history.steps).toBe(4);
    expect(history.loss.points().raw).toEqual([0, 1, 2, 3]);
  });

  test('means over the examples of an epoch, a small last batch weighing less', () => {
    const history = new CurveHistory(2);
    history.add({ step: 0, loss: 1, accuracy: 1, rows: 3 });
    history.add({ step: 1, loss: 5, accuracy: 0, rows: 1 });
    const row = history.endEpoch(1, { loss: 0.5, accuracy: 0.9 });
    expect(row).toEqual({ epoch: 1, step: 2, loss: 2, accuracy: 0.75, validationLoss: 0.5, validationAccuracy: 0.9 });
  });

  test('keeps one mark where the rate is changed twice before a step', () => {
    const history = new CurveHistory(2);
    history.add({ step: 0, loss: 1, accuracy: 1, rows: 1 });
    history.mark(1, 0.1);
    history.mark(1, 0.2);
    expect(history.marks).toEqual([{ step: 1, rate: 0.2 }]);
  });

  test('marks the step that the trainer is at, of which it need not have been told yet', () => {
    const history = new CurveHistory(10);
    history.add({ step: 0, loss: 1, accuracy: 1, rows: 1 });
    history.mark(4, 0.1);
    expect(history.marks).toEqual([{ step: 4, rate: 0.1 }]);
    expect(history.steps).toBe(1);
  });

  test('has another version after whatever is written, and not after a step that comes again', () => {
    const history = new CurveHistory(1);
    const versions = [history.version];
    history.add({ step: 0, loss: 1, accuracy: 1, rows: 1 });
    versions.push(history.version);
    history.endEpoch(1, { loss: 1, accuracy: 1 });
    versions.push(history.version);
    history.mark(1, 0.1);
    versions.push(history.version);
    expect(new Set(versions).size).toBe(4);
    history.add({ step: 0, loss: 1, accuracy: 1, rows: 1 });
    expect(history.version).toBe(versions.at(-1));
  });
});
