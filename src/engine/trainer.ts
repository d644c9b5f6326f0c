/**
 * The training loop. A step is two plans in one pass: `gather` fetches the batch from the resident data set, `step` runs forward, loss,
 * backward, advance and update. Many steps go into one submit, and nothing awaits inside one.
 *
 * Losses arrive late, through a ring on the GPU that a reader copies out at most thirty times a second, and only while someone listens.
 */

import { checkFinite, type Dataset, validateDataset } from './dataset.ts';
import type { Device } from './device.ts';
import { checkNumber, checkWhole, show, VitrineError } from './errors.ts';
import { type EvaluationRange, Evaluator } from './evaluator.ts';
import { type FitHost, fitEpochs } from './fit.ts';
import { compileGather } from './gather.ts';
import { requireType } from './graph.ts';
import type { Loss } from './losses.ts';
import { checkAnswers, type Examples, type Model } from './model.ts';
import { elements } from './operation.ts';
import { adam, momentNames, type Optimizer, type ParameterGroup } from './optimizers.ts';
import type { Plan } from './plan.ts';
import { dataHash, type ResidentData, residentData } from './resident-data.ts';
import type { Change, FullSnapshot, Snapshot, ViewSnapshot } from './snapshot.ts';
import { Tensor } from './tensor.ts';
import type { Evaluation, FitOptions, History, RunOptions, StepRecord, StopCondition, TrainerOptions } from './training-options.ts';
import {
  fieldBytes,
  getField,
  type HaltReason,
  haltReasons,
  makeState,
  NEVER,
  STATE_WORDS,
  type StateField,
  stateField,
} from './training-state.ts';
import { compileTrainingStep, type Settings, type StepTensors } from './training-step.ts';

const RING_SIZE = 4096;
const RATE_TABLE = 16384;
const READ_INTERVAL_MS = 33;
const SAFE_INTERVAL_MS = 5000;
const SUBMITS_IN_FLIGHT = 2;
/** A submit takes about this long: short while someone watches, so that the page stays responsive. */
const WATCHED_SUBMIT_MS = 8;
const UNWATCHED_SUBMIT_MS = 40;
const MOST_STEPS_A_SUBMIT = 512;

/**
 * Makes a trainer: compiles the training plan and makes the optimiser's state.
 *
 * @throws VitrineError `invalid-option`, `shape-mismatch`, `limit-exceeded`, `out-of-memory`, and those of `setData`
 */
export async function createTrainer(model: Model, options: TrainerOptions = {}): Promise<Trainer> {
  const { device } = model;
  const settings = {
    loss: options.loss ?? ('crossEntropy' as Loss),
    optimizer: options.optimizer ?? adam(),
    batchSize: options.batchSize ?? 32,
    schedule: options.schedule,
    validationSplit: options.validationSplit ?? 0,
    clipNorm: options.clipNorm,
    groups: options.groups ?? [],
    variants: options.variants ?? {},
    seed: options.seed ?? model.spec.seed ?? 0,
  };
  model.requireAlive();
  checkWhole('batchSize', settings.batchSize, 1, 65535);
  checkWhole('seed', settings.seed, 0, 0xffffffff);
  checkNumber('validationSplit', settings.validationSplit, 0, 0.999);
  if (settings.clipNorm !== undefined) checkNumber('clipNorm', settings.clipNorm, 1e-30);
  const trainer = await device.guarded('trainer', () => new Trainer(model, settings));
  const ready = await Promise.allSettled([trainer.compileStep(), options.data && trainer.setData(options.data)]);
  const failed = ready.find((each) => each.status === 'rejected');
  if (failed) {
    trainer.dispose();
    throw failed.reason;
  }
  return trainer;
}

/** Where training stands, as the GPU says. */
export interface Standing {
  readonly step: number;
  /** Of the last step. */
  readonly loss: number;
  readonly accuracy: number;
  readonly learningRate: number;
  readonly halted: HaltReason;
}

/** What a lost device is filled from. */
interface SafePoint {
  readonly step: number;
  readonly parameters: Float32Array<ArrayBuffer>;
  readonly moments: readonly Float32Array<ArrayBuffer>[];
  readonly state: Uint32Array<ArrayBuffer>;
}

export class Trainer {
  readonly model: Model;
  readonly batchSize: number;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Everything an inspector can look at, by name: parameters, gradients, moments, activations, the batch. */
  readonly tensors: Map<string, Tensor> = new Map();
  /** Encoded after every step of run() and fit(), in its pass, with the number of steps done: they look at its tensors and change none. */
  readonly companions: Set<{ encode(pass: GPUComputePassEncoder, step: number): void }> = new Set();

  readonly #device: Device;
  readonly #settings: Settings;
  readonly #stepTensors: StepTensors;
  readonly #gradients: Tensor;
  readonly #moments: readonly Tensor[];
  readonly #state: Tensor;
  readonly #ring: Tensor;
  readonly #rates: Tensor;
  readonly #groups: Tensor;
  readonly #blockGroups: Tensor;
  readonly #x: Tensor;
  readonly #answer: Tensor;
  readonly #blockOwners: Uint32Array<ArrayBuffer>;
  #plan!: Plan;
  #gather: Plan | undefined;
  #data: ResidentData | undefined;
  /** Of the data, once it was asked for: it takes a while. */
  #hash: string | undefined;
  #evaluator: Promise<Evaluator> | undefined;
  #validationSplit: number;
  #watched: readonly string[] = [];

  /** Steps submitted since the start of training, on this device. */
  #submitted = 0;
  /** Steps done as the caller sees it: more than submitted after a lost device, until those beyond the safe point are replayed. */
  #reached = 0;
  /** The last step on a batch from outside, which cannot be replayed. */
  #outside = 0;
  #driving = false;
  #replaying: Promise<void> | undefined;
  /** Steps whose ring entries have been read. */
  #read = 0;
  #halted: HaltReason = 'running';
  #rateBase = 0;
  #learningRate: number;
  /** Changes made in training, by step; those from #applied on still have to take effect. */
  #journal: Change[] = [];
  #applied = 0;
  #stop: StopCondition = {};
  #millisecondsPerStep = 0;
  #busy = false;
  #safe: SafePoint;
  #safeAt: number = performance.now();
  #savingSafe: Promise<void> | undefined;
  #disposed = false;

  constructor(model: Model, settings: Settings) {
    const { device } = model;
    this.model = model;
    this.#device = device;
    this.#settings = settings;
    this.batchSize = settings.batchSize;
    this.loss = settings.loss;
    this.optimizer = settings.optimizer;
    this.#validationSplit = settings.validationSplit;
    this.#learningRate = settings.optimizer.learningRate;
    const floats = model.flatParameters.length;
    const make = (name: string, shape: readonly number[], dtype: 'float32' | 'uint32' = 'float32'): Tensor =>
      device.empty(shape, dtype, name, { recoverable: true, owner: 'train' });
    this.#gradients = make('gradients', [floats]);
    this.#moments = momentNames(settings.optimizer).map((name) => make(name, [floats]));
    this.#state = make('state', [STATE_WORDS], 'uint32');
    this.#ring = make('ring', [RING_SIZE + 1, 4], 'uint32');
    this.#rates = make('rates', [settings.schedule ? RATE_TABLE : 1]);
    this.#groups = make('groups', [model.parameters.size, 4]);
    this.#blockGroups = make('block groups', [floats / 64], 'uint32');
    this.#x = make('batch/input', [settings.batchSize, ...model.spec.inputShape], model.spec.inputType ?? 'float32');
    const outputShape = model.layers.at(-1)?.outputShape ?? [];
    this.#answer =
      settings.loss === 'crossEntropy'
        ? make('batch/labels', [settings.batchSize], 'uint32')
        : make('batch/targets', [settings.batchSize, ...outputShape]);

    this.#stepTensors = {
      x: this.#x,
      answer: this.#answer,
      state: this.#state,
      ring: this.#ring,
      rates: this.#rates,
      gradients: this.#gradients,
      moments: this.#moments,
      groups: this.#groups,
      blockGroups: this.#blockGroups,
    };
    this.#blockOwners = new Uint32Array(floats / 64);
    [...model.extents().values()].forEach(({ offset, length }, group) => {
      this.#blockOwners.fill(group, offset / 64, Math.ceil((offset + length) / 64));
    });
    this.#safe = {
      step: 0,
      parameters: model.initialParameters(model.spec.seed ?? 0),
      moments: this.#moments.map(() => new Float32Array(floats)),
      state: makeState({ seed: settings.seed, batch: settings.batchSize, stride: settings.batchSize }),
    };
    this.#state.write(this.#safe.state);
    this.#writeTables();
    device.register(this);

    for (const [name, tensor] of model.parameters) this.tensors.set(name, tensor);
    for (const [name, tensor] of model.partition('gradient/', this.#gradients)) this.tensors.set(`gradient/${name}`, tensor);
    this.#moments.forEach((moment, i) => {
      const prefix = `${momentNames(settings.optimizer)[i]}/`;
      for (const [name, tensor] of model.partition(prefix, moment)) this.tensors.set(prefix + name, tensor);
    });
    this.tensors.set('batch/input', this.#x);
    this.tensors.set(this.#answer.name, this.#answer);
  }

  // ---- what it is ----------------------------------------------------------------------------------------------------------------

  /** The plan of one step: forward, loss, backward, advance, update. */
  get plan(): Plan {
    return this.#plan;
  }

  /** The plan that fetches a batch; absent without a data set. */
  get gatherPlan(): Plan | undefined {
    return this.#gather;
  }

  /** Steps done since the start of training. With run-ahead, the GPU may still be working on the last of them. */
  get step(): number {
    return this.#reached;
  }

  /** Steps an epoch takes. @throws VitrineError `empty-dataset` without data */
  get stepsPerEpoch(): number {
    return Math.ceil(this.#ranges().examples / this.batchSize);
  }

  /** Why training stands still: 'running' while it may go on. */
  get halted(): HaltReason {
    return this.#halted;
  }

  get learningRate(): number {
    return this.#learningRate;
  }

  // ---- data ----------------------------------------------------------------------------------------------------------------------

  /**
   * Makes a data set resident and trains on it from now on, from the start of an epoch. Nothing is lost where it is refused.
   *
   * @throws VitrineError `empty-dataset`, `shape-mismatch`, `label-out-of-range`, `non-finite-data`, `batch-too-large`, `out-of-memory`, `busy`
   */
  async setData(dataset: Dataset): Promise<void> {
    this.#requireAlive();
    this.#validate(dataset);
    const examples = splitAt(dataset.size, this.#validationSplit);
    if (this.batchSize > examples) {
      throw new VitrineError(
        'batch-too-large',
        `${dataset.name}: a batch of ${this.batchSize} is larger than the ${examples} training examples.`,
        `use a batchSize of at most ${examples}, or more data.`,
        { batchSize: this.batchSize, examples },
      );
    }
    await this.#exclusively(() => this.#setData(dataset, examples));
  }

  async #setData(dataset: Dataset, examples: number): Promise<void> {
    const data = await residentData(this.#device, dataset);
    let gather: Plan;
    try {
      gather = await compileGather(this.#device, data, {
        state: this.#state,
        x: this.#x,
        answer: this.#answer,
        shuffle: true,
        first: 0,
        owner: 'train',
        variants: this.#settings.variants,
      });
    } catch (error) {
      data.dispose();
      throw error;
    }
    this.#gather?.dispose();
    this.#data?.dispose();
    this.#data = data;
    this.#hash = undefined;
    this.#gather = gather;
    await this.#setExamples(examples);
    await this.#device.gpu.queue.onSubmittedWorkDone();
  }

  /** Refuses data that this trainer cannot be fed with. */
  #validate(dataset: Dataset): void {
    const missing = this.loss === 'crossEntropy' ? !dataset.labels && 'labels' : !dataset.targets && 'targets';
    if (missing) {
      throw new VitrineError(
        'shape-mismatch',
        `${dataset.name}: the data set has no ${missing}, which ${this.loss} needs.`,
        `add ${missing} to it.`,
        { missing },
      );
    }
    const dtype = dataset.inputs instanceof Uint32Array ? 'uint32' : 'float32';
    requireType(dataset.name, { dtype, shape: [dataset.size, ...dataset.inputShape] }, 'inputs', this.#x.dtype);
    validateDataset(dataset, this.model.spec.inputShape, this.loss === 'crossEntropy' ? this.model.classes : undefined);
    const expected = this.#answer.shape.slice(1);
    const targetShape = dataset.targetShape ?? [];
    if (this.loss !== 'crossEntropy' && elements(targetShape) !== elements(expected)) {
      throw new VitrineError(
        'shape-mismatch',
        `${dataset.name}: a target is ${show(targetShape)} but the model gives ${show(expected)}.`,
        'give the last layer as many units as a target has values.',
        { expected, actual: targetShape },
      );
    }
  }

  /** Starts an epoch over the first `examples` examples. */
  async #setExamples(examples: number): Promise<void> {
    const fields: Partial<Record<StateField, number>> = {
      examples,
      cursor: 0,
      rows: Math.min(this.batchSize, examples),
      stride: this.batchSize,
    };
    for (const [name, value] of Object.entries(fields)) {
      this.#setState(name as StateField, value);
      if (this.#reached === 0) this.#safe.state.set(fieldBytes(name as StateField, value), stateField[name as StateField]);
    }
    // Steps on the data before cannot be replayed on this one.
    if (this.#reached > 0) await this.#saveNow();
  }

  #ranges(): { readonly data: ResidentData; readonly examples: number; readonly validation: EvaluationRange | undefined } {
    if (!this.#data)
      throw new VitrineError('empty-dataset', 'The trainer has no data set.', 'pass { data } to createTrainer, or call setData() first.');
    const { size } = this.#data.dataset;
    const examples = splitAt(size, this.#validationSplit);
    return { data: this.#data, examples, validation: examples < size ? { first: examples, count: size - examples } : undefined };
  }

  // ---- plans ---------------------------------------------------------------------------------------------------------------------

  /** Compiles the step, with the watched tensors kept. For createTrainer and watch. */
  async compileStep(): Promise<void> {
    // Whatever the tuner finds meanwhile, a training keeps the variants that it began with.
    const settings = { ...this.#settings, variants: { ...this.#settings.variants, ...this.#plan?.variants } };
    const { plan, watchable } = await compileTrainingStep(this.model, settings, this.#stepTensors, this.#watched);
    this.#plan?.dispose();
    this.#plan = plan;
    for (const [name, node] of watchable) {
      if (this.#watched.includes(name)) this.tensors.set(name, plan.tensor(node));
      else this.tensors.delete(name);
    }
  }

  /**
   * Keeps the named activations readable in `tensors` after each step, from now on; an empty list lets the plan fuse them away again.
   *
   * @throws VitrineError `unknown-name`
   */
  async watch(names: readonly string[]): Promise<void> {
    this.#requireAlive();
    const before = this.#watched;
    this.#watched = [...names];
    try {
      await this.compileStep();
    } catch (error) {
      this.#watched = before;
      throw error;
    }
  }

  // ---- settings that may change in training --------------------------------------------------------------------------------------

  /** Changes the base learning rate from the next step on. */
  setLearningRate(learningRate: number): void {
    this.#requireAlive();
    checkNumber('learningRate', learningRate, 0);
    this.#change({ step: this.#reached, key: 'learningRate', value: learningRate });
  }

  /** Freezes or thaws parameters from the next step on. @throws VitrineError `unknown-name` */
  setFrozen(names: readonly string[], frozen: boolean): void {
    this.#requireAlive();
    for (const name of names) {
      if (!this.model.parameters.has(name)) {
        throw new VitrineError(
          'unknown-name',
          `There is no parameter called '${name}'.`,
          `use one of ${[...this.model.parameters.keys()].join(', ')}.`,
          { name },
        );
      }
    }
    this.#change({ step: this.#reached, key: frozen ? 'freeze' : 'thaw', value: names });
  }

  #change(change: Change): void {
    this.#journal.push(change);
    this.#applyChanges();
  }

  /** Applies the changes that are due before the step to be submitted next. */
  #applyChanges(): void {
    if (this.#takeChanges()) this.#writeTables();
  }

  /** Whether any were due. */
  #takeChanges(): boolean {
    const before = this.#applied;
    while (this.#applied < this.#journal.length && (this.#journal[this.#applied] as Change).step <= this.#submitted) {
      const change = this.#journal[this.#applied++] as Change;
      if (change.key === 'learningRate') this.#learningRate = change.value;
    }
    return this.#applied > before;
  }

  /** The table of rates from the next step on, and the table of groups. */
  #writeTables(): void {
    const { schedule, optimizer, groups } = this.#settings;
    this.#rateBase = this.#submitted;
    const rates = new Float32Array(this.#rates.length);
    for (let i = 0; i < rates.length; i++) rates[i] = schedule ? schedule(this.#rateBase + i, this.#learningRate) : this.#learningRate;
    const bad = rates.findIndex((rate) => !Number.isFinite(rate));
    if (bad >= 0) {
      throw new VitrineError(
        'invalid-option',
        `The schedule gives ${rates[bad]} at step ${this.#rateBase + bad}.`,
        'return a finite rate for every step.',
        {
          step: this.#rateBase + bad,
        },
      );
    }
    this.#device.writeBuffer('train', this.#rates.storage, 0, rates);
    this.#setState('rateBase', this.#rateBase);

    const frozen = new Set<string>();
    for (const change of this.#journal.slice(0, this.#applied)) {
      if (change.key === 'freeze') for (const name of change.value) frozen.add(name);
      if (change.key === 'thaw') for (const name of change.value) frozen.delete(name);
    }
    const thawed = new Set(this.#journal.slice(0, this.#applied).flatMap((change) => (change.key === 'thaw' ? change.value : [])));
    const table = new Float32Array(this.#groups.length);
    [...this.model.parameters.keys()].forEach((name, i) => {
      const matches = groups.filter(({ match }) => (match instanceof RegExp ? match.test(name) : match.includes(name)));
      const group = Object.assign({}, ...matches) as Partial<ParameterGroup>;
      const still = frozen.has(name) || ((group.frozen ?? false) && !thawed.has(name));
      table.set([group.learningRateFactor ?? 1, group.weightDecay ?? optimizer.weightDecay, still ? 1 : 0, 0], 4 * i);
    });
    this.#device.writeBuffer('train', this.#groups.storage, 0, table);
    this.#device.writeBuffer('train', this.#blockGroups.storage, 0, this.#blockOwners);
  }

  #setState(name: StateField, value: number): void {
    this.#device.writeBuffer('train', this.#state.storage, 4 * stateField[name], fieldBytes(name, value));
  }

  /** Stops training on the GPU, before the update, when a condition holds; an empty one is never met. A non-finite loss always stops it. */
  stopWhen(condition: StopCondition): void {
    this.#requireAlive();
    if (condition.step !== undefined) checkWhole('step', condition.step, 0, NEVER - 1);
    this.#stop = condition;
    this.#writeStop();
  }

  #writeStop(): void {
    const largest = 3.4028234663852886e38;
    this.#setState('lossAbove', this.#stop.lossAbove ?? largest);
    this.#setState('lossBelow', this.#stop.lossBelow ?? -largest);
    this.#setState('stopStep', this.#stop.step ?? NEVER);
  }

  /** Lets training go on after a halt. */
  resume(): void {
    this.#requireAlive();
    this.#halted = 'running';
    this.#setState('halted', 0);
  }

  // ---- training ------------------------------------------------------------------------------------------------------------------

  /**
   * Runs `steps` steps. Without `onSteps` nothing is read back, and a halt is found by `synchronize()`.
   *
   * @throws VitrineError `empty-dataset`, `non-finite-training` (to a listener), `device-lost`, `busy`
   */
  async run(steps: number, options: RunOptions = {}): Promise<void> {
    this.#requireAlive();
    checkWhole('steps', steps, 1);
    this.#ranges();
    await this.#exclusively(() => this.#drive(this.#reached + steps, options));
  }

  #requireAlive(): void {
    if (this.#disposed)
      throw new VitrineError('tensor-disposed', 'The trainer was used after dispose().', 'keep it until training has ended.');
    this.model.requireAlive();
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    this.#requireAlive();
    if (this.#busy)
      throw new VitrineError(
        'busy',
        'The trainer is already running.',
        'await the run before starting another, or abort it with its signal.',
      );
    this.#busy = true;
    try {
      await this.#replay();
      return await work();
    } finally {
      this.#busy = false;
    }
  }

  /** After a lost device: does the steps beyond the safe point again, to the same bits. While steps are being driven, that is done there. */
  async #replay(): Promise<void> {
    await this.#device.ready();
    if (this.#replaying || this.#driving || this.#submitted >= this.#reached) return this.#replaying;
    this.#replaying = this.#drive(this.#reached, {}).finally(() => {
      this.#replaying = undefined;
    });
    return this.#replaying;
  }

  /** Does what reads results back, and does it again where the device was lost meanwhile. */
  async #throughLoss<T>(work: () => Promise<T>): Promise<T> {
    while (true) {
      await this.#replay();
      const { generation } = this.#device;
      try {
        const result = await work();
        if (this.#device.generation === generation) return result;
      } catch (error) {
        await this.#device.ready();
        if (this.#device.generation === generation) throw error;
      }
    }
  }

  async #drive(target: number, options: RunOptions): Promise<void> {
    this.#driving = true;
    try {
      await this.#driveTo(target, options);
    } finally {
      this.#driving = false;
    }
  }

  /** Submits steps until `target` are done, keeping two or three submits in flight. */
  async #driveTo(target: number, options: RunOptions): Promise<void> {
    const listening = options.onSteps !== undefined;
    const budget = listening ? WATCHED_SUBMIT_MS : UNWATCHED_SUBMIT_MS;
    let { generation } = this.#device;
    let flights: Promise<void>[] = [];
    let lastDone = performance.now();
    let lastRead = 0;
    let reading: Promise<void> | undefined;
    let failure: unknown;
    const read = (): void => {
      lastRead = performance.now();
      reading = this.#readRing(options.onSteps)
        .catch((error) => {
          failure = error;
        })
        .finally(() => {
          reading = undefined;
        });
    };
    const settle = async (): Promise<void> => {
      await Promise.all(flights);
      await this.#device.ready();
    };
    while (true) {
      if (this.#device.generation !== generation) {
        // The device was replaced and this trainer went back to its safe point; `target` stands.
        await this.#device.ready();
        generation = this.#device.generation;
        flights = [];
      }
      if (failure) throw failure;
      const stopped = options.signal?.aborted || this.#halted !== 'running';
      if (stopped || this.#submitted >= target) {
        await settle();
        if (this.#device.generation !== generation) continue;
        break;
      }
      if (flights.length >= SUBMITS_IN_FLIGHT) {
        await flights[0];
        continue;
      }
      let steps = Math.min(target - this.#submitted, this.#stepsASubmit(budget));
      this.#applyChanges();
      const next = this.#journal[this.#applied];
      if (next) steps = Math.min(steps, next.step - this.#submitted);
      if (listening) {
        const room = RING_SIZE - (this.#submitted - this.#read);
        if (room < 1) {
          if (!reading) read();
          await reading;
          continue;
        }
        steps = Math.min(steps, room);
      }
      if (this.#settings.schedule) {
        if (this.#submitted - this.#rateBase >= RATE_TABLE) this.#writeTables();
        steps = Math.min(steps, this.#rateBase + RATE_TABLE - this.#submitted);
      }
      this.#submitSteps(steps);
      const flight: Promise<void> = this.#device.gpu.queue
        .onSubmittedWorkDone()
        .catch(() => undefined)
        .then(() => {
          flights = flights.filter((each) => each !== flight);
          const now = performance.now();
          const sample = (now - lastDone) / steps;
          lastDone = now;
          this.#millisecondsPerStep = this.#millisecondsPerStep === 0 ? sample : 0.7 * this.#millisecondsPerStep + 0.3 * sample;
        });
      flights.push(flight);
      if (listening && !reading && performance.now() - lastRead >= READ_INTERVAL_MS) read();
      if (performance.now() - this.#safeAt >= SAFE_INTERVAL_MS) this.#saveSafePoint();
    }
    await reading;
    if (listening) await this.#readRing(options.onSteps);
    if (failure) throw failure;
  }

  #stepsASubmit(budget: number): number {
    // The first submit is one step, so that its time can be taken.
    if (this.#millisecondsPerStep === 0) return 1;
    return Math.max(1, Math.min(MOST_STEPS_A_SUBMIT, Math.round(budget / this.#millisecondsPerStep)));
  }

  #submitSteps(steps: number): void {
    const gather = this.#gather as Plan;
    this.#device.submit('train', 'train', (encoder) => {
      const pass = encoder.beginComputePass({ label: 'train' });
      for (let i = 0; i < steps; i++) {
        gather.encode(pass);
        this.#plan.encode(pass);
        for (const companion of this.companions) companion.encode(pass, this.#submitted + i + 1);
      }
      pass.end();
    });
    this.#submitted += steps;
    this.#reached = Math.max(this.#reached, this.#submitted);
    this.#stamp(this.#submitted);
  }

  /** Says of every tensor which step it is of. */
  #stamp(step: number): void {
    for (const tensor of this.tensors.values()) tensor.step = step;
  }

  /** Copies the ring out and tells the listener what is new. @throws VitrineError `non-finite-training` when training stopped for it */
  async #readRing(onSteps: RunOptions['onSteps']): Promise<void> {
    const { generation } = this.#device;
    let words: Uint32Array;
    try {
      words = new Uint32Array(await this.#device.readBuffer(this.#ring.storage, 0, this.#ring.bytes));
    } catch (error) {
      await this.#device.ready();
      if (this.#device.generation !== generation) return;
      throw error;
    }
    if (this.#device.generation !== generation) return;
    const floats = new Float32Array(words.buffer);
    const done = words[0] as number;
    const records: StepRecord[] = [];
    for (let step = Math.max(this.#read, done - RING_SIZE); step < done; step++) {
      const at = 4 * (1 + (step % RING_SIZE));
      const rows = words[at + 3] as number;
      records.push({ step, loss: floats[at + 1] as number, accuracy: (floats[at + 2] as number) / rows, rows });
    }
    this.#read = Math.max(this.#read, done);
    const halted = haltReasons[words[1] as number] ?? 'running';
    if (halted !== 'running') {
      this.#halted = halted;
      this.#submitted = done;
      this.#reached = done;
      this.#stamp(done);
    }
    if (records.length > 0) onSteps?.(records);
    if (halted === 'non-finite') throw await this.#diagnose(done);
  }

  /** Waits for all submitted steps and returns what the GPU itself says: steps done, last loss and accuracy, why it stands still. */
  async synchronize(): Promise<Standing> {
    this.#requireAlive();
    return this.#standing(await this.#throughLoss(() => this.#state.readUint32()));
  }

  /** Takes over what the state says. */
  #standing(state: Uint32Array): Standing {
    this.#halted = haltReasons[getField(state, 'halted')] ?? 'running';
    const step = getField(state, 'step');
    this.#submitted = step;
    this.#reached = step;
    // Steps that were submitted after a halt did nothing.
    this.#stamp(step);
    return {
      step,
      loss: getField(state, 'loss'),
      accuracy: getField(state, 'accuracy'),
      learningRate: getField(state, 'rate'),
      halted: this.#halted,
    };
  }

  /** Runs only after a halt: names the first tensor, in the order of the step, that is not finite. */
  async #diagnose(step: number): Promise<VitrineError> {
    const seen = new Set<Tensor>();
    let culprit = 'the loss';
    search: for (const planStep of this.#plan.steps) {
      for (const tensor of [...planStep.inputs, ...planStep.outputs]) {
        if (tensor.dtype !== 'float32' || seen.has(tensor) || tensor.storage === this.#ring.storage) continue;
        seen.add(tensor);
        if ((await tensor.read()).some((value) => !Number.isFinite(value))) {
          culprit = tensor.name.replace(/^train: /, '');
          break search;
        }
      }
    }
    return new VitrineError(
      'non-finite-training',
      `Training stopped before step ${step}: ${culprit} holds a value that is not finite.`,
      'lower the learning rate, clip gradients with clipNorm, or restore() an earlier snapshot; nothing was updated in that step.',
      { step, tensor: culprit, learningRate: this.#learningRate },
    );
  }

  /**
   * Trains for `epochs` epochs, each a shuffled pass over the data, the last, partial batch included, as Keras does.
   *
   * @throws VitrineError `empty-dataset`, `non-finite-training` (before the update, with the step and the tensor), `device-lost`, `busy`
   */
  async fit(options: FitOptions): Promise<History> {
    checkWhole('epochs', options.epochs, 1);
    return this.#exclusively(async () => {
      if (options.validationSplit !== undefined) await this.#splitAnew(options.validationSplit);
      const { data, examples, validation } = this.#ranges();
      const host: FitHost = {
        step: () => this.#reached,
        halted: () => this.#halted,
        drive: (target, run) => this.#drive(target, run),
        validate: async () => validation && this.#evaluate(data, validation),
        save: async () => {
          await this.#saveNow();
          return this.#safe.parameters;
        },
        putBack: (parameters) => {
          this.#safe = { ...this.#safe, parameters };
          this.model.keepSafe(parameters);
          this.model.flatParameters.write(parameters);
        },
      };
      return fitEpochs(host, { ...options, examples, steps: this.stepsPerEpoch });
    });
  }

  async #splitAnew(validationSplit: number): Promise<void> {
    checkNumber('validationSplit', validationSplit, 0, 0.999);
    const { size } = this.#ranges().data.dataset;
    const examples = splitAt(size, validationSplit);
    if (this.batchSize > examples) {
      throw new VitrineError(
        'batch-too-large',
        `A batch of ${this.batchSize} is larger than the ${examples} training examples.`,
        'hold out less.',
        { examples },
      );
    }
    const changed = examples !== splitAt(size, this.#validationSplit);
    this.#validationSplit = validationSplit;
    if (changed) await this.#setExamples(examples);
  }

  /**
   * Trains one step on a batch of the caller's, without moving through the data set.
   *
   * **Shapes** x [rows, ...inputShape] with rows at most batchSize; labels [rows], or targets for 'meanSquaredError'.
   * @returns the mean loss of the batch before the update
   * @throws VitrineError `shape-mismatch`, `batch-too-large`, `label-out-of-range`, `non-finite-data`, `non-finite-training`, `busy`
   */
  async trainOnBatch(x: Examples, labels: ArrayLike<number>): Promise<number> {
    this.#requireAlive();
    const rows = this.model.rowsOf(x);
    if (rows > this.batchSize) {
      throw new VitrineError(
        'batch-too-large',
        `The batch has ${rows} rows; the trainer takes at most ${this.batchSize}.`,
        'create the trainer with a larger batchSize, or split the batch.',
        {
          rows,
          batchSize: this.batchSize,
        },
      );
    }
    const answers = checkAnswers(this.model, this.loss, labels, [rows, ...this.#answer.shape.slice(1)]);
    if (!(x instanceof Tensor)) checkFinite('x', 'input', Float32Array.from(x as ArrayLike<number>), elements(this.model.spec.inputShape));
    return this.#exclusively(async () => {
      const { step, loss, halted } = this.#standing(await this.#throughLoss(() => this.#stepOn(x, rows, answers)));
      if (halted === 'non-finite') throw await this.#diagnose(step);
      this.#read = step;
      this.#outside = step;
      return loss;
    });
  }

  /** One step on a batch of the caller's; the cursor stands still meanwhile. Returns the state after it. */
  async #stepOn(x: Examples, rows: number, answers: Float32Array | Uint32Array): Promise<Uint32Array> {
    this.#applyChanges();
    const before = await this.#state.readUint32();
    this.model.writeRows(this.#x, x, 0, rows, 'train');
    this.#device.writeBuffer('train', this.#answer.storage, this.#answer.byteOffset, answers);
    this.#setState('rows', rows);
    this.#setState('stride', 0);
    this.#plan.run();
    this.#setState('rows', getField(before, 'rows'));
    this.#setState('stride', getField(before, 'stride'));
    return this.#state.readUint32();
  }

  // ---- evaluation ----------------------------------------------------------------------------------------------------------------

  /**
   * Mean loss and accuracy over a data set, or over the held-out part of the training data.
   *
   * @throws VitrineError as setData; `invalid-option` where nothing is held out
   */
  async evaluate(dataset: Dataset | 'validation'): Promise<Evaluation> {
    this.#requireAlive();
    if (dataset === 'validation') {
      const { data, validation } = this.#ranges();
      if (!validation) throw new VitrineError('invalid-option', 'Nothing is held out for validation.', 'pass a validationSplit above 0.');
      return this.#evaluate(data, validation);
    }
    this.#validate(dataset);
    const data = await residentData(this.#device, dataset);
    try {
      return await this.#evaluate(data, { first: 0, count: dataset.size });
    } finally {
      data.dispose();
    }
  }

  async #evaluate(data: ResidentData, range: EvaluationRange): Promise<Evaluation> {
    this.#evaluator ??= Evaluator.create(this.model, this.loss, this.#settings.variants);
    const pending = this.#evaluator;
    const evaluator = await pending.catch((error) => {
      // What failed for want of memory may be tried again.
      if (this.#evaluator === pending) this.#evaluator = undefined;
      throw error;
    });
    return this.#throughLoss(() => evaluator.run(data, range));
  }

  // ---- snapshots -----------------------------------------------------------------------------------------------------------------

  /** Parameters only, for looking at. */
  snapshot(options: { readonly view: true }): Promise<ViewSnapshot>;
  /** Everything needed to go on with the same bits: parameters, moments, state, variants, data hash and the journal of changes. */
  snapshot(options?: { readonly view?: false }): Promise<FullSnapshot>;
  async snapshot(options: { readonly view?: boolean } = {}): Promise<Snapshot> {
    this.#requireAlive();
    const point = await this.#throughLoss(() => this.#readPoint());
    if (options.view) return { kind: 'view', step: point.step, parameters: point.parameters };
    return {
      kind: 'full',
      step: point.step,
      parameters: point.parameters,
      moments: point.moments,
      state: point.state,
      variants: { ...this.#plan.variants },
      journal: this.#journal.map((change) => ({ ...change })),
      ...(this.#data ? { data: this.#dataHash(this.#data) } : {}),
    };
  }

  #dataHash({ dataset }: ResidentData): string {
    this.#hash ??= dataHash(dataset);
    return this.#hash;
  }

  /** Copies everything in one submit, so that it belongs to one step. */
  async #readPoint(): Promise<SafePoint> {
    const sources = [this.model.flatParameters, this.#state, ...this.#moments];
    const ranges = sources.map(({ storage, byteOffset, bytes }) => ({ buffer: storage, byteOffset, bytes }));
    const [parameters, words, ...moments] = (await this.#device.readRanges('snapshot', ranges)) as [
      ArrayBuffer,
      ArrayBuffer,
      ...ArrayBuffer[],
    ];
    const state = new Uint32Array(words);
    return {
      step: getField(state, 'step'),
      parameters: new Float32Array(parameters),
      moments: moments.map((moment) => new Float32Array(moment)),
      state,
    };
  }

  /**
   * Goes back, or on, to a snapshot of this model. A full one continues with the same bits; a view puts parameters back and starts the optimiser
   * afresh.
   *
   * @throws VitrineError `shape-mismatch` for another model's snapshot, `invalid-option` for other variants or other data
   */
  async restore(snapshot: Snapshot): Promise<void> {
    this.#requireAlive();
    const expected = this.model.flatParameters.length;
    if (snapshot.parameters.length !== expected) {
      throw new VitrineError(
        'shape-mismatch',
        `The snapshot holds ${snapshot.parameters.length} parameters; this model has ${expected}.`,
        'restore it into the model it was taken from.',
        {
          expected,
        },
      );
    }
    await this.#exclusively(async () => {
      await this.#device.ready();
      if (snapshot.kind === 'view') {
        const state = this.#safe.state.slice();
        this.#restorePoint(
          {
            step: 0,
            parameters: snapshot.parameters.slice(),
            moments: this.#moments.map((moment) => new Float32Array(moment.length)),
            state: this.#freshState(state),
          },
          [],
        );
        return;
      }
      if (snapshot.moments.length !== this.#moments.length) {
        throw new VitrineError(
          'shape-mismatch',
          `The snapshot has ${snapshot.moments.length} moments an element; ${this.optimizer.kind} keeps ${this.#moments.length}.`,
          'restore it with the optimiser it was taken with.',
          {
            optimizer: this.optimizer.kind,
          },
        );
      }
      const different = Object.entries(snapshot.variants).find(
        ([key, name]) => this.#plan.variants[key] !== undefined && this.#plan.variants[key] !== name,
      );
      if (different) {
        throw new VitrineError(
          'invalid-option',
          `The snapshot was taken with ${different[0]} as '${different[1]}', this trainer uses '${this.#plan.variants[different[0]]}'.`,
          'create the trainer with { variants: snapshot.variants }.',
          {
            key: different[0],
          },
        );
      }
      if (snapshot.data !== undefined && this.#data && this.#dataHash(this.#data) !== snapshot.data) {
        throw new VitrineError(
          'invalid-option',
          'The snapshot was taken on other data.',
          'setData() the data it was taken on; restore a view snapshot to carry on with the parameters alone.',
          {
            data: snapshot.data,
          },
        );
      }
      this.#restorePoint(
        {
          step: snapshot.step,
          parameters: snapshot.parameters.slice(),
          moments: snapshot.moments.map((moment) => moment.slice()),
          state: snapshot.state.slice(),
        },
        snapshot.journal,
      );
    });
  }

  /** A state at the start of training, over the same data. */
  #freshState(state: Uint32Array): Uint32Array<ArrayBuffer> {
    const examples = getField(state, 'examples');
    return makeState({
      seed: getField(state, 'seed'),
      batch: this.batchSize,
      stride: this.batchSize,
      examples,
      rows: Math.min(this.batchSize, examples),
    });
  }

  #restorePoint(point: SafePoint, journal: readonly Change[]): void {
    this.#journal = [...journal];
    this.#safe = point;
    this.model.keepSafe(point.parameters);
    this.model.flatParameters.write(point.parameters);
    this.#reached = point.step;
    this.#read = point.step;
    this.#outside = 0;
    this.rebuild();
  }

  /** Puts training back to step 0 with the initial weights of the model's seed. */
  async reset(): Promise<void> {
    const floats = this.model.flatParameters.length;
    await this.#exclusively(async () => {
      await this.#device.ready();
      this.#restorePoint(
        {
          step: 0,
          parameters: this.model.initialParameters(this.model.spec.seed ?? 0),
          moments: this.#moments.map(() => new Float32Array(floats)),
          state: this.#freshState(this.#safe.state),
        },
        [],
      );
    });
  }

  /** Takes, without holding up training, what a lost device would be filled from. */
  #saveSafePoint(): Promise<void> {
    this.#safeAt = performance.now();
    const { generation } = this.#device;
    this.#savingSafe ??= this.#readPoint()
      .then((point) => {
        if (this.#device.generation !== generation) return;
        this.#safe = point;
        this.model.keepSafe(point.parameters);
      })
      .catch(() => undefined)
      .finally(() => {
        this.#savingSafe = undefined;
      });
    return this.#savingSafe;
  }

  /** Takes a safe point of this very moment, not one that is on its way. */
  async #saveNow(): Promise<void> {
    await this.#savingSafe;
    await this.#saveSafePoint();
  }

  /**
   * After the device was replaced: everything goes back to the last safe point. Steps beyond it are done again before anything else; those on
   * batches from outside are lost, and `step` says so.
   */
  rebuild(): void {
    const { step, moments, state } = this.#safe;
    this.#submitted = step;
    if (this.#outside > step) {
      this.#reached = step;
      this.#outside = 0;
    }
    // What a listener was told stays told: the replay gives the same bits.
    this.#read = Math.min(this.#read, this.#reached);
    this.#halted = 'running';
    this.#state.write(state);
    this.#setState('halted', 0);
    for (const [i, moment] of this.#moments.entries()) moment.write(moments[i] as Float32Array<ArrayBuffer>);
    this.#ring.write(new Uint32Array(this.#ring.length));
    this.#learningRate = this.optimizer.learningRate;
    this.#applied = 0;
    this.#takeChanges();
    this.#writeTables();
    this.#writeStop();
    this.#stamp(step);
  }

  /** Frees everything the trainer made; the model stays. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#device.unregister(this);
    this.#plan?.dispose();
    this.#gather?.dispose();
    this.#data?.dispose();
    this.#evaluator?.then((evaluator) => evaluator.dispose()).catch(() => undefined);
    for (const tensor of [
      this.#gradients,
      ...this.#moments,
      this.#state,
      this.#ring,
      this.#rates,
      this.#groups,
      this.#blockGroups,
      this.#x,
      this.#answer,
    ]) {
      tensor.dispose();
    }
  }
}

/** Examples trained on, the rest being held out at the end, as in Keras. */
const splitAt = (size: number, validationSplit: number): number => Math.floor(size * (1 - validationSplit));
