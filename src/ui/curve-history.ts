/**
 * What the curves show, in bounded memory however long training runs: at most `CAPACITY` buckets a curve. When they are full, each two
 * become one; a bucket keeps the least and the greatest value in it, so the envelope of the raw line stays true.
 */

/** Even, so that buckets pair off. A chart is some 500 pixels wide; more points would only cost time, most of all without a GPU. */
const CAPACITY = 384;

/** Share of the past in the running mean: it looks back about 50 steps. */
const MEMORY = 0.98;

/** x: steps done; the others are null where they have no value at that x. */
export interface CurvePoints {
  readonly x: number[];
  readonly raw: (number | null)[];
  readonly smooth: (number | null)[];
}

export class Curve {
  /** Steps a bucket. */
  width = 1;
  #low: number[] = [];
  #high: number[] = [];
  /** The running mean at the end of each bucket. */
  #smooth: number[] = [];
  #inLast = 0;
  #mean = 0;
  #weight = 0;
  readonly #first: number;

  /** @param first steps done before the first value */
  constructor(first: number = 0) {
    this.#first = first;
  }

  get buckets(): number {
    return this.#smooth.length;
  }

  /** The running mean of the last steps; undefined before the first. */
  get last(): number | undefined {
    return this.#weight === 0 ? undefined : this.#mean / this.#weight;
  }

  add(value: number): void {
    // Divided by the weight so far, or the zero that the mean starts from would show (Kingma, Ba 2015, section 3).
    this.#mean = MEMORY * this.#mean + (1 - MEMORY) * value;
    this.#weight = MEMORY * this.#weight + (1 - MEMORY);
    if (this.#inLast === 0) {
      this.#low.push(value);
      this.#high.push(value);
      this.#smooth.push(0);
    }
    const bucket = this.#smooth.length - 1;
    this.#low[bucket] = Math.min(this.#low[bucket]!, value);
    this.#high[bucket] = Math.max(this.#high[bucket]!, value);
    this.#smooth[bucket] = this.#mean / this.#weight;
    this.#inLast = (this.#inLast + 1) % this.width;
    if (this.#inLast === 0 && this.buckets === CAPACITY) this.#halve();
  }

  #halve(): void {
    const pairs = Array.from({ length: CAPACITY / 2 }, (_, i) => 2 * i);
    this.#low = pairs.map((i) => Math.min(this.#low[i]!, this.#low[i + 1]!));
    this.#high = pairs.map((i) => Math.max(this.#high[i]!, this.#high[i + 1]!));
    this.#smooth = pairs.map((i) => this.#smooth[i + 1]!);
    this.width *= 2;
  }

  /** The line to draw: a bucket of several steps gives two points, its least and its greatest value. */
  points(): CurvePoints {
    const [x, raw, smooth]: [number[], number[], (number | null)[]] = [[], [], []];
    const { width } = this;
    for (let i = 0; i < this.buckets; i++) {
      if (width > 1) {
        x.push(this.#first + i * width);
        raw.push(this.#low[i]!);
        smooth.push(null);
      }
      const filled = i === this.buckets - 1 && this.#inLast > 0 ? this.#inLast : width;
      x.push(this.#first + i * width + (width > 1 ? filled / 2 : 0));
      raw.push(this.#high[i]!);
      smooth.push(this.#smooth[i]!);
    }
    return { x, raw, smooth };
  }

  /** The least and the greatest running mean of the buckets from the share `from` of the curve on. */
  range(from: number = 0): readonly [low: number, high: number] | undefined {
    const part = this.#smooth.slice(Math.floor(from * this.buckets));
    return part.length === 0 ? undefined : [Math.min(...part), Math.max(...part)];
  }
}

export interface EpochRow {
  /** From 1. */
  readonly epoch: number;
  /** Steps done at its end. */
  readonly step: number;
  /** Means over the examples of the epoch, each before the update that it led to. */
  readonly loss: number;
  readonly accuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

/** A change of the learning rate in training. */
export interface RateMark {
  readonly step: number;
  readonly rate: number;
}

interface Totals {
  rows: number;
  loss: number;
  hits: number;
}

export class CurveHistory {
  readonly loss: Curve;
  readonly accuracy: Curve;
  readonly epochs: EpochRow[] = [];
  readonly marks: RateMark[] = [];
  readonly stepsPerEpoch: number;
  /** Steps done before the first that is recorded. */
  readonly first: number;
  /** Steps done. */
  steps: number;
  /** Grows with whatever is written: a step, an epoch's end, a mark. */
  version = 0;
  readonly #totals = new Map<number, Totals>();

  constructor(stepsPerEpoch: number, first: number = 0) {
    this.stepsPerEpoch = stepsPerEpoch;
    this.first = first;
    this.steps = first;
    this.loss = new Curve(first);
    this.accuracy = new Curve(first);
  }

  /** No step is recorded yet. */
  get isEmpty(): boolean {
    return this.steps === this.first;
  }

  /** The epoch that ends next; one whose beginning was not seen is none. */
  get nextEpoch(): number {
    return Math.ceil(this.first / this.stepsPerEpoch) + this.epochs.length + 1;
  }

  /** After a lost device, steps come a second time with the same values: they count once. */
  add({ step, loss, accuracy, rows }: { step: number; loss: number; accuracy: number; rows: number }): void {
    if (step < this.steps) return;
    this.steps = step + 1;
    this.version += 1;
    this.loss.add(loss);
    this.accuracy.add(accuracy);
    const epoch = Math.floor(step / this.stepsPerEpoch) + 1;
    const totals = this.#totals.get(epoch) ?? { rows: 0, loss: 0, hits: 0 };
    totals.rows += rows;
    totals.loss += rows * loss;
    totals.hits += rows * accuracy;
    this.#totals.set(epoch, totals);
    this.#totals.delete(epoch - 2);
  }

  /** Ends an epoch with what the held-out examples say. */
  endEpoch(epoch: number, validation: { readonly loss: number; readonly accuracy: number }): EpochRow {
    const { rows, loss, hits } = this.#totals.get(epoch) ?? { rows: 0, loss: Number.NaN, hits: Number.NaN };
    const row: EpochRow = {
      epoch,
      step: epoch * this.stepsPerEpoch,
      loss: loss / Math.max(1, rows),
      accuracy: hits / Math.max(1, rows),
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy,
    };
    this.epochs.push(row);
    this.version += 1;
    return row;
  }

  /** @param step steps that the trainer had done, of which not all need be told yet */
  mark(step: number, rate: number): void {
    if (this.marks.at(-1)?.step === step) this.marks.pop();
    this.marks.push({ step, rate });
    this.version += 1;
  }
}
