/** The drawings of the reports: each stands in its page, and as an SVG file of its own. */

import type { TreeNode } from '../explain/global/decision-tree.ts';
import type { CkaResult, CurveResult, ImportanceResult, PlainTree } from './global-task.ts';
import type { InspectedLayer, InspectedTensor } from './inspect-task.ts';
import { digits, escaped } from './report-page.ts';

export interface Drawing {
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** What it shows, for whoever does not see it. */
  readonly label: string;
  /** SVG elements, coloured by the classes of the report's style. */
  readonly body: string;
}

/** For a page that has the report's style. */
export const inlineSvg = ({ width, height, label, body }: Drawing): string =>
  `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">${body}</svg>`;

const EDGE = 16;
const light = { ink: '#1c1e26', quiet: '#646a78', line: '#d9dce3', paper: '#ffffff', mark: '#2a5fa8' };
const dark = { ink: '#e6e8ee', quiet: '#9aa1b1', line: '#343946', paper: '#14161c', mark: '#82b1f2' };

const coloured = ({ ink, quiet, line, paper, mark }: typeof light): string =>
  `text{fill:${ink}}.quiet{fill:${quiet}}.line{stroke:${line}}.mark{fill:${mark}}.curve{stroke:${mark}}.edge{stroke:${quiet}}.whisker{stroke:${ink}}` +
  `.box{fill:${paper};stroke:${quiet}}.paper,text.over{fill:${paper}}`;

/** A file that holds its own style, on its own paper: plain colours for programs that know no more, dark where the reader's screen is. */
export function svgFile({ width, height, label, body }: Drawing): string {
  const [wide, high] = [width + 2 * EDGE, height + 2 * EDGE];
  const still = `text{font:12px Inter,"Helvetica Neue",Helvetica,Arial,sans-serif}.curve,.edge{fill:none}.curve{stroke-width:1.5}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-EDGE} ${-EDGE} ${wide} ${high}" width="${wide}" height="${high}" role="img" aria-label="${escaped(label)}">
<title>${escaped(label)}</title>
<style>${still}${coloured(light)}@media (prefers-color-scheme: dark){${coloured(dark)}}</style>
<rect class="paper" x="${-EDGE}" y="${-EDGE}" width="${wide}" height="${high}"/>
${body}
</svg>
`;
}

/** So many characters at most. */
const clipped = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** Two digits; nothing of what is below half a thousandth. */
const short = (value: number): string => (Math.abs(value) < 5e-4 ? '0' : String(Number(value.toPrecision(2))).replace('-', '−'));

const place = (value: number, from: number, to: number, length: number): number =>
  to > from ? ((value - from) / (to - from)) * length : length / 2;

/** Bars with intervals, in the order given. */
export function importanceBars(columns: ImportanceResult['columns']): Drawing {
  const high = Math.max(1e-30, ...columns.map(({ importance }) => importance.high));
  const low = Math.min(0, ...columns.map(({ importance }) => importance.low));
  const at = (value: number): number => 190 + (420 * (value - low)) / (high - low);
  const row = 20;
  const bars = columns.map(({ names, importance }, i) => {
    const y = i * row + row / 2;
    const [from, to] = [Math.min(at(0), at(importance.value)), Math.max(at(0), at(importance.value))];
    return (
      `<text x="180" y="${y + 4}" text-anchor="end">${escaped(clipped(names.join(', '), 30))}</text>` +
      `<rect class="mark" x="${from.toFixed(1)}" y="${y - 6}" width="${(to - from).toFixed(1)}" height="12"/>` +
      `<path class="whisker" d="M${at(importance.low).toFixed(1)} ${y}H${at(importance.high).toFixed(1)}"/>` +
      `<text class="quiet" x="620" y="${y + 4}">${digits(importance.value)}</text>`
    );
  });
  const spoken = columns.slice(0, 3).map(({ names, importance }) => `${names.join(', ')} ${digits(importance.value)}`);
  return {
    width: 700,
    height: row * columns.length + 4,
    label: `Largest: ${spoken.join('; ')}`,
    body: `${bars.join('')}<path class="line" d="M${at(0).toFixed(1)} 0V${row * columns.length}"/>`,
  };
}

/** A cell that is the darker the larger its number, which is written in it. */
function numberCell(value: number, most: number, x: number, y: number, size: readonly [number, number], text: string): string {
  const strength = Math.abs(value) / most;
  const [width, height] = size;
  return (
    `<rect class="mark" fill-opacity="${strength.toFixed(3)}" x="${x}" y="${y}" width="${width - 1}" height="${height - 1}"/>` +
    `<text${strength > 0.55 ? ' class="over"' : ''} x="${x + width / 2}" y="${y + height / 2 + 4}" text-anchor="middle">${text}</text>`
  );
}

/** Patches of an image, darker where more is missed. */
export function patchMap([down, across]: readonly [number, number], values: readonly number[]): Drawing {
  const most = Math.max(1e-30, ...values.map(Math.abs));
  const cell = 48;
  const cells = values.map((value, i) =>
    numberCell(value, most, (i % across) * cell, Math.floor(i / across) * cell, [cell, cell], short(value)),
  );
  return { width: across * cell, height: down * cell, label: 'Importance of each patch of the image', body: cells.join('') };
}

const CURVE = [240, 132] as const;

/** One line, with its name and the limits of both axes. */
export function curveDrawing({ name, x, y }: CurveResult): Drawing {
  const [left, right] = [Math.min(...x), Math.max(...x)];
  const [low, high] = [Math.min(...y), Math.max(...y)];
  const points = x.map(
    (value, i) => `${(place(value, left, right, 220) + 10).toFixed(1)},${(104 - place(y[i] as number, low, high, 66)).toFixed(1)}`,
  );
  return {
    width: CURVE[0],
    height: CURVE[1],
    label: `${name}: from ${digits(y[0] as number)} at ${digits(left)} to ${digits(y.at(-1) as number)} at ${digits(right)}`,
    body:
      `<text x="10" y="12">${escaped(clipped(name, 36))}</text><text class="quiet" x="10" y="26">${digits(low)} to ${digits(high)}</text>` +
      `<path class="line" d="M10 109H230"/><polyline class="curve" points="${points.join(' ')}"/>` +
      `<text class="quiet" x="10" y="124">${digits(left)}</text><text class="quiet" x="230" y="124" text-anchor="end">${digits(right)}</text>`,
  };
}

/** All curves on one sheet, under a title. */
export function curveSheet(title: string, curves: readonly CurveResult[]): Drawing {
  const across = Math.min(4, curves.length);
  const [width, height] = [CURVE[0] + 16, CURVE[1] + 16];
  const parts = curves.map(
    (curve, i) =>
      `<g transform="translate(${(i % across) * width} ${Math.floor(i / across) * height + 28})">${curveDrawing(curve).body}</g>`,
  );
  return {
    width: Math.max(420, across * width),
    height: Math.ceil(curves.length / across) * height + 28,
    label: title,
    body: `<text x="10" y="12" font-weight="600">${escaped(title)}</text>${parts.join('')}`,
  };
}

/** Likeness of every pair of layers. */
export function ckaMatrix({ layers, values }: CkaResult): Drawing {
  const [left, top, cell] = [180, 20, 56] as const;
  const rows = values.map((row, i) => {
    const y = top + i * cell;
    const name = `<text x="${left - 10}" y="${y + cell / 2 + 4}" text-anchor="end">${i + 1} ${escaped(clipped(layers[i] ?? '', 26))}</text>`;
    return name + row.map((value, k) => numberCell(value, 1, left + k * cell, y, [cell, cell], value.toFixed(3))).join('');
  });
  const heads = layers.map((_, k) => `<text class="quiet" x="${left + (k + 0.5) * cell}" y="12" text-anchor="middle">${k + 1}</text>`);
  return {
    width: left + layers.length * cell,
    height: top + layers.length * cell,
    label: `Linear CKA of ${layers.length} layers`,
    body: heads.join('') + rows.join(''),
  };
}

/** A tree from left to right: questions in boxes, yes above and no below, and at its leaves the class with the share of it. */
export function treeDrawing({ root, features, classes }: PlainTree): Drawing {
  const [column, row, box] = [208, 30, 148] as const;
  let leaves = 0;
  let deepest = 0;
  const parts: string[] = [];
  const draw = (node: TreeNode): number => {
    const x = node.depth * column;
    deepest = Math.max(deepest, node.depth);
    const { split, left, right } = node;
    if (!split || !left || !right) {
      const y = leaves++ * row + row / 2;
      const rows = node.rows + node.queries;
      const own = node.counts[node.prediction] ?? 0;
      const share = rows > 0 ? own / rows : 0;
      parts.push(
        `<rect class="line" fill="none" x="${x + 0.5}" y="${y - 3.5}" width="40" height="7"/>` +
          `<rect class="mark" x="${x + 1}" y="${y - 3}" width="${(39 * share).toFixed(1)}" height="6"/>` +
          `<text x="${x + 48}" y="${y + 4}" font-weight="600">${escaped(clipped(classes[node.prediction] ?? String(node.prediction), 14))}</text>` +
          `<text class="quiet" x="${x + column - 8}" y="${y + 4}" text-anchor="end">${own} of ${rows}</text>`,
      );
      return y;
    }
    const [above, below] = [draw(left), draw(right)];
    const y = (above + below) / 2;
    const from = x + box;
    const bend = from + 22;
    parts.push(
      `<path class="edge" d="M${from} ${y}H${bend}V${above}H${x + column - 4}M${bend} ${y}V${below}H${x + column - 4}"/>` +
        `<text class="quiet" x="${bend + 4}" y="${above - 3}">yes</text><text class="quiet" x="${bend + 4}" y="${below - 3}">no</text>` +
        `<rect class="box" x="${x + 0.5}" y="${y - 11.5}" width="${box - 1}" height="23" rx="4"/>` +
        `<text x="${x + box / 2}" y="${y + 4}" text-anchor="middle">${escaped(clipped(features[split.feature] ?? String(split.feature), 15))} ≤ ${short(split.threshold)}</text>`,
    );
    return y;
  };
  draw(root);
  return {
    width: deepest * column + column,
    height: leaves * row,
    label: `A tree ${deepest} questions deep with ${leaves} leaves`,
    body: parts.join(''),
  };
}

/** Counts as bars, with the limits and 0 below them. */
export function histogramDrawing({ name, histogram }: InspectedTensor): Drawing | undefined {
  if (!histogram || histogram.from === null || histogram.to === null) return undefined;
  const { counts, from, to } = histogram;
  const most = Math.max(1, ...counts);
  const step = 220 / counts.length;
  const bars = counts.map((count, i) => {
    const height = (62 * count) / most;
    return `<rect class="mark" x="${(i * step).toFixed(2)}" y="${(64 - height).toFixed(2)}" width="${Math.max(0.5, step * 0.88).toFixed(2)}" height="${height.toFixed(2)}"/>`;
  });
  const zero = place(0, from, to, 220);
  const inside = from < 0 && to > 0;
  const tick = inside ? `<path class="whisker" d="M${zero.toFixed(1)} 61V69"/>` : '';
  const named = inside && zero > 45 && zero < 175 ? `<text class="quiet" x="${zero.toFixed(1)}" y="80" text-anchor="middle">0</text>` : '';
  return {
    width: 220,
    height: 84,
    label: `${name}: ${counts.reduce((a, b) => a + b, 0)} values from ${digits(from)} to ${digits(to)}, at most ${most} in one of ${counts.length} bins`,
    body:
      `${bars.join('')}<path class="line" d="M0 64.5H220"/>${tick}${named}` +
      `<text class="quiet" x="0" y="80">${digits(from)}</text><text class="quiet" x="220" y="80" text-anchor="end">${digits(to)}</text>`,
  };
}

/** Layers from the input down to the output, with the shapes on the arrows. */
export function networkDiagram(inputShape: readonly number[], layers: readonly InspectedLayer[]): Drawing {
  const [width, box, gap] = [300, 44, 34] as const;
  const shapeOf = (shape: readonly number[]): string => shape.join(' × ');
  const end = (text: string, y: number): string =>
    `<rect class="box" x="90.5" y="${y + 0.5}" width="119" height="25" rx="13"/><text x="150" y="${y + 17}" text-anchor="middle">${text}</text>`;
  const arrow = (y: number, shape: readonly number[]): string =>
    `<path class="edge" d="M150 ${y + 2}V${y + gap - 3}M146 ${y + gap - 8}L150 ${y + gap - 3}L154 ${y + gap - 8}"/><text class="quiet" x="160" y="${y + gap / 2 + 4}">${shapeOf(shape)}</text>`;
  const parts = [end('input', 0)];
  let y = 26;
  layers.forEach(({ name, kind, activation, parameters, inputShape: goesIn }) => {
    parts.push(arrow(y, goesIn));
    y += gap;
    const learns = parameters > 0 ? `${parameters.toLocaleString('en')} parameters` : 'no parameters';
    parts.push(
      `<rect class="box" x="20.5" y="${y + 0.5}" width="259" height="${box - 1}" rx="4"/>` +
        `<text x="150" y="${y + 19}" text-anchor="middle" font-weight="600">${escaped(clipped(name, 34))}</text>` +
        `<text class="quiet" x="150" y="${y + 35}" text-anchor="middle">${escaped([kind, activation, learns].filter(Boolean).join(', '))}</text>`,
    );
    y += box;
  });
  parts.push(arrow(y, layers.at(-1)?.outputShape ?? inputShape), end('output', y + gap));
  return {
    width,
    height: y + gap + 27,
    label: `From the input, ${shapeOf(inputShape)}, through ${layers.map(({ name }) => name).join(', ')} to the output`,
    body: parts.join(''),
  };
}
