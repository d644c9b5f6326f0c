import type { ExplainSummary, MapSummary } from './explain-task.ts';
import { digits, escaped, reportPage } from './report-page.ts';

/** A page that holds everything it shows: the picture, what each map says and does not say, the evaluation, and the JSON to make it again. */
export function explainReport(summary: ExplainSummary, picture: Uint8Array): string {
  const { classes, prediction, probabilities, label, data, index, maps } = summary;
  const nameOf = (of: number): string => escaped(classes[of] ?? String(of));
  const share = (100 * (probabilities[prediction] as number)).toFixed(1);
  const verdict = label === null ? '' : label === prediction ? ', which is right' : `, which is wrong: it is <b>${nameOf(label)}</b>`;
  const image = `data:image/png;base64,${Buffer.from(picture).toString('base64')}`;
  const spoken = maps.map((map) => `${map.title}: ${places(map)}`).join('; ');
  return reportPage(
    `Example ${index} of ${data}, explained`,
    `<h1>Why ${nameOf(prediction)}?</h1>
<p>Example ${index} of the test set of ${escaped(data)}. The network says <b>${nameOf(prediction)}</b> with ${share} %${verdict}.
<span class="quiet">${summary.step === null ? 'Weights from a file' : `Training step ${summary.step}`}, seed ${summary.seed}, adapter ${escaped(summary.adapter)}.</span></p>
<img src="${image}" alt="${escaped(`The input and ${maps.length} maps. Strongest elements: ${spoken}`)}">
<h2>What each map says, and what it does not</h2>
<div class="wide"><table>
<thead><tr><th>Method</th><th>Class</th><th>It answers</th><th>It does not show</th><th>Strongest</th><th class="number">Sum</th><th class="number">Gap</th><th class="number">ms</th></tr></thead>
<tbody>
${maps.map((map) => row(map, nameOf)).join('\n')}
</tbody>
</table></div>
${leftOutSection(summary)}
${evaluationSection(summary)}
<h2>To make it again</h2>
<details><summary>Everything as JSON</summary><pre>${escaped(compactJson(summary))}</pre></details>`,
  );
}

/** JSON with a line to each map. */
function compactJson({ maps, evaluation, ...rest }: ExplainSummary): string {
  const lines = Object.entries(rest).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  lines.push(`"maps": [\n${maps.map((map) => `  ${JSON.stringify(map)}`).join(',\n')}\n]`);
  if (evaluation) lines.push(`"evaluation": ${JSON.stringify(evaluation)}`);
  return `{\n${lines.join(',\n')}\n}`;
}

const places = ({ top }: MapSummary): string =>
  top
    .slice(0, 3)
    .map(({ at, name, value }) => `${name ?? `[${at.join(', ')}]`} ${digits(value)}`)
    .join(', ');

function row(map: MapSummary, nameOf: (index: number) => string): string {
  const gap = map.delta === undefined ? '<span class="quiet">none promised</span>' : digits(map.delta);
  return `<tr><th>${escaped(map.title)}</th><td>${nameOf(map.target)}</td><td>${escaped(map.question)}</td><td>${escaped(map.caveat)}</td><td>${escaped(places(map))}</td><td class="number">${digits(map.sum)}</td><td class="number">${gap}</td><td class="number">${map.milliseconds.toFixed(0)}</td></tr>`;
}

/** Methods that this network does not allow. */
function leftOutSection({ notApplicable }: ExplainSummary): string {
  if (notApplicable.length === 0) return '';
  const items = notApplicable.map(({ title, why }) => `<li><b>${escaped(title)}</b>: ${escaped(why)}</li>`);
  return `<h2>What does not apply</h2>\n<ul>${items.join('')}</ul>`;
}

/** What was found, in sentences; then every score, with the controls below. */
function evaluationSection({ evaluation, maps }: ExplainSummary): string {
  if (!evaluation) return '';
  const { rows, metrics, ranking, verdict, examples } = evaluation;
  const titles = new Map(maps.map(({ method, title }) => [method, title]));
  const titleOf = (method: string): string => escaped(titles.get(method) ?? method);
  const better = new Map(rows.map(({ metric, better: way }) => [metric, way]));
  const controls = [...new Set(rows.filter(({ control }) => control).map(({ method }) => method))];
  const cell = (method: string, metric: string): string => {
    const row = rows.find((each) => each.method === method && each.metric === metric);
    if (!row || row.mean === null) return '<td class="number quiet">–</td>';
    const error = row.standardError === null ? '' : `<br><span class="quiet">± ${Number(row.standardError.toPrecision(2))}</span>`;
    return `<td class="number">${digits(row.mean)}${error}</td>`;
  };
  const line = (method: string, place: string): string =>
    `<tr><td class="number">${place}</td><th>${titleOf(method)}</th>${metrics.map((metric) => cell(method, metric)).join('')}</tr>`;
  return `<h2>Which to believe</h2>
<ul>${verdict.map(({ text }) => `<li>${escaped(text)}</li>`).join('')}</ul>
<p class="quiet">Scored on ${examples} examples, this one first; mean ± standard error. Below the line are negative controls: maps that explain nothing.</p>
<div class="wide"><table>
<thead><tr><th class="number">Rank</th><th>Method</th>${metrics.map((metric) => `<th class="number">${escaped(metric)} <span class="quiet">${better.get(metric) === 'higher' ? '↑ higher' : '↓ lower'} is better</span></th>`).join('')}</tr></thead>
<tbody>
${ranking.map(({ method, meanRank }) => line(method, meanRank.toFixed(1))).join('\n')}
</tbody>
<tbody class="controls">
${controls.map((method) => line(method, '')).join('\n')}
</tbody>
</table></div>`;
}
