import { type CSSResultGroup, css, html, nothing, svg, type TemplateResult } from 'lit';
import { columnGroups } from '../../data/index.ts';
import type { Dataset } from '../../engine/index.ts';
import type { ColumnImportance, PermutationImportance } from '../../explain/global/permutation-importance.ts';
import type { Values } from '../maps/tensor-view.ts';
import { shared } from '../shared-styles.ts';
import { featureNames, firstOf, WholeView, wholeStyles } from './whole-view.ts';

const MOST_EXAMPLES = 400;
const REPEATS = 5;
/** Side of the squares that an image is dealt out in. */
const SIDE = 4;
/** Of an image's squares, so many are listed. */
const LISTED = 8;
/** Of a bar, in CSS pixels. */
const [WIDTH, HEIGHT] = [180, 12];

interface Importance extends PermutationImportance {
  /** The importance of each input's group, in the shape of an image. */
  readonly map: Values | undefined;
}

/** How much worse the network does when a column, or a square of an image, is dealt out anew among the examples. */
export class WholeImportance extends WholeView<Importance> {
  async #find(): Promise<void> {
    const { test } = this.snapshot ?? {};
    const { labels } = test ?? {};
    if (!test || !labels) return;
    await this.compute(async (copy, signal) => {
      const { permutationImportance } = await import('./whole-library.ts');
      const size = Math.min(MOST_EXAMPLES, test.size);
      const image = test.inputShape.length > 1;
      const features = featureNames(test);
      const result = await permutationImportance(copy, firstOf(test, size), labels.subarray(0, size), {
        repeats: REPEATS,
        groups: image ? squares(test) : this.#columns(test),
        signal,
        ...(features ? { features } : {}),
        onProgress: (progress) => {
          this.progress = progress;
        },
      });
      return { ...result, map: image ? mapOf(test, result.columns) : undefined };
    });
  }

  /** Columns one by one, but for the levels of a category, which are dealt out together: indicators `Category.Level` of which each row has at most one. */
  #columns({ features = [], inputs, size }: Dataset): number[][] {
    const width = features.length;
    const isCategory = (columns: readonly number[]): boolean => {
      for (let row = 0; row < size; row++) {
        const levels = columns.map((column) => this.ownUnits(column, inputs[row * width + column]!));
        const ones = levels.filter((level) => Math.abs(level - 1) < 1e-4).length;
        if (ones > 1 || levels.some((level) => Math.abs(level) > 1e-4 && Math.abs(level - 1) > 1e-4)) return false;
      }
      return true;
    };
    return columnGroups(features).flatMap(({ columns }) =>
      columns.length > 1 && isCategory(columns) ? [[...columns]] : columns.map((column) => [column]),
    );
  }

  override render(): TemplateResult {
    const { words, found, snapshot } = this;
    const { views } = words;
    const { test } = snapshot ?? {};
    if (this.isText) return this.notApplicable(views.importanceTitle, views.notForTexts);
    if (test && !test.labels) return this.notApplicable(views.importanceTitle, views.noLabels);
    const size = words.whole(Math.min(MOST_EXAMPLES, test?.size ?? 0));
    return html`
      ${this.head(views.importanceTitle, views.importanceFind, () => void this.#find())}
      <p class="note">${views.importanceNote(size, words.whole(REPEATS))}</p>
      ${found && test ? this.#found(found.result, test, found.step) : nothing}
    `;
  }

  #found({ base, columns, map }: Importance, test: Dataset, step: number): TemplateResult {
    const { words } = this;
    const { views } = words;
    const order = columns.toSorted((a, b) => b.importance.value - a.importance.value);
    const shown = map ? order.slice(0, LISTED) : order;
    const [least, most] = [
      Math.min(0, ...shown.map(({ importance }) => importance.low)),
      Math.max(1e-9, ...shown.map(({ importance }) => importance.high)),
    ];
    return html`<div class=${map ? 'with-map' : ''}>
      ${
        map
          ? html`<tensor-view
              signed
              .tensor=${map}
              .step=${step}
              .names=${namesOf(test, columns, views.square)}
              .locked=${this.snapshot?.choices.pixel}
              .label=${views.importanceTitle}
            ></tensor-view>`
          : nothing
      }
      <div class="table tall" tabindex="0" role="region" aria-label=${views.importanceTitle}>
        <table>
          <caption>
            ${views.importanceBase(words.significant(base))}
          </caption>
          <thead>
            <tr>
              <th scope="col">${map ? views.squareColumn : views.column}</th>
              <th scope="col">${views.increase}</th>
              <th scope="col" class="number">${views.nats}</th>
              <th scope="col" class="number">${views.interval}</th>
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              ({ names, columns: members, importance: { value, low, high } }) => html`<tr data-column=${members[0]} data-value=${value}>
                <th scope="row">${map ? squareName(test, members, views.square) : groupName(names)}</th>
                <td>${bar(value, low, high, least, most)}</td>
                <td class="number">${words.significant(value)}</td>
                <td class="number">${words.significant(low)} … ${words.significant(high)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>`;
  }

  static override styles: CSSResultGroup = [
    shared,
    wholeStyles,
    css`
      .with-map {
        display: grid;
        grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr);
        gap: 0.5rem 1.5rem;
        align-items: start;
      }

      tensor-view {
        --map-background: var(--sheet);
      }

      .tall {
        max-height: 20rem;
        overflow: auto;
      }

      svg {
        display: block;
      }

      .bar {
        fill: var(--train);
      }

      .bar.minus {
        fill: none;
        stroke: var(--train);
      }

      .zero,
      .whisker {
        stroke: var(--ink);
        fill: none;
      }

      .zero {
        stroke: var(--edge);
      }

      @media (max-width: 719px) {
        .with-map {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];
}

/** A bar from 0, hollow where it is less, with its interval as a whisker. */
function bar(value: number, low: number, high: number, least: number, most: number): TemplateResult {
  const at = (each: number): number => 1 + ((each - least) / (most - least)) * (WIDTH - 2);
  const [from, to] = value < 0 ? [at(value), at(0)] : [at(0), at(value)];
  const middle = HEIGHT / 2;
  return html`<svg width=${WIDTH} height=${HEIGHT} aria-hidden="true">
    ${svg`
      <rect class=${value < 0 ? 'bar minus' : 'bar'} x=${from} y="2.5" width=${Math.max(0, to - from)} height=${HEIGHT - 5} />
      <path class="zero" d=${`M ${at(0)} 0 V ${HEIGHT}`} />
      <path class="whisker" d=${`M ${at(low)} ${middle} H ${at(high)} M ${at(low)} 2 V ${HEIGHT - 2} M ${at(high)} 2 V ${HEIGHT - 2}`} />
    `}
  </svg>`;
}

/** A category is named once, not level by level. */
const groupName = (names: readonly string[]): string => (names.length > 1 ? (names[0] ?? '').split('.', 1)[0]! : (names[0] ?? ''));

/** Pixels by squares, row by row; those at the right and lower edge may be smaller. */
function squares({ inputShape }: Dataset): number[][] {
  const [height = 1, width = 1, channels = 1] = inputShape;
  const across = Math.ceil(width / SIDE);
  const groups: number[][] = Array.from({ length: across * Math.ceil(height / SIDE) }, () => []);
  for (let i = 0; i < height * width * channels; i++) {
    const pixel = Math.floor(i / channels);
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    groups[Math.floor(row / SIDE) * across + Math.floor(column / SIDE)]!.push(i);
  }
  return groups;
}

type Square = (fromRow: string, toRow: string, fromColumn: string, toColumn: string) => string;

function squareName({ inputShape }: Dataset, members: readonly number[], write: Square): string {
  const [, width = 1, channels = 1] = inputShape;
  const pixels = [members[0]!, members.at(-1)!].map((i) => Math.floor(i / channels));
  const [from, to] = pixels.map((pixel) => [Math.floor(pixel / width), pixel % width]) as [[number, number], [number, number]];
  return write(String(from[0]), String(to[0]), String(from[1]), String(to[1]));
}

function namesOf(test: Dataset, columns: readonly ColumnImportance[], write: Square): string[] {
  const names: string[] = [];
  for (const { columns: members } of columns) for (const index of members) names[index] = squareName(test, members, write);
  return names;
}

function mapOf({ inputShape }: Dataset, columns: readonly ColumnImportance[]): Values {
  const values = new Float32Array(inputShape.reduce((product, length) => product * length, 1));
  for (const { columns: members, importance } of columns) for (const index of members) values[index] = importance.value;
  return { shape: inputShape, values };
}
