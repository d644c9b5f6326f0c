/** What KernelSHAP and LIME share: coalitions, their values on the CPU, and an attribution of fitted coefficients. */

import type { Examples, Model } from '../../engine/model.ts';
import { uniform } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll } from '../attribution.ts';
import { type CoalitionValues, evaluateCoalitions, type GroupAttribution, type Groups, type MaskedOptions } from '../masked.ts';
import { maskWords } from '../ops/mask-bits.ts';

/** Coalitions of groups: the groups that each keeps, ascending. */
export type Coalitions = readonly Uint32Array[];

/** As the GPU takes them, uint32 [coalitions, words]. */
function bitsOf(coalitions: Coalitions, groups: number): Uint32Array {
  const words = maskWords(groups);
  const bits = new Uint32Array(coalitions.length * words);
  coalitions.forEach((members, index) => {
    for (const group of members) {
      const word = index * words + (group >> 5);
      bits[word] = (bits[word] as number) | (1 << (group & 31));
    }
  });
  return bits;
}

/** 0 … n − 1 in a drawn order (Fisher, Yates 1938), from index `first` of its stream on. */
export function drawnOrder(n: number, seed: number, stream: number, draw: number, first = 0): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let last = n - 1; last > 0; last--) {
    const other = Math.floor(uniform(seed, stream, draw, first + last) * (last + 1));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}

/** The values of coalitions, read back to be fitted; `output` and `target` stay on the GPU for the attribution. */
export interface ReadCoalitions {
  readonly result: CoalitionValues;
  readonly examples: number;
  /** [examples, coalitions] */
  readonly values: Float32Array;
  /** f(x), [examples] */
  readonly output: Float32Array;
  /** f(x′), [examples] */
  readonly baselineOutput: Float32Array;
}

export async function readCoalitions(
  method: string,
  model: Model,
  x: Examples,
  coalitions: Coalitions,
  groups: Groups,
  options: MaskedOptions,
): Promise<ReadCoalitions> {
  const result = await evaluateCoalitions(method, model, x, { coalitions: bitsOf(coalitions, groups.count) }, { ...options, groups });
  try {
    const [values, output, baselineOutput] = (await Promise.all([
      result.values.read(),
      result.output.read(),
      result.baselineOutput.read(),
    ])) as [Float32Array, Float32Array, Float32Array];
    return { result, examples: output.length, values, output, baselineOutput };
  } catch (error) {
    result.dispose();
    throw error;
  }
}

/** An attribution of coefficients that were fitted on the CPU, [examples · groups]. Takes over the read coalitions' tensors. */
export async function fittedAttribution(
  method: string,
  model: Model,
  options: Readonly<Record<string, unknown>>,
  groups: Groups,
  { result, examples, output, baselineOutput }: ReadCoalitions,
  coefficients: Float64Array,
  complete: boolean,
): Promise<GroupAttribution> {
  const { device } = model;
  const n = groups.count;
  const features = groups.of.length;
  const sizes = new Uint32Array(n);
  for (const group of groups.of) sizes[group] = (sizes[group] as number) + 1;
  const rounded = Float32Array.from(coefficients);
  const values = Float32Array.from({ length: examples * features }, (_, k) => {
    const group = groups.of[k % features] as number;
    return (coefficients[Math.floor(k / features) * n + group] as number) / (sizes[group] as number);
  });
  const delta = Float32Array.from({ length: examples }, (_, e) => {
    const sum = rounded.subarray(e * n, (e + 1) * n).reduce((total, value) => total + value, 0);
    return sum - ((output[e] as number) - (baselineOutput[e] as number));
  });
  disposeAll([result.values, result.baselineOutput]);
  const tensors: Tensor[] = [result.output, result.target];
  try {
    return await device.guarded(method, () => {
      const put = (data: Float32Array, shape: readonly number[], name: string): Tensor => {
        const tensor = device.empty(shape, 'float32', `${method}/${name}`, { owner: 'explain' });
        tensors.push(tensor);
        tensor.write(data);
        return tensor;
      };
      return {
        method,
        options,
        groups,
        values: put(values, [examples, ...model.spec.inputShape], 'values'),
        groupValues: put(rounded, [examples, n], 'groupValues'),
        ...(complete ? { delta: put(delta, [examples], 'delta') } : {}),
        target: result.target,
        output: result.output,
        ...(result.step === undefined ? {} : { step: result.step }),
        ...(result.lastStep === undefined ? {} : { lastStep: result.lastStep }),
        dispose: () => disposeAll(tensors),
      };
    });
  } catch (error) {
    disposeAll(tensors);
    throw error;
  }
}
