import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Model, Tensor } from '../../engine/index.ts';
import type { Attribution } from '../../explain/index.ts';
import type { CellDetail } from '../maps/tensor-view.ts';
import { send } from '../session/commands.ts';
import type { Shown } from '../session/shown.ts';
import { shared } from '../shared-styles.ts';
import type { ShownText } from '../text/shown-text.ts';
import { type AttentionSteps, attentionSteps } from './attention-steps.ts';
import { WholeView, wholeStyles } from './whole-view.ts';

const ATTENTION = 'attention/';
/** Ends of the slider, as powers of ten. */
const [COLDEST, HOTTEST] = [-1, 1];

interface Attention {
  readonly layer: string;
  readonly temperature: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** [heads, queries, keys] */
  readonly weights: Float32Array;
  /** [heads, queries], in nats. */
  readonly entropy: Float32Array;
  /** [heads, queries, keys]: q · k / √d, what the softmax is of at temperature 1. */
  readonly scores: Float64Array;
  /** Of each token, over all layers; undefined where tokens are no parts of the input. */
  readonly through: { readonly target: number; readonly rollout: Float32Array; readonly relevance: Float32Array } | undefined;
}

/** What each head of a layer attends to, at a temperature of choice, and how one row of it comes about. Nothing where the network has no attention. */
export class WholeAttention extends WholeView<Attention> {
  static override properties: PropertyDeclarations = {
    ...WholeView.properties,
    layer: { state: true },
    temperature: { state: true },
    row: { state: true },
  };

  declare layer: string | undefined;
  /** τ, by which the scores are divided besides. */
  declare temperature: number;
  /** The row that is taken apart. */
  declare row: { readonly head: number; readonly query: number };
  /** What was computed without being asked: each once. */
  #began = '';

  constructor() {
    super();
    this.layer = undefined;
    this.temperature = 1;
    this.row = { head: 0, query: 0 };
  }

  /** Names of the layers that attend. */
  get #layers(): readonly string[] {
    return [...(this.snapshot?.tensors.keys() ?? [])]
      .filter((name) => name.startsWith(ATTENTION))
      .map((name) => name.slice(ATTENTION.length));
  }

  get #layer(): string | undefined {
    const layers = this.#layers;
    return this.layer !== undefined && layers.includes(this.layer) ? this.layer : layers[0];
  }

  protected override get question(): string {
    return `${this.#layer} ${this.temperature} ${this.snapshot?.example?.key} ${this.snapshot?.target}`;
  }

  /** While training rests, what is shown follows the choices; while it runs, it keeps its step. */
  override updated(): void {
    const { snapshot } = this;
    const key = `${this.question} ${snapshot?.step}`;
    if (!snapshot?.run || !snapshot.example || snapshot.running || this.busy || this.current || this.#began === key) return;
    if (this.#layer === undefined || !this.checkVisibility()) return;
    this.#began = key;
    void Promise.resolve().then(() => this.#find());
  }

  async #find(): Promise<void> {
    const { example, target } = this.snapshot ?? {};
    const layer = this.#layer;
    if (!example || layer === undefined) return;
    const { temperature, isText } = this;
    await this.compute(async (copy, signal) => {
      const { attentionWeights, attentionEntropy } = await import('./whole-library.ts');
      const x = copy.spec.inputType === 'uint32' ? Uint32Array.from(example.values) : example.values;
      const [weights, entropy] = [
        await attentionWeights(copy, x, { layer, temperature, signal }),
        await attentionEntropy(copy, x, { layer, temperature, signal }),
      ];
      try {
        const [, heads, queries, keys] = weights.values.shape as [number, number, number, number];
        return {
          layer,
          temperature,
          heads,
          queries,
          keys,
          weights: await weights.values.read(),
          entropy: await entropy.values.read(),
          scores: await scoresOf(copy, layer, x, { heads, queries, keys }),
          through: isText && target !== undefined ? await throughAttention(copy, x, target, signal) : undefined,
        };
      } finally {
        weights.dispose();
        entropy.dispose();
      }
    });
  }

  override render(): TemplateResult | typeof nothing {
    const { words, found, snapshot } = this;
    const { views } = words;
    const layers = this.#layers;
    if (layers.length === 0) return nothing;
    const power = Math.log10(this.temperature);
    return html`
      ${this.head(views.attentionTitle, views.attentionFind, () => void this.#find())}
      <p class="note">${views.attentionNote}</p>
      <div class="controls">
        <label class="note"
          >${views.layer}
          <select
            @change=${(event: Event) => {
              this.layer = (event.target as HTMLSelectElement).value;
            }}
          >
            ${layers.map((name) => html`<option value=${name} ?selected=${name === this.#layer}>${name}</option>`)}
          </select></label
        >
        <label class="note number"
          >${views.temperature} τ = ${words.significant(this.temperature, 2)}
          <input
            type="range"
            min=${COLDEST}
            max=${HOTTEST}
            step="0.05"
            aria-valuetext=${words.significant(this.temperature, 2)}
            .value=${String(power)}
            @input=${(event: Event) => {
              const value = Number((event.target as HTMLInputElement).value);
              this.temperature = Math.abs(value) < 0.01 ? 1 : Number((10 ** value).toPrecision(3));
            }}
          />
        </label>
        ${
          this.temperature === 1
            ? nothing
            : html`<button
                @click=${() => {
                  this.temperature = 1;
                }}
              >
                ${views.ownTemperature}
              </button>`
        }
      </div>
      ${found && snapshot?.example ? this.#found(found.result, found.step) : nothing}
    `;
  }

  /** What a token is called: its word, or its number. */
  #token(index: number): string {
    const { example, test } = this.snapshot ?? {};
    if (!test?.vocabulary) return this.words.whole(index);
    return test.vocabulary[example?.values[index] ?? -1] ?? this.words.views.padding;
  }

  #isThere(index: number): boolean {
    const { example, test } = this.snapshot ?? {};
    return !test?.vocabulary || test.vocabulary[example?.values[index] ?? -1] !== undefined;
  }

  #found(result: Attention, step: number): TemplateResult {
    const { words } = this;
    const { views } = words;
    const { heads, queries, keys, entropy } = result;
    const head = Math.min(this.row.head, heads - 1);
    const query = Math.min(this.row.query, queries - 1);
    return html`
      <div class="heads">${Array.from({ length: heads }, (_, h) => this.#head(result, h, head, query, step))}</div>
      <p class="note number">
        ${views.entropyRange(
          words.significant(Math.min(...entropy)),
          words.significant(Math.max(...entropy)),
          words.significant(Math.log(keys), 3),
          words.whole(keys),
        )}
      </p>
      ${this.#steps(result, head, query)} ${result.through ? this.#through(result.through, step) : nothing}
    `;
  }

  /** What all layers together come to, word by word. */
  #through({ target, rollout, relevance }: NonNullable<Attention['through']>, step: number): TemplateResult {
    const { snapshot } = this;
    const { views } = this.words;
    const { vocabulary = [], classes } = snapshot?.test ?? {};
    const words = Array.from(snapshot?.example?.values ?? [], (token) => vocabulary[token]);
    const text: ShownText = { words, struck: [], strikable: false, method: undefined };
    const map = (of: string, title: string, note: string, values: Float32Array): TemplateResult => html`<div data-of=${of}>
      <h4>${title}</h4>
      <text-map
        .text=${text}
        .values=${values}
        .label=${title}
        .step=${step}
        .locked=${snapshot?.choices.pixel}
        @cell-lock=${(event: CustomEvent<CellDetail>) => send(this, { do: 'choose', choices: { pixel: event.detail.index } })}
        @cell-free=${() => send(this, { do: 'choose', choices: { pixel: undefined } })}
      ></text-map>
      <p class="note">${note}</p>
    </div>`;
    return html`<div class="through">
      ${map('rollout', views.rolloutTitle, views.rolloutNote, rollout)}
      ${map('relevance', views.relevanceTitle(classes?.[target] ?? String(target)), views.relevanceNote, relevance)}
    </div>`;
  }

  /** One head: rows are queries, columns keys; beside each row how widely it looks. */
  #head(
    { heads, queries, keys, weights, entropy, temperature, layer }: Attention,
    h: number,
    head: number,
    query: number,
    step: number,
  ): TemplateResult {
    const { words, snapshot } = this;
    const { views } = words;
    const own = snapshot?.tensors.get(ATTENTION + layer);
    // As the network has it, it is drawn from the network's own buffer, and follows training.
    const live = temperature === 1 && snapshot?.choices.whatIf === undefined;
    const shown: Shown | undefined = live ? own : { shape: [1, heads, queries, keys], values: weights };
    const labels = queries > 1;
    const numbers = Array.from({ length: keys }, (_, i) => i);
    return html`<figure data-head=${h} style=${`--keys: ${keys}; --queries: ${queries}`}>
      <figcaption>${views.headOf(words.whole(h + 1), words.whole(heads))}</figcaption>
      <div class=${labels ? 'matrix labelled' : 'matrix'}>
        <div class="columns" aria-hidden="true">${numbers.map((key) => html`<span class=${this.#isThere(key) ? '' : 'absent'}>${this.#isThere(key) ? this.#token(key) : '·'}</span>`)}</div>
        ${
          labels
            ? html`<div class="rows" aria-hidden="true">
                ${Array.from(
                  { length: queries },
                  (_, q) =>
                    html`<span class=${`${this.#isThere(q) ? '' : 'absent'} ${q === query ? 'chosen' : ''}`}>${this.#isThere(q) ? this.#token(q) : '·'}</span>`,
                )}
              </div>`
            : nothing
        }
        <tensor-view
          planes
          .only=${h}
          .device=${snapshot?.device}
          .tensor=${shown}
          .values=${live ? weights : undefined}
          .looks=${snapshot?.looks ?? 0}
          .still=${!(snapshot?.running ?? false)}
          .step=${live ? undefined : step}
          .series=${`${layer} ${h} ${temperature}`}
          perFrame
          .names=${this.#names(heads, queries, keys)}
          .label=${views.weightsOf(words.whole(h + 1))}
          .locked=${h === head ? (h * queries + query) * keys + this.#most(weights, (h * queries + query) * keys, keys) : undefined}
          @cell-lock=${(event: CustomEvent<CellDetail>) => this.#lock(event, queries, keys)}
          @cell-free=${(event: Event) => event.stopPropagation()}
          @cell-point=${(event: Event) => event.stopPropagation()}
        ></tensor-view>
        <div class="entropy" aria-hidden="true">
          ${Array.from({ length: queries }, (_, q) => {
            const value = entropy[h * queries + q] ?? 0;
            return html`<span title=${views.entropyOf(words.significant(value, 3))} style=${`--share: ${(value / Math.log(Math.max(2, keys))).toFixed(3)}`}></span>`;
          })}
        </div>
      </div>
    </figure>`;
  }

  #most(values: Float32Array, from: number, count: number): number {
    const row = values.subarray(from, from + count);
    return row.indexOf(Math.max(...row));
  }

  #cellNames: { readonly key: string; readonly names: readonly string[] } | undefined;

  /** What a cell of any head is called. */
  #names(heads: number, queries: number, keys: number): readonly string[] {
    const key = `${this.snapshot?.example?.key} ${heads} ${queries} ${keys} ${this.words.language}`;
    if (this.#cellNames?.key !== key) {
      const cells = Array.from({ length: heads * queries * keys }, (_, i) => {
        const [q, k] = [Math.floor(i / keys) % queries, i % keys];
        return queries > 1 ? `${this.#token(q)} → ${this.#token(k)}` : this.#token(k);
      });
      this.#cellNames = { key, names: cells };
    }
    return this.#cellNames.names;
  }

  #lock(event: CustomEvent<CellDetail>, queries: number, keys: number): void {
    // It is a row of this view that is locked, no cell of the page.
    event.stopPropagation();
    const { index } = event.detail;
    if (index === undefined) return;
    this.row = { head: Math.floor(index / (queries * keys)), query: Math.floor(index / keys) % queries };
  }

  // ---- one row, step by step -----------------------------------------------------------------------------------------------------

  #steps(result: Attention, head: number, query: number): TemplateResult {
    const { words } = this;
    const { views } = words;
    const { heads, queries, keys, temperature, scores, weights, entropy } = result;
    const from = (head * queries + query) * keys;
    const steps = attentionSteps(scores.subarray(from, from + keys), temperature);
    const there = steps.terms.map((_, key) => key).filter((key) => this.#isThere(key));
    const absent = steps.terms.map((_, key) => key).filter((key) => !this.#isThere(key));
    const formula = temperature === 1 ? 'a = e^θ / Σ e^θ' : 'a = e^(θ/τ) / Σ e^(θ/τ)';
    const total = (of: (key: number) => number): number => absent.reduce((sum, key) => sum + of(key), 0);
    return html`
      <div class="controls">
        ${
          queries > 1
            ? html`<label class="note"
                >${views.query}
                <select
                  data-of="query"
                  @change=${(event: Event) => {
                    this.row = { head, query: Number((event.target as HTMLSelectElement).value) };
                  }}
                >
                  ${Array.from({ length: queries }, (_, q) => html`<option value=${q} ?selected=${q === query}>${words.whole(q + 1)} · ${this.#token(q)}</option>`)}
                </select></label
              >`
            : nothing
        }
        ${
          heads > 1
            ? html`<label class="note"
                >${views.headLabel}
                <select
                  data-of="head"
                  @change=${(event: Event) => {
                    this.row = { head: Number((event.target as HTMLSelectElement).value), query };
                  }}
                >
                  ${Array.from({ length: heads }, (_, h) => html`<option value=${h} ?selected=${h === head}>${words.whole(h + 1)}</option>`)}
                </select></label
              >`
            : nothing
        }
      </div>
      <div class="table" tabindex="0" role="region" aria-label=${views.stepsTitle}>
        <table class="steps">
          <caption>
            ${views.stepsTitle} <span class="formula">${formula}</span>. ${views.stepsNote}
          </caption>
          <thead>
            <tr>
              <th scope="col">${views.key}</th>
              <th scope="col" class="number">θ</th>
              <th scope="col" class="number">${temperature === 1 ? 'e^θ' : 'e^(θ/τ)'}</th>
              <th scope="col" class="number">a</th>
              <th scope="col"><span class="hidden">${views.share}</span></th>
              <th scope="col" class="number">${views.onGpu}</th>
            </tr>
          </thead>
          <tbody>
            ${there.map((key) => this.#step(this.#token(key), steps, key, weights[from + key]!))}
            ${
              absent.length > 0
                ? html`<tr class="absent" data-key="padding">
                    <th scope="row">${views.paddings(words.whole(absent.length))}</th>
                    <td class="number">–</td>
                    <td class="number" data-of="exponential">${words.significant(
                      total((key) => steps.exponentials[key]!),
                      4,
                    )}</td>
                    <td class="number" data-of="weight">${words.significant(total((key) => steps.weights[key]!))}</td>
                    <td>${this.#bar(total((key) => steps.weights[key]!))}</td>
                    <td class="number">${words.significant(total((key) => weights[from + key]!))}</td>
                  </tr>`
                : nothing
            }
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Σ</th>
              <td></td>
              <td class="number" data-of="sum">${words.significant(steps.sum, 4)}</td>
              <td class="number">1</td>
              <td></td>
              <td class="number" data-of="entropy">${views.entropyOf(words.significant(entropy[head * queries + query]!, 3))}</td>
            </tr>
          </tfoot>
        </table>
      </div>
    `;
  }

  #step(name: string, { terms, exponentials, weights }: AttentionSteps, key: number, onGpu: number): TemplateResult {
    const { words } = this;
    return html`<tr data-key=${key}>
      <th scope="row">${name}</th>
      <td class="number" data-of="score">${words.significant(terms[key]!)}</td>
      <td class="number" data-of="exponential">${words.significant(exponentials[key]!, 4)}</td>
      <td class="number" data-of="weight">${words.significant(weights[key]!)}</td>
      <td>${this.#bar(weights[key]!)}</td>
      <td class="number" data-of="gpu">${words.significant(onGpu)}</td>
    </tr>`;
  }

  #bar(share: number): TemplateResult {
    return html`<span class="share" style=${`--share: ${share.toFixed(4)}`} aria-hidden="true"></span>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      :host {
        --cell: 11px;
      }

      .controls {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 1rem;
        align-items: center;
        margin: 0.25rem 0;
      }

      input[type='range'] {
        width: 9rem;
        padding: 0;
        accent-color: var(--ink);
        vertical-align: middle;
      }

      .heads {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1.5rem;
      }

      figure {
        min-width: 0;
        margin: 0;
      }

      figcaption {
        font-size: 0.75rem;
        font-weight: 600;
      }

      .matrix {
        display: grid;
        grid-template-columns: calc(var(--cell) * var(--keys)) 2.5rem;
        gap: 0 4px;
      }

      .labelled {
        grid-template-columns: 4.25rem calc(var(--cell) * var(--keys)) 2.5rem;
      }

      .columns {
        display: flex;
        grid-column: 1;
        height: 4.25rem;
        align-items: end;
      }

      .labelled .columns {
        grid-column: 2;
      }

      .columns span {
        flex: none;
        width: var(--cell);
        max-height: 100%;
        overflow: hidden;
        font-size: 9px;
        line-height: var(--cell);
        white-space: nowrap;
        writing-mode: vertical-rl;
        rotate: 180deg;
      }

      .rows {
        grid-column: 1;
      }

      .rows span {
        display: block;
        height: var(--cell);
        overflow: hidden;
        font-size: 9px;
        line-height: var(--cell);
        text-align: end;
        text-overflow: ellipsis;
        white-space: nowrap;
      }

      .absent {
        color: var(--quiet);
      }

      .rows .chosen {
        font-weight: 700;
        text-decoration: underline;
      }

      .entropy {
        display: grid;
        grid-auto-rows: var(--cell);
        align-self: start;
        align-items: center;
        border-left: 1px solid var(--edge);
      }

      .entropy span {
        width: calc(100% * var(--share));
        height: calc(var(--cell) - 4px);
        background: var(--edge);
      }

      .through {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(16rem, 100%), 1fr));
        gap: 0.5rem 1.5rem;
        margin-top: 0.75rem;
      }

      h4 {
        margin: 0 0 0.25rem;
        font: 600 0.75rem / 1.4 var(--sans);
      }

      .formula {
        color: var(--ink);
        font-family: var(--mono);
      }

      .steps {
        width: auto;
      }

      .steps caption {
        max-width: 80ch;
      }

      .share {
        display: block;
        width: calc(6rem * var(--share));
        height: 0.5rem;
        background: var(--ink);
      }

      .steps td:nth-child(5) {
        min-width: 6.5rem;
      }

      tfoot th {
        color: var(--ink);
      }

      tfoot th,
      tfoot td {
        border-bottom: 0;
        vertical-align: middle;
      }

      @media (max-width: 719px) {
        :host {
          --cell: 8px;
        }

        .labelled {
          grid-template-columns: 3.25rem calc(var(--cell) * var(--keys)) 1.25rem;
        }
      }
    `,
  ];
}

/** Rollout and relevance of each token, through all layers that attend. */
async function throughAttention(
  model: Model,
  x: Float32Array | Uint32Array,
  target: number,
  signal: AbortSignal,
): Promise<NonNullable<Attention['through']>> {
  const { attentionRolloutMap, attentionRelevanceMap } = await import('./whole-library.ts');
  const read = async (made: Promise<Attribution>): Promise<Float32Array> => {
    const attribution = await made;
    try {
      return await attribution.values.read();
    } finally {
      attribution.dispose();
    }
  };
  return {
    target,
    rollout: await read(attentionRolloutMap(model, x, { target, signal })),
    relevance: await read(attentionRelevanceMap(model, x, { target, signal })),
  };
}

/**
 * θ = q · k / √d of a layer's own queries and keys, [heads, queries, keys], in float64: of self-attention its `query` and `key` of each head, of
 * attention pooling its one trained query.
 */
async function scoresOf(
  model: Model,
  layer: string,
  x: Float32Array | Uint32Array,
  { heads, queries, keys }: { readonly heads: number; readonly queries: number; readonly keys: number },
): Promise<Float64Array> {
  const activations = await model.activations(x);
  try {
    const key = activations.get(`activation/${layer}/key`) as Tensor;
    const query = activations.get(`activation/${layer}/query`) ?? (model.parameters.get(`${layer}/query`) as Tensor);
    const [k, q] = [await key.read(), await query.read()];
    const width = key.shape.at(-1) as number;
    const each = width / heads;
    return Float64Array.from({ length: heads * queries * keys }, (_, i) => {
      const [h, row, column] = [Math.floor(i / (queries * keys)), Math.floor(i / keys) % queries, i % keys];
      let sum = 0;
      for (let d = h * each; d < (h + 1) * each; d++) sum += q[row * width + d]! * k[column * width + d]!;
      return sum / Math.sqrt(each);
    });
  } finally {
    for (const tensor of activations.values()) tensor.dispose();
  }
}
