import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { Graph } from '../../../src/engine/graph.ts';
import { add } from '../../../src/engine/ops/arithmetic.ts';
import { constant, onesLike } from '../../../src/engine/ops/fill.ts';
import { failOnGpuErrors, testDevice } from '../test-device.ts';

failOnGpuErrors();

describe('constant', () => {
  test('broadcasts as a scalar, without a step of its own', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [2, 3]);
    const y = add(x, constant(graph, 2.5));
    const plan = await compile(device, [y]);
    expect(plan.steps.map(({ operations }) => operations)).toEqual([['add']]);
    plan.tensor(x).write(new Float32Array([1, 2, 3, 4, 5, 6]));
    plan.run();
    expect([...(await plan.tensor(y).read())]).toEqual([3.5, 4.5, 5.5, 6.5, 7.5, 8.5]);
    plan.dispose();
  });

  test('has the shape it is given, and its value before anything runs', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const filled = constant(graph, -0.75, [3, 5]);
    expect([filled.shape, filled.dtype]).toEqual([[3, 5], 'float32']);
    const plan = await compile(device, [filled]);
    expect(plan.steps).toEqual([]);
    expect([...(await plan.tensor(filled).read())]).toEqual(Array(15).fill(-0.75));
    plan.run(2);
    expect([...(await plan.tensor(filled).read())]).toEqual(Array(15).fill(-0.75));
    plan.dispose();
  });

  test('is written once, when the plan is compiled', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const x = graph.placeholder('x', [4]);
    const y = add(add(x, constant(graph, 1)), constant(graph, 2, [4]));
    const written = (): number => Object.values(device.calls).reduce((sum, { writeBuffer }) => sum + writeBuffer, 0);
    const before = written();
    const plan = await compile(device, [y]);
    // Two constants, and the parameters of two steps.
    expect(written() - before).toBe(3);
    plan.run(50);
    expect(written() - before).toBe(3);
    expect([...(await plan.tensor(y).read())]).toEqual([3, 3, 3, 3]);
    plan.dispose();
  });

  test('keeps its value however often buffers around it are reused', async () => {
    const device = await testDevice();
    const graph = new Graph();
    const one = constant(graph, 1, [4]);
    let y = graph.placeholder('x', [4]);
    for (let i = 0; i < 12; i++) y = add(y, one);
    const plan = await compile(device, [y]);
    plan.run(3);
    expect([...(await plan.tensor(y).read())]).toEqual([12, 12, 12, 12]);
    plan.dispose();
  });
});

test('onesLike has the shape of another node', async () => {
  const device = await testDevice();
  const ones = onesLike(new Graph().placeholder('x', [2, 1, 3]));
  const plan = await compile(device, [ones]);
  expect(ones.shape).toEqual([2, 1, 3]);
  expect([...(await plan.tensor(ones).read())]).toEqual(Array(6).fill(1));
  plan.dispose();
});
