import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, svg, type TemplateResult } from 'lit';
import type { Tensor } from '../../engine/index.ts';
import { icon } from '../icons.ts';
import { paintExample } from '../ink.ts';
import { arrange } from '../maps/arrange.ts';
import type { Values } from '../maps/tensor-view.ts';
import { inOwnUnits } from '../own-units.ts';
import { whenSchemeChanges } from '../scheme.ts';
import { METHODS } from '../session/methods.ts';
import type { Snapshot } from '../session/session.ts';
import { shared } from '../shared-styles.ts';
import { seriesOf } from '../studio-network.ts';
import { firstWeights, histogramOf, type PixelFacts, type UnitFacts, valuesOnCpu } from './facts.ts';
import type { TopExamples } from './layer-activity.ts';
import { PointWords } from './point-words.ts';
import type { Pointed } from './pointed.ts';

const BINS = 32;

/**
 * What is known of one cell. For a value of the input: the value, each map's attribution, the first-layer weights of the unit that it moves most.
 * For a unit: the weights that come into it as an image and a histogram, and the test examples that it answers to most.
 *
 * @fires card-free - the visitor wants the cell freed
 * @fires card-unfold - the visitor wants to see more than its name
 * @fires card-example - a test example was chosen, its index
 */
export class CellCard extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    about: { attribute: false },
    facts: { attribute: false },
    top: { attribute: false },
    locked: { type: Boolean, reflect: true },
    floating: { type: Boolean },
    compact: { type: Boolean, reflect: true },
    folded: { type: Boolean },
  };

  declare snapshot: Snapshot | undefined;
  declare about: Pointed | undefined;
  /** As read last; undefined until it is here. */
  declare facts: PixelFacts | UnitFacts | undefined;
  declare top: TopExamples | undefined;
  declare locked: boolean;
  /** Beside the pointer: nothing in it can be pressed. */
  declare floating: boolean;
  /** In a narrow box, one thing under the other. */
  declare compact: boolean;
  /** Only its name, which unfolds it. */
  declare folded: boolean;
  readonly #words = new PointWords(this);

  constructor() {
    super();
    whenSchemeChanges(this);
    this.snapshot = undefined;
    this.about = undefined;
    this.facts = undefined;
    this.top = undefined;
    this.locked = false;
    this.floating = false;
    this.compact = false;
    this.folded = false;
  }

  override render(): TemplateResult {
    const { card } = this.#words;
    const { about } = this;
    if (!about || !this.snapshot) return html``;
    return html`
      <section aria-label=${card.title(this.locked ? card.lockedTitle : card.pointedTitle, this.#where(about))}>
        <div class="head">
          <h3>${
            this.folded
              ? html`<button class="unfold" aria-expanded="false" @click=${() => this.dispatchEvent(new Event('card-unfold'))}>${this.#title(about)}</button>`
              : this.#title(about)
          }</h3>
          ${
            this.locked
              ? html`<button aria-label=${card.free} title=${`${card.free} (Esc)`} @click=${() => this.dispatchEvent(new Event('card-free'))}>
                  ${icon('close')}
                </button>`
              : nothing
          }
        </div>
        ${this.folded ? nothing : about.kind === 'pixel' ? this.#pixel(about.index) : this.#unit(about)}
      </section>
    `;
  }

  #title(about: Pointed): TemplateResult {
    const { card } = this.#words;
    return html`<span class="quiet">${this.locked ? card.lockedTitle : card.pointedTitle}</span> ${this.#where(about)}`;
  }

  /** The card in a sentence. */
  get spoken(): string {
    const { card, say } = this.#words;
    const { about, facts } = this;
    if (!about || !facts) return '';
    if (facts.kind === 'unit') return card.spokenUnit(this.#where(about), this.#number(facts.activation));
    const maps = facts.maps.map(({ method, value }) => `${say.methodNames[method]} ${this.#signed(value)}`).join('; ');
    const said = this.snapshot?.test?.vocabulary
      ? card.spokenWord(this.#where(about), maps)
      : card.spokenPixel(this.#where(about), this.#value(facts.value, facts.index), maps);
    const { strongest } = facts;
    if (!strongest) return said;
    return card.spokenStrongest(said, card.strongest(strongest.layer, this.#words.whole(strongest.unit)), this.#signed(strongest.weight));
  }

  #where(about: Pointed): string {
    const { card } = this.#words;
    if (about.kind === 'unit') return card.unit(about.layer, this.#words.whole(about.unit));
    const name = this.snapshot?.test?.features?.[about.index];
    if (name !== undefined) return name;
    const { vocabulary } = this.snapshot?.test ?? {};
    if (vocabulary) {
      const [place, word] = [
        this.#words.whole(about.index + 1),
        vocabulary[this.snapshot?.example?.values[about.index] ?? vocabulary.length],
      ];
      return word === undefined ? card.padding(place) : card.word(place, word);
    }
    const [, width, channels = 1] = this.snapshot?.example?.shape ?? [];
    if (width === undefined) return card.place(this.#words.whole(about.index));
    const pixel = Math.floor(about.index / channels);
    return card.pixel(this.#words.whole(Math.floor(pixel / width)), this.#words.whole(pixel % width));
  }

  #number(value: number | undefined): string {
    return value === undefined ? '–' : this.#words.significant(value);
  }

  #signed(value: number): string {
    return `${value > 0 ? '+' : ''}${this.#words.significant(value)}`;
  }

  /** A table's value in its own units. */
  #value(value: number, index: number): string {
    return this.#words.significant(inOwnUnits(value, index, this.snapshot?.shown?.data.scaling));
  }

  /** A value as it was measured, and as the network gets it; a word is named in the title. */
  #values(value: number | undefined, index: number): TemplateResult | typeof nothing {
    const { card } = this.#words;
    if (this.snapshot?.test?.vocabulary) return nothing;
    const { scaling } = this.snapshot?.shown?.data ?? {};
    return html`
      <div><dt>${card.value}</dt><dd data-fact="value">${value === undefined ? '–' : this.#value(value, index)}</dd></div>
      ${scaling ? html`<div><dt>${card.standardised}</dt><dd data-fact="standardised">${value === undefined ? '–' : this.#signed(value)}</dd></div>` : nothing}
    `;
  }

  // ---- a value of the input ------------------------------------------------------------------------------------------------------

  #pixel(index: number): TemplateResult {
    const { card, say } = this.#words;
    const snapshot = this.snapshot!;
    const facts =
      this.facts?.kind === 'pixel' && this.facts.index === index && this.facts.example === snapshot.example?.key ? this.facts : undefined;
    const value = snapshot.example?.values[index];
    // What is on the CPU already is said at once.
    const maps = snapshot.cards.flatMap(({ method, map }) => {
      if (!map || map.example !== snapshot.example?.key) return [];
      const read = facts?.maps.find((each) => each.method === method);
      const values = valuesOnCpu(map);
      return [{ method, value: values?.[index] ?? read?.value, step: values ? map.step : (read?.step ?? map.step) }];
    });
    const strongest = facts?.strongest;
    const { layer, weight } = firstWeights(snapshot) ?? {};
    return html`
      <div class="parts">
        <dl class="number">
          ${this.#values(value, index)}
          ${maps.map(
            (map) => html`<div data-method=${map.method}>
              <dt>${say.methodNames[map.method]}</dt>
              <dd>
                ${map.value === undefined ? '…' : this.#signed(map.value)}
                ${map.step < snapshot.step || !METHODS[map.method].cheap ? html`<small>${say.atStep(this.#words.whole(map.step))}</small>` : nothing}
              </dd>
            </div>`,
          )}
        </dl>
        ${
          weight
            ? html`<figure>
                ${this.#image(layer!, weight, strongest?.unit, index)}
                <figcaption data-fact="strongest" data-unit=${strongest?.unit ?? ''} class="number">
                  ${
                    strongest
                      ? html`${(strongest.product === 0 ? card.largestWeight : card.strongest)(strongest.layer, this.#words.whole(strongest.unit))}<br />
                          ${card.weight} ${this.#signed(strongest.weight)} ·
                          ${card.product} = <span data-fact="product">${this.#signed(strongest.product)}</span>
                          <small>${say.atStep(this.#words.whole(strongest.step))}</small>`
                      : '…'
                  }
                </figcaption>
              </figure>`
            : nothing
        }
      </div>
    `;
  }

  // ---- a unit --------------------------------------------------------------------------------------------------------------------

  #unit({ layer, unit }: Extract<Pointed, { kind: 'unit' }>): TemplateResult {
    const { card } = this.#words;
    const words = this.#words;
    const snapshot = this.snapshot!;
    const facts = this.facts?.kind === 'unit' && this.facts.layer === layer && this.facts.unit === unit ? this.facts : undefined;
    const weight: Tensor | Values | undefined = snapshot.subject?.parameters.get(`${layer}/weight`);
    const histogram = facts && histogramOf(facts.weights, BINS);
    const most = Math.max(1, ...(histogram?.counts ?? []));
    return html`
      <div class="parts">
        <dl class="number">
          <div><dt>${card.activation}</dt><dd data-fact="activation">${facts ? this.#number(facts.activation) : '…'}</dd></div>
          <div><dt>${card.bias}</dt><dd>${facts ? this.#number(facts.bias) : '…'}</dd></div>
          <div><dt>${words.say.stepLabel}</dt><dd>${facts ? words.whole(facts.step) : '…'}</dd></div>
        </dl>
        ${weight ? html`<figure>${this.#image(layer, weight, unit, undefined)}</figure>` : nothing}
        ${
          histogram
            ? html`<figure class="weights">
                <svg viewBox="0 0 ${BINS} 16" preserveAspectRatio="none" aria-hidden="true">
                  ${histogram.counts.map((count, i) => {
                    // Square roots: few values stay visible beside many.
                    const height = 16 * Math.sqrt(count / most);
                    return svg`<rect x=${i + 0.08} y=${16 - height} width="0.84" height=${height} />`;
                  })}
                </svg>
                <figcaption class="number">
                  ${card.histogram(words.whole(facts!.weights.length), words.significant(histogram.least, 2), words.significant(histogram.greatest, 2))}
                </figcaption>
              </figure>`
            : nothing
        }
        ${this.#examples(layer, unit)}
      </div>
    `;
  }

  #examples(layer: string, unit: number): TemplateResult {
    const words = this.#words;
    const { card } = words;
    const top = this.top?.layer === layer && this.top.unit === unit ? this.top : undefined;
    const { test } = this.snapshot!;
    // Of a recorded run there is no network to ask.
    if (!this.snapshot!.run) return html``;
    if (!top) return html`<p class="top note">${card.topWaiting}</p>`;
    const size = words.whole(top.size);
    const images = (test?.inputShape.length ?? 1) > 1;
    return html`<div class="top">
      <p class="note number" data-fact="active" data-active=${top.active} data-step=${top.step}>
        ${top.active === 0 ? card.dead(size, words.whole(top.step)) : card.topTitle(size, words.whole(top.step), words.whole(top.active))}
      </p>
      <ol>
        ${top.top.map(({ index, label, value }) => {
          const name = label === undefined ? undefined : (test?.classes?.[label] ?? String(label));
          const number = words.whole(index);
          const text =
            name === undefined
              ? card.topUnlabelled(number, words.significant(value, 2))
              : card.topExample(number, name, words.significant(value, 2));
          return html`<li>
            <button
              ?disabled=${this.floating}
              aria-label=${text}
              title=${text}
              data-index=${index}
              @click=${() => this.dispatchEvent(new CustomEvent<number>('card-example', { detail: index }))}
            >
              ${images ? html`<canvas data-example=${index} aria-hidden="true"></canvas>` : html`<span>${name ?? number}</span>`}
              <small class="number">${words.significant(value, 2)}</small>
            </button>
          </li>`;
        })}
      </ol>
    </div>`;
  }

  /** The weights of one unit, laid out as what they meet. */
  #image(layer: string, weight: Tensor | Values, unit: number | undefined, pixel: number | undefined): TemplateResult {
    const { card } = this.#words;
    const snapshot = this.snapshot!;
    const units = weight.shape.at(-1) ?? 1;
    const inputs = weight.shape.reduce((product, length) => product * length, 1) / units;
    const image = weight.shape.length === 2 ? imageOf(inputs, layer, snapshot) : undefined;
    if (unit === undefined) return html`<div class="waiting"></div>`;
    return html`<tensor-view
      .device=${snapshot.device}
      .tensor=${weight}
      .image=${image}
      .only=${image || weight.shape.length > 2 ? unit : undefined}
      .signed=${true}
      .perFrame=${true}
      .series=${`${seriesOf(snapshot)} ${layer} ${unit}`}
      .looks=${snapshot.looks}
      .label=${card.weightsOf(this.#words.whole(unit))}
      .locked=${pixel === undefined ? undefined : pixel * units + unit}
    ></tensor-view>`;
  }

  protected override updated(): void {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    for (const canvas of this.renderRoot.querySelectorAll<HTMLCanvasElement>('canvas[data-example]')) {
      paintExample(canvas, test, Number(canvas.dataset.example));
    }
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      section {
        min-width: 0;
      }

      .head {
        display: flex;
        gap: 0.5rem;
        align-items: center;
        justify-content: space-between;
      }

      h3 {
        font-size: 0.75rem;
        overflow-wrap: anywhere;
      }

      .quiet,
      small {
        color: var(--quiet);
        font-weight: 400;
      }

      small {
        font-size: 0.6875rem;
      }

      .parts {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1.25rem;
        align-items: start;
      }

      :host([compact]) .parts {
        display: grid;
        grid-template-columns: minmax(0, 1fr) 6.5rem;
      }

      /* The steps are said beside the numbers. */
      tensor-view {
        --map-step: none;
      }

      dl {
        margin: 0;
        font-size: 0.75rem;
        line-height: 1.45;
      }

      dl > div {
        display: flex;
        gap: 0.75rem;
        justify-content: space-between;
        break-inside: avoid;
      }

      :host(:not([compact])) dl {
        flex: 1 1 9rem;
        max-width: 15rem;
      }

      dt {
        color: var(--quiet);
      }

      dd {
        margin: 0;
        text-align: end;
      }

      figure {
        display: grid;
        flex: 0 1 auto;
        grid-template-columns: 5rem minmax(0, 10rem);
        gap: 0.5rem;
        align-items: start;
        margin: 0;
      }

      :host([compact]) figure:not(.weights) {
        display: contents;
      }

      figure:not(:has(figcaption)) {
        grid-template-columns: 5rem;
      }

      figure.weights {
        grid-template-columns: minmax(0, 9rem);
      }

      .top {
        flex: 1 1 11rem;
      }

      /* The histogram stands under the numbers, beside the weights. */
      :host([compact]) tensor-view {
        grid-row: 1 / span 2;
        grid-column: 2;
      }

      :host([compact]) .weights {
        grid-column: 1;
      }

      :host([compact]) figure:not(.weights) figcaption,
      :host([compact]) .top {
        grid-column: 1 / -1;
      }

      figcaption,
      .note {
        color: var(--ink);
        font-size: 0.6875rem;
        line-height: 1.35;
      }

      .waiting {
        aspect-ratio: 1;
      }

      svg {
        display: block;
        width: 100%;
        height: 2.25rem;
        border-bottom: 1px solid var(--edge);
        fill: var(--train);
      }

      ol {
        display: flex;
        gap: 0.25rem;
        margin: 0.125rem 0 0;
        padding: 0;
        list-style: none;
      }

      button {
        min-width: 2rem;
        min-height: 2rem;
        padding: 0.125rem;
        border-color: transparent;
        border-radius: 6px;
        font-size: 0.75rem;
      }

      .unfold {
        gap: 0.375rem;
        padding: 0 0.25rem;
        font-weight: 600;
        text-decoration: underline dotted;
        text-underline-offset: 0.2em;
        white-space: normal;
      }

      li button {
        flex-direction: column;
        gap: 0.125rem;
        padding: 0.25rem;
      }

      li button:disabled {
        opacity: 1;
      }

      canvas[data-example] {
        width: 1.75rem;
        image-rendering: pixelated;
      }

      @media (max-width: 719px), (pointer: coarse) {
        button {
          min-width: 44px;
          min-height: 44px;
        }
      }
    `,
  ];
}

/** How the values that a weight meets are laid out: the input's own image, or the grid that the layer before is shown as. */
function imageOf(
  inputs: number,
  layer: string,
  { example, subject, tensors }: Snapshot,
): readonly [height: number, width: number] | undefined {
  const names = [...(subject?.layers ?? [])];
  const before = names[names.findIndex(({ name }) => name === layer) - 1];
  const met = before && tensors.get(`activation/${before.name}`);
  const count = met?.shape.reduce((product, length) => product * length, 1);
  const shape = met && count === inputs ? met.shape : example?.values.length === inputs ? example.shape : [inputs];
  const { width, height, tiles } = arrange(shape);
  return tiles === 1 && width * height === inputs ? [height, width] : undefined;
}
