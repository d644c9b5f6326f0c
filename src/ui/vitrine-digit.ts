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
import type { Dataset } from '../engine/index.ts';
import { pace } from './adapter.ts';
import { Drawing } from './drawing.ts';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import type { Prediction, Training } from './training.ts';

/** How often the network is asked while it trains: each time is a small run of its own. */
const ASK_MILLISECONDS = 150;

/** One test example, and how likely the network holds each class to be. */
export class VitrineDigit extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false }, prediction: { state: true } };

  declare training: Training | undefined;
  declare prediction: Prediction | undefined;
  readonly #words = new Words(this);
  readonly #asking = new Drawing(this, () => void this.#ask());
  readonly #dark = matchMedia('(prefers-color-scheme: dark)');
  readonly #repaint = (): void => this.requestUpdate();
  #askedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.training = undefined;
    this.prediction = undefined;
    const ask = (): void => this.#asking.request();
    new Follow(this, { on: { steps: ask, change: ask, reset: ask } });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#dark.addEventListener('change', this.#repaint);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#dark.removeEventListener('change', this.#repaint);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  override render(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const test = this.training?.data?.test;
    const count = test?.size ?? 10_000;
    const index = this.#index;
    const label = test?.labels?.[index];
    return html`
      <h2>${say.digit}</h2>
      <p class="caption">${say.digitCaption}</p>
      <div class="strip" role="group" aria-label=${say.chooseDigit}>${(test?.classes ?? []).map((name, k) => this.#thumbnail(name, k))}</div>
      <div class="pair">
        <div>
          <canvas
            class="picture"
            role="img"
            data-example=${index}
            aria-label=${say.digitPicture(label === undefined ? '' : this.#name(label), words.whole(index))}
          ></canvas>
          <div class="choose">
            <button class="bare" aria-label=${say.previous} title=${say.previous} @click=${() => this.#choose(index - 1)}>‹</button>
            <label>
              <span class="hidden">${say.example}</span>
              <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                .value=${String(index)}
                @change=${(event: Event) => this.#type(event.target as HTMLInputElement)}
              />
            </label>
            <button class="bare" aria-label=${say.next} title=${say.next} @click=${() => this.#choose(index + 1)}>›</button>
          </div>
          <p class="note count">${say.exampleOf(words.whole(count))}</p>
        </div>
        ${this.#bars(test, label)}
      </div>
    `;
  }

  #thumbnail(name: string, k: number): TemplateResult {
    const { say } = this.#words;
    const test = this.training?.data?.test as Dataset;
    const chosen = test.labels?.[this.#index] === k;
    const example = chosen ? this.#index : this.#next(k, 0);
    const words = chosen ? say.nextOfClass(name) : say.chooseClass(name);
    return html`
      <button
        aria-label=${words}
        title=${words}
        aria-pressed=${chosen ? 'true' : 'false'}
        ?disabled=${example === undefined}
        @click=${() => this.#choose(this.#next(k, chosen ? this.#index + 1 : 0))}
      >
        <canvas data-example=${example ?? ''} aria-hidden="true"></canvas>
      </button>
    `;
  }

  #bars(test: Dataset | undefined, label: number | undefined): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const probabilities = this.prediction?.example === this.#index ? this.prediction.probabilities : undefined;
    const predicted = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
    const share = probabilities ? words.percent(probabilities[predicted] ?? 0) : '';
    const verdict =
      predicted < 0 || label === undefined
        ? ''
        : predicted === label
          ? say.right(this.#name(predicted), share)
          : say.wrong(this.#name(predicted), share, this.#name(label));
    return html`
      <div class="thought">
        <h3 class="hidden">${say.probabilities}</h3>
        <ol>
          ${(test?.classes ?? []).map((name, k) => {
            const value = probabilities?.[k] ?? 0;
            return html`<li class=${k === predicted ? 'predicted' : ''}>
              <span class="name">${name}</span>
              <span class="track"><span class="bar" style=${`transform: scaleX(${value.toFixed(4)})`}></span></span>
              <span class="value number">${probabilities ? words.percent(value) : '–'}</span>
              <span class="label">${k === label ? say.isLabel : nothing}</span>
            </li>`;
          })}
        </ol>
        <p class="verdict" data-right=${predicted === label ? 'true' : 'false'}>
          ${verdict ? html`<span aria-hidden="true">${predicted === label ? '✓' : '✗'}</span> ${verdict}` : nothing}
        </p>
      </div>
    `;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('training')) this.#asking.request();
    for (const canvas of this.renderRoot.querySelectorAll('canvas')) this.#paint(canvas);
  }

  get #index(): number {
    const size = this.training?.data?.test.size ?? 1;
    return Math.min(size - 1, this.training?.settings.digit ?? 0);
  }

  #name(k: number): string {
    return this.training?.data?.test.classes?.[k] ?? String(k);
  }

  /** The first example of a class from `from` on, around the end. */
  #next(k: number, from: number): number | undefined {
    const labels = this.training?.data?.test.labels;
    if (!labels) return undefined;
    const found = labels.indexOf(k, from);
    const first = found >= 0 ? found : labels.indexOf(k);
    return first >= 0 ? first : undefined;
  }

  #choose(index: number | undefined): void {
    const size = this.training?.data?.test.size;
    if (index === undefined || !size) return;
    this.training?.change({ digit: ((index % size) + size) % size });
  }

  #type(input: HTMLInputElement): void {
    const index = Number(input.value.replace(/[,，\s]/g, ''));
    const size = this.training?.data?.test.size ?? 0;
    if (input.value.trim() !== '' && Number.isInteger(index) && index >= 0 && index < size) this.#choose(index);
    input.value = String(this.#index);
  }

  /** Asks the network, unless it was asked a moment ago. */
  async #ask(): Promise<void> {
    const { training } = this;
    if (!training?.run || this.#timer !== undefined) return;
    const index = this.#index;
    const stale = this.prediction?.example !== index || this.prediction.step !== training.step;
    if (!stale) return;
    const wait = this.prediction?.example === index ? pace(training.device, ASK_MILLISECONDS) - (performance.now() - this.#askedAt) : 0;
    if (wait > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#asking.request();
      }, wait);
      return;
    }
    this.#askedAt = performance.now();
    const prediction = await training.predict(index);
    if (this.training !== training) return;
    if (prediction) this.prediction = prediction;
    if (prediction && prediction.example !== this.#index) this.#asking.request();
  }

  /** Ink on paper, or chalk on slate in the dark. */
  #paint(canvas: HTMLCanvasElement): void {
    const example = canvas.dataset.example ?? '';
    const painted = `${example} ${this.#dark.matches}`;
    if (canvas.dataset.painted === painted && this.training?.data) return;
    const input = example === '' ? undefined : this.training?.exampleInput(Number(example));
    const shape = this.training?.data?.test.inputShape ?? [];
    if (!input) return;
    const [height = 28, width = 28] = shape;
    canvas.width = width;
    canvas.height = height;
    const ink = this.#dark.matches ? [233, 230, 223] : [27, 32, 39];
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i++) image.data.set([...ink, Math.round(255 * (input[i] ?? 0))], 4 * i);
    canvas.getContext('2d')?.putImageData(image, 0, 0);
    canvas.dataset.painted = painted;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      canvas {
        display: block;
        image-rendering: pixelated;
      }

      .strip {
        display: grid;
        grid-template-columns: repeat(10, 1fr);
        gap: 2px;
        margin: 0 -2px 1rem;
      }

      .strip button {
        min-width: 0;
        padding: 3px;
        border-color: transparent;
        aspect-ratio: 1;
      }

      .strip button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      .strip canvas {
        width: 100%;
        max-width: 2.25rem;
      }

      .pair {
        display: grid;
        grid-template-columns: minmax(9rem, 13rem) minmax(0, 1fr);
        gap: 1.5rem;
        align-items: start;
      }

      .picture {
        width: 100%;
        aspect-ratio: 1;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--sheet);
      }

      .choose {
        display: grid;
        grid-template-columns: 44px minmax(0, 1fr) 44px;
        margin-top: 0.5rem;
      }

      .choose input {
        width: 100%;
        padding: 0 0.25rem;
        text-align: center;
      }

      .bare {
        padding: 0;
        border-color: transparent;
        font-size: 1.375rem;
      }

      .count {
        margin-top: 0.25rem;
        text-align: center;
      }

      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }

      li {
        display: grid;
        grid-template-columns: 1rem minmax(2rem, 1fr) 3.25rem 2rem;
        align-items: center;
        gap: 0.5rem;
        height: 1.5rem;
        color: var(--quiet);
        font-size: 0.875rem;
        font-variant-numeric: tabular-nums;
      }

      .track {
        height: 0.625rem;
        border-radius: 3px;
        background: var(--wash);
        overflow: hidden;
      }

      .bar {
        display: block;
        height: 100%;
        background: var(--edge);
        transform-origin: left;
        transition: transform 120ms linear;
      }

      .value {
        text-align: end;
      }

      .label {
        font-size: 0.75rem;
      }

      .predicted {
        color: var(--ink);
        font-weight: 600;
      }

      .predicted .bar {
        background: var(--train);
      }

      .verdict {
        min-height: 3em;
        margin: 0.75rem 0 0;
        font-size: 0.875rem;
      }

      .verdict[data-right='true'] span {
        color: var(--good);
      }

      .verdict[data-right='false'] span {
        color: var(--bad);
      }

      @media (max-width: 599px) {
        .strip {
          grid-template-columns: repeat(5, 1fr);
        }

        .strip button {
          aspect-ratio: auto;
        }

        .pair {
          grid-template-columns: minmax(0, 1fr);
          gap: 1rem;
        }

        .pair > :first-child {
          display: grid;
          grid-template-columns: 8rem 1fr;
          gap: 0 1rem;
          align-items: center;
        }

        .picture {
          grid-row: 1 / 3;
        }

        .choose {
          align-self: end;
        }

        .count {
          align-self: start;
        }
      }
    `,
  ];
}
