import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { shared } from './shared-styles.ts';
import type { Training } from './training.ts';

/** Digits that change faster cannot be read. */
const RENDER_MILLISECONDS = 200;

/** Where training stands, in figures. */
export class VitrineStatus extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false } };

  declare training: Training | undefined;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.training = undefined;
    new Follow(this, { everyMilliseconds: RENDER_MILLISECONDS });
  }

  override render(): TemplateResult {
    const { training } = this;
    const words = this.#words;
    const { say } = words;
    const history = training?.run?.history;
    const [step, total, perEpoch] = [training?.step ?? 0, training?.totalSteps ?? 0, training?.stepsPerEpoch ?? 0];
    const epochs = training?.settings.epochs ?? 0;
    const epoch = perEpoch === 0 ? 0 : Math.min(epochs, Math.floor(step / perEpoch) + (training?.phase === 'finished' ? 0 : 1));
    const [loss, accuracy, held] = [history?.loss.last, history?.accuracy.last, history?.epochs.at(-1)];
    const speed = training?.reading?.samplesPerSecond ?? Number.NaN;
    const left = training?.isFinished ? 0 : (training?.secondsLeft ?? Number.NaN);
    const figure = (label: string, value: string, of?: string): TemplateResult => html`
      <div>
        <dt>${label}</dt>
        <dd>${value}${of ? html` <small>/ ${of}</small>` : nothing}</dd>
      </div>
    `;
    return html`
      <section aria-label=${say.status}>
        <progress max=${Math.max(1, total)} .value=${step} aria-label=${say.progress}></progress>
        <p class="phase" data-phase=${training?.phase ?? 'opening'}>
          <span class="dot" aria-hidden="true"></span>${this.#phaseWords()}
          ${training?.phase === 'finished' ? html`<span class="quiet">${say.finishedHint}</span>` : nothing}
        </p>
        <dl>
          ${figure(say.epochLabel, words.whole(epoch), words.whole(epochs))}
          ${figure(say.stepLabel, words.whole(step), words.whole(total))}
          ${figure(say.lossLabel, loss === undefined ? '–' : words.small(loss))}
          ${figure(say.accuracyLabel, accuracy === undefined ? '–' : words.percent(accuracy))}
          ${figure(say.validationAccuracyLabel, held ? words.percent(held.validationAccuracy, 2) : '–')}
          ${figure(say.speedLabel, Number.isFinite(speed) ? words.whole(speed) : '–')}
          ${figure(say.timeLeftLabel, words.duration(left))}
        </dl>
      </section>
    `;
  }

  #phaseWords(): string {
    const { say } = this.#words;
    const { phase = 'opening', loading } = this.training ?? {};
    if (phase !== 'loading' || !loading?.totalBytes) return say.phases[phase];
    return `${say.phases.loading} ${this.#words.percent(loading.loadedBytes / loading.totalBytes, 0)}`;
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      progress {
        display: block;
        width: 100%;
        height: 3px;
        border: 0;
        appearance: none;
        background: var(--line);
      }

      progress::-webkit-progress-bar {
        background: var(--line);
      }

      progress::-webkit-progress-value {
        background: var(--train);
      }

      progress::-moz-progress-bar {
        background: var(--train);
      }

      .phase {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        margin: 0.75rem 0 0.5rem;
        font-size: 0.875rem;
      }

      .quiet {
        color: var(--quiet);
      }

      .dot {
        width: 0.5rem;
        height: 0.5rem;
        border: 1.5px solid var(--quiet);
        border-radius: 50%;
      }

      [data-phase='running'] .dot {
        border-color: var(--train);
        background: var(--train);
      }

      [data-phase='closed'] .dot {
        border-color: var(--bad);
        background: var(--bad);
      }

      dl {
        display: grid;
        grid-template-columns: 1fr 1.6fr repeat(5, 1fr);
        gap: 0.75rem 1.5rem;
        margin: 0;
      }

      dt {
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      dd {
        margin: 0;
        font-size: 1.375rem;
        line-height: 1.35;
        font-variant-numeric: tabular-nums;
        letter-spacing: -0.01em;
        white-space: nowrap;
      }

      small {
        color: var(--quiet);
        font-size: 0.875rem;
        letter-spacing: 0;
      }

      @media (max-width: 959px) {
        dl {
          grid-template-columns: repeat(4, 1fr);
        }
      }

      @media (max-width: 599px) {
        dl {
          grid-template-columns: repeat(3, 1fr);
          gap: 0.5rem 1rem;
        }

        /* Step and time left are the longest; so each row is full. */
        dl > :nth-child(2),
        dl > :last-child {
          grid-column: span 2;
        }

        dd {
          font-size: 1.1875rem;
        }
      }
    `,
  ];
}
