/**
 * A session without a GPU: the same snapshots as the live one's, from a recording. Its steps are those that were recorded; its examples, one
 * of each class; its maps are of the class that was predicted. What was not recorded needs WebGPU, and is answered with that.
 */

import { type Dataset, type Optimizer, VitrineError } from '../../engine/index.ts';
import { CurveHistory } from '../curve-history.ts';
import { type Choices, choicesOf, hashOf, writeExample } from '../session/choices.ts';
import type { Command } from '../session/commands.ts';
import type { MapCard, ShownExample, Snapshot } from '../session/session.ts';
import type { Shown, ShownModel, ShownRun } from '../session/shown.ts';
import type { Recording } from './recording.ts';

/** How long a recorded step stands while the recording plays. */
const PLAY_MILLISECONDS = 1500;

/** Choices that change what is looked at, and that every recording can answer. */
const CAN_CHOOSE: readonly (keyof Choices)[] = ['page', 'example', 'tensor', 'cell', 'pixel', 'methods', 'follow', 'results'];

export class RecordedSession extends EventTarget {
  readonly #recording: Recording;
  readonly #test: Dataset;
  readonly #models: readonly ShownModel[];
  readonly #histories: readonly CurveHistory[];
  #choices: Choices;
  #snapshot: Snapshot;
  /** Index of the recorded step that is looked at. */
  #at = 0;
  #looks = 0;
  #fault: unknown;
  #playing: ReturnType<typeof setTimeout> | undefined;

  constructor(recording: Recording, hash: string) {
    super();
    this.#recording = recording;
    this.#test = {
      name: recording.dataset,
      size: recording.labels.length,
      inputShape: recording.inputShape,
      inputs: recording.tensors.get('inputs')?.values ?? new Float32Array(),
      labels: Uint8Array.from(recording.labels),
      classes: recording.classes,
    };
    this.#models = recording.steps.map((step) => this.#modelAt(step));
    this.#histories = recording.steps.map((step) => this.#historyAt(step));
    this.#choices = this.#allowed(choicesOf(hash));
    this.#at = Math.max(
      0,
      recording.steps.findLastIndex((step) => step <= (choicesOf(hash).step ?? Number.POSITIVE_INFINITY)),
    );
    this.#snapshot = this.#make();
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get hash(): string {
    const step = this.#recording.steps[this.#at] ?? 0;
    return hashOf({ ...this.#choices, recipe: this.#recording.settings, step: step > 0 ? step : undefined });
  }

  async open(): Promise<void> {
    this.#tell();
  }

  async close(): Promise<void> {
    this.#stop();
  }

  /** There is no training to hold up. */
  drawn(): void {}

  send(command: Command): void {
    switch (command.do) {
      case 'toggle':
        if (this.#playing === undefined) this.#play();
        else this.#stop();
        break;
      case 'step':
        this.#stop();
        // After the last comes the first again.
        this.#go((this.#at + 1) % this.#recording.steps.length);
        break;
      case 'reset':
        this.#stop();
        this.#go(0);
        break;
      case 'dismiss':
        if (command.what === 'fault') this.#fault = undefined;
        break;
      case 'choose':
        this.#choose(command.choices);
        break;
      case 'report':
        this.#fault = command.error;
        break;
      default:
        this.#fault = notRecorded();
    }
    this.#tell();
  }

  /** Takes what an address says. */
  follow(hash: string): void {
    this.#choices = this.#allowed(choicesOf(hash));
    this.#tell();
  }

  #choose(choices: Partial<Choices>): void {
    const other = Object.keys(choices).filter((name) => !CAN_CHOOSE.includes(name as keyof Choices));
    const unknown = other.some((name) => choices[name as keyof Choices] !== undefined);
    if (unknown || (choices.example && choices.example.kind !== 'test')) {
      this.#fault = notRecorded();
      return;
    }
    const before = hashOf(this.#choices);
    this.#choices = this.#allowed({ ...this.#choices, ...choices });
    if (before === hashOf(this.#choices)) return;
    this.dispatchEvent(new CustomEvent<string>('chosen', { detail: Object.keys(choices).join() }));
    this.#looks += 1;
  }

  /** The choices as far as they were recorded. */
  #allowed(choices: Choices): Choices {
    const { labels, methods, settings } = this.#recording;
    const { example } = choices;
    return Object.freeze({
      ...choices,
      recipe: settings,
      journal: [],
      step: undefined,
      example: example.kind === 'test' && example.index < labels.length ? example : { kind: 'test' as const, index: 0 },
      target: undefined,
      against: undefined,
      whatIf: undefined,
      pinned: undefined,
      seen: undefined,
      methods: choices.methods.filter((method) => methods[method] !== undefined),
    });
  }

  // ---- going through the steps ---------------------------------------------------------------------------------------------------

  #go(at: number): void {
    this.#at = Math.min(this.#recording.steps.length - 1, Math.max(0, at));
    this.#looks += 1;
  }

  #play(): void {
    if (this.#at === this.#recording.steps.length - 1) this.#go(0);
    const next = (): void => {
      this.#go(this.#at + 1);
      this.#playing = this.#at < this.#recording.steps.length - 1 ? setTimeout(next, PLAY_MILLISECONDS) : undefined;
      this.#tell();
    };
    this.#playing = setTimeout(next, PLAY_MILLISECONDS);
  }

  #stop(): void {
    clearTimeout(this.#playing);
    this.#playing = undefined;
  }

  // ---- what is shown -------------------------------------------------------------------------------------------------------------

  #stored(name: string, step: number): Shown | undefined {
    const tensor = this.#recording.tensors.get(`${step}/${name}`);
    return tensor && { shape: tensor.shape, values: tensor.values, step };
  }

  /** One example's part of what was recorded of all, in the shape that a batch of one has. */
  #row(name: string, step: number, example: number): Extract<Shown, { values: Float32Array }> | undefined {
    const tensor = this.#recording.tensors.get(`${step}/${name}`);
    if (!tensor) return undefined;
    const length = tensor.values.length / this.#test.size;
    const values = tensor.values.subarray(example * length, (example + 1) * length);
    return { shape: [1, ...tensor.shape.slice(1)], values, step };
  }

  #modelAt(step: number): ShownModel {
    const { tensors, layers, inputShape, classes, settings } = this.#recording;
    const prefix = `${step}/parameter/`;
    const names = [...tensors.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    const parameters = new Map(names.map((name) => [name, this.#stored(`parameter/${name}`, step) as Shown]));
    return {
      spec: { inputShape, layers: [], seed: settings.seed },
      layers,
      classes: classes.length,
      parameterCount: layers.reduce((sum, layer) => sum + layer.parameters, 0),
      parameters,
    };
  }

  /** The curves as they stood at a step. */
  #historyAt(step: number): CurveHistory {
    const { tensors, stepsPerEpoch, settings, epochs } = this.#recording;
    const history = new CurveHistory(stepsPerEpoch);
    const [loss, accuracy] = ['curve/loss', 'curve/accuracy'].map((name) => tensors.get(name)?.values ?? new Float32Array());
    for (let i = 0; i < step; i++) history.add({ step: i, loss: loss?.[i] ?? 0, accuracy: accuracy?.[i] ?? 0, rows: settings.batch });
    for (const row of epochs) if (row.step <= step) history.epochs.push(row);
    return history;
  }

  #tell(): void {
    this.#snapshot = this.#make();
    this.dispatchEvent(new Event('snapshot'));
  }

  #make(): Snapshot {
    const recording = this.#recording;
    const { settings, steps, classes, stepsPerEpoch } = recording;
    const step = steps[this.#at] ?? 0;
    const model = this.#models[this.#at] as ShownModel;
    const index = this.#choices.example.kind === 'test' ? this.#choices.example.index : 0;
    const width = this.#test.inputs.length / this.#test.size;
    const values = Float32Array.from(this.#test.inputs.subarray(index * width, (index + 1) * width));
    const key = `${this.#test.name} ${writeExample(this.#choices.example)}`;
    const example: ShownExample = {
      choice: this.#choices.example,
      key,
      values,
      original: values,
      shape: recording.inputShape,
      label: recording.labels[index],
    };
    const logits = this.#row('example/logits', step, index)?.values ?? new Float32Array(classes.length);
    const probabilities = this.#row('example/probabilities', step, index)?.values ?? new Float32Array(classes.length);
    const predicted = logits.indexOf(Math.max(...logits));
    const activations = [...recording.tensors.keys()]
      .filter((name) => name.startsWith(`${step}/example/`) && !/\/(logits|probabilities)$/.test(name))
      .map((name) => name.slice(`${step}/example/`.length));
    const run: ShownRun = {
      settings,
      journal: [],
      tests: [],
      history: this.#histories[this.#at] as CurveHistory,
      model,
      trainer: { optimizer: recording.optimizer as Optimizer },
      data: {},
    };
    const cell = this.#choices.cell;
    const parameter = cell && model.parameters.get(cell.tensor);
    const locked = parameter && 'values' in parameter ? parameter.values[cell.index] : undefined;
    return Object.freeze({
      choices: Object.freeze({ ...this.#choices, step }),
      recorded: { steps, adapter: recording.adapter, bits: recording.bits },
      phase: this.#playing === undefined ? ('paused' as const) : ('running' as const),
      running: this.#playing !== undefined,
      loading: undefined,
      fault: this.#fault,
      recoveredAt: undefined,
      undoStep: undefined,
      keptStep: undefined,
      replayTo: undefined,
      stopAt: undefined,
      stoppedBy: undefined,
      needsReset: false,
      finished: false,
      step,
      totalSteps: steps.at(-1) ?? 0,
      stepsPerEpoch,
      rate: settings.rate,
      reading: undefined,
      secondsLeft: Number.NaN,
      device: undefined,
      run: undefined,
      shown: run,
      test: this.#test,
      subject: model,
      example,
      prediction: Object.freeze({ logits, probabilities, step, example: key, predicted }),
      target: predicted,
      tensors: new Map<string, Shown>([
        ['input', { shape: [1, ...recording.inputShape], values, step }],
        ...activations.map((name): [string, Shown] => [name, this.#row(`example/${name}`, step, index) as Shown]),
        ...model.parameters,
      ]),
      cards: this.#choices.methods.map((method) => this.#card(method, step, index, predicted, key)),
      cell:
        cell && parameter && locked !== undefined
          ? { cell, parameter: cell.tensor, shape: parameter.shape, values: { value: locked }, step }
          : undefined,
      cellBefore: undefined,
      mistakes: undefined,
      painted: [],
      challenges: [],
      looks: this.#looks,
      watching: Number.NaN,
    });
  }

  #card(method: MapCard['method'], step: number, index: number, target: number, example: string): MapCard {
    const map = this.#row(`map/${method}`, step, index);
    const options = this.#recording.methods[method];
    if (!map || !options) return { method, computing: false };
    const delta = this.#row(`delta/${method}`, step, index)?.values[0];
    return {
      method,
      computing: false,
      map: {
        attribution: { values: map, options: { ...options, target }, dispose: () => undefined },
        series: `${example} ${method}`,
        example,
        step,
        target,
        against: undefined,
        output: this.#row(`output/${method}`, step, index)?.values[0] ?? Number.NaN,
        delta: delta === undefined || Number.isNaN(delta) ? undefined : delta,
        values: map.values,
        milliseconds: 0,
      },
    };
  }
}

function notRecorded(): VitrineError {
  return new VitrineError(
    'no-webgpu',
    'This was not recorded, and computing it needs WebGPU, which this browser does not have.',
    'open the page in a browser with WebGPU, such as Chrome 113 or later.',
  );
}
