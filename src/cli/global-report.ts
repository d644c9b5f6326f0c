import type { CkaResult, CurveResult, GlobalSummary, ImportanceResult, TreeResult } from './global-task.ts';
import { digits, escaped, reportPage } from './report-page.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A page with the network's tree, its importances, curves and likenesses. It holds everything that it shows. */
export function globalReport(summary: GlobalSummary): string {
  const { data, examples, accuracy, seed, adapter, notApplicable } = summary;
  const right = accuracy === null ? '' : ` It is right on ${percent(accuracy)} of them.`;
  return reportPage(
    `The network on ${data}, explained as a whole`,
    `<h1>What does the network go by?</h1>
<p>The first ${examples.toLocaleString('en')} examples of the test set of ${escaped(data)}.${right} <span class="quiet">Seed ${seed}, adapter ${escaped(adapter)}.</span></p>
${[
  summary.surrogateTree && treeSection(summary.surrogateTree),
  summary.permutationImportance && importanceSection(summary.permutationImportance),
  summary.partialDependence &&
    curvesSection(
      'Partial dependence',
      'The output on average over the examples, with one column set to each value.',
      summary.partialDependence,
    ),
  summary.accumulatedLocalEffects &&
    curvesSection(
      'Accumulated local effects',
      'How the output goes with one column, following the data; the mean is 0.',
      summary.accumulatedLocalEffects,
    ),
  summary.cka && ckaSection(summary.cka),
  notApplicable.length > 0 &&
    `<h2>What does not apply</h2><ul>${notApplicable.map(({ method, why }) => `<li><b>${method}</b>: ${escaped(why)}</li>`).join('')}</ul>`,
]
  .filter(Boolean)
  .join('\n')}
<h2>To make it again</h2>
<details><summary>Everything as JSON</summary><pre>${escaped(JSON.stringify(summary))}</pre></details>`,
  );
}

function treeSection({ text, fidelity, majority, depth, leaves, mermaid }: TreeResult): string {
  const last = fidelity.at(-1);
  return `<h2>A tree that answers what the network answers</h2>
<p>${depth} questions deep, ${leaves} leaves. On held-out examples it answers as the network does in ${last ? percent(last.heldOut.value) : '–'}
of cases; always giving the network’s commonest class would in ${percent(majority)}. It shows what the decisions go by, not how they are computed.</p>
<pre>${escaped(text)}</pre>
<div class="wide"><table><thead><tr><th class="number">Depth</th><th class="number">Leaves</th><th class="number">Fidelity in training</th><th class="number">Held out, 95 % interval</th></tr></thead>
<tbody>${fidelity
    .map(
      ({ depth: deep, leaves: many, training, heldOut }) =>
        `<tr><td class="number">${deep}</td><td class="number">${many}</td><td class="number">${percent(training)}</td><td class="number">${percent(heldOut.value)} <span class="quiet">${percent(heldOut.low)} to ${percent(heldOut.high)}</span></td></tr>`,
    )
    .join('')}</tbody></table></div>
<details><summary>As a Mermaid flowchart</summary><pre>${escaped(mermaid)}</pre></details>`;
}

function importanceSection(result: ImportanceResult): string {
  const { metric, base, columns, patches } = result;
  const sorted = [...columns].sort((a, b) => b.importance.value - a.importance.value);
  return `<h2>What it misses most</h2>
<p>How much the ${escaped(metric)} rises (from ${digits(base)}) when ${patches ? 'a patch of pixels is' : 'a column is'} taken from other examples; with a 95 % interval.</p>
${
  patches
    ? heatMap(
        patches,
        columns.map(({ importance }) => importance.value),
      )
    : ''
}
${importanceBars(sorted.slice(0, 20))}`;
}

/** Bars with intervals, the largest first. */
export function importanceBars(columns: ImportanceResult['columns']): string {
  const high = Math.max(1e-30, ...columns.map(({ importance }) => importance.high));
  const low = Math.min(0, ...columns.map(({ importance }) => importance.low));
  const at = (value: number): number => 190 + (420 * (value - low)) / (high - low);
  const row = 20;
  const height = row * columns.length + 24;
  const bars = columns.map(({ names, importance }, i) => {
    const y = i * row + row / 2;
    const [from, to] = [Math.min(at(0), at(importance.value)), Math.max(at(0), at(importance.value))];
    return (
      `<text x="180" y="${y + 4}" text-anchor="end">${escaped(names.join(', '))}</text>` +
      `<rect class="mark" x="${from.toFixed(1)}" y="${y - 6}" width="${(to - from).toFixed(1)}" height="12"/>` +
      `<path class="whisker" stroke="currentColor" d="M${at(importance.low).toFixed(1)} ${y}H${at(importance.high).toFixed(1)}"/>` +
      `<text class="quiet" x="620" y="${y + 4}">${digits(importance.value)}</text>`
    );
  });
  const spoken = columns.slice(0, 3).map(({ names, importance }) => `${names.join(', ')} ${digits(importance.value)}`);
  return `<svg viewBox="0 0 700 ${height}" width="700" height="${height}" role="img" aria-label="${escaped(`Largest: ${spoken.join('; ')}`)}">${bars.join('')}<path class="line" d="M${at(0).toFixed(1)} 0V${row * columns.length}"/></svg>`;
}

/** Two digits; nothing of what is below half a thousandth. */
const short = (value: number): string => (Math.abs(value) < 5e-4 ? '0' : String(Number(value.toPrecision(2))).replace('-', '−'));

/** Patches of an image, darker where more is missed; the number is written in each. */
function heatMap([down, across]: readonly [number, number], values: readonly number[]): string {
  const most = Math.max(1e-30, ...values.map(Math.abs));
  const cell = 48;
  const cells = values.map((value, i) => {
    const [row, column] = [Math.floor(i / across), i % across];
    const strength = Math.abs(value) / most;
    return (
      `<rect class="mark" fill-opacity="${strength.toFixed(3)}" x="${column * cell}" y="${row * cell}" width="${cell - 1}" height="${cell - 1}"/>` +
      `<text x="${column * cell + cell / 2}" y="${row * cell + cell / 2 + 4}" text-anchor="middle" style="fill: ${strength > 0.55 ? 'var(--paper)' : 'var(--ink)'}">${short(value)}</text>`
    );
  });
  return `<svg viewBox="0 0 ${across * cell} ${down * cell}" width="${across * cell}" height="${down * cell}" role="img" aria-label="Importance of each patch of the image">${cells.join('')}</svg>`;
}

function curvesSection(title: string, caption: string, curves: readonly CurveResult[]): string {
  return `<h2>${title}</h2><p>${caption} The column that moves it most comes first; each has its own scale.</p><div class="many">${widest(curves).map(curveFigure).join('')}</div>`;
}

function curveFigure({ name, x, y }: CurveResult): string {
  const [left, right] = [Math.min(...x), Math.max(...x)];
  const [low, high] = [Math.min(...y), Math.max(...y)];
  const place = (value: number, from: number, to: number, length: number): number =>
    to > from ? ((value - from) / (to - from)) * length : length / 2;
  const points = x.map(
    (value, i) => `${(place(value, left, right, 220) + 10).toFixed(1)},${(90 - place(y[i] as number, low, high, 80)).toFixed(1)}`,
  );
  return `<figure><figcaption>${escaped(name)} <span class="quiet">${digits(low)} to ${digits(high)}</span></figcaption><svg viewBox="0 0 240 100" width="240" height="100" role="img" aria-label="${escaped(`${name}: from ${digits(y[0] as number)} at ${digits(left)} to ${digits(y.at(-1) as number)} at ${digits(right)}`)}"><path class="line" d="M10 95H230"/><polyline class="curve" points="${points.join(' ')}"/></svg></figure>`;
}

function ckaSection({ layers, values }: CkaResult): string {
  const head = layers.map((layer) => `<th class="number">${escaped(layer)}</th>`).join('');
  const rows = values.map(
    (row, i) =>
      `<tr><th>${escaped(layers[i] ?? '')}</th>${row.map((value) => `<td class="number">${value.toFixed(3)}</td>`).join('')}</tr>`,
  );
  return `<h2>Which layers say the same</h2><p>Linear CKA: 1 for the same up to a rotation and a scale, 0 for nothing in common.</p><div class="wide"><table><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** The main findings, a line or two each, for the terminal. */
export function globalBrief(summary: GlobalSummary): string {
  const { surrogateTree: tree, permutationImportance: importance, cka, accuracy, examples, notApplicable } = summary;
  const lines = [`${examples.toLocaleString('en')} examples${accuracy === null ? '' : `, ${percent(accuracy)} right`}`];
  if (tree) {
    const last = tree.fidelity.at(-1);
    const held = last ? `${percent(last.heldOut.value)} (${percent(last.heldOut.low)} to ${percent(last.heldOut.high)})` : '–';
    lines.push('', `Surrogate tree: fidelity ${held} on held-out examples, majority ${percent(tree.majority)}`, tree.text.trimEnd());
  }
  if (importance) {
    const sorted = [...importance.columns].sort((a, b) => b.importance.value - a.importance.value).slice(0, 5);
    lines.push('', `Permutation importance (${importance.metric} from ${digits(importance.base)}):`);
    for (const {
      names,
      importance: { value, low, high },
    } of sorted)
      lines.push(`  ${names.join(', ')}  +${digits(value)}  [${digits(low)}, ${digits(high)}]`);
  }
  for (const [title, curves] of [
    ['Partial dependence', summary.partialDependence],
    ['Accumulated local effects', summary.accumulatedLocalEffects],
  ] as const) {
    if (curves)
      lines.push(
        '',
        `${title}, widest: ${widest(curves)
          .slice(0, 3)
          .map((curve) => `${curve.name} (${digits(rangeOf(curve))})`)
          .join(', ')}`,
      );
  }
  if (cka) {
    lines.push('', 'Linear CKA:');
    cka.values.forEach((row, i) => {
      lines.push(`  ${row.map((value) => value.toFixed(3)).join('  ')}  ${cka.layers[i]}`);
    });
  }
  for (const { method, why } of notApplicable) lines.push('', `${method} does not apply: ${why}`);
  return lines.join('\n');
}

/** The most moving first. */
const widest = (curves: readonly CurveResult[]): CurveResult[] => [...curves].sort((a, b) => rangeOf(b) - rangeOf(a));

const rangeOf = ({ y }: CurveResult): number => Math.max(...y) - Math.min(...y);
