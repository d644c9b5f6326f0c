import type { ReactiveController, ReactiveControllerHost } from 'lit';

/**
 * When an element draws: at most once a frame, and only while it is on screen. What was asked for off screen is drawn once on its return.
 * Frames serve drawing alone; nothing else waits for them.
 */
export class Drawing implements ReactiveController {
  readonly #host: ReactiveControllerHost & Element;
  readonly #draw: () => void;
  #onScreen = false;
  #asked = false;
  #frame = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #later: ReturnType<typeof setTimeout> | undefined;
  #observer: IntersectionObserver | undefined;

  constructor(host: ReactiveControllerHost & Element, draw: () => void) {
    this.#host = host;
    this.#draw = draw;
    host.addController(this);
  }

  hostConnected(): void {
    this.#observer = new IntersectionObserver((entries) => {
      this.#onScreen = entries.at(-1)?.isIntersecting ?? false;
      if (this.#asked) this.#schedule();
    });
    this.#observer.observe(this.#host);
  }

  hostDisconnected(): void {
    this.#observer?.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#onScreen = false;
  }

  /** Asks for a drawing. */
  request(): void {
    this.#asked = true;
    this.#schedule();
  }

  /** Asks for a drawing, but no sooner than so long after the last one. */
  requestAtPace(milliseconds: number): void {
    if (this.#later !== undefined) return;
    const wait = milliseconds - (performance.now() - this.#drawnAt);
    if (wait <= 0) this.request();
    else {
      this.#later = setTimeout(() => {
        this.#later = undefined;
        this.request();
      }, wait);
    }
  }

  #schedule(): void {
    if (!this.#onScreen || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#asked || !this.#onScreen) return;
      this.#asked = false;
      this.#drawnAt = performance.now();
      this.#draw();
    });
  }
}
