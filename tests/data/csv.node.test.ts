import { describe, expect, test } from 'vitest';
import { parseTable } from '../../src/data/csv.ts';
import { refusal } from './refusal.ts';

describe('a table', () => {
  test('of one cell is read', () => {
    expect(parseTable('x\n1')).toEqual({
      name: 'table',
      size: 1,
      inputShape: [1],
      inputs: Float32Array.of(1),
      features: ['x'],
    });
  });

  test('keeps its columns in order and leaves the label out of the features', () => {
    const table = parseTable('a,kind,b\n1,cat,2\n-3.5,dog,4e2\n', { name: 'pets', label: 'kind' });
    expect(table).toEqual({
      name: 'pets',
      size: 2,
      inputShape: [2],
      inputs: Float32Array.of(1, 2, -3.5, 400),
      features: ['a', 'b'],
      labels: Uint8Array.of(0, 1),
      classes: ['cat', 'dog'],
    });
  });

  test('takes the classes in the order they are listed', () => {
    const options = { label: 'kind', classes: ['dog', 'cat', 'emu'] };
    expect(parseTable('a,kind\n1,cat\n2,dog', options).labels).toEqual(Uint8Array.of(1, 0));
  });

  test('sorts classes that are numbers as numbers', () => {
    expect(parseTable('a,k\n1,10\n1,9\n1,-1', { label: 'k' }).classes).toEqual(['-1', '9', '10']);
  });

  test('with more than 256 classes has wider labels', () => {
    const rows = Array.from({ length: 300 }, (_, i) => `1,${i}`).join('\n');
    const { labels } = parseTable(`a,k\n${rows}`, { label: 'k' });
    expect(labels).toBeInstanceOf(Uint32Array);
    expect(labels![299]).toBe(299);
  });

  test('gives the columns to predict, and learns from those named', () => {
    const table = parseTable('a,b,c,d\n1,2,3,4\n5,6,7,8', { targets: ['d', 'a'], features: ['c'] });
    expect(table.inputs).toEqual(Float32Array.of(3, 7));
    expect(table.targets).toEqual(Float32Array.of(4, 1, 8, 5));
    expect(table.targetShape).toEqual([2]);
  });

  test('may have semicolons, quotes, CRLF, a byte order mark and blank lines', () => {
    const table = parseTable('\ufeff"a; b";k\r\n1;"say ""hi"""\r\n\r\n 2 ; x \r\n', { label: 'k' });
    expect(table.features).toEqual(['a; b']);
    expect(table.inputs).toEqual(Float32Array.of(1, 2));
    expect(table.classes).toEqual(['say "hi"', 'x']);
  });
});

describe('a table is refused', () => {
  test('when a cell is no number, naming its row and column', async () => {
    expect(await refusal(() => parseTable('a,b\n1,2\n\n3,four', { name: 'pets' }))).toEqual([
      'bad-file',
      "pets: row 4, column 'b' is 'four', which is no finite float32 number.",
      'To mend: write a number, name the column as the label, or leave it out of the features.',
    ]);
  });

  test('when a number is too large for float32', async () => {
    expect((await refusal(() => parseTable('a\n1e39')))[1]).toBe("table: row 2, column 'a' is '1e39', which is no finite float32 number.");
  });

  test('when a cell is empty', async () => {
    expect(await refusal(() => parseTable('a,b\n1,'))).toEqual([
      'bad-file',
      "table: row 2, column 'b' is empty.",
      'To mend: fill the hole or drop the row; no number is made up for it.',
    ]);
  });

  test('when a row is ragged', async () => {
    expect(await refusal(() => parseTable('a,b\n1,2\n3\n'))).toEqual([
      'bad-file',
      'table: row 3 has 1 cells; the header has 2.',
      'To mend: give every row one cell a column; quote a cell that holds the separator.',
    ]);
    expect((await refusal(() => parseTable('a,b\n1,2,3')))[1]).toBe('table: row 2 has 3 cells; the header has 2.');
  });

  test('when it is empty', async () => {
    expect(await refusal(() => parseTable('  \n'))).toEqual([
      'empty-dataset',
      'table: the table is empty: it has no header.',
      'To mend: give a first row of column names and at least one row of values.',
    ]);
    expect((await refusal(() => parseTable('a,b\n')))[1]).toBe('table: the table is empty: a header and no rows.');
  });

  test('when two columns share a name', async () => {
    expect(await refusal(() => parseTable('a,b,a\n1,2,3'))).toEqual([
      'bad-file',
      "table: two columns are named 'a'.",
      'To mend: give every column a name of its own.',
    ]);
  });

  test('when a quote is not closed', async () => {
    expect(await refusal(() => parseTable('a,b\n1,2\n3,"4'))).toEqual([
      'bad-file',
      'table: row 3 has a quote that is not closed or not doubled.',
      'To mend: close every quoted cell, and write a quote inside one twice ("").',
    ]);
  });

  test('when it has no such column', async () => {
    expect(await refusal(() => parseTable('a,b\n1,2', { label: 'kind' }))).toEqual([
      'unknown-name',
      "table: there is no column 'kind'; the columns are a, b.",
      'To mend: name a column as the first row writes it.',
    ]);
  });

  test('when a class is not listed', async () => {
    const options = { label: 'k', classes: ['cat', 'dog'] };
    expect(await refusal(() => parseTable('a,k\n1,cat\n2,emu', options))).toEqual([
      'label-out-of-range',
      "table: row 3, column 'k' is 'emu', which is not one of the classes cat, dog.",
      'To mend: list every class, spelled as the table spells it.',
    ]);
  });

  test('when nothing is left to learn from', async () => {
    expect(await refusal(() => parseTable('k\ncat', { label: 'k' }))).toEqual([
      'invalid-option',
      'table: no column is left to learn from.',
      'To mend: name the features, or fewer targets.',
    ]);
  });
});
