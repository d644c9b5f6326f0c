import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Given } from './given.ts';
import { Words } from './language.ts';
import { send } from './session/commands.ts';
import type { Snapshot } from './session/session.ts';
import {
  ATTENTION_HEADS,
  DATA_NAMES,
  EMBEDDING_WIDTH,
  isOwnData,
  MOST_LAYERS,
  MOST_UNITS,
  nextRate,
  OPTIMIZER_NAMES,
  RANGES,
  readLayers,
  readSetting,
  type SettingName,
  type Settings,
  writeLayers,
} from './settings.ts';
import { shared } from './shared-styles.ts';

const NUMBERS: readonly SettingName[] = ['seed', 'batch', 'rate', 'epochs'];

/** The recipe of the run, to be changed: data, layers, optimiser, seed, batch size, learning rate, epochs. */
export class StudioRecipe extends LitElement {
  static override properties: PropertyDeclarations = { snapshot: { attribute: false }, invalid: { state: true }, typed: { state: true } };

  declare snapshot: Snapshot | undefined;
  /** Fields that hold what cannot be taken. */
  declare invalid: ReadonlySet<string>;
  /** The layers as they are being typed. */
  declare typed: string | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
    this.invalid = new Set();
    this.typed = undefined;
  }

  show(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  override render(): TemplateResult {
    const { say } = this.#words;
    const settings = this.snapshot?.choices.recipe;
    const given = this.snapshot?.given;
    const started = (this.snapshot?.step ?? 0) > 0;
    return html`
      <dialog aria-labelledby="title" @click=${(event: Event) => event.target === event.currentTarget && (event.target as HTMLDialogElement).close()}>
        <div class="sheet">
          <h2 id="title">${say.recipeTitle}</h2>
          ${this.#fault()}
          <form @submit=${(event: Event) => event.preventDefault()}>
            ${
              given
                ? this.#given(given)
                : html`${this.#select('data', say.dataLabel, DATA_NAMES, say.dataNames, settings?.data)} ${this.#own(settings)}
                    ${this.#layers(settings)}
                    ${this.#select('optimizer', say.optimizerLabel, OPTIMIZER_NAMES, say.optimizerNames, settings?.optimizer)}`
            }
            ${NUMBERS.filter((name) => !given || name === 'rate' || name === 'epochs').map((name) => this.#number(name, settings))}
          </form>
          <p class="note">${given ? nothing : this.snapshot?.needsReset && started ? say.afterReset : say.recipeNote}</p>
          <div class="buttons">
            ${
              this.snapshot?.needsReset && started
                ? html`<button @click=${() => send(this, { do: 'reset' })}>${say.resetNow}</button>`
                : nothing
            }
            <button class="primary" @click=${() => this.renderRoot.querySelector('dialog')?.close()}>${say.done}</button>
          </div>
        </div>
      </dialog>
    `;
  }

  /** The page's notices lie behind an open dialog. */
  #fault(): TemplateResult | typeof nothing {
    const isOpen = this.renderRoot.querySelector('dialog')?.open ?? false;
    if (!isOpen || this.snapshot?.fault === undefined) return nothing;
    return html`<vitrine-notices .snapshot=${this.snapshot}></vitrine-notices>`;
  }

  /** What only the page around the studio can change, and why. */
  #given({ dataset, layers, optimizer, settings }: Given): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const fixed = (label: string, value: string): TemplateResult => html`<div><dt>${label}</dt><dd class="number">${value}</dd></div>`;
    return html`
      <div class="field wide">
        <dl>
          ${fixed(say.dataLabel, `${dataset.name} (${words.whole(dataset.size)})`)} ${fixed(say.layersLabel, layers || say.linear)}
          ${fixed(say.optimizerLabel, optimizer)} ${fixed(say.seed, words.whole(settings.seed))}
          ${fixed(say.batch, words.whole(settings.batch))}
        </dl>
        <p class="note">${say.givenNote}</p>
      </div>
    `;
  }

  #change(changes: Partial<Settings>): void {
    send(this, { do: 'recipe', changes });
  }

  #select<Name extends string>(
    key: 'data' | 'optimizer',
    label: string,
    names: readonly Name[],
    said: Readonly<Record<Name, string>>,
    chosen: string | undefined,
  ): TemplateResult {
    return html`
      <div class="field">
        <label for=${key}>${label}</label>
        <select id=${key} @change=${(event: Event) => this.#change({ [key]: (event.target as HTMLSelectElement).value })}>
          ${key === 'data' && chosen?.startsWith('own:') ? html`<option value=${chosen} selected>${this.snapshot?.test?.name ?? chosen}</option>` : nothing}
          ${names.map((name) => html`<option value=${name} .selected=${name === chosen}>${said[name]}</option>`)}
        </select>
      </div>
    `;
  }

  #own(settings: Settings | undefined): TemplateResult {
    const { say } = this.#words;
    return html`
      <div class="field wide own">
        <span class="name" id="own-name">${say.ownData}</span>
        <input
          id="own"
          class="hidden"
          type="file"
          multiple
          accept=".csv,.tsv,.txt,.gz,.idx,*/*"
          aria-labelledby="own-name own-choose"
          aria-describedby="own-note"
          @change=${(event: Event) => {
            const input = event.target as HTMLInputElement;
            send(this, { do: 'data', files: [...(input.files ?? [])] });
            input.value = '';
          }}
        />
        <label for="own" id="own-choose">${say.chooseFiles}</label>
        <span id="own-note" class="shape">${settings && isOwnData(settings.data) ? say.ownDataTaken(settings.data) : say.ownDataNote}</span>
      </div>
    `;
  }

  /** Shapes are checked as they are typed. */
  #layers(settings: Settings | undefined): TemplateResult {
    const { say } = this.#words;
    const text = this.typed ?? (settings ? writeLayers(settings.hidden) : '');
    const hidden = readLayers(text);
    const inputs = this.snapshot?.test?.inputShape.reduce((size, length) => size * length, 1) ?? 784;
    const classes = this.snapshot?.test?.classes?.length ?? 10;
    const words = this.snapshot?.test?.vocabulary?.length;
    return html`
      <div class="field wide">
        <label for="hidden">${say.layersLabel}</label>
        <input
          id="hidden"
          type="text"
          autocomplete="off"
          spellcheck="false"
          aria-invalid=${hidden ? 'false' : 'true'}
          aria-describedby="hidden-note"
          .value=${text}
          @input=${(event: Event) => {
            this.typed = (event.target as HTMLInputElement).value;
          }}
          @change=${() => {
            if (hidden) this.#change({ hidden });
            this.typed = hidden ? undefined : this.typed;
          }}
        />
        <span id="hidden-note" class=${hidden ? 'shape number' : 'refusal'} role=${hidden ? nothing : 'alert'}>
          ${hidden ? (words === undefined ? this.#shape([inputs, ...hidden, classes]) : this.#textShape(inputs, words, [...hidden, classes])) : say.layersRefusal(String(MOST_LAYERS), this.#words.whole(MOST_UNITS))}
        </span>
      </div>
    `;
  }

  #shape(widths: readonly number[]): string {
    const parameters = widths.slice(1).reduce((sum, width, i) => sum + width * (widths[i]! + 1), 0);
    return this.#words.say.layersShape(widths.map((width) => this.#words.whole(width)).join(' → '), this.#words.whole(parameters));
  }

  #textShape(tokens: number, vocabulary: number, widths: readonly number[]): string {
    const { say, whole } = { say: this.#words.say, whole: (value: number): string => this.#words.whole(value) };
    return say.layersOfText(
      whole(tokens),
      whole(vocabulary),
      whole(EMBEDDING_WIDTH),
      whole(ATTENTION_HEADS),
      widths.map(whole).join(' → '),
    );
  }

  #number(name: SettingName, settings: Settings | undefined): TemplateResult {
    const { say } = this.#words;
    const { least, most, whole } = RANGES[name];
    const wrong = this.invalid.has(name);
    const write = (value: number): string => (name === 'rate' ? String(value) : this.#words.whole(value));
    const refusal = (whole ? say.outOfRangeWhole : say.outOfRange)(write(least), write(most));
    return html`
      <div class="field">
        <label for=${name}>${say[name]}</label>
        <input
          id=${name}
          type="text"
          inputmode=${whole ? 'numeric' : 'decimal'}
          autocomplete="off"
          spellcheck="false"
          aria-describedby=${`${name}-note`}
          aria-invalid=${wrong ? 'true' : 'false'}
          .value=${String(settings?.[name] ?? '')}
          @change=${(event: Event) => this.#take(name, event.target as HTMLInputElement)}
          @keydown=${(event: KeyboardEvent) => this.#nudge(name, event)}
        />
        <span id=${`${name}-note`} class=${wrong ? 'refusal' : 'hidden'} role=${wrong ? 'alert' : nothing}
          >${wrong ? refusal : say[`${name}Help`]}</span
        >
      </div>
    `;
  }

  #take(name: SettingName, input: HTMLInputElement): void {
    const value = readSetting(name, input.value);
    const invalid = new Set(this.invalid);
    if (value === undefined) invalid.add(name);
    else {
      invalid.delete(name);
      this.#change({ [name]: value });
      input.value = String(value);
    }
    this.invalid = invalid;
  }

  /** ↑ and ↓ change a number as they do in a number field; the rate moves along 1, 2, 5, 10. */
  #nudge(name: SettingName, event: KeyboardEvent): void {
    const direction = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    const input = event.target as HTMLInputElement;
    const value = readSetting(name, input.value);
    if (direction === 0 || value === undefined) return;
    event.preventDefault();
    const { least, most } = RANGES[name];
    input.value = String(name === 'rate' ? nextRate(value, direction) : Math.min(most, Math.max(least, value + direction)));
    this.#take(name, input);
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      dialog {
        width: min(30rem, calc(100vw - 1rem));
        padding: 0;
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--paper);
        color: var(--ink);
      }

      dialog::backdrop {
        background: rgb(0 0 0 / 35%);
      }

      .sheet {
        padding: 1.25rem 1.5rem 1.5rem;
      }

      form {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0.75rem 1rem;
        margin: 1rem 0;
      }

      .field {
        display: flex;
        flex-direction: column;
        min-width: 0;
      }

      .wide {
        grid-column: 1 / -1;
        order: 1;
      }

      .field:not(.wide) {
        order: 2;
      }

      .field:first-child {
        grid-column: 1 / -1;
        order: 0;
      }

      dl {
        display: grid;
        gap: 0.25rem;
        margin: 0 0 0.5rem;
        font-size: 0.875rem;
      }

      dl div {
        display: grid;
        grid-template-columns: 8rem 1fr;
      }

      dt {
        color: var(--quiet);
      }

      dd {
        margin: 0;
        overflow-wrap: anywhere;
      }

      label,
      .name {
        color: var(--quiet);
        font-size: 0.8125rem;
        line-height: 1.5rem;
      }

      .own {
        position: relative;
      }

      .own label {
        display: flex;
        align-items: center;
        justify-content: center;
        min-height: 44px;
        border: 1px dashed var(--edge);
        border-radius: 10px;
        color: var(--ink);
        font-size: 0.9375rem;
        cursor: pointer;
      }

      .own input {
        min-height: 0;
        padding: 0;
        border: 0;
      }

      .own input:focus-visible + label {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }

      .shape {
        padding-top: 0.25rem;
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      .refusal {
        padding-top: 0.25rem;
        color: var(--bad);
        font-size: 0.8125rem;
        line-height: 1.35;
      }

      .buttons {
        display: flex;
        justify-content: end;
        gap: 0.5rem;
        margin-top: 1rem;
      }
    `,
  ];
}
