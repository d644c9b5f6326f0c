import { type CSSResult, css, LitElement, type PropertyDeclarations } from 'lit';
import type { CellDetail } from './tensor-view.ts';

/**
 * A map whose values are shown one by one, as buttons with `data-index`: of words, or of the columns of a row. Tab comes to one of them, the
 * arrow keys move on, a click or Enter locks, Esc frees. Where values can be taken away, a click does that.
 *
 * @fires cell-point, cell-lock, cell-free - as of a picture, `CellDetail`
 * @fires strike - a value was clicked where values can be taken away, its index
 */
export abstract class ListedMap extends LitElement {
  static override properties: PropertyDeclarations = {
    values: { attribute: false },
    label: {},
    step: { type: Number },
    locked: { type: Number },
    outlined: { type: Number },
    cursor: { state: true },
  };

  /** Undefined where there is no map, or only what it would be of is shown. */
  declare values: Float32Array | undefined;
  declare label: string;
  declare step: number | undefined;
  declare locked: number | undefined;
  declare outlined: number | undefined;
  /** The value that Tab comes to; the arrow keys move it. */
  declare cursor: number;

  constructor() {
    super();
    this.values = undefined;
    this.label = '';
    this.step = undefined;
    this.locked = undefined;
    this.outlined = undefined;
    this.cursor = 0;
  }

  /** A click takes a value away, or puts it back. */
  protected abstract get strikable(): boolean;

  protected comeTo(index: number): void {
    this.cursor = index;
    this.fire('cell-point', index);
  }

  protected choose(index: number): void {
    if (this.strikable) this.dispatchEvent(new CustomEvent<number>('strike', { detail: index, bubbles: true, composed: true }));
    else this.fire(index === this.locked ? 'cell-free' : 'cell-lock', index);
  }

  protected fire(name: 'cell-point' | 'cell-lock' | 'cell-free', index: number | undefined): void {
    const value = index === undefined ? undefined : this.values?.[index];
    this.dispatchEvent(new CustomEvent<CellDetail>(name, { detail: { index, value }, bubbles: true, composed: true }));
  }

  protected press(event: KeyboardEvent): void {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (by !== undefined) {
      const buttons = [...this.renderRoot.querySelectorAll<HTMLButtonElement>('button[data-index]')];
      const from = buttons.findIndex((button) => button.tabIndex === 0);
      buttons[Math.min(buttons.length - 1, Math.max(0, from + by))]?.focus();
    } else if (event.key === 'Escape' && this.locked !== undefined && !this.strikable) this.fire('cell-free', undefined);
    else return;
    // The arrows mean the values here, not the page.
    event.preventDefault();
    event.stopPropagation();
  }
}

/** What such maps have in common: a bar to one side or the other of the middle, and how a value is marked that is pointed at, locked or struck out. */
export const listedStyles: CSSResult = css`
  ol {
    margin: 0;
    padding: 0;
    list-style: none;
  }

  button {
    border: 1px solid transparent;
    border-radius: 4px;
    font-weight: 400;
  }

  button.outlined {
    border-color: var(--edge);
  }

  button[aria-pressed='true'] {
    border-color: var(--ink);
    box-shadow: inset 0 0 0 1px var(--ink);
  }

  .struck :is(.word, .name) {
    color: var(--quiet);
    text-decoration: line-through 1.5px;
  }

  .track {
    position: relative;
    background: linear-gradient(var(--edge), var(--edge)) center / 1px 100% no-repeat;
  }

  .bar {
    position: absolute;
    left: 50%;
    width: calc(50% * var(--share));
    height: 100%;
    background: var(--ink);
  }

  .minus .bar {
    right: 50%;
    left: auto;
  }

  .empty {
    min-height: 3rem;
    border: 1px dashed var(--line);
    border-radius: 3px;
  }
`;
