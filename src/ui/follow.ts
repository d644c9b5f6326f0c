import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Training } from './training.ts';

/** An element that shows a training session. */
export interface Follower extends ReactiveControllerHost {
  training: Training | undefined;
}

interface FollowOptions {
  /** Called with each of these events besides `change`. */
  readonly on?: Readonly<Record<string, () => void>>;
  /** Renders anew as steps arrive, but at most once in so many milliseconds; never, by default. */
  readonly everyMilliseconds?: number;
}

/** Renders an element anew when the session it shows changes. */
export class Follow implements ReactiveController {
  readonly #host: Follower;
  readonly #options: FollowOptions;
  #followed: Training | undefined;
  #connected = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Follower, options: FollowOptions = {}) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  readonly #changed = (): void => this.#host.requestUpdate();

  readonly #stepped = (): void => {
    const { everyMilliseconds } = this.#options;
    if (everyMilliseconds === undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#host.requestUpdate();
    }, everyMilliseconds);
  };

  hostConnected(): void {
    this.#connected = true;
    this.#follow();
  }

  hostUpdate(): void {
    this.#follow();
  }

  hostDisconnected(): void {
    this.#connected = false;
    this.#follow();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #follow(): void {
    const training = this.#connected ? this.#host.training : undefined;
    if (training === this.#followed) return;
    const listeners = Object.entries({ change: this.#changed, steps: this.#stepped });
    const own = Object.entries(this.#options.on ?? {});
    for (const [name, listener] of [...listeners, ...own]) {
      this.#followed?.removeEventListener(name, listener);
      training?.addEventListener(name, listener);
    }
    this.#followed = training;
  }
}
