/** What the inspect command asks of its page, and what the page answers: plain data on both sides. */

export interface InspectParameters {
  /** The model's file, in base64. */
  readonly model: string;
  readonly bins: number;
  /** Of the power iteration. */
  readonly seed: number;
  /** Whether to draw the weights. */
  readonly keep: boolean;
}

export interface InspectedLayer {
  readonly name: string;
  readonly kind: string;
  readonly activation?: string;
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  readonly parameters: number;
}

/** The reductions of one parameter tensor; what is not a number is null. */
export interface InspectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly length: number;
  readonly norm: number | null;
  readonly absoluteSum: number | null;
  readonly least: number | null;
  readonly greatest: number | null;
  readonly largest: number | null;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly zeros: number;
  readonly sparsity: number;
  readonly notFinite: number;
  readonly spectralNorm?: number | null;
  readonly stableRank?: number | null;
  readonly histogram?: { readonly from: number | null; readonly to: number | null; readonly counts: readonly number[] };
  /** Σ|w| of each input. */
  readonly importance?: readonly number[];
}

/** The object that `npm run inspect -- --json` prints. */
export interface Inspection {
  readonly inputShape: readonly number[];
  readonly parameters: number;
  readonly bytes: number;
  readonly layers: readonly InspectedLayer[];
  readonly tensors: readonly InspectedTensor[];
  readonly adapter: string;
}

export interface InspectResult {
  readonly inspection: Inspection;
  /** For a person. */
  readonly table: string;
  readonly mermaid: string;
  /** PNGs by name. */
  readonly pictures: Readonly<Record<string, Uint8Array>>;
}
