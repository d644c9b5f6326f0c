import { type CSSResultGroup, css, html, LitElement, type PropertyDeclarations, type TemplateResult, unsafeCSS } from 'lit';
import uPlot from 'uplot';
import uPlotStyles from 'uplot/dist/uPlot.min.css?inline';
import type { AdapterFigures } from '../../bench/adapter.ts';
import type { KernelProfile } from '../../bench/roofline.ts';
import { token, whenSchemeChanges } from '../scheme.ts';
import { shared } from '../shared-styles.ts';
import { BenchWords } from './bench-words.ts';

/** Only whole powers of ten: uPlot's own splits of a logarithmic axis do not end where it begins elsewhere. */
const POWERS: Pick<uPlot.Axis, 'splits' | 'filter'> = {
  splits: (_plot, _axis, least, greatest) => {
    const [from, to] = [Math.ceil(Math.log10(least) - 1e-9), Math.floor(Math.log10(greatest) + 1e-9)];
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => Number(`1e${from + i}`));
  },
  filter: (_plot, splits) => splits,
};

export const isDrawn = ({ intensity, gflops }: KernelProfile): boolean => intensity > 0 && gflops > 0;

/**
 * The kernels of a step against the limits of the adapter (Williams, Waterman, Patterson 2009): operations a byte across, GFLOP/s up, both
 * logarithmic. Each kernel is a dot with its number in the table.
 */
export class RooflineChart extends LitElement {
  static override properties: PropertyDeclarations = { profile: { attribute: false }, adapter: { attribute: false } };

  /** Of one workload. */
  declare profile: readonly KernelProfile[];
  declare adapter: AdapterFigures | null;
  readonly #words = new BenchWords(this);
  #plot: uPlot | undefined;
  #resize: ResizeObserver | undefined;

  constructor() {
    super();
    whenSchemeChanges(this, () => this.#plot?.redraw());
    this.profile = [];
    this.adapter = null;
  }

  override render(): TemplateResult {
    const { bench } = this.#words;
    return html`
      <p class="axis up">${bench.speedAxis}</p>
      <div class="plot" role="img" aria-label=${bench.profileChart(this.profile[0]?.workload ?? '', this.#words.whole(this.profile.length))}></div>
      <p class="axis across">${bench.intensityAxis}</p>
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

  protected override updated(): void {
    this.#destroy();
    this.#create();
  }

  #color(name: string): string {
    return token(this, name);
  }

  #destroy(): void {
    this.#resize?.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #create(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    const { adapter } = this;
    const drawn = this.profile.filter(isDrawn);
    if (!place || !adapter || drawn.length === 0) return;
    const { multiplyAddGflops: peak, copyGigabytesPerSecond: bandwidth } = adapter;
    const ridge = peak / bandwidth;
    const decade = (value: number, up: boolean): number => 10 ** (up ? Math.ceil(Math.log10(value)) : Math.floor(Math.log10(value)));
    const [low, high] = [
      decade(Math.min(ridge / 2, ...drawn.map(({ intensity }) => intensity)), false),
      decade(Math.max(2 * ridge, ...drawn.map(({ intensity }) => intensity)), true),
    ];
    const speeds = [peak, ...drawn.map(({ gflops }) => gflops)];
    const [slow, fast] = [decade(Math.min(low * bandwidth, ...speeds), false), decade(2 * Math.max(...speeds), true)];
    const roof: [number[], number[]] = [
      [low, ridge, high],
      [low * bandwidth, peak, peak],
    ];
    const sorted = drawn.toSorted((a, b) => a.intensity - b.intensity);
    const dots: [number[], number[]] = [sorted.map(({ intensity }) => intensity), sorted.map(({ gflops }) => gflops)];
    // Kernels of one intensity would share a place on the axis: the dots are drawn by a hook, one by one.
    this.#plot = new uPlot(this.#options([low, high], [slow, fast], drawn), uPlot.join([roof, dots]) as uPlot.AlignedData, place);
    this.#resize = new ResizeObserver(() => {
      const { clientWidth, clientHeight } = place;
      if (clientWidth > 0) this.#plot?.setSize({ width: clientWidth, height: clientHeight });
    });
    this.#resize.observe(place);
  }

  #options(across: [number, number], up: [number, number], drawn: readonly KernelProfile[]): uPlot.Options {
    const axis: uPlot.Axis = {
      stroke: () => this.#color('--quiet'),
      font: `12px ${this.#color('--sans') || 'sans-serif'}`,
      ticks: { show: false },
      grid: { stroke: () => this.#color('--line'), width: 1 },
      ...POWERS,
      values: (_plot, values) => values.map((value) => this.#words.significant(value)),
    };
    return {
      width: 320,
      height: 280,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, distr: 3, range: () => across }, y: { distr: 3, range: () => up } },
      axes: [
        { ...axis, size: 26, gap: 6 },
        { ...axis, size: 56, gap: 6 },
      ],
      series: [
        {},
        { stroke: () => this.#color('--ink'), width: 1.5, spanGaps: true, points: { show: false } },
        { paths: () => null, points: { show: false } },
      ],
      hooks: { draw: [(plot) => this.#drawDots(plot, drawn)] },
    };
  }

  #drawDots(plot: uPlot, drawn: readonly KernelProfile[]): void {
    const { ctx } = plot;
    const scale = uPlot.pxRatio;
    ctx.save();
    ctx.font = `600 ${11 * scale}px ${this.#color('--sans') || 'sans-serif'}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const kernel of drawn) {
      const [x, y] = [plot.valToPos(kernel.intensity, 'x', true), plot.valToPos(kernel.gflops, 'y', true)];
      ctx.beginPath();
      ctx.arc(x, y, 9 * scale, 0, 2 * Math.PI);
      ctx.fillStyle = this.#color('--paper');
      ctx.fill();
      ctx.lineWidth = 1.5 * scale;
      ctx.strokeStyle = this.#color('--train');
      ctx.stroke();
      ctx.fillStyle = this.#color('--ink');
      ctx.fillText(String(1 + this.profile.indexOf(kernel)), x, y + 0.5 * scale);
    }
    ctx.restore();
  }

  static override styles: CSSResultGroup = [
    shared,
    unsafeCSS(uPlotStyles),
    css`
      .plot {
        height: 17.5rem;
      }

      .uplot {
        font-family: var(--sans);
      }

      .axis {
        margin: 0;
        color: var(--quiet);
        font-size: 0.8125rem;
      }

      .across {
        text-align: end;
      }
    `,
  ];
}
