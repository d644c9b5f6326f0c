import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Snapshot } from '../session/session.ts';
import { shared } from '../shared-styles.ts';
import { WholeWords } from './whole-view.ts';

/** The whole network, beyond the chosen example. It computes on copies: nothing here changes the run. */
export class StudioWhole extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false } };

  declare snapshot: Snapshot | undefined;
  readonly #words = new WholeWords(this);

  constructor() {
    super();
    this.snapshot = undefined;
  }

  override render(): TemplateResult {
    const { snapshot } = this;
    if (!snapshot?.run) {
      const { views } = this.#words;
      return html`<p class="note">${snapshot?.recorded ? views.needsGpu : views.waiting}</p>`;
    }
    return html`
      <whole-weights .snapshot=${snapshot}></whole-weights>
      <whole-attention .snapshot=${snapshot}></whole-attention>
      <whole-prototypes .snapshot=${snapshot}></whole-prototypes>
      <whole-importance .snapshot=${snapshot}></whole-importance>
      <whole-dependence .snapshot=${snapshot}></whole-dependence>
      <whole-tree .snapshot=${snapshot}></whole-tree>
      <whole-similarity .snapshot=${snapshot}></whole-similarity>
      <whole-evaluation .snapshot=${snapshot}></whole-evaluation>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
        margin-top: 0.375rem;
      }
    `,
  ];
}
