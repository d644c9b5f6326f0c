import type { Node } from '../../../src/engine/graph.ts';
import { type Input, runInPlace as runOn, type Values } from '../../../src/engine/reference/run-in-place.ts';
import { testDevice } from '../test-device.ts';

export { bitsOf, type Input, type Values } from '../../../src/engine/reference/run-in-place.ts';

/** Every tensor after `times` runs of the plan that `build` describes, on the device that tests share. */
export async function runInPlace<Name extends string>(
  inputs: Readonly<Record<Name, Input>>,
  build: (nodes: Readonly<Record<Name, Node>>) => Node | readonly Node[],
  times: number = 1,
): Promise<Record<Name, Values>> {
  return runOn(await testDevice(), inputs, build, times);
}
