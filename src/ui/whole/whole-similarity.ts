import { type CSSResultGroup, css, html, nothing, type TemplateResult } from 'lit';
import type { LinearCka } from '../../explain/global/linear-cka.ts';
import { shared } from '../shared-styles.ts';
import { firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 500;

/** How alike the layers are as representations of the same examples. */
export class WholeSimilarity extends WholeView<LinearCka> {
  async #find(): Promise<void> {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    await this.compute(async (copy, signal) => {
      const { linearCka } = await import('./whole-library.ts');
      const layers = copy.layers.filter(({ kind }) => kind !== 'flatten').map(({ name }) => `activation/${name}`);
      // Token numbers are names, which have no distance.
      return linearCka(copy, firstOf(test, MOST_EXAMPLES), { layers: this.isText ? layers : ['input', ...layers], signal });
    });
  }

  override render(): TemplateResult {
    const { words, found, snapshot } = this;
    const { views } = words;
    const size = words.whole(Math.min(MOST_EXAMPLES, snapshot?.test?.size ?? 0));
    return html`
      ${this.head(views.similarityTitle, views.similarityFind, () => void this.#find())}
      <p class="note">${views.similarityNote(size)}</p>
      ${found ? this.#found(found.result) : nothing}
    `;
  }

  #found({ layers, values }: LinearCka): TemplateResult {
    const { words } = this;
    const name = (layer: string): string => layer.replace('activation/', '');
    return html`<div class="table" tabindex="0" role="region" aria-label=${words.views.similarityTitle}>
      <table>
        <thead>
          <tr>
            <td></td>
            ${layers.map((layer) => html`<th scope="col" class="number">${name(layer)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${layers.map(
            (layer, i) => html`<tr>
              <th scope="row">${name(layer)}</th>
              ${values[i]!.map((value) => html`<td class="number cell" style=${`--share: ${Number.isFinite(value) ? value.toFixed(3) : 0}`}>${words.significant(value, 2)}</td>`)}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      table {
        width: auto;
      }

      .cell {
        min-width: 4.5rem;
        padding-inline: 0.5rem;
        background: linear-gradient(to top, var(--edge) 3px, transparent 0) bottom left / calc(100% * var(--share)) 100% no-repeat;
      }
    `,
  ];
}
