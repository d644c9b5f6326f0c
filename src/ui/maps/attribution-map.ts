import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Device, Tensor } from '../../engine/index.ts';
import { icon } from '../icons.ts';
import { shared } from '../shared-styles.ts';
import type { CellDetail, Values } from './tensor-view.ts';

/**
 * A map over the input as a card: its name, the picture, and under it what one must know to read it. The words are given.
 *
 * @fires card-remove
 * @fires card-refresh
 * @fires cell-lock, cell-free, cell-point - as of the picture
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
    painted: { attribute: false },
  };

  declare heading: string;
  declare tensor: Tensor | Values | undefined;
  declare values: Float32Array | undefined;
  declare device: Device | undefined;
  declare signed: boolean;
  declare ink: boolean;
  declare perFrame: boolean;
  /** Where the scale ends, where another map shares it. */
  declare limit: number | undefined;
  declare series: string;
  declare looks: number;
  declare still: boolean;
  declare step: number | undefined;
  declare locked: number | undefined;
  declare outlined: number | undefined;
  declare names: readonly string[] | undefined;
  /** Label and value of each fact under the picture. */
  declare facts: readonly (readonly [label: string, value: string])[];
  /** One sentence of what it shows, and one of what it does not. */
  declare shows: string;
  declare hides: string;
  /** Says that it is of an earlier step; empty otherwise. */
  declare stale: string;
  declare busy: string;
  declare fault: string;
  declare removeLabel: string;
  declare refreshLabel: string;
  /** Cells that are painted over. */
  declare painted: readonly number[];

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
    this.painted = [];
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
        <tensor-view
          .device=${this.device}
          .tensor=${this.tensor}
          .values=${this.values}
          .signed=${this.signed}
          .ink=${this.ink}
          .perFrame=${this.perFrame}
          .limit=${this.limit}
          .series=${this.series}
          .looks=${this.looks}
          .still=${this.still}
          .step=${this.step}
          .label=${this.heading}
          .locked=${this.locked}
          .outlined=${this.outlined}
          .names=${this.names}
        ></tensor-view>
        ${this.stale ? html`<p class="stale">${this.stale}</p>` : nothing}
        ${this.busy ? html`<p class="note" role="status">${this.busy}</p>` : nothing}
        ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
        ${this.facts.length > 0 ? html`<dl class="number">${this.facts.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>` : nothing}
        <p class="sentence">${this.shows} <span class="quiet">${this.hides}</span></p>
      </article>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        min-width: 0;
      }

      .head {
        display: flex;
        align-items: center;
        min-height: 1.75rem;
      }

      h3 {
        flex: 1;
        overflow: hidden;
        font-size: 0.75rem;
        letter-spacing: -0.01em;
        text-overflow: ellipsis;
        white-space: nowrap;
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
