import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Calls } from '../engine/index.ts';
import { adapterName, isSoftware } from './adapter.ts';
import { Words } from './language.ts';
import type { Snapshot } from './session/session.ts';
import { shared } from './shared-styles.ts';

/** In the order in which they matter: the first five are 0 in a steady step. */
const KINDS: readonly (keyof Calls)[] = [
  'createBuffer',
  'createBindGroup',
  'createComputePipeline',
  'writeBuffer',
  'mapAsync',
  'copyBuffer',
  'dispatch',
  'submit',
];

/** The adapter, its memory, and the GPU calls of a step. */
export class VitrineMachine extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false } };

  declare snapshot: Snapshot | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
  }

  override render(): TemplateResult {
    const { device, reading, run } = this.snapshot ?? {};
    const words = this.#words;
    const { say } = words;
    const memory = device?.memory;
    return html`
      <h2>${say.machine}</h2>
      <dl>
        <dt>${say.adapter}</dt>
        <dd>${device ? adapterName(device) || say.adapterUnnamed : '–'}${device && isSoftware(device) ? html`<br /><small>${say.adapterSoftware}</small>` : ''}</dd>
        <dt>${say.gpuMemory}</dt>
        <dd>${memory ? say.memoryUse(words.bytes(memory.bytes), words.whole(memory.buffers), words.bytes(memory.peakBytes)) : '–'}</dd>
        <dt>${say.parameters}</dt>
        <dd>${run ? words.whole(run.model.parameterCount) : '–'}</dd>
      </dl>
      <table>
        <caption>
          ${say.callsCaption}
        </caption>
        <thead>
          <tr>
            <th scope="col">${say.call}</th>
            <th scope="col" class="number">${say.callsPerStep}</th>
            <th scope="col" class="number">${say.callsOfReader}</th>
          </tr>
        </thead>
        <tbody>
          ${KINDS.map(
            (kind) => html`<tr>
              <th scope="row"><code>${kind}</code></th>
              <td class="number" data-call=${kind}>${this.#count(reading?.callsPerStep[kind])}</td>
              <td class="number">${this.#count(reading?.readerPerSecond[kind])}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    `;
  }

  /** Whole counts plainly, shares with three digits: 0, 11, 0.042. */
  #count(value: number | undefined): string {
    if (value === undefined || !Number.isFinite(value)) return '–';
    if (Number.isInteger(value)) return this.#words.whole(value);
    return value >= 10 ? this.#words.whole(value) : value.toPrecision(2);
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 0.375rem 1.25rem;
        margin: 1rem 0 1.5rem;
        font-size: 0.9375rem;
      }

      dt {
        color: var(--quiet);
      }

      dd {
        margin: 0;
        font-variant-numeric: tabular-nums;
      }

      small,
      caption {
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      caption {
        padding-bottom: 0.5rem;
        text-align: start;
        line-height: 1.45;
      }

      tbody th {
        color: inherit;
        font-weight: 400;
      }

      code {
        font-family: var(--mono);
      }
    `,
  ];
}
