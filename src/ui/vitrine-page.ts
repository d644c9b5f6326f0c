import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type TemplateResult } from 'lit';
import { Follow } from './follow.ts';
import { languageChoice, Words } from './language.ts';
import { hashOfSettings, settingsOfHash } from './settings.ts';
import { shared } from './shared-styles.ts';
import { HIDDEN_UNITS, Training, type TrainingSources } from './training.ts';

/** A screen reader is told something new at most this often. */
const ANNOUNCE_MILLISECONDS = 1000;

/** The page: a network that trains, and what can be seen of it. */
export class VitrinePage extends LitElement {
  static override properties: PropertyDeclarations = {
    sources: { attribute: false },
    training: { state: true },
    announcement: { state: true },
  };

  /** Where the device and the data come from; to be set before the page is connected. */
  declare sources: TrainingSources;
  declare training: Training | undefined;
  declare announcement: string;

  readonly #words = new Words(this);
  #said = 0;
  #sayLater: ReturnType<typeof setTimeout> | undefined;
  #wasRunning = false;
  /** The focus was set by a pointer, so that Space is meant for the page and not for the button that was clicked. */
  #pointed = false;

  constructor() {
    super();
    this.sources = {};
    this.training = undefined;
    this.announcement = '';
    new Follow(this, {
      on: { change: () => this.#changed(), epoch: () => this.#announceEpoch(), reset: () => this.#announce(this.#words.say.announceReset) },
    });
  }

  readonly #onKey = (event: KeyboardEvent): void => this.#press(event);
  readonly #onPointer = (): void => {
    this.#pointed = true;
  };
  readonly #onHash = (): void => this.training?.change(settingsOfHash(location.hash, this.training.settings));

  override connectedCallback(): void {
    super.connectedCallback();
    languageChoice.choose(languageChoice.current);
    this.training = new Training(settingsOfHash(location.hash), this.sources);
    void this.training.open();
    window.addEventListener('keydown', this.#onKey);
    window.addEventListener('pointerdown', this.#onPointer, { capture: true });
    window.addEventListener('hashchange', this.#onHash);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#onKey);
    window.removeEventListener('pointerdown', this.#onPointer, { capture: true });
    window.removeEventListener('hashchange', this.#onHash);
    clearTimeout(this.#sayLater);
    void this.training?.close();
    this.training = undefined;
  }

  override render(): TemplateResult {
    const { training } = this;
    const { say } = this.#words;
    const inputs = (training?.data?.train.inputShape ?? [28, 28, 1]).reduce((product, length) => product * length, 1);
    const classes = training?.data?.train.classes?.length ?? 10;
    const network = say.architecture(this.#words.whole(inputs), this.#words.whole(HIDDEN_UNITS), this.#words.whole(classes));
    return html`
      <header>
        <div class="masthead">
          <h1>Vitrine <span>${say.tagline}</span></h1>
          <vitrine-language></vitrine-language>
        </div>
        <p class="lead">${say.lead}</p>
        <p class="recipe">${network}<span class="sep" aria-hidden="true"></span>${say.recipe}</p>
      </header>
      <vitrine-controls class="controls" .training=${training}></vitrine-controls>
      <vitrine-notices .training=${training}></vitrine-notices>
      <vitrine-status .training=${training}></vitrine-status>
      <main>
        <vitrine-curves .training=${training}></vitrine-curves>
        <div class="column">
          <vitrine-digit .training=${training}></vitrine-digit>
          <vitrine-test .training=${training}></vitrine-test>
        </div>
        <vitrine-weights .training=${training}></vitrine-weights>
        <vitrine-machine .training=${training}></vitrine-machine>
        <vitrine-plan .training=${training}></vitrine-plan>
      </main>
      <footer>
        <p><kbd>${say.keySpace}</kbd> ${say.keySpaceDoes} <kbd>→</kbd> ${say.keyRightDoes} <kbd>R</kbd> ${say.keyResetDoes}</p>
        <p>${say.linkHint}</p>
        <p>${say.credit}</p>
      </footer>
      <p class="hidden" role="status">${this.announcement}</p>
    `;
  }

  #changed(): void {
    const { training } = this;
    if (!training) return;
    const hash = hashOfSettings(training.settings);
    if (location.hash !== hash) history.replaceState(history.state, '', hash);
    if (training.isRunning !== this.#wasRunning) {
      this.#wasRunning = training.isRunning;
      const { say } = this.#words;
      const stopped = training.isFinished ? say.announceFinished : say.announcePaused(this.#words.whole(training.step));
      this.#announce(training.isRunning ? say.announceRunning : stopped);
    }
  }

  #announceEpoch(): void {
    const row = this.training?.run?.history.epochs.at(-1);
    if (row) this.#announce(this.#words.say.announceEpoch(this.#words.whole(row.epoch), this.#words.percent(row.validationAccuracy)));
  }

  #announce(words: string): void {
    clearTimeout(this.#sayLater);
    const wait = Math.max(0, ANNOUNCE_MILLISECONDS - (performance.now() - this.#said));
    this.#sayLater = setTimeout(() => {
      this.#said = performance.now();
      this.announcement = words;
    }, wait);
  }

  /** Space runs or pauses, → takes one step, R resets; not while typing, and not with a modifier. */
  #press(event: KeyboardEvent): void {
    const [target] = event.composedPath();
    if (event.key === 'Tab') this.#pointed = false;
    if (!this.training || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (target instanceof HTMLElement && (target.isContentEditable || target.matches('input:not([type=radio]), textarea, select'))) return;
    // Who reached a control by keyboard means that control, and whoever reads code means its scroll bar.
    const own = target instanceof HTMLElement && !this.#pointed && target.matches('button, summary, a, input');
    const scrolls = target instanceof HTMLElement && target.matches('pre');
    if (event.key === ' ' && !own && !event.repeat) void this.training.toggle();
    else if (event.key === 'ArrowRight' && !scrolls && !(target instanceof HTMLInputElement)) void this.#single();
    else if (event.key.toLowerCase() === 'r' && !event.repeat) void this.training.reset();
    else return;
    event.preventDefault();
  }

  async #single(): Promise<void> {
    const { training } = this;
    await training?.single();
    const loss = training?.run?.history.loss.last;
    if (training && loss !== undefined) {
      this.#announce(this.#words.say.announceStep(this.#words.whole(training.step), this.#words.small(loss)));
    }
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        max-width: 80rem;
        margin: 0 auto;
        padding: clamp(1rem, 3vw, 2.5rem) clamp(1rem, 4vw, 3rem) 4rem;
      }

      .masthead {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 1rem;
      }

      h1 {
        margin: 0;
        font: 400 clamp(1.75rem, 1.2rem + 2vw, 2.5rem) / 1.15 var(--serif);
        letter-spacing: -0.015em;
      }

      h1 span {
        margin-left: 0.35em;
        color: var(--quiet);
      }

      .lead {
        max-width: 46rem;
        margin: 0.75rem 0 0;
        font-size: 1.0625rem;
        text-wrap: pretty;
      }

      .recipe {
        margin: 0.375rem 0 0;
        color: var(--quiet);
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }

      .sep {
        display: inline-block;
        width: 1px;
        height: 0.75em;
        margin: 0 0.75rem;
        background: var(--edge);
      }

      .controls {
        position: sticky;
        top: 0;
        z-index: 2;
        margin: 1.25rem -0.5rem 0;
        padding: 0.75rem 0.5rem;
        background: color-mix(in srgb, var(--paper) 92%, transparent);
        backdrop-filter: blur(8px);
      }

      main {
        display: grid;
        grid-template-columns: minmax(0, 7fr) minmax(0, 5fr);
        gap: 3.5rem clamp(2rem, 5vw, 4.5rem);
        margin-top: 3rem;
      }

      .column {
        display: flex;
        flex-direction: column;
        gap: 2.5rem;
      }

      vitrine-plan {
        grid-column: 1 / -1;
      }

      footer {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 2rem;
        margin-top: 4rem;
        padding-top: 1.25rem;
        border-top: 1px solid var(--line);
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      footer p {
        margin: 0;
      }

      kbd {
        display: inline-block;
        min-width: 1.5rem;
        margin-left: 0.5rem;
        padding: 0 0.375rem;
        border: 1px solid var(--edge);
        border-radius: 5px;
        color: var(--ink);
        font: inherit;
        font-size: 0.75rem;
        text-align: center;
      }

      kbd:first-child {
        margin-left: 0;
      }

      @media (max-width: 959px) {
        main {
          grid-template-columns: minmax(0, 1fr);
          gap: 2.75rem;
          margin-top: 2.25rem;
        }
      }

      @media (max-width: 719px), (max-height: 599px) {
        .controls {
          position: static;
        }

        h1 span {
          display: block;
          margin-left: 0;
          font-size: 0.625em;
          line-height: 1.4;
          letter-spacing: 0;
        }

        .masthead {
          align-items: start;
        }

        .sep {
          display: block;
          width: 0;
          height: 0;
          margin: 0;
        }
      }
    `,
  ];
}
