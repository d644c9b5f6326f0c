/**
 * The one harness that every operation's test uses, and the self-test page. It runs every kernel variant that can serve, not only the one that would be chosen,
 * and compares with a reference in float64: the value, the gradient that `differentiate` builds against central differences of the
 * reference, and on request the gradient of that gradient. Every tensor lies between canaries and is bound 64 elements too long, so a
 * kernel without its guard shows.
 */

import { compile } from '../compile.ts';
import type { Device } from '../device.ts';
import { differentiate } from '../differentiate.ts';
import { show } from '../errors.ts';
import { ancestors, Graph, type Node, nodeLabel } from '../graph.ts';
import { type DataType, elements, type KernelFamily, type Variant } from '../operation.ts';
import { add, multiply } from '../ops/arithmetic.ts';
import { fillOperation } from '../ops/fill.ts';
import { sum } from '../ops/reduce.ts';
import { normal, permute, streamOf, uniform } from '../random.ts';
import { Tensor } from '../tensor.ts';

export interface Input {
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  /** Row-major. Where absent, seeded random numbers: normal, or uniform within `range` (whole numbers below its end for uint32). */
  readonly values?: readonly number[] | ((index: number) => number);
  readonly range?: readonly [number, number];
  /** Whether a random number lies too near a kink; 1e-2 away is far enough. */
  readonly avoid?: (value: number) => boolean;
  /** False where no gradient with respect to it is asked for. */
  readonly gradient?: false;
}

export interface OperationCheck {
  readonly build: (...inputs: Node[]) => Node;
  readonly inputs: readonly Input[];
  /** The same in float64, on row-major arrays. It may not change its inputs. */
  readonly reference: (...inputs: number[][]) => number[];
  /** Bound of max|GPU − reference| / max(1, max|reference|): 1e-5, or 1e-4 where a long sum or exp is involved. */
  readonly tolerance?: number;
  /** The same for gradients; `tolerance` by default. */
  readonly gradientTolerance?: number;
  /** Whether to check the gradient: true by default, but for uint32 outputs. */
  readonly gradient?: boolean;
  /** A fusion to take part: the plan is compiled fused, with each variant of this family in turn, and must have a step of it. */
  readonly fused?: KernelFamily;
  /** Whether to check the gradient of the gradient, too. */
  readonly twice?: boolean;
  readonly seed?: number;
}

/** Gradients of larger inputs are checked at this many elements, chosen by the seed. */
const MOST_DERIVATIVES = 256;

/** What came out of one comparison. */
export interface Finding {
  /** `value`, `gradient of input 0`, or either of the gradient's own gradient. */
  readonly what: string;
  /** The kernel variants that were asked for. */
  readonly variants: Readonly<Record<string, string>>;
  /** The kernels that ran. */
  readonly kernels: readonly string[];
  /** Of all elements; infinite where one is not a number, or nothing could be compared. */
  readonly largestError: number;
  readonly limit: number;
  readonly passed: boolean;
  /** Where it fails: what, and at which element. */
  readonly message?: string;
  /** What was thrown, where it did not come to a comparison. */
  readonly cause?: unknown;
}

/** Checks one call of an operation, or of an expression. @throws Error naming the worst element */
export async function checkOperation(device: Device, check: OperationCheck): Promise<void> {
  for await (const { passed, message, cause } of examineOperation(device, check)) {
    if (!passed) throw cause ?? new Error(message);
  }
}

/** The same, finding by finding, whether it passes or not. */
export async function* examineOperation(device: Device, check: OperationCheck, order: string = ''): AsyncGenerator<Finding> {
  const { seed = 0, tolerance = 1e-5, gradientTolerance = tolerance } = check;
  const values = check.inputs.map((input, i) => valuesOf(input, seed, i + 1));
  const graph = new Graph();
  const inputs = check.inputs.map(({ shape, dtype }, i) => graph.placeholder(`input ${i}`, shape, dtype));
  const output = check.build(...inputs);
  const expected = check.reference(...values);

  const adjoint = graph.placeholder('adjoint', output.shape);
  const adjointValues = valuesOf({ shape: output.shape }, seed, 0);
  const asked = output.dtype === 'uint32' || check.gradient === false ? [] : differentiable(check.inputs);
  const gradients = differentiate(
    output,
    asked.map((i) => inputs[i] as Node),
    { seed: adjoint },
  );
  const weighted = (): number => dot(adjointValues, check.reference(...values));
  const derivatives = asked.map((i) => partialDerivatives(weighted, values[i] as number[], seed));

  const fed = new Map([...inputs.map((input, i) => [input, values[i] as number[]] as const), [adjoint, adjointValues]]);
  const roots = [output, ...gradients.filter((gradient) => gradient !== undefined)];
  const tables = check.fused
    ? (await variantsOf(device, check.fused)).map(({ name }) => ({ [(check.fused as KernelFamily).name]: name }))
    : await variantTables(device, roots);
  for (const variants of tables) {
    const which = `with ${JSON.stringify(variants)}`;
    const kernels: string[] = [];
    const finding = (what: string, { largestError, limit, message }: Closeness): Finding => ({
      what: order + what,
      variants,
      kernels,
      largestError,
      limit,
      passed: message === undefined,
      ...(message === undefined ? {} : { message }),
    });
    let results: Map<Node, number[]>;
    try {
      results = await runBetweenCanaries(device, roots, fed, variants, kernels, check.fused);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      yield { ...finding('value', { largestError: Number.POSITIVE_INFINITY, limit: tolerance, message }), cause };
      continue;
    }
    yield finding('value', closeness(results.get(output) as number[], expected, output.shape, tolerance, `value ${which}`));
    for (const [k, { indices, slopes }] of derivatives.entries()) {
      const gradient = gradients[k];
      const { shape } = inputs[asked[k] as number] as Node;
      const actual = gradient ? (results.get(gradient) as number[]) : Array<number>(elements(shape)).fill(0);
      const what = `gradient of input ${asked[k]}`;
      yield finding(what, closeness(actual, slopes, shape, gradientTolerance, `${what} ${which}`, indices));
    }
  }
  if (check.twice) yield* examineOperation(device, gradientCheck(check, values, adjointValues, seed), 'second derivative: ');
}

/** How near values come to what they must be. */
export interface Closeness {
  readonly largestError: number;
  readonly limit: number;
  /** Where the error is larger than the limit: the worst element. */
  readonly message?: string;
}

/** Throws unless max|actual − expected| ≤ tolerance · max(1, max|expected|); `indices` says which elements the expected ones are. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  shape: readonly number[],
  tolerance: number,
  what: string,
  indices?: readonly number[],
): void {
  const { message } = closeness(actual, expected, shape, tolerance, what, indices);
  if (message !== undefined) throw new Error(message);
}

/** Compares max|actual − expected| with tolerance · max(1, max|expected|). */
export function closeness(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  shape: readonly number[],
  tolerance: number,
  what: string,
  indices?: readonly number[],
): Closeness {
  if (!indices && (actual.length !== elements(shape) || expected.length !== elements(shape))) {
    throw new Error(
      `${what}: the reference has ${expected.length} elements and the GPU ${actual.length}, but ${show(shape)} has ${elements(shape)}`,
    );
  }
  let worst = 0;
  let largest = 0;
  let at = 0;
  for (let k = 0; k < expected.length; k++) {
    const wanted = expected[k] as number;
    if (!Number.isFinite(wanted)) throw new Error(`${what}: the reference is ${wanted} at ${place(indices?.[k] ?? k, shape)}`);
    const difference = Math.abs((actual[indices?.[k] ?? k] as number) - wanted);
    const error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    largest = Math.max(largest, Math.abs(wanted));
    if (error > worst) [worst, at] = [error, k];
  }
  const limit = tolerance * Math.max(1, largest);
  if (worst <= limit) return { largestError: worst, limit };
  const index = indices?.[at] ?? at;
  const digits = (value: number | undefined): string => String(Number(value?.toPrecision(4)));
  const message =
    `${what}: largest error ${worst.toExponential(1)} > ${Number(limit.toPrecision(2)).toExponential()} at ${place(index, shape)} of ${show(shape)}: ` +
    `GPU ${digits(actual[index])}, reference ${digits(expected[at])}`;
  return { largestError: worst, limit, message };
}

/** The coordinates of a row-major index. */
function place(index: number, shape: readonly number[]): string {
  let rest = index;
  const coordinates = [...shape].reverse().map((length) => {
    const coordinate = rest % length;
    rest = Math.floor(rest / length);
    return coordinate;
  });
  return show(coordinates.reverse());
}

/** An input's values, rounded to what the GPU will hold. */
function valuesOf(input: Input, seed: number, stream: number): number[] {
  const { values, range } = input;
  const draw = (index: number, attempt: number): number => {
    if (!range) return normal(seed, stream, attempt, index);
    return range[0] + uniform(seed, stream, attempt, index) * (range[1] - range[0]);
  };
  const held = input.dtype === 'uint32' ? (value: number): number => value >>> 0 : Math.fround;
  return Array.from({ length: elements(input.shape) }, (_, index) => {
    if (values) return held((typeof values === 'function' ? values(index) : values[index]) as number);
    for (let attempt = 0; ; attempt++) {
      const drawn = draw(index, attempt);
      const value = held(drawn);
      if (!input.avoid?.(value)) return value;
    }
  });
}

const differentiable = (inputs: readonly Input[]): number[] =>
  inputs.map((_input, i) => i).filter((i) => inputs[i]?.dtype !== 'uint32' && inputs[i]?.gradient !== false);

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((total, value, i) => total + value * (b[i] as number), 0);

const STEP = 2e-3;

/** f′(0) by central differences of fourth order: within about 1e-11 for functions whose derivatives are near 1. */
function slopeAtZero(f: (t: number) => number): number {
  return (8 * (f(STEP) - f(-STEP)) - (f(2 * STEP) - f(-2 * STEP))) / (12 * STEP);
}

/** ∂ loss / ∂ values, where `loss` reads `values`. */
function partialDerivatives(loss: () => number, values: number[], seed: number): { indices: number[]; slopes: number[] } {
  const { length } = values;
  const indices = Array.from({ length: Math.min(length, MOST_DERIVATIVES) }, (_, i) =>
    length > MOST_DERIVATIVES ? permute(i, length, seed, 0) : i,
  );
  const slopes = indices.map((index) => {
    const value = values[index] as number;
    const slope = slopeAtZero((t) => {
      values[index] = value + t;
      return loss();
    });
    values[index] = value;
    return slope;
  });
  return { indices, slopes };
}

/**
 * The check of the second derivative: of g = Σ v ⊙ gradient, for a random direction v, which is the slope of Σ adjoint ⊙ y along v. It is
 * a function of the inputs and of the adjoint.
 */
function gradientCheck(check: OperationCheck, values: readonly number[][], adjoint: readonly number[], seed: number): OperationCheck {
  const asked = differentiable(check.inputs);
  const count = check.inputs.length;
  const directions: Input[] = asked.map((i) => ({ shape: check.inputs[i]?.shape ?? [], gradient: false }));
  const outputShape = shapeOf(check);
  return {
    build: (...nodes) => {
      const inputs = nodes.slice(0, count);
      const gradients = differentiate(
        check.build(...inputs),
        asked.map((i) => inputs[i] as Node),
        { seed: nodes[count] as Node },
      );
      const terms = gradients.flatMap((gradient, k) => (gradient ? [sum(multiply(gradient, nodes[count + 1 + k] as Node))] : []));
      return terms.reduce(add);
    },
    inputs: [
      ...check.inputs.map((input, i) => ({ ...input, values: values[i] as number[] })),
      { shape: outputShape, values: adjoint },
      ...directions,
    ],
    reference: (...all) => {
      const along = (t: number): number[][] =>
        all.slice(0, count).map((input, i) => {
          const direction = all[count + 1 + asked.indexOf(i)];
          return asked.includes(i) && direction ? input.map((value, j) => value + t * (direction[j] as number)) : input;
        });
      return [slopeAtZero((t) => dot(all[count] as number[], check.reference(...along(t))))];
    },
    tolerance: Math.max(1e-4, check.tolerance ?? 0),
    seed: seed + 1,
  };
}

function shapeOf(check: OperationCheck): readonly number[] {
  const graph = new Graph();
  return check.build(...check.inputs.map(({ shape, dtype }, i) => graph.placeholder(`input ${i}`, shape, dtype))).shape;
}

const runs = (node: Node): boolean => node.operation !== undefined && !node.operation.view && node.operation !== fillOperation;

/** All variants of a family that the device can run, those that are loaded when asked for among them. */
const variantsOf = async ({ features }: Device, family: KernelFamily): Promise<readonly Variant[]> =>
  [...family.variants, ...((await family.more?.()) ?? [])].filter(({ needs }) => !needs || features.has(needs));

/** Variant tables that together take every variant of every operation that supports its call. */
async function variantTables(device: Device, roots: readonly Node[]): Promise<Record<string, string>[]> {
  const nodes = ancestors(roots).filter(runs);
  const all = new Map<KernelFamily, readonly Variant[]>();
  for (const { operation } of nodes) if (operation) all.set(operation, all.get(operation) ?? (await variantsOf(device, operation)));
  const tables = new Map<string, Record<string, string>>();
  const most = Math.max(1, ...[...all.values()].map(({ length }) => length));
  for (let k = 0; k < most; k++) {
    const table: Record<string, string> = {};
    const chosen = nodes.map((node) => {
      const { name } = node.operation as KernelFamily;
      const variants = all.get(node.operation as KernelFamily) as readonly Variant[];
      const able = variants.filter(
        (variant) => variant.supports?.({ inputs: node.inputs, outputs: [node], attributes: node.attributes }) ?? true,
      );
      const wanted = variants[k];
      if (!wanted || !able.includes(wanted)) return able[0]?.name;
      table[name] = wanted.name;
      return wanted.name;
    });
    if (!tables.has(chosen.join())) tables.set(chosen.join(), table);
  }
  return [...tables.values()];
}

const CANARY_ELEMENTS = 64;
const CANARY_BYTES = 4 * CANARY_ELEMENTS;
/** As float32 it is a NaN, another one in each tensor: what a kernel without its guard copies over a canary shows, too. */
const canaryOf = (name: string): number => (0xffc00000 | (streamOf(name) & 0x3fffff)) >>> 0;

/** A tensor in the middle of a buffer of canaries, bound to the buffer's end; unwritten elements are canaries too. */
function tensorBetweenCanaries(device: Device, node: Node, values: readonly number[] | undefined): Tensor {
  const count = elements(node.shape);
  const storage = device.createBuffer(nodeLabel(node), 4 * count + 2 * CANARY_BYTES);
  const words = new Uint32Array(storage.size / 4).fill(canaryOf(nodeLabel(node)));
  if (values) words.set(node.dtype === 'uint32' ? values : new Uint32Array(Float32Array.from(values).buffer), CANARY_ELEMENTS);
  device.writeBuffer('engine', storage, 0, words);
  const { shape, dtype } = node;
  return new Tensor(device, {
    name: nodeLabel(node),
    shape,
    dtype,
    storage,
    byteOffset: CANARY_BYTES,
    bindingBytes: 4 * count + CANARY_BYTES,
    owned: true,
  });
}

/** The values of a tensor after a run. @throws Error where a canary changed, or an element is NaN or was not written */
async function readBetweenCanaries(device: Device, tensor: Tensor): Promise<number[]> {
  const words = new Uint32Array(await device.readBuffer(tensor.storage, 0, tensor.storage.size));
  const canary = canaryOf(tensor.name);
  const end = CANARY_ELEMENTS + tensor.length;
  words.forEach((word, i) => {
    const inside = i >= CANARY_ELEMENTS && i < end;
    if (!inside && word !== canary)
      throw new Error(`${tensor.name} ${show(tensor.shape)}: element ${i - CANARY_ELEMENTS}, outside it, was written`);
    if (inside && (word & 0x7fffffff) > 0x7f800000) {
      const at = place(i - CANARY_ELEMENTS, tensor.shape);
      throw new Error(`${tensor.name} ${show(tensor.shape)}: ${word === canary ? 'not written, or NaN,' : 'NaN'} at ${at}`);
    }
  });
  const bytes = words.slice(CANARY_ELEMENTS, end);
  return [...(tensor.dtype === 'uint32' ? bytes : new Float32Array(bytes.buffer))];
}

/** Runs the plan of `roots` and tells its `kernels`, every tensor between canaries: each node's, or with a fusion those of inputs and roots. */
async function runBetweenCanaries(
  device: Device,
  roots: readonly Node[],
  fed: ReadonlyMap<Node, readonly number[]>,
  variants: Record<string, string>,
  kernels: string[],
  fused?: KernelFamily,
): Promise<Map<Node, number[]>> {
  const placed = ancestors(roots).filter(
    (node) => !node.operation || (fused ? roots.includes(node) : runs(node) && !node.operation.writes),
  );
  const tensors = new Map(placed.map((node) => [node, tensorBetweenCanaries(device, node, fed.get(node))]));
  try {
    const plan = await compile(device, roots, { tensors, variants, fuse: fused !== undefined });
    kernels.push(...new Set(plan.steps.map(({ kernel }) => kernel.name)));
    if (fused && !plan.steps.some(({ variantKey }) => variantKey.split(' ')[0] === fused.name)) {
      throw new Error(`the plan has no step of ${fused.name}: ${plan.steps.map(({ variantKey }) => variantKey).join(', ')}`);
    }
    plan.run();
    await Promise.all([...tensors.values()].map((tensor) => readBetweenCanaries(device, tensor)));
    const results = new Map<Node, number[]>();
    for (const root of roots) {
      const tensor = plan.tensor(root);
      results.set(root, [...(tensor.dtype === 'uint32' ? await tensor.readUint32() : await tensor.read())]);
    }
    plan.dispose();
    return results;
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}
