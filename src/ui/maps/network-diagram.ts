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
import { repeat } from 'lit/directives/repeat.js';
import type { Device, Tensor } from '../../engine/index.ts';
import { breakable } from '../breakable.ts';
import type { Pointed } from '../point/pointed.ts';
import { edgeStyles, markEdges } from '../scroll-edges.ts';
import { shared } from '../shared-styles.ts';
import { tokens } from '../tokens.ts';
import type { CellDetail, Values } from './tensor-view.ts';

/** One picture of the diagram. */
export interface DiagramNode {
  /** Name of the tensor. */
  readonly name: string;
  readonly kind: 'input' | 'weight' | 'activation';
  readonly title: string;
  /** Its shape, or what it does. */
  readonly note: string;
  readonly tensor: Tensor | Values | undefined;
  readonly image?: readonly [height: number, width: number] | undefined;
  readonly signed: boolean;
  /** Names of its values. */
  readonly names?: readonly string[] | undefined;
  /** The last two axes are a picture each, as of attention. */
  readonly planes?: boolean;
}

/**
 * A network as its live tensors, from left to right.
 *
 * @tagname network-diagram
 * @fires {CustomEvent<string>} node-choose - a tensor was chosen, its name
 * @fires {CustomEvent<{ tensor: string; index: number } | undefined>} node-lock - a cell of a tensor was locked, or freed
 */
export class NetworkDiagram extends LitElement {
  static override properties: PropertyDeclarations = {
    nodes: { attribute: false },
    device: { attribute: false },
    chosen: {},
    series: {},
    inputSeries: {},
    looks: { type: Number },
    still: { type: Boolean },
    perFrame: { type: Boolean },
    locked: { attribute: false },
    pixel: { type: Number },
    pointed: { attribute: false },
  };

  /** The pictures, from left to right, each of a tensor on the GPU or of an array with its shape. */
  declare nodes: readonly DiagramNode[];
  /** The device of the tensors; not needed for arrays. */
  declare device: Device | undefined;
  /** Name of the tensor that is chosen. */
  declare chosen: string | undefined;
  /** Pictures of one series share a scale over time. */
  declare series: string;
  /** Pictures of the input share a scale only within this, such as one example. */
  declare inputSeries: string;
  /** Draws anew when this changes. */
  declare looks: number;
  /** Nothing changes on the GPU for now, so that it may be read. */
  declare still: boolean;
  /** The scale fits what is drawn now; the widest of the series otherwise. */
  declare perFrame: boolean;
  /** The cell that is locked, in a tensor of that name. */
  declare locked: { readonly tensor: string; readonly index: number } | undefined;
  /** A value of the input that is locked. */
  declare pixel: number | undefined;
  /** What is pointed at in any picture. */
  declare pointed: Pointed | undefined;

  constructor() {
    super();
    this.nodes = [];
    this.device = undefined;
    this.chosen = undefined;
    this.series = '';
    this.inputSeries = '';
    this.looks = 0;
    this.still = false;
    this.perFrame = false;
    this.locked = undefined;
    this.pixel = undefined;
    this.pointed = undefined;
  }

  override render(): TemplateResult {
    return html`<ol @scroll=${(event: Event) => markEdges(event.target as Element)}>
      ${repeat(
        this.nodes,
        ({ name }) => name,
        (node) => this.#node(node),
      )}
    </ol>`;
  }

  #node(node: DiagramNode): TemplateResult {
    const { name, title, note, kind } = node;
    return html`
      <li class=${kind}>
        <button aria-pressed=${name === this.chosen ? 'true' : 'false'} @click=${() => this.#choose(name)}>
          <span class="title">${breakable(title)}</span><span class="note number">${note}</span>
        </button>
        <tensor-view
          .device=${this.device}
          .tensor=${node.tensor}
          .image=${node.image}
          .planes=${node.planes ?? false}
          .signed=${node.signed}
          .ink=${kind === 'input' && node.tensor !== undefined && node.tensor.shape.length > 2}
          .perFrame=${this.perFrame}
          .series=${`${this.series} ${name} ${kind === 'input' ? this.inputSeries : ''}`}
          .looks=${this.looks}
          .still=${this.still}
          .label=${title}
          .names=${node.names}
          .locked=${kind === 'input' ? this.pixel : this.locked?.tensor === name ? this.locked.index : undefined}
          .outlined=${this.#outlined(node)}
          @cell-lock=${(event: CustomEvent<CellDetail>) => this.#lock(name, event.detail.index)}
          @cell-free=${() => this.#lock(name, undefined)}
        ></tensor-view>
        ${kind === 'weight' ? html`<span class="flow" aria-hidden="true"></span>` : nothing}
      </li>
    `;
  }

  readonly #resize = new ResizeObserver(() => markEdges(this.renderRoot.querySelector('ol')));

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resize.observe(this);
  }

  override disconnectedCallback(): void {
    this.#resize.disconnect();
    super.disconnectedCallback();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('nodes')) markEdges(this.renderRoot.querySelector('ol'));
  }

  /** The pixel that is pointed at, or the unit among those of its layer. */
  #outlined({ name, kind, tensor }: DiagramNode): number | undefined {
    const { pointed } = this;
    if (pointed?.kind === 'pixel') return kind === 'input' ? pointed.index : undefined;
    const single = tensor?.shape.every((length, axis) => axis === tensor.shape.length - 1 || length === 1);
    return single && pointed && name.replace(/^(pre)?activation\//, '') === pointed.layer ? pointed.unit : undefined;
  }

  #choose(name: string): void {
    this.dispatchEvent(new CustomEvent<string>('node-choose', { detail: name }));
  }

  #lock(tensor: string, index: number | undefined): void {
    this.dispatchEvent(new CustomEvent('node-lock', { detail: index === undefined ? undefined : { tensor, index } }));
  }

  static override styles: CSSResultGroup = [
    tokens,
    shared,
    edgeStyles,
    css`
      ol {
        display: flex;
        gap: 1.625rem;
        align-items: center;
        margin: 0;
        padding: 0.125rem;
        overflow-x: auto;
        list-style: none;
      }

      li {
        position: relative;
        flex: 1 1 0;
        min-width: 5.5rem;
        max-width: 11rem;
      }

      .weight {
        flex-grow: 2.4;
        max-width: 24rem;
      }

      /* A long narrow one would push the maps out of sight. */
      tensor-view {
        --map-height: 11.5rem;
      }

      /* What flows from one tensor into the next. */
      li + li::before {
        position: absolute;
        top: 50%;
        left: -1.3rem;
        width: 0.875rem;
        border-top: 1.5px solid var(--edge);
        content: '';
      }

      li + li::after {
        position: absolute;
        top: calc(50% - 3px);
        left: -0.8rem;
        width: 5px;
        height: 5px;
        border: solid var(--edge);
        border-width: 1.5px 1.5px 0 0;
        transform: rotate(45deg);
        content: '';
      }

      button {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.5rem;
        align-items: baseline;
        justify-content: start;
        width: 100%;
        min-height: 2rem;
        margin-bottom: 0.25rem;
        padding: 0.25rem 0.1875rem;
        border-color: transparent;
        border-radius: 6px;
        font-size: 0.75rem;
        line-height: 1.2;
        text-align: start;
        white-space: normal;
      }

      button[aria-pressed='true'] {
        border-color: var(--ink);
      }

      .title {
        overflow-wrap: anywhere;
        font-weight: 600;
      }

      .note {
        font-size: 0.6875rem;
        font-weight: 400;
      }

      @media (max-width: 719px) {
        ol {
          flex-direction: column;
          gap: 1.75rem;
          align-items: stretch;
        }

        li,
        .weight {
          max-width: none;
        }

        li:not(.weight) tensor-view {
          max-width: 12rem;
          margin-inline: auto;
        }

        li + li::before {
          top: -1.3rem;
          left: 50%;
          width: 0;
          height: 0.75rem;
          border-top: 0;
          border-left: 1.5px solid var(--edge);
        }

        li + li::after {
          top: -0.8rem;
          left: calc(50% - 2px);
          transform: rotate(135deg);
        }

        button {
          min-height: 44px;
          align-items: center;
        }
      }
    `,
  ];
}
