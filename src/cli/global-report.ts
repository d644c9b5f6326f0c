import {
  ckaMatrix,
  curveDrawing,
  curveSheet,
  type Drawing,
  importanceBars,
  inlineSvg,
  patchMap,
  svgFile,
  treeDrawing,
} from './drawings.ts';
import type { CkaResult, CurveResult, GlobalSummary, ImportanceResult, TreeResult } from './global-task.ts';
import { digits, escaped, reportPage } from './report-page.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** What the curves follow. */
const logitOf = ({ curvesOf }: GlobalSummary): string => `the logit of ${curvesOf?.name}`;

/** A page with the network's tree, its importances, curves and likenesses. It holds everything that it shows. */
export function globalReport(summary: GlobalSummary): string {
  const { data, examples, accuracy, seed, adapter, notApplicable, units } = summary;
  const logit = logitOf(summary);
  const right = accuracy === null ? '' : ` It is right on ${percent(accuracy)} of them.`;
  return reportPage(
    `The network on ${data}, explained as a whole`,
    `<h1>What does the network go by?</h1>
<p>The first ${examples.toLocaleString('en')} examples of the test set of ${escaped(data)}.${right} <span class="quiet">Seed ${seed}, adapter ${escaped(adapter)}.</span>${units ? ' Values of columns are in standard deviations from the mean of the training rows, as the network gets them.' : ''}</p>
${[
  summary.surrogateTree && treeSection(summary.surrogateTree),
  summary.permutationImportance && importanceSection(summary.permutationImportance),
  summary.partialDependence &&
    curvesSection(
      'Partial dependence',
      `On average over the examples, ${escaped(logit)} with one column set to each value.`,
      summary.partialDependence,
    ),
  summary.accumulatedLocalEffects &&
    curvesSection(
      'Accumulated local effects',
      `How ${escaped(logit)} goes with one column, following the data; the mean is 0.`,
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

const MOST_BARS = 20;

const mostImportant = (columns: ImportanceResult['columns']): ImportanceResult['columns'] =>
  [...columns].sort((a, b) => b.importance.value - a.importance.value);

/** What is drawn in the report, each as an SVG file, by the names of the files. */
export function globalDrawings(summary: GlobalSummary): Record<string, string> {
  const { surrogateTree, permutationImportance, partialDependence, accumulatedLocalEffects, cka } = summary;
  const { columns = [], patches } = permutationImportance ?? {};
  const drawn: Record<string, Drawing | false | undefined> = {
    'surrogate-tree.svg': surrogateTree && treeDrawing(surrogateTree.tree),
    'permutation-importance.svg': permutationImportance && importanceBars(mostImportant(columns).slice(0, MOST_BARS)),
    'permutation-importance-map.svg':
      patches &&
      patchMap(
        patches,
        columns.map(({ importance }) => importance.value),
      ),
    'partial-dependence.svg': partialDependence && curveSheet('Partial dependence', widest(partialDependence)),
    'accumulated-local-effects.svg': accumulatedLocalEffects && curveSheet('Accumulated local effects', widest(accumulatedLocalEffects)),
    'cka.svg': cka && ckaMatrix(cka),
  };
  return Object.fromEntries(Object.entries(drawn).flatMap(([name, drawing]) => (drawing ? [[name, svgFile(drawing)]] : [])));
}

/** A tree that answers no better than whoever always gives the commonest answer. */
function saysNothing({ fidelity, majority }: TreeResult): boolean {
  const last = fidelity.at(-1);
  return last !== undefined && last.heldOut.value <= majority;
}

function treeSection(result: TreeResult): string {
  const { text, fidelity, majority, depth, leaves, mermaid, tree } = result;
  const last = fidelity.at(-1);
  return `<h2>A tree that answers what the network answers</h2>
<p>${depth} questions deep, ${leaves} leaves. On held-out examples it answers as the network does in ${last ? percent(last.heldOut.value) : '–'}
of cases; always giving the network’s commonest class would in ${percent(majority)}.${
    saysNothing(result) ? ' <b>It is no better than that: do not read it as an explanation.</b>' : ''
  } It shows what the decisions go by, not how they are computed.</p>
<div class="wide">${inlineSvg(treeDrawing(tree))}</div>
<details><summary>As text</summary><pre>${escaped(text)}</pre></details>
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
  const sorted = mostImportant(columns);
  return `<h2>What it misses most</h2>
<p>How much the ${escaped(metric)} rises (from ${digits(base)}) when ${patches ? 'a patch of pixels is' : 'a column is'} taken from other examples; with a 95 % interval.</p>
${
  patches
    ? inlineSvg(
        patchMap(
          patches,
          columns.map(({ importance }) => importance.value),
        ),
      )
    : ''
}
${inlineSvg(importanceBars(sorted.slice(0, MOST_BARS)))}`;
}

function curvesSection(title: string, caption: string, curves: readonly CurveResult[]): string {
  return `<h2>${title}</h2><p>${caption} The column that moves it most comes first; each has its own scale.</p><div class="many">${widest(
    curves,
  )
    .map((curve) => inlineSvg(curveDrawing(curve)))
    .join('')}</div>`;
}

function ckaSection(cka: CkaResult): string {
  return `<h2>Which layers say the same</h2><p>Linear CKA: 1 for the same up to a rotation and a scale, 0 for nothing in common.</p><div class="wide">${inlineSvg(ckaMatrix(cka))}</div>`;
}

/** The main findings, a line or two each, for the terminal. */
export function globalBrief(summary: GlobalSummary): string {
  const { surrogateTree: tree, permutationImportance: importance, cka, accuracy, examples, notApplicable } = summary;
  const lines = [`${examples.toLocaleString('en')} examples${accuracy === null ? '' : `, ${percent(accuracy)} right`}`];
  if (summary.units)
    lines.push('Values of columns are in standard deviations from the mean of the training rows, as the network gets them.');
  if (tree) {
    const last = tree.fidelity.at(-1);
    const held = last ? `${percent(last.heldOut.value)} (${percent(last.heldOut.low)} to ${percent(last.heldOut.high)})` : '–';
    lines.push('', `Surrogate tree: fidelity ${held} on held-out examples, majority ${percent(tree.majority)}`, tree.text.trimEnd());
    if (saysNothing(tree)) lines.push('It is no better than always giving the commonest answer: do not read it as an explanation.');
  }
  if (importance) {
    const sorted = mostImportant(importance.columns).slice(0, 5);
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
        `${title} of ${logitOf(summary)}, widest: ${widest(curves)
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
