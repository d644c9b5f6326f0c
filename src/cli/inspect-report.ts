import { basename } from 'node:path';
import { type Drawing, histogramDrawing, inlineSvg, networkDiagram, svgFile } from './drawings.ts';
import type { InspectedTensor, Inspection, InspectResult } from './inspect-task.ts';
import { digits, escaped, reportPage } from './report-page.ts';

/** What `npm run inspect` writes, by the names of the files: the pictures, the diagram, and the report that holds them all. */
export function inspectionFiles(model: string, result: InspectResult): Record<string, Uint8Array | string> {
  const pictures = Object.fromEntries(Object.entries(result.pictures).map(([name, png]) => [`${name}.png`, png]));
  return {
    ...pictures,
    'network.svg': svgFile(diagramOf(result.inspection)),
    'network.mmd': result.mermaid,
    'inspection.html': inspectionReport(model, result),
  };
}

const diagramOf = ({ inputShape, layers }: Inspection): Drawing => networkDiagram(inputShape, layers);

/** A heading and a sentence to each picture; those of one kind are numbered. */
const PICTURES: readonly (readonly [name: string, title: string, says: string])[] = [
  [
    'first-layer',
    'What the first layer looks for',
    'The weights of each unit of the first layer, at the place of the pixel that they belong to: a bright pixel excites the unit where it is orange, and holds it back where it is blue. It does not show what later layers make of it.',
  ],
  [
    'input-importance',
    'Which inputs are taken up',
    'Σ|w| of each input over the units of the first layer. A large sum on an input that never varies does nothing.',
  ],
  [
    'weights',
    'Every weight',
    'A cell a weight. Stripes are units, or inputs, that are alike or dead; a speckle without pattern is what was drawn at the start.',
  ],
];

/** A page that holds everything it shows. */
export function inspectionReport(model: string, { inspection, mermaid, pictures }: InspectResult): string {
  const { inputShape, parameters, bytes, layers, tensors, adapter } = inspection;
  const name = basename(model);
  const rows = layers.map(
    ({ name, kind, activation, inputShape, outputShape, parameters }) =>
      `<tr><th>${escaped(name)}</th><td>${escaped([kind, activation].filter(Boolean).join(', '))}</td><td>${inputShape.join(' × ')}</td><td>${outputShape.join(' × ')}</td><td class="number">${parameters.toLocaleString('en')}</td></tr>`,
  );
  const sections = PICTURES.flatMap(([key, title, says]) => {
    const drawn = Object.entries(pictures).filter(([each]) => each === key || each.startsWith(`${key}-`));
    if (drawn.length === 0) return [];
    const images = drawn.map(([each, png]) => {
      const source = `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
      return `<img src="${source}" width="${widthOf(png) / 2}" alt="${escaped(`${title}: ${each}.png`)}">`;
    });
    return [`<h2>${title}</h2><p>${says}</p>${images.join('\n')}`];
  });
  return reportPage(
    `What ${name} has learned`,
    `<h1>What has this network learned?</h1>
<p>${escaped(name)}: ${parameters.toLocaleString('en')} parameters in ${layers.length} layers, ${bytes.toLocaleString('en')} bytes; an input is ${inputShape.join(' × ')}.
<span class="quiet">Reduced on the adapter ${escaped(adapter)}.</span></p>
<h2>What it is made of</h2>
<div class="beside"><div>${inlineSvg(diagramOf(inspection))}</div>
<div class="wide"><table><thead><tr><th>Layer</th><th>Kind</th><th>Goes in</th><th>Comes out</th><th class="number">Parameters</th></tr></thead>
<tbody>${rows.join('')}</tbody></table>
<details><summary>As a Mermaid flowchart</summary><pre>${escaped(mermaid)}</pre></details></div></div>
<h2>What the weights come to</h2>
<p>A stable rank, ‖W‖²/σ₁², near 1 says that a matrix does one thing only, whatever its size; a norm far from those beside it, or many zeros, that a layer has blown up or died.
How far a step moves the weights is not in a file that holds one moment: <code>record</code> and <code>watchWeights</code> tell it in training.</p>
<div class="wide"><table><thead><tr><th>Parameter</th><th>Its values</th><th class="number">Norm</th><th class="number">Mean ± deviation</th><th class="number">Least</th><th class="number">Greatest</th><th class="number">Zeros</th><th class="number">σ₁</th><th class="number">Stable rank</th></tr></thead>
<tbody>
${tensors.map(tensorRow).join('\n')}
</tbody></table></div>
${sections.join('\n')}
<h2>To make it again</h2>
<details><summary>Everything as JSON</summary><pre>${escaped(JSON.stringify(inspection))}</pre></details>`,
  );
}

/** In pixels, of which the pictures have two to a CSS pixel: the first field of a PNG's header. */
const widthOf = (png: Uint8Array): number => new DataView(png.buffer, png.byteOffset).getUint32(16);

const number = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : digits(value));

function tensorRow(tensor: InspectedTensor): string {
  const { name, shape, norm, mean, deviation, least, greatest, sparsity, notFinite, spectralNorm, stableRank } = tensor;
  const drawing = histogramDrawing(tensor);
  const broken = notFinite > 0 ? `<br><b>${notFinite.toLocaleString('en')} not finite</b>` : '';
  const cells = [
    number(norm),
    `${number(mean)} ± ${number(deviation)}`,
    number(least),
    number(greatest),
    `${digits(100 * sparsity)} %`,
    number(spectralNorm),
    number(stableRank),
  ];
  return `<tr><th>${escaped(name)}<br><span class="quiet">${shape.join(' × ')}</span>${broken}</th><td>${drawing ? inlineSvg(drawing) : '–'}</td>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
}
