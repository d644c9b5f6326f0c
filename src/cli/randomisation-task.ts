/** What `npm run verify` asks of its randomisation page, and what the page tells it: plain data on both sides. */

/** A training and its redrawings. */
export interface RandomisationParameters {
  /** Units of each hidden layer, from the input on; all are ReLU. */
  readonly hidden: readonly number[];
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly seed: number;
  /** The first of the test set, as published. */
  readonly images: number;
  /** How often the layers are drawn anew; scores are means over all. */
  readonly draws: number;
}

/** Spearman's correlation with the map of the trained network. */
export interface Agreement {
  readonly mean: number;
  /** Deviation over images and draws; of an image's score, not of the mean. */
  readonly deviation: number;
}

export interface RandomisationRow {
  /** As published, or as exported where it was not. */
  readonly method: string;
  /** After each layer from the output on: `logits`, `hidden3`, … */
  readonly absolute: readonly Agreement[];
  readonly signed: readonly Agreement[];
}

export interface RandomisationSummary extends RandomisationParameters {
  readonly parameters: number;
  readonly testAccuracy: number;
  /** How many of the images the trained network reads rightly. */
  readonly correct: number;
  readonly stages: readonly string[];
  readonly rows: readonly RandomisationRow[];
  readonly trainSeconds: number;
  readonly seconds: number;
  readonly adapter: string;
}

export interface RandomisationResult {
  /** Absent when it was stopped before its end. */
  readonly summary?: RandomisationSummary;
}
