import { type CSSResultGroup, css, html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ClauseDataset } from '../data/index.ts';
import { spearman } from '../explain/evaluate/ranks.ts';
import { answerOf, challengeList, challengeStyles, whatChanged } from './challenge-list.ts';
import { explain } from './faults.ts';
import { fixedScale } from './fixed-scale.ts';
import { icon } from './icons.ts';
import { Words } from './language.ts';
import type { AttributionMap } from './maps/attribution-map.ts';
import type { Ends } from './maps/map-painter.ts';
import type { CellDetail, TensorView, Values } from './maps/tensor-view.ts';
import type { MapFormat } from './saving/save-maps.ts';
import { send } from './session/commands.ts';
import { isForTexts, METHOD_NAMES, METHODS, type MethodName } from './session/methods.ts';
import type { ChallengeRow, MapCard, ShownExample, Snapshot } from './session/session.ts';
import { ATTACK_NAMES, readWhatIf, weightedLayers } from './session/what-if.ts';
import { shared } from './shared-styles.ts';
import { download } from './studio-header.ts';
import { seriesOf } from './studio-network.ts';
import type { RowMap } from './table/row-map.ts';
import type { ShownRow } from './table/shown-row.ts';
import type { ShownText } from './text/shown-text.ts';
import { verdictOf, verdictStyles } from './verdict.ts';

const FORMATS: readonly MapFormat[] = ['json', 'png', 'csv'];
/** Keeps the line free, so that the cards stay level and where they are under the pen. */
const NOTHING_YET = '\u2002';
const NONE: readonly number[] = [];
/** ε of an attack to begin with. */
const FIRST_EPSILON = 0.1;

/** WHY: maps over the input, side by side, the input and a random map first. */
export class StudioWhy extends LitElement {
  static override properties: PropertyDeclarations = {
    snapshot: { attribute: false },
    perFrame: { state: true },
    painting: { state: true },
    pointed: { state: true },
    outlined: { type: Number },
    format: { state: true },
  };

  declare snapshot: Snapshot | undefined;
  declare perFrame: boolean;
  /** The input is being painted over. */
  declare painting: boolean;
  /** The cell under the pointer, outlined in every map. */
  declare pointed: number | undefined;
  /** The cell that is pointed at in a picture of another region. */
  declare outlined: number | undefined;
  /** Of the file that maps are saved as. */
  declare format: MapFormat;
  readonly #words = new Words(this);
  #input: { readonly key: string; readonly values: Values } | undefined;
  #random: { readonly length: number; readonly values: Values } | undefined;
  #brush = new Set<number>();
  /** A method whose card is to be brought into view. */
  #added: MethodName | undefined;

  constructor() {
    super();
    this.snapshot = undefined;
    this.perFrame = false;
    this.painting = false;
    this.pointed = undefined;
    this.outlined = undefined;
    this.format = 'json';
  }

  override render(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const example = snapshot?.example;
    const ink = example !== undefined && example.shape.length > 1;
    const answered = snapshot?.cards.flatMap(({ method, map }) => (map ? (answerOf(snapshot, method, map) ?? []) : []))[0];
    return html`
      ${this.#head()} ${this.painting ? html`<p class="verdict">${this.#paintHint()}</p>` : verdictOf(this.#words, snapshot)}
      <div
        class=${this.painting ? 'cards painting' : 'cards'}
        @cell-point=${(event: CustomEvent<CellDetail>) => this.#point(event)}
        @cell-lock=${(event: CustomEvent<CellDetail>) => this.#lock(event.detail.index)}
        @cell-free=${() => this.#lock(undefined)}
        @pointermove=${(event: PointerEvent) => this.#brushOn(event)}
        @pointerup=${() => this.#brushEnd()}
        @keydown=${this.#keys}
        @strike=${(event: CustomEvent<number>) => this.#strike(event.detail)}
      >
        <attribution-map
          class="control"
          .heading=${say.cardInput}
          .tensor=${this.#inputValues}
          .ink=${ink}
          .signed=${!ink}
          .looks=${(snapshot?.looks ?? 0) + this.#brush.size}
          .locked=${snapshot?.choices.pixel}
          .outlined=${this.pointed ?? this.outlined}
          .names=${snapshot?.test?.features}
          .text=${this.#text(example)}
          .row=${this.#row(example)}
          .series=${example?.key ?? ''}
          .marked=${this.#marked}
          .answer=${answered ? say.answered(whatChanged(this.#words, snapshot, answered), this.#words.whole(answered.step)) : this.#rank(example && (() => spearman(example.original, example.values)))}
          .shows=${say.cardInputShows}
          .facts=${this.#inputFacts()}
          .busy=${example ? '' : say.noNetwork}
        ></attribution-map>
        ${this.#pinnedInput()}
        <attribution-map
          class="control"
          .heading=${say.cardRandom}
          .tensor=${this.#randomValues}
          .locked=${snapshot?.choices.pixel}
          .outlined=${this.pointed ?? this.outlined}
          .names=${snapshot?.test?.features}
          .text=${this.#text(example)}
          .row=${this.#row(example)}
          .marked=${this.#marked}
          .answer=${answered ? NOTHING_YET : this.#rank(example && (() => randomRank(example.values.length)))}
          .values=${snapshot?.test?.vocabulary ? this.#randomValues?.values : undefined}
          .shows=${say.cardRandomShows}
        ></attribution-map>
        ${repeat(
          snapshot?.cards ?? [],
          ({ method }) => method,
          (card) => this.#pair(card),
        )}
      </div>
      ${this.#notForTexts()} ${challengeList(this.#words, snapshot)}
    `;
  }

  protected override updated(): void {
    const card = this.#added && this.renderRoot.querySelector(`attribution-map[data-method=${this.#added}]`);
    if (!card) return;
    this.#added = undefined;
    // After the card has been laid out, its map included.
    void (card as AttributionMap).updateComplete.then(() => card.scrollIntoView({ block: 'nearest' }));
  }

  /** The words that a map of a text is of. */
  #text(example: ShownExample | undefined, method?: MethodName): ShownText | undefined {
    const { test, painted = [] } = this.snapshot ?? {};
    const vocabulary = test?.vocabulary;
    if (!vocabulary || !example) return undefined;
    const own = example === this.snapshot?.example;
    const words = Array.from(example.values, (token) => vocabulary[token]);
    const { choice } = example;
    const { length } = words;
    const known = (test as Partial<ClauseDataset>).evidence;
    const evidence = choice.kind === 'test' ? known?.subarray(choice.index * length, (choice.index + 1) * length) : undefined;
    return { words, struck: own ? painted : [], strikable: own && this.painting, evidence, method };
  }

  /** The columns that a map of a row is of. */
  #row(example: ShownExample | undefined): ShownRow | undefined {
    const { test, painted: struck = [] } = this.snapshot ?? {};
    if (!test?.features || test.vocabulary || !example) return undefined;
    const own = example === this.snapshot?.example;
    return { names: test.features, struck: own ? struck : [], strikable: own && this.painting };
  }

  /** With its step, where the map has gone on since. */
  #answer({ promised, actual, step }: ChallengeRow, mapStep: number | undefined): string {
    const words = this.#words;
    const said = words.say.answer(words.significant(promised, 2), words.significant(actual, 2));
    return step === mapStep ? said : words.say.answered(said, words.whole(step));
  }

  /** Above each map: how much of it a changed copy left, or room for the answer while the input is being challenged. */
  #rank(between: (() => number | undefined) | undefined): string {
    const rank = this.snapshot?.choices.whatIf ? between?.() : undefined;
    if (rank === undefined) return this.painting ? NOTHING_YET : '';
    return `${this.#words.say.factRank} ${this.#words.significant(rank, 2)}`;
  }

  /** Pixels that are painted over, to be seen as such. */
  get #marked(): readonly number[] {
    const { test, painted = [] } = this.snapshot ?? {};
    if (test?.vocabulary || test?.features) return NONE;
    return this.#brush.size > 0 ? [...painted, ...this.#brush] : painted;
  }

  #paintHint(): string {
    const { say } = this.#words;
    const { test } = this.snapshot ?? {};
    return test?.vocabulary ? say.paintHintText : test?.features ? say.paintHintRow : say.paintHint;
  }

  #strike(token: number): void {
    const painted = new Set(this.snapshot?.painted);
    if (!painted.delete(token)) painted.add(token);
    send(this, { do: 'challenge', painted: [...painted].sort((a, b) => a - b) });
  }

  #notForTexts(): TemplateResult | typeof nothing {
    const { say } = this.#words;
    const methods = this.snapshot?.choices.methods.filter((method) => !isForTexts(method)) ?? [];
    if (!this.snapshot?.test?.vocabulary || methods.length === 0) return nothing;
    return html`<p class="note">${say.methodsNotForTexts(this.#words.list(methods.map((method) => say.methodNames[method])))}</p>`;
  }

  #head(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const classes = snapshot?.test?.classes ?? [];
    const { target, against } = snapshot?.choices ?? {};
    const name = (k: number): string => classes[k] ?? String(k);
    // Of a changed copy the maps explain what the network read before.
    const predicted = snapshot?.choices.target === undefined ? snapshot?.target : snapshot.prediction?.predicted;
    const chosen = new Set(snapshot?.choices.methods);
    const isText = snapshot?.test?.vocabulary !== undefined;
    const missing = METHOD_NAMES.filter((method) => !chosen.has(method) && (!isText || isForTexts(method)));
    // What was not recorded cannot be asked.
    const recorded = snapshot?.recorded !== undefined;
    const whole = (event: Event): number | undefined => {
      const { value } = event.target as HTMLSelectElement;
      return value === '' ? undefined : Number(value);
    };
    return html`
      <div class="head">
        <h2>${snapshot?.target === undefined ? say.whyTitle : against === undefined || against === snapshot.target ? say.whyTitleOf(name(snapshot.target)) : say.whyTitleAgainst(name(snapshot.target), name(against))}</h2>
        <fieldset class="live" ?disabled=${recorded}>
        <select aria-label=${say.targetLabel} @change=${(event: Event) => send(this, { do: 'choose', choices: { target: whole(event) } })}>
            <option value="" .selected=${target === undefined}>
              ${predicted === undefined || predicted < 0 ? say.targetPredicted : say.targetPredictedAs(classes[predicted] ?? String(predicted))}
            </option>
            ${classes.map((name, k) => html`<option value=${k} .selected=${k === target}>${say.targetClass(name)}</option>`)}
          </select>
        <select aria-label=${say.againstLabel} @change=${(event: Event) => send(this, { do: 'choose', choices: { against: whole(event) } })}>
            <option value="" .selected=${against === undefined}>${say.againstNone}</option>
            ${classes.map((name, k) => html`<option value=${k} .selected=${k === against}>${say.againstClass(name)}</option>`)}
          </select>
        </fieldset>
        <select class="method" aria-label=${say.addMethod}
            ?disabled=${missing.length === 0}
            @change=${(event: Event) => {
              const select = event.target as HTMLSelectElement;
              this.#add(select.value as MethodName);
              select.value = '';
            }}
          >
            <option value="" selected>${say.addMethod}</option>
            ${missing.map((method) => html`<option value=${method}>${say.methodNames[method]}</option>`)}
          </select>
        ${fixedScale(this.#words, this.perFrame, (perFrame) => {
          this.perFrame = perFrame;
        })}
        <fieldset class="live" ?disabled=${recorded} @keydown=${(event: KeyboardEvent) => this.#leave(event)}>${this.#whatIf()}</fieldset>
        <span class="tools">
          <button ?disabled=${recorded || !snapshot?.cards.some(({ map }) => map)} aria-pressed=${this.painting ? 'true' : 'false'} title=${say.challengeHint} @click=${() => this.#paint()}>
            ${icon('paint')}${say.challenge}
          </button>
          <button aria-label=${say.saveMaps} title=${say.saveMapsHint} ?disabled=${!snapshot?.cards.some(({ map }) => map)} @click=${() => void this.#save()}>
            ${icon('save')}<span class="words">${say.saveMaps}</span>
          </button>
          <select
            class="format"
            aria-label=${say.saveFormat}
            @change=${(event: Event) => {
              this.format = (event.target as HTMLSelectElement).value as MapFormat;
            }}
          >
            ${FORMATS.map((format) => html`<option value=${format} .selected=${format === this.format}>${format.toUpperCase()}</option>`)}
          </select>
        </span>
      </div>
    `;
  }

  /** In a list, Esc means the page's changed copy, too. */
  #leave(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.snapshot?.choices.whatIf) return;
    event.preventDefault();
    send(this, { do: 'choose', choices: { whatIf: undefined } });
  }

  #whatIf(): TemplateResult {
    const { say } = this.#words;
    const { snapshot } = this;
    const whatIf = snapshot?.choices.whatIf;
    const layers = snapshot?.run ? weightedLayers(snapshot.run.model) : [];
    const chosen = whatIf
      ? whatIf.kind === 'randomised'
        ? `random:${whatIf.layers}`
        : whatIf.kind === 'attacked'
          ? whatIf.method
          : ''
      : '';
    const choose = (text: string): void => {
      const attack = ATTACK_NAMES.find((name) => name === text);
      // Another attack of the same size: the two can be compared.
      const epsilon = whatIf?.kind === 'attacked' ? whatIf.epsilon : FIRST_EPSILON;
      const next = attack ? { kind: 'attacked' as const, method: attack, epsilon } : readWhatIf(text);
      send(this, { do: 'choose', choices: { whatIf: next } });
    };
    return html`
      <select class="what-if" aria-label=${say.whatIfLabel} title=${say.whatIfHint} @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
          <option value="" .selected=${chosen === ''}>${say.whatIfNothing}</option>
          ${layers.map(
            (_layer, i) =>
              html`<option value=${`random:${i + 1}`} .selected=${chosen === `random:${i + 1}`}>${i === 0 ? say.whatIfRandomTop : say.whatIfRandom(this.#words.whole(i + 1))}</option>`,
          )}
          ${(snapshot?.test?.vocabulary ? [] : ATTACK_NAMES).map((name) => html`<option value=${name} .selected=${chosen === name}>${say.whatIfAttack(name.toUpperCase())}</option>`)}
          ${whatIf?.kind !== 'ablated' && layers.length > 1 ? html`<option disabled>${say.whatIfSilence}</option>` : nothing}
          ${whatIf?.kind === 'ablated' ? html`<option value="" selected>${say.whatIfAblated(whatIf.layer, this.#words.whole(whatIf.unit))}</option>` : nothing}
        </select>
    `;
  }

  // ---- the pinned example beside it ----------------------------------------------------------------------------------------------

  #pinnedInput(): TemplateResult | typeof nothing {
    const words = this.#words;
    const { say } = words;
    const { pinned, test, choices } = this.snapshot ?? {};
    if (!choices?.pinned) return nothing;
    const { predicted = -1, probabilities, step = 0 } = pinned?.prediction ?? {};
    const name = (k: number): string => test?.classes?.[k] ?? String(k);
    const label = pinned?.example.label;
    const share = predicted >= 0 ? words.percent(probabilities?.[predicted] ?? 0) : '';
    const reads = !pinned
      ? say.computing
      : predicted < 0
        ? say.notFinitePrediction
        : label === undefined
          ? say.reads(name(predicted), share)
          : predicted === label
            ? say.right(name(predicted), share)
            : say.wrong(name(predicted), share, name(label));
    const image = pinned && pinned.example.shape.length > 1;
    return html`<attribution-map
      class="control pinned"
      data-pinned="input"
      .heading=${say.pinnedInput}
      .tensor=${pinned && this.#pinnedValues(pinned.example)}
      .ink=${image}
      .signed=${!image}
      .looks=${this.snapshot?.looks ?? 0}
      .locked=${choices.pixel}
      .outlined=${this.pointed ?? this.outlined}
      .names=${test?.features}
      .row=${this.#row(pinned?.example)}
      .series=${pinned?.example.key ?? ''}
      .shows=${reads}
      .facts=${pinned ? [[say.factStep, words.whole(step)] as const] : []}
      .removeLabel=${say.unpin}
      @card-remove=${() => send(this, { do: 'choose', choices: { pinned: undefined } })}
    ></attribution-map>`;
  }

  #pinnedShown: { readonly key: string; readonly values: Values } | undefined;

  #pinnedValues({ key, shape, values }: ShownExample): Values {
    if (this.#pinnedShown?.key !== key) this.#pinnedShown = { key, values: { shape, values } };
    return this.#pinnedShown.values;
  }

  /** Where the scale of each map of a pair ends by itself: both are drawn to the wider of the two. */
  readonly #ends = new Map<string, Ends>();

  /** A map, and that of the pinned example beside it, on one scale. */
  #pair(card: MapCard): TemplateResult {
    const { pinned, choices } = this.snapshot ?? {};
    if (!choices?.pinned) return this.#card(card, undefined, undefined);
    const twin = pinned?.cards.find(({ method }) => method === card.method) ?? { method: card.method, computing: true };
    const [own, other] = [this.#ends.get(card.method), this.#ends.get(`pinned ${card.method}`)];
    const end = (ends: Ends): number => (this.perFrame ? ends.now : ends.ofRun);
    const limit = own && other ? Math.max(end(own), end(other)) : undefined;
    return html`<div
      class="pair"
      @scale-end=${(event: CustomEvent<Ends>) => this.#widen(event)}
    >${this.#card(card, limit, undefined)}${this.#card(twin, limit, pinned?.example)}</div>`;
  }

  #widen(event: CustomEvent<Ends>): void {
    const { method, pinned } = event.target instanceof HTMLElement ? event.target.dataset : {};
    if (method === undefined) return;
    this.#ends.set(pinned === undefined ? method : `pinned ${method}`, event.detail);
    this.requestUpdate();
  }

  /** @param pinned the example that it is of, where it is not the chosen one */
  #card({ method, map, computing, fault }: MapCard, limit: number | undefined, pinned: ShownExample | undefined): TemplateResult {
    const words = this.#words;
    const { say } = words;
    const { snapshot } = this;
    const traits = METHODS[method];
    const isText = snapshot?.test?.vocabulary !== undefined;
    const name = (k: number): string => snapshot?.test?.classes?.[k] ?? String(k);
    const answer = map && !pinned ? answerOf(snapshot, method, map) : undefined;
    const facts: (readonly [string, string])[] = map
      ? [
          [say.factClass, map.against === undefined ? name(map.target) : `${name(map.target)} − ${name(map.against)}`],
          [say.factOutput, words.significant(map.output)],
          ...(traits.complete || method === 'occlusion' ? [[say.factBaseline, isText ? say.absentWord : say.baselineZero] as const] : []),
          ...(traits.n ? [['n', words.whole(traits.n)] as const] : []),
          ...(map.delta === undefined ? [] : [[say.factGap, words.significant(map.delta, 2)] as const]),
          [say.factStep, words.whole(map.step)],
          ...(map.rank === undefined || !answer ? [] : [[say.factRank, words.significant(map.rank, 2)] as const]),
        ]
      : [];
    const behind = map && snapshot && map.step < snapshot.step ? snapshot.step - map.step : 0;
    const costly = !traits.cheap;
    return html`
      <attribution-map
        data-method=${method}
        data-pinned=${pinned ? method : nothing}
        class=${pinned ? 'pinned' : ''}
        .heading=${pinned ? say.pinnedMap(say.methodNames[method]) : say.methodNames[method]}
        .limit=${limit}
        .device=${snapshot?.device}
        .tensor=${map?.attribution.values}
        .values=${map?.values}
        .perFrame=${this.perFrame}
        .series=${`${seriesOf(snapshot)} ${map?.series ?? ''}`}
        .looks=${snapshot?.looks ?? 0}
        .still=${!(snapshot?.running ?? false)}
        .step=${map?.step}
        .locked=${snapshot?.choices.pixel}
        .outlined=${this.pointed ?? this.outlined}
        .names=${snapshot?.test?.features}
        .text=${this.#text(pinned ?? snapshot?.example, pinned ? undefined : method)}
        .row=${this.#row(pinned ?? snapshot?.example)}
        .answer=${answer ? this.#answer(answer, map?.step) : pinned ? '' : this.#rank(() => map?.rank)}
        .marked=${pinned ? NONE : this.#marked}
        .facts=${facts}
        .shows=${pinned || isText ? '' : say.methodShows[method]}
        .hides=${pinned || isText ? '' : say.methodHides[method]}
        .stale=${behind > 0 && costly ? say.staleMap(words.whole(map?.step ?? 0)) : ''}
        .busy=${map || fault !== undefined ? '' : computing ? say.computing : this.#absence()}
        .fault=${fault === undefined ? '' : this.#reason(fault)}
        .refreshLabel=${costly && map ? say.refreshMap(say.methodNames[method]) : ''}
        .removeLabel=${pinned ? '' : say.removeMap(say.methodNames[method])}
        @card-remove=${() => this.#remove(method)}
        @card-refresh=${() => send(this, { do: 'refresh', method })}
      ></attribution-map>
    `;
  }

  /** Why a card has no map, where nothing failed. */
  #absence(): string {
    const { say } = this.#words;
    const { phase, prediction } = this.snapshot ?? {};
    if (phase === 'closed') return say.mapLost;
    return prediction && prediction.predicted < 0 ? say.notFinitePrediction : say.mapWaiting;
  }

  #reason(fault: unknown): string {
    const { what, mend } = explain(fault, this.#words);
    return `${what} ${this.#words.say.toMend}${mend}`;
  }

  get #inputValues(): Values | undefined {
    const { example, painted = [] } = this.snapshot ?? {};
    if (!example) return undefined;
    const over = this.#brush.size > 0 ? [...painted, ...this.#brush] : painted;
    const key = `${example.key} ${over.join()}`;
    if (this.#input?.key !== key) {
      const values = example.values.slice();
      for (const index of over) values[index] = 0;
      this.#input = { key, values: { shape: example.shape, values } };
    }
    return this.#input.values;
  }

  #inputFacts(): readonly (readonly [string, string])[] {
    const { painted = [] } = this.snapshot ?? {};
    return painted.length > 0 ? [[this.#words.say.paintedCells, this.#words.whole(painted.length)]] : [];
  }

  /** The same noise for every example: a map that knows nothing. */
  get #randomValues(): Values | undefined {
    const { example } = this.snapshot ?? {};
    if (!example) return undefined;
    const { length } = example.values;
    if (this.#random?.length !== length) this.#random = { length, values: { shape: example.shape, values: noise(length) } };
    return this.#random.values;
  }

  #add(method: MethodName): void {
    this.#added = method;
    if (METHODS[method]) send(this, { do: 'choose', choices: { methods: [...(this.snapshot?.choices.methods ?? []), method] } });
  }

  #remove(method: MethodName): void {
    send(this, { do: 'choose', choices: { methods: (this.snapshot?.choices.methods ?? []).filter((each) => each !== method) } });
  }

  #lock(pixel: number | undefined): void {
    if (this.painting) return;
    send(this, { do: 'choose', choices: { pixel } });
  }

  #point(event: CustomEvent<CellDetail>): void {
    if (this.pointed !== event.detail.index) this.pointed = event.detail.index;
  }

  // ---- challenging ---------------------------------------------------------------------------------------------------------------

  /** Ends the challenge, where there is one. */
  stopPainting(): boolean {
    if (!this.painting) return false;
    this.#paint();
    return true;
  }

  /** To where a changed copy was chosen, once it is left. */
  focusWhatIf(): void {
    this.renderRoot.querySelector<HTMLElement>('select.what-if')?.focus();
  }

  #paint(): void {
    this.painting = !this.painting;
    this.#brush.clear();
    if (!this.painting) send(this, { do: 'challenge', painted: [] });
  }

  /** Paints over the pixels under a pressed pointer, three by three. */
  #brushOn(event: PointerEvent): void {
    const { example, test } = this.snapshot ?? {};
    // Words and columns are taken away one by one.
    if (!this.painting || event.buttons === 0 || this.pointed === undefined || test?.vocabulary || test?.features) return;
    const [height = 1, width = 1] = example?.shape ?? [];
    const [row, column] = [Math.floor(this.pointed / width), this.pointed % width];
    const before = this.#brush.size;
    for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
      for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) this.#brush.add(y * width + x);
    }
    if (this.#brush.size !== before) this.requestUpdate();
  }

  /** Enter paints where the cursor is: before the picture takes it for a lock. */
  readonly #keys = {
    capture: true,
    handleEvent: (event: KeyboardEvent): void => {
      const onPicture = event.composedPath().some((target) => target instanceof Element && target.localName === 'tensor-view');
      if (this.painting && event.key === 'Enter' && onPicture) this.#brushEnd();
    },
  };

  #brushEnd(): void {
    if (!this.painting) return;
    // A click paints where it is, too.
    if (this.#brush.size === 0 && this.pointed !== undefined) this.#brushOn({ buttons: 1 } as PointerEvent);
    if (this.#brush.size === 0) return;
    const painted = [...new Set([...(this.snapshot?.painted ?? []), ...this.#brush])].sort((a, b) => a - b);
    this.#brush.clear();
    send(this, { do: 'challenge', painted });
  }

  // ---- saving --------------------------------------------------------------------------------------------------------------------

  /** The maps as a file of the chosen format. */
  async #save(): Promise<void> {
    const { snapshot } = this;
    if (!snapshot) return;
    const { say } = this.#words;
    try {
      const { fileOfMaps } = await import('./saving/save-maps.ts');
      const words = {
        input: say.cardInput,
        pinned: say.pinnedInput,
        methods: say.methodNames,
        class: say.factClass,
        output: say.factOutput,
        baseline: say.factBaseline,
        gap: say.factGap,
        step: say.factStep,
        number: (value: number): string => this.#words.significant(value),
      };
      const file = await fileOfMaps(this.format, snapshot, words, (method) => this.#endOf(method));
      if (file) download(file.blob, file.name);
    } catch (error) {
      send(this, { do: 'report', error });
    }
  }

  /** Where the scale of a map ends on screen. */
  #endOf(method: MethodName): number | undefined {
    const card = this.renderRoot.querySelector(`attribution-map[data-method=${method}]`);
    return card?.shadowRoot?.querySelector<TensorView | RowMap>('tensor-view, row-map')?.end;
  }

  static override styles: CSSResultGroup = [
    shared,
    verdictStyles,
    challengeStyles,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 0.375rem;
        align-items: center;
        margin-bottom: 0.375rem;
      }

      h2 {
        margin-right: 0.25rem;
      }

      select {
        /* As wide as what is chosen, not as the longest choice. */
        field-sizing: content;
        min-width: 4.5rem;
        min-height: 2.25rem;
        max-width: 11.75rem;
        padding-inline: 0.625rem 0.25rem;
        border-color: var(--line);
        border-radius: 8px;
        font-size: 0.8125rem;
      }

      .tools {
        display: flex;
        margin-left: auto;
      }

      button {
        min-height: 2.25rem;
        padding: 0 0.625rem;
        border-color: transparent;
        font-size: 0.8125rem;
        font-weight: 400;
      }

      button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      .cards {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(8.75rem, 1fr));
        gap: 0.75rem 1rem;
        align-items: start;
      }

      attribution-map {
        --card-map: 12rem;
      }

      /* A map and its pinned twin stay side by side. */
      .pair {
        display: grid;
        grid-column: span 2;
        grid-template-columns: 1fr 1fr;
        gap: 1rem;
      }

      .pinned {
        padding-left: 0.375rem;
        border-left: 2px solid var(--edge);
      }

      @media (max-width: 359px) {
        .pair {
          grid-column: auto;
          grid-template-columns: 1fr;
        }
      }

      .painting {
        --map-touch: none;
      }

      select.format {
        min-width: 0;
        padding: 0 0.25rem;
      }

      /* One row, so that the maps stay in view. */
      @media (min-width: 1024px) and (max-width: 1439px) {
        .tools button {
          min-width: 2.25rem;
          padding: 0 0.375rem;
        }

        .words {
          display: none;
        }
      }

      @media (max-width: 719px), (pointer: coarse) {
        button,
        select,
        .check {
          min-height: 44px;
        }
      }
    `,
  ];
}

/** What a map that knows nothing comes to before and after: the rank correlation of two noises. */
function randomRank(length: number): number {
  if (randomRankOf?.length !== length) randomRankOf = { length, rank: spearman(noise(length), noise(length, 1)) };
  return randomRankOf.rank;
}

let randomRankOf: { readonly length: number; readonly rank: number } | undefined;

/** Fixed noise in [−1, 1]. */
function noise(length: number, seed: number = 0): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    let hash = Math.imul(i + 1 + seed * length, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}
