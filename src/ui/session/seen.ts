/** What a shared link was seen with: the logits of its example, and the adapter that computed them. Where it is replayed, the two are held against each other. */

export interface Seen {
  readonly adapter: string;
  readonly logits: Float32Array;
}

/** How far a replay came from what the link was taken with. */
export interface Compared {
  /** The adapter that the link was taken on, and this one. */
  readonly adapters: readonly [there: string, here: string];
  /** Largest difference of a logit. */
  readonly difference: number;
  readonly step: number;
}

/** Base64, as addresses take it, of float32 values; then the adapter. */
export function writeSeen({ adapter, logits }: Seen): string {
  const bytes = new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength);
  const text = btoa(String.fromCharCode(...bytes));
  return `${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}~${adapter}`;
}

export function readSeen(text: string | undefined): Seen | undefined {
  const [, values, adapter] = /^([\w-]+)~(.*)$/.exec(text ?? '') ?? [];
  if (values === undefined || adapter === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(values.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    return bytes.length % 4 === 0 && bytes.length > 0 ? { adapter, logits: new Float32Array(bytes.buffer) } : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined where they are not of the same classes */
export function compareSeen(seen: Seen, now: Seen, step: number): Compared | undefined {
  if (seen.logits.length !== now.logits.length) return undefined;
  const difference = Math.max(...seen.logits.map((value, k) => Math.abs(value - (now.logits[k] as number))));
  return Object.freeze({ adapters: [seen.adapter, now.adapter] as const, difference, step });
}
