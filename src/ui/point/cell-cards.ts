import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Model } from '../../engine/index.ts';
import { type CellDetail, TensorView } from '../maps/tensor-view.ts';
import { send } from '../session/commands.ts';
import type { Snapshot } from '../session/session.ts';
import { writeWhatIf } from '../session/what-if.ts';
import { shared } from '../shared-styles.ts';
import { seriesOf } from '../studio-network.ts';
import type { CellCard } from './cell-card.ts';
import { type PixelFacts, pixelFacts, type UnitFacts, unitFacts } from './facts.ts';
import { isPassing, LayerActivity, type TopExamples } from './layer-activity.ts';
import { type Pointed, pointedAt, samePointed, unitOf } from './pointed.ts';

const TOP = 5;
/** A pointer that only passes over a unit asks for no examples. */
const DWELL_MILLISECONDS = 200;
/** While training runs, examples are looked for at most this often. */
const EXAMPLES_MILLISECONDS = 8000;
/** A screen reader is told something new at most this often. */
const ANNOUNCE_MILLISECONDS = 1000;
/** From the pointer, and from the edges of the window. */
const [APART, EDGE] = [18, 8];

interface Shown {
  readonly about: Pointed;
  readonly locked: boolean;
}

/** What is known of a cell that is shown, and of which look. */
interface Known {
  looks: number;
  facts?: PixelFacts | UnitFacts;
  reading: boolean;
  top?: TopExamples;
  topOf?: string;
  topAt: number;
  finding: boolean;
  since: number;
}

/**
 * The cards of what is pointed at and what is locked. A card beside a mouse follows it; the keyboard's cursor and locked cells have theirs in a
 * fixed place. It listens to the page that it stands in: every picture tells there what is pointed at.
 *
 * @fires pointed - what the pointer or the cursor is on, `Pointed`, or undefined: it is outlined everywhere
 */
export class CellCards extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    hovered: { state: true },
    walked: { state: true },
    announcement: { state: true },
    front: { state: true },
    left: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  /** Under a mouse. */
  declare hovered: Pointed | undefined;
  /** Under the keyboard's cursor. */
  declare walked: Pointed | undefined;
  declare announcement: string;
  /** The cards stand on the left. */
  declare left: boolean;
  /** Of several cards in their place, the one that is unfolded: what was locked last, or is walked over. */
  declare front: Pointed | undefined;
  readonly #known = new Map<string, Known>();
  #activity: LayerActivity | undefined;
  #page: HTMLElement | undefined;
  #mouse: { readonly x: number; readonly y: number; readonly still: boolean } | undefined;
  #byKeyboard = false;
  /** There the cards stand in a corner; on a smaller screen they take its width. */
  readonly #large = matchMedia('(min-width: 1024px)');
  readonly #resize = (): void => this.requestUpdate();
  #told: Pointed | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  #sayLater: ReturnType<typeof setTimeout> | undefined;

  /** On a small screen the cards stand on the bar that holds the controls. */
  readonly #foot = new ResizeObserver(([entry]) => this.style.setProperty('--foot', `${entry?.borderBoxSize[0]?.blockSize ?? 0}px`));

  constructor() {
    super();
    this.snapshot = undefined;
    this.hovered = undefined;
    this.walked = undefined;
    this.announcement = '';
    this.left = false;
    this.front = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const root = this.getRootNode();
    this.#page = root instanceof ShadowRoot ? (root.host as HTMLElement) : undefined;
    this.#page?.addEventListener('cell-point', this.#onPoint);
    this.#page?.addEventListener('pointermove', this.#onMove, { capture: true, passive: true });
    this.#page?.addEventListener('keydown', this.#onKey, { capture: true });
    this.#page?.addEventListener('cell-lock', this.#onLock);
    const foot = root instanceof ShadowRoot ? root.querySelector('studio-time') : undefined;
    if (foot) this.#foot.observe(foot);
    this.#large.addEventListener('change', this.#resize);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#page?.removeEventListener('cell-point', this.#onPoint);
    this.#page?.removeEventListener('pointermove', this.#onMove, { capture: true });
    this.#page?.removeEventListener('keydown', this.#onKey, { capture: true });
    this.#page?.removeEventListener('cell-lock', this.#onLock);
    this.#foot.disconnect();
    this.#large.removeEventListener('change', this.#resize);
    this.#activity?.dispose();
    this.#activity = undefined;
    clearTimeout(this.#sayLater);
  }

  readonly #onMove = (event: PointerEvent): void => {
    this.#byKeyboard = false;
    this.#mouse = event.pointerType === 'touch' ? undefined : { x: event.clientX, y: event.clientY, still: event.buttons === 0 };
  };

  readonly #onKey = (): void => {
    this.#byKeyboard = true;
  };

  readonly #onPoint = (event: Event): void => {
    const path = event.composedPath();
    const [view] = path;
    // The pictures in the cards are not pointed at.
    if (!(view instanceof TensorView) || !this.snapshot || path.includes(this)) return;
    const { index } = (event as CustomEvent<CellDetail>).detail;
    const about = index === undefined ? undefined : pointedAt(view, index, this.snapshot);
    const focused = view.shadowRoot?.activeElement != null;
    const painting = path.some((each) => each instanceof Element && each.classList.contains('painting'));
    // While the input is painted over, the pictures have to be seen.
    const walking = focused && this.#byKeyboard && !painting;
    const [walked, hovered] = about === undefined ? [undefined, undefined] : walking ? [about, undefined] : [undefined, about];
    if (walked) this.#keepClear(view);
    if (!samePointed(walked, this.walked)) this.walked = walked;
    const card = this.#mouse?.still && !painting ? hovered : undefined;
    if (!samePointed(card, this.hovered)) this.hovered = card;
    if (samePointed(about, this.#told)) return;
    this.#told = about;
    this.dispatchEvent(new CustomEvent<Pointed | undefined>('pointed', { detail: about, bubbles: true, composed: true }));
  };

  readonly #onLock = (event: Event): void => {
    const [view] = event.composedPath();
    if (view instanceof TensorView && !event.composedPath().includes(this)) this.#keepClear(view);
  };

  /** The cards stand in the other half than the picture that they are about. */
  #keepClear(view: TensorView): void {
    const place = (this.#page?.shadowRoot?.querySelector('.centre') ?? this.parentElement)?.getBoundingClientRect();
    const { left, width } = view.getBoundingClientRect();
    if (place) this.left = left + width / 2 > place.left + place.width / 2;
  }

  // ---- what is shown -------------------------------------------------------------------------------------------------------------

  get #docked(): readonly Shown[] {
    const { snapshot, walked } = this;
    if (!snapshot) return [];
    const { pixel, cell } = snapshot.choices;
    const tensor = cell && snapshot.tensors.get(cell.tensor);
    const unit = cell && tensor && unitOf(cell.tensor, tensor, cell.index, snapshot);
    const locked: Shown[] = [];
    if (pixel !== undefined && pixel < (snapshot.example?.values.length ?? 0))
      locked.push({ about: { kind: 'pixel', index: pixel }, locked: true });
    if (unit) locked.push({ about: unit, locked: true });
    if (!walked || locked.some(({ about }) => samePointed(about, walked))) return locked;
    return [{ about: walked, locked: false }, ...locked];
  }

  get #floating(): Pointed | undefined {
    const { hovered } = this;
    return this.#docked.some(({ about }) => samePointed(about, hovered)) ? undefined : hovered;
  }

  /** What was not there before comes to the front. */
  #before: ReadonlySet<string> = new Set();

  protected override willUpdate(): void {
    const docked = this.#docked;
    const fresh = docked.find(({ about }) => !this.#before.has(keyOf(about)));
    this.#before = new Set(docked.map(({ about }) => keyOf(about)));
    if (fresh) this.front = fresh.about;
    else if (!docked.some(({ about }) => samePointed(about, this.front))) this.front = docked[0]?.about;
  }

  override render(): TemplateResult {
    const docked = this.#docked;
    const floating = this.#floating;
    return html`
      ${
        docked.length > 0
          ? html`<div class=${this.left ? 'docked left' : 'docked'}>
              ${repeat(
                docked,
                ({ about }) => keyOf(about),
                (shown) => this.#card(shown, false),
              )}
            </div>`
          : nothing
      }
      ${floating ? html`<div class="floating" aria-hidden="true">${this.#card({ about: floating, locked: false }, true)}</div>` : nothing}
      <p class="hidden" aria-live="polite">${this.announcement || nothing}</p>
    `;
  }

  #card({ about, locked }: Shown, floating: boolean): TemplateResult {
    const known = this.#known.get(keyOf(about));
    return html`<cell-card
      .snapshot=${this.snapshot}
      .about=${about}
      .facts=${known?.facts}
      .top=${known?.top}
      ?locked=${locked}
      ?floating=${floating}
      ?compact=${floating || this.#large.matches}
      ?folded=${!floating && !samePointed(about, this.front)}
      @card-unfold=${() => {
        this.front = about;
      }}
      @card-free=${() => send(this, { do: 'choose', choices: about.kind === 'pixel' ? { pixel: undefined } : { cell: undefined } })}
      @card-example=${(event: CustomEvent<number>) => send(this, { do: 'choose', choices: { example: { kind: 'test', index: event.detail } } })}
    ></cell-card>`;
  }

  protected override updated(): void {
    const docked = this.#docked;
    const floating = this.#floating;
    const shown = [...docked.map(({ about }) => about), ...(floating ? [floating] : [])];
    const keys = new Set(shown.map(keyOf));
    for (const key of this.#known.keys()) if (!keys.has(key)) this.#known.delete(key);
    for (const about of shown) this.#read(about, about === floating);
    const box = this.renderRoot.querySelector<HTMLElement>('.floating');
    if (box && this.#mouse) place(box, this.#mouse);
    this.#say();
  }

  /** Tells of the cell under the keyboard's cursor, once what is known of it is here. */
  #say(): void {
    clearTimeout(this.#sayLater);
    const { walked } = this;
    if (!walked) return;
    this.#sayLater = setTimeout(
      () => {
        const card = this.renderRoot.querySelector<CellCard>('.docked cell-card');
        const spoken = card && samePointed(card.about, walked) ? card.spoken : '';
        if (spoken === '' || spoken === this.announcement) return;
        this.#saidAt = performance.now();
        this.announcement = spoken;
      },
      Math.max(0, ANNOUNCE_MILLISECONDS - (performance.now() - this.#saidAt)),
    );
  }

  // ---- reading -------------------------------------------------------------------------------------------------------------------

  /** Reads what a card says, anew after each look; one read of a cell at a time. */
  #read(about: Pointed, floating: boolean): void {
    const { snapshot } = this;
    if (!snapshot) return;
    const key = keyOf(about);
    let known = this.#known.get(key);
    if (!known) {
      known = { looks: -1, reading: false, finding: false, topAt: Number.NEGATIVE_INFINITY, since: performance.now() };
      this.#known.set(key, known);
    }
    if (!known.reading && known.looks !== snapshot.looks) void this.#readFacts(known, about, snapshot);
    if (about.kind === 'unit') this.#findTop(known, about, floating);
  }

  async #readFacts(known: Known, about: Pointed, snapshot: Snapshot): Promise<void> {
    const { device } = snapshot;
    known.reading = true;
    known.looks = snapshot.looks;
    try {
      const facts =
        about.kind === 'pixel'
          ? await pixelFacts(device, snapshot, about.index)
          : await unitFacts(device, snapshot, about.layer, about.unit);
      if (facts) known.facts = facts;
    } catch (error) {
      if (!isPassing(error)) send(this, { do: 'report', error });
    } finally {
      known.reading = false;
      // Training was held up by as much: the meter is to know.
      if (snapshot.running) this.dispatchEvent(new Event('watched', { bubbles: true, composed: true }));
      this.requestUpdate();
    }
  }

  #findTop(known: Known, about: Extract<Pointed, { kind: 'unit' }>, floating: boolean): void {
    const { snapshot } = this;
    const { subject, test } = snapshot ?? {};
    if (!snapshot?.run || !subject || !test || known.finding) return;
    const whatIf = subject === snapshot.run?.model ? '' : snapshot.choices.whatIf && writeWhatIf(snapshot.choices.whatIf);
    const life = `${seriesOf(snapshot)} ${whatIf}`;
    const of = `${life} ${snapshot.step}`;
    if (known.topOf === of) return;
    const now = performance.now();
    const wait = Math.max(
      floating && !known.top ? DWELL_MILLISECONDS - (now - known.since) : 0,
      snapshot.running ? EXAMPLES_MILLISECONDS - (now - known.topAt) : 0,
    );
    if (wait > 0) {
      // While training runs the next look asks again; a pointer that rests is waited for.
      if (!snapshot.running || !known.top) setTimeout(() => this.requestUpdate(), wait);
      return;
    }
    if (this.#activity?.model !== subject || this.#activity.test !== test) {
      this.#activity?.dispose();
      this.#activity = new LayerActivity(subject as Model, test);
    }
    known.finding = true;
    known.topOf = of;
    known.topAt = now;
    this.#activity
      .topOf(about.layer, about.unit, TOP, life)
      .then(
        (top) => {
          if (top) known.top = top;
        },
        (error) => {
          if (!isPassing(error)) send(this, { do: 'report', error });
        },
      )
      .finally(() => {
        known.finding = false;
        this.dispatchEvent(new Event('watched', { bubbles: true, composed: true }));
        this.requestUpdate();
      });
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        display: contents;
      }

      .docked {
        position: sticky;
        z-index: 1;
        bottom: 0;
        display: flex;
        flex: none;
        flex-direction: column;
        gap: 0.125rem;
        align-self: end;
        width: 20rem;
        max-width: 100%;
        max-height: 75%;
        margin: auto 0.5rem 0 0;
        padding: 0.25rem 0.75rem 0.375rem;
        border: 1px solid var(--edge);
        border-bottom-width: 0;
        border-radius: 10px 10px 0 0;
        background: var(--sheet);
        box-shadow: 0 4px 16px rgb(0 0 0 / 14%);
        overflow: auto;
      }

      .docked.left {
        align-self: start;
        margin: auto 0 0 0.5rem;
      }

      .docked cell-card {
        flex: none;
        min-width: 0;
      }

      .floating {
        position: fixed;
        z-index: 10;
        top: 0;
        left: 0;
        width: 19rem;
        max-width: calc(100vw - 1rem);
        padding: 0.5rem 0.625rem 0.625rem;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
        box-shadow: 0 4px 16px rgb(0 0 0 / 18%);
        pointer-events: none;
      }

      /* The page scrolls as a whole, over the bar that holds the controls. */
      @media (max-width: 1023px) {
        .docked,
        .docked.left {
          position: fixed;
          right: 0;
          bottom: var(--foot, 0);
          left: 0;
          width: auto;
          margin: 0;
          border-width: 1px 0 0;
          border-radius: 0;
          box-shadow: none;
          max-height: 38vh;
        }
      }
    `,
  ];
}

const keyOf = (about: Pointed): string => (about.kind === 'pixel' ? `pixel ${about.index}` : `unit ${about.layer} ${about.unit}`);

/** Beside the pointer, on the side where there is room. */
function place(box: HTMLElement, mouse: { readonly x: number; readonly y: number }): void {
  const { width, height } = box.getBoundingClientRect();
  const left = mouse.x + APART + width + EDGE > innerWidth ? mouse.x - APART - width : mouse.x + APART;
  const top = Math.min(mouse.y + APART, innerHeight - height - EDGE);
  box.style.transform = `translate(${Math.max(EDGE, left)}px, ${Math.max(EDGE, top)}px)`;
}
