import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { icon } from './icons.ts';
import { Words } from './language.ts';
import { send } from './session/commands.ts';
import type { Snapshot } from './session/session.ts';
import { nextRate, RANGES, readNumber, readSetting } from './settings.ts';
import { shared } from './shared-styles.ts';
import type { StopAt } from './training.ts';

/** TIME: the transport, where training stands, what watching costs, and the curves. */
export class StudioTime extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    logarithmic: { state: true },
    refused: { state: true },
    opened: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  declare logarithmic: boolean;
  /** What was typed last and cannot be taken, and where: it stays with a message until something else is typed. */
  declare refused: { readonly field: 'rate' | 'stop'; readonly typed: string } | undefined;
  /** On a narrow screen, what is not needed at every moment is folded away. */
  declare opened: boolean;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.snapshot = undefined;
    this.logarithmic = true;
    this.refused = undefined;
    this.opened = false;
  }

  override render(): TemplateResult {
    // The other pages have their own use for the height.
    const low = (this.snapshot?.choices.page ?? 'studio') !== 'studio';
    return html`${this.#transport(low)} ${this.#figures()} ${low ? nothing : html`${this.#charts()} ${this.#more()}`}`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('pointerdown', this.#pressElsewhere);
  }

  override disconnectedCallback(): void {
    document.removeEventListener('pointerdown', this.#pressElsewhere);
    super.disconnectedCallback();
  }

  // ---- tables that unfold over the page --------------------------------------------------------------------------------------------

  get #unfolded(): HTMLDetailsElement | null {
    return this.renderRoot.querySelector('details[open]');
  }

  readonly #pressElsewhere = (event: Event): void => {
    const unfolded = this.#unfolded;
    if (unfolded && !event.composedPath().includes(unfolded)) unfolded.open = false;
  };

  #fold(event: KeyboardEvent): void {
    const unfolded = this.#unfolded;
    if (event.key !== 'Escape' || !unfolded) return;
    // The page, too, frees something by this key.
    event.preventDefault();
    unfolded.open = false;
    unfolded.querySelector('summary')?.focus();
  }

  // ---- transport -----------------------------------------------------------------------------------------------------------------

  /** @param low there is nothing to unfold */
  #transport(low: boolean): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const running = snapshot?.running ?? false;
    const finished = snapshot?.finished ?? false;
    if (snapshot?.replayTo !== undefined) {
      return html`<div class="transport" role="group" aria-label=${say.controls}>
        <progress max=${snapshot.replayTo} .value=${snapshot.step} aria-label=${say.replaying}></progress>
        <span class="note number">${say.replayingTo(this.#words.whole(snapshot.replayTo))}</span>
        <button @click=${() => send(this, { do: 'cancelReplay' })}>${say.cancel}</button>
      </div>`;
    }
    return html`
      <div class="transport" role="group" aria-label=${say.controls}>
        <button
          class="primary"
          title=${say.runHint}
          aria-keyshortcuts="Space"
          aria-disabled=${finished && !running ? 'true' : 'false'}
          @click=${() => send(this, { do: 'toggle' })}
        >
          ${icon(running ? 'pause' : 'run')}<span>${running ? say.pause : say.run}</span>
        </button>
        <button
          title=${say.stepHint}
          aria-keyshortcuts="ArrowRight"
          aria-disabled=${finished ? 'true' : 'false'}
          @click=${() => send(this, { do: 'step' })}
        >
          ${icon('step')}<span>${say.step}</span>
        </button>
        <button title=${say.resetHint} aria-keyshortcuts="R" @click=${() => send(this, { do: 'reset' })}>
          ${icon('reset')}<span>${say.reset}</span>
        </button>
        <button
          class="unfold"
          ?hidden=${low}
          aria-expanded=${this.opened ? 'true' : 'false'}
          aria-label=${say.moreSettings}
          title=${say.moreSettings}
          @click=${() => {
            this.opened = !this.opened;
          }}
        >
          ⋯
        </button>
      </div>
    `;
  }

  // ---- figures -------------------------------------------------------------------------------------------------------------------

  #figures(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const history = snapshot?.shown?.history;
    const held = history?.epochs.at(-1);
    const [loss, accuracy] = [history?.loss.last, history?.accuracy.last];
    const perEpoch = snapshot?.stepsPerEpoch || 1;
    const step = snapshot?.step ?? 0;
    const speed = snapshot?.reading?.samplesPerSecond ?? Number.NaN;
    const viewed = snapshot?.prediction?.step;
    const figure = (key: string, label: string, value: string, of?: string): TemplateResult =>
      html`<div data-figure=${key}><dt>${label}</dt><dd>${value}${of ? html`<small> / ${of}</small>` : nothing}</dd></div>`;
    return html`
      <div class=${this.opened ? 'standing opened' : 'standing'}>
        <p class="phase" data-phase=${snapshot?.phase ?? 'opening'}>
          <span class="dot" aria-hidden="true"></span>${this.#phase()}
        </p>
        <dl class="number">
          ${figure('step', say.stepLabel, words.whole(step), words.whole(snapshot?.totalSteps ?? 0))}
          ${figure('viewed', say.viewedLabel, viewed === undefined ? '–' : words.whole(viewed))}
          ${figure('epoch', say.epochLabel, words.oneDigit(step / perEpoch), words.whole(snapshot?.choices.recipe.epochs ?? 0))}
          ${figure('loss', say.lossLabel, loss === undefined ? '–' : words.small(loss))}
          ${figure('accuracy', say.accuracyLabel, accuracy === undefined ? '–' : words.percent(accuracy))}
          ${figure('validation', say.validationAccuracyLabel, held ? words.percent(held.validationAccuracy, 2) : '–')}
          ${figure('speed', say.speedLabel, Number.isFinite(speed) ? words.whole(speed) : '–')}
          ${figure('watching', say.watchingLabel, words.percent(snapshot?.watching ?? Number.NaN))}
        </dl>
      </div>
    `;
  }

  #phase(): string {
    const { say } = this.#words;
    const { phase = 'opening', loading, stoppedBy, choices } = this.snapshot ?? {};
    // What was refused may have been the first step.
    if (stoppedBy && (phase === 'paused' || phase === 'ready')) {
      const dead = stoppedBy.kind === 'unit' ? stoppedBy.dead : undefined;
      if (dead) return say.stoppedByUnit(dead.layer, this.#words.whole(dead.unit));
      return stoppedBy.kind === 'loss' ? say.stoppedByLoss(this.#words.significant(stoppedBy.above)) : say.stoppedBy[stoppedBy.kind];
    }
    if (phase !== 'loading' || !loading?.totalBytes || !choices) return say.phases[phase];
    return `${say.phases.loading} ${this.#words.percent(loading.loadedBytes / loading.totalBytes, 0)}`;
  }

  // ---- curves --------------------------------------------------------------------------------------------------------------------

  #charts(): TemplateResult {
    const { snapshot, logarithmic } = this;
    // What draws the curves comes once there is something to train.
    if (snapshot?.shown) void import('./charts.ts').catch((error) => send(this, { do: 'report', error }));
    const history = snapshot?.shown?.history;
    // Other data and other pages are not there for a network that was given.
    const atDoors = snapshot?.run && history?.isEmpty && !snapshot.running && snapshot.replayTo === undefined && !snapshot.given;
    if (atDoors) return this.#doors();
    // Where nobody follows training, the curves too wait until it rests.
    const version = snapshot?.running && !snapshot.choices.follow ? -1 : (history?.version ?? 0);
    const drawn = (): void => {
      this.dispatchEvent(new Event('watched', { bubbles: true, composed: true }));
    };
    return html`
      <div class="charts">
        <loss-chart .history=${history} .version=${version} metric="loss" ?logarithmic=${logarithmic} @drawn=${drawn}></loss-chart>
        <loss-chart .history=${history} .version=${version} metric="accuracy" @drawn=${drawn}></loss-chart>
      </div>
    `;
  }

  /** Before the first step there is no curve to see: the ways in stand there. */
  #doors(): TemplateResult {
    const { say } = this.#words;
    const door = (title: string, words: string, open: () => void): TemplateResult =>
      html`<button class="door" @click=${open}><strong>${title}</strong><span>${words}</span></button>`;
    const isTable = this.snapshot?.choices.recipe.data === 'breast-cancer';
    return html`
      <div class="charts doors">
        ${door(say.doorWatch, say.doorWatchWords, () => send(this, { do: 'toggle' }))}
        ${door(isTable ? say.doorDigits : say.doorExplain, isTable ? say.doorDigitsWords : say.doorExplainWords, () =>
          send(this, { do: 'recipe', changes: isTable ? { data: 'mnist', hidden: [128] } : { data: 'breast-cancer', hidden: [16] } }),
        )}
        ${door(say.doorMeasure, say.doorMeasureWords, () => send(this, { do: 'choose', choices: { page: 'bench' } }))}
      </div>
    `;
  }

  // ---- what else -----------------------------------------------------------------------------------------------------------------

  #more(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const { refused } = this;
    const kind = snapshot?.stopAt?.kind ?? '';
    return html`
      <div class=${this.opened ? 'more opened' : 'more'} @keydown=${(event: KeyboardEvent) => this.#fold(event)}>
        <fieldset class="live" ?disabled=${snapshot?.recorded !== undefined}>
        <label class="field">
          <span>${say.rate}</span>
          <input
            type="text"
            inputmode="decimal"
            autocomplete="off"
            title=${say.rateHelp}
            aria-invalid=${refused?.field === 'rate' ? 'true' : 'false'}
            aria-describedby=${refused?.field === 'rate' ? 'refusal' : nothing}
            .value=${refused?.field === 'rate' ? refused.typed : String(snapshot?.rate ?? '')}
            @change=${(event: Event) => this.#rate(event.target as HTMLInputElement)}
            @keydown=${(event: KeyboardEvent) => this.#nudge(event)}
          />
        </label>
        <label class="field">
          <span>${say.pauseAt}</span>
          <select title=${say.pauseAtHint} @change=${(event: Event) => this.#stopAt((event.target as HTMLSelectElement).value)}>
            <option value="" ?selected=${kind === ''}>${say.pauseNever}</option>
            <option value="step" ?selected=${kind === 'step'}>${say.pauseAtStep}</option>
            <option value="epoch" ?selected=${kind === 'epoch'}>${say.pauseAtEpoch}</option>
            <option value="loss" ?selected=${kind === 'loss'}>${say.pauseAtLoss}</option>
            <option value="unit" ?selected=${kind === 'unit'}>${say.pauseAtUnit}</option>
          </select>
        </label>
        ${this.#threshold(snapshot?.stopAt)}
        ${refused ? html`<small id="refusal" class="refusal" role="alert">${this.#range(refused.field)}</small>` : nothing}
        <label class="check" title=${say.followHint}
          ><input
            type="checkbox"
            .checked=${snapshot?.choices.follow ?? true}
            @change=${(event: Event) => send(this, { do: 'choose', choices: { follow: (event.target as HTMLInputElement).checked } })}
          />${say.follow}</label
        >
        </fieldset>
        <label class="check"
          ><input
            type="checkbox"
            .checked=${this.logarithmic}
            @change=${(event: Event) => {
              this.logarithmic = (event.target as HTMLInputElement).checked;
            }}
          />${say.logarithmicLoss}</label
        >
        <span class="test">
          <button ?disabled=${!snapshot?.run || snapshot.phase === 'testing'} @click=${() => send(this, { do: 'test' })}>
            ${snapshot?.phase === 'testing' ? say.testRunning : say.testRun}
          </button>
          <span class="note number" aria-live="polite">${this.#test()}</span>
        </span>
        <details name="unfolded">
          <summary>${say.epochTable}</summary>
          ${this.#table()}
        </details>
        <details name="unfolded">
          <summary>${say.confusionTitle}</summary>
          ${this.#confusion()}
        </details>
      </div>
    `;
  }

  #rate(input: HTMLInputElement): void {
    const rate = readSetting('rate', input.value);
    this.refused = rate === undefined ? { field: 'rate', typed: input.value } : undefined;
    if (rate !== undefined) send(this, { do: 'recipe', changes: { rate } });
  }

  #nudge(event: KeyboardEvent): void {
    const direction = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    const input = event.target as HTMLInputElement;
    const rate = readSetting('rate', input.value);
    if (direction === 0 || rate === undefined) return;
    event.preventDefault();
    input.value = String(nextRate(rate, direction));
    this.#rate(input);
  }

  #stopAt(kind: string): void {
    const { step = 0, stepsPerEpoch = 1 } = this.snapshot ?? {};
    const choices: Readonly<Record<string, StopAt>> = {
      step: { kind: 'step', step: step + Math.min(100, stepsPerEpoch) },
      epoch: { kind: 'epoch' },
      loss: { kind: 'loss', above: 10 },
      unit: { kind: 'unit' },
    };
    this.refused = undefined;
    send(this, { do: 'stopAt', stopAt: choices[kind] });
  }

  /** What can be taken, in words. */
  #range(field: 'rate' | 'stop'): string {
    const words = this.#words;
    const { say } = words;
    const { stopAt, step = 0, totalSteps = 0 } = this.snapshot ?? {};
    if (field === 'rate') return say.outOfRange(String(RANGES.rate.least), String(RANGES.rate.most));
    return stopAt?.kind === 'step' ? say.outOfRangeWhole(words.whole(step + 1), words.whole(totalSteps)) : say.notALoss;
  }

  #setThreshold(typed: string): void {
    const { stopAt, step = 0, totalSteps = 0 } = this.snapshot ?? {};
    const value = readNumber(typed);
    // A step that is past, or after the last, never comes.
    const comes =
      stopAt?.kind === 'step'
        ? Number.isInteger(value) && value > step && value <= totalSteps
        : value >= 0 && value < Number.POSITIVE_INFINITY;
    this.refused = comes ? undefined : { field: 'stop', typed };
    if (!comes) return;
    send(this, { do: 'stopAt', stopAt: stopAt?.kind === 'step' ? { kind: 'step', step: value } : { kind: 'loss', above: value } });
  }

  #threshold(stopAt: StopAt | undefined): TemplateResult | typeof nothing {
    const { say } = this.#words;
    if (stopAt === undefined || stopAt.kind === 'epoch' || stopAt.kind === 'unit') return nothing;
    const value = stopAt.kind === 'step' ? stopAt.step : stopAt.above;
    const refused = this.refused?.field === 'stop' ? this.refused : undefined;
    return html`<input
      class="threshold"
      type="text"
      inputmode="decimal"
      autocomplete="off"
      aria-label=${stopAt.kind === 'step' ? say.pauseAtStep : say.pauseAtLoss}
      aria-invalid=${refused ? 'true' : 'false'}
      aria-describedby=${refused ? 'refusal' : nothing}
      .value=${refused?.typed ?? String(value)}
      @change=${(event: Event) => this.#setThreshold((event.target as HTMLInputElement).value)}
    />`;
  }

  #test(): string {
    const words = this.#words;
    const { say } = words;
    const test = this.snapshot?.shown?.tests.at(-1);
    if (!test) return say.noTest;
    // What is no number is no answer, though one class comes first among such.
    if (!Number.isFinite(test.loss)) return `${say.notFinitePrediction} ${say.atStep(words.whole(test.step))}`;
    const errors = Math.round(test.size * (1 - test.accuracy));
    return `${say.testResult(words.percent(test.accuracy, 2), words.whole(errors), words.whole(test.size))}, ${say.atStep(words.whole(test.step))}`;
  }

  #confusion(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { mistakes, test } = this.snapshot ?? {};
    const classes = test?.classes ?? [];
    if (!mistakes) return html`<p class="note">${say.nothingYet}</p>`;
    const count = (label: number, predicted: number): number => mistakes.confusion[label * classes.length + predicted] ?? 0;
    return html`
      <div class="wide" tabindex="0" role="region" aria-label=${say.confusionTitle}>
        <table class="confusion">
          <caption>
            ${say.confusionCaption(words.whole(mistakes.size), words.whole(mistakes.wrong), words.whole(mistakes.step))}
          </caption>
          <thead>
            <tr>
              <th scope="col">${say.confusionLabel}</th>
              ${classes.map((name) => html`<th scope="col" class="number">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${classes.map(
              (name, label) => html`<tr>
                <th scope="row">${name}</th>
                ${classes.map((_name, predicted) => {
                  const found = count(label, predicted);
                  return html`<td class=${label === predicted ? 'number right' : found > 0 ? 'number wrong' : 'number'}>${found > 0 ? words.whole(found) : '·'}</td>`;
                })}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  #table(): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const rows = this.snapshot?.shown?.history.epochs ?? [];
    if (rows.length === 0) return html`<p class="note">${say.noEpoch}</p>`;
    const columns = [
      say.epochColumn,
      say.trainingLossColumn,
      say.trainingAccuracyColumn,
      say.validationLossColumn,
      say.validationAccuracyColumn,
    ];
    return html`
      <div class="wide" tabindex="0" role="region" aria-label=${say.epochTable}>
        <table>
          <thead>
            <tr>
              ${columns.map((column) => html`<th scope="col" class="number">${column}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) => html`<tr>
                <td class="number">${words.whole(row.epoch)}</td>
                <td class="number">${words.small(row.loss)}</td>
                <td class="number">${words.percent(row.accuracy, 2)}</td>
                <td class="number">${words.small(row.validationLoss)}</td>
                <td class="number">${words.percent(row.validationAccuracy, 2)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      :host {
        display: grid;
        grid-template:
          'transport standing standing' auto
          'charts charts more' auto / auto minmax(0, 1fr) 23rem;
        gap: 0.25rem 1.25rem;
        padding: 0.5rem 0.75rem;
        border-top: 1px solid var(--line);
        background: var(--paper);
      }

      .transport {
        display: flex;
        grid-area: transport;
        gap: 0.375rem;
        align-items: center;
      }

      .transport button {
        padding: 0 0.875rem;
        font-size: 0.875rem;
      }

      .transport .primary {
        min-width: 6.75rem;
      }

      progress {
        width: 10rem;
        accent-color: var(--train);
      }

      .transport progress ~ button {
        flex: none;
      }

      .standing {
        display: flex;
        grid-area: standing;
        gap: 0.25rem 1.25rem;
        align-items: center;
        justify-content: space-between;
        min-width: 0;
      }

      .phase {
        display: flex;
        flex: 1 1 0;
        gap: 0.5rem;
        align-items: center;
        min-width: 0;
        margin: 0;
        font-size: 0.8125rem;
        line-height: 1.25;
      }

      .dot {
        flex: none;
        width: 0.5rem;
        height: 0.5rem;
        border: 1.5px solid var(--quiet);
        border-radius: 50%;
      }

      [data-phase='running'] .dot,
      [data-phase='replaying'] .dot {
        border-color: var(--train);
        background: var(--train);
      }

      [data-phase='closed'] .dot {
        border-color: var(--bad);
        background: var(--bad);
      }

      /* What is said of the phase gives way, never a figure. */
      dl {
        flex: none;
        display: grid;
        grid-auto-columns: minmax(4.5rem, max-content);
        grid-auto-flow: column;
        gap: 1rem;
        margin: 0;
        min-width: 0;
      }

      dt {
        color: var(--quiet);
        font-size: 0.6875rem;
        line-height: 1.3;
        white-space: nowrap;
      }

      dd {
        margin: 0;
        font-size: 0.9375rem;
        line-height: 1.3;
        white-space: nowrap;
      }

      small {
        color: var(--quiet);
        font-size: 0.75rem;
      }

      .charts {
        --chart-height: 6.25rem;
        display: grid;
        grid-area: charts;
        grid-template-columns: 1fr 1fr;
        gap: 0 1.5rem;
        min-width: 0;
      }

      loss-chart {
        min-width: 0;
      }

      .doors {
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 0.75rem;
        min-height: calc(var(--chart-height) + 1.25rem);
        padding-bottom: 0.25rem;
      }

      .door {
        flex-direction: column;
        gap: 0.25rem;
        align-items: start;
        height: 100%;
        padding: 0.625rem 1rem;
        border-color: var(--line);
        font-weight: 400;
        line-height: 1.35;
        text-align: start;
        white-space: normal;
      }

      .door strong {
        font: 400 1.0625rem / 1.3 var(--serif);
      }

      .door span {
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      .more {
        display: flex;
        flex-wrap: wrap;
        grid-area: more;
        gap: 0 0.75rem;
        align-content: center;
        align-items: center;
        min-width: 0;
        font-size: 0.8125rem;
      }

      .field {
        display: inline-flex;
        gap: 0.5rem;
        align-items: center;
        color: var(--quiet);
      }

      .field input,
      .threshold {
        width: 4.25rem;
        min-height: 2rem;
        padding: 0 0.5rem;
        border-radius: 8px;
        font-size: 0.8125rem;
      }

      .more select {
        min-height: 2rem;
        max-width: 7.25rem;
        border-radius: 8px;
        font-size: 0.8125rem;
      }

      .check {
        min-height: 2rem;
      }

      .refusal {
        flex: 1 0 100%;
        color: var(--bad);
        line-height: 1.3;
      }

      .test {
        display: inline-flex;
        flex: 1 0 100%;
        gap: 0.5rem;
        align-items: center;
        min-width: 0;
      }

      .test button {
        min-height: 2rem;
        padding: 0 0.75rem;
        font-size: 0.8125rem;
        font-weight: 400;
      }

      summary {
        min-height: 2rem;
        white-space: nowrap;
      }

      details {
        position: relative;
      }

      /* Unfolds over the page, upwards: the workspace keeps its place. */
      details > .wide {
        position: absolute;
        right: 0;
        bottom: 100%;
        z-index: 3;
        width: max-content;
        max-width: min(34rem, calc(100vw - 1.5rem));
        max-height: min(60vh, 30rem);
        padding: 0.75rem 1rem;
        border: 1px solid var(--line);
        border-radius: 10px;
        background: var(--sheet);
        box-shadow: 0 6px 24px rgb(0 0 0 / 14%);
        overflow: auto;
      }

      .confusion caption {
        color: var(--quiet);
        font-size: 0.75rem;
        text-align: start;
      }

      .confusion th,
      .confusion td {
        padding: 0.0625rem 0.375rem 0.0625rem 0;
        font-size: 0.75rem;
      }

      .right {
        color: var(--good);
      }

      .wrong {
        color: var(--bad);
        font-weight: 600;
      }


      .unfold {
        display: none;
      }

      /* What must always be in view has the room. */
      @media (min-width: 1024px) and (max-width: 1279px) {
        dl {
          grid-auto-columns: minmax(3.75rem, max-content);
          gap: 0.75rem;
        }
      }

      @media (min-width: 1024px) and (max-width: 1199px) {
        [data-figure='speed'],
        [data-figure='epoch'] {
          display: none;
        }
      }

      @media (max-width: 1023px) {
        :host {
          grid-template:
            'transport' auto
            'standing' auto
            'charts' auto
            'more' auto / minmax(0, 1fr);
          padding: 0.375rem 0.5rem;
        }

        /* As wide as what they say: no figure runs into the next. */
        dl {
          display: flex;
          flex: 1;
          flex-wrap: wrap;
          gap: 0.125rem 1rem;
          justify-content: space-between;
        }

        dd {
          font-size: 0.8125rem;
        }
      }

      @media (max-width: 719px) {
        /* There it would leave the screen. */
        details,
        details > .wide {
          position: static;
          max-width: 100%;
          max-height: 12rem;
          box-shadow: none;
        }

        .transport button {
          flex: 1 1 auto;
          min-width: 0;
          padding: 0 0.375rem;
        }

        .transport .unfold {
          display: inline-flex;
          flex: 0 0 44px;
        }

        .transport progress {
          flex: 1 1 3rem;
          min-width: 2rem;
          width: auto;
        }

        .phase,
        .more:not(.opened),
        loss-chart + loss-chart,
        [data-figure='speed'],
        [data-figure='epoch'],
        .standing:not(.opened) [data-figure='validation'],
        .standing:not(.opened) [data-figure='watching'] {
          display: none;
        }

        .charts:not(.doors) {
          --chart-height: 3.125rem;
          --chart-head: 0.875rem;
          --chart-head-size: 0.6875rem;
          grid-template-columns: 1fr;
        }

        .doors {
          gap: 0.25rem;
          min-height: 0;
        }

        .door {
          padding: 0.375rem 0.5rem;
        }

        .door strong {
          font-size: 0.875rem;
        }

        .door span {
          display: none;
        }
      }

      @media (max-width: 719px), (pointer: coarse) {
        .field input,
        .threshold,
        .more select,
        .check,
        .test button,
        summary {
          min-height: 44px;
        }
      }
    `,
  ];
}
