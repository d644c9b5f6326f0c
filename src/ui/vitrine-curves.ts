import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type TemplateResult } from 'lit';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import type { Training } from './training.ts';

/** Loss and accuracy, with what the lines mean and every epoch as a table. */
export class VitrineCurves extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false }, logarithmic: { state: true } };

  declare training: Training | undefined;
  declare logarithmic: boolean;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.training = undefined;
    this.logarithmic = true;
    new Follow(this);
  }

  override render(): TemplateResult {
    const { training, logarithmic } = this;
    const { say } = this.#words;
    const scale = (label: string, value: boolean): TemplateResult => html`
      <label>
        <input type="radio" name="scale" .checked=${logarithmic === value} @change=${() => this.#choose(value)} />${label}
      </label>
    `;
    return html`
      <h2>${say.curves}</h2>
      <p class="caption">${say.curvesCaption}</p>
      <ul class="key">
        <li>${line('raw')}${say.trainingRaw}</li>
        <li>${line('smooth')}${say.training}</li>
        <li>${line('held')}${say.validation}</li>
      </ul>
      <vitrine-chart .training=${training} metric="loss" ?logarithmic=${logarithmic}></vitrine-chart>
      <vitrine-chart .training=${training} metric="accuracy"></vitrine-chart>
      <div class="below">
        <fieldset class="choice">
          <legend class="hidden">${say.scaleOfLoss}</legend>
          <span class="note" aria-hidden="true">${say.scaleOfLoss}</span>
          ${scale(say.logarithmic, true)}${scale(say.linear, false)}
        </fieldset>
        <details>
          <summary>${say.epochTable}</summary>
          ${this.#table()}
        </details>
      </div>
    `;
  }

  #choose(logarithmic: boolean): void {
    this.logarithmic = logarithmic;
  }

  #table(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const rows = this.training?.run?.history.epochs ?? [];
    if (rows.length === 0) return html`<p class="note">${say.noEpoch}</p>`;
    const columns = [
      say.epochColumn,
      say.trainingLossColumn,
      say.trainingAccuracyColumn,
      say.validationLossColumn,
      say.validationAccuracyColumn,
    ];
    return html`
      <div class="wide">
        <table>
          <thead>
            <tr>
              ${columns.map((column) => html`<th scope="col" class="number">${column}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) => html`<tr>
                <td class="number">${words.whole(row.epoch)}</td>
                <td class="number">${words.small(row.loss)}</td>
                <td class="number">${words.percent(row.accuracy, 2)}</td>
                <td class="number">${words.small(row.validationLoss)}</td>
                <td class="number">${words.percent(row.validationAccuracy, 2)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1.5rem;
        margin: 0 0 1.25rem;
        padding: 0;
        color: var(--quiet);
        font-size: 0.8125rem;
        list-style: none;
      }

      .key li {
        display: flex;
        align-items: center;
        gap: 0.5rem;
      }

      svg {
        flex: none;
        width: 2rem;
        height: 0.75rem;
        overflow: visible;
        fill: none;
        stroke: var(--train);
        stroke-width: 2;
      }

      .raw {
        stroke-width: 1;
        opacity: 0.5;
      }

      .held {
        stroke: var(--hold);
        stroke-width: 1.5;
      }

      .held path:last-child {
        fill: var(--paper);
      }

      vitrine-chart + vitrine-chart {
        margin-top: 1rem;
      }

      .below {
        display: flex;
        flex-direction: column;
        margin-top: 0.5rem;
      }

      .wide {
        overflow-x: auto;
      }
    `,
  ];
}

const LINES = {
  raw: html`<svg class="raw" viewBox="0 0 32 12" aria-hidden="true"><path d="M0 6l3-5 3 9 4-8 3 7 4-6 4 8 3-9 4 7 4-4" /></svg>`,
  smooth: html`<svg viewBox="0 0 32 12" aria-hidden="true"><path d="M0 6h32" /></svg>`,
  held: html`<svg class="held" viewBox="0 0 32 12" aria-hidden="true"><path d="M0 6h32" stroke-dasharray="5 4" /><path d="M16 1.5L20.5 6 16 10.5 11.5 6z" /></svg>`,
};

const line = (name: keyof typeof LINES): TemplateResult => LINES[name];
