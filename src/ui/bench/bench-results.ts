import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { ContenderName } from '../../bench/contender.ts';
import type { Row } from '../../bench/suite.ts';
import { comparison, figure, groups } from '../../bench/table.ts';
import { shared } from '../shared-styles.ts';
import { titleOf } from './bench-run.ts';
import { BenchWords } from './bench-words.ts';
import { rebased } from './outcome.ts';

/** The rows of a run: a table for each workload and unit, drawn to one scale, with its bars. */
export class BenchResults extends LitElement {
  static override properties: PropertyDeclarations = { rows: { attribute: false }, baseline: {} };

  declare rows: readonly Row[];
  declare baseline: ContenderName;
  readonly #words = new BenchWords(this);

  constructor() {
    super();
    this.rows = [];
    this.baseline = 'vitrine';
  }

  override render(): TemplateResult {
    const all = groups(rebased(this.rows, this.baseline));
    return html`${all.map((group, i) => this.#group(group, all[i - 1]?.[0]?.workload !== group[0]?.workload))}`;
  }

  #group(rows: readonly Row[], first: boolean): TemplateResult {
    const { bench } = this.#words;
    const [{ workload, better }] = rows as [Row];
    const greatest = Math.max(...rows.map(({ max }) => max ?? 0));
    return html`
      ${first ? html`<h3>${this.#words.title(workload)} <code>${workload}</code></h3>` : nothing}
      <table role="table" data-workload=${workload}>
        <caption>
          ${bench.drawn(this.#words.unit(rows[0] as Row), better === 'lower' ? bench.lessIsBetter : bench.moreIsBetter, titleOf(this.baseline))}
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${bench.contender}</th>
            <th role="columnheader" scope="col" class="number">${bench.median}</th>
            <th role="columnheader" scope="col" class="number">${bench.ratio}</th>
            <th role="columnheader" scope="col" class="plot"><span class="hidden">${bench.range}</span></th>
            <th role="columnheader" scope="col">${bench.range}</th>
            <th role="columnheader" scope="col">${bench.agreement}</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows.map((row) => this.#row(row, greatest))}
        </tbody>
      </table>
      ${rows.map(({ tuning }) => (tuning ? this.#tuning(workload, tuning) : nothing))}
    `;
  }

  /** The variant of each kernel that was chosen, and the times of those that were not. */
  #tuning(workload: string, tuning: NonNullable<Row['tuning']>): TemplateResult {
    const { bench } = this.#words;
    const said = ({ variant, milliseconds }: (typeof tuning)[number]['trials'][number]): string =>
      `${variant} ${milliseconds === null ? bench.tunedFailed : `${this.#words.significant(milliseconds)} ms`}`;
    return html`
      <details>
        <summary>${bench.tuned(workload)}</summary>
        <dl>
          ${tuning.map(
            ({ key, chosen, trials }) => html`
              <dt><code>${key}</code></dt>
              <dd>
                ${bench.tunedChosen}: ${
                  trials
                    .filter(({ variant }) => variant === chosen)
                    .map(said)
                    .join(', ') || chosen
                }<br />
                ${bench.tunedOthers}: ${
                  trials
                    .filter(({ variant }) => variant !== chosen)
                    .map(said)
                    .join(', ') || '–'
                }
              </dd>
            `,
          )}
        </dl>
      </details>
    `;
  }

  #row(row: Row, greatest: number): TemplateResult {
    const name = html`<th role="rowheader" scope="row" class=${row.contender === 'vitrine' ? 'ours' : ''}>${titleOf(row.contender)}</th>`;
    if (row.median === null) {
      return html`<tr role="row" data-contender=${row.contender}>
        ${name}
        <td role="cell" class="failure" colspan="5">${this.#failure(row)}</td>
      </tr>`;
    }
    return html`<tr role="row" data-contender=${row.contender}>
      ${name}
      <td role="cell" class="number median">${figure(row.median)}</td>
      <td role="cell" class="number ratio">${comparison(row) || '–'}</td>
      <td role="cell" class="plot" aria-hidden="true">${this.#bar(row, greatest)}</td>
      <td role="cell" class="range">${this.#range(row)}</td>
      <td role="cell" class="agreement">${this.#agreement(row)}</td>
    </tr>`;
  }

  #bar({ median, min, max, contender }: Row, greatest: number): TemplateResult {
    const percent = (value: number | null): string => `${(100 * (value ?? 0)) / (greatest || 1)}%`;
    return html`<div class="track">
      <div class="bar ${contender === 'vitrine' ? 'ours' : ''}" style=${`width: ${percent(median)}`}></div>
      <div class="spread" style=${`left: ${percent(min)}; width: ${percent((max ?? 0) - (min ?? 0))}`}></div>
    </div>`;
  }

  #range({ min, max, repeats, note }: Row): TemplateResult {
    const { bench } = this.#words;
    const text =
      repeats < 2 ? bench.oneSample : bench.rangeOf(figure(min ?? Number.NaN), figure(max ?? Number.NaN), this.#words.whole(repeats));
    const ratio = /^[\d.]+(?= × parameters)/.exec(note ?? '')?.[0];
    return html`${text}${note === undefined ? nothing : html`<br />${ratio === undefined ? note : bench.ofLeast(ratio)}`}`;
  }

  #agreement({ agreement, largestError }: Row): string {
    const { bench } = this.#words;
    if (agreement === null) return bench.notCompared;
    if (largestError === undefined) return bench.agreesPlain;
    return largestError === 0 ? bench.agreesExactly : bench.agrees(this.#words.significant(largestError, 2));
  }

  #failure({ failure, failureKind = 'error' }: Row): TemplateResult {
    const { bench, language } = this.#words;
    const detail = failureKind === 'error' || failureKind === 'disagrees' ? failure : undefined;
    return html`${bench.failures[failureKind]}${
      detail === undefined ? nothing : html`<span class="detail" lang=${language === 'en' ? nothing : 'en'}>${detail}</span>`
    }`;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        container-type: inline-size;
      }

      h3 {
        margin-top: 2rem;
      }

      code {
        color: var(--quiet);
        font: 400 0.8125rem var(--mono);
        white-space: nowrap;
      }

      table {
        table-layout: fixed;
        margin-bottom: 0.75rem;
      }

      caption {
        padding: 0.25rem 0;
        color: var(--quiet);
        font-size: 0.8125rem;
        text-align: start;
      }

      thead th:nth-child(1) {
        width: 12rem;
      }

      thead th:nth-child(2),
      thead th:nth-child(3) {
        width: 6.5rem;
      }

      thead th:nth-child(5) {
        width: 13rem;
      }

      thead th:nth-child(6) {
        width: 9.5rem;
      }

      tbody th {
        color: var(--ink);
        font-weight: 400;
        font-size: 0.875rem;
        vertical-align: baseline;
      }

      tbody th.ours {
        font-weight: 600;
      }

      td {
        vertical-align: baseline;
        overflow-wrap: anywhere;
      }

      .ratio,
      .range,
      .agreement,
      .detail {
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      .detail {
        display: block;
      }

      .failure {
        color: var(--bad);
      }

      details {
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      dl {
        display: grid;
        gap: 0.25rem;
        margin: 0 0 0.75rem;
      }

      dd {
        margin: 0 0 0.25rem;
      }

      dt code {
        white-space: normal;
        overflow-wrap: anywhere;
      }

      .track {
        position: relative;
        height: 0.75rem;
        margin: 0.125rem 0;
      }

      .bar {
        height: 100%;
        border: 1px solid var(--edge);
        border-radius: 2px;
        background: var(--line);
      }

      .bar.ours {
        border-color: var(--train);
        background: var(--train);
      }

      /* From the least to the greatest sample. */
      .spread {
        position: absolute;
        top: 50%;
        height: 2px;
        min-width: 1px;
        background: var(--ink);
        box-shadow: 0 0 0 1px var(--paper);
        transform: translateY(-50%);
      }

      @container (max-width: 56rem) {
        table,
        tbody,
        caption {
          display: block;
        }

        thead {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }

        tbody tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto auto;
          gap: 0.125rem 0.75rem;
          padding: 0.5rem 0;
          border-bottom: 1px solid var(--line);
        }

        tbody th,
        tbody td {
          padding: 0;
          border: 0;
        }

        .plot,
        .failure {
          grid-column: 1 / -1;
        }

        .agreement {
          grid-column: 2 / -1;
          text-align: end;
        }
      }
    `,
  ];
}
