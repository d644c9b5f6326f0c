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
import { type ContenderName, contenderNames } from '../../bench/contender.ts';
import { workloads } from '../../bench/workloads.ts';
import { shared } from '../shared-styles.ts';
import { BenchRun, type Choice, titleOf } from './bench-run.ts';
import { BenchWords } from './bench-words.ts';
import { csvOf, jsonOf, type Outcome, packOutcome, unpackOutcome } from './outcome.ts';

/** What no page can measure of itself. */
const OUTSIDE: readonly string[] = workloads.filter(({ kind }) => kind === 'cold-start' || kind === 'size').map(({ name }) => name);
/** The adapter is measured in every run. */
const OFFERED: readonly string[] = workloads
  .filter(({ name, kind }) => kind !== 'adapter' && !OUTSIDE.includes(name))
  .map(({ name }) => name);
const MOST_REPEATS = 50;

const FIRST_CHOICE: Choice = {
  workloads: ['train-mlp-32', 'infer-mlp-256', 'matmul-1024', 'saliency-256', 'integrated-gradients-50', 'profile'],
  contenders: ['vitrine', 'tfjs-webgpu', 'jax-webgpu'],
  baseline: 'tfjs-webgpu',
  repeats: 5,
};

/** One for all pages of a visit: whoever leaves and comes back finds the results. */
const visit = new BenchRun();

/**
 * The benchmark suite in the visitor's browser, on the visitor's GPU: choose, measure, look, export. It reads `results` from the address and
 * writes nothing there. Taken out of the document it stops; a hidden page measures on, and the results say so.
 *
 * @fires busy - a measurement begins: whatever else uses the GPU should wait
 * @fires idle - it has ended
 */
export class VitrineBench extends LitElement {
  static override properties: PropertyDeclarations = {
    choice: { attribute: false },
    run: { attribute: false },
    theirs: { state: true },
    baseline: { state: true },
    link: { state: true },
    notice: { state: true },
  };

  declare choice: Choice;
  declare run: BenchRun;
  /** Results that came with the address; `damaged` where they cannot be read. */
  declare theirs: Outcome | 'damaged' | undefined;
  /** The baseline of what is shown, where it was changed afterwards. */
  declare baseline: ContenderName | undefined;
  declare link: string | undefined;
  declare notice: 'copied' | 'notCopied' | undefined;
  readonly #words = new BenchWords(this);
  #wasRunning = false;

  constructor() {
    super();
    this.choice = FIRST_CHOICE;
    this.run = visit;
    this.theirs = undefined;
    this.baseline = undefined;
    this.link = undefined;
    this.notice = undefined;
  }

  readonly #renew = (): void => {
    if (this.run.running !== this.#wasRunning) {
      this.#wasRunning = this.run.running;
      this.dispatchEvent(new CustomEvent(this.#wasRunning ? 'busy' : 'idle', { bubbles: true, composed: true }));
    }
    this.requestUpdate();
  };
  readonly #onAddress = (): void => void this.#readAddress();

  override connectedCallback(): void {
    super.connectedCallback();
    this.run.addEventListener('change', this.#renew);
    window.addEventListener('hashchange', this.#onAddress);
    void this.#readAddress();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('hashchange', this.#onAddress);
    this.run.stop();
    // The run ends after this, when nobody listens any more; what was taken out around the element still does.
    if (this.#wasRunning) this.dispatchEvent(new CustomEvent('idle', { bubbles: true, composed: true }));
    this.#wasRunning = false;
    this.run.removeEventListener('change', this.#renew);
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('run');
    if (!before || !this.isConnected) return;
    before.removeEventListener('change', this.#renew);
    this.run.addEventListener('change', this.#renew);
  }

  async #readAddress(): Promise<void> {
    const payload = new URLSearchParams(location.hash.slice(1)).get('results');
    if (payload === null) {
      this.theirs = undefined;
      return;
    }
    const theirs = await unpackOutcome(payload).catch(() => 'damaged' as const);
    if (new URLSearchParams(location.hash.slice(1)).get('results') !== payload) return;
    this.theirs = theirs;
    this.baseline = undefined;
  }

  /** What is shown: a link's results before one's own. */
  get #shown(): Outcome | undefined {
    return this.theirs !== undefined && this.theirs !== 'damaged' ? this.theirs : this.run.outcome;
  }

  override render(): TemplateResult {
    const { bench } = this.#words;
    const shown = this.#shown;
    return html`
      <h2>${bench.title}</h2>
      <p class="caption">${bench.caption}</p>
      ${this.#form()} ${this.#progress()} ${this.#faults()}
      ${this.theirs === 'damaged' ? html`<p class="notice" role="alert">${bench.damaged}</p>` : nothing}
      ${shown ? this.#results(shown) : nothing}
    `;
  }

  // ---- the choice ----------------------------------------------------------------------------------------------------------------

  #form(): TemplateResult {
    const { bench } = this.#words;
    const { choice, run } = this;
    const known = [...contenderNames, ...choice.contenders.filter((name) => !contenderNames.includes(name))];
    const empty = choice.workloads.length === 0 || choice.contenders.length === 0;
    return html`
      <form @submit=${(event: Event) => event.preventDefault()}>
        ${this.#checks('workloads', bench.workloads, OFFERED, choice.workloads, (name) => html`${this.#words.title(name)} <code>${name}</code>`)}
        ${this.#checks('contenders', bench.contenders, known, choice.contenders, (name) => html`${titleOf(name)}`)}
        <p class="note">${bench.outside}: ${OUTSIDE.map((name) => html`<code>${name}</code> `)}– ${bench.outsideNote}</p>
        <p class="note">${bench.choiceNote}</p>
        ${'gpu' in navigator ? nothing : html`<p class="notice" role="alert">${bench.noGpu}</p>`}
        <div class="fields">
          <label for="repeats">${bench.repeats}</label>
          <input
            id="repeats"
            type="number"
            min="1"
            max=${MOST_REPEATS}
            step="1"
            .value=${String(choice.repeats ?? 5)}
            ?disabled=${run.running}
            @change=${(event: Event) => this.#repeat(event.target as HTMLInputElement)}
          />
          <label for="baseline">${bench.baseline}</label>
          <select id="baseline" @change=${(event: Event) => this.#base((event.target as HTMLSelectElement).value as ContenderName)}>
            ${known.map((name) => html`<option value=${name} ?selected=${name === this.#baseline}>${titleOf(name)}</option>`)}
          </select>
        </div>
        <label class="check">
          <input
            id="tune"
            type="checkbox"
            .checked=${choice.tune === true}
            ?disabled=${run.running}
            @change=${(event: Event) => this.#choose({ tune: (event.target as HTMLInputElement).checked })}
          />
          <span>${bench.tune}</span>
        </label>
        <div class="buttons">
          ${
            run.running
              ? html`<button id="stop" type="button" class="primary" @click=${() => run.stop()}>${bench.stop}</button>`
              : html`<button id="start" type="button" class="primary" ?disabled=${empty} @click=${() => this.#start()}>
                  ${run.outcome ? bench.again : bench.start}
                </button>`
          }
          ${empty ? html`<span class="note">${bench.nothingChosen}</span>` : nothing}
        </div>
      </form>
    `;
  }

  #checks<Name extends string>(
    key: 'workloads' | 'contenders',
    title: string,
    names: readonly Name[],
    chosen: readonly Name[],
    label: (name: Name) => TemplateResult,
  ): TemplateResult {
    const { bench } = this.#words;
    const { running } = this.run;
    const toggle = (name: Name, on: boolean): void =>
      this.#choose({ [key]: names.filter((each) => (each === name ? on : chosen.includes(each))) });
    return html`
      <fieldset id=${key} ?disabled=${running}>
        <legend>${title}</legend>
        <div class="all">
          <button type="button" aria-label=${bench.allOf(title)} @click=${() => this.#choose({ [key]: names })}>${bench.all}</button>
          <button type="button" aria-label=${bench.noneOf(title)} @click=${() => this.#choose({ [key]: [] })}>${bench.none}</button>
        </div>
        ${names.map(
          (name) => html`<label class="check">
            <input
              type="checkbox"
              name=${name}
              .checked=${chosen.includes(name)}
              @change=${(event: Event) => toggle(name, (event.target as HTMLInputElement).checked)}
            />
            <span>${label(name)}</span>
          </label>`,
        )}
      </fieldset>
    `;
  }

  #choose(changes: Partial<Choice>): void {
    this.choice = { ...this.choice, ...changes };
  }

  #repeat(input: HTMLInputElement): void {
    const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.round(input.valueAsNumber) || 1));
    input.value = String(repeats);
    this.#choose({ repeats });
  }

  get #baseline(): ContenderName {
    return this.baseline ?? this.#shown?.baseline ?? this.choice.baseline;
  }

  #base(name: ContenderName): void {
    this.baseline = name;
    this.#choose({ baseline: name });
    this.link = undefined;
  }

  #start(): void {
    this.#showMine();
    this.baseline = undefined;
    this.link = undefined;
    this.notice = undefined;
    const { contenders, baseline } = this.choice;
    // Nothing can be divided by who does not take part.
    const base = contenders.includes(baseline) ? baseline : (contenders[0] as ContenderName);
    void this.run.start({ ...this.choice, baseline: base });
  }

  // ---- while it runs -------------------------------------------------------------------------------------------------------------

  #progress(): TemplateResult {
    const { bench } = this.#words;
    const { running, stage, choice, done, outcome, stopped } = this.run;
    const all = choice?.workloads.length ?? 0;
    const said = running
      ? bench.progress(this.#words.whole(done), this.#words.whole(all))
      : outcome
        ? outcome.stopped
          ? bench.stopped
          : bench.finished
        : '';
    return html`
      <p class="status" role="status">${said}</p>
      ${
        running
          ? html`
              <progress max=${all} .value=${done} aria-label=${said}></progress>
              <p class="stage">${stage ? this.#words.stage(stage) : nothing}</p>
              <div class="running">
                ${choice?.contenders.map((name) =>
                  stopped.has(name)
                    ? html`<span class="note">${bench.stoppedOne(titleOf(name))}</span>`
                    : html`<button type="button" data-stop=${name} @click=${() => this.run.stopContender(name)}>${bench.stopOne(titleOf(name))}</button>`,
                )}
              </div>
              <p class="note">${bench.busyNote}</p>
            `
          : nothing
      }
    `;
  }

  #faults(): TemplateResult {
    const { bench, language } = this.#words;
    return html`${this.run.faults.map(
      ({ stage, message }) => html`<p class="notice" role="alert">
        ${bench.fault(this.#words.stage(stage))} <span lang=${language === 'en' ? nothing : 'en'}>${message}</span>
      </p>`,
    )}`;
  }

  // ---- what it gave --------------------------------------------------------------------------------------------------------------

  #results(outcome: Outcome): TemplateResult {
    const { bench } = this.#words;
    const foreign = outcome === this.theirs;
    const provenance = [outcome.adapter?.name ?? bench.unknownAdapter, outcome.browser, this.#words.date(outcome.date)] as const;
    return html`
      <section aria-labelledby="results" class=${foreign ? 'theirs' : ''}>
        <h2 id="results">${bench.results}</h2>
        ${
          foreign
            ? html`<p class="notice" role="note">${bench.theirs(...provenance)}</p>
                <button type="button" id="mine" @click=${() => this.#showMine()}>${bench.showMine}</button>`
            : html`<p class="caption provenance">${bench.provenance(...provenance)}</p>`
        }
        ${outcome.stopped ? html`<p class="note">${bench.wasStopped}</p>` : nothing}
        ${outcome.hidden ? html`<p class="note">${bench.wasHidden}</p>` : nothing}
        <bench-results .rows=${outcome.rows} .baseline=${this.#baseline}></bench-results>
        <bench-profile .adapter=${outcome.adapter} .profile=${outcome.profile}></bench-profile>
        ${this.run.running && !foreign ? nothing : this.#exports(outcome)}
      </section>
    `;
  }

  #exports(outcome: Outcome): TemplateResult {
    const { bench } = this.#words;
    const name = `vitrine-bench-${outcome.date.slice(0, 16).replace(/\D/g, '-')}`;
    const save = async (ending: string, type: string, text: Promise<string> | string): Promise<void> =>
      download(`${name}.${ending}`, type, await text);
    return html`
      <div class="buttons">
        <button type="button" id="json" @click=${() => save('json', 'application/json', jsonOf(outcome))}>${bench.json}</button>
        <button type="button" id="csv" @click=${() => save('csv', 'text/csv', csvOf(outcome))}>${bench.csv}</button>
        <button type="button" id="share" @click=${() => this.#share(outcome)}>${bench.link}</button>
      </div>
      ${
        this.link === undefined
          ? nothing
          : html`<label for="link" class="note">${bench.linkLabel}</label>
              <input id="link" readonly .value=${this.link} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} />`
      }
      <p class="note" role="status">${this.notice === undefined ? nothing : bench[this.notice]}</p>
    `;
  }

  async #share(outcome: Outcome): Promise<void> {
    const { origin, pathname, search } = location;
    this.link = `${origin}${pathname}${search}#page=bench&results=${await packOutcome({ ...outcome, baseline: this.#baseline })}`;
    this.notice = await navigator.clipboard.writeText(this.link).then(
      () => 'copied' as const,
      () => 'notCopied' as const,
    );
  }

  /** Leaves a link's results: the address forgets them, too. */
  #showMine(): void {
    if (this.theirs === undefined) return;
    this.theirs = undefined;
    this.baseline = undefined;
    this.link = undefined;
    const parameters = new URLSearchParams(location.hash.slice(1));
    parameters.delete('results');
    location.hash = parameters.toString();
  }

  static override styles: CSSResultGroup = [
    shared,
    css`
      form {
        display: grid;
        gap: 1rem;
      }

      fieldset {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr));
        gap: 0 1.5rem;
        margin: 0;
        padding: 0;
        border: 0;
      }

      #contenders {
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 14rem), 1fr));
      }

      legend {
        padding: 0;
        font: 600 0.875rem / 1.4 var(--sans);
      }

      .all {
        display: flex;
        grid-column: 1 / -1;
      }

      .all button {
        padding: 0 0.5rem;
        border: 0;
        color: var(--quiet);
        font-weight: 400;
        font-size: 0.8125rem;
        text-decoration: underline;
        text-underline-offset: 0.25em;
      }

      .check {
        display: flex;
        align-items: center;
        gap: 0.625rem;
        min-height: 44px;
        font-size: 0.9375rem;
        line-height: 1.35;
        cursor: pointer;
      }

      .check input {
        flex: none;
        width: 1.125rem;
        height: 1.125rem;
      }

      code {
        color: var(--quiet);
        font: 400 0.8125rem var(--mono);
        overflow-wrap: anywhere;
      }

      .fields,
      .buttons,
      .running {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem 0.75rem;
      }

      .fields label {
        color: var(--quiet);
        font-size: 0.875rem;
      }

      #repeats {
        width: 5rem;
        margin-right: 1rem;
      }

      .buttons {
        margin: 1rem 0 0.5rem;
      }

      .running button {
        font-size: 0.8125rem;
        font-weight: 400;
      }

      .status,
      .stage {
        margin: 0.75rem 0 0.25rem;
        min-height: 1.5em;
        font-variant-numeric: tabular-nums;
      }

      .stage {
        color: var(--quiet);
        font-size: 0.875rem;
      }

      progress {
        width: 100%;
        height: 0.5rem;
        accent-color: var(--train);
      }

      .notice {
        margin: 0.75rem 0;
        padding: 0.625rem 0.875rem;
        border-left: 3px solid var(--bad);
        background: var(--wash);
        font-size: 0.9375rem;
        overflow-wrap: anywhere;
      }

      section {
        margin-top: 2rem;
        padding-top: 1.5rem;
        border-top: 1px solid var(--line);
      }

      .theirs .notice {
        border-left-color: var(--hold);
      }

      #link {
        width: 100%;
        font-family: var(--mono);
        font-size: 0.8125rem;
      }
    `,
  ];
}

function download(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const anchor = document.createElement('a');
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  // The download has begun by then, whatever the browser.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
