/**
 * Maps as files. JSON and PNG hold everything that is needed to make them again: the PNG carries the JSON in a text chunk. CSV holds the
 * values, a row each. Loaded with the first file.
 */

import { blueOrange, colorOf, type Limits, limitsOf } from '../../data/index.ts';
import type { Given } from '../given.ts';
import { arrange, extent, indexAt } from '../maps/arrange.ts';
import type { MethodName } from '../session/methods.ts';
import type { MapCard, ShownExample, Snapshot } from '../session/session.ts';
import { valuesOf } from '../session/shown.ts';

export type MapFormat = 'json' | 'png' | 'csv';

/** What a picture says, in the language of the page. */
export interface MapWords {
  readonly input: string;
  readonly pinned: string;
  readonly methods: Readonly<Record<MethodName, string>>;
  readonly class: string;
  readonly output: string;
  readonly baseline: string;
  readonly gap: string;
  readonly step: string;
  number(value: number): string;
}

interface SavedMap {
  readonly method: MethodName;
  readonly options: unknown;
  readonly step: number;
  readonly target: number;
  readonly against: number | null;
  readonly output: number;
  readonly delta: number | null;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface SavedExample {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly label: number | null;
}

interface SavedMaps {
  readonly address: string;
  readonly recipe: unknown;
  readonly journal: unknown;
  readonly example: SavedExample;
  readonly maps: readonly SavedMap[];
  readonly pinned?: { readonly example: SavedExample; readonly maps: readonly SavedMap[] };
}

/** The keyword of the text chunk that holds the JSON. */
export const PNG_KEYWORD = 'vitrine-maps';

/**
 * @param ends where the scale of a method's map ends on screen; its own end where undefined
 * @returns undefined while there is nothing to save
 * @throws VitrineError `device-lost`, `tensor-disposed`
 */
export async function fileOfMaps(
  format: MapFormat,
  snapshot: Snapshot,
  words: MapWords,
  ends: (method: MethodName) => number | undefined,
): Promise<{ readonly blob: Blob; readonly name: string } | undefined> {
  const { example, shown, pinned, test, given } = snapshot;
  if (!example || !shown) return undefined;
  const saved: SavedMaps = {
    address: location.href,
    recipe: given ? recipeOf(given) : shown.settings,
    journal: shown.journal,
    example: savedExample(example),
    maps: await savedMaps(example, snapshot.cards),
    ...(pinned ? { pinned: { example: savedExample(pinned.example), maps: await savedMaps(pinned.example, pinned.cards) } } : {}),
  };
  const json = JSON.stringify(saved);
  const blob =
    format === 'json'
      ? new Blob([json], { type: 'application/json' })
      : format === 'csv'
        ? new Blob([await table(saved, test?.features, test?.classes)], { type: 'text/csv' })
        : await withText(await picture(saved, words, ends, test?.features, test?.classes), PNG_KEYWORD, json);
  return { blob, name: `vitrine-maps-step-${snapshot.step}.${format}` };
}

/** No address says how a trainer that was given was made: its own description does. */
const recipeOf = ({ trainer, dataset }: Given): unknown => ({
  model: trainer.model.spec,
  loss: trainer.loss,
  optimizer: trainer.optimizer,
  batchSize: trainer.batchSize,
  dataset: dataset.name,
});

const savedExample = ({ shape, values, label }: ShownExample): SavedExample => ({
  shape,
  values: Array.from(values),
  label: label ?? null,
});

async function savedMaps(example: ShownExample, cards: readonly MapCard[]): Promise<SavedMap[]> {
  const maps: SavedMap[] = [];
  for (const { method, map } of cards) {
    // A map of the example before belongs to no example that is saved.
    if (!map || map.example !== example.key) continue;
    maps.push({
      method,
      options: map.attribution.options,
      step: map.step,
      target: map.target,
      against: map.against ?? null,
      output: map.output,
      delta: map.delta ?? null,
      shape: example.shape,
      values: Array.from(map.values ?? (await valuesOf(map.attribution.values))),
    });
  }
  return maps;
}

const nameOf = (k: number, classes: readonly string[] | undefined): string => classes?.[k] ?? String(k);

// ---- CSV -------------------------------------------------------------------------------------------------------------------------

/** A row for each value of each map. */
async function table(
  { example, maps, pinned }: SavedMaps,
  features: readonly string[] | undefined,
  classes: readonly string[] | undefined,
): Promise<string> {
  const { unparse } = (await import('papaparse')).default;
  const rows = [{ of: 'chosen', example, maps }, ...(pinned ? [{ of: 'pinned', ...pinned }] : [])].flatMap((part) =>
    part.maps.flatMap(({ method, target, against, step, output, delta, values }) =>
      values.map((value, index) => {
        const [, width, channels = 1] = part.example.shape;
        const pixel = Math.floor(index / channels);
        return {
          example: part.of,
          method,
          class: nameOf(target, classes),
          against: against === null ? '' : nameOf(against, classes),
          step,
          output,
          gap: delta ?? '',
          index,
          ...(width === undefined
            ? { feature: features?.[index] ?? index }
            : { row: Math.floor(pixel / width), column: pixel % width, channel: index % channels }),
          input: part.example.values[index],
          attribution: value,
        };
      }),
    ),
  );
  return `${unparse(rows, { newline: '\n' })}\n`;
}

// ---- PNG -------------------------------------------------------------------------------------------------------------------------

/** In pixels. */
const [MAP, MARGIN, LINE, BAR] = [252, 18, 17, 10];
const FONT = 'system-ui, sans-serif';
const [INK, QUIET, PAPER, SHEET] = ['#1b2027', '#5c6470', '#ffffff', '#f4f3ef'];

interface Tile {
  readonly title: string;
  readonly lines: readonly string[];
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Ink on paper; a diverging map otherwise. */
  readonly ink: boolean;
  readonly limits: Limits;
}

/** The maps side by side, each with its colour bar, the ends of its scale, method, class and step; the pinned example's below. */
async function picture(
  saved: SavedMaps,
  words: MapWords,
  ends: (method: MethodName) => number | undefined,
  features: readonly string[] | undefined,
  classes: readonly string[] | undefined,
): Promise<Blob> {
  // What is off screen has no end there; a pinned map shares the scale of the chosen one's, here as there.
  const all = [...saved.maps, ...(saved.pinned?.maps ?? [])];
  const ownEnd = ({ values }: SavedMap): number => limitsOf(Float32Array.from(values), blueOrange)[1];
  const endOf = (method: MethodName): number => ends(method) ?? Math.max(...all.filter((map) => map.method === method).map(ownEnd));
  const rows = [
    tilesOf(saved, '', words, endOf, classes),
    ...(saved.pinned ? [tilesOf(saved.pinned, `${words.pinned}: `, words, endOf, classes)] : []),
  ];
  const lines = Math.max(...rows.flat().map((tile) => tile.lines.length));
  const [across, down] = [MAP + MARGIN, 2 * LINE + MAP + BAR + LINE + 8 + lines * LINE + MARGIN];
  const canvas = new OffscreenCanvas(MARGIN + across * Math.max(...rows.map(({ length }) => length)), MARGIN + down * rows.length);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.fillStyle = PAPER;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.textBaseline = 'middle';
  for (const [y, tiles] of rows.entries()) {
    for (const [x, tile] of tiles.entries()) drawTile(context, tile, MARGIN + across * x, MARGIN + down * y, words, features);
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

function tilesOf(
  { example, maps }: { readonly example: SavedExample; readonly maps: readonly SavedMap[] },
  prefix: string,
  words: MapWords,
  endOf: (method: MethodName) => number,
  classes: readonly string[] | undefined,
): Tile[] {
  const { shape, values, label } = example;
  const image = shape.length > 1;
  const input: Tile = {
    title: prefix + words.input,
    lines: label === null ? [] : [`${words.class} ${nameOf(label, classes)}`],
    shape,
    values,
    ink: image,
    limits: image ? [0, 1] : limitsOf(Float32Array.from(values), blueOrange),
  };
  return [
    input,
    ...maps.map((map): Tile => {
      const { baseline, samples, steps } = map.options as {
        readonly baseline?: unknown;
        readonly samples?: number;
        readonly steps?: number;
      };
      const n = samples ?? steps;
      const end = endOf(map.method);
      const of = map.against === null ? nameOf(map.target, classes) : `${nameOf(map.target, classes)} − ${nameOf(map.against, classes)}`;
      return {
        title: prefix + words.methods[map.method],
        lines: [
          `${words.class} ${of} · ${words.step} ${map.step}`,
          `${words.output} ${words.number(map.output)}${n === undefined ? '' : ` · n ${n}`}`,
          [
            ...(typeof baseline === 'number' || typeof baseline === 'string' ? [`${words.baseline} ${baseline}`] : []),
            ...(map.delta === null ? [] : [`${words.gap} ${words.number(map.delta)}`]),
          ].join(' · '),
        ].filter((line) => line !== ''),
        shape: map.shape,
        values: map.values,
        ink: false,
        limits: [-end, end],
      };
    }),
  ];
}

function drawTile(
  context: OffscreenCanvasRenderingContext2D,
  { title, lines, shape, values, ink, limits }: Tile,
  x: number,
  y: number,
  words: MapWords,
  features: readonly string[] | undefined,
): void {
  const write = (text: string, left: number, top: number, style: string, align: CanvasTextAlign = 'left', weight = 400): void => {
    context.font = `${weight} 13px ${FONT}`;
    context.fillStyle = style;
    context.textAlign = align;
    context.fillText(text, left, top, MAP);
  };
  write(title, x, y + LINE / 2, INK, 'left', 600);
  const top = y + LINE + 4;
  if (shape.length > 1) drawCells(context, shape, values, ink, limits, x, top);
  else drawBars(context, values, limits, x, top, features);
  const bar = top + MAP + 6;
  if (!ink) {
    for (let i = 0; i < MAP; i++) {
      const [r, g, b] = colorOf(limits[0] + ((limits[1] - limits[0]) * (i + 0.5)) / MAP, blueOrange, limits);
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.fillRect(x + i, bar, 1, BAR);
    }
    write(words.number(limits[0]), x, bar + BAR + LINE / 2 + 2, INK);
    write('0', x + MAP / 2, bar + BAR + LINE / 2 + 2, INK, 'center');
    write(`+${words.number(limits[1])}`, x + MAP, bar + BAR + LINE / 2 + 2, INK, 'right');
  }
  for (const [i, line] of lines.entries()) write(line, x, bar + BAR + LINE + 8 + LINE * (i + 0.5), QUIET);
}

/** Whole pixels a cell, so that every value has its colour. */
function drawCells(
  context: OffscreenCanvasRenderingContext2D,
  shape: readonly number[],
  values: readonly number[],
  ink: boolean,
  limits: Limits,
  x: number,
  y: number,
): void {
  const arranged = arrange(shape);
  const { width, height } = extent(arranged);
  const cell = Math.max(1, Math.floor(MAP / Math.max(width, height)));
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const index = indexAt(arranged, { x: column, y: row });
      if (index === undefined) continue;
      const value = values[index]!;
      const grey = Math.round(255 * (1 - Math.min(1, Math.max(0, value))));
      const [r, g, b] = ink ? [grey, grey, grey] : colorOf(value, blueOrange, limits);
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.fillRect(x + column * cell, y + row * cell, cell, cell);
    }
  }
}

/** A row of a table: a bar a column, to the right of the middle for what is above 0. */
function drawBars(
  context: OffscreenCanvasRenderingContext2D,
  values: readonly number[],
  limits: Limits,
  x: number,
  y: number,
  features: readonly string[] | undefined,
): void {
  context.fillStyle = SHEET;
  context.fillRect(x, y, MAP, MAP);
  const [height, end] = [MAP / values.length, Math.max(1e-30, limits[1])];
  values.forEach((value, i) => {
    const length = (Math.min(end, Math.max(-end, value)) / end) * (MAP / 4);
    const [r, g, b] = colorOf(value, blueOrange, limits);
    context.fillStyle = `rgb(${r} ${g} ${b})`;
    context.fillRect(x + (3 * MAP) / 4 + Math.min(0, length), y + i * height + 0.5, Math.abs(length), Math.max(1, height - 1));
    context.font = `400 ${Math.min(12, height)}px ${FONT}`;
    context.fillStyle = INK;
    context.textAlign = 'left';
    context.fillText(features?.[i] ?? String(i), x + 2, y + (i + 0.5) * height, MAP / 2 - 4);
  });
}

/**
 * Puts a text into a PNG, as an iTXt chunk (UTF-8, not compressed) after the header.
 *
 * **Source** PNG specification, third edition, 11.3.3.4.
 */
async function withText(png: Blob, keyword: string, text: string): Promise<Blob> {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const content = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(content.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, content.length - 4);
  chunk.set(content, 4);
  view.setUint32(4 + content.length, crc32(content));
  // Eight bytes of signature, then IHDR: length, name, 13 bytes, check.
  const header = 8 + 12 + 13;
  return new Blob([bytes.subarray(0, header), chunk, bytes.subarray(header)], { type: 'image/png' });
}

/** **Source** PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
