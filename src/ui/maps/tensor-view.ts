import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  svg,
  type TemplateResult,
} from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { type ColorMap, colorOf, type Limits, limitsOf, viridis } from '../../data/index.ts';
import type { Device, Tensor } from '../../engine/index.ts';
import { CHALK, INK } from '../ink.ts';
import { Words } from '../language.ts';
import { isDark, whenSchemeChanges } from '../scheme.ts';
import { shared } from '../shared-styles.ts';
import { tokens } from '../tokens.ts';
import { gradientOf, weightColors } from '../weight-colors.ts';
import { arrange, extent, indexAt, type Picture, type Place, placeOfIndex } from './arrange.ts';
import { type Ends, type MapPainter, type PaintedMap, type PainterView, painterOf } from './map-painter.ts';

/** Values on the CPU, drawn without a GPU. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** The training step that they are of, where they are of one. */
  readonly step?: number | undefined;
}

export interface CellDetail {
  /** Index of the value in the tensor, row-major; undefined when the pointer has left. */
  readonly index: number | undefined;
  readonly value: number | undefined;
}

/** Values that a screen reader is told of each sign. */
const TOP = 3;
/** Largest tensor that is read whole for its text twin, in values: 4 MB. */
const MOST_READ = 2 ** 20;
/** Share of the rows, from the top, in which a tag stands under its cell: above it would cover the heading. */
const TOP_ROWS = 0.18;

/**
 * A tensor as a picture, drawn by the GPU from the tensor's own buffer, or by the CPU from an array.
 *
 * Its cells can be pointed at, walked with the arrow keys, and locked with a click or Enter; Esc frees. Signed values are drawn in blue and
 * orange about 0, magnitudes in viridis from 0 up; the ends of the scale are printed.
 *
 * @tagname tensor-view
 * @fires {CustomEvent<CellDetail>} cell-point - the cell under the pointer or the keyboard's cursor
 * @fires {CustomEvent<CellDetail>} cell-lock - a cell was clicked or chosen with Enter
 * @fires {CustomEvent<CellDetail>} cell-free - Esc, or the locked cell was clicked
 * @fires {CustomEvent<Ends>} scale-end - where its own scale ends has changed
 */
export class TensorView extends LitElement implements PainterView {
  static override properties: PropertyDeclarations = {
    device: { attribute: false },
    tensor: { attribute: false },
    values: { attribute: false },
    image: { attribute: false, hasChanged: (now?: readonly number[], before?: readonly number[]) => now?.join() !== before?.join() },
    columns: { type: Number },
    planes: { type: Boolean },
    only: { type: Number },
    signed: { type: Boolean },
    perFrame: { type: Boolean },
    limit: { type: Number },
    series: {},
    looks: { type: Number },
    still: { type: Boolean },
    step: { type: Number },
    label: {},
    ink: { type: Boolean },
    bare: { type: Boolean },
    locked: { type: Number },
    outlined: { type: Number },
    marked: { attribute: false },
    names: { attribute: false },
    pointed: { state: true },
    ends: { state: true },
    drawnStep: { state: true },
    read: { state: true },
  };

  /** The device of the tensor; not needed for an array. */
  declare device: Device | undefined;
  /** What is drawn: a tensor on the GPU, from its own buffer, or an array with its shape. */
  declare tensor: Tensor | Values | undefined;
  /** A copy of the tensor's values, where its owner has one: they are then not read from the GPU. */
  declare values: Float32Array | undefined;
  /** Each column is an image of this height and width. */
  declare image: readonly [height: number, width: number] | undefined;
  /** The last two axes are a picture each, as of attention [heads, queries, keys]. */
  declare planes: boolean;
  /** Tiles in a row, where there are several. */
  declare columns: number | undefined;
  /** Only this tile of several. */
  declare only: number | undefined;
  /** Drawn in blue and orange about 0, instead of in viridis from 0 up. */
  declare signed: boolean;
  /** The scale fits what is drawn now; the widest of the series otherwise. */
  declare perFrame: boolean;
  /** Where the scale ends, where another picture shares it; its own end where undefined. */
  declare limit: number | undefined;
  /** Pictures of one series share a scale. */
  declare series: string;
  /** Draws anew when this changes. */
  declare looks: number;
  /** Nothing changes on the GPU for now, so that it may be read. */
  declare still: boolean;
  /** The training step of what is drawn, where the tensor does not say it itself. */
  declare step: number | undefined;
  /** What it shows, for those who cannot see it. */
  declare label: string;
  /** Drawn as ink on paper instead of in colours: an input image. */
  declare ink: boolean;
  /** Only the picture, without the scale under it. */
  declare bare: boolean;
  /** The cell that is locked, by its index: it is outlined and its value is printed. */
  declare locked: number | undefined;
  /** A cell that is pointed at in another view. */
  declare outlined: number | undefined;
  /** Cells that are hatched, such as those that were painted over. */
  declare marked: readonly number[];
  /** Names of the values, such as the columns of a table. */
  declare names: readonly string[] | undefined;
  /** @internal */
  declare pointed: { readonly index: number; readonly value: number | undefined } | undefined;
  /** @internal */
  declare ends: Ends | undefined;
  /**
   * The training step of the picture on screen.
   *
   * @internal
   */
  declare drawnStep: number | undefined;
  /**
   * The values as they were read last, for the text twin.
   *
   * @internal
   */
  declare read: Float32Array | undefined;

  readonly #words = new Words(this);
  #painter: MapPainter | undefined;
  #observer: IntersectionObserver | undefined;
  #visible = false;
  #picture: Picture | undefined;
  #pointing = 0;
  #lockedValue: number | undefined;
  /** Of the values that were read last. */
  #standOut: { readonly of: Float32Array; readonly high: readonly Found[]; readonly low: readonly Found[] } | undefined;

  constructor() {
    super();
    whenSchemeChanges(this, () => {
      this.requestUpdate();
      this.#draw();
    });
    this.device = undefined;
    this.tensor = undefined;
    this.values = undefined;
    this.image = undefined;
    this.columns = undefined;
    this.planes = false;
    this.only = undefined;
    this.signed = false;
    this.perFrame = false;
    this.limit = undefined;
    this.series = '';
    this.looks = 0;
    this.still = false;
    this.step = undefined;
    this.label = '';
    this.ink = false;
    this.bare = false;
    this.locked = undefined;
    this.outlined = undefined;
    this.marked = [];
    this.names = undefined;
    this.pointed = undefined;
    this.ends = undefined;
    this.drawnStep = undefined;
    this.read = undefined;
  }

  // ---- for the painter -----------------------------------------------------------------------------------------------------------

  /** @internal */
  get canvas(): HTMLCanvasElement {
    return this.renderRoot.querySelector('canvas') as HTMLCanvasElement;
  }

  /** @internal */
  map(): PaintedMap | undefined {
    const { tensor } = this;
    if (!tensor || !onGpu(tensor) || !this.#picture) return undefined;
    const { table } = this.#colors;
    return { tensor, picture: this.#picture, signed: this.signed, perFrame: this.perFrame, limit: this.limit, colors: table };
  }

  /** @internal */
  painted(step: number | undefined): void {
    if (this.drawnStep !== step) this.drawnStep = step;
  }

  /** @internal */
  ended(ends: Ends): void {
    if (ends.now === this.ends?.now && ends.ofRun === this.ends.ofRun) return;
    this.ends = ends;
    this.dispatchEvent(new CustomEvent<Ends>('scale-end', { detail: ends, bubbles: true, composed: true }));
  }

  // ---- drawing -------------------------------------------------------------------------------------------------------------------

  get #colors(): ColorMap {
    if (this.ink) return inkColors(isDark(this));
    return this.signed ? weightColors(isDark(this)) : viridis;
  }

  /** Where the scale that is drawn to ends; undefined until it is known. */
  get end(): number | undefined {
    return this.limit ?? (this.perFrame ? this.ends?.now : this.ends?.ofRun);
  }

  #draw(): void {
    const { tensor } = this;
    if (!tensor || !this.hasUpdated) return;
    if (onGpu(tensor)) this.#painter?.request(this);
    else if (this.#visible) this.#drawHere(tensor);
  }

  /** Without a GPU. */
  #drawHere({ values }: Values): void {
    const picture = this.#picture;
    if (!picture) return;
    const { width, height } = extent(picture);
    const { canvas } = this;
    canvas.width = width;
    canvas.height = height;
    const map = this.#colors;
    const { limit } = this;
    const limits: Limits = limit === undefined || this.ink ? this.#limitsHere(values) : [this.signed ? -limit : 0, limit];
    const image = new ImageData(width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const index = indexAt(picture, { x, y });
        if (index === undefined) continue;
        image.data.set([...colorOf(values[index] as number, map, limits), 255], 4 * (y * width + x));
      }
    }
    canvas.getContext('2d')?.putImageData(image, 0, 0);
  }

  #limitsHere(values: Float32Array): Limits {
    return this.ink ? [0, 1] : limitsOf(values, this.#colors);
  }

  // ---- life ----------------------------------------------------------------------------------------------------------------------

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer = new IntersectionObserver((entries) => {
      this.#visible = entries.at(-1)?.isIntersecting ?? false;
      this.#painter?.show(this, this.#visible);
      if (this.#visible) this.#draw();
      // What is said of it: off screen nothing is drawn, and what was drawn last is not what it shows now.
      this.requestUpdate();
    });
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#painter?.remove(this);
    this.#painter = undefined;
    this.#visible = false;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { tensor } = this;
    if (changed.has('tensor') || changed.has('image') || changed.has('planes') || changed.has('columns') || changed.has('only')) {
      const { image, planes, columns, only } = this;
      const options = {
        ...(image ? { image } : {}),
        ...(planes ? { planes } : {}),
        ...(columns ? { columns } : {}),
        ...(only === undefined ? {} : { only }),
      };
      this.#picture = tensor ? arrange(tensor.shape, options) : undefined;
    }
    if (changed.has('looks') || changed.has('tensor') || changed.has('values')) {
      this.read = tensor && !onGpu(tensor) ? tensor.values : this.values;
      if (tensor && !onGpu(tensor)) {
        const [, end] = this.#limitsHere(tensor.values);
        this.ended({ now: end, ofRun: end });
      }
    }
    if (changed.has('locked')) this.#lockedValue = undefined;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const { tensor, device } = this;
    if (tensor && onGpu(tensor) && device && this.isConnected) {
      const painter = painterOf(device);
      if (painter !== this.#painter) {
        this.#painter?.remove(this);
        this.#painter = painter;
        painter.add(this);
        painter.show(this, this.#visible);
      }
    } else if (this.#painter) {
      this.#painter.remove(this);
      this.#painter = undefined;
    }
    const drawn = ['tensor', 'looks', 'signed', 'perFrame', 'limit', 'ink', 'image', 'planes', 'columns', 'only', 'device'] as const;
    // Switched on again, the fixed scale begins with what is drawn: one extreme value must not spoil it for good.
    const anew = changed.get('perFrame') === true && !this.perFrame;
    if (anew || (changed.has('series') && changed.get('series') !== '')) this.#painter?.forget(this);
    if (drawn.some((name) => changed.has(name))) this.#draw();
    if (changed.has('looks') || changed.has('still') || changed.has('tensor')) void this.#readTwin();
    if ((changed.has('looks') || changed.has('locked')) && this.locked !== undefined) void this.#readLocked(this.locked);
    if (changed.has('looks') && this.pointed) void this.#point(this.pointed.index);
  }

  // ---- values --------------------------------------------------------------------------------------------------------------------

  async #readTwin(): Promise<void> {
    const { tensor, device, looks } = this;
    if (!this.still || this.read || !tensor || !onGpu(tensor) || !device || tensor.length > MOST_READ || tensor.dtype !== 'float32') return;
    const values = await readRange(device, tensor, 0, tensor.length);
    if (values && this.looks === looks && this.tensor === tensor) this.read = values;
  }

  async #valueAt(index: number): Promise<number | undefined> {
    const { tensor, device } = this;
    if (!tensor) return undefined;
    if (!onGpu(tensor)) return tensor.values[index];
    if (this.values) return this.values[index];
    return device && (await readRange(device, tensor, index, 1))?.[0];
  }

  async #readLocked(index: number): Promise<void> {
    const value = await this.#valueAt(index);
    if (this.locked !== index || value === this.#lockedValue) return;
    this.#lockedValue = value;
    this.requestUpdate();
  }

  /** The pointer or the cursor is over a cell. */
  async #point(index: number | undefined): Promise<void> {
    this.#pointing += 1;
    const request = this.#pointing;
    if (index === undefined) {
      this.pointed = undefined;
      this.#fire('cell-point', undefined, undefined);
      return;
    }
    if (this.pointed?.index !== index) {
      this.pointed = { index, value: undefined };
      this.#fire('cell-point', index, undefined);
    }
    const value = await this.#valueAt(index);
    if (request !== this.#pointing) return;
    if (this.pointed?.value !== value) this.pointed = { index, value };
    this.#fire('cell-point', index, value);
  }

  #fire(name: 'cell-point' | 'cell-lock' | 'cell-free', index: number | undefined, value: number | undefined): void {
    this.dispatchEvent(new CustomEvent<CellDetail>(name, { detail: { index, value }, bubbles: true, composed: true }));
  }

  #placeUnder(event: PointerEvent | MouseEvent): number | undefined {
    if (!this.#picture) return undefined;
    const box = this.canvas.getBoundingClientRect();
    const whole = extent(this.#picture);
    return indexAt(this.#picture, {
      // A click has whole coordinates, a move need not have.
      x: Math.floor(((Math.floor(event.clientX) - box.left) / box.width) * whole.width),
      y: Math.floor(((Math.floor(event.clientY) - box.top) / box.height) * whole.height),
    });
  }

  #press(event: KeyboardEvent): void {
    const picture = this.#picture;
    if (!picture || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves: Readonly<Record<string, Place>> = {
      ArrowLeft: { x: -1, y: 0 },
      ArrowRight: { x: 1, y: 0 },
      ArrowUp: { x: 0, y: -1 },
      ArrowDown: { x: 0, y: 1 },
    };
    const move = moves[event.key];
    if (move) {
      const from = this.pointed?.index ?? this.locked ?? picture.offset;
      void this.#point(this.#beside(from, move, event.shiftKey ? 10 : 1));
    } else if (event.key === 'Enter' && this.pointed) this.#fire('cell-lock', this.pointed.index, this.pointed.value);
    else if (event.key === 'Escape' && (this.locked !== undefined || this.pointed)) {
      void this.#point(undefined);
      this.#fire('cell-free', undefined, undefined);
    } else return;
    // The arrows and Enter mean the picture here, not the page.
    event.preventDefault();
    event.stopPropagation();
  }

  /** The cell so many cells further, over gaps, or the same one at the edge. */
  #beside(index: number, { x: dx, y: dy }: Place, times: number): number {
    const picture = this.#picture as Picture;
    let at = placeOfIndex(picture, index) ?? { x: 0, y: 0 };
    let found = index;
    const whole = extent(picture);
    for (let moved = 0; moved < times; ) {
      at = { x: at.x + dx, y: at.y + dy };
      if (at.x < 0 || at.y < 0 || at.x >= whole.width || at.y >= whole.height) break;
      const next = indexAt(picture, at);
      if (next === undefined) continue;
      found = next;
      moved += 1;
    }
    return found;
  }

  // ---- rendering -----------------------------------------------------------------------------------------------------------------

  override render(): TemplateResult {
    const { say } = this.#words;
    const picture = this.#picture;
    if (!this.tensor || !picture) return html`<div class="empty" role="img" aria-label=${`${this.label}: ${say.nothingYet}`}></div>`;
    const { width, height } = extent(picture);
    const kind = onGpu(this.tensor) ? 'gpu' : 'cpu';
    const { end } = this;
    return html`
      <div
        class="frame"
        role="img"
        tabindex="0"
        style=${`--columns: ${width}; --rows: ${height}`}
        aria-label=${this.#description(end)}
        aria-describedby="twin"
        @pointermove=${(event: PointerEvent) => this.#move(event)}
        @pointerleave=${() => void this.#point(undefined)}
        @click=${(event: MouseEvent) => this.#click(event)}
        @keydown=${(event: KeyboardEvent) => this.#press(event)}
        @blur=${() => void this.#point(undefined)}
      >
        ${keyed(kind, html`<canvas aria-hidden="true"></canvas>`)} ${this.#marks(picture)}
        ${this.#outline(this.outlined, 'outlined')} ${this.#outline(this.pointed?.index, 'pointed')}
        ${this.#outline(this.locked, 'locked', this.#lockedValue)}
      </div>
      ${this.bare ? nothing : this.#scale(end)}
      <div id="twin" class="hidden">${this.#twin()}</div>
      <p class="hidden" aria-live="polite">${this.pointed?.value === undefined ? nothing : this.#spoken(this.pointed.index, this.pointed.value)}</p>
    `;
  }

  #move(event: PointerEvent): void {
    const index = this.#placeUnder(event);
    if (index !== this.pointed?.index) void this.#point(index);
  }

  #click(event: MouseEvent): void {
    const index = this.#placeUnder(event);
    if (index === undefined) return;
    this.#fire(index === this.locked ? 'cell-free' : 'cell-lock', index, this.pointed?.value);
  }

  #description(end: number | undefined): string {
    const { say } = this.#words;
    const shown = this.#shownStep;
    const step = shown === undefined || this.ink ? '' : say.atStep(this.#words.whole(shown));
    // Off screen its scale is that of an earlier drawing.
    const stale = !this.#visible && this.limit === undefined;
    const scale =
      end === undefined || stale || this.ink ? '' : this.signed ? say.scaleSigned(this.#number(end)) : say.scaleUnsigned(this.#number(end));
    return [this.label, step, scale].filter(Boolean).join(', ');
  }

  /** The step of what is shown; off screen, where nothing is drawn, of what would be. */
  get #shownStep(): number | undefined {
    const { step, tensor } = this;
    return step ?? (tensor && (!onGpu(tensor) || !this.#visible) ? tensor.step : this.drawnStep);
  }

  #number(value: number): string {
    return this.#words.significant(value);
  }

  /** `row 3, column 14`, or the name of the value. */
  #where(index: number): string {
    const { say } = this.#words;
    if (this.names?.[index]) return this.names[index];
    const shape = this.tensor?.shape ?? [];
    const own = shape.length > 1 && shape[0] === 1 ? shape.slice(1) : shape;
    if (this.image && own.length === 2) {
      const [, units] = own as [number, number];
      const pixel = Math.floor(index / units);
      return say.cellOfUnit(
        this.#words.whole(index % units),
        this.#words.whole(Math.floor(pixel / this.image[1])),
        this.#words.whole(pixel % this.image[1]),
      );
    }
    if (own.length === 1) return say.cellOfList(this.#words.whole(index));
    if (this.planes && own.length === 3) {
      const [, rows, columns] = own as [number, number, number];
      const [plane, rest] = [Math.floor(index / (rows * columns)), index % (rows * columns)];
      return say.cellOfPlane(this.#words.whole(plane), this.#words.whole(Math.floor(rest / columns)), this.#words.whole(rest % columns));
    }
    const width = own.length >= 3 ? own[1]! * own[2]! : own[1]!;
    return say.cellOfTable(this.#words.whole(Math.floor(index / width)), this.#words.whole(index % width));
  }

  #spoken(index: number, value: number): string {
    return `${this.#where(index)}: ${this.#number(value)}`;
  }

  /** The values that stand out, as text. */
  #twin(): TemplateResult | typeof nothing {
    const { say } = this.#words;
    const { read } = this;
    if (!read) return nothing;
    if (this.ink) return html`${this.#inkTwin(read)}`;
    const list = (cells: readonly Found[]): string => cells.map(({ index, value }) => this.#spoken(index, value)).join('; ');
    // Not at each move of the pointer: there may be a million.
    if (this.#standOut?.of !== read) {
      this.#standOut = { of: read, high: foremost(read, TOP, (value) => value), low: foremost(read, TOP, (value) => -value) };
    }
    const { high, low } = this.#standOut;
    return html`${high.length > 0 ? `${say.twinHigh} ${list(high)}. ` : nothing}${low.length > 0 ? `${say.twinLow} ${list(low)}.` : nothing}`;
  }

  /** Of an input image: how much of it is ink, and where. */
  #inkTwin(read: Float32Array): string {
    const words = this.#words;
    const [height = 1, width = 1] = (this.tensor?.shape.length ?? 0) > 3 ? this.tensor!.shape.slice(1) : (this.tensor?.shape ?? []);
    const channels = Math.max(1, Math.round(read.length / (height * width)));
    let [count, top, bottom, left, right] = [0, height, -1, width, -1];
    for (let i = 0; i < height * width; i++) {
      if (!read.subarray(i * channels, (i + 1) * channels).some((value) => value !== 0)) continue;
      const [row, column] = [Math.floor(i / width), i % width];
      count += 1;
      [top, bottom, left, right] = [Math.min(top, row), Math.max(bottom, row), Math.min(left, column), Math.max(right, column)];
    }
    if (count === 0) return words.say.twinNoInk;
    const [from, to, first, last] = [top, bottom, left, right].map((place) => words.whole(place)) as [string, string, string, string];
    return words.say.twinInk(words.whole(count), words.whole(height * width), from, to, first, last);
  }

  #outline(index: number | undefined, kind: 'locked' | 'pointed' | 'outlined', value?: number): TemplateResult | typeof nothing {
    const picture = this.#picture;
    const place = index === undefined || !picture ? undefined : placeOfIndex(picture, index);
    if (!place || !picture) return nothing;
    const whole = extent(picture);
    const sides = [place.x > whole.width / 2 ? 'right' : '', place.y < TOP_ROWS * whole.height ? 'top' : ''].join(' ');
    return html`<span class=${`outline ${kind} ${sides}`} style=${`--x: ${place.x}; --y: ${place.y}`} aria-hidden="true"
      >${value === undefined || kind !== 'locked' ? nothing : html`<span class="tag number">${this.#signed(value)}</span>`}</span
    >`;
  }

  #marks(picture: Picture): TemplateResult | typeof nothing {
    if (this.marked.length === 0) return nothing;
    const { width, height } = extent(picture);
    const cells = this.marked.flatMap((index) => placeOfIndex(picture, index) ?? []);
    return html`<svg class="marks" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      ${svg`<pattern id="hatch" width="0.6" height="0.6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect width="0.2" height="0.6" />
      </pattern>
      <path class="under" d=${cells.map(({ x, y }) => `M${x} ${y}h1v1h-1z`).join('')} />
      <path fill="url(#hatch)" d=${cells.map(({ x, y }) => `M${x} ${y}h1v1h-1z`).join('')} />`}
    </svg>`;
  }

  #signed(value: number): string {
    return `${value > 0 && this.signed ? '+' : ''}${this.#number(value)}`;
  }

  #pointedWords(): string {
    const { pointed } = this;
    if (!pointed) return '';
    return `${this.#where(pointed.index)}: ${pointed.value === undefined ? '…' : this.#signed(pointed.value)}`;
  }

  #scale(end: number | undefined): TemplateResult {
    const { say } = this.#words;
    const ends = end === undefined ? '–' : this.#words.significant(end, 2);
    // Where all is 0, it has no sign.
    const signs = this.signed && end !== 0 && end !== undefined;
    const shown = this.#shownStep;
    if (this.pointed) return html`<div class="scale number value" aria-hidden="true">${this.#pointedWords()}</div>`;
    return html`
      <div class="scale number" aria-hidden="true">
        ${
          this.ink
            ? html`<span></span>`
            : html`<span>${signs ? `−${ends}` : this.signed ? '' : '0'}</span>
                <span class="gradient" style=${`background: ${gradientOf(this.#colors)}`}></span>
                <span>${signs ? '+' : ''}${ends}</span>`
        }
        ${shown === undefined || this.ink ? nothing : html`<span class="step">${say.atStep(this.#words.whole(shown))}</span>`}
      </div>
    `;
  }

  static override styles: CSSResultGroup = [
    tokens,
    shared,
    css`
      :host {
        container-type: inline-size;
        min-width: 0;
      }

      .frame {
        position: relative;
        width: 100%;
        max-width: min(var(--map-width, 100%), var(--map-height, 200rem) * var(--columns) / var(--rows));
        margin-inline: auto;
        aspect-ratio: var(--columns) / var(--rows);
        cursor: crosshair;
        touch-action: var(--map-touch, pan-y);
      }

      canvas {
        display: block;
        width: 100%;
        height: 100%;
        image-rendering: pixelated;
        border-radius: var(--map-radius, 3px);
        background: var(--map-background, transparent);
      }

      .empty {
        aspect-ratio: 1;
        border: 1px dashed var(--line);
        border-radius: 3px;
      }

      .outline {
        position: absolute;
        left: calc(100% * var(--x) / var(--columns));
        top: calc(100% * var(--y) / var(--rows));
        width: calc(100% / var(--columns));
        height: calc(100% / var(--rows));
        outline: 1.5px solid var(--ink);
        box-shadow: 0 0 0 3px var(--paper);
        pointer-events: none;
      }

      .outlined,
      .pointed {
        outline-width: 1px;
        box-shadow: 0 0 0 2px var(--paper);
      }

      .locked {
        z-index: 1;
        outline-width: 2px;
      }

      .tag {
        position: absolute;
        bottom: calc(100% + 5px);
        left: -3px;
        padding: 0 4px;
        border-radius: 3px;
        background: var(--ink);
        color: var(--on-ink);
        font: 600 11px/16px var(--sans);
        white-space: nowrap;
      }

      .right .tag {
        right: -3px;
        left: auto;
      }

      .top .tag {
        top: calc(100% + 5px);
        bottom: auto;
      }

      .marks {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        fill: var(--ink);
        pointer-events: none;
      }

      .under {
        fill: color-mix(in srgb, var(--paper) 55%, transparent);
      }

      .scale {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.375rem;
        align-items: center;
        min-height: 1.125rem;
        margin-top: 0.25rem;
        color: var(--quiet);
        font-size: 0.6875rem;
        line-height: 1.125rem;
        white-space: nowrap;
      }

      .scale > .step {
        display: var(--map-step, inline);
        margin-left: auto;
      }

      .gradient {
        flex: 0 1 3rem;
        min-width: 1rem;
        height: 0.375rem;
        border-radius: 2px;
      }

      @container (max-width: 6.5rem) {
        .gradient {
          display: none;
        }
      }

      .value {
        display: block;
        overflow: hidden;
        color: var(--ink);
        text-overflow: ellipsis;
      }
    `,
  ];
}

const onGpu = (tensor: Tensor | Values): tensor is Tensor => !('values' in tensor);

/** Ink on paper, or chalk on slate in the dark. */
const INK_MAPS: Readonly<Record<'light' | 'dark', ColorMap>> = {
  light: inkMap([255, 255, 255], INK),
  dark: inkMap([26, 30, 35], CHALK),
};

const inkColors = (dark: boolean): ColorMap => INK_MAPS[dark ? 'dark' : 'light'];

function inkMap(paper: readonly number[], ink: readonly number[]): ColorMap {
  const table = new Uint8Array(4 * 256);
  for (let i = 0; i < 256; i++) {
    const share = i / 255;
    table.set([...paper.map((from, channel) => Math.round(from + share * (ink[channel]! - from))), 255], 4 * i);
  }
  return { name: 'ink', kind: 'sequential', table };
}

interface Found {
  readonly value: number;
  readonly index: number;
}

/** The values with the greatest rank above 0, the first first, in one pass. */
function foremost(values: Float32Array, count: number, rank: (value: number) => number): readonly Found[] {
  const found: Found[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    const own = rank(value);
    if (!(own > 0) || (found.length === count && own <= rank(found[count - 1]!.value))) continue;
    const at = found.findIndex((other) => rank(other.value) < own);
    found.splice(at < 0 ? found.length : at, 0, { value, index });
    if (found.length > count) found.pop();
  }
  return found;
}

/** Some values of a tensor; undefined where it is gone meanwhile. */
async function readRange(device: Device, tensor: Tensor, first: number, count: number): Promise<Float32Array | undefined> {
  try {
    const bytes = await device.readBuffer(tensor.storage, tensor.byteOffset + 4 * first, 4 * count, 'ui');
    return new Float32Array(bytes);
  } catch {
    // It was disposed of, or the GPU went away: what replaces it is looked at next.
    return undefined;
  }
}
