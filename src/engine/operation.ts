/**
 * What an operation is: a value with a shape rule, kernels and a gradient rule. One file each in ops/, one WGSL file each in shaders/.
 * Nothing here, and nothing in ops/, touches a GPU.
 */

import type { Node } from './graph.ts';
import type { Kernel, ParameterValues, Workgroups } from './kernel.ts';

export type DataType = 'float32' | 'uint32';

export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** The types one call of an operation works on. */
export interface Call<A = unknown> {
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
  readonly attributes: A;
}

/** One dispatch: all that a plan needs to encode it. */
export interface Dispatch {
  readonly kernel: Kernel;
  /** Values of the kernel's `override` declarations. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Values of its `struct Params`. */
  readonly parameters: ParameterValues;
  readonly workgroups: Workgroups;
}

/** One way to compute an operation. The bindings of its kernel are the call's inputs, then its outputs. */
export interface Variant<A = unknown> {
  readonly name: string;
  /**
   * Whether this variant can serve the call; all can, where absent. Except where it reduces over the batch, the answer must not depend
   * on the number of rows, so that a result never depends on its neighbours in the batch.
   */
  supports?(call: Call<A>): boolean;
  /** The WebGPU feature that its kernel enables: without it the variant is passed over. */
  readonly needs?: GPUFeatureName;
  /** Never timed on the hardware it is made for: only the tuner chooses it. */
  readonly unmeasured?: true;
  dispatch(call: Call<A>): Dispatch;
}

/** What a gradient rule may use besides the node itself. */
export interface GradientContext {
  /** The same node in a clone of the forward graph that is fed the baseline (DeepLIFT). */
  reference(node: Node): Node;
}

/** The adjoint of each input, `undefined` where none flows. */
export type InputGradients = readonly (Node | undefined)[];

/** What a step of a plan runs: an operation's kernels, or a fusion's, which may have several outputs and stands in no graph. */
// biome-ignore lint/suspicious/noExplicitAny: an operation's attributes are known to its own file only.
export interface KernelFamily<A = any> {
  readonly name: string;
  /** Candidates, the built-in choice first: the first that supports the call is taken unless a variant table names another. */
  readonly variants: readonly Variant<A>[];
  /** Further candidates, in a module that is loaded when none of these serves, when a variant table names one of them, and to tune. */
  more?(): Promise<readonly Variant<A>[]>;
  /** The shape class that a variant table is keyed by, with the name; never the number of rows. */
  shapeClass?(call: Call<A>): string;
}

// biome-ignore lint/suspicious/noExplicitAny: an operation's attributes are known to its own file only.
export interface Operation<A = any> extends KernelFamily<A> {
  /** The shape rule; throws `shape-mismatch` or `dtype-mismatch`. */
  infer(inputs: readonly TensorType[], attributes: A): TensorType;
  /** The gradient rule: builds nodes. Absent where no gradient flows (argmax), or where `decompose` serves. */
  gradient?(node: Node<A>, dOutput: Node, context: GradientContext): InputGradients;
  /** The same value in simpler operations, through which to differentiate a second time. */
  decompose?(node: Node<A>): Node;
  /** No gradient flows through it, by definition (argmax, comparisons). */
  readonly constant?: true;
  /** The output is the input's buffer under another shape: no kernel runs. */
  readonly view?: true;
  /** Inputs that it changes in place; its output is then the first of them. Bindings are the inputs alone. */
  readonly writes?: readonly number[];
}

export const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Elements of one row, everything but the first axis. */
export const rowElements = (shape: readonly number[]): number => elements(shape.slice(1));

export const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, i) => n === b[i]);
