/** What `npm run explain -- --global` asks of its page, and what the page gives: plain data on both sides. */

import type { TreeNode } from '../explain/global/decision-tree.ts';
import type { Fidelity, Interval } from '../explain/global/index.ts';
import type { TrainParameters } from './train-task.ts';

export const GLOBAL_METHODS = ['surrogateTree', 'permutationImportance', 'partialDependence', 'accumulatedLocalEffects', 'cka'] as const;
export type GlobalMethod = (typeof GLOBAL_METHODS)[number];

export interface GlobalParameters {
  readonly train: TrainParameters;
  /** A model as safetensors, in base64, in place of training one. */
  readonly model?: string;
  readonly methods: readonly GlobalMethod[];
  /** Of the test set, from its start on. */
  readonly examples: number;
  readonly seed: number;
  /** The class whose logit the curves follow; by default the second of two, the first of more. */
  readonly target?: number;
}

/** A surrogate tree as JSON, as far as it is drawn. */
export interface PlainTree {
  readonly root: TreeNode;
  readonly features: readonly string[];
  readonly classes: readonly string[];
}

export interface TreeResult {
  readonly depth: number;
  readonly leaves: number;
  /** Share of the network's commonest class: what fidelity has to be compared with. */
  readonly majority: number;
  readonly fidelity: readonly Fidelity[];
  readonly tree: PlainTree;
  readonly text: string;
  readonly mermaid: string;
}

export interface ImportanceResult {
  readonly metric: string;
  readonly base: number;
  /** Where the columns are patches of an image, how many there are [down, across]. */
  readonly patches?: readonly [number, number];
  readonly columns: readonly { readonly names: readonly string[]; readonly importance: Interval }[];
}

/** One line through points, with its name. */
export interface CurveResult {
  readonly column: number;
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface CkaResult {
  readonly layers: readonly string[];
  readonly values: readonly (readonly number[])[];
}

/** The object that `npm run explain -- --global --json` prints. */
export interface GlobalSummary {
  readonly data: string;
  readonly examples: number;
  /** The network's accuracy on them; null where they have no labels. */
  readonly accuracy: number | null;
  readonly seed: number;
  readonly adapter: string;
  /** Of a table: its columns are told in deviations from the mean of the training rows, as the network gets them. */
  readonly units?: 'standardised';
  readonly surrogateTree?: TreeResult;
  readonly permutationImportance?: ImportanceResult;
  /** The class whose logit the curves follow; absent where there are no curves. */
  readonly curvesOf?: { readonly target: number; readonly name: string };
  readonly partialDependence?: readonly CurveResult[];
  readonly accumulatedLocalEffects?: readonly CurveResult[];
  readonly cka?: CkaResult;
  /** Methods that were asked for and do not apply, and why. */
  readonly notApplicable: readonly { readonly method: GlobalMethod; readonly why: string }[];
}

export interface GlobalResult {
  /** Absent when it was stopped before its end. */
  readonly summary?: GlobalSummary;
}
