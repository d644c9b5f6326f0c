import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { VitrineError } from '../engine/index.ts';
import { explain } from './faults.ts';
import { Words } from './language.ts';
import { send } from './session/commands.ts';
import type { Compared } from './session/seen.ts';
import type { Snapshot } from './session/session.ts';
import { shared } from './shared-styles.ts';

/** There never was a GPU to work on. */
const withoutGpu = ({ fault, run }: Snapshot): boolean =>
  run === undefined && fault instanceof VitrineError && (fault.code === 'no-webgpu' || fault.code === 'no-adapter');

/** What went wrong and how to mend it, and what can be undone. */
export class VitrineNotices extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false } };

  declare snapshot: Snapshot | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
  }

  override render(): TemplateResult {
    const { snapshot } = this;
    const { say } = this.#words;
    return html`<section aria-label=${say.notices}>
      ${snapshot?.fault === undefined ? nothing : this.#fault(snapshot)}
      ${
        snapshot?.recoveredAt === undefined
          ? nothing
          : this.#note(say.recovered(this.#words.whole(snapshot.recoveredAt)), () => send(this, { do: 'dismiss', what: 'recoveredAt' }))
      }
      ${
        snapshot?.compared === undefined
          ? nothing
          : this.#note(this.#compared(snapshot.compared), () => send(this, { do: 'dismiss', what: 'compared' }))
      }
      ${
        // Who has trained on for as long has taken to the new run.
        snapshot?.undoStep === undefined || snapshot.step >= snapshot.undoStep
          ? nothing
          : this.#note(
              say.wasReset(this.#words.whole(snapshot.undoStep)),
              () => send(this, { do: 'dismiss', what: 'undoStep' }),
              html`<button class="undo" @click=${() => send(this, { do: 'undoReset' })}>${say.undo}</button>`,
            )
      }
    </section>`;
  }

  #compared({ adapters: [there, here], difference, step }: Compared): string {
    const { say } = this.#words;
    const at = this.#words.whole(step);
    if (difference === 0) return say.replayedSame(at, here);
    return say.replayedOther(at, there, here, this.#words.significant(difference, 2));
  }

  #fault(snapshot: Snapshot): TemplateResult {
    const { say } = this.#words;
    const { what, mend } = explain(snapshot.fault, this.#words);
    const closed = snapshot.phase === 'closed';
    return html`
      <div class="notice fault" role="alert">
        <div class="words">
          <p class="what">${what}</p>
          <p><strong>${say.toMend}</strong>${mend}</p>
          ${closed && snapshot.keptStep !== undefined ? html`<p>${say.workIsKept(this.#words.whole(snapshot.keptStep))}</p>` : nothing}
        </div>
        ${
          closed
            ? html`<button class="retry" @click=${() => send(this, { do: 'retry' })}>${say.retry}</button>${
                withoutGpu(snapshot)
                  ? html`<button class="recording" @click=${() => send(this, { do: 'openRecording' })}>${say.openRecording}</button>`
                  : nothing
              }`
            : html`<button class="close" aria-label=${say.dismiss} title=${say.dismiss} @click=${() => send(this, { do: 'dismiss', what: 'fault' })}>✕</button>`
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
        max-width: 60rem;
        margin: 0.375rem 0.75rem;
        padding: 0.25rem 0.375rem 0.25rem 0.875rem;
        border: 1px solid var(--line);
        border-left: 3px solid var(--train);
        border-radius: 8px;
        background: var(--sheet);
        font-size: 0.8125rem;
      }

      .fault {
        border-left-color: var(--bad);
        padding-block: 0.375rem;
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
