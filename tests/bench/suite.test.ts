import { expect, test } from 'vitest';
import type { ContenderName } from '../../src/bench/contender.ts';
import { runSuite, type SuiteEvent } from '../../src/bench/suite.ts';

const small = { repeats: 1, sampleMilliseconds: 20, baseline: 'vitrine' } as const;

test('a run of Vitrine agrees with the reference and gives one row, and a contender that fails does not stop it', async () => {
  const events: SuiteEvent[] = [];
  const nobody = 'nobody' as ContenderName;
  const result = await runSuite({ ...small, workloads: ['train-mlp-32'], contenders: [nobody, 'vitrine'] }, (event) => events.push(event));
  const [failed, row] = result.rows;
  expect(failed).toMatchObject({ contender: 'nobody', median: null, ratioToBaseline: null });
  expect(failed?.failure).toBeTruthy();
  expect(row).toMatchObject({
    workload: 'train-mlp-32',
    contender: 'vitrine',
    unit: 'samples/s',
    repeats: 1,
    ratioToBaseline: 1,
    agreement: true,
  });
  expect(row?.median).toBeGreaterThan(0);
  expect(row?.largestError).toBeLessThan(1e-4);
  expect(result.adapter?.multiplyAddGflops).toBeGreaterThan(0);
  expect(result.adapter?.dispatchMicroseconds).toBeGreaterThan(0);
  expect(events.some(({ kind }) => kind === 'rows')).toBe(true);
}, 120_000);

test('tuned kernels agree with the reference, and the row tells what was tried', async () => {
  const { rows } = await runSuite({ ...small, workloads: ['matmul-256', 'infer-mlp-256'], contenders: ['vitrine'], tune: true });
  expect(rows.map(({ workload, agreement }) => [workload, agreement])).toEqual([
    ['matmul-256', true],
    ['infer-mlp-256', true],
  ]);
  const keys = rows.map(({ tuning = [] }) => tuning.map(({ key }) => key));
  expect(keys[0]).toEqual(['matmul nn 256→256']);
  expect(keys[1]).toEqual(expect.arrayContaining(['affine nn 784→128', 'affine nn 128→10']));
}, 180_000);

test('products and inference agree with the reference', async () => {
  const { rows } = await runSuite({ ...small, workloads: ['matmul-256', 'infer-mlp-256'], contenders: ['vitrine'] });
  expect(rows.map(({ workload, agreement, unit }) => [workload, agreement, unit])).toEqual([
    ['matmul-256', true, 'GFLOP/s'],
    ['infer-mlp-256', true, 'samples/s'],
  ]);
}, 120_000);

test('explanations agree with the reference, folded and plain', async () => {
  const names = ['saliency-256', 'integrated-gradients-50', 'integrated-gradients-50-plain'];
  const { rows } = await runSuite({ ...small, workloads: names, contenders: ['vitrine'] });
  expect(rows.map(({ workload, agreement, unit }) => [workload, agreement, unit])).toEqual(names.map((name) => [name, true, 'images/s']));
  for (const { largestError } of rows) expect(largestError).toBeLessThan(1e-5);
}, 120_000);

test('ONNX Runtime infers as the reference does, and training is not applicable to it, which is no failure', async () => {
  const { rows } = await runSuite({ ...small, workloads: ['infer-mlp-256', 'train-mlp-32'], contenders: ['ort-wasm', 'vitrine'] });
  expect(rows.map(({ workload, contender, agreement, failureKind }) => [workload, contender, agreement, failureKind])).toEqual([
    ['infer-mlp-256', 'ort-wasm', true, undefined],
    ['infer-mlp-256', 'vitrine', true, undefined],
    ['train-mlp-32', 'ort-wasm', null, 'not-applicable'],
    ['train-mlp-32', 'vitrine', true, undefined],
  ]);
}, 120_000);

test('one contender is stopped and the rest goes on', async () => {
  const stop = new AbortController();
  const report = (event: SuiteEvent): void => {
    if (event.kind === 'stage' && event.stage.task === 'check' && event.stage.contender === 'tfjs-cpu') stop.abort();
  };
  const { rows } = await runSuite(
    { ...small, workloads: ['infer-mlp-256'], contenders: ['tfjs-cpu', 'vitrine'], stops: { 'tfjs-cpu': stop.signal } },
    report,
  );
  expect(rows.map(({ contender, failureKind, agreement }) => [contender, failureKind, agreement])).toEqual([
    ['tfjs-cpu', 'stopped', null],
    ['vitrine', undefined, true],
  ]);
}, 120_000);

test('what explaining costs training is a share of its speed', async () => {
  const { rows } = await runSuite({ ...small, workloads: ['explaining'], contenders: ['vitrine'] });
  expect(rows).toMatchObject([{ workload: 'explaining', contender: 'vitrine', unit: '% of the training speed', repeats: 1 }]);
  expect(rows[0]?.median).toBeLessThan(100);
}, 120_000);

test('a steady step asks nothing of WebGPU but its dispatches', async () => {
  const { rows } = await runSuite({ ...small, workloads: ['overhead'], contenders: ['vitrine'] });
  const of = (unit: string): number | null | undefined => rows.find((row) => row.unit === unit)?.median;
  expect(of('dispatches a step')).toBeLessThanOrEqual(12);
  expect(of('bind groups created a step')).toBe(0);
  expect(of('writeBuffer a step')).toBe(0);
  expect(of('submits a step')).toBeLessThan(1.1);
}, 120_000);

test('a run that is stopped ends soon, with what it has', async () => {
  const controller = new AbortController();
  controller.abort();
  const result = await runSuite({ ...small, workloads: ['train-mlp-32'], contenders: ['vitrine'], signal: controller.signal });
  expect(result.rows).toEqual([]);
});

test('a run that is stopped in the middle settles, and no worker goes on', async () => {
  const controller = new AbortController();
  const stop = (event: SuiteEvent): void => {
    if (event.kind === 'stage' && event.text.includes('opening')) controller.abort();
  };
  const result = await runSuite(
    { ...small, workloads: ['train-mlp-32', 'memory'], contenders: ['vitrine'], signal: controller.signal },
    stop,
  );
  expect(result.rows.map(({ workload, median, failure }) => [workload, median, failure])).toEqual([
    ['train-mlp-32', null, 'The benchmark was stopped.'],
  ]);
}, 60_000);
