import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.ts';
import { openOutputFolder, requireWritable, writeOutputs } from '../../src/cli/output-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vitrine-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

/** The two lines of the error, with the folder of the test as ROOT. */
function refusal(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    return (error as CommandError).message.replaceAll(root, 'ROOT').split('\n');
  }
  throw new Error('nothing was refused');
}

describe('the folder of --out', () => {
  test('is made with all that leads to it, and nothing is left in it', () => {
    openOutputFolder(join(root, 'a/b/c'));
    expect(readdirSync(join(root, 'a/b/c'))).toEqual([]);
    openOutputFolder(join(root, 'a/b/c'));
  });

  test('may not be a file, nor lie under one', () => {
    writeFileSync(join(root, 'file'), 'text');
    for (const path of ['file', 'file/under', 'file/under/it']) {
      expect(refusal(() => openOutputFolder(join(root, path)))).toEqual([
        `--out is ROOT/${path}, where nothing can be written: there is a file where a folder should be.`,
        'To mend: name a folder that you may write to, such as --out out.',
      ]);
    }
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('text');
  });

  // Node's own mkdir with `recursive` never comes back from there.
  test.runIf(process.platform === 'linux')('is refused where the system makes none', () => {
    expect(refusal(() => openOutputFolder('/proc/nope'))[0]).toMatch(/^--out is \/proc\/nope, where nothing can be written: /);
  });
});

test('files go into the folder by name, and it is made again where somebody took it away', () => {
  expect(writeOutputs(join(root, 'out'), { 'a.txt': 'text', 'b.bin': Uint8Array.of(1, 2) })).toEqual([
    join(root, 'out/a.txt'),
    join(root, 'out/b.bin'),
  ]);
  expect(readFileSync(join(root, 'out/a.txt'), 'utf8')).toBe('text');
});

test('a file that cannot be written is refused in two lines', () => {
  mkdirSync(join(root, 'a.txt'));
  expect(refusal(() => writeOutputs(root, { 'a.txt': 'text' }))).toEqual([
    'ROOT/a.txt could not be written: there is a folder of that name.',
    'To mend: make room for it, or name another folder with --out.',
  ]);
});

test('a file is tried without being changed', () => {
  writeFileSync(join(root, 'old.md'), 'text');
  requireWritable(join(root, 'old.md'));
  requireWritable(join(root, 'new.md'));
  expect(readFileSync(join(root, 'old.md'), 'utf8')).toBe('text');
  expect(existsSync(join(root, 'new.md'))).toBe(false);
  expect(refusal(() => requireWritable(join(root, 'old.md/under.md')))).toEqual([
    'ROOT/old.md/under.md cannot be written: there is a file where a folder should be.',
    'To mend: make under.md and its folder writable.',
  ]);
});
