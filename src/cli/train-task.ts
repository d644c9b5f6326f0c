/** What a training command asks of its page, and what the page tells it: plain data on both sides. */

import type { TunedClass } from '../engine/index.ts';

export const DATA_NAMES = ['mnist', 'german-credit', 'breast-cancer'] as const;
export const MODEL_NAMES = ['mlp', 'linear'] as const;
export type DataName = (typeof DATA_NAMES)[number];
export type ModelName = (typeof MODEL_NAMES)[number];

export interface TrainParameters {
  readonly data: DataName;
  readonly model: ModelName;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** The last fraction of the training examples, kept for validation. */
  readonly validationSplit: number;
  /** Whether the trained model's bytes and a picture of its activations are wanted. */
  readonly keep: boolean;
  /** Whether the kernels are tuned first, after one step; otherwise the built-in variants train. */
  readonly tune?: boolean;
}

export interface ReadyEvent {
  readonly kind: 'ready';
  readonly adapter: string;
  readonly parameters: number;
  readonly trainingExamples: number;
  readonly validationExamples: number;
  readonly testExamples: number;
}

export interface ProgressEvent {
  readonly kind: 'progress';
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** In the epoch. */
  readonly step: number;
  readonly steps: number;
  /** Means of the epoch so far; the loss in nats. */
  readonly loss: number;
  readonly accuracy: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

export interface EpochEvent {
  readonly kind: 'epoch';
  readonly epoch: number;
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  readonly seconds: number;
}

/** A stage that has no steps, such as loading the data. */
export interface StageEvent {
  readonly kind: 'stage';
  readonly text: string;
}

export type TrainEvent = StageEvent | ReadyEvent | ProgressEvent | EpochEvent;

/** The object that `npm run train -- --json` prints. */
export interface TrainSummary {
  readonly data: DataName;
  readonly model: ModelName;
  readonly parameters: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  /** The kernel variant of each operation: with seed and adapter it decides every bit of the result. */
  readonly variants: Readonly<Record<string, string>>;
  /** The times of all variants that were tried, where the kernels were tuned. */
  readonly tuning?: readonly TunedClass[];
  /** Means over the last epoch; losses in nats. */
  readonly trainLoss: number;
  readonly validationAccuracy: number | null;
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** Of training alone, without loading, compiling and testing. */
  readonly seconds: number;
  readonly samplesPerSecond: number;
  readonly adapter: string;
}

export interface TrainResult {
  /** Absent when training was stopped before its end. */
  readonly summary?: TrainSummary;
  /** The model as safetensors. */
  readonly model?: Uint8Array;
  /** A PNG of every layer's activations for one example of the test set. */
  readonly picture?: Uint8Array;
}
