/** How training made it: explanations, their scores and any other measure of a network as a series over its steps. */

import { checkWhole, VitrineError } from '../engine/errors.ts';
import type { Dataset, RunOptions, Trainer } from '../engine/index.ts';
import type { Examples, Model } from '../engine/model.ts';
import { elements } from '../engine/operation.ts';
import { permute } from '../engine/random.ts';
import { Tensor } from '../engine/tensor.ts';
import { exampleOf } from './baselines.ts';
import { type Evaluation, evaluate, type MetricChoice } from './evaluate/evaluate.ts';
import { type MethodOptions, methodNamed } from './methods.ts';

/** Examples to look at: themselves, or how many to draw from a data set by a seed. */
export type Probe = Examples | { readonly dataset: Dataset; readonly count?: number; readonly seed?: number };

/** A measure of the network at one step: a number or several. */
export type Measure = (model: Model, probe: Float32Array) => Promise<number | readonly number[]>;

export interface RecordOptions {
  /** Steps from one look to the next; 100 by default. */
  readonly every?: number;
  /** The examples that are looked at, the same at every look; a count is 8 by default. */
  readonly probe: Probe;
  /** Names of methods whose maps are kept. */
  readonly methods?: readonly string[];
  /** Options of the methods, such as `target` or `background`. */
  readonly options?: MethodOptions;
  /** Metrics by which the methods are scored at every look; none by default. */
  readonly metrics?: readonly MetricChoice[];
  /** Anything else, by name: for example `{ sharpness: async (model, x) => (await sharpness(model, x, labels)).eigenvalue }`. */
  readonly measures?: Readonly<Record<string, Measure>>;
  /** Looks that are kept; 200 by default. Where there are more, every second is dropped and the next are twice as far apart. */
  readonly most?: number;
}

/** One look. */
export interface TrainingRecord {
  /** Steps done. */
  readonly step: number;
  /** Values of each method's map, in the shape of the probe. */
  readonly maps: ReadonlyMap<string, Float32Array>;
  /** The explained number of each example, by method. */
  readonly outputs: ReadonlyMap<string, Float32Array>;
  readonly evaluation?: Evaluation;
  readonly measures: Readonly<Record<string, number | readonly number[]>>;
  /** What the look took. */
  readonly milliseconds: number;
}

/**
 * Begins to record: the first look is taken at once, at the step that training stands at; `run()` takes the others.
 *
 * Training goes on with the same bits as without: a look reads the parameters and changes none.
 * **Cost** that of the methods and measures on the probe, a look; `share` tells it as a share of the time so far. Memory is bounded by `most`.
 *
 * @throws VitrineError `unknown-name`, `empty-dataset`, `invalid-option`, `unsupported-model`, and what the probe can be wrong in
 */
export async function record(trainer: Trainer, options: RecordOptions): Promise<Recorder> {
  const { every = 100, most = 200, methods = [] } = options;
  checkWhole('record: every', every, 1);
  checkWhole('record: most', most, 2);
  methods.forEach(methodNamed);
  const recorder = new Recorder(trainer, options, await probeOf(trainer.model, options.probe), every, most);
  await recorder.look();
  return recorder;
}

async function probeOf(model: Model, probe: Probe): Promise<Float32Array> {
  if (probe instanceof Tensor) return probe.read();
  if (!('dataset' in probe)) {
    model.rowsOf(probe);
    return Float32Array.from(probe);
  }
  const { dataset, count = 8, seed = 0 } = probe;
  checkWhole('record: probe', count, 1);
  if (count > dataset.size) {
    throw new VitrineError(
      'empty-dataset',
      `record: ${dataset.name} has ${dataset.size} examples; the probe asks for ${count}.`,
      'ask for fewer, or give another data set.',
      { size: dataset.size, count },
    );
  }
  const features = elements(model.spec.inputShape);
  const values = new Float32Array(count * features);
  for (let i = 0; i < count; i++) values.set(exampleOf(dataset, permute(i, dataset.size, seed, 0)), i * features);
  return values;
}

/** What `record` gives: the series as they grow with training, in the order of steps, and the end of the recording. */
export class Recorder {
  /** In the order of their steps. */
  readonly records: TrainingRecord[] = [];
  readonly probe: Float32Array;
  readonly #trainer: Trainer;
  readonly #options: RecordOptions;
  readonly #most: number;
  #every: number;
  #looking = 0;
  #began: number = performance.now();

  constructor(trainer: Trainer, options: RecordOptions, probe: Float32Array, every: number, most: number) {
    this.#trainer = trainer;
    this.#options = options;
    this.#most = most;
    this.#every = every;
    this.probe = probe;
  }

  /** Steps from one look to the next, by now. */
  get every(): number {
    return this.#every;
  }

  /** Share of the time since it began that looking took. */
  get share(): number {
    return this.#looking / Math.max(1, performance.now() - this.#began);
  }

  /**
   * Trains `steps` steps and looks after each `every` of them, counted from the start of training.
   *
   * @throws VitrineError those of `trainer.run`, of the methods and measures
   */
  async run(steps: number, options: RunOptions = {}): Promise<void> {
    checkWhole('record: steps', steps, 1);
    const target = this.#trainer.step + steps;
    while (this.#trainer.step < target && !options.signal?.aborted && this.#trainer.halted === 'running') {
      const next = this.#every * (Math.floor(this.#trainer.step / this.#every) + 1);
      await this.#trainer.run(Math.min(target, next) - this.#trainer.step, options);
      if (this.#trainer.step === next && !options.signal?.aborted) await this.look();
    }
  }

  /** Looks now, whatever the step; twice at one step is once. */
  async look(): Promise<TrainingRecord> {
    const { model, step } = this.#trainer;
    const last = this.records.at(-1);
    if (last?.step === step) return last;
    const began = performance.now();
    const { methods = [], metrics = [], measures = {}, options = {} } = this.#options;
    const maps = new Map<string, Float32Array>();
    const outputs = new Map<string, Float32Array>();
    for (const name of methods) {
      const attribution = await methodNamed(name).explain(model, this.probe, options);
      try {
        maps.set(name, await attribution.values.read());
        outputs.set(name, await attribution.output.read());
      } finally {
        attribution.dispose();
      }
    }
    const evaluation =
      methods.length > 0 && metrics.length > 0
        ? await evaluate(
            model,
            this.probe,
            methods.map((method) => ({ method, options: { ...options } })),
            metrics,
            { ...options, controls: [] },
          )
        : undefined;
    const measured: Record<string, number | readonly number[]> = {};
    for (const [name, measure] of Object.entries(measures)) measured[name] = await measure(model, this.probe);
    const milliseconds = performance.now() - began;
    this.#looking += milliseconds;
    const taken: TrainingRecord = {
      step,
      maps,
      outputs,
      ...(evaluation ? { evaluation } : {}),
      measures: measured,
      milliseconds,
    };
    this.records.push(taken);
    this.#thin();
    return taken;
  }

  /** Where there are too many, those between the doubled distances go. The first and the last stay. */
  #thin(): void {
    if (this.records.length <= this.#most) return;
    this.#every *= 2;
    const kept = this.records.filter(({ step }, i) => i === 0 || i === this.records.length - 1 || step % this.#every === 0);
    this.records.splice(0, this.records.length, ...kept);
  }
}
