/** What every explanation method takes and gives. */

import { type Tensor, VitrineError } from '../engine/index.ts';
import type { OutputKind } from './ops/explained-output.ts';

export type { OutputKind } from './ops/explained-output.ts';

export interface ExplainProgress {
  /** Runs of the plan that are done, and all that there will be. */
  readonly done: number;
  readonly total: number;
}

/** Of every method. */
export interface ExplainOptions {
  /** The class to explain: one for all examples, or one an example. By default each example's predicted class, ties to the lowest. */
  readonly target?: number | ArrayLike<number>;
  /** Another class: what is explained is then the target's output less this one's, f_a − f_b. */
  readonly against?: number | ArrayLike<number>;
  /** 'logit' by default: a probability's gradient vanishes as the network grows sure of itself. */
  readonly output?: OutputKind;
  /** Ends a long explanation between two runs. */
  readonly signal?: AbortSignal;
  /** Called after each run of the plan. */
  readonly onProgress?: (progress: ExplainProgress) => void;
  /** Bytes that one run's activations may take; 64 MiB by default. Results depend on it in the last bits only where a method says so. */
  readonly budget?: number;
}

/** A map over the input, on the GPU. Whoever asked for it disposes of it. */
export interface Attribution {
  /** Name of the method, as it is exported. */
  readonly method: string;
  /**
   * Every option that the result depends on, defaults included, as the method takes it. JSON: given back to the method, with the same model and x, they make
   * it again, to the bit. What is no JSON has to be given again beside them: a data set is recorded by its name (a background with its size, `given` where it
   * was values or a tensor), and a baseline that is a tensor by its shape, for it is not read back. Groups are recorded as the group of each element, a
   * baseline of values as they are.
   */
  readonly options: Readonly<Record<string, unknown>>;
  /** Attribution of each input element, in the shape of x. */
  readonly values: Tensor;
  /** Completeness gap of each example, Σ values − (f(x) − f(baseline)), [rows]; absent from methods that promise no completeness. */
  readonly delta?: Tensor;
  /** Standard error of each value of a sampled method, in the shape of x. */
  readonly standardError?: Tensor;
  /** The explained class of each example, uint32 [rows]. */
  readonly target: Tensor;
  /** The explained number of each example, f(x), [rows]. */
  readonly output: Tensor;
  /** The training step whose parameters it saw; absent where the model was not trained here. */
  readonly step?: number;
  /** The last step it saw, where training went on during a long explanation. */
  readonly lastStep?: number;
  /** Frees its tensors. */
  dispose(): void;
}

/** The error of an explanation that was ended by its signal. */
export function requireGoingOn(method: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new VitrineError('aborted', `${method}: the explanation was ended by its signal.`, 'ask again without aborting.', { method });
}

/** A model that a method cannot explain. @param instead a method that can */
export function unsupportedModel(method: string, why: string, instead: string): VitrineError {
  return new VitrineError('unsupported-model', `${method}: ${why}`, instead, { method, why, instead });
}

/** Frees several tensors at once. */
export function disposeAll(tensors: Iterable<Tensor | undefined>): void {
  for (const tensor of tensors) tensor?.dispose();
}
