import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import { Words } from './language.ts';
import { isDark } from './scheme.ts';
import { extend, MOST_POINTS, pointsOf, RASTER, rasterise, type Stroke, type Strokes } from './session/strokes.ts';
import { shared } from './shared-styles.ts';

/**
 * A square to draw a digit in, with a mouse, a pen or a finger; drawing does not scroll the page.
 *
 * @fires drawn - a stroke was ended, or all were taken away: `Strokes`
 */
export class DrawingPad extends LitElement {
  static override properties: PropertyDeclarations = { strokes: { attribute: false }, current: { state: true } };

  declare strokes: Strokes;
  /** The stroke that is being drawn. */
  declare current: Stroke | undefined;
  readonly #words = new Words(this);
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #repaint = (): void => this.requestUpdate();

  constructor() {
    super();
    this.strokes = [];
    this.current = undefined;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#dark.addEventListener('change', this.#repaint);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#dark.removeEventListener('change', this.#repaint);
  }

  override render(): TemplateResult {
    const { say } = this.#words;
    return html`
      <canvas
        width=${RASTER}
        height=${RASTER}
        role="img"
        aria-label=${say.drawHere}
        @pointerdown=${(event: PointerEvent) => this.#begin(event)}
        @pointermove=${(event: PointerEvent) => this.#move(event)}
        @pointerup=${() => this.#end()}
        @pointercancel=${() => this.#end()}
      ></canvas>
      ${this.strokes.length === 0 && !this.current ? html`<p class="hint">${say.drawHint}</p>` : ''}
    `;
  }

  #point(event: PointerEvent): readonly [x: number, y: number] {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return [(256 * (event.clientX - box.left)) / box.width, (256 * (event.clientY - box.top)) / box.height];
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0 || pointsOf(this.strokes) >= MOST_POINTS) return;
    event.preventDefault();
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.current = extend([], ...this.#point(event));
  }

  #move(event: PointerEvent): void {
    if (!this.current || pointsOf([...this.strokes, this.current]) >= MOST_POINTS) return;
    this.current = extend(this.current, ...this.#point(event));
  }

  #end(): void {
    if (!this.current) return;
    const strokes = [...this.strokes, this.current];
    this.current = undefined;
    this.strokes = strokes;
    this.dispatchEvent(new CustomEvent<Strokes>('drawn', { detail: strokes }));
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('strokes') && !changed.has('current') && changed.size > 0) return;
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d');
    if (!context) return;
    const ink = isDark(this) ? [233, 230, 223] : [27, 32, 39];
    const image = new ImageData(RASTER, RASTER);
    const raster = rasterise(this.current ? [...this.strokes, this.current] : this.strokes);
    for (let i = 0; i < raster.length; i++) image.data.set([...ink, Math.round(255 * raster[i]!)], 4 * i);
    context.putImageData(image, 0, 0);
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        position: relative;
      }

      canvas {
        display: block;
        width: 100%;
        aspect-ratio: 1;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
        cursor: crosshair;
        touch-action: none;
      }

      .hint {
        position: absolute;
        inset: auto 0 45%;
        margin: 0;
        color: var(--quiet);
        font-size: 0.8125rem;
        text-align: center;
        pointer-events: none;
      }
    `,
  ];
}
