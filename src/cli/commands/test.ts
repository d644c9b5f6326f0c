import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBrowser, repository } from '../bootstrap.mjs';
import { browserLaunch } from '../browser.mjs';
import { usageError } from '../command-error.ts';
import { describeAdapter } from '../headless.ts';
import { helpText } from '../options.ts';
import { countTests, type TestReport } from '../test-report.ts';
import { check } from './check.ts';

/** A run that says nothing for so long hangs: no test may take a tenth of it. */
const SILENCE_MINUTES = 20;

/** Runs every Vitest project (or the files that the arguments name). Its words go straight to the terminal. */
async function runVitest(args: readonly string[], adapter: string): Promise<{ report: TestReport | undefined; status: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-test-'));
  const file = join(folder, 'report.json');
  const vitest = join(repository, 'node_modules/vitest/vitest.mjs');
  const colour = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: '1' } : {};
  const child = spawn(process.execPath, [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args], {
    cwd: repository,
    env: { ...process.env, ...colour, VITRINE_ADAPTER: adapter },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let watchdog: NodeJS.Timeout | undefined;
  const heard = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(
      () => {
        process.stderr.write(`The tests said nothing for ${SILENCE_MINUTES} minutes and are stopped.\n`);
        child.kill('SIGKILL');
      },
      SILENCE_MINUTES * 60 * 1000,
    );
  };
  heard();
  child.stdout.on('data', (chunk) => {
    heard();
    // Vitest names the file of its report, which is gone a moment later.
    process.stdout.write(String(chunk).replace(/JSON report written to .*\n/, ''));
  });
  child.stderr.on('data', (chunk) => {
    heard();
    process.stderr.write(chunk);
  });
  const stop = (): void => {
    child.kill('SIGINT');
  };
  process.once('SIGINT', stop);
  const status = await new Promise<number | null>((done) => {
    child.on('error', () => done(null));
    child.on('close', done);
  });
  clearTimeout(watchdog);
  process.off('SIGINT', stop);
  let report: TestReport | undefined;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as TestReport;
  } catch {
    report = undefined; // No report: a crash, which countTests counts as a failure.
  }
  rmSync(folder, { recursive: true, force: true });
  return { report, status };
}

/**
 * What Vitest is told: the names of files as they stand, and everything behind `--`. Undefined where help is asked for.
 * @throws CommandError for an option that does not stand behind `--`
 */
export function vitestArguments(args: readonly string[]): readonly string[] | undefined {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const [own, rest] = [args.slice(0, end), args.slice(end + 1)];
  if (own.includes('--help') || own.includes('-h')) return undefined;
  const option = own.find((each) => each.startsWith('-'));
  if (option !== undefined) {
    throw usageError(
      `Unknown option '${option}'.`,
      `name test files only; what Vitest is to be told goes behind another --, as in npm test -- -- ${option}.`,
    );
  }
  return [...own, ...rest];
}

export async function run(args: readonly string[]): Promise<number> {
  const told = vitestArguments(args);
  if (!told) {
    const purpose =
      'Checks types, lint and architecture, then runs every test in Node and in a browser, or those whose files are named.\nWhat stands behind a second -- is told to Vitest.';
    process.stdout.write(helpText('npm test -- [file …] [-- options of Vitest]', purpose, {}));
    return 0;
  }
  await ensureBrowser();
  const { adapter, executablePath } = await browserLaunch();
  process.stdout.write(`${describeAdapter(adapter, executablePath)}\n\n`);
  const failedChecks = await check();
  const { report, status } = await runVitest(told, adapter);
  const { passed, failed } = countTests(report, status);
  if (failedChecks > 0) process.stdout.write(`\n${failedChecks} of 3 checks failed; each counts as a failure.\n`);
  process.stdout.write(`\n${passed} passed, ${failed + failedChecks} failed\n`);
  return failed + failedChecks === 0 ? 0 : 1;
}
