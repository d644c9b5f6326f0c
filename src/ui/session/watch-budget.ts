/** What watching costs training: looking at an example, its maps, the pictures and the curves. Frames are dropped for it, steps never. */

/** Looking takes at most this share of the time: with the curves and what the page itself draws, watching stays under 5 %. */
const SHARE = 0.02;
const WINDOW_MILLISECONDS = 10_000;

interface Spent {
  readonly at: number;
  readonly milliseconds: number;
}

export class WatchBudget {
  #spent: Spent[] = [];
  #since = 0;
  #notBefore = 0;

  /** A stretch of training begins. */
  begin(now: number = performance.now()): void {
    this.#spent = [];
    this.#since = now;
    // What was spent while training stood still held nothing up.
    this.#notBefore = now;
  }

  /** Time was spent on looking; the next look waits until that is a small share of the time. */
  spend(milliseconds: number, now: number = performance.now()): void {
    this.count(milliseconds, now);
    this.#notBefore = Math.max(this.#notBefore, now) + milliseconds * (1 / SHARE - 1);
  }

  /** Time was spent on what keeps a pace of its own, such as the curves: it counts, and holds up no look. */
  count(milliseconds: number, now: number = performance.now()): void {
    this.#spent.push({ at: now, milliseconds });
    while (this.#spent.length > 1 && now - this.#spent[0]!.at > WINDOW_MILLISECONDS) this.#spent.shift();
  }

  /** Whether there is time for a look that only follows training. */
  allows(now: number = performance.now()): boolean {
    return now >= this.#notBefore;
  }

  /** Share of the time that watching took, over the last ten seconds of training. */
  share(now: number = performance.now()): number {
    const from = Math.max(this.#since, now - WINDOW_MILLISECONDS);
    const total = this.#spent.filter(({ at }) => at >= from).reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return now - from < 500 ? Number.NaN : Math.min(1, total / (now - from));
  }
}
