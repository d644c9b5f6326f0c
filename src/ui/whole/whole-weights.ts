import { type CSSResultGroup, css, html, nothing, svg, type TemplateResult } from 'lit';
import type { Model } from '../../engine/index.ts';
import type { TensorReductions, WeightHistogram } from '../../explain/model/weight-reductions.ts';
import { shared } from '../shared-styles.ts';
import { WholeView, wholeStyles } from './whole-view.ts';

const BINS = 32;
/** Of a histogram, in CSS pixels. */
const [WIDTH, HEIGHT] = [96, 20];

/** What every weight tensor comes to, at one step. */
export class WholeWeights extends WholeView<ReadonlyMap<string, TensorReductions>> {
  /** The network that was computed without being asked: each once. */
  #began: Model | undefined;

  override updated(): void {
    const model = this.snapshot?.run?.model;
    if (!model || this.#began === model || this.busy || !this.checkVisibility()) return;
    this.#began = model;
    // After this update: it begins another.
    void Promise.resolve().then(() => this.#compute());
  }

  #compute(): Promise<void> {
    return this.compute(async (copy) => {
      const { weightReductions } = await import('./whole-library.ts');
      return weightReductions(copy, { bins: BINS, importance: false });
    });
  }

  override render(): TemplateResult {
    const { words, found } = this;
    const { views } = words;
    return html`
      <div class="head">
        <h3>${views.weightsTitle}</h3>
        ${found && found.step === this.snapshot?.step ? html`<span class="note">${views.fromStep(words.whole(found.step))}</span>` : nothing}
        ${
          found && found.step === this.snapshot?.step
            ? nothing
            : html`<button ?disabled=${this.busy || !this.snapshot?.run} @click=${() => void this.#compute()}>
                ${this.busy ? views.computing : views.refresh(words.whole(found?.step ?? 0))}
              </button>`
        }
      </div>
      ${found ? this.#table(found.result) : html`<p class="note">${this.busy ? views.computing : this.snapshot?.run ? nothing : views.waiting}</p>`}
      <p class="note">${views.weightsNote}</p>
    `;
  }

  #table(tensors: ReadonlyMap<string, TensorReductions>): TemplateResult {
    const { words } = this;
    const { views } = words;
    const broken = [...tensors.values()].some(({ notFinite }) => notFinite > 0);
    return html`<div class="table" tabindex="0" role="region" aria-label=${views.weightsTitle}>
      <table>
        <thead>
          <tr>
            <th scope="col">${views.tensor}</th>
            <th scope="col">${views.histogram}</th>
            ${[views.norm, views.mean, views.deviation, views.range, views.zeros, views.stableRank].map(
              (name) => html`<th scope="col" class="number">${name}</th>`,
            )}
            ${broken ? html`<th scope="col" class="number">${views.notFinite}</th>` : nothing}
            <th scope="col" class="number">${views.shape}</th>
          </tr>
        </thead>
        <tbody>
          ${[...tensors].map(
            ([name, each]) => html`<tr data-tensor=${name}>
              <th scope="row">${name}</th>
              <td>${each.histogram ? this.#histogram(each.histogram) : nothing}</td>
              <td class="number" data-of="norm">${words.significant(each.norm)}</td>
              <td class="number">${words.significant(each.mean)}</td>
              <td class="number">${words.significant(each.deviation)}</td>
              <td class="number">${words.significant(each.least)} … ${words.significant(each.greatest)}</td>
              <td class="number">${words.percent(each.sparsity)}</td>
              <td class="number">${each.stableRank === undefined ? '–' : words.significant(each.stableRank)}</td>
              ${broken ? html`<td class="number">${words.whole(each.notFinite)}</td>` : nothing}
              <td class="number">${each.shape.join(' × ')}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #histogram({ from, to, counts }: WeightHistogram): TemplateResult {
    const { words } = this;
    const most = Math.max(...counts);
    const wide = WIDTH / counts.length;
    const label = this.words.views.histogramText(words.significant(from), words.significant(to), String(most));
    return html`<svg width=${WIDTH} height=${HEIGHT} role="img" aria-label=${label}>
      ${Array.from(counts, (count, i) => {
        const high = most === 0 ? 0 : (count / most) * HEIGHT;
        return svg`<rect x=${i * wide} y=${HEIGHT - high} width=${wide} height=${high} />`;
      })}
    </svg>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      svg {
        display: block;
        border-bottom: 1px solid var(--edge);
        fill: var(--quiet);
      }
    `,
  ];
}
