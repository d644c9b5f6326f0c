import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { type ClauseDataset, decodeText, type EncodedText, encodeText } from '../../data/index.ts';
import { send } from '../session/commands.ts';
import type { Snapshot } from '../session/session.ts';
import { shared } from '../shared-styles.ts';
import { sentenceOf } from './sentence.ts';
import { TextWords } from './text-words.ts';

/** The text that is looked at, to be read and rewritten. */
export class TextExample extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false }, taken: { state: true } };

  declare snapshot: Snapshot | undefined;
  /** What was made of the text that was typed last, and the example that it became. */
  declare taken: (EncodedText & { readonly key: string | undefined }) | undefined;
  readonly #words = new TextWords(this);
  /** The text that was taken has been looked at. */
  #came = false;

  constructor() {
    super();
    this.snapshot = undefined;
    this.taken = undefined;
  }

  protected override willUpdate(): void {
    const { taken, snapshot } = this;
    // What is said of a text is said of that text alone, which comes a little later than it is taken.
    if (!taken) return;
    if (taken.key === JSON.stringify(snapshot?.choices.example)) this.#came = true;
    else if (this.#came) this.taken = undefined;
  }

  /** The text as it is shown to be changed. */
  get #written(): string {
    const { example, test } = this.snapshot ?? {};
    return sentenceOf(example?.values ?? [], test?.vocabulary ?? []);
  }

  override render(): TemplateResult {
    const words = this.#words;
    const { texts } = words;
    const { example, test, choices } = this.snapshot ?? {};
    const vocabulary = test?.vocabulary ?? [];
    const shown = decodeText(example?.values ?? [], vocabulary);
    const own = choices?.example.kind === 'edited';
    const index = choices && choices.example.kind !== 'drawn' ? choices.example.index : 0;
    const width = test?.inputShape[0] ?? 0;
    const evidence = own ? undefined : (test as ClauseDataset | undefined)?.evidence?.subarray(index * width, (index + 1) * width);
    const text = this.#written;
    const { taken } = this;
    return html`
      <p class="text" lang="en">
        ${shown.map((word, token) => (word === undefined ? nothing : evidence?.[token] ? html`<u>${word}</u> ` : `${word} `))}
      </p>
      <label for="own">${texts.text}</label>
      <textarea
        id="own"
        rows="3"
        lang="en"
        spellcheck="false"
        aria-describedby="notes"
        .value=${text}
        @change=${(event: Event) => this.#take((event.target as HTMLTextAreaElement).value)}
        @keydown=${(event: KeyboardEvent) => this.#press(event)}
      ></textarea>
      <div id="notes" class="note">
        ${example && shown.every((word) => word === undefined) ? html`<p class="said" role="status">${texts.empty}</p>` : nothing}
        ${taken && taken.unknown.length > 0 ? html`<p class="said" role="status">${texts.unknownWords(taken.unknown.join(', '))}</p>` : nothing}
        ${taken && taken.cut > 0 ? html`<p class="said" role="status">${texts.cut(words.whole(taken.cut), words.whole(width))}</p>` : nothing}
        <p>${texts.editHint}</p>
        <p>${own ? texts.edited : `${texts.generated} ${evidence ? texts.evidence : ''}`}</p>
      </div>
      ${own ? html`<button @click=${() => send(this, { do: 'choose', choices: { example: { kind: 'test', index } } })}>${texts.restore}</button>` : nothing}
    `;
  }

  #press(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#take((event.target as HTMLTextAreaElement).value);
  }

  /** The text becomes the clause with some of its words changed: so the address holds it, and Back undoes it. */
  #take(text: string): void {
    const { test, choices } = this.snapshot ?? {};
    const vocabulary = test?.vocabulary;
    if (!test || !vocabulary || !choices || choices.example.kind === 'drawn') return;
    const width = test.inputShape[0] ?? 0;
    // To leave the field is not to write it anew.
    if (text === this.#written) return;
    const { index } = choices.example;
    const encoded = encodeText(text, vocabulary, width);
    const before = test.inputs.subarray(index * width, (index + 1) * width);
    const values = Array.from(encoded.tokens, (token, at) => [at, token] as const).filter(([at, token]) => token !== before[at]);
    const example = values.length > 0 ? ({ kind: 'edited', index, values } as const) : ({ kind: 'test', index } as const);
    this.#came = false;
    this.taken = { ...encoded, key: JSON.stringify(example) };
    send(this, { do: 'choose', choices: { example } });
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .text {
        margin: 0.5rem 0;
        font: 400 1rem / 1.45 var(--serif);
      }

      u {
        text-decoration: underline 2px;
        text-underline-offset: 3px;
      }

      label {
        color: var(--quiet);
        font-size: 0.75rem;
      }

      textarea {
        display: block;
        width: 100%;
        padding: 0.375rem 0.5rem;
        border: 1px solid var(--edge);
        border-radius: 8px;
        background: var(--sheet);
        color: var(--ink);
        font: 400 0.875rem / 1.4 var(--sans);
        resize: vertical;
      }

      .note p {
        margin: 0.25rem 0 0;
        font-size: 0.75rem;
        line-height: 1.35;
      }

      .note .said {
        color: var(--hold);
      }

      button {
        margin-top: 0.375rem;
        font-size: 0.8125rem;
      }
    `,
  ];
}
