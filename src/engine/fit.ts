/** Epochs: the loop that people see, over the steps of a trainer. */

import { VitrineError } from './errors.ts';
import type { EarlyStopping, EpochRecord, Evaluation, FitOptions, History, RunOptions, StepRecord } from './training-options.ts';
import type { HaltReason } from './training-state.ts';

/** What fitting asks of a trainer. */
export interface FitHost {
  /** Steps done since the start of training. */
  step(): number;
  halted(): HaltReason;
  /** Runs until `target` steps are done, or training halts. */
  drive(target: number, options: RunOptions): Promise<void>;
  /** Loss and accuracy of what is held out, if anything is. */
  validate(): Promise<Evaluation | undefined>;
  /** Takes a safe point and returns its parameters. */
  save(): Promise<Float32Array<ArrayBuffer>>;
  putBack(parameters: Float32Array<ArrayBuffer>): void;
}

export interface EpochPlan extends FitOptions {
  /** Examples an epoch. */
  readonly examples: number;
  /** Steps an epoch. */
  readonly steps: number;
}

/** Trains epoch after epoch, as Keras's fit does. @throws VitrineError those of `drive`; `invalid-option` where nothing can be monitored */
export async function fitEpochs(host: FitHost, plan: EpochPlan): Promise<History> {
  const { epochs, earlyStopping, examples, steps, signal, onProgress, onEpoch, onSteps } = plan;
  const records: EpochRecord[] = [];
  const start = host.step();
  const begun = performance.now();
  const best = new Best(earlyStopping);
  let trainSeconds = 0;
  let seen = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const done = (epoch - 1) * steps;
    const epochBegun = performance.now();
    const totals = new EpochTotals();
    const listen = (news: readonly StepRecord[]): void => {
      for (const record of news) totals.add(record);
      onSteps?.(news);
      const seconds = trainSeconds + (performance.now() - epochBegun) / 1000;
      const elapsed = (performance.now() - begun) / 1000;
      const share = (seen + totals.rows) / (epochs * examples);
      onProgress?.({
        epoch,
        epochs,
        step: totals.steps,
        steps,
        totalStep: done + totals.steps,
        loss: totals.loss,
        accuracy: totals.accuracy,
        samplesPerSecond: (seen + totals.rows) / seconds,
        secondsLeft: (elapsed * (1 - share)) / share,
      });
    };
    await host.drive(start + done + steps, { onSteps: listen, ...(signal ? { signal } : {}) });
    const seconds = (performance.now() - epochBegun) / 1000;
    trainSeconds += seconds;
    seen += totals.rows;
    if (host.halted() !== 'running') return { epochs: records, stopped: host.halted() };
    if (signal?.aborted) return { epochs: records, stopped: 'aborted' };
    const held = await host.validate();
    const record: EpochRecord = {
      epoch,
      loss: totals.loss,
      accuracy: totals.accuracy,
      seconds,
      ...(held ? { validationLoss: held.loss, validationAccuracy: held.accuracy } : {}),
    };
    records.push(record);
    onEpoch?.(record);
    const parameters = await host.save();
    if (earlyStopping && best.isOver(record, parameters)) {
      if (best.parameters) host.putBack(best.parameters);
      return { epochs: records, stopped: 'early-stopping' };
    }
    if (signal?.aborted) return { epochs: records, stopped: 'aborted' };
  }
  return { epochs: records };
}

/** Running means over an epoch. */
class EpochTotals {
  rows = 0;
  steps = 0;
  #loss = 0;
  #hits = 0;

  add({ loss, accuracy, rows }: StepRecord): void {
    this.rows += rows;
    this.steps += 1;
    this.#loss += loss * rows;
    this.#hits += accuracy * rows;
  }

  get loss(): number {
    return this.#loss / this.rows;
  }

  get accuracy(): number {
    return this.#hits / this.rows;
  }
}

/** The best epoch so far, as early stopping sees it. */
class Best {
  parameters: Float32Array<ArrayBuffer> | undefined;
  readonly #options: EarlyStopping | undefined;
  #value = Number.POSITIVE_INFINITY;
  #waited = 0;

  constructor(options: EarlyStopping | undefined) {
    this.#options = options;
  }

  isOver(record: EpochRecord, parameters: Float32Array<ArrayBuffer>): boolean {
    const { monitor = 'validationLoss', patience = 0, minimumDelta = 0, restoreBest = false } = this.#options ?? {};
    const observed = record[monitor];
    if (observed === undefined) {
      throw new VitrineError(
        'invalid-option',
        `Early stopping watches ${monitor}, but nothing is held out.`,
        "pass a validationSplit, or monitor 'loss'.",
        { monitor },
      );
    }
    const value = monitor.toLowerCase().endsWith('loss') ? observed : -observed;
    if (value < this.#value - minimumDelta) {
      this.#value = value;
      this.#waited = 0;
      if (restoreBest) this.parameters = parameters;
      return false;
    }
    this.#waited += 1;
    return this.#waited > patience;
  }
}
