import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { explain } from './faults.ts';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import type { Training } from './training.ts';

/** What went wrong and how to mend it, and what can be undone. */
export class VitrineNotices extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false } };

  declare training: Training | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.training = undefined;
    new Follow(this);
  }

  override render(): TemplateResult {
    const { training } = this;
    const { say } = this.#words;
    return html`<section aria-label=${say.notices}>
      ${training?.fault === undefined ? nothing : this.#fault(training)}
      ${
        training?.recoveredAt === undefined
          ? nothing
          : this.#note(say.recovered(this.#words.whole(training.recoveredAt)), () => training.putAway('recoveredAt'))
      }
      ${
        training?.undoStep === undefined
          ? nothing
          : this.#note(
              say.wasReset(this.#words.whole(training.undoStep)),
              () => training.putAway('undoStep'),
              html`<button class="undo" @click=${() => void training.undoReset()}>${say.undo}</button>`,
            )
      }
    </section>`;
  }

  #fault(training: Training): TemplateResult {
    const { say } = this.#words;
    const { what, mend, english } = explain(training.fault, this.#words);
    const closed = training.phase === 'closed';
    return html`
      <div class="notice fault" role="alert" lang=${english ? 'en' : nothing}>
        <div class="words">
          <p class="what">${what}</p>
          <p><strong>${say.toMend}</strong>${mend}</p>
          ${closed && training.keptStep !== undefined ? html`<p>${say.workIsKept(this.#words.whole(training.keptStep))}</p>` : nothing}
        </div>
        ${
          closed
            ? html`<button class="retry" @click=${() => void training.retry()}>${say.retry}</button>`
            : html`<button class="close" aria-label=${say.dismiss} title=${say.dismiss} @click=${() => training.putAway('fault')}>✕</button>`
        }
      </div>
    `;
  }

  #note(words: string, putAway: () => void, action: TemplateResult | typeof nothing = nothing): TemplateResult {
    const { say } = this.#words;
    return html`
      <div class="notice">
        <div class="words"><p>${words}</p></div>
        ${action}
        <button class="close" aria-label=${say.dismiss} title=${say.dismiss} @click=${putAway}>✕</button>
      </div>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .notice {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.25rem 0.75rem;
        margin-bottom: 0.75rem;
        padding: 0.375rem 0.5rem 0.375rem 1rem;
        border: 1px solid var(--line);
        border-left: 3px solid var(--train);
        border-radius: 10px;
        background: var(--sheet);
        font-size: 0.9375rem;
      }

      .fault {
        border-left-color: var(--bad);
        padding-block: 0.75rem;
      }

      .words {
        flex: 1 1 9rem;
      }

      p {
        margin: 0;
        overflow-wrap: anywhere;
      }

      .what {
        font-weight: 600;
      }

      .close {
        border-color: transparent;
        padding: 0;
      }
    `,
  ];
}
