import {
  type CSSResultGroup,
  css,
  html,
  LitElement,
  type PropertyDeclarations,
  type PropertyValues,
  svg,
  type TemplateResult,
  unsafeCSS,
} from 'lit';
import uPlot from 'uplot';
import uPlotStyles from 'uplot/dist/uPlot.min.css?inline';
import type { Tensor } from '../engine/index.ts';
import { CurveHistory } from './curve-history.ts';
import { Drawing } from './drawing.ts';
import { Words } from './language.ts';
import type { Values } from './maps/tensor-view.ts';
import { token, whenSchemeChanges } from './scheme.ts';
import { shared } from './shared-styles.ts';
import { tokens } from './tokens.ts';

export type Metric = 'loss' | 'accuracy';

/** A loss of 0 has no place on a logarithmic axis. */
const LEAST_LOSS = 1e-5;

/** Lower ends of the accuracy axis: as few as do, so that it seldom moves. */
const ACCURACY_FLOORS = [0.98, 0.95, 0.9, 0.8, 0.5, 0];

/** So few points are shown as such: one alone makes no line. */
const FEW_POINTS = 12;

/** Labels of an axis closer than this, in CSS pixels, would lie on one another. */
const LABEL_HEIGHT = 14;

/** Between a mark and its label, and between two labels, in CSS pixels. */
const LABEL_GAP = 5;

/** Of a logarithmic axis: more would make a grey wall, as of a run that diverges. */
const MOST_DECADES = 8;

/**
 * 1, 2 and 5 in every power of ten. uPlot's own splits never end on an axis that begins elsewhere than at a power of ten
 * (its `logAxisSplits` rounds them to 0).
 */
const LOGARITHMIC: Pick<uPlot.Axis, 'splits' | 'filter'> = {
  splits: (_plot, _axis, least, greatest) => logarithmicSplits(least, greatest),
  filter: (_plot, splits) => splits,
};

/**
 * One curve of training: every batch, their running mean, and the epochs' validation. It draws a history that is being written, or the values
 * of a tensor or an array, one a step.
 *
 * @tagname loss-chart
 * @fires {CustomEvent<number>} drawn - what a drawing took, in milliseconds
 */
export class LossChart extends LitElement {
  static override properties: PropertyDeclarations = {
    history: { attribute: false },
    tensor: { attribute: false },
    looks: { type: Number },
    version: { type: Number },
    pace: { type: Number },
    metric: {},
    logarithmic: { type: Boolean },
    readout: { state: true },
  };

  /** The curves, and the epochs and changes of the learning rate on them. */
  declare history: CurveHistory | undefined;
  /** Instead of a history: the values of the metric, one a step, in a tensor on the GPU or in an array. */
  declare tensor: Tensor | Values | undefined;
  /** Reads the tensor anew when this changes. */
  declare looks: number;
  /** Draws anew when this changes: the version of the history, which grows with all that is written into it. */
  declare version: number;
  /** Least milliseconds between two drawings. */
  declare pace: number;
  /** Which of the curves. */
  declare metric: Metric;
  /** The loss on a logarithmic axis. */
  declare logarithmic: boolean;
  /**
   * What stands under the pointer.
   *
   * @internal
   */
  declare readout: string;

  readonly #words = new Words(this);
  readonly #drawing = new Drawing(this, () => this.#draw());
  #plot: uPlot | undefined;
  #resize: ResizeObserver | undefined;

  constructor() {
    super();
    whenSchemeChanges(this, () => this.#plot?.redraw());
    this.history = undefined;
    this.tensor = undefined;
    this.looks = 0;
    this.version = 0;
    this.pace = 50;
    this.metric = 'loss';
    this.logarithmic = false;
    this.readout = '';
  }

  override render(): TemplateResult {
    const { say } = this.#words;
    const now = this.history?.[this.metric].last;
    const name = say[this.metric];
    return html`
      <div class="head">
        <h3>${name}${this.metric === 'loss' ? html` <span class="unit">${say.lossUnit}</span>` : ''}</h3>
        <span class="legend">
          <span class="training">${swatch(false)}${say.curveTraining}</span>
          <span class="validation">${swatch(true)}${say.curveValidation}</span>
        </span>
        <span class="readout" aria-hidden="true">${this.readout}</span>
      </div>
      <div class="plot" role="img" aria-label=${say.chartLabel(name, now === undefined ? '–' : this.#value(now))}></div>
      ${this.history?.isEmpty === false ? '' : html`<p class="empty">${this.history?.first ? say.noCurveSince : say.noCurve}</p>`}
    `;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.hasUpdated) this.#create();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#destroy();
  }

  protected override firstUpdated(): void {
    this.#create();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('tensor') || changed.has('looks') || changed.has('metric')) this.#takeTensor().catch(() => undefined); // The device went away: the curve stays.
  }

  async #takeTensor(): Promise<void> {
    const { tensor, looks, metric } = this;
    if (!tensor) return;
    const values = 'read' in tensor ? await tensor.read() : tensor.values;
    // Something else may have been asked for since.
    if (this.tensor !== tensor || this.looks !== looks || this.metric !== metric) return;
    const history = new CurveHistory(values.length);
    for (const [step, value] of values.entries()) history.add({ step, rows: 1, loss: Number.NaN, accuracy: Number.NaN, [metric]: value });
    this.history = history;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (this.#plot && (changed.has('logarithmic') || changed.has('metric'))) {
      this.#destroy();
      this.#create();
    }
    if (changed.has('history')) this.#drawing.request();
    else if (changed.has('version')) this.#drawing.requestAtPace(this.pace);
  }

  get #isLogarithmic(): boolean {
    return this.metric === 'loss' && this.logarithmic;
  }

  #value(value: number): string {
    return this.metric === 'loss' ? this.#words.small(value) : this.#words.percent(value);
  }

  #color(name: string): string {
    return token(this, name);
  }

  #create(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    if (!place) return;
    this.#plot = new uPlot(this.#options(), [[], [], [], []], place);
    this.#resize = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = place;
      if (clientWidth > 0) this.#plot?.setSize({ width: clientWidth, height: clientHeight });
    });
    this.#resize.observe(place);
    this.#drawing.request();
  }

  #destroy(): void {
    this.#resize?.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #options(): uPlot.Options {
    const font = `12px ${this.#color('--sans') || 'sans-serif'}`;
    const axis = {
      stroke: () => this.#color('--quiet'),
      font,
      ticks: { show: false },
      grid: { stroke: () => this.#color('--line'), width: 1 },
    };
    return {
      width: 320,
      height: 200,
      // On the right, room for half of the last label: `15,000`.
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'vitrine' },
        drag: { x: false, y: false },
        y: false,
        points: { size: 7, fill: () => this.#color('--paper') },
        dataIdx: (_plot, series, index) => (series === 1 ? null : this.#nearest(series, index)),
      },
      scales: {
        x: { time: false, range: () => [this.history?.first ?? 0, Math.max((this.history?.first ?? 0) + 1, this.history?.steps ?? 1)] },
        y: { distr: this.#isLogarithmic ? 3 : 1, range: () => this.#range() },
      },
      axes: [
        {
          ...axis,
          size: 20,
          gap: 4,
          values: (_plot, values) => values.map((value) => (Number.isInteger(value) ? this.#words.whole(value) : '')),
        },
        {
          ...axis,
          ...(this.#isLogarithmic ? LOGARITHMIC : {}),
          size: 50,
          gap: 6,
          values: (plot, values) => apart(plot, values).map((value) => this.#axisValue(value)),
        },
      ],
      series: [
        {},
        { stroke: (plot) => this.#color('--train') + faintness(plot), width: 1, spanGaps: true, points: { show: false } },
        {
          stroke: () => this.#color('--train'),
          width: 2,
          spanGaps: true,
          points: { show: (plot) => plot.data[0].length <= FEW_POINTS, size: 5 },
        },
        {
          stroke: () => this.#color('--hold'),
          width: 1.5,
          dash: [5, 4],
          spanGaps: true,
          points: { show: true, size: 9, paths: diamonds, stroke: () => this.#color('--hold'), fill: () => this.#color('--paper') },
        },
      ],
      hooks: { draw: [(plot) => this.#drawMarks(plot)], setCursor: [(plot) => this.#read(plot)] },
    };
  }

  /** The next place to the left that has a value in a series. */
  #nearest(series: number, index: number): number | null {
    const values = this.#plot?.data[series] ?? [];
    for (let i = index; i >= 0; i--) if (values[i] !== null && values[i] !== undefined) return i;
    return null;
  }

  #range(): [number, number] {
    const history = this.history;
    if (this.metric === 'accuracy') {
      // The first tenth, in which the network learns most, may leave the picture at the bottom: later differences can then be seen.
      const least = Math.min(history?.accuracy.range(0.1)?.[0] ?? 0, ...(history?.epochs.map((row) => row.validationAccuracy) ?? []));
      return [ACCURACY_FLOORS.find((floor) => floor <= least - 0.02) ?? 0, 1];
    }
    const held = history?.epochs.map((row) => row.validationLoss) ?? [];
    const [low, high] = history?.loss.range() ?? [0.1, 2.5];
    const greatest = Math.max(high, ...held);
    if (!this.#isLogarithmic) return [0, greatest * 1.05];
    return [Math.max(LEAST_LOSS, 0.4 * Math.min(low, ...held)), greatest * 1.3];
  }

  #axisValue(value: number | null): string {
    if (value === null) return '';
    if (this.metric === 'accuracy') return this.#words.percent(value, Number.isInteger(Math.round(value * 1e6) / 1e4) ? 0 : 1);
    return this.#words.significant(value);
  }

  #draw(): void {
    const began = performance.now();
    this.#setData();
    // uPlot draws in a microtask.
    queueMicrotask(() => this.dispatchEvent(new CustomEvent<number>('drawn', { detail: performance.now() - began })));
  }

  #setData(): void {
    const { history } = this;
    if (!this.#plot) return;
    if (!history || history.isEmpty) {
      this.#plot.setData([[], [], [], []]);
      return;
    }
    const { x, raw, smooth } = history[this.metric].points();
    const clamp = (value: number | null): number | null => (value === null || !this.#isLogarithmic ? value : Math.max(LEAST_LOSS, value));
    const held: (number | null)[] = x.map(() => null);
    const lines = [x, raw.map(clamp), smooth.map(clamp), held] as [number[], (number | null)[], (number | null)[], (number | null)[]];
    // An epoch's end is no step of its own: its point goes between the steps.
    let at = 0;
    for (const row of history.epochs) {
      while (at < lines[0].length && lines[0][at]! < row.step) at++;
      const value = clamp(this.metric === 'loss' ? row.validationLoss : row.validationAccuracy);
      if (lines[0][at] === row.step) lines[3][at] = value;
      else {
        lines[0].splice(at, 0, row.step);
        lines[1].splice(at, 0, null);
        lines[2].splice(at, 0, null);
        lines[3].splice(at, 0, value);
      }
    }
    this.#plot.setData(lines);
  }

  /** Where the learning rate was changed. */
  #drawMarks(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const scale = uPlot.pxRatio;
    ctx.save();
    ctx.font = `${11 * scale}px ${this.#color('--sans') || 'sans-serif'}`;
    ctx.fillStyle = this.#color('--quiet');
    ctx.strokeStyle = this.#color('--edge');
    ctx.lineWidth = scale;
    ctx.setLineDash([2 * scale, 3 * scale]);
    ctx.textAlign = 'left';
    const gap = LABEL_GAP * scale;
    const y = this.metric === 'loss' ? bbox.top + 11 * scale : bbox.top + bbox.height - 6 * scale;
    // The latest first: it is the rate that is trained with. What has no room left of it keeps its line alone.
    const free = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { step, rate } of this.history?.marks.toReversed() ?? []) {
      const x = Math.round(plot.valToPos(step, 'x', true)) + 0.5;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const label = this.#words.say.rateMark(this.#words.significant(rate));
      const { width } = ctx.measureText(label);
      const left = x > bbox.left + 0.8 * bbox.width ? x - gap - width : x + gap;
      // In a second line, where the first is taken.
      const line = free.findIndex((taken) => left + width + gap <= taken);
      if (line < 0) continue;
      ctx.fillText(label, left, y + (this.metric === 'loss' ? line : -line) * 13 * scale);
      free[line] = left;
    }
    ctx.restore();
  }

  #read(plot: uPlot): void {
    const index = plot.cursor.idxs?.[2];
    const step = index === null || index === undefined ? undefined : plot.data[0]?.[index];
    const value = index === null || index === undefined ? undefined : plot.data[2]?.[index];
    const hovered = (plot.cursor.left ?? -1) >= 0;
    this.readout =
      hovered && typeof step === 'number' && typeof value === 'number'
        ? this.#words.say.readout(this.#words.whole(step), this.#value(value))
        : '';
  }

  static override styles: CSSResultGroup = [
    tokens,
    shared,
    unsafeCSS(uPlotStyles),
    css`
      :host {
        position: relative;
      }

      .head {
        display: flex;
        align-items: baseline;
        gap: 1rem;
        height: var(--chart-head, 1.25rem);
        white-space: nowrap;
      }

      h3 {
        font-size: var(--chart-head-size, 0.875rem);
      }

      .legend {
        display: flex;
        gap: 0.75rem;
        color: var(--quiet);
        font-size: var(--chart-head-size, 0.75rem);
      }

      .legend svg {
        width: 1.5rem;
        height: 0.5rem;
        margin-right: 0.25rem;
        overflow: visible;
        stroke-width: 2;
      }

      .training svg {
        stroke: var(--train);
      }

      .validation svg {
        fill: var(--paper);
        stroke: var(--hold);
        stroke-width: 1.5;
      }

      .unit {
        color: var(--quiet);
        font-weight: 400;
      }

      .readout {
        margin-left: auto;
        overflow: hidden;
        color: var(--quiet);
        text-overflow: ellipsis;
        font-size: 0.8125rem;
        font-variant-numeric: tabular-nums;
      }

      .plot {
        height: var(--chart-height, 13.5rem);
      }

      .uplot {
        font-family: var(--sans);
      }

      .u-hz .u-cursor-x {
        border-right: 1px solid var(--edge);
      }

      .empty {
        position: absolute;
        inset: 42% 0 auto 50px;
        width: fit-content;
        margin: 0 auto;
        padding: 0 0.5rem;
        background: var(--paper);
        color: var(--quiet);
        font-size: 0.875rem;
        text-align: center;
        pointer-events: none;
      }
    `,
  ];
}

/** The raw line's opacity, as two hexadecimal digits: the denser the line, the fainter, so that it never hides the mean. */
function faintness({ data, width }: uPlot): string {
  const pointsPerPixel = data[0].length / Math.max(1, width);
  return Math.round(255 * Math.min(0.45, Math.max(0.13, 0.2 / Math.sqrt(pointsPerPixel))))
    .toString(16)
    .padStart(2, '0');
}

/** The values from the greatest down whose labels do not lie on one another; null for the others, whose lines stay. */
function apart(plot: uPlot, values: readonly (number | null)[]): (number | null)[] {
  let last = Number.NEGATIVE_INFINITY;
  return values
    .toReversed()
    .map((value) => {
      const y = value === null ? Number.NaN : plot.valToPos(value, 'y');
      if (!(y - last >= LABEL_HEIGHT)) return null;
      last = y;
      return value;
    })
    .reverse();
}

function logarithmicSplits(least: number, greatest: number): number[] {
  const splits: number[] = [];
  const decades = Math.log10(greatest / least);
  const stride = Math.ceil(decades / MOST_DECADES);
  const digits = decades > MOST_DECADES / 2 ? [1] : [1, 2, 5];
  for (let power = stride * Math.floor(Math.log10(least) / stride); power <= Math.log10(greatest); power += stride) {
    for (const digit of digits) {
      const split = Number(`${digit}e${power}`);
      if (split >= least && split <= greatest) splits.push(split);
    }
  }
  return splits;
}

/** How a line is drawn, beside its name. */
const swatch = (dashed: boolean): TemplateResult =>
  html`<svg viewBox="0 0 24 8" aria-hidden="true">${
    dashed ? svg`<path d="M0 4H7M17 4H24" /><path d="M12 0L16 4L12 8L8 4Z" />` : svg`<path d="M0 4H24" />`
  }</svg>`;

/** Validation points are diamonds, so that they differ from the training line by more than colour. */
const diamonds: uPlot.Series.Points.PathBuilder = (plot, seriesIndex, first, last) => {
  const path = new Path2D();
  const radius = 4.5 * uPlot.pxRatio;
  const values = plot.data[seriesIndex] ?? [];
  for (let i = first; i <= last; i++) {
    const value = values[i];
    if (value === null || value === undefined) continue;
    const x = plot.valToPos(plot.data[0]![i] as number, 'x', true);
    const y = plot.valToPos(value, 'y', true);
    path.moveTo(x, y - radius);
    path.lineTo(x + radius, y);
    path.lineTo(x, y + radius);
    path.lineTo(x - radius, y);
    path.closePath();
  }
  return { fill: path, stroke: path, clip: null, flags: 3 };
};
