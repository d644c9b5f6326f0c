import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Dataset } from '../../engine/index.ts';
import type { ClassPrototypes } from '../../explain/global/class-prototypes.ts';
import { paintExample } from '../ink.ts';
import { whenSchemeChanges } from '../scheme.ts';
import { shared } from '../shared-styles.ts';
import { sentenceOf } from '../text/sentence.ts';
import { firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 1000;
/** Of each class: images are small, a row of a table is a column of this view. */
const [IMAGES, ROWS] = [6, 2];

interface Middle {
  readonly layer: string;
  readonly classes: readonly ClassPrototypes[];
}

/** The examples that lie nearest to the middle of their class as a layer sees them, and the one that lies farthest. */
export class WholePrototypes extends WholeView<Middle> {
  static override properties: PropertyDeclarations = { ...WholeView.properties, layer: { state: true } };

  /** Where examples are compared; undefined for the last layer before the logits. */
  declare layer: string | undefined;

  constructor() {
    super();
    whenSchemeChanges(this);
    this.layer = undefined;
  }

  /** The input, what each layer gives that is no mere view or the classes, and the logits. */
  get #layers(): readonly string[] {
    const layers = this.snapshot?.run?.model.layers ?? [];
    const hidden = layers.slice(0, -1).filter(({ kind }) => kind !== 'flatten');
    return [...(this.isText ? [] : ['input']), ...hidden.map(({ name }) => `activation/${name}`), 'logits'];
  }

  get #layer(): string {
    const layers = this.#layers;
    return this.layer !== undefined && layers.includes(this.layer) ? this.layer : (layers.at(-2) ?? 'logits');
  }

  protected override get question(): string {
    return this.#layer;
  }

  async #find(): Promise<void> {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    const layer = this.#layer;
    await this.compute(async (copy, signal) => {
      const { classPrototypes } = await import('./whole-library.ts');
      const count = this.#isTable ? ROWS : IMAGES;
      return { layer, classes: await classPrototypes(copy, firstOf(test, MOST_EXAMPLES), { layer, count, signal }) };
    });
  }

  get #isTable(): boolean {
    return this.snapshot?.test?.inputShape.length === 1 && !this.isText;
  }

  override render(): TemplateResult {
    const { words, found, snapshot } = this;
    const { views } = words;
    const size = words.whole(Math.min(MOST_EXAMPLES, snapshot?.test?.size ?? 0));
    return html`
      ${this.head(views.prototypesTitle, views.prototypesFind, () => void this.#find())}
      <p class="note">${views.prototypesNote(size)}</p>
      <label class="note"
        >${views.layer}
        <select
          @change=${(event: Event) => {
            this.layer = (event.target as HTMLSelectElement).value;
            if (this.found) void this.#find();
          }}
        >
          ${this.#layers.map((name) => html`<option value=${name} ?selected=${name === this.#layer}>${name}</option>`)}
        </select></label
      >
      ${found && snapshot?.test ? (this.#isTable ? this.#table(found.result, snapshot.test) : this.#pictures(found.result, snapshot.test)) : nothing}
    `;
  }

  #name(label: number): string {
    return this.snapshot?.test?.classes?.[label] ?? String(label);
  }

  /** Images and texts: a line of them for each class. */
  #pictures({ classes }: Middle, test: Dataset): TemplateResult {
    const { words } = this;
    const { views } = words;
    const width = test.inputs.length / test.size;
    const text = (index: number): string => sentenceOf(test.inputs.subarray(index * width, (index + 1) * width), test.vocabulary ?? []);
    const show = ({ example, distance }: { example: number; distance: number }): TemplateResult => html`<figure>
      ${this.exampleButton(example, this.isText ? text(example) : html`<canvas data-example=${example} aria-hidden="true"></canvas>`)}
      <figcaption class="number">${words.significant(distance, 2)}</figcaption>
    </figure>`;
    return html`<div class="table" tabindex="0" role="region" aria-label=${views.prototypesTitle}>
      <table>
        <thead>
          <tr>
            <th scope="col">${views.predictedClass}</th>
            <th scope="col" class="number">${views.examples}</th>
            <th scope="col">${views.nearest}</th>
            <th scope="col">${views.farthest}</th>
          </tr>
        </thead>
        <tbody>
          ${classes.map(
            ({ label, examples, prototypes, outlier }) => html`<tr data-class=${label}>
              <th scope="row">${this.#name(label)}</th>
              <td class="number">${words.whole(examples)}</td>
              <td><div class=${this.isText ? 'texts' : 'line'}>${prototypes.map(show)}</div></td>
              <td class=${this.isText ? 'text' : ''}>${outlier && examples > prototypes.length ? show(outlier) : '–'}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  /** Rows of a table: a column for each prototype, its values in their own units. */
  #table({ classes }: Middle, test: Dataset): TemplateResult {
    const { words } = this;
    const { views } = words;
    const width = test.inputs.length / test.size;
    const shown = classes.flatMap(({ label, prototypes }) => prototypes.map((each) => ({ label, ...each })));
    return html`<div class="table tall" tabindex="0" role="region" aria-label=${views.prototypesTitle}>
      <table>
        <thead>
          <tr>
            <th scope="col">${views.predictedClass}</th>
            ${shown.map(
              ({ label, example, distance }) => html`<th scope="col" class="number" data-class=${label}>
                ${this.exampleButton(example, `${this.#name(label)} · ${words.whole(example)}`)}<br />${views.distance(words.significant(distance, 2))}
              </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${(test.features ?? []).map(
            (feature, column) => html`<tr>
              <th scope="row">${feature}</th>
              ${shown.map(
                ({ example }) =>
                  html`<td class="number">${words.significant(this.ownUnits(column, test.inputs[example * width + column]!))}</td>`,
              )}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  protected override updated(): void {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    for (const canvas of this.renderRoot.querySelectorAll('canvas')) paintExample(canvas, test, Number(canvas.dataset.example));
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      label {
        display: block;
        margin: 0.125rem 0 0.375rem;
      }

      .line {
        display: flex;
        gap: 0.25rem;
      }

      .texts {
        display: grid;
        gap: 0.125rem;
      }

      figure {
        display: grid;
        justify-items: center;
        margin: 0;
      }

      .texts figure,
      td > figure {
        justify-items: start;
      }

      figcaption {
        color: var(--quiet);
        font-size: 0.6875rem;
        line-height: 1.3;
      }

      .line button.example,
      td:not(.text) > figure button.example {
        padding: 2px;
      }

      .texts button.example,
      .text button.example {
        min-width: 9rem;
        padding: 0.25rem 0.5rem;
        line-height: 1.3;
        white-space: normal;
      }

      canvas {
        width: 2.25rem;
        image-rendering: pixelated;
      }

      .tall {
        max-height: 20rem;
        overflow: auto;
      }
    `,
  ];
}
