/** Runs operations that change tensors in place, each tensor between canaries and bound 64 elements too long. */

import { compile } from '../compile.ts';
import type { Device } from '../device.ts';
import { internal, show } from '../errors.ts';
import { Graph, type Node } from '../graph.ts';
import { elements } from '../operation.ts';
import { Tensor } from '../tensor.ts';

export type Values = Float32Array | Uint32Array;

/** Values of one axis, or a shape and its values row-major. */
export type Input = Values | readonly [shape: readonly number[], values: Values];

const CANARY_ELEMENTS = 64;
/** As float32 it is a NaN. */
const CANARY = 0xffffffff;

/** Every tensor after `times` runs of the plan that `build` describes. @throws Error where anything outside of a tensor was written */
export async function runInPlace<Name extends string>(
  device: Device,
  inputs: Readonly<Record<Name, Input>>,
  build: (nodes: Readonly<Record<Name, Node>>) => Node | readonly Node[],
  times = 1,
): Promise<Record<Name, Values>> {
  const graph = new Graph();
  const names = Object.keys(inputs) as Name[];
  const tensors = new Map<Node, Tensor>();
  const nodes = {} as Record<Name, Node>;
  for (const name of names) {
    const [shape, values] = shaped(inputs[name]);
    const dtype = values instanceof Uint32Array ? 'uint32' : 'float32';
    const storage = device.createBuffer(name, 4 * (values.length + 2 * CANARY_ELEMENTS));
    const words = new Uint32Array(storage.size / 4).fill(CANARY);
    words.set(bitsOf(values), CANARY_ELEMENTS);
    device.writeBuffer('engine', storage, 0, words);
    nodes[name] = graph.placeholder(name, shape, dtype);
    tensors.set(
      nodes[name],
      new Tensor(device, {
        name,
        shape,
        dtype,
        storage,
        byteOffset: 4 * CANARY_ELEMENTS,
        bindingBytes: 4 * (values.length + CANARY_ELEMENTS),
        owned: true,
      }),
    );
  }
  const roots = [build(nodes)].flat() as Node[];
  const plan = await compile(device, roots, { tensors });
  plan.run(times);
  const results = {} as Record<Name, Values>;
  for (const name of names) {
    const { storage, length, dtype } = tensors.get(nodes[name]) as Tensor;
    const words = new Uint32Array(await device.readBuffer(storage, 0, storage.size));
    const outside = [...words.subarray(0, CANARY_ELEMENTS), ...words.subarray(CANARY_ELEMENTS + length)];
    if (!outside.every((word) => word === CANARY)) throw new Error(`${name}: an element outside of it was written`);
    const inside = words.slice(CANARY_ELEMENTS, CANARY_ELEMENTS + length);
    results[name] = dtype === 'uint32' ? inside : new Float32Array(inside.buffer);
  }
  plan.dispose();
  for (const tensor of tensors.values()) tensor.dispose();
  return results;
}

function shaped(input: Input): readonly [readonly number[], Values] {
  if (input instanceof Float32Array || input instanceof Uint32Array) return [[input.length], input];
  if (elements(input[0]) !== input[1].length) throw internal('run-in-place.ts', `${input[1].length} values are no ${show(input[0])}`);
  return input;
}

/** The same memory as words, for comparisons that allow no difference. */
export const bitsOf = (values: Values): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);
