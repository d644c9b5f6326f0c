import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { AdapterFigures } from '../../bench/adapter.ts';
import type { KernelProfile } from '../../bench/roofline.ts';
import { figure } from '../../bench/table.ts';
import { shared } from '../shared-styles.ts';
import { BenchWords } from './bench-words.ts';
import { isDrawn } from './roofline-chart.ts';

/** What the adapter can do, and the kernels of a training step against it: the plot, and the same in figures. */
export class BenchProfile extends LitElement {
  static override properties: PropertyDeclarations = {
    adapter: { attribute: false },
    profile: { attribute: false },
    chosen: { state: true },
  };

  declare adapter: AdapterFigures | null;
  declare profile: readonly KernelProfile[];
  /** The workload whose step is shown. */
  declare chosen: string | undefined;
  readonly #words = new BenchWords(this);

  constructor() {
    super();
    this.adapter = null;
    this.profile = [];
    this.chosen = undefined;
  }

  override render(): TemplateResult {
    return html`${this.adapter ? this.#adapter(this.adapter) : nothing}${this.profile.length > 0 ? this.#profile() : nothing}`;
  }

  #adapter(adapter: AdapterFigures): TemplateResult {
    const { bench } = this.#words;
    const facts: [string, string][] = [
      [bench.peak, `${figure(adapter.multiplyAddGflops)} GFLOP/s`],
      [bench.copy, `${figure(adapter.copyGigabytesPerSecond)} GB/s`],
      [bench.transfer, `${figure(adapter.transferGigabytesPerSecond)} GB/s`],
      [bench.dispatch, `${figure(adapter.dispatchMicroseconds)} µs`],
      [bench.submit, `${figure(adapter.submitMicroseconds)} µs`],
    ];
    return html`
      <h3>${bench.adapterTitle}</h3>
      <p class="caption">${bench.adapterCaption}</p>
      <dl>
        <dt>${bench.adapterName}</dt>
        <dd>${adapter.name}${adapter.isFallback ? html`<br /><small>${bench.software}</small>` : nothing}</dd>
        ${facts.map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd class="number">${value}</dd>`,
        )}
      </dl>
    `;
  }

  #profile(): TemplateResult {
    const { bench, language } = this.#words;
    const workloads = [...new Set(this.profile.map(({ workload }) => workload))];
    const chosen = this.chosen !== undefined && workloads.includes(this.chosen) ? this.chosen : workloads[0];
    const kernels = this.profile.filter(({ workload }) => workload === chosen);
    const left = kernels.flatMap((kernel, i) => (isDrawn(kernel) ? [] : [this.#words.whole(i + 1)]));
    return html`
      <h3>${bench.profileTitle}</h3>
      <p class="caption">${bench.profileCaption}</p>
      <label for="workload">${bench.profileOf}</label>
      <select
        id="workload"
        @change=${(event: Event) => {
          this.chosen = (event.target as HTMLSelectElement).value;
        }}
      >
        ${workloads.map((workload) => html`<option value=${workload} ?selected=${workload === chosen}>${workload}</option>`)}
      </select>
      <roofline-chart .profile=${kernels} .adapter=${this.adapter}></roofline-chart>
      ${left.length > 0 ? html`<p class="note">${bench.notDrawn(left.join(', '))}</p>` : nothing}
      <table role="table" lang=${language === 'en' ? nothing : 'zh-CN'}>
        <thead role="rowgroup">
          <tr role="row">
            ${this.#heads().map(
              (name, i) => html`<th role="columnheader" scope="col" class=${i === 1 || i === 2 || i === 8 ? '' : 'number'}>${name}</th>`,
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${kernels.map((kernel, i) => this.#kernel(kernel, i + 1))}
        </tbody>
      </table>
    `;
  }

  #heads(): string[] {
    const { bench } = this.#words;
    const { kernel, variant, microseconds, share, gflops, gigabytes, intensity, limit, ofLimit } = bench;
    return ['', kernel, variant, microseconds, share, gflops, gigabytes, intensity, limit, ofLimit];
  }

  #kernel(kernel: KernelProfile, number: number): TemplateResult {
    const { bench } = this.#words;
    const percent = (share: number): string => this.#words.percent(share, 0);
    const cells = [
      kernel.variant,
      figure(1000 * kernel.milliseconds),
      percent(kernel.share),
      figure(kernel.gflops),
      figure(kernel.gigabytesPerSecond),
      figure(kernel.intensity),
      bench.bounds[kernel.bound],
      percent(kernel.ofLimit),
    ];
    const heads = this.#heads().slice(2);
    return html`<tr role="row">
      <td role="cell" class="number index">${number}</td>
      <th role="rowheader" scope="row"><code lang="en">${kernel.kernel}</code></th>
      ${cells.map(
        (cell, i) => html`<td role="cell" class=${i === 0 || i === 6 ? '' : 'number'} data-head=${heads[i] as string}>${cell}</td>`,
      )}
    </tr>`;
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

      .caption {
        margin-bottom: 0.75rem;
      }

      dl {
        display: grid;
        grid-template-columns: max-content minmax(0, 1fr);
        gap: 0.375rem 1.25rem;
        margin: 0;
        font-size: 0.9375rem;
      }

      dt,
      small,
      label {
        color: var(--quiet);
      }

      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }

      roofline-chart {
        max-width: 52rem;
        margin: 0.75rem 0;
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

      @container (max-width: 56rem) {
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
          grid-template-columns: 1.5rem repeat(2, minmax(0, 1fr));
          gap: 0.125rem 0.75rem;
          padding: 0.5rem 0;
          border-bottom: 1px solid var(--line);
        }

        tbody th,
        tbody td {
          padding: 0;
          border: 0;
          text-align: start;
        }

        tbody th {
          grid-column: 2 / -1;
        }

        td[data-head]:nth-child(odd) {
          grid-column: 2;
        }

        td[data-head]::before {
          content: attr(data-head) ' ';
          color: var(--quiet);
        }
      }
    `,
  ];
}
