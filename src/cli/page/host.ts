/**
 * The page's half of a headless command. The other half, `../headless.ts`, puts `vitrineHost` into the page before any script runs.
 * Values that cross are plain data; typed arrays may be among them.
 */
export interface VitrineHost {
  /** What the command wants done. */
  readonly parameters: unknown;
  /** Aborted when the person presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** Tells the command of something that happened; events arrive in order. */
  report(event: unknown): void;
  /** Ends the task with its result. */
  done(result: unknown): void;
  /** Ends the task with what went wrong. */
  fail(error: { name: string; message: string; code?: string; stack?: string }): void;
}

declare global {
  interface Window {
    readonly vitrineHost?: VitrineHost;
  }
}

/** Runs the page's one task and tells the command how it ended. Opened by hand, with no command behind it, the page does nothing. */
export async function hostTask<Parameters, Event, Result>(
  work: (parameters: Parameters, report: (event: Event) => void, signal: AbortSignal) => Promise<Result>,
): Promise<void> {
  const host = window.vitrineHost;
  if (!host) {
    document.body.textContent = 'This page belongs to a command: npm run train.';
    return;
  }
  try {
    host.done(await work(host.parameters as Parameters, (event) => host.report(event), host.signal));
  } catch (error) {
    const { name, message, code, stack } = error as Error & { code?: string };
    host.fail({ name, message, ...(code ? { code } : {}), ...(stack ? { stack } : {}) });
  }
}
