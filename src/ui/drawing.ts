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
  #observer: IntersectionObserver | undefined;

  constructor(host: ReactiveControllerHost & Element, draw: () => void) {
    this.#host = host;
    this.#draw = draw;
    host.addController(this);
  }

  /** Whether some of the element can be seen. */
  get onScreen(): boolean {
    return this.#onScreen;
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
    this.#onScreen = false;
  }

  /** Asks for a drawing. */
  request(): void {
    this.#asked = true;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#onScreen || this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#asked || !this.#onScreen) return;
      this.#asked = false;
      this.#draw();
    });
  }
}
