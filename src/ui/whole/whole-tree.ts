import { type CSSResultGroup, css, html, nothing, type PropertyValues, svg, type TemplateResult } from 'lit';
import type { SurrogateTree, TreeNode } from '../../explain/global/surrogate-tree.ts';
import { edgeStyles, markEdges } from '../scroll-edges.ts';
import { shared } from '../shared-styles.ts';
import { layOutTree, type PlacedNode } from './tree-layout.ts';
import { featureNames, firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 1000;
/** Of a node's box. */
const HEIGHT = 22;
/** Between the answer of the example and what points at it. */
const HERE_GAP = 6;
/** Widest line between two nodes: that of all rows. */
const WIDEST = 9;

/** A small tree that answers as the network does, grown when it is asked for: a diagram, in which the example's path is lit. */
export class WholeTree extends WholeView<SurrogateTree> {
  async #grow(): Promise<void> {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    await this.compute(async (copy, signal) => {
      const { surrogateTree } = await import('./whole-library.ts');
      const features = featureNames(test);
      return surrogateTree(copy, firstOf(test, MOST_EXAMPLES), {
        signal,
        ...(features ? { features } : {}),
        ...(test.classes ? { classes: test.classes } : {}),
      });
    });
  }

  override render(): TemplateResult {
    const { words, found, snapshot } = this;
    const { views } = words;
    if (this.isText) return this.notApplicable(views.treeTitle, views.notForTexts);
    const size = Math.min(MOST_EXAMPLES, snapshot?.test?.size ?? 0);
    return html`
      ${this.head(views.treeTitle, views.treeGrow, () => void this.#grow())}
      <p class="note">${views.treeNote(words.whole(size))} ${(snapshot?.test?.inputShape.length ?? 0) > 1 ? views.treeImage : nothing}</p>
      ${found ? this.#found(found.result) : nothing}
    `;
  }

  #found(tree: SurrogateTree): TemplateResult {
    const { words } = this;
    const { views } = words;
    const values = this.snapshot?.example?.values;
    const path = values?.length === tree.features.length ? tree.path(values).map(({ node }) => node) : [];
    const lit = new Set(path.map(({ id }) => id));
    const said = path.map((node, i) => (path[i + 1] ? this.#question(tree, node, path[i + 1] === node.left) : this.#answer(tree, node)));
    return html`
      <div class="table" data-of="diagram" tabindex="0" role="region" aria-label=${views.treeDiagram} @scroll=${(event: Event) => markEdges(event.target as Element)}>${this.#diagram(tree, lit, said)}</div>
      <p class="note way">${said.length > 0 ? html`<strong>${views.treePath}:</strong> ${said.join(' · ')}` : nothing}</p>
      <div class="twins">
        <details>
          <summary>${views.treeOutline}</summary>
          <div class="table outline" tabindex="0" role="region" aria-label=${views.treeOutline}>
            <ul>
              ${this.#branches(tree, tree.root, lit)}
            </ul>
          </div>
        </details>
        <div class="table" tabindex="0" role="region" aria-label=${views.fidelityTitle}>
          <table>
            <caption>
              ${views.fidelityTitle}
            </caption>
            <thead>
              <tr>
                ${[views.depth, views.leaves, views.fidelityTraining, views.fidelityHeldOut, views.interval].map(
                  (name) => html`<th scope="col" class="number">${name}</th>`,
                )}
              </tr>
            </thead>
            <tbody>
              ${tree.fidelity.map(
                ({ depth, leaves, training, heldOut }) => html`<tr>
                  <th scope="row" class="number">${words.whole(depth)}</th>
                  <td class="number">${words.whole(leaves)}</td>
                  <td class="number">${words.percent(training)}</td>
                  <td class="number" data-of="held-out">${words.percent(heldOut.value)}</td>
                  <td class="number">${words.percent(heldOut.low)} … ${words.percent(heldOut.high)}</td>
                </tr>`,
              )}
            </tbody>
          </table>
          <p class="note majority">${views.majority(words.percent(tree.majority))}</p>
        </div>
      </div>
    `;
  }

  /** `[3, 4] ≤ 0.42`, in the units of the table where it is one. */
  #question({ features }: SurrogateTree, { split }: TreeNode, yes: boolean = true): string {
    if (!split) return '';
    return `${features[split.feature]} ${yes ? '≤' : '>'} ${this.words.significant(this.ownUnits(split.feature, split.threshold))}`;
  }

  #answer({ classes }: SurrogateTree, { prediction, counts, rows, queries }: TreeNode): string {
    const { words } = this;
    return words.views.treeLeaf(
      classes[prediction] ?? String(prediction),
      words.whole(counts[prediction] ?? 0),
      words.whole(rows + queries),
    );
  }

  // ---- the diagram ---------------------------------------------------------------------------------------------------------------

  #diagram(tree: SurrogateTree, lit: ReadonlySet<number>, said: readonly string[]): TemplateResult {
    const { views } = this.words;
    const textOf = (node: TreeNode): string => (node.split ? `${this.#question(tree, node)}?` : this.#answer(tree, node));
    const here = `◂ ${views.treeHere}`;
    const widthOf = measuring(this);
    const { nodes, width, height } = layOutTree(tree.root, (node) => widthOf(textOf(node)), widthOf(here) + 2 * HERE_GAP);
    const label = `${views.treeDiagram}. ${views.treePath}: ${said.join('; ')}`;
    // What is lit is drawn last, over the rest.
    const inOrder = [...nodes].sort((a, b) => Number(lit.has(a.node.id)) - Number(lit.has(b.node.id)));
    return html`<svg class="tree" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${label}>
      ${inOrder.map((placed) => this.#line(placed, tree.root, lit))} ${inOrder.map((placed) => this.#node(placed, textOf(placed.node), lit))}
    </svg>`;
  }

  /** From a question to an answer: as wide as the share of rows that go this way; a dark line within it is the example's way. */
  #line({ node, parent, x, y }: PlacedNode, root: TreeNode, lit: ReadonlySet<number>): TemplateResult | typeof nothing {
    if (!parent) return nothing;
    const { views } = this.words;
    const yes = parent.node.left === node;
    const from = parent.x + parent.width;
    const middle = (from + x) / 2;
    const path = `M ${from} ${parent.y} C ${middle} ${parent.y}, ${middle} ${y}, ${x} ${y}`;
    const share = (node.rows + node.queries) / Math.max(1, root.rows + root.queries);
    return svg`
      <path class="branch" d=${path} stroke-width=${(1 + (WIDEST - 1) * share).toFixed(2)} />
      ${lit.has(node.id) ? svg`<path class="way" d=${path} />` : nothing}
      <text class="word" x=${x - 6} y=${y + (yes ? -4 : 12)} text-anchor="end">${yes ? views.yes : views.no}</text>
    `;
  }

  #node({ node, x, y, width }: PlacedNode, text: string, lit: ReadonlySet<number>): TemplateResult {
    const here = lit.has(node.id);
    const all = node.rows + node.queries;
    const share = all > 0 ? (node.counts[node.prediction] ?? 0) / all : 0;
    const leaf = !node.split;
    return svg`<g class=${`node ${leaf ? 'leaf' : 'question'} ${here ? 'lit' : ''}`} data-node=${node.id} transform=${`translate(${x} ${y - HEIGHT / 2})`}>
      <rect class="box" width=${width} height=${HEIGHT} rx=${leaf ? HEIGHT / 2 : 4} />
      ${leaf ? svg`<rect class="share" x="10" y=${HEIGHT - 4} width=${((width - 20) * share).toFixed(1)} height="2" />` : nothing}
      <text x=${width / 2} y="14.5" text-anchor="middle">${text}</text>
      ${here && leaf ? svg`<text class="here" x=${width + HERE_GAP} y="14.5">◂ ${this.words.views.treeHere}</text>` : nothing}
    </g>`;
  }

  // ---- its text twin -------------------------------------------------------------------------------------------------------------

  /** The two answers to a node's question, or what a leaf says. */
  #branches(tree: SurrogateTree, node: TreeNode, lit: ReadonlySet<number>): TemplateResult {
    const { words } = this;
    const { split, left, right } = node;
    if (!split || !left || !right) {
      const here = lit.has(node.id);
      return html`<li class=${here ? 'lit answer' : 'answer'}>
        ${this.#answer(tree, node)} ${here ? html`<mark>${words.views.treeHere}</mark>` : nothing}
      </li>`;
    }
    return html`${[left, right].map(
      (child) => html`<li class=${lit.has(child.id) ? 'lit' : ''}>
        ${lit.has(child.id) ? html`<span aria-hidden="true">▸</span><span class="hidden">${words.views.treePath}: </span>` : nothing}${this.#question(tree, node, child === left)}
        <ul>
          ${this.#branches(tree, child, lit)}
        </ul>
      </li>`,
    )}`;
  }

  readonly #resize = new ResizeObserver(() => this.#mark());

  #mark(): void {
    markEdges(this.renderRoot.querySelector('[data-of=diagram]'));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resize.observe(this);
  }

  override disconnectedCallback(): void {
    this.#resize.disconnect();
    super.disconnectedCallback();
  }

  protected override updated(changed: PropertyValues<this>): void {
    super.updated(changed);
    this.#mark();
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    edgeStyles,
    css`
      .tree {
        display: block;
        max-width: none;
        font-size: 11px;
      }

      .branch,
      .way {
        fill: none;
        stroke: var(--line);
      }

      .tree .way {
        stroke: var(--ink);
        stroke-width: 2.5;
      }

      .box {
        fill: var(--sheet);
        stroke: var(--edge);
      }

      .leaf .box {
        fill: var(--wash);
      }

      .share {
        fill: var(--quiet);
      }

      .node text,
      .word {
        fill: var(--ink);
        font-variant-numeric: tabular-nums;
      }

      .word {
        fill: var(--quiet);
        font-size: 10px;
      }

      /* Dark on light turned over, and twice the outline: it is told without colour. */
      .lit .box {
        fill: var(--ink);
        stroke: var(--ink);
        stroke-width: 2;
      }

      .lit .share {
        fill: var(--on-ink);
      }

      .lit text {
        fill: var(--on-ink);
        font-weight: 600;
      }

      .lit .here {
        fill: var(--ink);
      }

      p.way {
        max-width: none;
        color: var(--ink);
      }

      .twins {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
        gap: 0.25rem 1.5rem;
        align-items: start;
      }

      summary {
        min-height: 2.25rem;
        font-size: 0.8125rem;
      }

      .outline {
        /* What is for screen readers alone lies within it, and not below the page. */
        position: relative;
        font-size: 0.75rem;
        line-height: 1.5;
      }

      ul {
        margin: 0;
        padding: 0 0 0 0.875rem;
        list-style: none;
      }

      .outline > ul {
        padding: 0;
      }

      li {
        color: var(--quiet);
        white-space: nowrap;
      }

      li.lit {
        color: var(--ink);
        font-weight: 600;
      }

      li:not(.lit) {
        font-weight: 400;
      }

      mark {
        padding: 0 0.375rem;
        border: 1px solid var(--ink);
        border-radius: 6px;
        background: transparent;
        color: inherit;
      }

      @media (max-width: 719px), (pointer: coarse) {
        summary {
          min-height: 44px;
        }
      }
    `,
  ];
}

/** Widths of texts as the diagram writes what is lit, which is the widest. */
function measuring(element: Element): (text: string) => number {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  context.font = `600 11px ${getComputedStyle(element).fontFamily}`;
  return (text) => Math.ceil(context.measureText(text).width);
}
