import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { breakable } from '../breakable.ts';
import { Words } from '../language.ts';
import { ListedMap, listedStyles } from '../maps/listed-map.ts';
import type { Ends } from '../maps/map-painter.ts';
import { shared } from '../shared-styles.ts';
import type { ShownRow } from './shown-row.ts';

/** Columns that are shown at first. */
const MOST = 10;

/**
 * A map over a row of a table as signed bars, the largest first: to the right what is positive, to the left what is negative.
 *
 * @fires scale-end - as of a picture, `Ends`
 */
export class RowMap extends ListedMap {
  static override properties: PropertyDeclarations = {
    row: { attribute: false },
    perFrame: { type: Boolean },
    limit: { type: Number },
    series: {},
    all: { state: true },
  };

  declare row: ShownRow | undefined;
  /** The longest bar is the largest value now; the largest of the series otherwise. */
  declare perFrame: boolean;
  /** The value of the longest bar, where another map shares it. */
  declare limit: number | undefined;
  /** Maps of one series share a scale. */
  declare series: string;
  /** All columns are shown. */
  declare all: boolean;
  readonly #words = new Words(this);
  #ends: Ends | undefined;

  constructor() {
    super();
    this.row = undefined;
    this.perFrame = false;
    this.limit = undefined;
    this.series = '';
    this.all = false;
  }

  protected override get strikable(): boolean {
    return this.row?.strikable ?? false;
  }

  /** The value of the longest bar; undefined without a map. */
  get end(): number | undefined {
    return this.limit ?? (this.perFrame ? this.#ends?.now : this.#ends?.ofRun);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('series')) this.#ends = undefined;
    const { values } = this;
    // Switched on again, the fixed scale begins with what is shown: one extreme value must not spoil it for good.
    if (changed.has('perFrame') && !this.perFrame) this.#ends = undefined;
    if (!values || !(['values', 'series', 'perFrame'] as const).some((name) => changed.has(name))) return;
    const now = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const ends = { now, ofRun: Math.max(now, this.#ends?.ofRun ?? 0) };
    if (ends.now === this.#ends?.now && ends.ofRun === this.#ends.ofRun) return;
    this.#ends = ends;
    this.dispatchEvent(new CustomEvent<Ends>('scale-end', { detail: ends, bubbles: true, composed: true }));
  }

  override render(): TemplateResult {
    const { row, values, end = 0 } = this;
    const words = this.#words;
    const { say } = words;
    if (!row || !values) return html`<div class="empty" role="img" aria-label=${`${this.label}: ${say.nothingYet}`}></div>`;
    const order = [...values.keys()].sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!));
    const shown = this.all ? order : order.filter((column, rank) => rank < MOST || column === this.locked || row.struck.includes(column));
    const at = shown.includes(this.cursor) ? this.cursor : shown[0];
    return html`
      <ol
        aria-label=${say.rowMapOf(this.label)}
        @keydown=${(event: KeyboardEvent) => this.press(event)}
        @pointerleave=${() => this.fire('cell-point', undefined)}
      >
        ${repeat(
          shown,
          (column) => column,
          (column) => this.#bar(row, column, values[column]!, end, column === at),
        )}
      </ol>
      <p class="limits number">
        <span>${say.rowMapEnd(words.significant(end, 2))}</span>
        ${
          order.length > MOST
            ? html`<button
                class="more"
                aria-expanded=${this.all ? 'true' : 'false'}
                @click=${() => {
                  this.all = !this.all;
                }}
              >
                ${this.all ? say.rowMapLargest(words.whole(MOST)) : say.rowMapAll(words.whole(order.length))}
              </button>`
            : nothing
        }
      </p>
    `;
  }

  #bar(row: ShownRow, column: number, value: number, end: number, reachable: boolean): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const name = row.names[column] ?? say.cellOfList(words.whole(column));
    const struck = row.struck.includes(column);
    const number = `${value > 0 ? '+' : ''}${words.significant(value, 2)}`;
    const pressed = row.strikable ? struck : column === this.locked;
    const does = row.strikable ? (struck ? say.putBack(name) : say.takeAway(name)) : struck ? say.takenAway(name) : name;
    return html`<li>
      <button
        class=${[value < 0 ? 'minus' : 'plus', struck ? 'struck' : '', column === this.outlined ? 'outlined' : ''].join(' ')}
        style=${`--share: ${end > 0 ? Math.min(1, Math.abs(value) / end).toFixed(3) : 0}`}
        tabindex=${reachable ? 0 : -1}
        title=${name}
        data-index=${column}
        data-value=${value}
        aria-pressed=${String(pressed)}
        aria-label=${`${does}: ${number}`}
        @pointerenter=${() => this.fire('cell-point', column)}
        @focus=${() => this.comeTo(column)}
        @click=${() => this.choose(column)}
      >
        <span class="name">${breakable(name)}</span><span class="value number" aria-hidden="true">${number}</span>
        <span class="track" aria-hidden="true"><span class="bar"></span></span>
      </button>
    </li>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    listedStyles,
    css`
      button {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 0.375rem;
        width: 100%;
        min-height: 1.5rem;
        padding: 0.0625rem 0.1875rem 0.125rem;
        font-size: 0.6875rem;
        line-height: 1.3;
        text-align: start;
      }

      .name {
        display: -webkit-box;
        overflow: hidden;
        line-height: 1.15;
        overflow-wrap: anywhere;
        white-space: normal;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
      }

      button:hover {
        border-color: var(--edge);
      }

      .track {
        grid-column: 1 / -1;
        height: 0.3125rem;
      }

      .bar {
        background: var(--positive);
      }

      .minus .bar {
        background: var(--negative);
      }

      .limits {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.5rem;
        align-items: baseline;
        justify-content: space-between;
        margin: 0.125rem 0 0;
        color: var(--quiet);
        font-size: 0.6875rem;
        line-height: 1.35;
      }

      button.more {
        display: inline;
        width: auto;
        color: inherit;
        text-decoration: underline;
        text-underline-offset: 2px;
      }

      @media (max-width: 719px), (pointer: coarse) {
        button {
          min-height: 44px;
        }
      }
    `,
  ];
}
