/**
 * One training session: a device, the data, a model and its trainer, and what a visitor may do with them. It knows no element and no
 * clock of the screen, so a hidden tab trains on.
 *
 * Events: `change` when its phase, settings, faults or results change; `steps` when steps have arrived, at most thirty times a second.
 */

import { type LoadProgress, loadMnist, type Scaling } from '../data/index.ts';
import {
  adam,
  buildModel,
  createTrainer,
  type Dataset,
  type Device,
  dense,
  type Evaluation,
  type FullSnapshot,
  flatten,
  type Layer,
  type Model,
  type ModelSpec,
  type Optimizer,
  openDevice,
  type StepRecord,
  type StopCondition,
  sgd,
  type Trainer,
  type VariantTable,
  VitrineError,
} from '../engine/index.ts';
import type { DeadUnit, DeadUnitWatch } from '../explain/model/dead-units.ts';
import { CurveHistory } from './curve-history.ts';
import type { Given } from './given.ts';
import { Meter, type Reading } from './meter.ts';
import type { RateChange } from './session/choices.ts';
import { type DataName, DEFAULT_SETTINGS, isOwnData, type Settings } from './settings.ts';

export interface TrainingData {
  readonly train: Dataset;
  readonly test: Dataset;
  /** How a table's columns were scaled, so that a value can be said in its own units. */
  readonly scaling?: Scaling;
}

interface LoadDataOptions {
  readonly data: DataName;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly signal: AbortSignal;
}

/** Where a session gets what it works on; the browser's GPU and MNIST by default. */
export interface TrainingSources {
  readonly openDevice?: () => Promise<Device>;
  /** Whether the session ends the device when it is closed; true by default. */
  readonly ownsDevice?: boolean;
  readonly loadData?: (options: LoadDataOptions) => Promise<TrainingData>;
  /** A trainer of the caller's, in place of one that is built here. */
  readonly given?: Given;
}

export type Phase =
  | 'opening'
  | 'loading'
  | 'compiling'
  | 'ready'
  | 'paused'
  | 'running'
  | 'replaying'
  | 'validating'
  | 'testing'
  | 'finished'
  | 'closed';

export interface TestResult {
  /** Steps done when it was taken. */
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly size: number;
}

/** All that a reset replaces. */
export interface Run {
  readonly model: Model;
  readonly trainer: Trainer;
  /** The settings that it was built with; its learning rate is the one that it began with. */
  readonly settings: Settings;
  readonly data: TrainingData;
  /** Changes of the learning rate since. */
  readonly journal: readonly RateChange[];
  readonly history: CurveHistory;
  readonly tests: readonly TestResult[];
}

/** What a reset leaves to go back to. */
interface Undo {
  readonly snapshot: FullSnapshot;
  readonly run: Pick<Run, 'settings' | 'journal' | 'history' | 'tests'>;
  readonly rate: number;
}

/** Where a visitor wants training to stop by itself. */
export type StopAt =
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'loss'; readonly above: number }
  /** A hidden ReLU unit has given 0 for every example of the last batches: an epoch's, or 100. Which it is, is known once it has come to pass. */
  | { readonly kind: 'unit'; readonly dead?: DeadUnit };

const VALIDATION_SPLIT = 0.2;
/** Batches for which a unit must be silent to be called dead; an epoch's, where that has fewer. */
const UNIT_WINDOW = 100;
/** How often the progress of loading is told. */
const LOADING_MILLISECONDS = 100;
/** How often a copy is taken that outlives the GPU. */
const KEEP_MILLISECONDS = 5000;
/** So many times the first loss is no training any more. */
const DIVERGED = 1e4;

export class Training extends EventTarget {
  settings: Settings;
  device: Device | undefined;
  run: Run | undefined;
  /** A step that training is on its way to, to be where a link was taken; done when it gets there. */
  replayTo: number | undefined;
  /** Why training stopped by itself, until it goes on. */
  stoppedBy: StopAt | undefined;
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
  /** Ends a replay, which any other task does. */
  #replay: AbortController | undefined;
  #kept: FullSnapshot | undefined;
  #keptAt = 0;
  #undo: Undo | undefined;
  #faultsSeen = 0;
  #forgetDevice: (() => void) | undefined;
  #stopAt: StopAt | undefined;
  #unitWatch: { readonly of: Trainer; readonly watch: DeadUnitWatch } | undefined;
  /** Of this run: what a loss is measured against, and whether it has been said that training diverges. */
  #firstLoss: number | undefined;
  #diverged = false;
  /** Steps done when training last set out. */
  #startedAt = 0;
  readonly #data = new Map<DataName, TrainingData>();

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

  get data(): TrainingData | undefined {
    return this.run?.data;
  }

  /** Something was changed that counts from the next reset on. */
  get needsReset(): boolean {
    return this.run !== undefined && buildOf(this.run.settings) !== buildOf(this.settings);
  }

  /** Learning rate of the next step. */
  get rate(): number {
    return this.run?.trainer.learningRate ?? this.settings.rate;
  }

  get stopAt(): StopAt | undefined {
    return this.#stopAt;
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
    this.#replay?.abort();
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
    const before = this.run;
    // Another adapter may choose other kernels: with those of the kept run it goes on to the same bits.
    await this.#build(before?.settings, this.#kept?.variants);
    if (before && this.#kept && this.run) await this.#bringBack(this.#kept, before);
  }

  /** Takes data of a visitor's own, to be chosen by its name. */
  addData(name: DataName, data: TrainingData): void {
    this.#data.set(name, data);
  }

  async #load(name: DataName): Promise<TrainingData> {
    const known = this.#data.get(name);
    if (known) return known;
    this.#enter('loading');
    let told = 0;
    const onProgress = (progress: LoadProgress): void => {
      this.loading = progress;
      if (performance.now() - told < LOADING_MILLISECONDS) return;
      told = performance.now();
      this.#changed();
    };
    try {
      const data = await (this.#sources.loadData ?? loadData)({ data: name, onProgress, signal: this.#closing.signal });
      this.#data.set(name, data);
      return data;
    } finally {
      this.loading = undefined;
    }
  }

  /** Builds a network and its trainer from the settings; the old ones stay until the new ones are there. */
  async #build(settings: Settings = this.settings, variants: VariantTable = {}): Promise<void> {
    const { device } = this;
    if (!device) return;
    const { given } = this.#sources;
    if (given) {
      const { trainer, dataset } = given;
      const history = new CurveHistory(trainer.stepsPerEpoch, trainer.step);
      this.run = { model: trainer.model, trainer, settings, data: { train: dataset, test: dataset }, journal: [], history, tests: [] };
      this.dispatchEvent(new Event('run'));
      return;
    }
    const data = await this.#load(settings.data);
    if (this.#closing.signal.aborted) return;
    this.#enter('compiling');
    const model = await buildModel(device, await specOf(settings, data.train));
    let trainer: Trainer;
    try {
      trainer = await createTrainer(model, {
        data: data.train,
        loss: 'crossEntropy',
        optimizer: optimizerOf(settings),
        batchSize: settings.batch,
        validationSplit: VALIDATION_SPLIT,
        variants,
      });
    } catch (error) {
      model.dispose();
      throw error;
    }
    const before = this.run;
    this.run = { model, trainer, settings, data, journal: [], history: new CurveHistory(trainer.stepsPerEpoch), tests: [] };
    this.dispatchEvent(new Event('run'));
    if (this.#unitWatch) this.#endUnitWatch();
    if (before && before.model.device === device) disposeRun(before);
    this.#applyStop();
    await this.#watchUnits();
  }

  /** Goes on from a snapshot, with the curves that led to it. */
  async #bringBack(
    snapshot: FullSnapshot,
    { settings, journal, history, tests }: Pick<Run, 'settings' | 'journal' | 'history' | 'tests'>,
  ): Promise<void> {
    if (!this.run) return;
    if (buildOf(this.run.settings) !== buildOf(settings)) await this.#build(settings, snapshot.variants);
    await this.run.trainer.restore(snapshot);
    this.run = { ...this.run, journal, history, tests };
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
    this.#endUnitWatch();
    if (this.#sources.given) this.#sources.given.trainer.stopWhen({});
    else if (this.run) disposeRun(this.run);
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
      this.stoppedBy = undefined;
      if (this.needsReset) await this.#build();
      else {
        await run.trainer.reset();
        // It went back to the rate that it was built with.
        if (run.trainer.learningRate !== this.settings.rate) run.trainer.setLearningRate(this.settings.rate);
        const history = new CurveHistory(run.trainer.stepsPerEpoch);
        this.run = { ...run, settings: this.settings, journal: [], history, tests: [] };
      }
      this.#kept = undefined;
      this.#firstLoss = undefined;
      this.#diverged = false;
      if (undo) {
        this.#undo = undo;
        this.undoStep = undo.snapshot.step;
      }
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
      this.settings = { ...undo.run.settings, rate: undo.rate, epochs: this.settings.epochs };
      await this.#bringBack(undo.snapshot, undo.run);
    });
  }

  /** Takes new settings. The rate counts from the next step on, epochs at once, all else from the next reset on, or at once before the first step. */
  change(changes: Partial<Settings>): void {
    const before = this.settings;
    const { rate = before.rate, epochs = before.epochs } = changes;
    // Of a trainer that was given, all else is the caller's to change.
    this.settings = this.#sources.given ? { ...before, rate, epochs } : { ...before, ...changes };
    if (this.settings.rate !== before.rate) this.#applyRate();
    if (this.needsReset && this.step === 0 && !this.#wanted) {
      this.#task(async () => {
        if (this.needsReset && this.step === 0) await this.#build();
      });
    }
    this.#changed();
  }

  /** Stops training by itself when this comes to pass, checked on the GPU before the update; undefined lets it run. */
  setStop(stopAt: StopAt | undefined): void {
    const before = this.#stopAt;
    this.#stopAt = stopAt;
    this.#applyStop();
    this.#changed();
    if (stopAt?.kind === 'unit' || before?.kind === 'unit') void this.#task(() => this.#watchUnits());
  }

  /** Looks after each step whether a unit has died, where the visitor wants to stop at that. */
  async #watchUnits(): Promise<void> {
    const { run } = this;
    const wanted = this.#stopAt?.kind === 'unit' ? run?.trainer : undefined;
    if (this.#unitWatch?.of === wanted) return;
    this.#endUnitWatch();
    if (!run || !wanted) return;
    try {
      const { stopAtDeadUnit } = await import('../explain/model/dead-units.ts');
      const watch = await stopAtDeadUnit(wanted, { window: Math.min(UNIT_WINDOW, wanted.stepsPerEpoch) });
      this.#unitWatch = { of: wanted, watch };
    } catch (error) {
      // What cannot come to pass is not waited for.
      this.#stopAt = undefined;
      throw error;
    }
  }

  #endUnitWatch(): void {
    this.#unitWatch?.watch.dispose();
    this.#unitWatch = undefined;
  }

  #applyStop(): void {
    const { run } = this;
    const stop = this.#stopAt;
    if (!run) return;
    const condition: StopCondition =
      stop?.kind === 'step' && stop.step > run.trainer.step ? { step: stop.step } : stop?.kind === 'loss' ? { lossAbove: stop.above } : {};
    run.trainer.stopWhen(condition);
  }

  /** Trains from step 0 to where a link was taken, with the same changes of the rate on the way, to the same bits. `pause` cancels it. */
  replay(journal: readonly RateChange[], step: number): Promise<void> {
    this.replayTo = step;
    this.#wanted = false;
    return this.#task(async () => {
      const stop = new AbortController();
      this.#replay = stop;
      try {
        // What was to be built for it could not be: this is another run.
        if (this.needsReset) return;
        const changes = journal.filter((change) => change.step <= step);
        for (const [i, until] of [...changes.map((change) => change.step), step].entries()) {
          while (this.run && this.step < until && !stop.signal.aborted && !this.isFinished) {
            this.#enter('replaying');
            const toEpoch = this.stepsPerEpoch - (this.step % this.stepsPerEpoch);
            await this.#train(Math.min(until - this.step, toEpoch), stop.signal);
            await this.#validateIfDue();
          }
          const change = changes[i];
          if (change && this.step === change.step && !stop.signal.aborted) this.#setRate(change.rate);
        }
      } finally {
        this.#replay = undefined;
        this.replayTo = undefined;
      }
      await this.#keep();
    });
  }

  #applyRate(): void {
    this.#setRate(this.settings.rate);
  }

  #setRate(rate: number): void {
    const { run } = this;
    if (!run || run.trainer.learningRate === rate) return;
    this.settings = { ...this.settings, rate };
    this.#diverged = false;
    run.trainer.setLearningRate(rate);
    const { step } = run.trainer;
    if (step === run.history.first && run.journal.length === 0 && run.history.isEmpty) {
      // Nothing was trained with the rate before: the run begins with this one.
      this.run = { ...run, settings: { ...run.settings, rate } };
      return;
    }
    run.history.mark(step, rate);
    this.run = { ...run, journal: [...run.journal.filter((change) => change.step !== step), { step, rate }] };
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
    while (!signal.aborted && !this.isFinished && !(await this.#hasStopped())) {
      this.#enter('running');
      await this.#train(Math.min(this.totalSteps - this.step, this.stepsPerEpoch - (this.step % this.stepsPerEpoch)), signal);
      await this.#validateIfDue();
      await this.#keep();
    }
    if (this.isFinished || this.stoppedBy) this.#wanted = false;
  }

  /** Whether what the visitor asked to stop at has come to pass. */
  async #hasStopped(): Promise<boolean> {
    const { run } = this;
    const stop = this.#stopAt;
    if (!run || !stop) return false;
    const atEpoch = stop.kind === 'epoch' && this.step > this.#startedAt && this.step % this.stepsPerEpoch === 0;
    if (!atEpoch && run.trainer.halted === 'running') return false;
    this.stoppedBy = stop;
    if (stop.kind === 'unit') {
      const dead = await this.#unitWatch?.watch.read();
      this.stoppedBy = { kind: 'unit', ...(dead ? { dead } : {}) };
      this.#endUnitWatch();
    }
    // The step that was refused would be refused again; only an epoch's end comes anew.
    if (stop.kind !== 'epoch') this.#stopAt = undefined;
    this.#applyStop();
    return true;
  }

  /** After a halt, the step that was not taken is tried again. */
  #goOn(): void {
    this.#startedAt = this.step;
    this.stoppedBy = undefined;
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
        this.#seeDivergence(record);
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

  /** Said once at each rate: numbers stay finite long after training has come to nothing. */
  #seeDivergence({ step, loss }: StepRecord): void {
    this.#firstLoss ??= loss;
    if (this.#diverged || !(loss > DIVERGED * Math.max(1, this.#firstLoss))) return;
    this.#diverged = true;
    const written = loss.toExponential(1);
    this.report(
      new VitrineError(
        'diverging-training',
        `Training diverges: at step ${step + 1} the loss has come to ${written}.`,
        'lower the learning rate and reset; the reset can be undone.',
        { step: step + 1, loss: written },
      ),
    );
  }

  /** At an epoch's end, once. */
  async #validateIfDue(): Promise<void> {
    const { run } = this;
    if (!run) return;
    const { step, stepsPerEpoch } = run.trainer;
    const epoch = step / stepsPerEpoch;
    if (epoch !== run.history.nextEpoch) return;
    this.#enter('validating');
    run.history.endEpoch(epoch, await this.#validate(run));
    this.#changed();
    this.dispatchEvent(new Event('epoch'));
  }

  /** On what the trainer holds out; where one that was given holds nothing out, on the examples that came with it. */
  async #validate({ trainer }: Run): Promise<Evaluation> {
    const { given } = this.#sources;
    return trainer.evaluate('validation').catch((error) => {
      if (!given || !(error instanceof VitrineError) || error.code !== 'invalid-option') throw error;
      return trainer.evaluate(given.dataset);
    });
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

/** What a reset would build: all of the settings but those that may change while training goes on. */
const buildOf = ({ data, hidden, optimizer, seed, batch }: Settings): string => JSON.stringify([data, hidden, optimizer, seed, batch]);

export function layersOf({ hidden }: Pick<Settings, 'hidden'>, classes: number): Layer[] {
  return [flatten(), ...hidden.map((units) => dense(units, { activation: 'relu' })), dense(classes, { activation: 'softmax' })];
}

/** The layers that read texts, and the kernels that those take, come with the first of them. */
async function specOf(settings: Settings, { inputShape, classes, vocabulary }: Dataset): Promise<ModelSpec> {
  const layers = layersOf(settings, classes?.length ?? 10);
  if (!vocabulary) return { inputShape, layers, seed: settings.seed };
  const { textLayers } = await import('./text/text-layers.ts');
  return { inputShape, inputType: 'uint32', layers: [...textLayers(vocabulary), ...layers.slice(1)], seed: settings.seed };
}

const optimizerOf = ({ optimizer, rate }: Settings): Optimizer =>
  optimizer === 'sgd' ? sgd({ learningRate: rate }) : adam({ learningRate: rate });

/** MNIST, a table with a quarter of its rows held out for the test, scaled by the rest, or generated texts. */
async function loadData({ data, onProgress, signal }: LoadDataOptions): Promise<TrainingData> {
  if (isOwnData(data)) {
    throw new VitrineError(
      'unknown-name',
      `The data set ${data} is not here: it never left the page that it was dropped on.`,
      'drop its files again, or choose other data in the recipe.',
      { name: data },
    );
  }
  if (data === 'mnist') return loadMnist({ onProgress, signal });
  const { loadKnown } = await import('./session/own-data.ts');
  return loadKnown(data);
}
