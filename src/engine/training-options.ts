/** What training is asked for, and what it reports. */

import type { VariantTable } from './compile.ts';
import type { Dataset } from './dataset.ts';
import type { Loss } from './losses.ts';
import type { Optimizer, ParameterGroup } from './optimizers.ts';
import type { Schedule } from './schedules.ts';
import type { HaltReason } from './training-state.ts';

export interface TrainerOptions {
  readonly data?: Dataset;
  /** 'crossEntropy' by default. */
  readonly loss?: Loss;
  /** adam() by default. */
  readonly optimizer?: Optimizer;
  /** Rows of a batch; 32 by default. */
  readonly batchSize?: number;
  /** Of the step and the base rate; the base rate throughout, by default. */
  readonly schedule?: Schedule;
  /** Last fraction of the data, before shuffling, that is held out; 0 by default. */
  readonly validationSplit?: number;
  /** Largest global norm of the gradients; unlimited by default. */
  readonly clipNorm?: number;
  /** Parameters treated apart; the last match counts. */
  readonly groups?: readonly ParameterGroup[];
  readonly variants?: VariantTable;
  /** Of shuffling and dropout; the model's seed by default. */
  readonly seed?: number;
}

/** One finished step, as the ring tells it. */
export interface StepRecord {
  /** Number of the step, from 0. */
  readonly step: number;
  /** Mean over the batch before the update; nats for cross-entropy. */
  readonly loss: number;
  /** Share of the batch predicted right. */
  readonly accuracy: number;
  readonly rows: number;
}

export interface Progress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch. */
  readonly step: number;
  /** Steps an epoch. */
  readonly steps: number;
  /** Steps done since the start of training. */
  readonly totalStep: number;
  /** Mean over the examples of the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly samplesPerSecond: number;
  readonly secondsLeft: number;
}

export interface EpochRecord {
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** Time of training alone, without validation. */
  readonly seconds: number;
}

export interface History {
  readonly epochs: readonly EpochRecord[];
  /** Why it ended before the last epoch. */
  readonly stopped?: 'aborted' | 'early-stopping' | HaltReason;
}

export interface EarlyStopping {
  /** What must improve; 'validationLoss' by default. */
  readonly monitor?: 'loss' | 'validationLoss' | 'accuracy' | 'validationAccuracy';
  /** Epochs without improvement that are borne; 0 by default, as in Keras. */
  readonly patience?: number;
  /** Smallest change that counts; 0 by default. */
  readonly minimumDelta?: number;
  /** Whether to go back to the best epoch's parameters; false by default. */
  readonly restoreBest?: boolean;
}

export interface RunOptions {
  /** Called with the steps that have arrived since the last call, at most thirty times a second. */
  readonly onSteps?: (steps: readonly StepRecord[]) => void;
  readonly signal?: AbortSignal;
}

export interface FitOptions {
  readonly epochs: number;
  /** Overrides the trainer's. */
  readonly validationSplit?: number;
  readonly earlyStopping?: EarlyStopping;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onEpoch?: (epoch: EpochRecord) => void;
  readonly onSteps?: (steps: readonly StepRecord[]) => void;
}

/** A reason to stop, checked on the GPU before each update. */
export interface StopCondition {
  readonly lossAbove?: number;
  readonly lossBelow?: number;
  /** Stop when this many steps are done. */
  readonly step?: number;
}

export interface Evaluation {
  /** Mean over the examples; nats for cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
}
