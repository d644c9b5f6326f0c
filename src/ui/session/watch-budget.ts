/**
 * What watching costs training, as it shows in training itself: the steps that arrive while nothing is looked at or drawn tell how fast training
 * goes alone, and every other stretch of time lost what it fell short of that. Nothing is estimated, so whatever the page, the browser's
 * compositor and the GPU do for watching is in it. Frames are dropped for it, steps never.
 */

/** Looking takes about this share of the time; with the figures, the curves and what the page itself draws, watching stays under 5 %. */
const SHARE = 0.009;
const WINDOW_MILLISECONDS = 20_000;
/** How long after a telling the page and the GPU may still be at work on it. */
const AFTERMATH_MILLISECONDS = 100;
/** How fast training goes alone is not known from less. */
const LEAST_QUIET_MILLISECONDS = 500;
/** Watching rests now and then, however little it costs, so that training alone can be seen. */
const RESTLESS_MILLISECONDS = 2000;
/** Between looks, as long as their cost is not known. */
const CAUTIOUS_MILLISECONDS = 1000;
/** However dear a look is, what is shown is not older than this and the look itself. */
const LONGEST_MILLISECONDS = 15_000;
/** The cost of a look is the median of so many. */
const LAST_LOOKS = 7;

/** From one arrival of steps to the next. */
interface Stretch {
  readonly at: number;
  readonly milliseconds: number;
  readonly steps: number;
  readonly quiet: boolean;
}

export class WatchBudget {
  #stretches: Stretch[] = [];
  /** Steps and time of their last arrival; undefined where the next one ends no stretch. */
  #last: { readonly at: number; readonly steps: number } | undefined;
  /** What was drawn or told last is still on its way through layout, raster and the GPU until then. */
  #until = 0;
  /** Pieces of work that are under way. */
  #working = 0;
  /** What the look in hand, or the last one until its stretches are over, has cost; undefined where none is being measured. */
  #lost: number | undefined;
  readonly #looks: number[] = [];
  #notBefore = 0;
  #quietAt = 0;
  /** Looks since the page was opened, the first few. */
  #early = 0;

  /** A stretch of training begins. */
  begin(now: number = performance.now()): void {
    this.#stretches = [];
    this.rest();
    this.#notBefore = now;
    this.#quietAt = now;
  }

  /**
   * Training stands still for something of its own, such as the validation of an epoch: that is no cost of watching. Neither is the last stretch
   * before it, in which training waited for all that was under way.
   */
  rest(): void {
    if (this.#last) this.#stretches.pop();
    this.#last = undefined;
    this.#lost = undefined;
  }

  /** Something was drawn or told. */
  disturb(now: number = performance.now()): void {
    this.#until = now + AFTERMATH_MILLISECONDS;
  }

  /** Work that lasts begins, of whatever kind. */
  workBegins(now: number = performance.now()): void {
    this.#working += 1;
    this.disturb(now);
  }

  workEnds(now: number = performance.now()): void {
    this.#working -= 1;
    this.disturb(now);
  }

  lookBegins(now: number = performance.now()): void {
    this.workBegins(now);
    this.#lost = 0;
  }

  lookEnds(now: number = performance.now()): void {
    this.workEnds(now);
    this.#notBefore = now + this.#wait();
  }

  /** So many steps have arrived since the run began. */
  arrived(steps: number, now: number = performance.now()): void {
    const last = this.#last;
    this.#last = { at: now, steps };
    if (!last || now <= last.at) return;
    const stretch = {
      at: now,
      milliseconds: now - last.at,
      steps: steps - last.steps,
      quiet: this.#working === 0 && this.#until <= last.at,
    };
    this.#stretches.push(stretch);
    while (now - this.#stretches[0]!.at > WINDOW_MILLISECONDS) this.#stretches.shift();
    if (stretch.quiet) this.#quietAt = now;
    this.#measureLook(stretch);
  }

  /** Whether there is time for a look that only follows training. */
  allows(now: number = performance.now()): boolean {
    return now >= this.#notBefore && now - this.#quietAt < RESTLESS_MILLISECONDS;
  }

  /** Share of the time that watching took, over the last twenty seconds of training; NaN while that is not known. */
  share(): number {
    const alone = this.#alone();
    if (alone === undefined) return Number.NaN;
    const total = this.#stretches.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const lost = this.#stretches.reduce((sum, stretch) => sum + (stretch.quiet ? 0 : stretch.milliseconds - stretch.steps / alone), 0);
    return Math.min(1, Math.max(0, lost / total));
  }

  /** Steps a millisecond while nothing is watched. */
  #alone(): number | undefined {
    let [milliseconds, steps] = [0, 0];
    for (const stretch of this.#stretches) {
      if (!stretch.quiet) continue;
      milliseconds += stretch.milliseconds;
      steps += stretch.steps;
    }
    return milliseconds < LEAST_QUIET_MILLISECONDS || steps === 0 ? undefined : steps / milliseconds;
  }

  /** A look's cost is what the stretches from its beginning on lost, until one is quiet again. */
  #measureLook(stretch: Stretch): void {
    const alone = this.#alone();
    if (this.#lost === undefined) return;
    if (alone === undefined) {
      // What it cost cannot be told, which is not that it cost nothing.
      this.#lost = undefined;
      return;
    }
    if (!stretch.quiet) {
      this.#lost += stretch.milliseconds - stretch.steps / alone;
      return;
    }
    this.#looks.push(Math.max(0, this.#lost));
    if (this.#looks.length > LAST_LOOKS) this.#looks.shift();
    this.#lost = undefined;
  }

  /** From the end of a look to the beginning of the next. */
  #wait(): number {
    // Whoever has just begun sees the network learn, on a slow machine, too: once, and less and less often.
    const early = CAUTIOUS_MILLISECONDS * 2 ** this.#early;
    if (early < LONGEST_MILLISECONDS) this.#early += 1;
    return Math.min(early, this.#usual());
  }

  #usual(): number {
    const sorted = this.#looks.toSorted((a, b) => a - b);
    // The first of a run may have compiled what it computes: of two, the cheaper one counts.
    const usual = sorted[Math.floor((sorted.length - 1) / 2)];
    return usual === undefined ? CAUTIOUS_MILLISECONDS : Math.min(LONGEST_MILLISECONDS, usual * (1 / SHARE - 1));
  }
}
