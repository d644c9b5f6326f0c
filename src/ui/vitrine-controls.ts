import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, svg, type TemplateResult } from 'lit';
import { Follow } from './follow.ts';
import { Words } from './language.ts';
import { nextRate, RANGES, readSetting, type SettingName } from './settings.ts';
import { shared } from './shared-styles.ts';
import type { Training } from './training.ts';

type Field = Exclude<SettingName, 'digit'>;
const FIELDS: readonly Field[] = ['seed', 'batch', 'rate', 'epochs'];

const ICONS = {
  run: svg`<path d="M3 1.5v13l11-6.5z" />`,
  pause: svg`<path d="M3 2h3.5v12H3zM9.5 2H13v12H9.5z" />`,
  step: svg`<path d="M2 2v12l8.5-6zM11.5 2H14v12h-2.5z" />`,
  reset: svg`<path d="M8 2.5a5.5 5.5 0 1 1-5.3 4l1.6.45A3.85 3.85 0 1 0 8 4.15V7L3.6 3.3 8 -.2z" />`,
};

/** Run, pause, step, reset, and the settings of a run. */
export class VitrineControls extends LitElement {
  static override properties: PropertyDeclarations = { training: { attribute: false }, invalid: { state: true } };

  declare training: Training | undefined;
  /** Fields that hold what cannot be taken. */
  declare invalid: ReadonlySet<Field>;
  readonly #words = new Words(this);

  constructor() {
    super();
    this.training = undefined;
    this.invalid = new Set();
    new Follow(this);
  }

  override render(): TemplateResult {
    const { training } = this;
    const { say } = this.#words;
    const running = training?.isRunning ?? false;
    const finished = training?.isFinished ?? false;
    return html`
      <section aria-label=${say.controls}>
        <div class="buttons">
          <button
            class="primary"
            title=${say.runHint}
            aria-keyshortcuts="Space"
            aria-disabled=${finished && !running ? 'true' : 'false'}
            @click=${() => void training?.toggle()}
          >
            ${icon(running ? 'pause' : 'run')}<span>${running ? say.pause : say.run}</span>
          </button>
          <button
            title=${say.stepHint}
            aria-keyshortcuts="ArrowRight"
            aria-disabled=${finished ? 'true' : 'false'}
            @click=${() => void training?.single()}
          >
            ${icon('step')}<span>${say.step}</span>
          </button>
          <button title=${say.resetHint} aria-keyshortcuts="R" @click=${() => void training?.reset()}>
            ${icon('reset')}<span>${say.reset}</span>
          </button>
        </div>
        <form role="group" aria-label=${say.settings} @submit=${(event: Event) => event.preventDefault()}>
          ${FIELDS.map((name) => this.#field(name))}
          ${training?.needsReset && training.step > 0 ? html`<p class="note after">${say.afterReset}</p>` : nothing}
        </form>
      </section>
    `;
  }

  #field(name: Field): TemplateResult {
    const { say } = this.#words;
    const settings = this.training?.settings;
    const { least, most, whole } = RANGES[name];
    const wrong = this.invalid.has(name);
    const write = (value: number): string => (name === 'rate' ? String(value) : this.#words.whole(value));
    const refusal = (whole ? say.outOfRangeWhole : say.outOfRange)(write(least), write(most));
    const waits = this.training !== undefined && this.training.step > 0 && isPending(this.training, name);
    return html`
      <div class="field">
        <label for=${name}>${say[name]}${waits ? html`<span aria-hidden="true"> *</span>` : nothing}</label>
        <input
          id=${name}
          type="text"
          inputmode=${whole ? 'numeric' : 'decimal'}
          autocomplete="off"
          spellcheck="false"
          title=${say[`${name}Help`]}
          aria-describedby=${`${name}-note`}
          aria-invalid=${wrong ? 'true' : 'false'}
          .value=${String(settings?.[name] ?? '')}
          @change=${(event: Event) => this.#take(name, event.target as HTMLInputElement)}
          @keydown=${(event: KeyboardEvent) => this.#nudge(name, event)}
        />
        <span id=${`${name}-note`} class=${wrong ? 'refusal' : 'hidden'} role=${wrong ? 'alert' : nothing}
          >${wrong ? refusal : say[`${name}Help`]}</span
        >
      </div>
    `;
  }

  #take(name: Field, input: HTMLInputElement): void {
    const value = readSetting(name, input.value);
    const invalid = new Set(this.invalid);
    if (value === undefined) invalid.add(name);
    else {
      invalid.delete(name);
      this.training?.change({ [name]: value });
      input.value = String(value);
    }
    this.invalid = invalid;
  }

  /** ↑ and ↓ change a number as they do in a number field; the rate moves along 1, 2, 5, 10. */
  #nudge(name: Field, event: KeyboardEvent): void {
    const direction = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
    const input = event.target as HTMLInputElement;
    const value = readSetting(name, input.value);
    if (direction === 0 || value === undefined) return;
    event.preventDefault();
    const { least, most } = RANGES[name];
    input.value = String(name === 'rate' ? nextRate(value, direction) : Math.min(most, Math.max(least, value + direction)));
    this.#take(name, input);
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      section {
        display: flex;
        flex-wrap: wrap;
        align-items: start;
        justify-content: space-between;
        gap: 1rem 2rem;
      }

      .buttons {
        display: flex;
        gap: 0.5rem;
        padding-top: 1.5rem; /* as high as the labels of the fields beside */
      }

      .primary {
        min-width: 7.25rem;
      }

      svg {
        flex: none;
        width: 0.875rem;
        height: 0.875rem;
        overflow: visible;
        fill: currentColor;
      }

      form {
        display: grid;
        grid-template-columns: repeat(4, minmax(0, 7rem));
        gap: 0.25rem 0.75rem;
      }

      .field {
        display: flex;
        flex-direction: column;
      }

      label {
        color: var(--quiet);
        font-size: 0.8125rem;
        line-height: 1.5rem;
        white-space: nowrap;
      }

      input {
        width: 100%;
      }

      .refusal {
        color: var(--bad);
        font-size: 0.8125rem;
        line-height: 1.35;
        padding-top: 0.25rem;
      }

      .after {
        grid-column: 1 / -1;
      }

      .after::before {
        content: '* ';
      }

      @media (max-width: 719px) {
        .buttons {
          width: 100%;
          padding-top: 0;
        }

        .buttons button {
          flex: 1 1 0;
          padding: 0 0.5rem;
        }

        .buttons .primary {
          flex-grow: 1.5;
          min-width: 0;
        }

        form {
          width: 100%;
          grid-template-columns: repeat(4, minmax(0, 1fr));
          gap: 0.25rem 0.5rem;
        }

        input {
          padding: 0 0.625rem;
        }
      }

      @media (max-width: 480px) {
        form {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
      }
    `,
  ];
}

const icon = (name: keyof typeof ICONS): TemplateResult => html`<svg viewBox="0 0 16 16" aria-hidden="true">${ICONS[name]}</svg>`;

/** Whether a setting was changed but counts only from the next reset on. */
function isPending({ run, settings }: Training, name: Field): boolean {
  return run !== undefined && ((name === 'seed' && run.seed !== settings.seed) || (name === 'batch' && run.batch !== settings.batch));
}
