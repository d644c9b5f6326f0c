/** What a snapshot of training holds, as plain data that can be stored or sent. */

/** A change made in training: it takes effect before step `step`. */
export type Change =
  | { readonly step: number; readonly key: 'learningRate'; readonly value: number }
  | { readonly step: number; readonly key: 'freeze' | 'thaw'; readonly value: readonly string[] };

/** Parameters only, flat, each from a multiple of 64 floats on. */
export interface ViewSnapshot {
  readonly kind: 'view';
  /** Steps done when it was taken. */
  readonly step: number;
  readonly parameters: Float32Array;
}

/** Enough to go on, or to replay, with the same bits. */
export interface FullSnapshot {
  readonly kind: 'full';
  readonly step: number;
  readonly parameters: Float32Array;
  readonly moments: readonly Float32Array[];
  readonly state: Uint32Array;
  /** The variant table it was computed with. */
  readonly variants: Readonly<Record<string, string>>;
  readonly journal: readonly Change[];
  /** Fingerprint of the data set. */
  readonly data?: string;
}

export type Snapshot = ViewSnapshot | FullSnapshot;
