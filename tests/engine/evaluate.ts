import { compile } from '../../src/engine/compile.ts';
import type { Node } from '../../src/engine/graph.ts';
import { testDevice } from './test-device.ts';

/** The values of nodes, row-major, as the GPU computes them from these values of placeholders. */
export async function evaluate(roots: readonly Node[], fed: ReadonlyMap<Node, readonly number[]>): Promise<number[][]> {
  const plan = await compile(await testDevice(), [...roots, ...fed.keys()]);
  for (const [node, values] of fed) plan.tensor(node).write(Float32Array.from(values));
  plan.run();
  const results: number[][] = [];
  for (const root of roots) results.push([...(await plan.tensor(root).read())]);
  plan.dispose();
  return results;
}
