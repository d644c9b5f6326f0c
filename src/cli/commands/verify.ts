import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version as viteVersion } from 'vite';
import { repository } from '../bootstrap.mjs';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, readOptions } from '../options.ts';
import { createProgress, paint } from '../terminal.ts';
import { trainHeadless } from '../train-headless.ts';
import { printHelp } from '../train-options.ts';
import type { TrainSummary } from '../train-task.ts';
import { judge, SEED_COLUMNS, seedRow, verifyReport } from '../verify-report.ts';

const OPTIONS: Options = {
  seeds: { kind: 'whole', value: 5, least: 1, help: 'how many seeds, from 0; VERIFY.md is written for five only' },
  epochs: { kind: 'whole', value: 10, least: 1, help: 'passes over the training examples; VERIFY.md is written for ten only' },
};

/** Columns aligned to the right, under their names. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = SEED_COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('   '));
}

/** Trains the main network with five seeds and holds the results against the promise. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('verify', 'Keeps the long promises: five seeds of ten epochs of MNIST. Writes VERIFY.md.', OPTIONS);
  const seeds = values.number('seeds') ?? 5;
  const epochs = values.number('epochs') ?? 10;
  const progress = createProgress(process.stdout);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    const summaries: TrainSummary[] = [];
    try {
      progress.line(headless.description);
      for (let seed = 0; seed < seeds; seed++) {
        if (seed > 0) progress.line('');
        const task = { data: 'mnist', model: 'mlp', epochs, batch: 32, seed, validationSplit: 0.2, keep: false } as const;
        summaries.push((await trainHeadless(headless, task, progress, signal)).summary);
      }
    } finally {
      await headless.close();
    }
    const { mean, smallest, broken } = judge(summaries.map(({ testAccuracy }) => testAccuracy));
    progress.line('');
    for (const line of table([SEED_COLUMNS, ...summaries.map(seedRow)])) progress.line(line);
    progress.line(`\nMean test accuracy ${mean.toFixed(4)}, smallest ${smallest.toFixed(4)}.`);
    if (seeds === 5 && epochs === 10) {
      const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
      const versions = { vitrine: version, browser: headless.browserVersion, 'Node.js': process.version, Vite: viteVersion };
      writeFileSync(join(repository, 'VERIFY.md'), verifyReport(summaries, versions, new Date()));
      progress.line('Wrote VERIFY.md.');
    }
    for (const promise of broken) progress.line(paint('red', `Broken promise: ${promise}.`));
    if (broken.length === 0) progress.line(paint('green', 'Every promise holds.'));
    return broken.length === 0 ? 0 : 1;
  });
}
