/**
 * One training session: a device, the data, a model and its trainer, and what a visitor may do with them. It knows no element and no
 * clock of the screen, so a hidden tab trains on.
 *
 * Events: `change` when its phase, settings, faults or results change; `steps` when steps have arrived, at most thirty times a second.
 */

import { type LoadProgress, loadMnist } from '../data/index.ts';
import {
  adam,
  buildModel,
  createTrainer,
  type Dataset,
  type Device,
  dense,
  type FullSnapshot,
  flatten,
  type Model,
  openDevice,
  type StepRecord,
  type Trainer,
  VitrineError,
} from '../engine/index.ts';
import { CurveHistory } from './curve-history.ts';
import { Meter, type Reading } from './meter.ts';
import { DEFAULT_SETTINGS, type Settings } from './settings.ts';

export interface TrainingData {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** Where a session gets what it works on; the browser's GPU and MNIST by default. */
export interface TrainingSources {
  readonly openDevice?: () => Promise<Device>;
  /** Whether the session ends the device when it is closed; true by default. */
  readonly ownsDevice?: boolean;
  readonly loadData?: (options: { onProgress: (progress: LoadProgress) => void; signal: AbortSignal }) => Promise<TrainingData>;
}

export type Phase = 'opening' | 'loading' | 'compiling' | 'ready' | 'paused' | 'running' | 'validating' | 'testing' | 'finished' | 'closed';

export interface TestResult {
  /** Steps done when it was taken. */
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly size: number;
}

export interface Prediction {
  readonly example: number;
  /** Of each class. */
  readonly probabilities: Float32Array;
  readonly step: number;
}

/** All that a reset replaces. */
export interface Run {
  readonly model: Model;
  readonly trainer: Trainer;
  readonly seed: number;
  readonly batch: number;
  readonly history: CurveHistory;
  readonly tests: readonly TestResult[];
}

/** What a reset leaves to go back to. */
interface Undo {
  readonly snapshot: FullSnapshot;
  readonly run: Pick<Run, 'seed' | 'batch' | 'history' | 'tests'>;
  readonly rate: number;
}

export const HIDDEN_UNITS = 128;
const VALIDATION_SPLIT = 0.2;
/** How often the progress of loading is told. */
const LOADING_MILLISECONDS = 100;
/** How often a copy is taken that outlives the GPU. */
const KEEP_MILLISECONDS = 5000;

export class Training extends EventTarget {
  settings: Settings;
  device: Device | undefined;
  data: TrainingData | undefined;
  run: Run | undefined;
  loading: LoadProgress | undefined;
  /** What went wrong last, until it is put right or put away. */
  fault: unknown;
  /** The step training went back to when the GPU was replaced, until it is put away. */
  recoveredAt: number | undefined;
  undoStep: number | undefined;

  readonly #sources: TrainingSources;
  readonly #meter = new Meter();
  readonly #closing = new AbortController();
  #phase: Phase = 'opening';
  /** Whether the visitor wants training to run, whatever else has to be done first. */
  #wanted = false;
  #tasks: Promise<unknown> = Promise.resolve();
  #loop: Promise<void> | undefined;
  #stop: AbortController | undefined;
  #kept: FullSnapshot | undefined;
  #keptAt = 0;
  #undo: Undo | undefined;
  #predicting = false;
  #faultsSeen = 0;
  #forgetDevice: (() => void) | undefined;

  constructor(settings: Settings = DEFAULT_SETTINGS, sources: TrainingSources = {}) {
    super();
    this.settings = settings;
    this.#sources = sources;
  }

  // ---- what it is ----------------------------------------------------------------------------------------------------------------

  get phase(): Phase {
    if (this.#phase !== 'ready') return this.#phase;
    if (this.isFinished) return 'finished';
    return this.step > 0 ? 'paused' : 'ready';
  }

  /** Whether training runs, or will as soon as it can. */
  get isRunning(): boolean {
    return this.#wanted;
  }

  /** Steps done. */
  get step(): number {
    return this.run?.trainer.step ?? 0;
  }

  get stepsPerEpoch(): number {
    return this.run?.trainer.stepsPerEpoch ?? 0;
  }

  get totalSteps(): number {
    return this.settings.epochs * this.stepsPerEpoch;
  }

  get isFinished(): boolean {
    return this.run !== undefined && this.step >= this.totalSteps;
  }

  /** Seed or batch size were changed and count from the next reset on. */
  get needsReset(): boolean {
    const { run, settings } = this;
    return run !== undefined && (run.seed !== settings.seed || run.batch !== settings.batch);
  }

  get reading(): Reading | undefined {
    return this.#meter.reading;
  }

  /** Seconds until the last epoch is done, at the speed of the last second; NaN while that is not known. */
  get secondsLeft(): number {
    const { run } = this;
    const speed = this.#meter.reading?.samplesPerSecond ?? Number.NaN;
    return run ? ((this.totalSteps - this.step) * run.trainer.batchSize) / speed : Number.NaN;
  }

  /** The step that a replaced GPU would go on from. */
  get keptStep(): number | undefined {
    return this.#kept?.step;
  }

  /** Values of a test example, 0 to 1. */
  exampleInput(index: number): Float32Array | undefined {
    const test = this.data?.test;
    if (!test || index >= test.size) return undefined;
    const size = test.inputShape.reduce((product, length) => product * length, 1);
    const values = test.inputs.subarray(index * size, (index + 1) * size);
    return Float32Array.from(values, (value) => (test.inputs instanceof Uint8Array ? value / (test.divisor ?? 255) : value));
  }

  // ---- tasks, one after the other ------------------------------------------------------------------------------------------------

  /** Stops training at the next step, does the work alone, and lets training go on if that is still wanted. */
  #task(work: () => Promise<void> | void): Promise<void> {
    const done = this.#tasks.then(async () => {
      if (this.#closing.signal.aborted) return;
      this.#stop?.abort();
      await this.#loop;
      try {
        await work();
      } catch (error) {
        this.#fail(error);
      }
      if (this.#closing.signal.aborted) return;
      if (this.run && this.#phase !== 'closed') this.#enter('ready');
      if (this.#wanted && this.run) this.#startLoop();
    });
    this.#tasks = done;
    return done;
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }

  #fail(error: unknown): void {
    this.fault = error;
    this.#wanted = false;
    if (!this.run || (error instanceof VitrineError && error.code === 'device-lost')) this.#phase = 'closed';
    this.#changed();
  }

  // ---- opening and closing -------------------------------------------------------------------------------------------------------

  open(): Promise<void> {
    return this.#task(() => this.#open());
  }

  async #open(): Promise<void> {
    const { signal } = this.#closing;
    this.#enter('opening');
    const device = await (this.#sources.openDevice ?? openDevice)();
    if (signal.aborted) {
      if (this.#sources.ownsDevice ?? true) device.destroy();
      return;
    }
    this.device = device;
    this.#faultsSeen = device.faults.length;
    this.#forgetDevice = device.onReplaced(() => this.#replaced());
    device.lost.then((end) => {
      if (end !== 'destroyed' && this.device === device && !signal.aborted) this.#fail(end);
    });
    if (!this.data) {
      this.#enter('loading');
      let told = 0;
      const onProgress = (progress: LoadProgress): void => {
        this.loading = progress;
        if (performance.now() - told < LOADING_MILLISECONDS) return;
        told = performance.now();
        this.#changed();
      };
      const data = await (this.#sources.loadData ?? loadMnist)({ onProgress, signal });
      if (signal.aborted) return;
      this.data = data;
      this.loading = undefined;
    }
    const before = this.run;
    await this.#build();
    if (before && this.#kept && this.run) await this.#bringBack(this.#kept, before);
  }

  /** Builds a network and its trainer from the settings; the old ones stay until the new ones are there. */
  async #build({ seed, batch }: Pick<Settings, 'seed' | 'batch'> = this.settings): Promise<void> {
    const { device, data } = this;
    if (!device || !data) return;
    this.#enter('compiling');
    const classes = data.train.classes?.length ?? 10;
    const layers = [flatten(), dense(HIDDEN_UNITS, { activation: 'relu' }), dense(classes, { activation: 'softmax' })];
    const model = await buildModel(device, { inputShape: data.train.inputShape, layers, seed });
    let trainer: Trainer;
    try {
      trainer = await createTrainer(model, {
        data: data.train,
        loss: 'crossEntropy',
        optimizer: adam({ learningRate: this.settings.rate }),
        batchSize: batch,
        validationSplit: VALIDATION_SPLIT,
      });
    } catch (error) {
      model.dispose();
      throw error;
    }
    if (this.run && this.run.model.device === device) disposeRun(this.run);
    this.run = { model, trainer, seed, batch, history: new CurveHistory(trainer.stepsPerEpoch), tests: [] };
  }

  /** Goes on from a snapshot, with the curves that led to it. */
  async #bringBack(
    snapshot: FullSnapshot,
    { seed, batch, history, tests }: Pick<Run, 'seed' | 'batch' | 'history' | 'tests'>,
  ): Promise<void> {
    if (!this.run) return;
    if (this.run.seed !== seed || this.run.batch !== batch) await this.#build({ seed, batch });
    await this.run.trainer.restore(snapshot);
    this.run = { ...this.run, history, tests };
    this.#kept = snapshot;
    this.#applyRate();
  }

  #replaced(): void {
    const { run } = this;
    if (!run) return;
    const kept = this.#kept;
    this.recoveredAt = Math.max(run.trainer.step, this.#wanted ? 0 : (kept?.step ?? 0));
    this.#changed();
    // The trainer went back to a copy of its own, which may be some seconds old; where training stands still, ours is newer.
    if (!this.#wanted && kept && kept.step > run.trainer.step) this.#task(() => run.trainer.restore(kept));
  }

  /** After a fault: opens the GPU again and goes on from what is kept. */
  retry(): Promise<void> {
    this.fault = undefined;
    return this.#task(() => (this.#phase === 'closed' || !this.run ? this.#open() : undefined));
  }

  /** Shows a fault that another part of the page met. Training goes on. */
  report(error: unknown): void {
    this.fault = error;
    this.#changed();
  }

  putAway(what: 'fault' | 'recoveredAt' | 'undoStep'): void {
    this[what] = undefined;
    if (what === 'undoStep') this.#undo = undefined;
    this.#changed();
  }

  async close(): Promise<void> {
    this.#wanted = false;
    this.#closing.abort();
    this.#stop?.abort();
    await Promise.allSettled([this.#tasks, this.#loop]);
    this.#forgetDevice?.();
    if (this.run) disposeRun(this.run);
    if (this.#sources.ownsDevice ?? true) this.device?.destroy();
  }

  // ---- what a visitor does -------------------------------------------------------------------------------------------------------

  /** Runs, until every epoch is done or `pause`. */
  start(): Promise<void> {
    if (this.isFinished) return Promise.resolve();
    this.fault = undefined;
    this.#wanted = true;
    this.#changed();
    return this.#loop ? Promise.resolve() : this.#task(() => undefined);
  }

  /** Resolves when the last step is done and its loss is here. */
  pause(): Promise<void> {
    this.#wanted = false;
    this.#changed();
    return this.#task(() => undefined);
  }

  toggle(): Promise<void> {
    return this.#wanted ? this.pause() : this.start();
  }

  /** One step; stops training first. */
  single(): Promise<void> {
    this.#wanted = false;
    this.fault = undefined;
    return this.#task(async () => {
      if (!this.run || this.isFinished) return;
      this.#goOn();
      await this.#train(1);
      await this.#validateIfDue();
      await this.#keep();
    });
  }

  /** Back to step 0 with the settings as they are now. `undoReset` brings back what was. */
  reset(): Promise<void> {
    this.#wanted = false;
    this.fault = undefined;
    return this.#task(async () => {
      const { run } = this;
      if (!run) return;
      const undo = run.trainer.step > 0 ? { snapshot: await run.trainer.snapshot(), run, rate: run.trainer.learningRate } : undefined;
      if (this.needsReset) await this.#build();
      else {
        await run.trainer.reset();
        this.run = { ...run, history: new CurveHistory(run.trainer.stepsPerEpoch), tests: [] };
      }
      this.#kept = undefined;
      if (undo) {
        this.#undo = undo;
        this.undoStep = undo.snapshot.step;
      }
      this.#applyRate();
      this.#meter.reading = undefined;
      this.dispatchEvent(new Event('reset'));
    });
  }

  undoReset(): Promise<void> {
    this.#wanted = false;
    return this.#task(async () => {
      const undo = this.#undo;
      if (!undo) return;
      this.#undo = undefined;
      this.undoStep = undefined;
      this.settings = { ...this.settings, seed: undo.run.seed, batch: undo.run.batch, rate: undo.rate };
      await this.#bringBack(undo.snapshot, undo.run);
    });
  }

  /** Takes new settings. The rate counts from the next step on, epochs at once, seed and batch size from the next reset on, or at once before the first step. */
  change(changes: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...changes };
    if (this.settings.rate !== before.rate) this.#applyRate();
    if (this.needsReset && this.step === 0 && !this.#wanted) {
      this.#task(async () => {
        if (this.needsReset && this.step === 0) await this.#build();
      });
    }
    this.#changed();
  }

  #applyRate(): void {
    const { run, settings } = this;
    if (!run || run.trainer.learningRate === settings.rate) return;
    run.trainer.setLearningRate(settings.rate);
    if (run.history.steps > 0) run.history.mark(settings.rate);
  }

  /** Mean loss and accuracy over the test examples; training waits and goes on. */
  test(): Promise<void> {
    return this.#task(async () => {
      const { run, data } = this;
      if (!run || !data) return;
      this.#enter('testing');
      const { loss, accuracy } = await run.trainer.evaluate(data.test);
      this.run = { ...run, tests: [...run.tests, { step: run.trainer.step, loss, accuracy, size: data.test.size }] };
    });
  }

  /** What the network makes of a test example now; undefined where it cannot say, or is still busy with the last one. */
  async predict(example: number): Promise<Prediction | undefined> {
    const { run } = this;
    const input = this.exampleInput(example);
    if (!run || !input || this.#predicting || this.#phase === 'closed') return undefined;
    this.#predicting = true;
    const { step } = run.trainer;
    try {
      const output = await run.model.predict(input);
      const probabilities = await output.read();
      output.dispose();
      return this.run?.model === run.model ? { example, probabilities, step } : undefined;
    } catch (error) {
      // The network was replaced, or the GPU is being: the next prediction will tell.
      if (error instanceof VitrineError) return undefined;
      throw error;
    } finally {
      this.#predicting = false;
    }
  }

  // ---- training ------------------------------------------------------------------------------------------------------------------

  #startLoop(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#loop = this.#drive(stop.signal)
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#loop = undefined;
        if (this.#phase !== 'closed') this.#enter('ready');
      });
  }

  async #drive(signal: AbortSignal): Promise<void> {
    this.#goOn();
    while (!signal.aborted && !this.isFinished) {
      this.#enter('running');
      await this.#train(Math.min(this.totalSteps - this.step, this.stepsPerEpoch - (this.step % this.stepsPerEpoch)), signal);
      await this.#validateIfDue();
      await this.#keep();
    }
    if (this.isFinished) this.#wanted = false;
  }

  /** After a halt, the step that was not taken is tried again. */
  #goOn(): void {
    if (this.run && this.run.trainer.halted !== 'running') this.run.trainer.resume();
  }

  async #train(steps: number, signal?: AbortSignal): Promise<void> {
    const { run, device } = this;
    if (!run || !device) return;
    this.#meter.begin(device, run.trainer.step);
    const onSteps = (records: readonly StepRecord[]): void => {
      let rows = 0;
      for (const record of records) {
        run.history.add(record);
        rows += record.rows;
      }
      this.#meter.add(device, run.trainer.step, rows);
      if (performance.now() - this.#keptAt > KEEP_MILLISECONDS) void this.#keep();
      if (device.faults.length > this.#faultsSeen) {
        this.#faultsSeen = device.faults.length;
        this.report(device.faults.at(-1));
      }
      this.dispatchEvent(new Event('steps'));
    };
    await run.trainer.run(steps, { onSteps, ...(signal ? { signal } : {}) });
    this.#meter.add(device, run.trainer.step, 0, true);
  }

  /** At an epoch's end, once. */
  async #validateIfDue(): Promise<void> {
    const { run } = this;
    if (!run) return;
    const { step, stepsPerEpoch } = run.trainer;
    const epoch = step / stepsPerEpoch;
    if (!Number.isInteger(epoch) || epoch !== run.history.epochs.length + 1) return;
    this.#enter('validating');
    run.history.endEpoch(epoch, await run.trainer.evaluate('validation'));
    this.#changed();
    this.dispatchEvent(new Event('epoch'));
  }

  /** Takes a copy to the CPU that outlives the GPU. */
  async #keep(): Promise<void> {
    const { run } = this;
    this.#keptAt = performance.now();
    try {
      const snapshot = await run?.trainer.snapshot();
      if (snapshot && run?.history === this.run?.history && snapshot.step >= (this.#kept?.step ?? 0)) this.#kept = snapshot;
    } catch {
      // The GPU went away while it was copied; the last copy stays.
    }
  }
}

function disposeRun({ trainer, model }: Run): void {
  trainer.dispose();
  model.dispose();
}
