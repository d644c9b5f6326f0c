import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type PropertyValues, type TemplateResult } from 'lit';
import type { PlanStep } from '../engine/index.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import { linesOf } from './wgsl-lines.ts';

/** The shaders with their comments, each loaded when it is read. */
const FILES = import.meta.glob<string>('../shaders/*.wgsl', { query: '?documented', import: 'default' });

/** One step of a plan: what its kernel reads and writes, and its WGSL. */
export class VitrineKernel extends LitElement {
  static override properties: PropertyDeclarations = { step: { attribute: false }, documented: { state: true } };

  declare step: PlanStep | undefined;
  /** The file of a kernel with its comments, which the page does not load before someone reads them. */
  declare documented: { readonly kernel: string; readonly source: string } | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.step = undefined;
    this.documented = undefined;
  }

  override render(): TemplateResult {
    const { step } = this;
    const { say } = this.#words;
    if (!step) return html``;
    const { kernel, bound, outputs } = step;
    const source = this.documented?.kernel === kernel.name ? this.documented.source : kernel.source;
    const values = Object.entries({ ...step.constants, ...step.parameters });
    return html`
      <div class="tensors">
        <table>
          <thead>
            <tr>
              <th scope="col">${say.planBinding}</th>
              <th scope="col"></th>
              <th scope="col">${say.planTensor}</th>
              <th scope="col">${say.planShape}</th>
            </tr>
          </thead>
          <tbody>
            ${bound.map(
              (tensor, i) => html`<tr>
                <td><code>${kernel.bindings[i]}</code></td>
                <td class="access">${outputs.includes(tensor) ? say.planWrites : say.planReads}</td>
                <td><code>${tensor.name.replace(/^(train|gather): /, '')}</code></td>
                <td class="shape">${tensor.shape.join(' × ') || '1'}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      <p class="note">
        ${values.length === 0 ? '' : html`${say.planParameters}: <code>${values.map(([name, value]) => `${name} ${value}`).join(', ')}</code>. `}
        ${say.planEntry(kernel.entry)}
      </p>
      <pre tabindex="0" role="region" aria-label=${`${kernel.name} WGSL`}><code>${linesOf(source, kernel.entry).map(
        ({ words, entry }) =>
          html`<span class=${entry ? 'line entry' : 'line'}>${words.map(({ kind, text }) =>
            kind === 'plain' ? text : html`<span class=${kind}>${text}</span>`,
          )}
</span>`,
      )}</code></pre>
    `;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('step') && this.step) void this.#document(this.step);
  }

  async #document({ kernel, modified }: PlanStep): Promise<void> {
    const file = kernel.name.split('.')[0];
    const load = FILES[`../shaders/${file}.wgsl`];
    // A kernel that was changed by hand is shown as it runs.
    if (modified || !load) return;
    const source = await load();
    if (this.step?.kernel.name === kernel.name) this.documented = { kernel: kernel.name, source };
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('step') && !changed.has('documented')) return;
    const code = this.renderRoot.querySelector('pre');
    const entry = code?.querySelector<HTMLElement>('.entry');
    if (code && entry) code.scrollTop = Math.max(0, entry.offsetTop - 60);
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        padding-bottom: 1rem;
      }

      .tensors {
        overflow-x: auto;
      }

      table {
        width: auto;
        min-width: min(100%, 36rem);
      }

      code {
        font-family: var(--mono);
        font-size: 0.8125rem;
      }

      .access {
        color: var(--quiet);
      }

      .shape {
        white-space: nowrap;
      }

      .note {
        margin: 0.75rem 0;
        overflow-wrap: anywhere;
      }

      pre {
        position: relative;
        max-height: 28rem;
        margin: 0;
        padding: 0.75rem 0;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--sheet);
        line-height: 1.55;
        tab-size: 2;
      }

      pre code {
        display: block;
        width: max-content;
        min-width: 100%;
      }

      .line {
        display: block;
        padding: 0 1rem;
        border-left: 3px solid transparent;
      }

      .entry {
        border-left-color: var(--train);
        background: var(--wash);
      }

      .comment {
        color: var(--quiet);
        font-style: italic;
      }

      .keyword {
        color: var(--train);
      }

      .type,
      .attribute {
        color: var(--hold);
      }

      .number {
        color: var(--good);
      }
    `,
  ];
}
