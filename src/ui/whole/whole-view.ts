/** What the views of the whole network have in common: words, and work on a copy of the network. */

import { type CSSResult, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { type Dataset, type Model, VitrineError } from '../../engine/index.ts';
import type { ExplainProgress } from '../../explain/index.ts';
import { bringChinese, Words } from '../language.ts';
import { type Spoken, spoken } from '../messages/spoken.ts';
import { inOwnUnits } from '../own-units.ts';
import { send } from '../session/commands.ts';
import type { Snapshot } from '../session/session.ts';
import { copyOf, copyWeights } from '../session/what-if.ts';
import { wholeChinese } from './messages-chinese.ts';
import { wholeEnglish } from './messages-english.ts';

bringChinese(wholeChinese, 'whole.');
const views: Spoken<typeof wholeEnglish> = spoken(wholeEnglish, 'whole.');

export class WholeWords extends Words {
  readonly views: Spoken<typeof wholeEnglish> = views;
}

/** What was found, and of which network, step and question. */
interface Found<Result> {
  readonly of: Model;
  readonly step: number;
  readonly question: string;
  readonly result: Result;
}

export abstract class WholeView<Result> extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    found: { state: true },
    busy: { state: true },
    progress: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  declare found: Found<Result> | undefined;
  declare busy: boolean;
  /** How far it is, where that can be told. */
  declare progress: ExplainProgress | undefined;
  protected readonly words: WholeWords = new WholeWords(this);
  #observer: ResizeObserver | undefined;
  /** Ends what is being computed. */
  protected ending: AbortController | undefined;

  constructor() {
    super();
    this.snapshot = undefined;
    this.found = undefined;
    this.busy = false;
    this.progress = undefined;
  }

  /** What is asked of the network besides: what was found of another question is not the answer to this one. */
  protected get question(): string {
    return '';
  }

  /** Whether what was found is of the network as it is now. */
  protected get current(): boolean {
    return this.found !== undefined && this.found.step === this.snapshot?.step && this.found.question === this.question;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // What computes by itself does so when it is unfolded: then it has a size.
    let unfolded = false;
    this.#observer = new ResizeObserver((entries) => {
      const before = unfolded;
      unfolded = (entries.at(-1)?.contentRect.width ?? 0) > 0;
      // In a frame of its own: what it then renders may change its size again.
      if (unfolded && !before) requestAnimationFrame(() => this.requestUpdate());
    });
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.ending?.abort();
  }

  override willUpdate(): void {
    const model = this.snapshot?.run?.model;
    // What was found of another network says nothing of this one; neither does an earlier life of it, before a reset.
    if (this.found && (this.found.of !== model || this.found.step > (this.snapshot?.step ?? 0))) this.found = undefined;
  }

  /** Computes on a copy of the network as it is now: training may go on meanwhile, and the step stays true. */
  protected async compute(work: (copy: Model, signal: AbortSignal) => Promise<Result>): Promise<void> {
    const model = this.snapshot?.run?.model;
    if (!model || this.busy) return;
    this.busy = true;
    this.progress = undefined;
    const { question } = this;
    const ending = new AbortController();
    this.ending = ending;
    let copy: Model | undefined;
    try {
      copy = await copyOf(model);
      copyWeights(copy, model);
      const step = copy.parameters.values().next().value?.step ?? 0;
      const result = await work(copy, ending.signal);
      this.found = { of: model, step, question, result };
    } catch (error) {
      // Ended by the visitor; or the network was replaced, or the GPU is being, which the page says by itself.
      const code = error instanceof VitrineError ? error.code : undefined;
      if (code !== 'aborted' && code !== 'device-lost' && code !== 'tensor-disposed') {
        send(this, { do: 'report', error });
      }
    } finally {
      copy?.dispose();
      this.busy = false;
      this.progress = undefined;
      this.ending = undefined;
    }
  }

  /** The name of the view; and its step, how far it is, or what begins it. */
  protected head(title: string, begin: string, start: () => void): TemplateResult {
    const { words, found, progress, snapshot } = this;
    const { views } = words;
    const step = found ? words.whole(found.step) : '';
    return html`<div class="head">
      <h3>${title}</h3>
      ${
        this.busy
          ? html`<progress max=${progress?.total ?? 1} value=${progress?.done ?? 0} aria-label=${title}></progress>
              <span class="note number">${progress ? views.rows(words.whole(progress.done), words.whole(progress.total)) : views.computing}</span>
              <button @click=${() => this.ending?.abort()}>${views.cancel}</button>`
          : this.current
            ? html`<span class="note">${views.fromStep(step)}</span>`
            : html`<button ?disabled=${!snapshot?.run} @click=${start}>${found?.question === this.question ? views.refresh(step) : begin}</button>`
      }
    </div>`;
  }

  /** A view that says nothing of such data says why. */
  protected notApplicable(title: string, why: string): TemplateResult {
    return html`<div class="head"><h3>${title}</h3></div>
      <p class="note">${this.words.views.notApplicable} ${why}</p>`;
  }

  /** Whether the examples are texts. */
  protected get isText(): boolean {
    return this.snapshot?.test?.vocabulary !== undefined;
  }

  /** A value of a column as its table has it. */
  protected ownUnits(column: number, value: number): number {
    return inOwnUnits(value, column, this.snapshot?.run?.data.scaling);
  }

  /** What leads into a chosen example. */
  protected exampleButton(index: number, content: TemplateResult | string): TemplateResult {
    const { example } = this.snapshot?.choices ?? {};
    const chosen = example?.kind === 'test' && example.index === index;
    const says = this.words.views.showExample(this.words.whole(index));
    return html`<button
      class="example"
      data-example=${index}
      aria-pressed=${chosen ? 'true' : 'false'}
      aria-label=${typeof content === 'string' ? `${content}: ${says}` : says}
      title=${says}
      @click=${() => send(this, { do: 'choose', choices: { example: { kind: 'test', index } } })}
    >
      ${content || nothing}
    </button>`;
  }
}

/** Names of the input's values: of columns, or [row, column] of pixels, and the channel where there are several. */
export function featureNames({ features, inputShape }: Dataset): readonly string[] | undefined {
  if (features || inputShape.length < 2) return features;
  const [height = 1, width = 1, channels = 1] = inputShape;
  return Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return `[${[Math.floor(pixel / width), pixel % width, ...(channels > 1 ? [i % channels] : [])].join(', ')}]`;
  });
}

/** The first so many examples, as the network gets them. */
export function firstOf({ inputs, size, divisor = 255 }: Dataset, most: number): Float32Array {
  const by = inputs instanceof Uint8Array ? divisor : 1;
  return Float32Array.from(inputs.subarray(0, Math.min(size, most) * (inputs.length / size)), (value) => value / by);
}

export const wholeStyles: CSSResult = css`
  .head {
    display: flex;
    flex-wrap: wrap;
    gap: 0.25rem 0.75rem;
    align-items: center;
    min-height: 2.25rem;
  }

  .head h3 {
    margin-right: auto;
  }

  button {
    min-height: 2.25rem;
    padding: 0 0.625rem;
    font-size: 0.8125rem;
    font-weight: 400;
  }

  progress {
    width: 8rem;
    accent-color: var(--ink);
  }

  button.example {
    min-width: 0;
    border-color: var(--line);
    border-radius: 8px;
    text-align: start;
  }

  button.example[aria-pressed='true'] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
  }

  input[type='range'] {
    min-height: 2.25rem;
  }

  select {
    min-height: 2.25rem;
    max-width: 100%;
    border-color: var(--line);
    border-radius: 8px;
    font-size: 0.8125rem;
  }

  /* A wide table scrolls by itself, never the page. */
  .table {
    overflow-x: auto;
  }

  table,
  th,
  td {
    font-size: 0.75rem;
  }

  th,
  td {
    padding-block: 0.125rem;
    white-space: nowrap;
  }

  tbody th {
    color: var(--ink);
    font-weight: 400;
    vertical-align: middle;
  }

  caption {
    padding-bottom: 0.25rem;
    color: var(--quiet);
    font-size: 0.75rem;
    text-align: start;
  }

  p.note {
    max-width: 80ch;
    margin: 0.125rem 0;
    font-size: 0.75rem;
  }

  .head .note {
    font-size: 0.75rem;
  }

  @media (max-width: 719px), (pointer: coarse) {
    button,
    select,
    input[type='range'] {
      min-height: 44px;
    }

    button.example {
      min-width: 44px;
    }
  }
`;
