/** Work that follows training at moments of its own, such as the ends of epochs, and may take only a share of the time. */
export class Rarely {
  readonly #share: number;
  #began = Number.NEGATIVE_INFINITY;
  /** Milliseconds, at the least; undefined before the first time, which compiles and says nothing of the next. */
  #took: number | undefined;

  constructor(share: number) {
    this.#share = share;
  }

  /** Whether enough time has gone by since it was done last. */
  allows(now: number = performance.now()): boolean {
    return now - this.#began >= (this.#took ?? 0) / this.#share;
  }

  begins(now: number = performance.now()): void {
    this.#began = now;
  }

  ends(now: number = performance.now()): void {
    this.#took = this.#took === undefined ? 0 : Math.min(now - this.#began, this.#took || Number.POSITIVE_INFINITY);
  }
}
