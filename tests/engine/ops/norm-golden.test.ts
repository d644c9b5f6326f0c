import { test } from 'vitest';
import { compile } from '../../../src/engine/compile.ts';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { gelu } from '../../../src/engine/ops/gelu.ts';
import { layerNorm } from '../../../src/engine/ops/layer-norm.ts';
import golden from '../../golden/pytorch.json';
import { failOnGpuErrors, testDevice } from '../test-device.ts';
import { expectClose } from './check-operation.ts';

failOnGpuErrors();

const { norm } = golden;

/** Runs a plan of `roots`, fed the golden tensors. */
async function run(roots: readonly Node[], fed: ReadonlyMap<Node, readonly number[]>): Promise<Float32Array[]> {
  const plan = await compile(await testDevice(), roots);
  for (const [node, values] of fed) plan.tensor(node).write(Float32Array.from(values));
  plan.run();
  const results = await Promise.all(roots.map((root) => plan.tensor(root).read()));
  plan.dispose();
  return results;
}

test('layer normalisation agrees with PyTorch, and so do its three gradients', async () => {
  const graph = new Graph();
  const x = graph.placeholder('x', norm.x.shape);
  const scale = graph.placeholder('scale', norm.scale.shape);
  const bias = graph.placeholder('bias', norm.bias.shape);
  const dy = graph.placeholder('dy', norm.outGradient.shape);
  const y = layerNorm(x, scale, bias, { epsilon: norm.epsilon });
  const gradients = differentiate(y, [x, scale, bias], { seed: dy }) as Node[];
  const results = await run(
    [y, ...gradients],
    new Map([
      [x, norm.x.data],
      [scale, norm.scale.data],
      [bias, norm.bias.data],
      [dy, norm.outGradient.data],
    ]),
  );
  for (const [i, key] of (['layerNorm', 'xGradient', 'scaleGradient', 'biasGradient'] as const).entries()) {
    expectClose(results[i] as Float32Array, norm[key].data, norm[key].shape, 1e-5, key);
  }
});

test.each([
  ['none', 'gelu', 'geluGradient'],
  ['tanh', 'geluTanh', 'geluTanhGradient'],
] as const)('GELU, approximated by %s, agrees with PyTorch, and so does its gradient', async (approximate, value, gradient) => {
  const graph = new Graph();
  const x = graph.placeholder('x', norm.x.shape);
  const dy = graph.placeholder('dy', norm.outGradient.shape);
  const y = gelu(x, { approximate });
  const [dx] = differentiate(y, [x], { seed: dy }) as [Node];
  const results = await run(
    [y, dx],
    new Map([
      [x, norm.x.data],
      [dy, norm.outGradient.data],
    ]),
  );
  expectClose(results[0] as Float32Array, norm[value].data, norm[value].shape, 1e-5, value);
  expectClose(results[1] as Float32Array, norm[gradient].data, norm[gradient].shape, 1e-5, gradient);
});
