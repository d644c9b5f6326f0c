import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from 'lit';
import type { Device } from '../engine/index.ts';
import { pace } from './adapter.ts';
import { Drawing } from './drawing.ts';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import { HIDDEN_UNITS, type Run, type Training } from './training.ts';
import { GAP, type PictureView, UnitPictures } from './unit-pictures.ts';
import { gradientOf, weightColors } from './weight-colors.ts';

const FIRST_WEIGHT = 'dense_1/weight';
/** Least time between two drawings while training runs; weights change slowly. */
const DRAW_MILLISECONDS = 80;
/** How often the end of the scale is read, to print it. */
const READ_MILLISECONDS = 1000;
/** Below this width, in CSS pixels, the grid is 8 units wide instead of 16. */
const NARROW = 520;
const INK_ON_LIGHT = Uint8Array.of(27, 32, 39, 255);
const INK_ON_DARK = Uint8Array.of(233, 230, 223, 255);

/** The first layer: each hidden unit's weights as an image, drawn on the GPU from the buffer that is being trained. */
export class VitrineWeights extends LitElement {
  static override properties: PropertyDeclarations = {
    training: { attribute: false },
    perFrame: { state: true },
    pointed: { state: true },
    columns: { state: true },
    limits: { state: true },
  };

  declare training: Training | undefined;
  declare perFrame: boolean;
  /** Unit under the pointer. */
  declare pointed: number | undefined;
  /** Units in a row. */
  declare columns: number;
  /** Where the scale ends, as read last. */
  declare limits: { readonly now: number; readonly ofRun: number } | undefined;

  readonly #words = new Words(this);
  readonly #drawing = new Drawing(this, () => this.#draw());
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  #pictures: UnitPictures | undefined;
  #device: Device | undefined;
  #run: Run | undefined;
  #resize: ResizeObserver | undefined;
  #readAt = 0;
  #reading = false;
  #stale = false;
  #readTimer: ReturnType<typeof setTimeout> | undefined;

  /** Whether the colours on the GPU are those for dark paper. */
  #coloredDark: boolean | undefined;

  readonly #recolor = (): void => {
    this.requestUpdate();
    this.#drawing.request();
  };

  constructor() {
    super();
    this.training = undefined;
    this.perFrame = false;
    this.pointed = undefined;
    this.columns = 16;
    this.limits = undefined;
    const request = (): void => this.#drawing.request();
    const follow = (): void => this.#drawing.requestAtPace(pace(this.training?.device, DRAW_MILLISECONDS));
    new Follow(this, { on: { steps: follow, change: request, reset: () => this.#begin() } });
  }

  override render(): TemplateResult {
    const { say, small, whole } = {
      say: this.#words.say,
      small: (n: number) => this.#words.small(n),
      whole: (n: number) => this.#words.whole(n),
    };
    const limit = this.perFrame ? this.limits?.now : this.limits?.ofRun;
    const end = limit ? Number(limit.toPrecision(2)).toString() : undefined;
    const choice = (label: string, value: boolean): TemplateResult => html`
      <label><input type="radio" name="scale" .checked=${this.perFrame === value} @change=${() => this.#choose(value)} />${label}</label>
    `;
    const rows = Math.ceil(HIDDEN_UNITS / this.columns);
    const { width, height } = this.#image;
    const ratio = `${this.columns * (width + GAP) - GAP} / ${rows * (height + GAP) - GAP}`;
    return html`
      <h2>${say.weights}</h2>
      <p class="caption">${say.weightsCaption(whole(HIDDEN_UNITS))}</p>
      <canvas
        role="img"
        aria-label=${say.weightsLabel(whole(HIDDEN_UNITS), limit === undefined ? '–' : small(limit))}
        style=${`aspect-ratio: ${ratio}`}
        @pointermove=${(event: PointerEvent) => this.#point(event)}
        @pointerleave=${() => this.#leave()}
      ></canvas>
      <div class="scale">
        <div class="bar">
          <span class="gradient" style=${`background: ${gradientOf(weightColors(this.#dark.matches))}`}></span>
          <span class="ends number">
            <span>${end === undefined ? nothing : `−${end}`} <small>${say.scaleNegative}</small></span>
            <span>0</span>
            <span>${end === undefined ? nothing : `+${end}`} <small>${say.scalePositive}</small></span>
          </span>
        </div>
        <fieldset class="choice">
          <legend class="hidden">${say.colorScale}</legend>
          ${choice(say.scaleFixed, false)}${choice(say.scaleFrame, true)}
        </fieldset>
        <span class="note unit number">${this.pointed === undefined ? nothing : say.unit(whole(this.pointed))}</span>
      </div>
      <p class="note">${say.weightsOrigin}</p>
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#dark.addEventListener('change', this.#recolor);
    if (this.hasUpdated) this.#watchSize();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#dark.removeEventListener('change', this.#recolor);
    this.#resize?.disconnect();
    clearTimeout(this.#readTimer);
    this.#pictures?.dispose();
    this.#pictures = undefined;
    this.#device = undefined;
  }

  protected override firstUpdated(): void {
    this.#watchSize();
  }

  protected override updated(changed: PropertyValues<this>): void {
    this.#follow();
    if (changed.has('perFrame') || changed.has('pointed') || changed.has('columns')) this.#drawing.request();
  }

  get #canvas(): HTMLCanvasElement {
    return this.renderRoot.querySelector('canvas') as HTMLCanvasElement;
  }

  get #image(): { readonly height: number; readonly width: number } {
    const [height = 28, width = 28] = this.training?.data?.train.inputShape ?? [];
    return { height, width };
  }

  #watchSize(): void {
    this.#resize = new ResizeObserver(([entry]) => {
      const width = entry?.contentRect.width ?? 0;
      if (width === 0) return;
      this.columns = width < NARROW ? 8 : 16;
      // The height follows from the shape of the grid, which may change with the width just now.
      void this.updateComplete.then(() => this.#fit());
    });
    this.#resize.observe(this.#canvas);
  }

  /** A canvas pixel is a device pixel. */
  #fit(): void {
    const canvas = this.#canvas;
    const { width, height } = canvas.getBoundingClientRect();
    const [w, h] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    this.#drawing.request();
  }

  /** Stands by a new device or a new network. */
  #follow(): void {
    const { device, run } = this.training ?? {};
    if (device && device !== this.#device) {
      this.#pictures?.dispose();
      const pictures = new UnitPictures(device, this.#canvas);
      this.#pictures = pictures;
      this.#coloredDark = undefined;
      this.#device = device;
      this.#run = undefined;
      pictures
        .rebuild()
        .then(() => this.#recolor())
        .catch((error) => {
          if (this.training && this.#pictures === pictures) this.training.report(error);
        });
    }
    if (run && run.model !== this.#run?.model && this.#pictures && run.model.device === this.#device) {
      this.#run = run;
      const weights = run.model.parameters.get(FIRST_WEIGHT);
      if (weights) this.#pictures.show(weights);
      this.#begin();
    }
  }

  /** A new run begins: its scale is not known yet. */
  #begin(): void {
    this.#pictures?.forget();
    this.#readAt = 0;
    this.#drawing.request();
  }

  #draw(): void {
    const view: PictureView = {
      ...this.#image,
      units: HIDDEN_UNITS,
      columns: this.columns,
      perFrame: this.perFrame,
      marked: this.pointed,
      frame: this.#dark.matches ? INK_ON_DARK : INK_ON_LIGHT,
    };
    try {
      if (this.#coloredDark !== this.#dark.matches) {
        this.#coloredDark = this.#dark.matches;
        this.#pictures?.setColors(weightColors(this.#dark.matches).table);
      }
      if (this.#pictures?.draw(view)) this.#readSoon();
    } catch {
      // The device is gone; its replacement asks for another drawing.
    }
  }

  /** Prints the end of the scale, a second late at most. */
  #readSoon(): void {
    this.#stale = true;
    if (this.#reading || this.#readTimer !== undefined) return;
    const wait = Math.max(0, READ_MILLISECONDS - (performance.now() - this.#readAt));
    this.#readTimer = setTimeout(() => {
      this.#readTimer = undefined;
      void this.#read();
    }, wait);
  }

  async #read(): Promise<void> {
    if (!this.#pictures) return;
    this.#reading = true;
    this.#stale = false;
    this.#readAt = performance.now();
    try {
      this.limits = await this.#pictures.readLimits();
    } catch {
      // Read again after the next drawing.
    } finally {
      this.#reading = false;
      // Something was drawn while the last value was on its way.
      if (this.#stale) this.#readSoon();
    }
  }

  #choose(perFrame: boolean): void {
    this.perFrame = perFrame;
  }

  #point(event: PointerEvent): void {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const rows = Math.ceil(HIDDEN_UNITS / this.columns);
    const column = Math.floor(((event.clientX - left) / width) * this.columns);
    const row = Math.floor(((event.clientY - top) / height) * rows);
    const inside = column >= 0 && column < this.columns && row >= 0 && row < rows;
    this.pointed = inside ? row * this.columns + column : undefined;
  }

  #leave(): void {
    this.pointed = undefined;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      canvas {
        display: block;
        width: 100%;
        border-radius: 4px;
      }

      .scale {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.25rem 1.5rem;
        margin: 0.875rem 0 0.25rem;
      }

      .bar {
        flex: 0 1 15rem;
        min-width: 13rem;
      }

      .gradient {
        display: block;
        height: 0.625rem;
        border-radius: 3px;
        box-shadow: inset 0 0 0 1px var(--line);
      }

      .ends {
        display: flex;
        justify-content: space-between;
        margin-top: 0.25rem;
        font-size: 0.8125rem;
      }

      small {
        color: var(--quiet);
        font-size: inherit;
      }

      .unit {
        margin-left: auto;
        font-size: 0.875rem;
      }
    `,
  ];
}
