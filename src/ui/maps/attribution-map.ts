import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Device, Tensor } from '../../engine/index.ts';
import { icon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import type { ShownRow } from '../table/shown-row.ts';
import type { ShownText } from '../text/shown-text.ts';
import { tokens } from '../tokens.ts';
import type { CellDetail, Values } from './tensor-view.ts';

/**
 * A map over the input as a card: its name, the picture, and under it what one must know to read it. The words are given.
 *
 * @tagname attribution-map
 * @fires {Event} card-remove - its button to remove it was clicked
 * @fires {Event} card-refresh - its button to compute it anew was clicked
 * @fires {CustomEvent<CellDetail>} cell-point - as of `<tensor-view>`
 * @fires {CustomEvent<CellDetail>} cell-lock - as of `<tensor-view>`
 * @fires {CustomEvent<CellDetail>} cell-free - as of `<tensor-view>`
 * @fires {CustomEvent<Ends>} scale-end - as of `<tensor-view>`
 */
export class AttributionMap extends LitElement {
  static override properties: PropertyDeclarations = {
    heading: {},
    tensor: { attribute: false },
    values: { attribute: false },
    device: { attribute: false },
    signed: { type: Boolean },
    ink: { type: Boolean },
    perFrame: { type: Boolean },
    limit: { type: Number },
    series: {},
    marked: { attribute: false },
    looks: { type: Number },
    still: { type: Boolean },
    step: { type: Number },
    locked: { type: Number },
    outlined: { type: Number },
    names: { attribute: false },
    facts: { attribute: false },
    shows: {},
    hides: {},
    stale: {},
    busy: {},
    fault: {},
    removeLabel: {},
    refreshLabel: {},
    text: { attribute: false },
    row: { attribute: false },
    answer: {},
  };

  /** The name of the map. */
  declare heading: string;
  /** The map: a tensor on the GPU, or an array with its shape. */
  declare tensor: Tensor | Values | undefined;
  /** A copy of the tensor's values, where its owner has one: they are then not read from the GPU. */
  declare values: Float32Array | undefined;
  /** The device of the tensor; not needed for an array. */
  declare device: Device | undefined;
  /** Shares that add and take away, drawn about 0; magnitudes otherwise. */
  declare signed: boolean;
  /** Drawn as ink on paper: an input image. */
  declare ink: boolean;
  /** The scale fits what is drawn now; the widest of the series otherwise. */
  declare perFrame: boolean;
  /** Where the scale ends, where another map shares it. */
  declare limit: number | undefined;
  /** Maps of one series share a scale. */
  declare series: string;
  /** Cells that are hatched, such as those that were painted over. */
  declare marked: readonly number[];
  /** Draws anew when this changes. */
  declare looks: number;
  /** Nothing changes on the GPU for now, so that it may be read. */
  declare still: boolean;
  /** The training step that it was computed at. */
  declare step: number | undefined;
  /** The cell that is locked, by its index. */
  declare locked: number | undefined;
  /** A cell that is pointed at in another view. */
  declare outlined: number | undefined;
  /** Names of the values, such as the columns of a table. */
  declare names: readonly string[] | undefined;
  /** Label and value of each fact under the picture. */
  declare facts: readonly (readonly [label: string, value: string])[];
  /** One sentence of what it shows. */
  declare shows: string;
  /** One sentence of what it does not show. */
  declare hides: string;
  /** Says that it is of an earlier step; empty otherwise. */
  declare stale: string;
  /** Says that it is being computed; empty otherwise. */
  declare busy: string;
  /** Why there is no map; empty otherwise. */
  declare fault: string;
  /** Name of the button that removes it; without one there is none. */
  declare removeLabel: string;
  /** Name of the button that computes it anew; without one there is none. */
  declare refreshLabel: string;
  /** The words that it is a map of, in place of a picture. */
  declare text: ShownText | undefined;
  /** The row of a table that it is a map of, in place of a picture. */
  declare row: ShownRow | undefined;
  /** A line above the picture: what the map promised when the input was changed, and what the network did; empty where it was not asked. */
  declare answer: string;

  constructor() {
    super();
    this.heading = '';
    this.tensor = undefined;
    this.values = undefined;
    this.device = undefined;
    this.signed = true;
    this.ink = false;
    this.perFrame = false;
    this.limit = undefined;
    this.series = '';
    this.marked = [];
    this.looks = 0;
    this.still = false;
    this.step = undefined;
    this.locked = undefined;
    this.outlined = undefined;
    this.names = undefined;
    this.facts = [];
    this.shows = '';
    this.hides = '';
    this.stale = '';
    this.busy = '';
    this.fault = '';
    this.removeLabel = '';
    this.refreshLabel = '';
    this.text = undefined;
    this.row = undefined;
    this.answer = '';
  }

  /** What shows words, or rows, comes with the first of them. */
  protected override willUpdate(): void {
    if (this.text && !customElements.get('text-map')) void import('../text/index.ts');
    if (this.row && !customElements.get('row-map')) void import('../table/index.ts');
  }

  override render(): TemplateResult {
    return html`
      <article aria-label=${this.heading}>
        <div class="head">
          <h3>${this.heading}</h3>
          ${
            this.refreshLabel
              ? html`<button aria-label=${this.refreshLabel} title=${this.refreshLabel} @click=${() => this.dispatchEvent(new Event('card-refresh'))}>
                  ${icon('refresh')}
                </button>`
              : nothing
          }
          ${
            this.removeLabel
              ? html`<button aria-label=${this.removeLabel} title=${this.removeLabel} @click=${() => this.dispatchEvent(new Event('card-remove'))}>
                  ${icon('close')}
                </button>`
              : nothing
          }
        </div>
        ${this.answer ? html`<p class="answer number">${this.answer}</p>` : nothing}
        ${
          this.text
            ? html`<text-map
                .text=${this.text}
                .values=${this.values}
                .label=${this.heading}
                .step=${this.step}
                .locked=${this.locked}
                .outlined=${this.outlined}
              ></text-map>`
            : this.row
              ? html`<row-map
                  .row=${this.row}
                  .values=${this.#listed}
                  .perFrame=${this.perFrame}
                  .limit=${this.limit}
                  .series=${this.series}
                  .label=${this.heading}
                  .step=${this.step}
                  .locked=${this.locked}
                  .outlined=${this.outlined}
                ></row-map>`
              : html`<tensor-view
              .device=${this.device}
              .tensor=${this.tensor}
              .values=${this.values}
              .signed=${this.signed}
              .ink=${this.ink}
              .perFrame=${this.perFrame}
              .limit=${this.limit}
              .series=${this.series}
              .marked=${this.marked}
              .looks=${this.looks}
              .still=${this.still}
              .step=${this.step}
              .label=${this.heading}
              .locked=${this.locked}
              .outlined=${this.outlined}
              .names=${this.names}
            ></tensor-view>`
        }
        ${this.stale ? html`<p class="stale">${this.stale}</p>` : nothing}
        ${this.busy ? html`<p class="note" role="status">${this.busy}</p>` : nothing}
        ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
        ${this.facts.length > 0 ? html`<dl class="number">${this.facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>` : nothing}
        <p class="sentence">${this.shows} <span class="quiet">${this.hides}</span></p>
      </article>
    `;
  }

  /** The values, where they are on the CPU. */
  get #listed(): Float32Array | undefined {
    const { tensor } = this;
    return tensor && 'values' in tensor ? tensor.values : this.values;
  }

  static override styles: CSSResultGroup = [
    tokens,
    shared,
    css`
      :host {
        min-width: 0;
      }

      .head {
        display: flex;
        align-items: center;
        min-height: 2rem;
      }

      h3 {
        flex: 1;
        min-width: 0;
        font-size: 0.75rem;
        letter-spacing: -0.01em;
        line-height: 1.15;
        overflow-wrap: anywhere;
        text-wrap: balance;
      }

      button {
        min-width: 1.75rem;
        min-height: 1.75rem;
        padding: 0;
        border-color: transparent;
        border-radius: 6px;
        color: var(--quiet);
      }

      .icon {
        width: 0.75rem;
        height: 0.75rem;
      }

      tensor-view {
        --map-background: var(--sheet);
        --map-step: none;
        --map-width: min(100%, var(--card-map, 100%));
      }

      dl {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.625rem;
        margin: 0.125rem 0 0;
        font-size: 0.6875rem;
        line-height: 1.4;
      }

      dl > div {
        display: flex;
        gap: 0.25rem;
      }

      dt {
        color: var(--quiet);
      }

      dd {
        margin: 0;
      }

      .sentence {
        margin: 0.25rem 0 0;
        font-size: 0.6875rem;
        line-height: 1.35;
        text-wrap: pretty;
      }

      .quiet,
      .note {
        color: var(--quiet);
      }

      .note,
      .stale,
      .fault {
        margin: 0.125rem 0 0;
        font-size: 0.6875rem;
        line-height: 1.4;
      }

      /* Both numbers may not fit one line: the maps stay level. */
      .answer {
        min-height: 2lh;
        margin: 0 0 0.125rem;
        font-size: 0.6875rem;
        line-height: 1.3;
        overflow-wrap: anywhere;
      }

      .stale {
        color: var(--hold);
      }

      .fault {
        color: var(--bad);
      }

      @media (max-width: 719px), (pointer: coarse) {
        button {
          min-width: 44px;
          min-height: 44px;
        }
      }
    `,
  ];
}

export type { CellDetail };
