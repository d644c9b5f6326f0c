import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { fixedScale } from './fixed-scale.ts';
import { icon } from './icons.ts';
import { Words } from './language.ts';
import type { Pointed } from './point/pointed.ts';
import type { Cell } from './session/choices.ts';
import { send } from './session/commands.ts';
import { diagramOf } from './session/diagram.ts';
import type { Snapshot } from './session/session.ts';
import { MOST_LAYERS } from './settings.ts';
import { shared } from './shared-styles.ts';

const NEW_UNITS = 32;

/** NETWORK: the tensors of the network, live. */
export class StudioNetwork extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    pointed: { attribute: false },
    perFrame: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  /** What is pointed at in any picture. */
  declare pointed: Pointed | undefined;
  declare perFrame: boolean;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
    this.pointed = undefined;
    this.perFrame = false;
  }

  override render(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const hidden = snapshot?.choices.recipe.hidden ?? [];
    const change = (layers: readonly number[]): void => send(this, { do: 'recipe', changes: { hidden: layers } });
    return html`
      <div class="head">
        <h2>${say.networkTitle}</h2>
        <span class="note number">${snapshot?.shown ? say.parameterCount(words.whole(snapshot.shown.model.parameterCount)) : ''}</span>
        ${
          snapshot?.checksum?.step === snapshot?.step && snapshot?.checksum
            ? html`<span class="note number" title=${say.checksumHint}>${say.checksum(snapshot.checksum.text)}</span>`
            : nothing
        }
        ${this.#pending()}
        <span class="tools">
          ${fixedScale(words, this.perFrame, (perFrame) => {
            this.perFrame = perFrame;
          })}
          ${
            snapshot?.given
              ? html`<span class="note">${say.givenLayers}</span>`
              : html`<fieldset class="live" ?disabled=${snapshot?.recorded !== undefined}>
                  <button ?disabled=${hidden.length >= MOST_LAYERS} @click=${() => change([...hidden, NEW_UNITS])}>
                    ${icon('add')}${say.addLayer(words.whole(NEW_UNITS))}
                  </button>
                  <button ?disabled=${hidden.length === 0} @click=${() => change(hidden.slice(0, -1))}>${say.removeLayer}</button>
                </fieldset>`
          }
        </span>
      </div>
      ${snapshot?.shown ? nothing : html`<p class="note">${say.noNetwork}</p>`}
      <network-diagram
        .nodes=${snapshot ? diagramOf(snapshot, say, (value) => words.whole(value)) : []}
        .device=${snapshot?.device}
        .chosen=${snapshot?.choices.tensor}
        .series=${seriesOf(snapshot)}
        .inputSeries=${snapshot?.example?.key ?? ''}
        .perFrame=${this.perFrame}
        .looks=${snapshot?.looks ?? 0}
        .still=${!(snapshot?.running ?? false)}
        .locked=${snapshot?.choices.cell}
        .pixel=${snapshot?.choices.pixel}
        .pointed=${this.pointed}
        @node-choose=${(event: CustomEvent<string>) => this.#choose(event.detail)}
        @node-lock=${(event: CustomEvent<Cell | undefined>) => this.#lock(event.detail)}
      ></network-diagram>
    `;
  }

  /** What was chosen in mid-run, and counts from the next reset on. */
  #pending(): TemplateResult | typeof nothing {
    const { say } = this.#words;
    const { needsReset, step, choices, shown } = this.snapshot ?? {};
    if (!needsReset || !step || !choices || !shown) return nothing;
    const layers = choices.recipe.hidden.join('-');
    const other = layers === shown.settings.hidden.join('-') ? say.pendingOther : layers || say.linear;
    return html`<span class="pending note">
      ${say.pendingRecipe(other)} <button @click=${() => send(this, { do: 'reset' })}>${say.resetNow}</button>
    </span>`;
  }

  #choose(tensor: string): void {
    send(this, { do: 'choose', choices: { tensor: this.snapshot?.choices.tensor === tensor ? undefined : tensor } });
  }

  #lock(cell: Cell | undefined): void {
    // A pixel of the input is the same cell in every map.
    if (cell?.tensor === 'input') send(this, { do: 'choose', choices: { pixel: cell.index } });
    else send(this, { do: 'choose', choices: cell ? { cell, tensor: cell.tensor } : { cell: undefined } });
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.75rem;
        align-items: center;
        margin-bottom: 0.25rem;
      }

      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.5rem;
        align-items: center;
        margin-left: auto;
      }

      .pending {
        color: var(--ink);
      }

      .pending button {
        border-color: var(--edge);
      }

      button {
        min-height: 2.25rem;
        padding: 0 0.625rem;
        border-color: transparent;
        font-size: 0.8125rem;
        font-weight: 400;
      }

      @media (max-width: 719px), (pointer: coarse) {
        button {
          min-height: 44px;
        }
      }
    `,
  ];
}

/** Pictures of one run share a scale. */
export const seriesOf = (snapshot: Snapshot | undefined): string =>
  snapshot?.shown ? `${JSON.stringify(snapshot.shown.settings)} ${runNumber(snapshot.shown.history)}` : '';

const numbers = new WeakMap<object, number>();
let runs = 0;

/** A reset begins another run, though its settings are the same: it has curves of its own. */
function runNumber(history: object): number {
  let number = numbers.get(history);
  if (number === undefined) {
    runs += 1;
    number = runs;
    numbers.set(history, number);
  }
  return number;
}
