import { type CSSResultGroup, css, html, nothing, type PropertyDeclarations, type TemplateResult, unsafeCSS } from 'lit';
import uPlot from 'uplot';
import uPlotStyles from 'uplot/dist/uPlot.min.css?inline';
import type { PartialDependence } from '../../explain/global/partial-dependence.ts';
import { token, whenSchemeChanges } from '../scheme.ts';
import { shared } from '../shared-styles.ts';
import { featureNames, firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 200;
/** Curves of single examples that are drawn: more would be a blot. */
const MOST_CURVES = 40;
const POINTS = 40;
/** Rows of the text twin. */
const TOLD = 5;

interface Dependence {
  readonly column: number;
  readonly target: number;
  /** Of the examples and, last, of the chosen one. */
  readonly curves: PartialDependence;
}

/** How the logit of a class goes with one value of the input: on the mean, and for single examples. */
export class WholeDependence extends WholeView<Dependence> {
  static override properties: PropertyDeclarations = { ...WholeView.properties, column: { state: true } };

  /** The value that is varied; of an image, the locked pixel. */
  declare column: number;
  #plot: uPlot | undefined;
  #resize: ResizeObserver | undefined;

  constructor() {
    super();
    whenSchemeChanges(this, () => this.#plot?.redraw());
    this.column = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#destroy();
  }

  get #isImage(): boolean {
    return (this.snapshot?.test?.inputShape.length ?? 0) > 1;
  }

  get #column(): number | undefined {
    if (this.#isImage) return this.snapshot?.choices.pixel;
    return Math.min(this.column, (this.snapshot?.test?.features?.length ?? 1) - 1);
  }

  protected override get question(): string {
    return `${this.#column} ${this.snapshot?.target} ${this.snapshot?.example?.key}`;
  }

  async #find(): Promise<void> {
    const { test, target, example } = this.snapshot ?? {};
    const column = this.#column;
    if (!test || !example || target === undefined || column === undefined) return;
    await this.compute(async (copy, signal) => {
      const { partialDependence } = await import('./whole-library.ts');
      const examples = firstOf(test, MOST_EXAMPLES);
      const rows = new Float32Array(examples.length + example.values.length);
      rows.set(examples);
      rows.set(example.values, examples.length);
      const features = featureNames(test);
      const [curves] = await partialDependence(copy, rows, {
        columns: [column],
        target,
        points: POINTS,
        between: [0, 1],
        signal,
        ...(features ? { features } : {}),
        onProgress: (progress) => {
          this.progress = progress;
        },
      });
      return { column, target, curves: curves as PartialDependence };
    });
  }

  override render(): TemplateResult {
    const { words, found, snapshot } = this;
    const { views } = words;
    const { test } = snapshot ?? {};
    if (this.isText) return this.notApplicable(views.dependenceTitle, views.notForTexts);
    if (this.#isImage && this.#column === undefined) return this.notApplicable(views.dependenceTitle, views.lockPixel);
    const size = words.whole(Math.min(MOST_EXAMPLES, test?.size ?? 0));
    return html`
      ${this.head(views.dependenceTitle, views.dependenceFind, () => void this.#find())}
      <p class="note">${views.dependenceNote(size)}</p>
      ${
        this.#isImage
          ? nothing
          : html`<label class="note"
              >${views.column}
              <select
                @change=${(event: Event) => {
                  this.column = Number((event.target as HTMLSelectElement).value);
                  if (this.found) void this.#find();
                }}
              >
                ${(test?.features ?? []).map((name, i) => html`<option value=${i} ?selected=${i === this.column}>${name}</option>`)}
              </select></label
            >`
      }
      ${found ? this.#found(found.result, found.step) : nothing}
    `;
  }

  #found({ column, target, curves }: Dependence, step: number): TemplateResult {
    const { words } = this;
    const { views } = words;
    const { name, grid, mean } = curves;
    const last = grid.length - 1;
    const told = [...new Set(Array.from({ length: TOLD }, (_, k) => Math.round((k * last) / (TOLD - 1))))];
    const own = curves.ice.subarray(curves.ice.length - grid.length);
    const className = this.snapshot?.test?.classes?.[target] ?? String(target);
    const value = (p: number): string => words.significant(this.ownUnits(column, grid[p]!));
    return html`
      <p class="note key">
        ${views.dependenceOf(name, className)} <span>${views.fromStep(words.whole(step))}</span>
        <span><svg width="28" height="8" aria-hidden="true"><path class="mean" d="M 0 4 H 28" /></svg> ${views.meanCurve}</span>
        <span><svg width="28" height="8" aria-hidden="true"><path class="own" d="M 0 4 H 28" /></svg> ${views.treePath}</span>
        <span><svg width="28" height="8" aria-hidden="true"><path class="one" d="M 0 4 H 28" /></svg> ${views.singleCurves}</span>
      </p>
      <div
        class="plot"
        role="img"
        aria-label=${views.dependenceText(name, className, value(0), value(last), words.significant(mean[0]!), words.significant(mean[last]!))}
      ></div>
      <div class="table" tabindex="0" role="region" aria-label=${views.dependenceTitle}>
        <table>
          <thead>
            <tr>
              <th scope="col">${name}</th>
              ${told.map((p) => html`<th scope="col" class="number">${value(p)}</th>`)}
            </tr>
          </thead>
          <tbody>
            <tr data-of="mean">
              <th scope="row">${views.meanCurve}</th>
              ${told.map((p) => html`<td class="number">${words.significant(mean[p]!)}</td>`)}
            </tr>
            <tr data-of="own">
              <th scope="row">${views.treePath}</th>
              ${told.map((p) => html`<td class="number">${words.significant(own[p]!)}</td>`)}
            </tr>
          </tbody>
        </table>
      </div>
    `;
  }

  // ---- the chart -----------------------------------------------------------------------------------------------------------------

  #drawn: Dependence | undefined;

  protected override updated(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    const result = this.found?.result;
    if (!place || !result) {
      this.#destroy();
      return;
    }
    if (this.#drawn === result && this.#plot?.root.parentElement === place) return;
    this.#destroy();
    this.#drawn = result;
    this.#create(place, result);
  }

  #create(place: HTMLElement, { column, curves }: Dependence): void {
    const { grid, mean, ice } = curves;
    const examples = ice.length / grid.length - 1;
    const color = (name: string) => (): string => token(this, name);
    const axis = {
      stroke: color('--quiet'),
      font: `11px ${color('--sans')() || 'sans-serif'}`,
      ticks: { show: false },
      grid: { stroke: color('--line'), width: 1 },
    };
    const short = (_plot: uPlot, values: readonly number[]): string[] => values.map((value) => this.words.significant(value));
    const curve = (i: number): number[] => Array.from(ice.subarray(i * grid.length, (i + 1) * grid.length));
    const some = Array.from({ length: Math.min(MOST_CURVES, examples) }, (_, k) =>
      Math.floor((k * examples) / Math.min(MOST_CURVES, examples)),
    );
    const points = { show: grid.length === 1 };
    this.#plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth),
        height: place.clientHeight,
        padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 24, gap: 4, values: short },
          { ...axis, size: 48, gap: 4, values: short },
        ],
        series: [
          {},
          ...some.map(() => ({ stroke: () => `${token(this, '--edge')}66`, width: 1, points })),
          { stroke: color('--ink'), width: 3, points },
          { stroke: color('--hold'), width: 2, dash: [6, 4], points },
        ],
      },
      [Array.from(grid, (value) => this.ownUnits(column, value)), ...some.map(curve), Array.from(mean), curve(examples)],
      place,
    );
    this.#resize = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = place;
      if (clientWidth > 0) this.#plot?.setSize({ width: clientWidth, height: clientHeight });
    });
    this.#resize.observe(place);
  }

  #destroy(): void {
    this.#resize?.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#drawn = undefined;
  }

  static override styles: CSSResultGroup = [
    shared,
    unsafeCSS(uPlotStyles),
    wholeStyles,
    css`
      .plot {
        height: 12rem;
        max-width: 48rem;
      }

      .key {
        display: flex;
        flex-wrap: wrap;
        gap: 0 1rem;
      }

      .key path {
        stroke: var(--ink);
        stroke-width: 3;
      }

      .key .own {
        stroke: var(--hold);
        stroke-width: 2;
        stroke-dasharray: 6 4;
      }

      .key .one {
        stroke: var(--edge);
        stroke-width: 1;
      }

      label {
        display: block;
        margin-bottom: 0.25rem;
      }
    `,
  ];
}
