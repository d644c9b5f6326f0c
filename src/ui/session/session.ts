/**
 * The session: the one state of the studio. Commands go in, frozen snapshots come out; every region renders from them and keeps no copy.
 *
 * A **look** is one round of what a visitor sees of the chosen example: a forward pass, the maps, the locked cell. Choosing something looks at
 * once; while training runs, looks follow it as often as the budget allows. Steps never wait for a look.
 */

import type { Dataset, Device, Model, Tensor } from '../../engine/index.ts';
import { VitrineError } from '../../engine/index.ts';
import type { Attribution } from '../../explain/attribution.ts';
import { spearman } from '../../explain/evaluate/ranks.ts';
import { adapterName, pace } from '../adapter.ts';
import type { Given } from '../given.ts';
import { painterOf } from '../maps/map-painter.ts';
import type { Settings } from '../settings.ts';
import { type Phase, type Run, type StopAt, Training, type TrainingSources } from '../training.ts';
import { type CellReading, readCell } from './cell.ts';
import type { Challenge } from './challenge.ts';
import { type Choices, choicesOf, type ExampleChoice, hashOf, writeExample } from './choices.ts';
import type { Command } from './commands.ts';
import { explainWith, type Question, readMap } from './explain.ts';
import { isForTexts, METHODS, type MethodName } from './methods.ts';
import { findMistakes, type Mistakes } from './mistakes.ts';
import type { OwnImage, TakenImages } from './own-images.ts';
import type { Pinned } from './pinned.ts';
import { Probe, type ProbeReading } from './probe.ts';
import { Rarely } from './rarely.ts';
import { type Compared, compareSeen, type Seen } from './seen.ts';
import type { Shown, ShownModel, ShownRun } from './shown.ts';
import { inputOf } from './strokes.ts';
import { WatchBudget } from './watch-budget.ts';
import { attackOn, changeCopy, copyOf, type WhatIf, writeWhatIf } from './what-if.ts';

/** The example that is looked at, as the network gets it. */
export interface ShownExample {
  readonly choice: ExampleChoice;
  /** Tells examples apart. */
  readonly key: string;
  readonly values: Float32Array;
  /** Of one example, images as [height, width, channels]. */
  readonly shape: readonly number[];
  readonly label: number | undefined;
  /** As it was before an attack; the values themselves otherwise. */
  readonly original: Float32Array;
}

export interface Prediction extends ProbeReading {
  readonly example: string;
  /** −1 where the logits are not finite. */
  readonly predicted: number;
}

export interface MapCard {
  readonly method: MethodName;
  /** Absent while the first one is being computed. */
  readonly map?: {
    readonly attribution: Pick<Attribution, 'dispose' | 'options'> & { readonly values: Shown };
    /** Series of maps that share a scale: the same run, example, class and method. */
    readonly series: string;
    readonly example: string;
    /** The step that it was computed at. */
    readonly step: number;
    readonly target: number;
    readonly against: number | undefined;
    /** f(x): the explained logit, or difference of two. */
    readonly output: number;
    /** Completeness gap, Σ values − (f(x) − f(baseline)), where the method promises it. */
    readonly delta: number | undefined;
    /** The map on the CPU; only where it was computed while training stood still. */
    readonly values: Float32Array | undefined;
    /** Rank correlation with the map of the unchanged network and input, where a changed copy is looked at. */
    readonly rank?: number;
    readonly milliseconds: number;
  };
  readonly computing: boolean;
  readonly fault?: unknown;
}

/** What a map promised when values of the input were taken away or altered, and what the network did. */
export interface ChallengeRow {
  readonly method: MethodName;
  readonly target: number;
  /** The class that it is contrasted with, where it is. */
  readonly against: number | undefined;
  readonly step: number;
  /** The example that the map is of. */
  readonly example: ExampleChoice;
  /** Indices of those values. */
  readonly cells: readonly number[];
  /** What each was, and what it was altered to; undefined where it was taken away. */
  readonly altered: readonly (readonly [from: number, to: number])[] | undefined;
  /** Keys of the example that the map is of, and of the one on screen while the answer is: another where a value was altered. */
  readonly asked: string;
  readonly shown: string;
  /** Change of the explained logit that the map promised. */
  readonly promised: number;
  readonly actual: number;
  /** The class before and after. */
  readonly classes: readonly [before: number, after: number];
}

export interface Snapshot {
  readonly choices: Choices;
  readonly phase: Phase;
  readonly running: boolean;
  readonly loading: Training['loading'];
  readonly fault: unknown;
  readonly recoveredAt: number | undefined;
  readonly undoStep: number | undefined;
  readonly keptStep: number | undefined;
  readonly replayTo: number | undefined;
  readonly stopAt: StopAt | undefined;
  readonly stoppedBy: StopAt | undefined;
  readonly needsReset: boolean;
  readonly finished: boolean;
  /** Steps done. */
  readonly step: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** Learning rate of the next step. */
  readonly rate: number;
  /** Speed, and GPU calls a step; undefined before the first. */
  readonly reading: Training['reading'];
  readonly secondsLeft: number;
  readonly device: Device | undefined;
  /** The run in training; none where a recorded one is shown. */
  readonly run: Run | undefined;
  readonly shown: ShownRun | undefined;
  /** Where nothing is computed, because there is no GPU: which steps were recorded, on which adapter, to how many significant bits. */
  readonly recorded?: { readonly steps: readonly number[]; readonly adapter: string; readonly bits: number };
  readonly test: Dataset | undefined;
  /** Of a trainer that the page around the studio gave: parts of the recipe that only that page can change. */
  readonly given?: Given | undefined;
  /** The network that is looked at: the one in training, or a changed copy. */
  readonly subject: ShownModel | undefined;
  readonly example: ShownExample | undefined;
  readonly prediction: Prediction | undefined;
  /** The class that is asked about, once it is known. */
  readonly target: number | undefined;
  /** Every tensor that can be looked at, by name: of the chosen example, and of training. */
  readonly tensors: ReadonlyMap<string, Shown>;
  readonly cards: readonly MapCard[];
  /** The pinned example, asked the same; none while it is being looked at for the first time. */
  readonly pinned?: Pinned | undefined;
  /** Images that the visitor dropped to be looked at, the last first. */
  readonly ownImages?: readonly OwnImage[];
  /** What became of the images that are the data. */
  readonly taken?: (TakenImages & { readonly data: string }) | undefined;
  readonly cell: CellReading | undefined;
  /** The same cell at an earlier step. */
  readonly cellBefore: CellReading | undefined;
  /** Of test examples, as of the last pause or end of an epoch. */
  readonly mistakes: Mistakes | undefined;
  readonly painted: readonly number[];
  readonly challenges: readonly ChallengeRow[];
  /** The first eight digits of the SHA-256 of all weights, where training rests: the same weights, the same digits. */
  readonly checksum?: { readonly step: number; readonly text: string } | undefined;
  /** How far the replay of a link came from what it was taken with. */
  readonly compared?: Compared | undefined;
  /** Grows with every look: what is drawn may have changed. */
  readonly looks: number;
  /** Share of the time that watching takes from training, or took before it came to rest; NaN while that is not known. */
  readonly watching: number;
}

/** How often figures are told anew while training runs. */
const TELL_MILLISECONDS = 150;
/** Share of the time that watching may take before it is told less often, and below which it is told more often again. */
const MOST_SHARE = 0.03;
const LEAST_SHARE = 0.018;
const MOST_SLOWNESS = 5;
/** The same where nobody follows training. */
const UNWATCHED_MILLISECONDS = 2500;
const MOST_CHALLENGES = 30;
/** Images of the visitor's own that are kept to be looked at. */
const MOST_OWN = 60;

export class StudioSession extends EventTarget {
  readonly training: Training;
  readonly #given: Given | undefined;
  #choices: Choices;
  #snapshot: Snapshot;
  readonly #budget = new WatchBudget();
  /** So many times as long as usual is waited between two tellings. */
  #slowness = 1;
  #probe: Promise<Probe> | undefined;
  #probeOn: Model | undefined;
  /** The network that was looked at last. */
  #subject: Model | undefined;
  /** The copy that changes are made to, of a run's model. */
  #copy: { readonly of: Model; readonly model: Promise<Model> } | undefined;
  #example: ShownExample | undefined;
  /** The example before any attack on it. */
  #plain: ShownExample | undefined;
  #prediction: Prediction | undefined;
  #cards: readonly MapCard[] = [];
  #pinned: Pinned | undefined;
  /** Images that the visitor dropped, the last first. */
  #ownImages: readonly OwnImage[] = [];
  #inputOfImage: ((image: OwnImage, shape: readonly number[]) => Float32Array) | undefined;
  readonly #missed = new Set<string>();
  #taken: Snapshot['taken'];
  #cell: CellReading | undefined;
  #cellBefore: CellReading | undefined;
  #mistakes: Mistakes | undefined;
  /** Test examples are being read. */
  #finding = false;
  /** Most of what it takes is waiting for the steps that were submitted before. */
  readonly #rarely = new Rarely(0.05);
  #painted: readonly number[] = [];
  /** What the address that the session began with was seen with, until that has been compared. */
  #seen: Seen | undefined;
  #compared: Compared | undefined;
  #challenges: readonly ChallengeRow[] = [];
  #watched = Number.NaN;
  /** The class that the maps explain, where none is chosen: what the network reads; of a changed copy, what it read before. */
  #asksOf: number | undefined;
  #checksum: Snapshot['checksum'];
  #tensors: ReadonlyMap<string, Tensor> = new Map();
  #looks = 0;
  #looking: Promise<void> | undefined;
  #again = false;
  /** Methods that are to be computed anew at the next look, whatever they cost. */
  readonly #asked = new Set<MethodName>();
  #discarded: Pick<Attribution, 'dispose'>[] = [];
  #wasRunning = false;
  #generation = 0;
  #device: Device | undefined;
  #tellTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(hash: string, sources: TrainingSources = {}) {
    super();
    const { seen, ...choices } = choicesOf(hash);
    this.#seen = seen;
    this.#choices = { ...choices, seen: undefined };
    this.training = new Training(sources.given?.settings ?? this.#choices.recipe, sources);
    this.#given = sources.given;
    this.training.addEventListener('change', () => this.#changed());
    this.training.addEventListener('steps', () => this.#stepped());
    this.training.addEventListener('run', () => this.#newRun());
    this.training.addEventListener('reset', () => this.#begin());
    this.training.addEventListener('epoch', () => {
      this.dispatchEvent(new Event('epoch'));
      void this.#findMistakes();
    });
    this.#snapshot = this.#make();
  }

  /** The state now. It never changes; the next one is another. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** The address of this state. */
  get hash(): string {
    const { run } = this.training;
    const { settings } = this.training;
    // What counts from the next reset on is no part of the run that is on screen.
    const recipe = run ? { ...run.settings, epochs: settings.epochs } : settings;
    return hashOf({ ...this.#choices, recipe, journal: run?.journal ?? [], step: this.training.step > 0 ? this.training.step : undefined });
  }

  async open(): Promise<void> {
    const { journal, step } = this.#choices;
    // From the beginning, so that the address keeps the step.
    if (step) this.training.replayTo = step;
    await this.training.open();
    if (!this.training.run) this.training.replayTo = undefined;
    // Everything is filled in before the first step, and what a look costs is known: those that follow the replay come at their pace.
    await this.looked();
    if (step && this.training.run) void this.training.replay(journal, step).then(() => this.#compare(step));
    else void this.#compare(0);
  }

  /** Holds what is looked at against what the link was taken with, where it is of the same step. */
  async #compare(step: number): Promise<void> {
    await this.looked();
    const seen = this.#seen;
    const { prediction, device } = this.#snapshot;
    this.#seen = undefined;
    if (!seen || !prediction || !device || prediction.step !== step) return;
    this.#compared = compareSeen(seen, { adapter: adapterName(device), logits: prediction.logits }, step);
    this.#tell();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#tellTimer);
    await this.#looking;
    while (this.#finding) await new Promise((resolve) => setTimeout(resolve, 5));
    this.#drop();
    await this.#probe?.then((probe) => probe.dispose()).catch(() => undefined);
    this.#dropCopy();
    await this.training.close();
  }

  // ---- commands ------------------------------------------------------------------------------------------------------------------

  send(command: Command): void {
    const { training } = this;
    switch (command.do) {
      case 'toggle':
        void training.toggle();
        break;
      case 'step':
        void training.single();
        break;
      case 'reset':
        void training.reset();
        break;
      case 'undoReset':
        void training.undoReset();
        break;
      case 'cancelReplay':
        void training.pause();
        break;
      case 'test':
        void training.test();
        break;
      case 'retry':
        void training.retry();
        break;
      case 'dismiss':
        if (command.what === 'compared') {
          this.#compared = undefined;
          this.#tell();
          break;
        }
        training.putAway(command.what);
        break;
      case 'recipe':
        this.#takeRecipe(command.changes, true);
        break;
      case 'data':
        void this.#takeData(command.files);
        break;
      case 'stopAt':
        training.setStop(command.stopAt);
        break;
      case 'choose':
        this.#choose(command.choices, true);
        break;
      case 'refresh':
        this.#asked.add(command.method);
        this.#look();
        break;
      case 'challenge':
        this.#challenge(command.painted);
        break;
      case 'report':
        training.report(command.error);
    }
  }

  /** Takes what an address says: after Back or Forward, or when it was typed. The run is kept where the recipe is the same. */
  follow(hash: string): void {
    const { recipe, journal, step, ...choices } = choicesOf(hash);
    const { run } = this.training;
    const same =
      run && hashOf({ ...choicesOf(''), recipe }) === hashOf({ ...choicesOf(''), recipe: { ...run.settings, epochs: recipe.epochs } });
    // The rate of an address is the one that the run began with; in mid-training it is the journal's to change.
    const { rate: _rate, ...rest } = recipe;
    const otherRun = (!same || recipe.epochs !== this.training.settings.epochs) && this.#takeRecipe(same ? rest : recipe, false);
    this.#choose(choices, false);
    // Whoever comes back to a run finds it where it was left.
    if (otherRun && step) void this.training.replay(journal, step);
  }

  /** Whether it is of other data, and so of another run, from now on. */
  #takeRecipe(changes: Partial<Settings>, byVisitor: boolean): boolean {
    const other = changes.data !== undefined && changes.data !== this.training.settings.data;
    // Before the change: Back goes to the run as it is.
    if (other && byVisitor) this.dispatchEvent(new CustomEvent<string>('chosen', { detail: 'data' }));
    this.training.change(changes);
    if (!other) return false;
    this.#choose(
      { example: { kind: 'test', index: 0 }, target: undefined, against: undefined, tensor: undefined, cell: undefined, pixel: undefined },
      false,
    );
    // Another data set is another run: what was trained stays for Undo.
    if (this.training.needsReset && this.training.step > 0) void this.training.reset();
    return true;
  }

  /** What cannot be read is said; the run and what is looked at stay as they are. */
  async #takeData(files: readonly File[]): Promise<void> {
    try {
      if (files.some(({ type }) => type.startsWith('image/'))) return await this.#takeImages(files);
      const { readOwnData } = await import('./own-data.ts');
      const { name, data } = await readOwnData(files);
      this.training.addData(name, data);
      this.#takeRecipe({ data: name }, true);
    } catch (error) {
      this.training.report(error);
    }
  }

  /** Images are a data set, or examples for the network that there is. */
  async #takeImages(files: readonly File[]): Promise<void> {
    const { readOwnImages, inputOfImage } = await import('./own-images.ts');
    const own = await readOwnImages(files, this.training.settings.batch);
    if (own.kind === 'data') {
      this.#taken = { ...own.taken, data: own.name };
      this.training.addData(own.name, own.data);
      this.#takeRecipe({ data: own.name }, true);
      return;
    }
    const [first] = own.images;
    const { run } = this.training;
    if (!first || !run) return;
    // Where the network takes no images it says so, before anything is changed.
    inputOfImage(first, run.data.test.inputShape);
    this.#inputOfImage = inputOfImage;
    const fresh = new Set(own.images.map(({ hash }) => hash));
    this.#ownImages = Object.freeze([...own.images, ...this.#ownImages.filter(({ hash }) => !fresh.has(hash))].slice(0, MOST_OWN));
    const { example } = this.#choices;
    const index = example.kind === 'drawn' ? 0 : example.index;
    this.#choose({ example: { kind: 'own', image: first.hash, index }, pixel: this.#choices.pixel }, true);
  }

  #choose(choices: Partial<Choices>, byVisitor: boolean): void {
    const before = this.#choices;
    this.#choices = Object.freeze({ ...before, ...choices });
    if (hashOf(before) === hashOf(this.#choices)) return;
    const [example, cards] = [this.#example, this.#cards];
    if (choices.cell !== undefined && JSON.stringify(choices.cell) !== JSON.stringify(before.cell)) this.#cellBefore = undefined;
    if ('example' in choices || 'target' in choices) this.#painted = [];
    // Before the snapshot: what was the address until now is what Back goes to.
    if (byVisitor) this.dispatchEvent(new CustomEvent<string>('chosen', { detail: Object.keys(choices).join() }));
    this.#tell();
    this.#look();
    if (byVisitor && example && choices.example?.kind === 'edited' && isSameRow(example.choice, this.#choices.example))
      this.#answer(() => this.#holdEdited(example, cards));
  }

  // ---- following training --------------------------------------------------------------------------------------------------------

  #newRun(): void {
    // What was not trained yet is of step 0.
    for (const tensor of this.training.run?.trainer.tensors.values() ?? []) tensor.step ??= 0;
    this.#prediction = undefined;
    this.#asksOf = undefined;
    this.#cell = undefined;
    this.#cellBefore = undefined;
    this.#example = undefined;
    this.#plain = undefined;
    this.#tensors = new Map();
    this.#subject = undefined;
    this.#dropCopy();
    this.#painted = [];
    this.#drop();
    this.#begin();
  }

  /** A run begins, or begins anew. */
  #begin(): void {
    this.#cellBefore = undefined;
    this.#mistakes = undefined;
    this.#checksum = undefined;
    this.#challenges = [];
    this.dispatchEvent(new Event('begin'));
    this.#look();
  }

  #changed(): void {
    const { device } = this.training;
    if (device && (device !== this.#device || device.generation !== this.#generation)) {
      this.#device = device;
      this.#generation = device.generation;
      // What was computed went with the GPU before.
      this.#drop();
      painterOf(device).onPainted = () => this.#budget.disturb();
      this.#look();
    }
    const running = this.#isTraining;
    if (running !== this.#wasRunning) {
      this.#wasRunning = running;
      if (running) this.#budget.begin();
      else this.#look();
    } else if (this.training.phase === 'validating') this.#budget.rest();
    else if (!running && this.#prediction && this.#prediction.step !== this.training.step) this.#look();
    this.#tell();
  }

  get #isTraining(): boolean {
    return this.training.phase === 'running' || this.training.phase === 'replaying' || this.training.phase === 'validating';
  }

  #stepped(): void {
    const follow = this.#choices.follow && !document.hidden;
    this.#budget.arrived(this.training.run?.history.steps ?? 0);
    if (follow && this.#budget.allows() && !this.#looking) this.#look();
    this.#tellTimer ??= setTimeout(
      () => {
        this.#tellTimer = undefined;
        this.#tell();
      },
      follow ? this.#tellEvery() : UNWATCHED_MILLISECONDS,
    );
  }

  /** As it was measured last: a new stretch of training tells nothing at first. */
  get #watching(): number {
    const share = this.#isTraining ? this.#budget.share() : Number.NaN;
    if (!Number.isNaN(share)) this.#watched = share;
    return this.#watched;
  }

  /** Figures and curves, too, come less often where watching costs too much: frames are dropped, steps never. */
  #tellEvery(): number {
    const share = this.#budget.share();
    if (share > MOST_SHARE) this.#slowness = Math.min(MOST_SLOWNESS, 1.5 * this.#slowness);
    else if (share < LEAST_SHARE) this.#slowness = Math.max(1, this.#slowness / 1.25);
    return this.#slowness * pace(this.training.device, TELL_MILLISECONDS);
  }

  /** A region has drawn what follows training. */
  drawn(): void {
    this.#budget.disturb();
  }

  // ---- looking -------------------------------------------------------------------------------------------------------------------

  /** Looks as soon as the look that is under way is done. */
  #look(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Resolves when what is shown is of the choices and, where training stands still, of the step as they are now. */
  async looked(): Promise<void> {
    while (this.#looking) await this.#looking;
  }

  async #lookOn(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      this.#budget.lookBegins();
      try {
        await this.#lookOnce();
      } catch (error) {
        // The network was replaced, or the GPU is being: the next look is of the new one.
        if (!(error instanceof VitrineError) || (error.code !== 'device-lost' && error.code !== 'tensor-disposed'))
          this.training.report(error);
      } finally {
        this.#budget.lookEnds();
      }
    }
  }

  async #lookOnce(): Promise<void> {
    const { training } = this;
    const { run, device } = training;
    if (!run || !device || training.phase === 'closed') return;
    for (const attribution of this.#discarded.splice(0)) attribution.dispose();
    const still = !this.#isTraining;
    const { whatIf } = this.#choices;
    const subject = await this.#subjectOf(run);
    const probe = await this.#probeOf(subject);
    const plain = this.#exampleOf(run);
    if (!probe || !plain || this.training.run?.model !== run.model) return;
    const example = whatIf?.kind === 'attacked' && !isText(run) ? await this.#attacked(run, plain, whatIf) : plain;
    this.#subject = subject;
    this.#example = example;
    this.#tensors = new Map([...run.trainer.tensors, ...probe.tensors, ...(subject === run.model ? [] : subject.parameters)]);
    probe.write(example.values);
    const reading = await probe.run();
    const predicted = reading.logits.every(Number.isFinite) ? reading.logits.indexOf(Math.max(...reading.logits)) : -1;
    this.#prediction = Object.freeze({ ...reading, example: example.key, predicted });
    this.#asksOf =
      predicted < 0 ? undefined : whatIf && this.#choices.target === undefined ? await predictedBy(run.model, plain) : predicted;
    if (this.#choices.cell) await this.#readCell(run, device, this.#choices.cell);
    else this.#cell = undefined;
    this.#looks += 1;
    this.#tell();
    // A network that has diverged has no answer to explain.
    const asked = new Set(this.#asked);
    const asks = this.#asksOf ?? predicted;
    if (predicted >= 0) await this.#explain(run, probe, example, asks, still);
    await this.#lookAtPinned(run, subject, asks, still, asked);
    if (still && this.#checksum?.step !== this.training.step) await this.#sum(run);
    this.#looks += 1;
    this.#tell();
    if (still && this.#mistakes?.step !== this.training.step) void this.#findMistakes();
  }

  /** So that a person, too, can see that a run has kept its bits. */
  async #sum(run: Run): Promise<void> {
    const { step } = run.trainer;
    const weights = await run.model.flatParameters.read();
    const digest = await crypto.subtle.digest('SHA-256', weights as Float32Array<ArrayBuffer>);
    const text = Array.from(new Uint8Array(digest, 0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
    if (this.training.run?.model === run.model && run.trainer.step === step) this.#checksum = Object.freeze({ step, text });
  }

  /** Reads test examples anew: at the end of an epoch, and when training rests. */
  async #findMistakes(): Promise<void> {
    const { run } = this.training;
    if (!run || this.#finding || this.#closed) return;
    // Epochs of a small data set may follow one another quickly.
    if (this.#isTraining && !this.#rarely.allows()) return;
    this.#finding = true;
    this.#rarely.begins();
    this.#budget.workBegins();
    try {
      const found = await findMistakes(run.model, run.data.test);
      if (this.training.run?.model === run.model) this.#mistakes = found;
    } catch (error) {
      // The network was replaced, or the GPU is being: the next pause asks again.
      if (!(error instanceof VitrineError)) this.training.report(error);
    } finally {
      this.#finding = false;
      this.#budget.workEnds();
    }
    this.#rarely.ends();
    this.#tell();
  }

  /** The network to look at: the one in training, or a copy of it as it is now, changed. */
  async #subjectOf(run: Run): Promise<Model> {
    const { whatIf } = this.#choices;
    if (!whatIf || whatIf.kind === 'attacked') return run.model;
    if (this.#copy?.of !== run.model) {
      this.#dropCopy();
      this.#copy = { of: run.model, model: copyOf(run.model) };
    }
    const copy = await this.#copy.model;
    changeCopy(copy, run.model, whatIf);
    return copy;
  }

  #dropCopy(): void {
    this.#copy?.model.then((copy) => copy.dispose()).catch(() => undefined);
    this.#copy = undefined;
  }

  async #probeOf(model: Model): Promise<Probe | undefined> {
    if (this.#probeOn !== model) {
      const before = this.#probe;
      this.#probeOn = model;
      this.#probe = Probe.create(model);
      before?.then((probe) => probe.dispose()).catch(() => undefined);
      this.#probe.catch(() => {
        this.#probeOn = undefined;
      });
    }
    const probe = await this.#probe;
    return probe?.model === model ? probe : undefined;
  }

  async #attacked(run: Run, example: ShownExample, attack: Extract<WhatIf, { kind: 'attacked' }>): Promise<ShownExample> {
    const label = example.label ?? this.#prediction?.predicted ?? 0;
    const values = await attackOn(run.model, example.original, Math.max(0, label), attack);
    const step = run.model.parameters.values().next().value?.step ?? 0;
    return { ...example, values, key: `${example.key} ${writeWhatIf(attack)} ${step}` };
  }

  #exampleOf(run: Run): ShownExample | undefined {
    const { test } = run.data;
    const { example } = this.#choices;
    const key = `${test.name} ${writeExample(example)}`;
    if (this.#plain?.key === key) return this.#plain;
    this.#plain = this.#makeExample(run, example, key);
    return this.#plain;
  }

  #makeExample(run: Run, example: ExampleChoice, key: string): ShownExample | undefined {
    const { test } = run.data;
    const shape = test.inputShape;
    if (example.kind === 'drawn') {
      const [height, width] = shape;
      if (height === undefined || height !== width) return undefined;
      const values = inputOf(example.strokes, height, example.centred);
      return { choice: example, key, values, original: values, shape, label: undefined };
    }
    if (example.kind === 'own') {
      const own = this.#ownImages.find(({ hash }) => hash === example.image);
      const values = own && this.#inputOfImage?.(own, shape);
      if (values) {
        const named = test.classes?.indexOf(own.className ?? '') ?? -1;
        return { choice: example, key, values, original: values, shape, label: named >= 0 ? named : undefined };
      }
      this.#miss(example.image);
    }
    const index = Math.min(example.index, test.size - 1);
    const values = this.training.exampleInput(index);
    if (!values) return undefined;
    if (example.kind !== 'edited') return { choice: example, key, values, original: values, shape, label: test.labels?.[index] };
    for (const [column, value] of example.values) if (column < values.length) values[column] = value;
    // What the visitor made of it is of no known class.
    return { choice: example, key, values, original: values, shape, label: undefined };
  }

  #methodsFor(run: Run): readonly MethodName[] {
    return isText(run) ? this.#choices.methods.filter(isForTexts) : this.#choices.methods;
  }

  /** The pinned example is asked what the chosen one is asked. */
  async #lookAtPinned(run: Run, subject: Model, predicted: number, still: boolean, asked: ReadonlySet<MethodName>): Promise<void> {
    const { pinned, target, against, whatIf } = this.#choices;
    const methods = this.#methodsFor(run);
    const before = this.#pinned;
    const example = pinned && this.#makeExample(run, pinned, `${run.data.test.name} ${writeExample(pinned)}`);
    // Whoever chooses something else does not wait for it.
    if (this.#again && still && example) return;
    let after: Pinned | undefined;
    if (example && predicted >= 0) {
      const { lookAtPinned } = await import('./pinned.ts');
      const classes = run.model.classes ?? 1;
      const asks = Math.min(target ?? predicted, classes - 1);
      after = await lookAtPinned(subject, example, before, {
        question: { target: asks, against: against === asks || (against ?? classes) >= classes ? undefined : against },
        methods,
        series: `${run.settings.seed} ${whatIf && writeWhatIf(whatIf)}`,
        still,
        asked,
      });
    }
    const kept = new Set(after?.cards.map(({ map }) => map));
    for (const card of before?.cards ?? []) if (!kept.has(card.map)) this.#discard(card);
    this.#pinned = after;
  }

  /** An address may name an image that is on another page: a test example stands in for it, and that is said, once. */
  #miss(image: string): void {
    if (this.#missed.has(image)) return;
    this.#missed.add(image);
    const error = new VitrineError(
      'unknown-name',
      `The image own.${image} is not here: it never left the page that it was dropped on.`,
      'drop it again, or choose another example; a test example is shown in its place.',
      { name: `own.${image}` },
    );
    this.training.report(error);
  }

  async #readCell(run: Run, device: Device, cell: NonNullable<Choices['cell']>): Promise<void> {
    const before = this.#cell;
    const reading = await readCell(device, run.trainer, this.#tensors, cell);
    if (before && reading && before.step !== reading.step && before.cell.index === cell.index && before.cell.tensor === cell.tensor) {
      this.#cellBefore = before;
    }
    this.#cell = reading;
  }

  async #explain(run: Run, probe: Probe, example: ShownExample, predicted: number, still: boolean): Promise<void> {
    const { against } = this.#choices;
    const methods = this.#methodsFor(run);
    const target = Math.min(this.#choices.target ?? predicted, (run.model.classes ?? 1) - 1);
    for (const gone of this.#cards.filter(({ method }) => !methods.includes(method))) this.#discard(gone);
    this.#cards = methods.map((method) => this.#cards.find((card) => card.method === method) ?? { method, computing: false });
    const other = against === target || against === undefined || against >= (run.model.classes ?? 0) ? undefined : against;
    const whatIf = this.#choices.whatIf && writeWhatIf(this.#choices.whatIf);
    const question = `${run.settings.seed} ${example.key} ${target} ${other} ${whatIf}`;
    const step = (): number => run.model.parameters.values().next().value?.step ?? 0;
    for (const method of methods) {
      const card = this.#cards.find((each) => each.method === method);
      const current = card?.map?.series === `${question} ${method}`;
      const stale = !current || (METHODS[method].cheap && (card?.map?.step !== step() || (still && card.map.values === undefined)));
      const asked = this.#asked.delete(method);
      // A costly method is asked at a choice or a click, never to follow training.
      if (!stale && !asked) continue;
      if (!METHODS[method].cheap && !asked && !still && card?.map && current) continue;
      if (!METHODS[method].cheap) this.#put(method, { computing: true });
      const began = performance.now();
      try {
        const attribution = await explainWith(method, probe.model, probe.input, { target, against: other });
        const { values, delta, output } = await readMap(run.model.device, attribution, still || isText(run) || isRow(run));
        const rank =
          whatIf === undefined ? undefined : await rankBefore(method, run.model, example, { target, against: other }, attribution, values);
        const before = this.#cards.find((each) => each.method === method);
        if (!before || this.training.run?.model !== run.model) {
          attribution.dispose();
          continue;
        }
        this.#discard(before);
        this.#put(method, {
          computing: false,
          fault: undefined,
          map: Object.freeze({
            attribution,
            series: `${question} ${method}`,
            example: example.key,
            step: attribution.step ?? step(),
            target,
            against: other,
            output,
            delta,
            values,
            ...(rank === undefined ? {} : { rank }),
            milliseconds: performance.now() - began,
          }),
        });
        if (!METHODS[method].cheap) this.#tell();
      } catch (error) {
        if (error instanceof VitrineError && (error.code === 'device-lost' || error.code === 'tensor-disposed')) throw error;
        this.#put(method, { computing: false, fault: error });
      }
      // Whoever chooses something else does not wait for the rest.
      if (this.#again && still) return;
    }
  }

  #put(method: MethodName, change: Partial<MapCard>): void {
    this.#cards = this.#cards.map((card) => (card.method === method ? Object.freeze({ ...card, ...change }) : card));
  }

  /** Pictures may still be drawn from it in this frame; it is freed before the next look. */
  #discard({ map }: MapCard): void {
    if (map) this.#discarded.push(map.attribution);
  }

  /** Lets go of all maps. */
  #drop(): void {
    for (const card of [...this.#cards, ...(this.#pinned?.cards ?? [])]) this.#discard(card);
    this.#pinned = undefined;
    this.#cards = this.#cards.map(({ method }) => ({ method, computing: false }));
    for (const attribution of this.#discarded.splice(0)) attribution.dispose();
  }

  // ---- challenging a map ---------------------------------------------------------------------------------------------------------

  /** Paints over values of the input, and holds each map's promise against what the network does. */
  #challenge(painted: readonly number[]): void {
    this.#painted = Object.freeze([...painted]);
    this.#tell();
    if (painted.length === 0) return;
    this.#answer(() => this.#holdPainted(this.#painted));
  }

  #answer(hold: () => Promise<void>): void {
    void this.looked()
      .then(hold)
      .catch((error) => this.training.report(error));
  }

  async #holdPainted(painted: readonly number[]): Promise<void> {
    const { run } = this.training;
    const example = this.#example;
    if (!run || !example || this.#painted !== painted) return;
    const changed = example.values.slice();
    const absent = absentOf(run);
    for (const index of painted) changed[index] = absent;
    await this.#hold(run, { example, changed, cells: painted, shown: example.key, cards: this.#cards });
  }

  /** The maps of a row as it was answer for what the visitor made of it. */
  async #holdEdited(example: ShownExample, cards: readonly MapCard[]): Promise<void> {
    const { run } = this.training;
    const edited = this.#example;
    if (!run || !edited || isText(run) || this.#choices.whatIf?.kind === 'attacked' || !isSameRow(example.choice, edited.choice)) return;
    const changed = edited.values;
    const cells = [...changed.keys()].filter((i) => changed[i] !== example.values[i]);
    if (cells.length > 0) await this.#hold(run, { example, changed, cells, shown: edited.key, cards });
  }

  async #hold(run: Run, challenge: Omit<Challenge, 'absent' | 'still'>): Promise<void> {
    const { holdMaps } = await import('./challenge.ts');
    const rows = await holdMaps(this.#subject ?? run.model, { ...challenge, absent: absentOf(run), still: !this.#isTraining });
    this.#challenges = Object.freeze([...rows, ...this.#challenges].slice(0, MOST_CHALLENGES));
    this.#tell();
  }

  // ---- telling -------------------------------------------------------------------------------------------------------------------

  #tell(): void {
    if (this.#closed) return;
    this.#budget.disturb();
    this.#snapshot = this.#make();
    this.dispatchEvent(new Event('snapshot'));
  }

  #make(): Snapshot {
    const { training } = this;
    const { run } = training;
    return Object.freeze({
      choices: Object.freeze({ ...this.#choices, recipe: training.settings, journal: run?.journal ?? [] }),
      phase: training.phase,
      running: training.isRunning,
      loading: training.loading,
      fault: training.fault,
      recoveredAt: training.recoveredAt,
      undoStep: training.undoStep,
      keptStep: training.keptStep,
      replayTo: training.replayTo,
      stopAt: training.stopAt,
      stoppedBy: training.stoppedBy,
      needsReset: training.needsReset,
      finished: training.isFinished,
      step: training.step,
      totalSteps: training.totalSteps,
      stepsPerEpoch: training.stepsPerEpoch,
      rate: training.rate,
      reading: training.reading,
      secondsLeft: training.secondsLeft,
      // Between a new device and the network that is built on it, what can be drawn is still of the old one.
      device: run?.model.device ?? training.device,
      run,
      shown: run,
      test: run?.data.test,
      given: this.#given,
      subject: this.#subject ?? run?.model,
      example: this.#example,
      prediction: this.#prediction,
      target: this.#choices.target ?? this.#asksOf,
      checksum: this.#checksum,
      tensors: this.#tensors,
      cards: this.#cards,
      pinned: this.#pinned,
      ownImages: this.#ownImages,
      taken: this.#taken?.data === training.settings.data ? this.#taken : undefined,
      cell: this.#cell,
      cellBefore: this.#cellBefore,
      mistakes: this.#mistakes,
      painted: this.#painted,
      challenges: this.#challenges,
      compared: this.#compared,
      looks: this.#looks,
      watching: this.#watching,
    });
  }
}

/** A text is short: its maps are read to stand beside its words, even while training runs. */
const isText = (run: Run): boolean => run.data.test.vocabulary !== undefined;

/** A row of a table is shown value by value, so its maps are read while training runs, too. */
const isRow = (run: Run): boolean => run.data.test.features !== undefined && !isText(run);

/** Whether one may be the other with values altered. */
const isSameRow = (before: ExampleChoice, after: ExampleChoice): boolean =>
  isOfTable(before) && isOfTable(after) && before.index === after.index;

const isOfTable = (choice: ExampleChoice): choice is Extract<ExampleChoice, { kind: 'test' | 'edited' }> =>
  choice.kind === 'test' || choice.kind === 'edited';

/** What stands for a value that is taken away: the baseline 0, and padding in a text. */
const absentOf = (run: Run): number => run.data.test.vocabulary?.length ?? 0;

/** What a network reads; undefined where it has no finite answer. */
async function predictedBy(model: Model, { original }: ShownExample): Promise<number | undefined> {
  const logits = await model.logits(original);
  try {
    const values = await logits.read();
    return values.every(Number.isFinite) ? values.indexOf(Math.max(...values)) : undefined;
  } finally {
    logits.dispose();
  }
}

/** Rank correlation, signed, of a map with that of the unchanged network and input. */
async function rankBefore(
  method: MethodName,
  model: Model,
  example: ShownExample,
  question: Question,
  now: Attribution,
  values: Float32Array | undefined,
): Promise<number> {
  const before = await explainWith(method, model, example.original, question);
  try {
    return spearman(await before.values.read(), values ?? (await now.values.read()));
  } finally {
    before.dispose();
  }
}
