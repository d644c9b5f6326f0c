import type { Calls, Device } from '../engine/index.ts';

/** How fast training goes and what it asks of the GPU, over the last second or so. */
export interface Reading {
  /** Examples a second; NaN where too little time has passed. */
  readonly samplesPerSecond: number;
  /** GPU calls of training, for each step. */
  readonly callsPerStep: Calls;
  /** GPU calls of the reader of losses, a second; NaN where too little time has passed. */
  readonly readerPerSecond: Calls;
}

interface Sample {
  readonly milliseconds: number;
  readonly steps: number;
  readonly rows: number;
  readonly train: Calls;
  readonly reader: Calls;
}

const WINDOW_MILLISECONDS = 1500;
const SAMPLE_MILLISECONDS = 100;
/** A rate over less time than this, or over a single step, is noise. */
const SHORTEST_MILLISECONDS = 200;

export class Meter {
  /** Kept while training stands still. */
  reading: Reading | undefined;
  #samples: Sample[] = [];
  #rows = 0;

  /** Begins a stretch of training: what happened before does not count. */
  begin(device: Device, steps: number): void {
    this.#samples = [];
    this.#rows = 0;
    this.#take(device, steps);
  }

  /** Counts trained rows. `steps` are those submitted so far; `always` reads even right after the last reading. */
  add(device: Device, steps: number, rows: number, always: boolean = false): void {
    this.#rows += rows;
    const last = this.#samples.at(-1);
    const since = last ? performance.now() - last.milliseconds : Number.POSITIVE_INFINITY;
    if (!always && since < SAMPLE_MILLISECONDS) return;
    this.#take(device, steps);
    while (this.#samples.length > 2 && performance.now() - this.#samples[1]!.milliseconds > WINDOW_MILLISECONDS) this.#samples.shift();
    this.#read();
  }

  #take(device: Device, steps: number): void {
    const { train, reader } = device.calls;
    this.#samples.push({ milliseconds: performance.now(), steps, rows: this.#rows, train: { ...train }, reader: { ...reader } });
  }

  #read(): void {
    const [first, last] = [this.#samples[0]!, this.#samples.at(-1)!];
    const steps = last.steps - first.steps;
    if (steps <= 0) return;
    const milliseconds = last.milliseconds - first.milliseconds;
    const seconds = steps > 1 && milliseconds >= SHORTEST_MILLISECONDS ? milliseconds / 1000 : Number.NaN;
    this.reading = {
      samplesPerSecond: (last.rows - first.rows) / seconds,
      callsPerStep: ratio(first.train, last.train, steps),
      readerPerSecond: ratio(first.reader, last.reader, seconds),
    };
  }
}

function ratio(before: Calls, after: Calls, by: number): Calls {
  const kinds = Object.keys(after) as (keyof Calls)[];
  return Object.fromEntries(kinds.map((kind) => [kind, (after[kind] - before[kind]) / by])) as Calls;
}
