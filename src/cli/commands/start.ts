import { spawn } from 'node:child_process';
import { createServer } from 'vite';
import { repository } from '../bootstrap.mjs';
import { CommandError } from '../command-error.ts';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, readOptions } from '../options.ts';
import { openOutputFolder } from '../output-folder.ts';
import { createProgress, detail, paint } from '../terminal.ts';
import { trainHeadless, writeTrained } from '../train-headless.ts';
import { printHelp, TRAIN_OPTIONS, trainParameters } from '../train-options.ts';

const OPTIONS: Options = {
  headless: { kind: 'flag', help: 'no studio: train in a headless browser, print the test accuracy, write the model and a picture' },
  port: { kind: 'whole', value: 5173, least: 1, most: 65_535, help: 'the port of the studio; the next free one where it is taken' },
  'no-open': { kind: 'flag', help: 'print the address of the studio only' },
  ...TRAIN_OPTIONS,
  out: { kind: 'text', value: 'out', help: 'the folder for what --headless writes' },
};

/** Opens the address in the person's own browser. Where nothing can open one, the printed address is enough. */
function openInBrowser(address: string): void {
  if (process.env.CI || process.env.BROWSER === 'none') return;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return;
  const [program, ...args] =
    process.platform === 'darwin'
      ? ['open', address]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', address]
        : [process.env.BROWSER || 'xdg-open', address];
  if (!program) return;
  const child = spawn(program, args, { detached: true, stdio: 'ignore' });
  child.on('error', () => {});
  child.unref();
}

/** Serves the studio until Ctrl-C. */
async function serveStudio(port: number, open: boolean): Promise<number> {
  const server = await createServer({ configFile: `${repository}vite.config.ts`, logLevel: 'warn', server: { port } });
  await server.listen().catch(async (error: NodeJS.ErrnoException) => {
    await server.close();
    const why = error.code === 'EACCES' ? 'this one is for the administrator' : error.message;
    throw new CommandError(`The studio cannot be served on port ${port}: ${why}.`, 'pass another port from 1024 on, such as --port 5173.');
  });
  const address = server.resolvedUrls?.local[0] ?? `http://127.0.0.1:${port}/`;
  const url = paint('cyan', address);
  process.stdout.write(`\n  ${paint('bold', 'Vitrine')} is at ${url}\n  ${paint('dim', 'Ctrl-C stops it.')}\n\n`);
  if (open) openInBrowser(address);
  await untilInterrupted((signal) => new Promise<void>((done) => signal.addEventListener('abort', () => done())));
  await server.close();
  return 0;
}

/** Without a studio: trains, tests, and leaves a model and a picture. */
async function trainAndKeep(parameters: ReturnType<typeof trainParameters>, out: string): Promise<number> {
  openOutputFolder(out);
  const progress = createProgress(process.stdout);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    try {
      progress.line(headless.description);
      const trained = await trainHeadless(headless, parameters, progress, signal);
      const paths = writeTrained(out, trained);
      progress.line('');
      if (paths.model) progress.line(detail('Model', paths.model));
      if (paths.picture) progress.line(detail('Picture', paths.picture));
      progress.line(paint('bold', `Test accuracy: ${trained.summary.testAccuracy.toFixed(4)}`));
      return 0;
    } finally {
      await headless.close();
    }
  });
}

export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('start', 'Serves the studio and opens it; with --headless, trains without it.', OPTIONS);
  if (values.flag('headless')) return trainAndKeep(trainParameters(values, true), values.text('out') ?? 'out');
  return serveStudio(values.number('port') ?? 5173, !values.flag('no-open'));
}
