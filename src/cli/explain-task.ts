/** What `npm run explain` asks of its page, and what the page gives: plain data on both sides. */

import type { Evaluation } from '../explain/evaluate/evaluate.ts';
import type { StageEvent, TrainEvent, TrainParameters } from './train-task.ts';

export interface ExplainParameters {
  /** What is trained where no model is given; its data set is that of the example. */
  readonly train: TrainParameters;
  /** A model as safetensors, in base64 (parameters cross as JSON), in place of training one. */
  readonly model?: string;
  /** Of the test set. */
  readonly index: number;
  /** Names of methods, as they are exported. */
  readonly methods: readonly string[];
  /** The class to explain; the predicted one where absent. */
  readonly target?: number;
  /** Another class, less which it is explained. */
  readonly against?: number;
  readonly output: 'logit' | 'probability' | 'logOdds';
  readonly seed: number;
  /** Examples of the test set, from `index` on, that the methods are evaluated on; 0 for no evaluation. */
  readonly examples: number;
  /** Whether a picture and the maps' values are wanted. */
  readonly keep: boolean;
}

export type ExplainEvent = StageEvent | TrainEvent;

/** One method's map in brief. */
export interface MapSummary {
  readonly method: string;
  readonly title: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly target: number;
  /** f(x) in the unit of `output`. */
  readonly output: number;
  /** Completeness gap; absent from methods that promise none. */
  readonly delta?: number;
  readonly sum: number;
  readonly least: number;
  readonly greatest: number;
  /** The elements of the largest magnitude: where, and the value. Of a method that covers parts of an image, the parts, by their first element. */
  readonly top: readonly { readonly at: readonly number[]; readonly name?: string; readonly value: number }[];
  readonly milliseconds: number;
  readonly question: string;
  readonly caveat: string;
}

/** The object that `npm run explain -- --json` prints. */
export interface ExplainSummary {
  readonly data: string;
  readonly index: number;
  readonly inputShape: readonly number[];
  readonly label: number | null;
  readonly prediction: number;
  readonly probabilities: readonly number[];
  readonly classes: readonly string[];
  /** The training step of the weights; null for a model from a file. */
  readonly step: number | null;
  readonly seed: number;
  readonly adapter: string;
  readonly maps: readonly MapSummary[];
  /** Methods that were asked for beside others and cannot explain this network, and why. */
  readonly notApplicable: readonly { readonly method: string; readonly title: string; readonly why: string }[];
  /** Of these methods, by the same question, beside negative controls; absent where none was asked for. */
  readonly evaluation?: Evaluation;
}

export interface ExplainResult {
  /** Absent when it was stopped before its end. */
  readonly summary?: ExplainSummary;
  /** A PNG: the input, and the maps with their colour bars and limits. */
  readonly picture?: Uint8Array;
  /** The trained model as safetensors. */
  readonly model?: Uint8Array;
}
