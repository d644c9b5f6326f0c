import { describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.ts';
import { apply, Graph } from '../../src/engine/graph.ts';
import { kernel, linearWorkgroups } from '../../src/engine/kernel.ts';
import type { Operation, TensorType } from '../../src/engine/operation.ts';
import { normal, pcg4d, permute, streamOf, uniform } from '../../src/engine/random.ts';
import library from '../../src/shaders/random.wgsl?raw';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

// Runs a function of random.wgsl on a list of keys; it returns four numbers a key.
const onGpu = async (entry: 'hash' | 'shuffle', keys: readonly (readonly number[])[]): Promise<number[][]> => {
  const source = `${library}
    struct Params { count: u32 }
    @group(0) @binding(0) var<storage, read> keys: array<vec4<u32>>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
    @group(1) @binding(0) var<uniform> params: Params;
    @compute @workgroup_size(64)
    fn hash(@builtin(global_invocation_id) id: vec3<u32>) {
      if (id.x < params.count) { y[id.x] = pcg4d(keys[id.x]); }
    }
    @compute @workgroup_size(64)
    fn shuffle(@builtin(global_invocation_id) id: vec3<u32>) {
      if (id.x >= params.count) { return; }
      let key = keys[id.x];
      y[id.x] = vec4<u32>(permute(key.x, key.y, key.z, key.w), 0u, 0u, 0u);
    }`;
  const operation: Operation<object> = {
    name: entry,
    infer: ([input]) => ({ shape: (input as TensorType).shape, dtype: 'uint32' }),
    variants: [
      {
        name: 'only',
        dispatch: () => ({
          kernel: kernel('random-test', source, entry, ['keys', 'y']),
          parameters: { count: keys.length },
          workgroups: linearWorkgroups(keys.length, 64),
        }),
      },
    ],
  };
  const device = await testDevice();
  const input = new Graph().placeholder('keys', [keys.length, 4], 'uint32');
  const result = apply(operation, [input], {});
  const plan = await compile(device, [result]);
  plan.tensor(input).write(new Uint32Array(keys.flat()));
  plan.run();
  const values = [...(await plan.tensor(result).readUint32())];
  plan.dispose();
  return keys.map((_, i) => values.slice(4 * i, 4 * i + 4));
};

const extremes = [0, 1, 2, 65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

describe('pcg4d', () => {
  test('gives the same bits on the GPU as on the CPU, for extreme keys too', async () => {
    const keys = extremes.flatMap((a) => extremes.map((b) => [a, b, (a ^ b) >>> 0, (a + 7 * b) >>> 0]));
    expect(await onGpu('hash', keys)).toEqual(keys.map(([a, b, c, d]) => pcg4d(a as number, b as number, c as number, d as number)));
  });

  test('changes about half of its bits from one index to the next', () => {
    let changed = 0;
    for (let index = 0; index < 1000; index++) {
      const next = pcg4d(1, 2, 3, index + 1);
      pcg4d(1, 2, 3, index).forEach((word, i) => {
        for (let rest = word ^ (next[i] as number); rest !== 0; rest &= rest - 1) changed++;
      });
    }
    expect(Math.abs(changed / (1000 * 128) - 0.5)).toBeLessThan(0.01);
  });
});

describe('permute', () => {
  test.each([1, 2, 3, 5, 17, 1000, 60000])('visits every one of %i examples once', (count) => {
    const seen = new Set(Array.from({ length: count }, (_, position) => permute(position, count, 7, 3)));
    expect(seen.size).toBe(count);
    expect([...seen].every((index) => index >= 0 && index < count)).toBe(true);
  });

  test('gives the same order on the GPU as on the CPU', async () => {
    const keys = [1, 2, 3, 4, 5, 17, 64, 65, 1000].flatMap((count) =>
      Array.from({ length: Math.min(count, 70) }, (_, position) => [position, count, 0xdeadbeef, count % 4]),
    );
    // The last positions of a set as large as MNIST, and of one beyond 2¹⁶.
    keys.push(...[60000, 70000, 1_000_003].flatMap((count) => [1, 2, 3].map((back) => [count - back, count, 5, 9])));
    const expected = keys.map(([position, count, seed, epoch]) => [
      permute(position as number, count as number, seed as number, epoch as number),
      0,
      0,
      0,
    ]);
    expect(await onGpu('shuffle', keys)).toEqual(expected);
  });

  test('orders another epoch and another seed differently', () => {
    const order = (seed: number, epoch: number) => Array.from({ length: 100 }, (_, position) => permute(position, 100, seed, epoch));
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
    expect(order(1, 0)).toEqual(order(1, 0));
  });

  test('leaves no trace of the order it was given: neighbours are as far apart as by chance', () => {
    const count = 60000;
    let distance = 0;
    for (let i = 0; i < 10_000; i++) distance += Math.abs(permute(i, count, 1, 0) - permute(i + 1, count, 1, 0));
    // Two independent uniform numbers are a third of the range apart in the mean.
    expect(distance / 10_000 / count).toBeCloseTo(1 / 3, 1);
  });
});

describe('draws', () => {
  const count = 100_000;
  const moment = (values: readonly number[], power: number) => values.reduce((total, value) => total + value ** power, 0) / values.length;

  test('uniform fills [0, 1) evenly', () => {
    const values = Array.from({ length: count }, (_, index) => uniform(3, 14, 15, index));
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    // Four standard errors: 4 · 0.289 / √count and 4 · 0.0745 / √count.
    expect(Math.abs(moment(values, 1) - 1 / 2)).toBeLessThan(0.0037);
    expect(Math.abs(moment(values, 2) - moment(values, 1) ** 2 - 1 / 12)).toBeLessThan(0.00095);
    const bins = Array<number>(10).fill(0);
    for (const value of values) bins[Math.floor(10 * value)]! += 1;
    const chiSquared = bins.reduce((total, n) => total + (n - count / 10) ** 2 / (count / 10), 0);
    expect(chiSquared).toBeLessThan(27.9); // 0.1 % of nine degrees of freedom
  });

  test('normal has the moments 0, 1, 0, 3', () => {
    const values = Array.from({ length: count }, (_, index) => normal(3, 14, 15, index));
    expect(Math.abs(moment(values, 1))).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
    expect(Math.abs(moment(values, 3))).toBeLessThan(4 * Math.sqrt(15 / count));
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / count));
  });

  test('two streams, two steps and two seeds are uncorrelated', () => {
    const base = Array.from({ length: count }, (_, i) => normal(1, 1, 1, i));
    for (const other of [
      Array.from({ length: count }, (_, i) => normal(2, 1, 1, i)),
      Array.from({ length: count }, (_, i) => normal(1, 2, 1, i)),
      Array.from({ length: count }, (_, i) => normal(1, 1, 2, i)),
      Array.from({ length: count }, (_, i) => normal(1, 1, 1, i + 1)),
    ]) {
      const correlation = base.reduce((total, value, i) => total + value * (other[i] as number), 0) / count;
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(count));
    }
  });

  test('a stream number depends on the whole name', () => {
    const names = ['', 'dense_1/weight', 'dense_2/weight', 'dense_1/bias', 'dense_11/weight'];
    expect(new Set(names.map(streamOf)).size).toBe(names.length);
    expect(streamOf('a')).toBe(0xe40c292c); // FNV-1a's own test vector
  });
});
