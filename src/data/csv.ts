import Papa from 'papaparse';
import type { Dataset } from '../engine/dataset.ts';
import { VitrineError } from '../engine/errors.ts';

export interface TableOptions {
  /** Name of the data set, and what to call it in a message. */
  readonly name?: string;
  /** The column that holds the class of each row. */
  readonly label?: string;
  /** Names of the classes, in index order; by default those met, sorted (as numbers when all are). */
  readonly classes?: readonly string[];
  /** Numeric columns to predict, for a regression. */
  readonly targets?: readonly string[];
  /** Numeric columns to learn from; by default all that are neither label nor target. */
  readonly features?: readonly string[];
  /** What separates cells; by default found out. */
  readonly delimiter?: string;
}

/**
 * parseTable: a data set from CSV text whose first row names the columns. Numbers are taken as they are written; see `standardise`.
 *
 * **Shapes** inputs [rows, features] and targets [rows, targets] of float32; labels [rows]. Row 1 of a message is the header.
 *
 * @throws VitrineError `bad-file`: a cell that is not a number (named by row and column), a row with too few or too many cells,
 * a column named twice, an unclosed quote; `empty-dataset`: no rows; `unknown-name`: no such column; `label-out-of-range`: a class
 * that `classes` does not list; `invalid-option`: nothing to learn from
 * **Source** RFC 4180, read by Papa Parse.
 */
export function parseTable(text: string, options: TableOptions = {}): Dataset {
  const { name = 'table' } = options;
  const { header, rows } = readCells(text, name, options.delimiter);
  const column = (wanted: string): number => {
    const index = header.indexOf(wanted);
    if (index >= 0) return index;
    throw new VitrineError(
      'unknown-name',
      `${name}: there is no column '${wanted}'; the columns are ${header.slice(0, 12).join(', ')}${header.length > 12 ? ', …' : ''}.`,
      'name a column as the first row writes it.',
      { name, column: wanted, columns: header },
    );
  };
  const label = options.label === undefined ? undefined : column(options.label);
  const targets = (options.targets ?? []).map(column);
  const inputs = options.features?.map(column) ?? [...header.keys()].filter((index) => index !== label && !targets.includes(index));
  if (inputs.length === 0) {
    throw new VitrineError('invalid-option', `${name}: no column is left to learn from.`, 'name the features, or fewer targets.', {
      name,
      columns: header,
    });
  }
  return {
    name,
    size: rows.length,
    inputShape: [inputs.length],
    inputs: numbers(name, header, rows, inputs),
    features: inputs.map((index) => header[index]!),
    ...(label === undefined ? {} : labelled(name, header[label]!, rows, label, options.classes)),
    ...(targets.length === 0 ? {} : { targets: numbers(name, header, rows, targets), targetShape: [targets.length] }),
  };
}

interface Row {
  /** Row of the file, the header being 1. */
  readonly number: number;
  readonly cells: readonly string[];
}

function readCells(text: string, name: string, delimiter?: string): { header: string[]; rows: Row[] } {
  const content = text.trimEnd();
  // Blank lines mislead the guess, but must be counted for the row numbers.
  const guess = () => Papa.parse(content, { preview: 10, skipEmptyLines: true }).meta.delimiter;
  const parsed = Papa.parse<string[]>(content, { delimiter: delimiter ?? guess() });
  const quotes = parsed.errors.find((error) => error.type === 'Quotes');
  if (quotes) {
    const row = (quotes.row ?? 0) + 1;
    throw new VitrineError(
      'bad-file',
      `${name}: row ${row} has a quote that is not closed or not doubled.`,
      'close every quoted cell, and write a quote inside one twice ("").',
      { name, row },
    );
  }
  const [head, ...rows] = parsed.data
    .map((cells, index) => ({ number: index + 1, cells: cells.map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.length > 1 || cells[0] !== '');
  if (!head || rows.length === 0) {
    throw new VitrineError(
      'empty-dataset',
      `${name}: the table is empty: ${head ? 'a header and no rows' : 'it has no header'}.`,
      'give a first row of column names and at least one row of values.',
      { name },
    );
  }
  const header = head.cells;
  const twice = header.find((cell, index) => header.indexOf(cell) !== index);
  if (twice !== undefined) {
    throw new VitrineError('bad-file', `${name}: two columns are named '${twice}'.`, 'give every column a name of its own.', {
      name,
      column: twice,
    });
  }
  const ragged = rows.find(({ cells }) => cells.length !== header.length);
  if (ragged) {
    throw new VitrineError(
      'bad-file',
      `${name}: row ${ragged.number} has ${ragged.cells.length} cells; the header has ${header.length}.`,
      'give every row one cell a column; quote a cell that holds the separator.',
      { name, row: ragged.number, cells: ragged.cells.length, columns: header.length },
    );
  }
  return { header, rows };
}

function numbers(name: string, header: readonly string[], rows: readonly Row[], columns: readonly number[]): Float32Array {
  const values = new Float32Array(rows.length * columns.length);
  let position = 0;
  for (const { number, cells } of rows) {
    for (const column of columns) {
      const cell = cells[column]!;
      // Number('') is 0, and a hole in a table is not.
      const value = cell === '' ? Number.NaN : Number(cell);
      if (!Number.isFinite(Math.fround(value))) throw notANumber(name, number, header[column]!, cell);
      values[position++] = value;
    }
  }
  return values;
}

function notANumber(name: string, row: number, column: string, cell: string): VitrineError {
  return new VitrineError(
    'bad-file',
    cell === ''
      ? `${name}: row ${row}, column '${column}' is empty.`
      : `${name}: row ${row}, column '${column}' is '${cell}', which is no finite float32 number.`,
    cell === ''
      ? 'fill the hole or drop the row; no number is made up for it.'
      : 'write a number, name the column as the label, or leave it out of the features.',
    { name, row, column, cell },
  );
}

function labelled(
  name: string,
  heading: string,
  rows: readonly Row[],
  column: number,
  classes: readonly string[] = sortedClasses(rows.map(({ cells }) => cells[column]!)),
): Required<Pick<Dataset, 'labels' | 'classes'>> {
  const indexOf = new Map(classes.map((label, index) => [label, index]));
  const labels = classes.length <= 256 ? new Uint8Array(rows.length) : new Uint32Array(rows.length);
  for (const [position, { number, cells }] of rows.entries()) {
    const cell = cells[column]!;
    const index = indexOf.get(cell);
    if (index === undefined) {
      throw new VitrineError(
        'label-out-of-range',
        `${name}: row ${number}, column '${heading}' is '${cell}', which is not one of the classes ${classes.join(', ')}.`,
        'list every class, spelled as the table spells it.',
        { name, row: number, column: heading, cell, classes },
      );
    }
    labels[position] = index;
  }
  return { labels, classes };
}

function sortedClasses(cells: readonly string[]): string[] {
  const classes = [...new Set(cells)];
  const numeric = classes.every((label) => label !== '' && Number.isFinite(Number(label)));
  return numeric ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort();
}
