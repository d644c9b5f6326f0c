/**
 * Ends a cold-start page. `performance.now()` counts from the navigation, so the value is the whole start: loading, parsing, opening the
 * device, compiling kernels and one training step, its loss in hand.
 */

export interface ColdStart {
  /** From the navigation to the loss of the first training step. */
  readonly milliseconds: number;
  readonly loss: number;
}

interface Listener {
  done(result: ColdStart): void;
}

/** Tells whoever opened the page: the command that drives it, or the page around its frame. */
export function finished(loss: number): void {
  const result: ColdStart = { milliseconds: performance.now(), loss };
  (globalThis as { vitrineHost?: Listener }).vitrineHost?.done(result);
  parent.postMessage(result, '*');
}
