import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  nothing,
  type PropertyDeclarations,
  type PropertyValues,
  svg,
  type TemplateResult,
} from 'lit';
import type { Device } from '../engine/index.ts';
import { fixedScale } from './fixed-scale.ts';
import { icon } from './icons.ts';
import { Words } from './language.ts';
import type { Ends } from './maps/map-painter.ts';
import { type Statistics, statisticsOf } from './maps/statistics.ts';
import type { CellDetail, Values } from './maps/tensor-view.ts';
import { adamByHand, type CellReading } from './session/cell.ts';
import { send } from './session/commands.ts';
import { diagramOf } from './session/diagram.ts';
import type { Snapshot } from './session/session.ts';
import type { Shown } from './session/shown.ts';
import { shared } from './shared-styles.ts';
import { seriesOf } from './studio-network.ts';

type Group = 'example' | 'parameters' | 'gradients' | 'moments' | 'batch';

/** Recorded values may be looked at as well as those on the GPU. */
const isFloat = (tensor: Shown): boolean => 'values' in tensor || tensor.dtype === 'float32';

/** Of a whole tensor, or of the one unit of it that is shown: a column of its last axis. */
async function statistics(device: Device | undefined, tensor: Shown, unit: number | undefined): Promise<Statistics> {
  if (!('values' in tensor) && unit === undefined) return statisticsOf(device as Device, tensor);
  const columns = tensor.shape.at(-1) ?? 1;
  const { statisticsHere } = await import('./recorded/statistics.ts');
  if (unit === undefined) return statisticsHere((tensor as Values).values, columns);
  if ('values' in tensor)
    return statisticsHere(
      tensor.values.filter((_value, i) => i % columns === unit),
      1,
    );
  const { readColumn } = await import('./point/column.ts');
  return statisticsHere(await readColumn(device as Device, tensor, unit), 1);
}

/** The inspector: any tensor by name, as a picture, a histogram and numbers, and one locked value with all that moves it. */
export class TensorInspector extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    statistics: { state: true },
    perFrame: { state: true },
    only: { state: true },
    sought: { state: true },
    refused: { state: true },
    ends: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  /** Of what was shown when they were asked for. */
  declare statistics:
    | { readonly name: string; readonly unit: number | undefined; readonly step: number | undefined; readonly found: Statistics }
    | undefined;
  declare perFrame: boolean;
  /** The one unit that is shown; all of them where undefined. */
  declare only: number | undefined;
  /** Narrows the list of tensors. */
  declare sought: string;
  /** What was typed for a unit that there is not: it stays with a message until a unit, or another tensor, is chosen. */
  declare refused: string | undefined;
  /** Where the scale of the picture ends. */
  declare ends: Ends | undefined;
  readonly #words = new Words(this);
  /** The look, and what was shown, that statistics were asked of last. */
  #asked = '';

  constructor() {
    super();
    this.snapshot = undefined;
    this.statistics = undefined;
    this.perFrame = false;
    this.only = undefined;
    this.sought = '';
    this.refused = undefined;
    this.ends = undefined;
  }

  /** Name of the tensor that is shown: the chosen one, or the first weights. */
  get #name(): string | undefined {
    const { tensors, choices } = this.snapshot ?? {};
    if (choices?.tensor && tensors?.has(choices.tensor)) return choices.tensor;
    return this.snapshot?.shown?.model.parameters.keys().next().value;
  }

  get #tensor(): Shown | undefined {
    const name = this.#name;
    return name === undefined ? undefined : this.snapshot?.tensors.get(name);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('snapshot') as Snapshot | undefined;
    if (!before || before.choices.tensor === this.snapshot?.choices.tensor) return;
    this.only = undefined;
    this.refused = undefined;
    this.ends = undefined;
  }

  protected override updated(): void {
    const { snapshot } = this;
    if (!snapshot) return;
    const tensor = this.#tensor;
    const name = this.#name;
    if (!tensor || !name || !isFloat(tensor) || this.offsetParent === null) return;
    const { only: unit } = this;
    const asked = `${snapshot.looks} ${name} ${unit}`;
    if (this.#asked === asked) return;
    this.#asked = asked;
    const { step } = tensor;
    statistics(snapshot.device, tensor, unit).then(
      (found) => {
        this.statistics = { name, unit, step, found };
      },
      // It was disposed of, or the GPU went away: the next look asks again.
      () => undefined,
    );
  }

  override render(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const name = this.#name;
    const tensor = this.#tensor;
    if (!snapshot || !name)
      return html`<h2>${say.inspectorTitle}</h2>${snapshot?.shown ? nothing : html`<p class="note">${say.noNetwork}</p>`}`;
    const node = diagramOf(snapshot, say, (value) => words.whole(value)).find((each) => each.name === parameterName(name));
    const statistics = this.statistics?.name === name && this.statistics.unit === this.only ? this.statistics : undefined;
    // After ReLU and softmax nothing is negative; what comes out of the other layers of a text may be.
    const magnitudes = name.startsWith('activation/')
      ? !(node?.signed ?? snapshot.test?.vocabulary)
      : /^(adam\/v|attention|batch)\//.test(name);
    const signed = tensor !== undefined && !magnitudes && !(name === 'input' && tensor.shape.length > 2);
    const units = node?.image ? (tensor?.shape.at(-1) ?? 1) : 1;
    return html`
      <div class="head">
        <h2>${say.inspectorTitle}</h2>
        <button class="close" aria-label=${say.closeInspector} title=${say.closeInspector} @click=${() => this.#close()}>${icon('close')}</button>
      </div>
      <input
        type="search"
        autocomplete="off"
        spellcheck="false"
        aria-label=${say.searchTensors}
        placeholder=${say.searchTensors}
        .value=${this.sought}
        @input=${(event: Event) => {
          this.sought = (event.target as HTMLInputElement).value;
        }}
        @keydown=${(event: KeyboardEvent) => this.#seek(event)}
      />
      <p class="note number" role="status">${
        this.sought === '' ? nothing : this.#found.length === 0 ? say.noTensorFound : say.tensorsFound(words.whole(this.#found.length))
      }</p>
      <label class="hidden" for="name">${say.chooseTensor}</label>
      <select id="name" @change=${(event: Event) => this.#choose((event.target as HTMLSelectElement).value)}>
        ${this.#options(name)}
      </select>
      <p class="note number">${tensor ? `${tensor.shape.join(' × ')} · ${'values' in tensor ? 'float32' : tensor.dtype}` : nothing}${
        statistics?.step === undefined ? nothing : ` · ${say.atStep(words.whole(statistics.step))}`
      }</p>
      ${
        tensor && isFloat(tensor)
          ? html`
              <tensor-view
                class=${this.only === undefined ? '' : 'one'}
                .device=${snapshot.device}
                .tensor=${tensor}
                .image=${node?.image}
                .only=${this.only}
                .signed=${signed}
                .perFrame=${this.perFrame}
                .series=${`${seriesOf(snapshot)} ${name}`}
                .looks=${snapshot.looks}
                .still=${!snapshot.running}
                .label=${name}
                .names=${node?.names}
                .locked=${lockedIn(snapshot, name)}
                @cell-lock=${(event: CustomEvent<CellDetail>) => this.#lock(name, event.detail.index)}
                @cell-free=${() => this.#lock(name, undefined)}
                @scale-end=${(event: CustomEvent<Ends>) => {
                  this.ends = event.detail;
                }}
              ></tensor-view>
              ${statistics && signed ? this.#beyond(statistics.found) : nothing}
              <div class="tools">
                ${fixedScale(this.#words, this.perFrame, (perFrame) => {
                  this.perFrame = perFrame;
                })}
                ${
                  units > 1
                    ? html`<label class="check"
                        >${say.sliceLabel}
                        <input
                          class="unit"
                          type="text"
                          inputmode="numeric"
                          placeholder=${say.allUnits}
                          aria-invalid=${this.refused === undefined ? 'false' : 'true'}
                          aria-describedby=${this.refused === undefined ? nothing : 'refusal'}
                          .value=${this.refused ?? (this.only === undefined ? '' : String(this.only))}
                          @change=${(event: Event) => this.#slice((event.target as HTMLInputElement).value, units)}
                      /></label>
                      ${
                        this.refused === undefined
                          ? nothing
                          : html`<p id="refusal" class="refusal" role="alert">${say.noSuchUnit(words.whole(units - 1))}</p>`
                      }`
                    : nothing
                }
              </div>
              ${this.#cell(name)} ${statistics ? this.#numbers(statistics.found) : nothing}
            `
          : html`<p class="note">${say.notANumberTensor}</p>
              ${this.#cell(name)}`
      }
    `;
  }

  #options(chosen: string): TemplateResult[] {
    const { say } = this.#words;
    const groups = new Map<Group, string[]>();
    // The chosen one stays, so that the list never says another.
    for (const name of new Set([...this.#found, chosen])) {
      const group = groupOf(name);
      groups.set(group, [...(groups.get(group) ?? []), name]);
    }
    return (['parameters', 'example', 'gradients', 'moments', 'batch'] as const).map(
      (group) =>
        html`<optgroup label=${say.tensorGroups[group]}>
          ${groups.get(group)?.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}
        </optgroup>`,
    );
  }

  /** Names with every word that is sought in them. */
  get #found(): readonly string[] {
    const words = this.sought.toLowerCase().split(/\s+/);
    return [...(this.snapshot?.tensors.keys() ?? [])].filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  }

  /** Enter shows the first tensor that was found; Escape ends the search. */
  #seek(event: KeyboardEvent): void {
    const [first] = this.#found;
    if (event.key === 'Enter' && first) this.#choose(first);
    else if (event.key !== 'Escape' || this.sought === '') return;
    this.sought = '';
    event.preventDefault();
    event.stopPropagation();
  }

  #choose(tensor: string): void {
    send(this, { do: 'choose', choices: { tensor } });
  }

  #close(): void {
    send(this, { do: 'choose', choices: { tensor: undefined, cell: undefined } });
  }

  #lock(tensor: string, index: number | undefined): void {
    if (tensor === 'input') send(this, { do: 'choose', choices: { pixel: index } });
    else send(this, { do: 'choose', choices: index === undefined ? { cell: undefined } : { tensor, cell: { tensor, index } } });
  }

  #slice(typed: string, units: number): void {
    const unit = typed.trim() === '' ? undefined : Number(typed);
    const there = unit === undefined || (Number.isInteger(unit) && unit >= 0 && unit < units);
    this.refused = there ? undefined : typed;
    if (there) this.only = unit;
  }

  /** A scale of signed values leaves the largest thousandth of them out; that is said where it does. */
  #beyond({ least, greatest }: Statistics): TemplateResult | typeof nothing {
    const words = this.#words;
    const end = this.perFrame ? this.ends?.now : this.ends?.ofRun;
    const most = Math.max(-least, greatest);
    // The last colour a shade early is no loss.
    if (end === undefined || !(most > 1.05 * end)) return nothing;
    return html`<p class="note number" data-note="beyond">${words.say.beyondScale(words.significant(end, 2))}</p>`;
  }

  #numbers(found: Statistics): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const most = Math.max(1, ...found.histogram);
    const row = (label: string, value: string): TemplateResult => html`<div><dt>${label}</dt><dd class="number">${value}</dd></div>`;
    return html`
      ${this.only === undefined ? nothing : html`<p class="note number">${say.numbersOfUnit(words.whole(this.only))}</p>`}
      <svg class="histogram" viewBox="0 0 64 24" preserveAspectRatio="none" role="img" aria-label=${say.histogramLabel(
        words.significant(found.least),
        words.significant(found.greatest),
      )}>
        ${Array.from(found.histogram, (count, i) => {
          // Square roots: few values stay visible beside many.
          const height = 24 * Math.sqrt(count / most);
          return svg`<rect x=${i + 0.08} y=${24 - height} width="0.84" height=${height} />`;
        })}
      </svg>
      <p class="ends note number"><span>${words.significant(found.least)}</span><span>${say.histogramNote}</span><span>${words.significant(found.greatest)}</span></p>
      <dl>
        ${row(say.statLeast, words.significant(found.least))} ${row(say.statGreatest, words.significant(found.greatest))}
        ${row(say.statMean, words.significant(found.mean))} ${row(say.statDeviation, words.significant(found.deviation))}
        ${row(say.statZeros, `${words.whole(found.zeros)} (${words.percent(found.zeros / found.length)})`)}
        ${row(say.statDead, say.of(words.whole(found.dead), words.whole(found.columns)))}
        ${row(say.statNotFinite, words.whole(found.notFinite))} ${row(say.statCount, words.whole(found.length))}
      </dl>
    `;
  }

  // ---- a locked cell -------------------------------------------------------------------------------------------------------------

  #cell(name: string): TemplateResult | typeof nothing {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const { cell, cellBefore, shown } = snapshot ?? {};
    // Only what is learnt has a gradient and moments.
    const hint = !shown?.model.parameters.has(parameterName(name))
      ? say.lockHintValue
      : shown.trainer.optimizer.kind === 'sgd'
        ? say.lockHintVelocity
        : say.lockHint;
    if (!cell || !shown) return html`<p class="note hint">${hint}</p>`;
    const place = placeIn(cell.shape, cell.cell.index);
    const rows: readonly (readonly [label: string, role: keyof CellReading['values']])[] = cell.parameter
      ? shown.trainer.optimizer.kind === 'sgd'
        ? [
            [say.roleValue, 'value'],
            [say.roleGradient, 'gradient'],
            [say.roleVelocity, 'm'],
          ]
        : [
            [say.roleValue, 'value'],
            [say.roleGradient, 'gradient'],
            [say.roleM, 'm'],
            [say.roleV, 'v'],
          ]
      : [[say.roleValue, 'value']];
    const before = cellBefore && cellBefore.step < cell.step ? cellBefore : undefined;
    return html`
      <section class="cell" aria-label=${say.cellTitle}>
        <div class="head">
          <h3>${say.cellTitle} <code>${cell.parameter ?? cell.cell.tensor}${place}</code></h3>
          <button class="close" aria-label=${say.freeCell} title=${`${say.freeCell} (Esc)`} @click=${() =>
            send(this, { do: 'choose', choices: { cell: undefined } })}>${icon('close')}</button>
        </div>
        <table>
          <thead>
            <tr>
              <td></td>
              ${before ? html`<th scope="col" class="number">${say.atStep(words.whole(before.step))}</th>` : nothing}
              <th scope="col" class="number">${say.atStep(words.whole(cell.step))}</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              ([label, role]) => html`<tr data-role=${role}>
                <th scope="row">${label}</th>
                ${before ? html`<td class="number" data-when="before">${this.#exact(before, role)}</td>` : nothing}
                <td class="number" data-when="now">${this.#exact(cell, role)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
        ${this.#byHand(before, cell)} ${this.#ablate(cell)}
      </section>
    `;
  }

  /** A unit of a hidden layer can be made silent, on a copy. */
  #ablate({ cell, parameter }: CellReading): TemplateResult | typeof nothing {
    const { say } = this.#words;
    const layer = /^activation\/(.+)$/.exec(cell.tensor)?.[1];
    const model = this.snapshot?.run?.model;
    if (parameter || !layer || !model || model.layers.at(-1)?.name === layer || !model.parameters.has(`${layer}/weight`)) return nothing;
    const units = model.parameters.get(`${layer}/weight`)?.shape.at(-1) ?? 1;
    const unit = cell.index % units;
    const silent = this.snapshot?.choices.whatIf;
    if (silent?.kind === 'ablated' && silent.layer === layer && silent.unit === unit) return nothing;
    return html`<button
      class="ablate"
      @click=${() => send(this, { do: 'choose', choices: { whatIf: { kind: 'ablated', layer, unit } } })}
    >
      ${say.ablateUnit(this.#words.whole(unit))}
    </button>`;
  }

  #exact({ values, step }: CellReading, role: keyof CellReading['values']): string {
    const value = values[role];
    // Before the first step no gradient was computed.
    if (value === undefined || (role === 'gradient' && step === 0)) return '–';
    return this.#words.exact(value);
  }

  /** Adam's update of the cell, by the formula, from the numbers above. */
  #byHand(before: CellReading | undefined, now: CellReading): TemplateResult | typeof nothing {
    const words = this.#words;
    const { say } = words;
    const { run } = this.snapshot ?? {};
    const optimizer = run?.trainer.optimizer;
    if (!run || !optimizer || optimizer.kind !== 'adam' || !now.parameter) return nothing;
    const rate = rateAt(this.snapshot!, now.step - 1);
    const constants = `η ${rate}, β₁ ${optimizer.beta1}, β₂ ${optimizer.beta2}, ε ${optimizer.epsilon}`;
    if (!before || before.step !== now.step - 1) return html`<p class="note number">${constants}. ${say.stepToCheck}</p>`;
    const { value, m = 0, v = 0 } = before.values;
    const hand = adamByHand({ value, m, v }, now.values.gradient ?? 0, now.step, { ...optimizer, rate });
    return html`
      <p class="note number">
        ${constants}, t ${words.whole(now.step)}<br />
        m ← β₁m + (1 − β₁)g = ${words.exact(hand.m)}<br />
        v ← β₂v + (1 − β₂)g² = ${words.exact(hand.v)}<br />
        w ← w − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) = <strong data-role="hand">${words.exact(hand.value)}</strong><br />
        ${say.byHandDifference(words.significant(Math.abs(hand.value - now.values.value)))}
      </p>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .head {
        display: flex;
        gap: 0.5rem;
        align-items: center;
        justify-content: space-between;
      }

      .close {
        min-width: 2.25rem;
        min-height: 2.25rem;
        padding: 0;
        border-color: transparent;
      }

      [type='search'] {
        width: 100%;
        min-height: 2.25rem;
        margin-bottom: 0.25rem;
        border-color: var(--line);
        font-size: 0.8125rem;
      }

      select {
        width: 100%;
        font-family: var(--mono);
        font-size: 0.8125rem;
      }

      .note {
        margin: 0.25rem 0;
        font-size: 0.75rem;
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }

      .check {
        font-size: 0.75rem;
      }

      .unit {
        width: 4rem;
        min-height: 2rem;
        padding: 0 0.5rem;
        border-radius: 6px;
        font-size: 0.75rem;
      }

      /* One unit alone leaves room for what is said of it. */
      .one {
        --map-width: 10rem;
      }

      .refusal {
        flex-basis: 100%;
        margin: 0 0 0.25rem;
        color: var(--bad);
        font-size: 0.75rem;
      }

      .histogram {
        display: block;
        width: 100%;
        height: 3rem;
        margin-top: 0.5rem;
        border-bottom: 1px solid var(--edge);
        fill: var(--train);
      }

      .ends {
        display: flex;
        justify-content: space-between;
      }

      dl {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0.125rem 1rem;
        margin: 0.375rem 0;
        font-size: 0.75rem;
      }

      dl > div {
        display: flex;
        justify-content: space-between;
        gap: 0.5rem;
      }

      dt {
        color: var(--quiet);
      }

      dd {
        margin: 0;
      }

      .cell {
        margin-top: 0.75rem;
        padding: 0.5rem 0.75rem 0.75rem;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--sheet);
      }

      .cell table {
        font-size: 0.75rem;
      }

      .cell th,
      .cell td {
        padding: 0.1875rem 0.375rem 0.1875rem 0;
        font-size: 0.75rem;
      }

      /* Two numbers in full, and what they are, in the narrowest panel. */
      .cell td.number {
        font-size: 0.6875rem;
        letter-spacing: -0.01em;
        white-space: nowrap;
      }

      code {
        font-family: var(--mono);
        font-size: 0.75rem;
        font-weight: 400;
      }

      .ablate {
        min-height: 2.25rem;
        margin-top: 0.5rem;
        font-size: 0.8125rem;
      }

      .hint {
        margin-top: 0.75rem;
      }

      @media (max-width: 719px), (pointer: coarse) {
        .close,
        .ablate,
        .unit,
        .check {
          min-height: 44px;
        }
      }
    `,
  ];
}

function groupOf(name: string): Group {
  if (name.startsWith('gradient/')) return 'gradients';
  if (/^(adam|sgd)\//.test(name)) return 'moments';
  if (name.startsWith('batch/')) return 'batch';
  return name === 'input' || /^((pre)?activation|attention|heads)\//.test(name) ? 'example' : 'parameters';
}

/** A gradient and a moment are laid out as their parameter. */
const parameterName = (name: string): string => name.replace(/^(gradient|adam\/[mv]|sgd\/velocity)\//, '');

/** The locked cell is the same in a parameter, its gradient and its moments. */
function lockedIn({ choices }: Snapshot, name: string): number | undefined {
  if (name === 'input') return choices.pixel;
  return choices.cell && parameterName(choices.cell.tensor) === parameterName(name) ? choices.cell.index : undefined;
}

/** `[406, 3]` */
function placeIn(shape: readonly number[], index: number): string {
  const place: number[] = [];
  let rest = index;
  for (const length of [...shape].reverse()) {
    place.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return `[${place.join(', ')}]`;
}

/** Learning rate of a step. */
function rateAt({ run }: Snapshot, step: number): number {
  return run?.journal.findLast((change) => change.step <= step)?.rate ?? run?.settings.rate ?? Number.NaN;
}
