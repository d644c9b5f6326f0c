import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { ListedMap, listedStyles } from '../maps/listed-map.ts';
import { shared } from '../shared-styles.ts';
import type { ShownText } from './shown-text.ts';
import { TextWords } from './text-words.ts';

/** A map over the words of a text: behind each word the colour of its sign, as strong as its share; beneath it a bar and the number. */
export class TextMap extends ListedMap {
  static override properties: PropertyDeclarations = { text: { attribute: false } };

  declare text: ShownText | undefined;
  readonly #words = new TextWords(this);

  constructor() {
    super();
    this.text = undefined;
  }

  protected override get strikable(): boolean {
    return this.text?.strikable ?? false;
  }

  override render(): TemplateResult {
    const { text, values } = this;
    const words = this.#words;
    const { texts } = words;
    if (!text) return html`<div class="empty"></div>`;
    const shown = text.words.flatMap((word, token) => (word === undefined ? [] : [{ word, token }]));
    const limit = Math.max(0, ...shown.map(({ token }) => Math.abs(values?.[token] ?? 0)));
    const at = shown.some(({ token }) => token === this.cursor) ? this.cursor : shown[0]?.token;
    const { method } = text;
    return html`
      <ol aria-label=${texts.mapOf(this.label)} @keydown=${(event: KeyboardEvent) => this.press(event)} @pointerleave=${() => this.fire('cell-point', undefined)}>
        ${shown.map(({ word, token }) => this.#word(word, token, limit, token === at))}
      </ol>
      ${
        values && limit > 0
          ? html`<p class="limits number">${
              this.step === undefined
                ? texts.limitsAlone(words.significant(limit, 2))
                : texts.limits(words.significant(limit, 2), words.whole(this.step))
            }</p>`
          : nothing
      }
      ${
        values && method !== undefined && text.evidence
          ? html`<p class="limits number" data-of="evidence">${texts.onEvidence(words.percent(shareOn(values, text.evidence), 0))}</p>`
          : nothing
      }
      ${
        method !== undefined && method in texts.shows
          ? html`<p class="sentence">
              ${texts.shows[method as keyof typeof texts.shows]} <span class="quiet">${texts.hides[method as keyof typeof texts.hides]}</span>
            </p>`
          : nothing
      }
    `;
  }

  #word(word: string, token: number, limit: number, reachable: boolean): TemplateResult {
    const words = this.#words;
    const { texts } = words;
    const { text, values } = this;
    const value = values?.[token];
    const share = value === undefined || limit === 0 ? 0 : value / limit;
    const struck = text?.struck.includes(token) ?? false;
    const number = value === undefined ? '' : `${value > 0 ? '+' : ''}${words.significant(value, 2)}`;
    const { strikable } = this;
    const does = strikable ? (struck ? texts.restoreWord(word) : texts.strike(word)) : struck ? texts.struckWord(word) : word;
    return html`<li>
      <button
        class=${[value === undefined ? 'plain' : share < 0 ? 'minus' : 'plus', struck ? 'struck' : '', token === this.outlined ? 'outlined' : ''].join(' ')}
        style=${`--share: ${Math.abs(share).toFixed(3)}`}
        tabindex=${reachable ? 0 : -1}
        data-index=${token}
        data-value=${value ?? nothing}
        aria-pressed=${strikable ? String(struck) : String(token === this.locked)}
        aria-label=${number ? texts.word(does, number) : does}
        @pointerenter=${() => this.fire('cell-point', token)}
        @focus=${() => this.comeTo(token)}
        @click=${() => this.choose(token)}
      >
        <span class="word">${word}</span>
        ${
          value === undefined
            ? nothing
            : html`<span class="track" aria-hidden="true"><span class="bar"></span></span><span class="value number" aria-hidden="true">${number}</span>`
        }
      </button>
    </li>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    listedStyles,
    css`
      ol {
        display: flex;
        flex-wrap: wrap;
        gap: 2px;
      }

      button {
        display: grid;
        gap: 1px;
        min-width: 1.5rem;
        min-height: 1.5rem;
        padding: 0.125rem 0.25rem;
        font-size: 0.75rem;
        line-height: 1.2;
      }

      button.plus {
        background: color-mix(in srgb, var(--positive) calc(60% * var(--share)), transparent);
      }

      button.minus {
        background: color-mix(in srgb, var(--negative) calc(60% * var(--share)), transparent);
      }

      .track {
        width: 100%;
        min-width: 1.75rem;
        height: 3px;
      }

      .value {
        color: var(--ink);
        font-size: 0.625rem;
      }

      .limits,
      .sentence {
        margin: 0.25rem 0 0;
        font-size: 0.6875rem;
        line-height: 1.35;
        text-wrap: pretty;
      }

      .limits,
      .quiet {
        color: var(--quiet);
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

/** Of what speaks for the class, the share that lies on the words that decide (relevance mass accuracy: Arras, Osman, Samek 2022). */
function shareOn(values: Float32Array, evidence: ArrayLike<number>): number {
  let [on, all] = [0, 0];
  for (const [token, value] of values.entries()) {
    if (value <= 0) continue;
    all += value;
    if (evidence[token] === 1) on += value;
  }
  return on / all;
}
