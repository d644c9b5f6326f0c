import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version as viteVersion } from 'vite';
import { repository } from '../bootstrap.mjs';
import { type Headless, openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, readOptions } from '../options.ts';
import { requireWritable } from '../output-folder.ts';
import { randomiseHeadless } from '../randomisation-headless.ts';
import { judgeRandomisation, RANDOMISATION, randomisationRow, randomisationSection } from '../randomisation-report.ts';
import { createProgress, type Progress, paint } from '../terminal.ts';
import { trainHeadless } from '../train-headless.ts';
import { printHelp } from '../train-options.ts';
import type { TrainSummary } from '../train-task.ts';
import { accuracySection, judge, SECTIONS, SEED_COLUMNS, type SectionName, seedRow, withSection } from '../verify-report.ts';

const OPTIONS: Options = {
  only: { kind: 'text', choices: Object.keys(SECTIONS), help: 'one promise alone; its section of VERIFY.md is written anew' },
  seeds: { kind: 'whole', value: 5, least: 1, help: 'how many seeds, from 0; VERIFY.md is written for five only' },
  epochs: { kind: 'whole', value: 10, least: 1, help: 'passes over the training examples; VERIFY.md is written for ten only' },
};

const VERIFY_FILE = join(repository, 'VERIFY.md');

/** Columns under their names: aligned to the right, or the first to the left where it holds words. */
function table(rows: readonly (readonly string[])[], words = false): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const padded = (cell: string, column: number): string =>
    words && column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('   '));
}

/** Writes one section of VERIFY.md. */
function write(name: SectionName, section: (versions: Readonly<Record<string, string>>, date: Date) => string, headless: Headless): void {
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
  const versions = { vitrine: version, browser: headless.browserVersion, 'Node.js': process.version, Vite: viteVersion };
  const text = existsSync(VERIFY_FILE) ? readFileSync(VERIFY_FILE, 'utf8') : '';
  writeFileSync(VERIFY_FILE, withSection(text, name, section(versions, new Date())));
}

/** A shorter run is one to look at. */
const isPublished = (seeds: number, epochs: number): boolean => seeds === 5 && epochs === 10;

/** Five seeds of the main network. Returns the promises that do not hold. */
async function verifyAccuracy(
  headless: Headless,
  { seeds, epochs }: { readonly seeds: number; readonly epochs: number },
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const summaries: TrainSummary[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    if (seed > 0) progress.line('');
    const task = { data: 'mnist', model: 'mlp', epochs, batch: 32, seed, validationSplit: 0.2, keep: false } as const;
    summaries.push((await trainHeadless(headless, task, progress, signal)).summary);
  }
  const { mean, smallest, broken } = judge(summaries.map(({ testAccuracy }) => testAccuracy));
  progress.line('');
  for (const line of table([SEED_COLUMNS, ...summaries.map(seedRow)])) progress.line(line);
  progress.line(`\nMean test accuracy ${mean.toFixed(4)}, smallest ${smallest.toFixed(4)}.`);
  if (isPublished(seeds, epochs)) {
    write('accuracy', (versions, date) => accuracySection(summaries, versions, date), headless);
    progress.line('Wrote VERIFY.md.');
  }
  return broken;
}

/** Maps before and after the layers of a network are drawn anew. Returns the promises that do not hold. */
async function verifyRandomisation(headless: Headless, progress: Progress, signal: AbortSignal): Promise<readonly string[]> {
  const summary = await randomiseHeadless(headless, RANDOMISATION, progress, signal);
  for (const of of ['absolute', 'signed'] as const) {
    progress.line('');
    const rows = summary.rows.map((row) => randomisationRow(row, of));
    for (const line of table([[`${of} maps`, ...summary.stages], ...rows], true)) progress.line(line);
  }
  write('randomisation', (versions, date) => randomisationSection(summary, versions, date), headless);
  progress.line('Wrote VERIFY.md.');
  return judgeRandomisation(summary);
}

/** Measures what is too long for the tests, and holds it against the promises. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) {
    const purpose = 'Keeps the long promises: five seeds of ten epochs of MNIST, and model randomisation. Writes VERIFY.md.';
    return printHelp('verify', purpose, OPTIONS);
  }
  const only = values.text('only') as SectionName | undefined;
  const [seeds, epochs] = [values.number('seeds') ?? 5, values.number('epochs') ?? 10];
  if (only !== 'accuracy' || isPublished(seeds, epochs)) requireWritable(VERIFY_FILE);
  const progress = createProgress(process.stdout);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    const broken: string[] = [];
    try {
      progress.line(headless.description);
      if (only !== 'randomisation') broken.push(...(await verifyAccuracy(headless, { seeds, epochs }, progress, signal)));
      if (only !== 'accuracy') broken.push(...(await verifyRandomisation(headless, progress, signal)));
    } finally {
      await headless.close();
    }
    for (const promise of broken) progress.line(paint('red', `Broken promise: ${promise}.`));
    if (broken.length === 0) progress.line(paint('green', 'Every promise holds.'));
    return broken.length === 0 ? 0 : 1;
  });
}
