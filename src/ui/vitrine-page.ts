import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { LANGUAGE_TAGS, Words } from './language.ts';
import type { Pointed } from './point/pointed.ts';
import type { RecordedSession } from './recorded/recorded-session.ts';
import type { Page } from './session/choices.ts';
import { type Command, CommandEvent } from './session/commands.ts';
import { type Snapshot, StudioSession } from './session/session.ts';
import { MOST_EPSILON } from './session/what-if.ts';
import { shared } from './shared-styles.ts';
import { shortcutsWanted } from './shortcuts.ts';
import type { StudioRecipe } from './studio-recipe.ts';
import type { TrainingSources } from './training.ts';
import { ROOMY, SMALL } from './window-size.ts';

/** A screen reader is told something new at most this often. */
const ANNOUNCE_MILLISECONDS = 1000;
/** How often the address follows training. */
const WRITE_MILLISECONDS = 2000;
/** Who leafs through examples undoes it in one: another, within this time of the last, is not a step of its own for Back. */
const TOGETHER_MILLISECONDS = 350;

/** The shell: the one place that knows the session. It hands snapshots to the regions and their commands to the session, and keeps the address. */
export class VitrinePage extends LitElement {
  static override properties: PropertyDeclarations = {
    sources: { attribute: false },
    snapshot: { state: true },
    announcement: { state: true },
    embedded: { type: Boolean, reflect: true },
    pointed: { state: true },
  };

  /** The pages beside the studio, each loaded when it is visited. */
  static pages: Readonly<Partial<Record<Page, () => Promise<unknown>>>> = {};

  /** Where the device and the data come from; to be set before the page is connected. */
  declare sources: TrainingSources;
  /** Stands in a page of someone else's: the address, the files dropped there and the keys pressed elsewhere are not its own. */
  declare embedded: boolean;
  /** Resolves when the session has opened, or has failed to. */
  opened: Promise<void> = Promise.resolve();
  declare session: StudioSession | undefined;
  #recorded: RecordedSession | undefined;
  declare snapshot: Snapshot | undefined;
  declare announcement: string;
  /** What the pointer or the keyboard's cursor is on in any picture: it is outlined in all of them. */
  declare pointed: Pointed | undefined;

  readonly #words = new Words(this);
  #said = 0;
  #sayLater: ReturnType<typeof setTimeout> | undefined;
  #wasRunning = false;
  #chosenAt = Number.NEGATIVE_INFINITY;
  #wroteAt = 0;
  #chose = '';
  /** A tensor was chosen, to be looked at by itself. */
  #sought = false;
  /** Training waits for a measurement to end. */
  #held = false;
  /** The focus was set by a pointer, so that Space is meant for the page and not for the button that was clicked. */
  #pointed = false;

  constructor() {
    super();
    this.sources = {};
    this.embedded = false;
    this.session = undefined;
    this.snapshot = undefined;
    this.announcement = '';
    this.pointed = undefined;
    this.addEventListener('command', (event) => {
      const { detail } = event as CustomEvent<Command>;
      if (detail.do === 'openRecording') void this.#openRecording();
      else this.#speaker?.send(detail);
    });
    this.addEventListener('dragover', (event) => this.embedded || event.preventDefault());
    this.addEventListener('drop', (event) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0 || this.embedded) return;
      event.preventDefault();
      // What was dropped can be asked for its folders in this very moment only.
      const entries = [...(event.dataTransfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
      if (entries.some(({ isDirectory }) => isDirectory)) void this.#takeFolders(entries);
      else this.#speaker?.send({ do: 'data', files });
    });
    this.addEventListener('watched', () => this.#speaker?.drawn());
    this.addEventListener('pointed', (event) => {
      this.pointed = (event as CustomEvent<Pointed | undefined>).detail;
    });
    this.addEventListener('open-recipe', () => void this.#openRecipe());
  }

  readonly #onKey = (event: KeyboardEvent): void => this.#press(event);
  readonly #onPointer = (): void => {
    this.#pointed = true;
  };
  readonly #onAddress = (): void => {
    const speaker = this.#speaker;
    if (speaker && !this.embedded && location.hash !== speaker.hash) speaker.follow(location.hash);
  };

  override connectedCallback(): void {
    super.connectedCallback();
    const session = new StudioSession(this.embedded ? '' : location.hash, this.sources);
    this.session = session;
    this.snapshot = session.snapshot;
    session.addEventListener('snapshot', () => this.#take(session.snapshot));
    session.addEventListener('chosen', (event) => this.#chosen((event as CustomEvent<string>).detail));
    session.addEventListener('epoch', () => this.#announceEpoch());
    this.opened = session.open();
    this.#keys.addEventListener('keydown', this.#onKey as EventListener);
    window.addEventListener('pointerdown', this.#onPointer, { capture: true });
    window.addEventListener('hashchange', this.#onAddress);
    window.addEventListener('popstate', this.#onAddress);
  }

  /** Commands go to the session that is shown. */
  get #speaker(): StudioSession | RecordedSession | undefined {
    return this.#recorded ?? this.session;
  }

  get #keys(): EventTarget {
    return this.embedded ? this : window;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#keys.removeEventListener('keydown', this.#onKey as EventListener);
    window.removeEventListener('pointerdown', this.#onPointer, { capture: true });
    window.removeEventListener('hashchange', this.#onAddress);
    window.removeEventListener('popstate', this.#onAddress);
    clearTimeout(this.#sayLater);
    void this.session?.close();
    this.session = undefined;
    void this.#recorded?.close();
    this.#recorded = undefined;
    this.snapshot = undefined;
  }

  override render(): TemplateResult {
    const { snapshot } = this;
    const { say } = this.#words;
    const page = snapshot?.choices.page ?? 'studio';
    const inspecting = snapshot?.choices.tensor !== undefined;
    const { pointed } = this;
    const pixel = pointed?.kind === 'pixel' ? pointed.index : undefined;
    return html`
      <studio-header .snapshot=${snapshot} .pages=${this.embedded ? [] : ['studio', ...Object.keys(VitrinePage.pages)]}></studio-header>
      <div class="notices">
        <vitrine-notices .snapshot=${snapshot}></vitrine-notices>
        ${this.#copyBanner()} ${this.#recordedBanner()}
      </div>
      ${
        page === 'studio'
          ? html`<main class=${inspecting ? 'inspecting' : ''}>
              <studio-example class="region" role="region" aria-label=${say.exampleTitle} .snapshot=${snapshot} .outlined=${pixel}></studio-example>
              <div class="centre">
                <studio-network class="region" role="region" aria-label=${say.networkTitle} .snapshot=${snapshot} .pointed=${pointed}></studio-network>
                <studio-why class="region" role="region" aria-label=${say.whyRegion} .snapshot=${snapshot} .outlined=${pixel}></studio-why>
                <details class="region" ?open=${snapshot?.shown !== undefined && matchMedia(ROOMY).matches} @toggle=${(event: Event) => this.#whole(event)}>
                  <summary><h2>${say.wholeTitle}</h2></summary>
                  <studio-whole .snapshot=${snapshot}></studio-whole>
                </details>
                <cell-cards .snapshot=${snapshot}></cell-cards>
              </div>
              <tensor-inspector class="region" role="region" aria-label=${say.inspectorTitle} .snapshot=${snapshot}></tensor-inspector>
            </main>`
          : page === 'bench'
            ? this.#bench()
            : page === 'self-test'
              ? this.#selfTest()
              : this.#engine()
      }
      <studio-time role="region" aria-label=${say.timeTitle} .snapshot=${snapshot}></studio-time>
      <studio-recipe .snapshot=${snapshot}></studio-recipe>
      <p class="hidden" role="status">${this.announcement || nothing}</p>
    `;
  }

  override updated(): void {
    this.#inspector();
    (this.embedded ? this : document.documentElement).lang = LANGUAGE_TAGS[this.#words.language];
  }

  /** Where there is no GPU to work on: the session that was recorded takes the place of the one that could not begin. */
  async #openRecording(): Promise<void> {
    try {
      const { openRecording } = await import('./recorded/index.ts');
      const recorded = await openRecording(location.hash);
      await this.session?.close();
      if (!this.isConnected) return;
      this.session = undefined;
      this.#recorded = recorded;
      recorded.addEventListener('snapshot', () => this.#take(recorded.snapshot));
      recorded.addEventListener('chosen', (event) => this.#chosen((event as CustomEvent<string>).detail));
      await recorded.open();
    } catch (error) {
      this.session?.send({ do: 'report', error });
    }
  }

  async #takeFolders(entries: readonly FileSystemEntry[]): Promise<void> {
    try {
      const { filesOf } = await import('./session/dropped-folders.ts');
      this.#speaker?.send({ do: 'data', files: await filesOf(entries) });
    } catch (error) {
      this.#speaker?.send({ do: 'report', error });
    }
  }

  /** The recipe's dialog is loaded when it is first opened. */
  async #openRecipe(): Promise<void> {
    await this.#define('studio-recipe', async () => (await import('./studio-recipe.ts')).StudioRecipe);
    const recipe = this.renderRoot.querySelector<StudioRecipe>('studio-recipe');
    await recipe?.updateComplete;
    recipe?.show?.();
  }

  /** What shows a tensor by itself comes once there is one, with the first that is looked at, or at once where there is always room for it. */
  #inspector(): void {
    const { shown, choices } = this.snapshot ?? {};
    if (!shown || (choices?.tensor === undefined && !matchMedia(ROOMY).matches)) return;
    const defined = this.#define('tensor-inspector', async () => (await import('./tensor-inspector.ts')).TensorInspector);
    if (!this.#sought) return;
    this.#sought = false;
    // On a small screen it stands far below what was chosen.
    if (choices?.tensor === undefined || !matchMedia(SMALL).matches) return;
    void defined.then(async () => {
      const inspector = this.renderRoot.querySelector('tensor-inspector');
      await inspector?.updateComplete;
      inspector?.scrollIntoView({ block: 'start' });
    });
  }

  async #define(name: string, load: () => Promise<CustomElementConstructor>): Promise<void> {
    if (customElements.get(name)) return;
    try {
      const element = await load();
      if (!customElements.get(name)) customElements.define(name, element);
    } catch (error) {
      this.#speaker?.send({ do: 'report', error });
    }
  }

  /** The views of the whole network come when they are first opened. */
  #whole(event: Event): void {
    if ((event.target as HTMLDetailsElement).open) {
      void import('./whole/index.ts').catch((error) => this.#speaker?.send({ do: 'report', error }));
    }
  }

  #load(page: Page): void {
    void VitrinePage.pages[page]?.().catch((error) => this.#speaker?.send({ do: 'report', error }));
  }

  #engine(): TemplateResult {
    this.#load('engine');
    return html`<main class="reading">
      <vitrine-machine .snapshot=${this.snapshot}></vitrine-machine>
      <vitrine-plan .snapshot=${this.snapshot}></vitrine-plan>
    </main>`;
  }

  /** The benchmark comes with its first visit. It measures alone: training waits meanwhile. */
  #bench(): TemplateResult {
    this.#load('bench');
    return html`<main class="reading" @busy=${() => this.#hold(true)} @idle=${() => this.#hold(false)}>
      <vitrine-bench></vitrine-bench>
    </main>`;
  }

  #selfTest(): TemplateResult {
    this.#load('self-test');
    return html`<main class="reading" @busy=${() => this.#hold(true)} @idle=${() => this.#hold(false)}>
      <vitrine-self-test></vitrine-self-test>
    </main>`;
  }

  #hold(busy: boolean): void {
    const { session } = this;
    if (!session) return;
    if (busy) {
      this.#held = session.training.isRunning;
      if (this.#held) void session.training.pause();
    } else if (this.#held) {
      this.#held = false;
      void session.training.start();
    }
  }

  /** Whoever looks at a changed copy is told so, and how to get back. */
  #copyBanner(): TemplateResult | typeof nothing {
    const words = this.#words;
    const { say } = words;
    const whatIf = this.snapshot?.choices.whatIf;
    if (!whatIf) return nothing;
    const what =
      whatIf.kind === 'randomised'
        ? whatIf.layers === 1
          ? say.copyRandomisedTop
          : say.copyRandomised(words.whole(whatIf.layers))
        : whatIf.kind === 'attacked'
          ? say.copyAttacked(String(whatIf.epsilon), whatIf.method.toUpperCase())
          : say.copyAblated(whatIf.layer, words.whole(whatIf.unit));
    return html`<p class="copy" role="status">
      <strong>${say.copyTitle}</strong> ${what}
      ${
        whatIf.kind === 'attacked'
          ? html`<label class="number"
              >ε
              <input
                type="range"
                min="0.01"
                max=${MOST_EPSILON}
                step="0.01"
                aria-label=${say.epsilonLabel}
                .value=${String(whatIf.epsilon)}
                @change=${({ target }: Event) => {
                  this.#speaker?.send({
                    do: 'choose',
                    choices: { whatIf: { ...whatIf, epsilon: Number((target as HTMLInputElement).value) } },
                  });
                }}
            /></label>`
          : nothing
      }
      <button @click=${() => this.#restore()}>${say.copyRestore}</button>
    </p>`;
  }

  /** Who was in the banner, which goes, finds himself where the copy was chosen. */
  #restore(): void {
    const within = this.shadowRoot?.activeElement?.closest('.copy');
    this.#speaker?.send({ do: 'choose', choices: { whatIf: undefined } });
    if (within) void this.updateComplete.then(() => this.renderRoot.querySelector('studio-why')?.focusWhatIf());
  }

  /** Whoever looks at what was recorded is told so. */
  #recordedBanner(): TemplateResult | typeof nothing {
    const { recorded } = this.snapshot ?? {};
    if (!recorded) return nothing;
    const { say } = this.#words;
    const steps = this.#words.list(recorded.steps.map((step) => this.#words.whole(step)));
    return html`<p class="copy" role="status"><span><strong>${say.recordedTitle}</strong> ${say.recordedWords(steps, recorded.adapter)}</span></p>`;
  }

  // ---- the address ---------------------------------------------------------------------------------------------------------------

  #take(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    const { session } = this;
    if (!session) return;
    // The cards of cells come with the first pictures that can be pointed at.
    if (snapshot.prediction) void import('./point/index.ts').catch((error) => session.send({ do: 'report', error }));
    const now = performance.now();
    // While training runs, too, though seldom: a page that is loaded anew goes on from about where it was.
    if (snapshot.replayTo === undefined && snapshot.shown && (!snapshot.running || now - this.#wroteAt > WRITE_MILLISECONDS)) {
      this.#wroteAt = now;
      this.#write(false);
    }
    if (snapshot.running !== this.#wasRunning) {
      this.#wasRunning = snapshot.running;
      const { say } = this.#words;
      const stopped = snapshot.finished ? say.announceFinished : say.announcePaused(this.#words.whole(snapshot.step));
      this.#announce(snapshot.running ? say.announceRunning : stopped);
    }
  }

  /** Something was chosen: Back will undo it. */
  #chosen(what: string): void {
    const now = performance.now();
    const together = what.startsWith('example') && what === this.#chose && now - this.#chosenAt < TOGETHER_MILLISECONDS;
    this.#chose = what;
    this.#sought = what === 'tensor';
    this.#chosenAt = now;
    // Of a run in training the address is a little old: Back leads to where it is left.
    if (what === 'data') this.#write(false);
    this.#write(!together);
  }

  #write(asStep: boolean): void {
    const hash = this.#speaker?.hash;
    if (hash === undefined || this.embedded || (location.hash === hash && !asStep)) return;
    if (asStep) history.pushState(history.state, '', hash);
    else history.replaceState(history.state, '', hash);
  }

  // ---- saying --------------------------------------------------------------------------------------------------------------------

  #announceEpoch(): void {
    const row = this.snapshot?.shown?.history.epochs.at(-1);
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

  // ---- the keyboard --------------------------------------------------------------------------------------------------------------

  /** Shortcuts act outside text fields and the widgets that use the key, and not with a modifier. */
  #press(event: KeyboardEvent): void {
    const path = event.composedPath();
    const [target] = path;
    const { snapshot } = this;
    const session = this.#speaker;
    if (event.key === 'Tab') this.#pointed = false;
    if (!session || !snapshot || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!shortcutsWanted()) return;
    if (
      target instanceof HTMLElement &&
      (target.isContentEditable || target.matches('input:not([type=radio], [type=checkbox], [type=range]), textarea, select'))
    )
      return;
    if (path.some((each) => each instanceof HTMLDialogElement)) return;
    // Who reached a control by keyboard means that control, and whoever reads code means its scroll bar.
    const own = target instanceof HTMLElement && !this.#pointed && target.matches('button, summary, a, input');
    const scrolls = target instanceof HTMLElement && target.matches('pre, .table');
    const { example, cell, pixel, tensor, whatIf } = snapshot.choices;
    const size = snapshot.test?.size ?? 1;
    const go = (by: number): void => {
      if (example.kind === 'drawn') return;
      session.send({ do: 'choose', choices: { example: { kind: 'test', index: (example.index + by + size) % size } } });
    };
    if (event.key === ' ' && !own && !event.repeat) session.send({ do: 'toggle' });
    else if (event.key === 'ArrowRight' && !scrolls && !(target instanceof HTMLInputElement)) void this.#single();
    else if (event.key.toLowerCase() === 'r' && !event.repeat) session.send({ do: 'reset' });
    else if (event.key === '[') go(-1);
    else if (event.key === ']') go(1);
    else if (/^\d$/.test(event.key) && Number(event.key) < (snapshot.test?.classes?.length ?? 0)) {
      session.send({ do: 'choose', choices: { target: Number(event.key) } });
    } else if (event.key === 'Escape' && this.renderRoot.querySelector('studio-why')?.stopPainting()) {
      // The challenge is over.
    } else if (event.key === 'Escape' && whatIf) this.#restore();
    else if (event.key === 'Escape' && (cell || pixel !== undefined || tensor)) {
      session.send({ do: 'choose', choices: cell || pixel !== undefined ? { cell: undefined, pixel: undefined } : { tensor: undefined } });
    } else return;
    event.preventDefault();
  }

  async #single(): Promise<void> {
    const { session } = this;
    if (!session) {
      this.#speaker?.send({ do: 'step' });
      return;
    }
    await session.training.single();
    const loss = session.training.run?.history.loss.last;
    if (loss !== undefined) this.#announce(this.#words.say.announceStep(this.#words.whole(session.training.step), this.#words.small(loss)));
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        display: grid;
        grid-template: auto auto minmax(0, 1fr) auto / minmax(0, 1fr);
        min-height: 100vh;
        min-height: 100dvh;
      }

      studio-header {
        grid-row: 1;
      }

      .notices {
        grid-row: 2;
        min-width: 0;
      }

      .copy {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 0.75rem;
        align-items: center;
        margin: 0;
        padding: 0.125rem 0.75rem;
        border-bottom: 1px solid var(--hold);
        background: color-mix(in srgb, var(--hold) 14%, var(--paper));
        font-size: 0.875rem;
      }

      .copy label {
        display: inline-flex;
        gap: 0.5rem;
        align-items: center;
      }

      .copy input {
        width: 10rem;
        min-height: 2.25rem;
        padding: 0;
        accent-color: var(--ink);
      }

      .copy button {
        min-height: 2.25rem;
        margin-left: auto;
        font-size: 0.8125rem;
      }

      main {
        grid-row: 3;
      }

      studio-time {
        grid-row: 4;
      }

      main:not(.reading) {
        display: grid;
        grid-template-columns: 18.5rem minmax(0, 1fr);
        min-height: 0;
      }

      .region {
        min-width: 0;
        padding: 0.625rem 0.875rem 0.75rem;
      }

      .centre {
        display: flex;
        flex-direction: column;
        min-width: 0;
        border-left: 1px solid var(--line);
      }

      studio-network {
        border-bottom: 1px solid var(--line);
      }

      details {
        border-top: 1px solid var(--line);
      }

      tensor-inspector {
        display: none;
        border-left: 1px solid var(--line);
      }

      main.inspecting {
        grid-template-columns: 18.5rem minmax(0, 1fr) 20rem;
      }

      .inspecting tensor-inspector {
        display: block;
      }

      .reading {
        display: grid;
        gap: 2.5rem;
        width: min(80rem, 100%);
        margin: 0 auto;
        padding: 1.5rem clamp(0.75rem, 3vw, 2rem) 3rem;
        overflow: auto;
      }

      /* The workspace fills the window; its regions scroll by themselves where they must. */
      @media (min-width: 1024px) and (min-height: 640px) {
        :host {
          position: relative;
          height: 100vh;
          height: 100dvh;
          /* Not hidden: that can still be scrolled, by what brings a card or a focus into view. */
          overflow: clip;
        }

        /* What is only to be heard stays within, too, though it is placed absolutely. */
        studio-example,
        .centre,
        tensor-inspector {
          position: relative;
          overflow: auto;
        }
      }

      /* More is shown, not larger. */
      @media (min-width: 1800px) {
        main:not(.reading) {
          grid-template-columns: 24rem minmax(0, 1fr) 28rem;
        }

        main tensor-inspector {
          display: block;
        }
      }

      @media (max-width: 719px), (pointer: coarse) {
        .copy input,
        .copy button {
          min-height: 44px;
        }
      }

      @media (max-width: 1023px) {
        :host {
          min-height: 0;
        }

        main:not(.reading),
        main.inspecting {
          grid-template-columns: minmax(0, 1fr);
        }

        .centre,
        tensor-inspector {
          border-left: 0;
          border-top: 1px solid var(--line);
        }

        .region {
          padding-inline: 0.75rem;
        }

        studio-time {
          position: sticky;
          bottom: 0;
          z-index: 2;
          min-width: 0;
        }
      }
    `,
  ];
}

export { CommandEvent };
