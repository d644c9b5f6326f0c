import { expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.ts';
import { Graph } from '../../src/engine/graph.ts';
import { add, multiply } from '../../src/engine/ops/arithmetic.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

test('a plan computes what its graph says', async () => {
  const device = await testDevice();
  const graph = new Graph();
  const a = graph.placeholder('a', [2, 3]);
  const b = graph.placeholder('b', [3]);
  const y = multiply(add(a, b), a);
  const plan = await compile(device, [y]);
  plan.tensor(a).write(new Float32Array([1, 2, 3, 4, 5, 6]));
  plan.tensor(b).write(new Float32Array([10, 20, 30]));
  plan.run();
  expect([...(await plan.tensor(y).read())]).toEqual([11, 44, 99, 56, 125, 216]);
  plan.dispose();
});
