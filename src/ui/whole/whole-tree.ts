import { type CSSResultGroup, css, html, nothing, type TemplateResult } from 'lit';
import type { SurrogateTree, TreeNode } from '../../explain/global/surrogate-tree.ts';
import { shared } from '../shared-styles.ts';
import { firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 1000;

/** A small tree that answers as the network does, grown when it is asked for. */
export class WholeTree extends WholeView<SurrogateTree> {
  async #grow(): Promise<void> {
    const { test } = this.snapshot ?? {};
    if (!test) return;
    await this.compute(async (copy, signal) => {
      const { surrogateTree } = await import('./whole-library.ts');
      const [, width = 0, channels = 1] = test.inputShape;
      const pixels = test.inputShape.length > 1;
      const features =
        test.features ??
        (pixels ? Array.from({ length: test.inputs.length / test.size }, (_, i) => pixelName(i, width, channels)) : undefined);
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
    const current = found && found.step === snapshot?.step;
    const size = Math.min(MOST_EXAMPLES, snapshot?.test?.size ?? 0);
    return html`
      <div class="head">
        <h3>${views.treeTitle}</h3>
        ${
          current
            ? html`<span class="note">${views.fromStep(words.whole(found.step))}</span>`
            : html`<button ?disabled=${this.busy || !snapshot?.run} @click=${() => void this.#grow()}>
                ${this.busy ? views.computing : found ? views.refresh(words.whole(found.step)) : views.treeGrow}
              </button>`
        }
      </div>
      <p class="note">${views.treeNote(words.whole(size))} ${(snapshot?.test?.inputShape.length ?? 0) > 1 ? views.treeImage : nothing}</p>
      ${found ? this.#found(found.result) : nothing}
    `;
  }

  #found(tree: SurrogateTree): TemplateResult {
    const { words } = this;
    const { views } = words;
    const values = this.snapshot?.example?.values;
    const path = values?.length === tree.features.length ? tree.path(values) : [];
    const lit = new Set(path.map(({ node }) => node.id));
    return html`<div class="found">
      <div class="table outline" tabindex="0" role="region" aria-label=${views.treeOutline}>
        <ul>
          ${this.#branches(tree, tree.root, lit)}
        </ul>
      </div>
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
    </div>`;
  }

  /** The two answers to a node's question, or what a leaf says. */
  #branches(tree: SurrogateTree, node: TreeNode, lit: ReadonlySet<number>): TemplateResult {
    const { words } = this;
    const { split, left, right } = node;
    if (!split || !left || !right) {
      const name = tree.classes[node.prediction] ?? String(node.prediction);
      const count = words.whole(node.counts[node.prediction] ?? 0);
      const here = lit.has(node.id);
      return html`<li class=${here ? 'lit leaf' : 'leaf'}>
        ${words.views.treeLeaf(name, count, words.whole(node.rows + node.queries))} ${here ? html`<mark>${words.views.treeHere}</mark>` : nothing}
      </li>`;
    }
    const feature = tree.features[split.feature];
    return html`${[left, right].map(
      (child) => html`<li class=${lit.has(child.id) ? 'lit' : ''}>
        ${lit.has(child.id) ? html`<span aria-hidden="true">▸</span><span class="hidden">${words.views.treePath}: </span>` : nothing}${feature}
        ${child === left ? '≤' : '>'} ${words.significant(split.threshold)}
        <ul>
          ${this.#branches(tree, child, lit)}
        </ul>
      </li>`,
    )}`;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      .found {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr));
        gap: 0.75rem 1.5rem;
        margin-top: 0.5rem;
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
    `,
  ];
}

/** [row, column], and the channel where there are several. */
function pixelName(index: number, width: number, channels: number): string {
  const pixel = Math.floor(index / channels);
  const at = [Math.floor(pixel / width), pixel % width, ...(channels > 1 ? [index % channels] : [])];
  return `[${at.join(', ')}]`;
}
