import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  type TemplateResult,
} from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Dataset } from '../engine/index.ts';
import { breakable } from './breakable.ts';
import { icon } from './icons.ts';
import { paintExample } from './ink.ts';
import { Words } from './language.ts';
import type { CellDetail, Values } from './maps/tensor-view.ts';
import { inOwnUnits } from './own-units.ts';
import { whenSchemeChanges } from './scheme.ts';
import type { ExampleChoice } from './session/choices.ts';
import { send } from './session/commands.ts';
import type { Snapshot } from './session/session.ts';
import type { Strokes } from './session/strokes.ts';
import { readNumber } from './settings.ts';
import { shared } from './shared-styles.ts';
import { sentenceOf } from './text/sentence.ts';
import { ROOMY } from './window-size.ts';

/** EXAMPLE: what is shown to the network, and what the network makes of it. */
export class StudioExample extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    drawing: { state: true },
    wrong: { state: true },
    outlined: { type: Number },
    refused: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  /** The pad is open. */
  declare drawing: boolean;
  /** The strip shows mistakes, instead of one of each class. */
  declare wrong: boolean;
  /** The pixel that is pointed at in any picture. */
  declare outlined: number | undefined;
  /** What was typed last and cannot be taken, and where: it stays with a message until something else is chosen. */
  declare refused: { readonly field: 'index' | number; readonly typed: string } | undefined;
  readonly #words = new Words(this);
  #shown: { readonly key: string; readonly values: Values } | undefined;

  constructor() {
    super();
    whenSchemeChanges(this);
    this.snapshot = undefined;
    this.drawing = false;
    this.wrong = false;
    this.outlined = undefined;
    this.refused = undefined;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('snapshot') as Snapshot | undefined;
    if (before && before.choices.example !== this.snapshot?.choices.example) this.refused = undefined;
  }

  override render(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const isText = snapshot?.test?.vocabulary !== undefined;
    // A text, too, is a list of values.
    const isTable = snapshot?.test !== undefined && snapshot.test.inputShape.length === 1;
    return html`
      <div class="title"><h2>${say.exampleTitle}</h2>${this.#pin()}</div>
      ${isText ? this.#text() : isTable ? this.#row() : this.#image()} ${this.#bars()} ${this.#strip(!isTable)}
    `;
  }

  /** Keeps the example beside those that are chosen next. */
  #pin(): TemplateResult {
    const { say } = this.#words;
    const { choices } = this.snapshot ?? {};
    const pinned = choices?.pinned !== undefined;
    return html`<button
      class="sort"
      aria-pressed=${pinned ? 'true' : 'false'}
      title=${say.pinHint}
      ?disabled=${!choices}
      @click=${() => send(this, { do: 'choose', choices: { pinned: pinned ? undefined : choices?.example } })}
    >
      ${pinned ? say.unpin : say.pin}
    </button>`;
  }

  // ---- the image -----------------------------------------------------------------------------------------------------------------

  get #values(): Values | undefined {
    const { example } = this.snapshot ?? {};
    if (!example) return undefined;
    if (this.#shown?.key !== example.key) this.#shown = { key: example.key, values: { shape: example.shape, values: example.values } };
    return this.#shown.values;
  }

  #image(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const choice = snapshot?.choices.example;
    const drawn = choice?.kind === 'drawn';
    const open = this.drawing || drawn;
    return html`
      <div class=${open ? 'stage drawing' : 'stage'}>
        ${
          open
            ? html`<drawing-pad
                .strokes=${drawn ? choice.strokes : []}
                @drawn=${(event: CustomEvent<Strokes>) => this.#draw(event.detail)}
              ></drawing-pad>`
            : nothing
        }
        <div class="seen">
          ${open ? html`<p class="note">${say.networkSees}</p>` : nothing}
          <tensor-view
            class="picture"
            bare
            ink
            .tensor=${this.#values}
            .label=${this.#describe()}
            .looks=${snapshot?.looks ?? 0}
            .locked=${snapshot?.choices.pixel}
            .outlined=${this.outlined}
            @cell-lock=${(event: CustomEvent<CellDetail>) => this.#lock(event.detail.index)}
            @cell-free=${() => this.#lock(undefined)}
          ></tensor-view>
          ${
            open
              ? nothing
              : html`<div>
                  ${this.#walk(false)}
                  <button class="small wide" ?disabled=${snapshot?.recorded !== undefined} @click=${() => this.#pickUp()}>${icon('draw')}${say.draw}</button>
                </div>`
          }
        </div>
      </div>
      ${open ? this.#drawingTools() : nothing}
    `;
  }

  #drawingTools(): TemplateResult {
    const { say } = this.#words;
    const choice = this.snapshot?.choices.example;
    const drawn = choice?.kind === 'drawn';
    return html`
      <div class="tools">
        <label class="check">
          <input
            type="checkbox"
            .checked=${drawn ? choice.centred : true}
            ?disabled=${!drawn}
            @change=${(event: Event) => this.#centre((event.target as HTMLInputElement).checked)}
          />${say.centreAsMnist}
        </label>
        <button class="small" ?disabled=${!drawn} @click=${() => this.#undoStroke()}>${say.undoStroke}</button>
        <button class="small" @click=${() => this.#putDown()}>${say.backToTest}</button>
      </div>
    `;
  }

  #describe(): string {
    const { say } = this.#words;
    const { snapshot } = this;
    const { example, test } = snapshot ?? {};
    if (!example) return say.exampleTitle;
    const { choice } = example;
    if (choice.kind === 'drawn') return say.drawnPicture;
    if (choice.kind === 'own') return this.snapshot?.ownImages?.find(({ hash }) => hash === choice.image)?.name ?? say.exampleTitle;
    const name = example.label === undefined ? '' : (test?.classes?.[example.label] ?? String(example.label));
    return say.digitPicture(name, this.#words.whole(choice.index));
  }

  /** @param inline nothing stands beside it */
  #walk(inline: boolean): TemplateResult {
    const { say } = this.#words;
    const { test, choices } = this.snapshot ?? {};
    const index = choices?.example.kind === 'drawn' ? 0 : (choices?.example.index ?? 0);
    const count = test?.size ?? 1;
    // Before there are examples there is none to go to.
    const none = test === undefined;
    const refused = this.refused?.field === 'index' ? this.refused : undefined;
    const go = (to: number): void => this.#choose({ kind: 'test', index: ((to % count) + count) % count });
    return html`
      <div class=${inline ? 'walk inline' : 'walk'}>
        <button class="small" ?disabled=${none} aria-label=${say.previous} title=${`${say.previous} ([)`} @click=${() => go(index - 1)}>‹</button>
        <label>
          <span class="hidden">${say.example}</span>
          <input
            type="text"
            inputmode="numeric"
            autocomplete="off"
            aria-invalid=${refused ? 'true' : 'false'}
            aria-describedby=${refused ? 'refusal' : nothing}
            ?disabled=${none}
            .value=${none ? '' : (refused?.typed ?? String(index))}
            @change=${(event: Event) => this.#type((event.target as HTMLInputElement).value)}
          />
        </label>
        <button class="small" ?disabled=${none} aria-label=${say.next} title=${`${say.next} (])`} @click=${() => go(index + 1)}>›</button>
        <span class="note number">${none ? nothing : say.exampleOf(this.#words.whole(count))}</span>
        ${refused ? html`<span id="refusal" class="refusal" role="alert">${say.noSuchExample(this.#words.whole(count - 1))}</span>` : nothing}
      </div>
    `;
  }

  #type(typed: string): void {
    const index = readNumber(typed);
    const size = this.snapshot?.test?.size ?? 0;
    const there = Number.isInteger(index) && index >= 0 && index < size;
    this.refused = there ? undefined : { field: 'index', typed };
    if (there) this.#choose({ kind: 'test', index });
  }

  #choose(example: ExampleChoice): void {
    send(this, { do: 'choose', choices: { example, pixel: this.snapshot?.choices.pixel } });
  }

  #lock(pixel: number | undefined): void {
    send(this, { do: 'choose', choices: { pixel } });
  }

  // ---- drawing -------------------------------------------------------------------------------------------------------------------

  #lastTest: ExampleChoice = { kind: 'test', index: 0 };

  #pickUp(): void {
    const { example } = this.snapshot?.choices ?? {};
    if (example && example.kind !== 'drawn') this.#lastTest = example;
    this.drawing = true;
  }

  #putDown(): void {
    this.drawing = false;
    if (this.snapshot?.choices.example.kind === 'drawn') this.#choose(this.#lastTest);
  }

  #draw(strokes: Strokes): void {
    const { example } = this.snapshot?.choices ?? {};
    this.#choose({ kind: 'drawn', strokes, centred: example?.kind === 'drawn' ? example.centred : true });
  }

  #centre(centred: boolean): void {
    const { example } = this.snapshot?.choices ?? {};
    if (example?.kind === 'drawn') this.#choose({ ...example, centred });
  }

  #undoStroke(): void {
    const { example } = this.snapshot?.choices ?? {};
    if (example?.kind !== 'drawn') return;
    if (example.strokes.length > 1) this.#choose({ ...example, strokes: example.strokes.slice(0, -1) });
    else {
      this.drawing = true;
      this.#choose(this.#lastTest);
    }
  }

  /** What shows texts comes with the first of them. */
  #text(): TemplateResult {
    void import('./text/index.ts').catch((error) => send(this, { do: 'report', error }));
    return html`${this.#walk(true)}<text-example .snapshot=${this.snapshot}></text-example>`;
  }

  // ---- a row of a table ----------------------------------------------------------------------------------------------------------

  #row(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const { example, test } = snapshot ?? {};
    const map = snapshot?.cards.find(({ map: found }) => found?.values)?.map;
    const values = map?.example === example?.key ? map?.values : undefined;
    const largest = Math.max(1e-12, ...Array.from(values ?? [], Math.abs));
    const choice = snapshot?.choices.example;
    const edits = choice?.kind === 'edited' ? choice.values : [];
    return html`
      ${this.#walk(true)}
      ${
        choice?.kind === 'edited'
          ? html`<p class="note" role="status">${say.rowEdited(this.#words.whole(edits.length))}</p>
              <button class="small" @click=${() => this.#choose({ kind: 'test', index: choice.index })}>${say.restoreRow}</button>`
          : nothing
      }
      <div class="table" tabindex="0" role="region" aria-label=${say.rowTitle}>
        <table>
          <thead>
            <tr>
              <th scope="col">${say.featureColumn}</th>
              <th scope="col" class="number">${say.valueColumn}</th>
              <th scope="col">${map ? say.methodNames[snapshot!.cards.find((card) => card.map === map)!.method] : ''}</th>
            </tr>
          </thead>
          <tbody>
            ${repeat(
              test?.features ?? [],
              (feature) => feature,
              (feature, column) => {
                const share = (values?.[column] ?? 0) / largest;
                const locked = snapshot?.choices.pixel === column;
                return html`<tr class=${locked ? 'locked' : ''}>
                  <th scope="row">${breakable(feature)}${locked ? html` <small class="mark">${say.lockedRow}</small>` : nothing}</th>
                  <td class="number">${this.#value(
                    feature,
                    column,
                    edits.some(([edited]) => edited === column),
                  )}</td>
                  <td class="bar-cell">
                    <span class=${share < 0 ? 'signed minus' : 'signed'} style=${`--share: ${Math.abs(share).toFixed(3)}`}></span>
                    <span class="hidden">${values ? this.#words.significant(values[column]!) : ''}</span>
                  </td>
                </tr>`;
              },
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  /** A value in its own units, as it is printed and typed. */
  #inUnits(value: number | undefined, column: number): string {
    return String(Number(inOwnUnits(value ?? 0, column, this.snapshot?.shown?.data.scaling).toPrecision(4)));
  }

  /** A column's value as the data have it. */
  #original(column: number): string {
    const { test, choices } = this.snapshot ?? {};
    const index = choices && choices.example.kind !== 'drawn' ? Math.min(choices.example.index, (test?.size ?? 1) - 1) : 0;
    const value = test?.inputs[index * (test.inputShape[0] ?? 0) + column];
    // Bytes are scaled as the network gets them.
    return this.#inUnits(test?.inputs instanceof Uint8Array ? (value ?? 0) / (test.divisor ?? 255) : value, column);
  }

  #value(feature: string, column: number, edited: boolean): TemplateResult {
    const { say } = this.#words;
    const refused = this.refused?.field === column ? this.refused : undefined;
    return html`<input
        class=${edited ? 'edited' : ''}
        aria-label=${feature}
        aria-invalid=${refused ? 'true' : 'false'}
        aria-describedby=${refused ? 'refusal' : edited ? `was-${column}` : nothing}
        type="text"
        inputmode="decimal"
        autocomplete="off"
        .value=${refused?.typed ?? this.#inUnits(this.snapshot?.example?.values[column], column)}
        @change=${(event: Event) => this.#edit(column, (event.target as HTMLInputElement).value)}
      />
      ${edited ? html`<small id=${`was-${column}`} class="was">${say.valueWas(this.#original(column))}</small>` : nothing}
      ${refused ? html`<small id="refusal" class="refusal" role="alert">${say.notAValue}</small>` : nothing}`;
  }

  #edit(column: number, typed: string): void {
    const { example } = this.snapshot?.choices ?? {};
    const scaling = this.snapshot?.shown?.data.scaling;
    const own = readNumber(typed);
    if (!example || example.kind === 'drawn') return;
    this.refused = Number.isFinite(own) ? undefined : { field: column, typed };
    if (this.refused) return;
    const value = scaling ? (own - scaling.mean[column]!) / scaling.deviation[column]! : own;
    const others = example.kind === 'edited' ? example.values.filter(([other]) => other !== column) : [];
    // The value that was printed, typed again, is no change.
    const changed = this.#inUnits(value, column) !== this.#original(column);
    const values = changed ? [...others, [column, Number(value.toPrecision(7))] as const].sort(([a], [b]) => a - b) : others;
    this.#choose(values.length > 0 ? { kind: 'edited', index: example.index, values } : { kind: 'test', index: example.index });
  }

  // ---- what the network thinks ---------------------------------------------------------------------------------------------------

  #bars(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const { prediction, example, test, target } = snapshot ?? {};
    const current = prediction && prediction.example === example?.key ? prediction : undefined;
    const now = current && current.predicted >= 0 ? current : undefined;
    const name = (k: number): string => test?.classes?.[k] ?? String(k);
    const label = example?.label;
    const share = now ? words.percent(now.probabilities[now.predicted] ?? 0) : '';
    const verdict = !now
      ? ''
      : label === undefined
        ? say.reads(name(now.predicted), share)
        : now.predicted === label
          ? say.right(name(now.predicted), share)
          : say.wrong(name(now.predicted), share, name(label));
    const sign = label === undefined || !now ? '' : now.predicted === label ? '✓' : '✗';
    return html`
      <div class="thought">
        <p class="verdict" data-right=${now && label !== undefined ? String(now.predicted === label) : nothing}>
          ${verdict ? html`<span aria-hidden="true">${sign}</span> ${verdict} <small>${say.atStep(words.whole(now!.step))}</small>` : current ? say.notFinitePrediction : say.nothingYet}
        </p>
        <ol aria-label=${say.probabilities}>
          ${(test?.classes ?? []).map((each, k) => {
            const value = now?.probabilities[k] ?? 0;
            return html`<li class=${k === now?.predicted ? 'predicted' : ''}>
              <button
                aria-pressed=${k === snapshot?.choices.target ? 'true' : 'false'}
                data-asked=${k === target}
                title=${say.askAbout(each)}
                @click=${() => this.#ask(k)}
              >
                <span class="name">${each}</span>
                <span class="track"><span class="bar" style=${`transform: scaleX(${value.toFixed(4)})`}></span></span>
                <span class="value number">${now ? words.percent(value) : '–'}</span>
                <span class="label">${k === label ? say.isLabel : nothing}</span>
              </button>
            </li>`;
          })}
        </ol>
      </div>
      ${snapshot?.ownImages?.length || snapshot?.taken ? html`<own-images .snapshot=${snapshot}></own-images>` : nothing}
    `;
  }

  /** Asks about a class; about the predicted one again, when the class is chosen already. */
  #ask(k: number): void {
    send(this, { do: 'choose', choices: { target: this.snapshot?.choices.target === k ? undefined : k } });
  }

  // ---- the strip -----------------------------------------------------------------------------------------------------------------

  /** @param ofImages each is a small picture; in words otherwise */
  #strip(ofImages: boolean): TemplateResult {
    const { say } = this.#words;
    const { mistakes } = this.snapshot ?? {};
    const tab = (wrong: boolean, words: string): TemplateResult => html`<button
      class="sort"
      aria-pressed=${this.wrong === wrong ? 'true' : 'false'}
      @click=${() => {
        this.wrong = wrong;
      }}
    >
      ${words}
    </button>`;
    const strip = (wrong: boolean): TemplateResult => html`<div
      class=${ofImages ? 'strip' : wrong ? 'strip listed' : 'strip listed classes'}
      role="group"
      aria-label=${wrong ? say.stripMistakesLabel : say.chooseByClass}
    >
      ${wrong ? this.#worst(ofImages) : this.#classes(ofImages)}
    </div>`;
    const mistaken = mistakes
      ? this.#atStep(mistakes.step, say.stripMistakes(this.#words.whole(mistakes.wrong), this.#words.whole(mistakes.size)))
      : say.stripNoMistakes;
    // Where there is room, both are there.
    if (matchMedia(ROOMY).matches) {
      return html`<h3 class="sort">${say.stripClasses}</h3>${strip(false)}<h3 class="sort">${mistaken}</h3>${strip(true)}`;
    }
    return html`<div class="sorts" role="group" aria-label=${say.stripLabel}>
        ${tab(false, say.stripClasses)}
        ${tab(true, mistaken)}
      </div>
      ${strip(this.wrong)}`;
  }

  /** With its step, where training has gone on since. */
  #atStep(step: number, said: string): string {
    return step === this.snapshot?.step ? said : `${said}, ${this.#words.say.atStep(this.#words.whole(step))}`;
  }

  #className(k: number): string {
    return this.snapshot?.test?.classes?.[k] ?? String(k);
  }

  #worst(ofImages: boolean): TemplateResult[] | undefined {
    const words = this.#words;
    const { mistakes, choices } = this.snapshot ?? {};
    return mistakes?.worst.map(({ index, label, predicted, share }) => {
      const said = words.say.mistake(this.#className(label), this.#className(predicted), words.percent(share));
      const chosen = choices?.example.kind === 'test' && choices.example.index === index;
      return html`<button
        data-example=${index}
        aria-label=${ofImages ? said : nothing}
        title=${ofImages ? said : nothing}
        aria-pressed=${chosen ? 'true' : 'false'}
        @click=${() => this.#choose({ kind: 'test', index })}
      >
        ${ofImages ? html`<canvas data-example=${index} aria-hidden="true"></canvas>` : html`${this.#inWords(index)} <small>${said}</small>`}
      </button>`;
    });
  }

  /** A text as it reads, a row by its number. */
  #inWords(index: number): TemplateResult {
    const { test } = this.snapshot ?? {};
    const width = test?.inputShape[0] ?? 0;
    return test?.vocabulary
      ? html`<span lang="en">${sentenceOf(test.inputs.subarray(index * width, (index + 1) * width), test.vocabulary)}</span>`
      : html`<span class="number">${this.#words.whole(index)}</span>`;
  }

  #classes(ofImages: boolean): TemplateResult[] {
    const { say } = this.#words;
    const { test, example, choices } = this.snapshot ?? {};
    const index = choices?.example.kind === 'test' ? choices.example.index : -1;
    const label = index >= 0 ? example?.label : undefined;
    return (test?.classes ?? []).map((name, k) => {
      const chosen = k === label;
      const shown = chosen ? index : nextOf(test!, k, 0);
      const words = chosen ? say.nextOfClass(name) : say.chooseClass(name);
      return html`<button
        aria-label=${words}
        title=${words}
        aria-pressed=${chosen ? 'true' : 'false'}
        ?disabled=${shown === undefined}
        @click=${() => this.#choose({ kind: 'test', index: nextOf(test!, k, chosen ? index + 1 : 0) ?? 0 })}
      >
        ${ofImages ? html`<canvas data-example=${shown ?? ''} aria-hidden="true"></canvas>` : html`<span>${name}</span>`}
      </button>`;
    });
  }

  protected override updated(): void {
    const { ownImages, taken, test } = this.snapshot ?? {};
    if (ownImages?.length || taken) void import('./own/index.ts').catch((error) => send(this, { do: 'report', error }));
    this.#showLocked();
    if (!test) return;
    for (const canvas of this.renderRoot.querySelectorAll<HTMLCanvasElement>('.strip canvas')) {
      const { example = '' } = canvas.dataset;
      if (example !== '') paintExample(canvas, test, Number(example));
    }
  }

  #lockedBefore: number | undefined;

  /** A row that was locked elsewhere may lie outside the part of the table that is in view. */
  #showLocked(): void {
    const { pixel } = this.snapshot?.choices ?? {};
    const [table, row] = ['.table', '.table .locked'].map((selector) => this.renderRoot.querySelector<HTMLElement>(selector));
    if (pixel === this.#lockedBefore || !table || (pixel !== undefined && !row)) return;
    this.#lockedBefore = pixel;
    if (!row) return;
    const [box, own] = [table.getBoundingClientRect(), row.getBoundingClientRect()];
    if (own.top < box.top || own.bottom > box.bottom) table.scrollTop += own.top - box.top - (box.height - own.height) / 2;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      /* The list of a row's values takes what the rest leaves. */
      :host {
        display: flex;
        flex-direction: column;
      }

      :host > * {
        flex: none;
      }

      :host > .small {
        align-self: start;
      }

      .title {
        display: flex;
        align-items: center;
        justify-content: space-between;
      }

      .stage {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.5rem;
      }

      .drawing {
        grid-template-columns: minmax(0, 1fr) 5.25rem;
        align-items: end;
      }

      .seen .note {
        margin-bottom: 0.25rem;
        font-size: 0.75rem;
        line-height: 1.25;
      }

      .stage:not(.drawing) .seen {
        display: grid;
        grid-template-columns: minmax(6rem, 8.25rem) minmax(min-content, 1fr);
        gap: 0.75rem;
        align-items: center;
      }

      .picture {
        --map-background: var(--sheet);
        --map-radius: 8px;
        border: 1px solid var(--line);
        border-radius: 9px;
      }

      .walk {
        display: grid;
        grid-template-columns: 2rem minmax(3.75rem, 5rem) 2rem;
        align-items: center;
      }

      .refusal {
        display: block;
        grid-column: 1 / -1;
        color: var(--bad);
        font-size: 0.75rem;
        line-height: 1.3;
        text-align: start;
      }

      .walk input {
        width: 100%;
        padding: 0 0.25rem;
        text-align: center;
      }

      .walk .note {
        grid-column: 1 / -1;
        padding-top: 0.25rem;
        text-align: center;
      }

      .walk.inline {
        grid-template-columns: 2.75rem 4.25rem 2.75rem 1fr;
      }

      .inline .note {
        grid-column: auto;
        padding: 0 0.25rem;
        text-align: start;
      }

      .walk button {
        min-width: 0;
        padding: 0;
        border-color: transparent;
        font-size: 1.25rem;
      }

      .wide {
        width: 100%;
        margin-top: 0.375rem;
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.375rem;
        margin: 0.375rem 0;
      }

      .small {
        min-height: 44px;
        padding: 0 0.75rem;
        font-size: 0.8125rem;
      }

      .check {
        min-height: 44px;
      }

      .verdict {
        min-height: 1.4em;
        margin: 0.5rem 0 0.25rem;
        font-size: 0.875rem;
        line-height: 1.4;
      }

      .verdict small {
        color: var(--quiet);
        font-size: 0.75rem;
        white-space: nowrap;
      }

      .verdict[data-right='true'] span {
        color: var(--good);
      }

      .verdict[data-right='false'] span {
        color: var(--bad);
      }

      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li button {
        display: grid;
        grid-template-columns: minmax(0.75rem, max-content) minmax(2rem, 1fr) 3.25rem 2.125rem;
        gap: 0.5rem;
        align-items: center;
        width: 100%;
        min-height: 1.5rem;
        padding: 0 0.25rem;
        border: 1px solid transparent;
        border-radius: 5px;
        color: var(--quiet);
        font-size: 0.8125rem;
        font-weight: 400;
        text-align: start;
      }

      li button[data-asked='true'] {
        border-color: var(--line);
        background: var(--wash);
      }

      li button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      .track {
        height: 0.5rem;
        border-radius: 3px;
        background: var(--wash);
        overflow: hidden;
      }

      [data-asked='true'] .track {
        background: var(--line);
      }

      .bar {
        display: block;
        height: 100%;
        background: var(--edge);
        transform-origin: left;
      }

      .value {
        text-align: end;
      }

      .label {
        font-size: 0.6875rem;
      }

      .predicted button {
        color: var(--ink);
        font-weight: 600;
      }

      .predicted .bar {
        background: var(--train);
      }

      .sorts {
        display: flex;
        gap: 0.25rem;
        margin-top: 0.25rem;
      }

      .sort {
        min-height: 1.75rem;
        padding: 0 0.5rem;
        border-color: transparent;
        border-radius: 6px;
        color: var(--quiet);
        font-size: 0.75rem;
        font-weight: 400;
      }

      h3.sort {
        min-height: 0;
        margin: 0.75rem 0 0.25rem;
        padding: 0;
      }

      .sort[aria-pressed='true'] {
        border-color: var(--line);
        color: var(--ink);
      }

      .strip {
        display: grid;
        grid-template-columns: repeat(5, 1fr);
        gap: 2px;
      }

      .strip button {
        min-width: 0;
        min-height: 44px;
        padding: 2px;
        border-color: transparent;
      }

      .listed {
        grid-template-columns: minmax(0, 1fr);
      }

      .listed.classes {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem;
      }

      .listed button {
        flex-wrap: wrap;
        gap: 0 0.5rem;
        justify-content: start;
        padding: 0.25rem 0.5rem;
        border-color: var(--line);
        font-size: 0.8125rem;
        font-weight: 400;
        line-height: 1.3;
        text-align: start;
        white-space: normal;
      }

      .listed small {
        color: var(--quiet);
      }

      .strip button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      .strip canvas {
        width: 2.25rem;
        image-rendering: pixelated;
      }

      .table {
        position: relative;
        flex: 0 1 auto;
        min-height: 9rem;
        max-height: 22rem;
        margin: 0.5rem 0;
        overflow: auto;
      }

      .table th,
      .table td {
        padding: 0.125rem 0.5rem 0.125rem 0;
        font-size: 0.75rem;
        text-align: start;
      }

      .table td.number {
        text-align: end;
      }

      .table table {
        table-layout: fixed;
      }

      .table th:nth-child(2) {
        width: 5rem;
      }

      .table th:nth-child(3) {
        width: 4.5rem;
      }

      .table tbody th {
        overflow-wrap: anywhere;
        line-height: 1.2;
        vertical-align: middle;
      }

      .table input {
        width: 4.5rem;
        min-height: 1.75rem;
        padding: 0 0.25rem;
        border-color: var(--line);
        border-radius: 6px;
        font-size: 0.75rem;
        text-align: end;
      }

      .table input.edited {
        border: 2px solid var(--ink);
        font-weight: 600;
      }

      .table .was {
        display: block;
        color: var(--quiet);
        white-space: nowrap;
      }

      .table .locked {
        outline: 2px solid var(--ink);
        outline-offset: -2px;
      }

      .table .locked th {
        padding-inline-start: 0.375rem;
        color: var(--ink);
        font-weight: 600;
      }

      .mark {
        padding: 0 0.25rem;
        border-radius: 3px;
        background: var(--ink);
        color: var(--on-ink);
        font-size: 0.6875rem;
        white-space: nowrap;
      }

      .signed {
        display: block;
        width: calc(50% * var(--share));
        height: 0.5rem;
        margin-left: 50%;
        background: var(--positive);
      }

      .minus {
        margin-left: calc(50% - 50% * var(--share));
        background: var(--negative);
      }

      @media (max-width: 719px), (pointer: coarse) {
        .sort,
        li button {
          min-height: 44px;
        }

        .walk:not(.inline) {
          grid-template-columns: 2.75rem minmax(3.75rem, 5rem) 2.75rem;
        }
      }
    `,
  ];
}

/** The first example of a class from `from` on, around the end. */
function nextOf({ labels }: Dataset, k: number, from: number): number | undefined {
  if (!labels) return undefined;
  const found = labels.indexOf(k, from);
  const first = found >= 0 ? found : labels.indexOf(k);
  return first >= 0 ? first : undefined;
}
