import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { createServer, preview, type ViteDevServer } from 'vite';
import { ensureBrowser, repository } from './bootstrap.mjs';
import { type AdapterKind, browserLaunch, mayHaveGpu } from './browser.mjs';
import { CommandError, Interrupted } from './command-error.ts';
import { detail } from './terminal.ts';

/** A page with no window, in a real browser with WebGPU, served from this repository. */
export interface Headless {
  readonly adapter: AdapterKind;
  /** Two lines for a person: which adapter and why, and in which browser. */
  readonly description: string;
  /** Such as `Chromium 156.0.1234.5`. */
  readonly browserVersion: string;
  /** Opens a page, gives it its parameters and waits for its result. Tasks run one after the other, each in a new page. */
  runTask<Result>(task: Task): Promise<Result>;
  close(): Promise<void>;
}

export interface Task {
  /** The page's path in the repository, such as `src/cli/page/train.html`. */
  page: string;
  /** Plain data for the page: `window.vitrineHost.parameters`. */
  parameters: unknown;
  /** Called with what the page reports, in order. Typed arrays arrive as typed arrays. */
  onEvent?: (event: unknown) => void;
  /** Called with the page's console warnings, WebGPU validation messages among them. Default: a line on stderr. */
  onWarning?: (line: string) => void;
  /** Aborting it asks the page to stop (`vitrineHost.signal`); after ten seconds the page is closed. */
  signal?: AbortSignal;
  /** A page that reports nothing for so long is taken to hang. Default 10. */
  silenceMinutes?: number;
  /**
   * The page works in workers and tells how each of them ends: once it has said something, an error that nobody caught (those of workers
   * come here too) is a warning.
   */
  tolerant?: boolean;
}

export interface HeadlessOptions {
  /** Packages that the page imports and that are not ES modules: Vite bundles them before the page opens. */
  bundle?: readonly string[];
  /** A folder of built files to serve in place of the repository, in isolation: with precise clocks and shared memory. */
  built?: string;
}

interface Server {
  readonly address: string;
  close(): Promise<void>;
}

/** Packages of src/data that are no ES modules. */
const NOT_MODULES = ['papaparse'];

/** How long a page that was asked to stop may take. */
const GRACE_MILLISECONDS = 10_000;

/** Two lines: which adapter and why, and in which browser. */
export function describeAdapter(adapter: AdapterKind, executablePath: string): string {
  const why = mayHaveGpu() ? 'the browser gives no adapter of the GPU' : 'this machine shows no GPU';
  return [
    detail('Adapter', adapter === 'hardware' ? 'the GPU' : `SwiftShader, in software: ${why}`),
    detail('Browser', executablePath),
  ].join('\n');
}

function addressOf(server: { readonly httpServer: ViteDevServer['httpServer'] }): string {
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new CommandError('The local server gave no port.', 'run the command again.');
  return `http://127.0.0.1:${address.port}`;
}

async function serve(bundle: readonly string[]): Promise<Server> {
  // A cache of its own: commands that run side by side would rewrite a common one under each other.
  mkdirSync(join(repository, 'node_modules/.vite'), { recursive: true });
  const cache = mkdtempSync(join(repository, 'node_modules/.vite/headless-'));
  const server = await createServer({
    configFile: false,
    root: repository,
    appType: 'mpa',
    logLevel: 'warn',
    cacheDir: cache,
    // A file saved while a command runs must not reload its page.
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, fs: { allow: [repository] } },
    optimizeDeps: { noDiscovery: true, include: [...NOT_MODULES, ...bundle] },
  });
  await server.listen();
  const close = async (): Promise<void> => {
    await server.close().catch(() => {});
    rmSync(cache, { recursive: true, force: true });
  };
  return { address: addressOf(server), close };
}

async function serveBuilt(folder: string): Promise<Server> {
  const server = await preview({
    configFile: false,
    root: repository,
    appType: 'mpa',
    logLevel: 'warn',
    build: { outDir: folder },
    preview: {
      host: '127.0.0.1',
      port: 0,
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
  });
  return { address: addressOf(server), close: () => server.close().catch(() => {}) };
}

async function launch(executablePath: string, args: string[]): Promise<Browser> {
  try {
    // Ctrl-C is for the command, which closes the browser itself.
    return await chromium.launch({
      executablePath,
      args,
      headless: true,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (error) {
    const sentence = String((error as Error).message).split('\n')[0];
    throw new CommandError(
      `The browser ${executablePath} did not start: ${sentence}`,
      'start it by hand to see why, or set VITRINE_BROWSER to the path of another Chrome, Chromium or Edge.',
    );
  }
}

/**
 * Runs in the page before any of its scripts: `window.vitrineHost` (see page/host.ts).
 * Playwright sends this function's text to the page, so it may use nothing from outside itself.
 */
function installHost(parameters: unknown): void {
  const stop = new AbortController();
  type Send = (kind: string, value: unknown) => Promise<void>;
  const send = (kind: string, value: unknown): void => {
    void (window as unknown as { vitrineSend: Send }).vitrineSend(kind, value);
  };
  Object.assign(window, {
    vitrineStop: () => stop.abort(),
    vitrineHost: {
      parameters,
      signal: stop.signal,
      report: (event: unknown) => send('event', event),
      done: (result: unknown) => send('done', result),
      fail: (error: unknown) => send('fail', error),
    },
  });
}

/** What a page said went wrong, as an error here. An explained error keeps its two lines; any other shows the page's stack. */
function pageError(error: { name: string; message: string; stack?: string }): Error {
  const explained = error.message.includes('\nTo mend: ');
  const raised = new Error(explained ? error.message : `The page failed: ${error.stack ?? error.message}`);
  raised.name = error.name;
  raised.stack = raised.message;
  return raised;
}

/** Resolves with the page's result; rejects with the first thing that goes wrong in it. It always settles. */
async function runInPage<Result>(page: Page, address: string, task: Task): Promise<Result> {
  const { onEvent, signal, silenceMinutes = 10 } = task;
  const onWarning = task.onWarning ?? ((line: string) => process.stderr.write(`${line}\n`));
  const timers: { silence?: NodeJS.Timeout; grace?: NodeJS.Timeout } = {};
  let stop: (() => void) | undefined;
  try {
    return await new Promise<Result>((resolve, reject) => {
      const broken = (what: string): void => reject(new CommandError(what, 'run the command again; if it stays, report the lines above.'));
      let speaking = false;
      const heard = (): void => {
        clearTimeout(timers.silence);
        timers.silence = setTimeout(() => broken(`The page said nothing for ${silenceMinutes} minutes.`), silenceMinutes * 60_000);
      };
      heard();
      page.on('crash', () => broken('The page crashed: the browser may have run out of memory.'));
      page.on('close', () => broken('The page was closed before it had finished.'));
      page.on('pageerror', (error) => {
        if (task.tolerant && speaking) onWarning(error.message);
        else reject(pageError(error));
      });
      page.on('console', (message) => {
        if (message.type() === 'error' && !(task.tolerant && speaking)) {
          const { url, lineNumber } = message.location();
          broken(`The page reported an error: ${message.text()}${url ? ` (${url}:${lineNumber})` : ''}`);
        } else if (message.type() === 'warning' || message.type() === 'error') onWarning(message.text());
      });
      const receive = (kind: string, value: unknown): void => {
        speaking = true;
        heard();
        if (kind === 'event') {
          try {
            onEvent?.(value);
          } catch (error) {
            reject(error);
          }
        } else if (kind === 'done') resolve(value as Result);
        else reject(pageError(value as { name: string; message: string }));
      };
      stop = (): void => {
        timers.grace = setTimeout(() => reject(new Interrupted('Stopped; the page did not answer and was closed.')), GRACE_MILLISECONDS);
        page.evaluate(() => (window as unknown as { vitrineStop?: () => void }).vitrineStop?.()).catch(() => {});
      };
      const open = async (): Promise<void> => {
        await page.exposeBinding('vitrineSend', (_source, kind: string, value: unknown) => receive(kind, value));
        await page.addInitScript(installHost, task.parameters);
        await page.goto(`${address}/${task.page}`, { waitUntil: 'commit' }).catch((error: Error) => {
          throw new CommandError(
            `The page ${task.page} could not be opened: ${error.message.split('\n')[0]}`,
            'check that the file is there.',
          );
        });
        page.on('framenavigated', (frame) => {
          if (frame === page.mainFrame()) broken('The page went elsewhere before it had finished.');
        });
        if (signal?.aborted) stop?.();
        else if (stop) signal?.addEventListener('abort', stop, { once: true });
      };
      open().catch(reject);
    });
  } finally {
    clearTimeout(timers.silence);
    clearTimeout(timers.grace);
    if (stop) signal?.removeEventListener('abort', stop);
  }
}

/**
 * Serves the repository on loopback and opens a headless browser with WebGPU; installs one where there is none.
 * @throws CommandError when no browser starts
 */
export async function openHeadless(options: HeadlessOptions = {}): Promise<Headless> {
  await ensureBrowser();
  const { executablePath, args, adapter } = await browserLaunch();
  const browser = await launch(executablePath, args);
  const server = await (options.built === undefined ? serve(options.bundle ?? []) : serveBuilt(options.built)).catch(async (error) => {
    await browser.close();
    throw error;
  });
  return {
    adapter,
    description: describeAdapter(adapter, executablePath),
    browserVersion: `Chromium ${browser.version()}`,
    async runTask<Result>(task: Task): Promise<Result> {
      const context = await browser.newContext();
      try {
        return await runInPage<Result>(await context.newPage(), server.address, task);
      } finally {
        await context.close().catch(() => {});
      }
    },
    async close(): Promise<void> {
      await browser.close().catch(() => {});
      await server.close();
    },
  };
}

/**
 * Runs `work` with a signal that Ctrl-C (or a polite kill) aborts. A second Ctrl-C ends the process at once.
 * Whatever happens, `work` gets to close what it opened.
 */
export async function untilInterrupted<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
