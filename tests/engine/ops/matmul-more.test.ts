import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { openDevice } from '../../../src/engine/device.ts';
import { Graph } from '../../../src/engine/graph.ts';
import type { TensorType, Variant } from '../../../src/engine/operation.ts';
import { affineOperation, weightGradientKernels } from '../../../src/engine/ops/affine.ts';
import { maskedProductKernels, matmul, matmulOperation } from '../../../src/engine/ops/matmul.ts';
import { normal } from '../../../src/engine/random.ts';
import { failOnGpuErrors, testDevice } from '../test-device.ts';

failOnGpuErrors();

describe('the variants of a product', { timeout: 240_000 }, () => {
  const all = async (): Promise<readonly Variant[]> => [...matmulOperation.variants, ...((await matmulOperation.more?.()) ?? [])];
  /** a [rows, 20] times b [20, 36] or its transpose, for rows that are the same whatever their number. */
  const product = async (rows: number, transposeB: boolean, variant: string): Promise<Float32Array> => {
    const device = await testDevice();
    const graph = new Graph();
    const [a, b] = [graph.placeholder('a', [rows, 20]), graph.placeholder('b', transposeB ? [36, 20] : [20, 36])];
    const plan = await compile(device, [matmul(a, b, { transposeB })], { variants: { matmul: variant } });
    for (const [stream, node] of [a, b].entries()) {
      const tensor = plan.tensor(node);
      tensor.write(Float32Array.from({ length: tensor.length }, (_, i) => normal(0, stream, 0, i)));
    }
    plan.run();
    const values = Float32Array.from(await plan.tensor(graph.nodes.at(-1) as typeof a).read());
    expect(plan.steps.map((step) => step.variant)).toEqual([variant]);
    plan.dispose();
    return values;
  };

  test('give a row the same bits, however many rows there are', async () => {
    const seen: string[] = [];
    for (const transposeB of [false, true]) {
      const inputs = [[45, 20], transposeB ? [36, 20] : [20, 36]].map((shape): TensorType => ({ shape, dtype: 'float32' }));
      const call = { inputs, outputs: [], attributes: { transposeA: false, transposeB } };
      for (const { name, supports } of await all()) {
        if (!supports?.(call)) continue;
        const many = await product(45, transposeB, name);
        for (const rows of [1, 7, 32]) {
          expect(await product(rows, transposeB, name), `${name}, ${rows} rows`).toEqual(many.subarray(0, rows * 36));
        }
        seen.push(name);
      }
    }
    expect([...new Set(seen)]).toEqual(['quads', 'quadsScalar', 'register8x8', 'register4x4', 'block64x64', 'block128x64', 'naive']);
  });

  test('split the sum of a weight gradient only', async () => {
    const more = (await weightGradientKernels.more?.()) ?? [];
    expect(more.map(({ name }) => name)).toContain('blockSplit');
    for (const family of [affineOperation, maskedProductKernels]) {
      expect(((await family.more?.()) ?? []).map(({ name }) => name)).not.toContain('blockSplit');
    }
  });

  test('say so where they were never timed on what they are made for', async () => {
    expect((await all()).filter(({ unmeasured }) => unmeasured).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['block64x64', 'block128x64', 'blockSplit']),
    );
  });

  test('that load vec4 serve only what is divisible by four', async () => {
    const graph = new Graph();
    const y = matmul(graph.placeholder('a', [4, 6]), graph.placeholder('b', [6, 4]));
    const device = await testDevice();
    const plan = await compile(device, [y]);
    expect(plan.variants).toEqual({ 'matmul nn 6→4': 'quadsScalar' });
    plan.dispose();
    await expect(compile(device, [y], { variants: { 'matmul nn 6→4': 'register8x8' } })).rejects.toThrow(
      "variants: matmul nn 6→4 has no variant 'register8x8' for these shapes.\nTo mend: choose one of quadsScalar, register4x4, naive.",
    );
  });

  test('do without subgroups where the device has none', async () => {
    const requestDevice = async (): Promise<GPUDevice> => ((await navigator.gpu.requestAdapter()) as GPUAdapter).requestDevice();
    const device = await openDevice({ requestDevice });
    for (const [inner, variant] of [
      [8, 'register8x8'],
      [7, 'register4x4'],
    ] as const) {
      const graph = new Graph();
      const [a, b] = [graph.placeholder('a', [3, inner]), graph.placeholder('b', [inner, 4])];
      const plan = await compile(device, [matmul(a, b)]);
      for (const node of [a, b]) plan.tensor(node).write(new Float32Array(plan.tensor(node).length).fill(0.5));
      plan.run();
      expect([...(await plan.tensor(graph.nodes.at(-1) as typeof a).read())]).toEqual(Array(12).fill(inner / 4));
      expect(Object.values(plan.variants)).toEqual([variant]);
    }
    expect(device.faults).toEqual([]);
    device.destroy();
  });
});
