import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { explain } from '../faults.ts';
import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { shared } from '../shared-styles.ts';
import { selfTestChinese } from './messages-chinese.ts';
import { selfTestEnglish } from './messages-english.ts';
import { findingsOf, type OperationResult, reportOf, SelfTestRun, type SelfTestSources, worstOf } from './self-test-run.ts';

bringChinese(selfTestChinese, 'test.');

class SelfTestWords extends Words {
  readonly test: Spoken<typeof selfTestEnglish> = spoken(selfTestEnglish, 'test.');
}

/** One for all pages of a visit: whoever leaves and comes back finds the results. */
const visit = new SelfTestRun();

/**
 * Every kernel on the visitor's own GPU against float64 on the CPU: which fail, by how much and where, and a report to copy. The cases are
 * loaded when the test begins. Taken out of the document it stops.
 *
 * @fires busy - a test begins: whatever else uses the GPU should wait
 * @fires idle - it has ended
 */
export class VitrineSelfTest extends LitElement {
  static override properties: PropertyDeclarations = {
    run: { attribute: false },
    sources: { attribute: false },
    notice: { state: true },
  };

  /** To be set before the element is connected. */
  declare run: SelfTestRun;
  /** Where the device and the cases come from; one's own device and all cases, where undefined. */
  declare sources: SelfTestSources | undefined;
  declare notice: 'copied' | 'notCopied' | undefined;
  readonly #words = new SelfTestWords(this);
  #wasRunning = false;

  constructor() {
    super();
    this.run = visit;
    this.sources = undefined;
    this.notice = undefined;
  }

  readonly #renew = (): void => {
    if (this.run.running !== this.#wasRunning) {
      this.#wasRunning = this.run.running;
      this.dispatchEvent(new CustomEvent(this.#wasRunning ? 'busy' : 'idle', { bubbles: true, composed: true }));
    }
    this.requestUpdate();
  };

  override connectedCallback(): void {
    super.connectedCallback();
    this.run.addEventListener('change', this.#renew);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.run.stop();
    this.run.removeEventListener('change', this.#renew);
    // What was taken out around the element still listens.
    if (this.#wasRunning) this.dispatchEvent(new CustomEvent('idle', { bubbles: true, composed: true }));
    this.#wasRunning = false;
  }

  override render(): TemplateResult {
    const { test } = this.#words;
    const { run } = this;
    return html`
      <h2>${test.title}</h2>
      <p class="caption">${test.caption}</p>
      <div class="buttons">
        ${
          run.running
            ? html`<button id="stop" class="primary" @click=${() => run.stop()}>${test.stop}</button>`
            : html`<button id="start" class="primary" @click=${() => this.#start()}>${run.date === undefined ? test.start : test.again}</button>`
        }
      </div>
      ${this.#progress()} ${run.fault === undefined ? nothing : this.#fault()}
      ${run.results.length > 0 ? html`${this.#failures()} ${this.#table()}` : nothing}
      ${run.results.length > 0 && !run.running ? this.#report() : nothing}
    `;
  }

  #start(): void {
    this.notice = undefined;
    void this.run.start(this.sources);
  }

  #progress(): TemplateResult {
    const { test } = this.#words;
    const { running, results, done, total, now, stopped } = this.run;
    const comparisons = results.flatMap(findingsOf).length;
    const failed = this.run.failures.length;
    const whole = (value: number): string => this.#words.whole(value);
    const verdict = failed > 0 ? test.someFailed(whole(failed), whole(comparisons)) : test.allPassed(whole(comparisons));
    const said = running ? test.progress(whole(done), whole(total)) : comparisons > 0 ? verdict : '';
    return html`
      ${running ? html`<progress max=${total || 1} .value=${done} aria-label=${said}></progress>` : nothing}
      <p class="verdict ${failed > 0 ? 'bad' : ''}" role=${running ? nothing : 'status'}>${said}</p>
      ${running ? html`<p class="note"><code lang="en">${now ?? nothing}</code></p>` : nothing}
      ${stopped && !running ? html`<p class="note">${test.stopped}</p>` : nothing}
    `;
  }

  #fault(): TemplateResult {
    const { what, mend } = explain(this.run.fault, this.#words);
    return html`<p class="notice" role="alert">${what} <strong>${this.#words.say.toMend}</strong>${mend}</p>`;
  }

  #failures(): TemplateResult {
    const { test } = this.#words;
    const failed = this.run.results.flatMap(({ operation, cases }) =>
      cases.flatMap(({ name, findings }) => findings.filter(({ passed }) => !passed).map((finding) => ({ operation, name, ...finding }))),
    );
    if (failed.length === 0) return html``;
    return html`
      <h3>${test.failures}</h3>
      <ul class="failures">
        ${failed.map(
          ({ operation, name, what, message, kernels }) => html`<li>
            <strong lang="en">✗ ${test.failureIn(operation, name)}: ${what}</strong>
            <span lang="en">${message}</span>
            <span class="note">${test.kernels(kernels.join(', ') || '–')}</span>
          </li>`,
        )}
      </ul>
    `;
  }

  #table(): TemplateResult {
    const { test } = this.#words;
    return html`
      <h3>${test.results}</h3>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">${test.operation}</th>
            <th role="columnheader" scope="col">${test.result}</th>
            <th role="columnheader" scope="col" class="number">${test.comparisons}</th>
            <th role="columnheader" scope="col" class="number">${test.variants}</th>
            <th role="columnheader" scope="col" class="number">${test.worst}</th>
            <th role="columnheader" scope="col" class="number">${test.limit}</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${this.run.results.map((result) => this.#operation(result))}
        </tbody>
      </table>
    `;
  }

  #operation(result: OperationResult): TemplateResult {
    const { test } = this.#words;
    const findings = findingsOf(result);
    const failed = findings.filter(({ passed }) => !passed).length;
    const worst = worstOf(findings);
    const variants = new Set(findings.map((each) => JSON.stringify(each.variants))).size;
    const digits = (value: number | undefined): string => (value === undefined ? '–' : this.#words.significant(value, 2));
    const cell = (head: string, value: string): TemplateResult => html`<td role="cell" class="number" data-head=${head}>${value}</td>`;
    return html`<tr role="row" data-operation=${result.operation}>
      <th role="rowheader" scope="row"><code lang="en">${result.operation}</code></th>
      <td role="cell" class=${failed > 0 ? 'bad' : 'good'}>${failed > 0 ? test.wrong(this.#words.whole(failed)) : test.right}</td>
      ${cell(test.comparisons, this.#words.whole(findings.length))} ${cell(test.variants, this.#words.whole(variants))}
      ${cell(test.worst, digits(worst?.largestError))} ${cell(test.limit, digits(worst?.limit))}
    </tr>`;
  }

  #report(): TemplateResult {
    const { test } = this.#words;
    const report = reportOf(this.run);
    return html`
      <div class="buttons"><button id="copy" @click=${() => this.#copy(report)}>${test.copy}</button></div>
      <p class="note" role="status">${this.notice === undefined ? nothing : test[this.notice]}</p>
      <label for="report" class="note">${test.reportLabel}</label>
      <textarea id="report" readonly rows="10" lang="en" .value=${report}></textarea>
    `;
  }

  async #copy(report: string): Promise<void> {
    this.notice = await navigator.clipboard.writeText(report).then(
      () => 'copied' as const,
      () => 'notCopied' as const,
    );
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        container-type: inline-size;
      }

      h3 {
        margin: 1.5rem 0 0.5rem;
      }

      .buttons {
        margin: 1rem 0 0.5rem;
      }

      progress {
        width: 100%;
        height: 0.5rem;
        accent-color: var(--train);
      }

      .verdict {
        margin: 0.75rem 0 0.25rem;
        min-height: 1.5em;
        font-weight: 500;
      }

      .bad {
        color: var(--bad);
      }

      .good {
        color: var(--good);
      }

      .notice {
        margin: 0.75rem 0;
        padding: 0.625rem 0.875rem;
        border-left: 3px solid var(--bad);
        background: var(--wash);
        overflow-wrap: anywhere;
      }

      .failures {
        display: grid;
        gap: 0.75rem;
        margin: 0;
        padding: 0;
        list-style: none;
        font-size: 0.875rem;
        overflow-wrap: anywhere;
      }

      .failures span {
        display: block;
      }

      code {
        font: 400 0.8125rem var(--mono);
        overflow-wrap: anywhere;
      }

      tbody th {
        color: var(--ink);
        font-weight: 400;
        vertical-align: baseline;
      }

      td {
        vertical-align: baseline;
      }

      textarea {
        width: 100%;
        padding: 0.75rem;
        border: 1px solid var(--edge);
        border-radius: 10px;
        background: var(--sheet);
        color: var(--ink);
        font: 400 0.8125rem / 1.45 var(--mono);
      }

      @container (max-width: 44rem) {
        table,
        tbody {
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
          grid-template-columns: repeat(2, minmax(0, 1fr));
          gap: 0.125rem 0.75rem;
          padding: 0.5rem 0;
          border-bottom: 1px solid var(--line);
        }

        tbody th,
        tbody td,
        tbody td.number {
          padding: 0;
          border: 0;
          text-align: start;
        }

        td[data-head]::before {
          content: attr(data-head) ' ';
          color: var(--quiet);
        }
      }
    `,
  ];
}
