/** Tables, and data that a visitor brings: a CSV table, or IDX images with their labels. It stays in the page: an address names it by its hash only. */

import {
  clauses,
  type Dataset,
  imageDataset,
  loadBreastCancer,
  loadGermanCredit,
  parseTable,
  readIdx,
  split,
  standardise,
} from '../../data/index.ts';
import { VitrineError } from '../../engine/index.ts';
import type { KnownData } from '../settings.ts';
import type { TrainingData } from '../training.ts';

/** A larger file would not fit beside its copy on the GPU. */
const MOST_BYTES = 512 * 2 ** 20;
const HELD_OUT = 0.2;
/** Columns that name the class of a row, in the order in which they are looked for; the last column where there is none. */
const LABELS = ['label', 'class', 'target', 'diagnosis', 'y', 'species'];

/**
 * @throws VitrineError `limit-exceeded` for a file that is too large, before it is read; what the readers throw, such as `bad-file`;
 * `invalid-option` where the files are of no known kind
 */
export async function readOwnData(files: readonly File[]): Promise<{ readonly name: `own:${string}`; readonly data: TrainingData }> {
  for (const file of files) {
    if (file.size <= MOST_BYTES) continue;
    throw new VitrineError(
      'limit-exceeded',
      `${file.name} has ${bytes(file.size)} bytes; the page reads files of at most ${bytes(MOST_BYTES)}.`,
      'give a part of it.',
      { file: file.name, bytes: file.size, limit: MOST_BYTES },
    );
  }
  const tables = files.filter(({ name }) => /\.(csv|tsv|txt)$/i.test(name));
  const dataset = tables[0] ? await table(tables[0]) : await images(files);
  const name = `own:${await hashOf(dataset)}` as const;
  const parts = split(dataset, { fraction: HELD_OUT, stratified: dataset.labels !== undefined, seed: 0 });
  return { name, data: dataset.inputShape.length === 1 ? standardise(parts) : parts };
}

/**
 * A table of the page, a quarter of its rows held out for the test, scaled by the rest (a category's columns of 0 and 1, too); or clauses, which are made
 * up at once.
 */
export async function loadKnown(data: Exclude<KnownData, 'mnist'>): Promise<TrainingData> {
  if (data === 'clauses') return clauses();
  const table = data === 'german-credit' ? await loadGermanCredit() : await loadBreastCancer();
  return standardise(split(table, { fraction: 0.25, stratified: true, seed: 0 }));
}

async function table(file: File): Promise<Dataset> {
  const text = await file.text();
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length < 2 || !/[,;\t]/.test(lines[0]!)) {
    throw new VitrineError(
      'bad-file',
      `${file.name} is no table: a table has a first row of column names, and rows of at least two cells.`,
      'give a CSV with a header, IDX images with their labels, or images.',
      { table: file.name },
    );
  }
  const header = (text.split(/\r?\n/, 1)[0] ?? '').split(/[,;\t]/).map((cell) => cell.trim().replaceAll('"', ''));
  const label = LABELS.map((wanted) => header.find((column) => column.toLowerCase() === wanted)).find(Boolean) ?? header.at(-1) ?? '';
  return parseTable(text, { name: file.name, label });
}

async function images(files: readonly File[]): Promise<Dataset> {
  const read = await Promise.all(files.map(async (file) => ({ file, idx: await readIdx(file, file.name) })));
  const pictures = read.find(({ idx }) => idx.shape.length >= 3);
  const labels = read.find(({ idx }) => idx.shape.length === 1);
  if (!pictures || !labels) {
    throw new VitrineError(
      'invalid-option',
      `${files.map(({ name }) => name).join(', ')}: one file of images and one of labels are needed.`,
      'drop both IDX files together, or one CSV table with a header.',
      { files: files.map(({ name }) => name) },
    );
  }
  return imageDataset({ name: pictures.file.name, images: pictures.idx, labels: labels.idx });
}

const bytes = (count: number): string => count.toLocaleString('en-US');

/** Eight hexadecimal digits of its values. */
async function hashOf({ inputs, labels }: Dataset): Promise<string> {
  const digests = await Promise.all(
    [inputs, labels ?? new Uint8Array()].map((values) =>
      crypto.subtle.digest('SHA-256', new Uint8Array(values.buffer, values.byteOffset, values.byteLength) as Uint8Array<ArrayBuffer>),
    ),
  );
  const found = digests.flatMap((digest) => Array.from(new Uint8Array(digest, 0, 2)));
  return found.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
