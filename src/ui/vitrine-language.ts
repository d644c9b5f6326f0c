import { type CSSResultGroup, css, html, LitElement, type TemplateResult } from 'lit';
import { LANGUAGE_NAMES, LANGUAGE_TAGS, type Language, languageChoice, Words } from './language.ts';
import { shared } from './shared-styles.ts';

/** The switch between the languages of the page. */
export class VitrineLanguage extends LitElement {
  readonly #words = new Words(this);

  override render(): TemplateResult {
    const { say, language } = this.#words;
    const button = (choice: Language): TemplateResult => html`
      <button lang=${LANGUAGE_TAGS[choice]} aria-pressed=${choice === language} @click=${() => languageChoice.choose(choice)}>
        ${LANGUAGE_NAMES[choice]}
      </button>
    `;
    return html`<div role="group" aria-label=${say.language}>${button('en')}${button('zh')}</div>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      div {
        display: flex;
      }

      button {
        padding: 0 0.625rem;
        border: 0;
        color: var(--quiet);
        font-weight: 400;
        font-size: 0.875rem;
      }

      button[aria-pressed='true'] {
        color: var(--ink);
        text-decoration: underline;
        text-decoration-thickness: 1.5px;
        text-underline-offset: 0.4em;
      }
    `,
  ];
}
