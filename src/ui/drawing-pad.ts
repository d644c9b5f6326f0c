import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import { paintInk } from './ink.ts';
import { Words } from './language.ts';
import { whenSchemeChanges } from './scheme.ts';
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

  constructor() {
    super();
    whenSchemeChanges(this);
    this.strokes = [];
    this.current = undefined;
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
    if (!canvas) return;
    const raster = rasterise(this.current ? [...this.strokes, this.current] : this.strokes);
    paintInk(canvas, [RASTER, RASTER], (pixel) => raster[pixel]!, raster);
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
