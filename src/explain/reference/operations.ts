/**
 * What the operations of explanations must give, in float64 and in loops that a person can read: for the tests and for the self-test page.
 * Arrays are row-major.
 */

import { normal, uniform } from '../../engine/random.ts';

/** Points on the straight paths of all examples: base + position · direction. */
export const alongPathReference =
  (examples: number, positions: number, width: number) =>
  (base: number[] = [], direction: number[] = [], position: number[] = []): number[] =>
    Array.from({ length: examples * positions * width }, (_, i) => {
      const row = Math.floor(i / width);
      const at = Math.floor(row / positions) * width + (i % width);
      return (base[at] as number) + (position[row % positions] as number) * (direction[at] as number);
    });

/** A run of `count` numbers an example, from `first` on, put into what was there before. */
export const collectReference =
  (total: number, width: number, first: number, count: number) =>
  (x: number[] = [], before: number[] = []): number[] =>
    before.map((value, i) => {
      const [e, s] = [Math.floor(i / total), i % total];
      return s >= first && s < first + count ? (x[e * width + s - first] as number) : value;
    });

/** Coalitions written out, behind a 1 and before zeros. */
export const maskBitsReference =
  (samples: number, groups: number, width: number, words: number) =>
  (bits: number[] = []): number[] =>
    Array.from({ length: samples * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      if (column === 0) return 1;
      if (column > groups) return 0;
      return ((bits[row * words + Math.floor((column - 1) / 32)] as number) >>> ((column - 1) % 32)) & 1;
    });

/** x where the mask of its group is 1, the baseline where it is 0. */
export const maskedRowsReference =
  (samples: number, width: number, inputs: number) =>
  (x: number[] = [], base: number[] = [], mask: number[] = [], group: number[] = []): number[] =>
    Array.from({ length: (x.length / inputs) * samples * inputs }, (_, k) => {
      const [row, i] = [Math.floor(k / inputs), k % inputs];
      const at = Math.floor(row / samples) * inputs + i;
      const share = mask[(row % samples) * width + 1 + (group[i] as number)] as number;
      return (base[at] as number) + share * ((x[at] as number) - (base[at] as number));
    });

export interface NoiseDraw {
  readonly noise: 'normal' | 'uniform';
  readonly seed: number;
  readonly stream: number;
  /** Of the samples. */
  readonly first: number;
}

/** Copies of each example with noise as the CPU twin draws it. */
export const noisyRowsReference =
  (examples: number, samples: number, width: number, { noise, seed, stream, first }: NoiseDraw) =>
  (x: number[] = [], deviation: number[] = []): number[] => {
    const draw = (sample: number, element: number): number =>
      noise === 'normal' ? normal(seed, stream, sample, element) : 2 * uniform(seed, stream, sample, element) - 1;
    return Array.from({ length: examples * samples * width }, (_, i) => {
      const row = Math.floor(i / width);
      const example = Math.floor(row / samples);
      const element = i % width;
      return (x[example * width + element] as number) + (deviation[example] as number) * draw(first + (row % samples), element);
    });
  };

/** The indices of each row, lowest rank first; sorting keeps ties in order. */
export const rankOrderReference =
  (width: number) =>
  (rank: number[] = []): number[] =>
    Array.from({ length: rank.length / width }, (_, r) => {
      const row = rank.slice(r * width, (r + 1) * width);
      return row.map((_, i) => i).sort((a, b) => (row[a] as number) - (row[b] as number));
    }).flat();

/** Each element's place in that order. */
export const strictRanksReference =
  (width: number) =>
  (rank: number[] = []): number[] => {
    const strict = Array<number>(rank.length).fill(0);
    rankOrderReference(width)(rank).forEach((index, k) => {
      strict[Math.floor(k / width) * width + index] = k % width;
    });
    return strict;
  };

export const repeatRowsReference =
  (width: number, copies: number) =>
  (x: number[]): number[] =>
    Array.from({ length: (x.length / width) * copies }, (_, row) => {
      const first = Math.floor(row / copies) * width;
      return x.slice(first, first + width);
    }).flat();

/** r / (z ± ε), on z's own side of 0. */
export const stabilisedQuotientReference = (relevance: number[], z: number[] = [], [epsilon = 0]: number[] = []): number[] =>
  relevance.map((r, i) => {
    const total = z[i % z.length] as number;
    const divisor = total + (total >= 0 ? epsilon : -epsilon);
    return divisor === 0 ? 0 : r / divisor;
  });

const softmax = (row: readonly number[]): number[] => {
  const largest = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
};

/** The explained number of one row of logits (0 logit, 1 probability, 2 log-odds) and its gradient. */
export function explainedReference(row: readonly number[], kind: number, index: number): { value: number; gradient: number[] } {
  const p = softmax(row);
  const own = (k: number): number => (k === index ? 1 : 0);
  if (index >= row.length) return { value: 0, gradient: row.map(() => 0) };
  const pc = p[index] as number;
  if (kind === 0) return { value: row[index] as number, gradient: row.map((_, k) => own(k)) };
  if (kind === 1) return { value: pc, gradient: row.map((_, k) => pc * (own(k) - (p[k] as number))) };
  return { value: Math.log(pc / (1 - pc)), gradient: row.map((_, k) => (own(k) - (p[k] as number)) / (1 - pc)) };
}

/** Sample `s` of element `at` of example `example`. */
const sampleOf =
  (x: readonly number[], samples: number, width: number) =>
  (example: number, at: number): number[] =>
    Array.from({ length: samples }, (_, s) => x[(example * samples + s) * width + at] as number);

/** What was there before, and the samples by their weights. */
export const weightedSumReference =
  (samples: number, width: number) =>
  (x: number[] = [], weight: number[] = [], before: number[] = []): number[] =>
    before.map((sum, i) =>
      sampleOf(x, samples, width)(Math.floor(i / width), i % width).reduce((total, v, s) => total + v * (weight[s] as number), sum),
    );

/** Welford's mean and sum of squared differences, after `drawn` samples, of the next `count`. */
export const runningReference =
  (samples: number, width: number, drawn: number, count: number, which: 'mean' | 'm2') =>
  (x: number[] = [], _draw: number[] = [], means: number[] = [], m2s: number[] = []): number[] =>
    means.map((mean0, i) => {
      let [mean, m2] = [mean0, m2s[i] ?? 0];
      const values = sampleOf(x, samples, width)(Math.floor(i / width), i % width);
      values.slice(0, count).forEach((value, s) => {
        const difference = value - mean;
        mean += difference / (drawn + s + 1);
        m2 += difference * (value - mean);
      });
      return which === 'mean' ? mean : m2;
    });

/** current + step · sign(gradient) within [low, high], then within ε of x; limits are step, ε, low and high of each row. */
export const attackStepReference = (x: number[], current: number[] = [], gradient: number[] = [], limits: number[] = []): number[] => {
  const width = (4 * x.length) / limits.length;
  return x.map((value, i) => {
    const own = 4 * Math.floor(i / width);
    const [step, epsilon, low, high] = limits.slice(own, own + 4) as [number, number, number, number];
    const moved = Math.min(Math.max((current[i] as number) + step * Math.sign(gradient[i] as number), low), high);
    return Math.min(Math.max(moved, value - epsilon), value + epsilon);
  });
};

/** a_s x[e] + b_s reference[s] of every example and every reference. */
export const combineRowsReference =
  (references: number, width: number) =>
  (x: number[] = [], reference: number[] = [], a: number[] = [], b: number[] = []): number[] =>
    Array.from({ length: (x.length / width) * references * width }, (_, i) => {
      const [row, element] = [Math.floor(i / width), i % width];
      const [e, s] = [Math.floor(row / references), row % references];
      return (a[s] as number) * (x[e * width + element] as number) + (b[s] as number) * (reference[s * width + element] as number);
    });

/** dy Δy / Δx of ReLU, for inputs that differ. */
export const rescaleReluReference = (x: number[], before: number[] = [], dy: number[] = []): number[] =>
  x.map((value, i) => {
    const reference = before[i] as number;
    return ((dy[i] as number) * (Math.max(value, 0) - Math.max(reference, 0))) / (value - reference);
  });

/** dy Δy / Δx; where |Δx| is at most the threshold, what the derivative half-way gives. */
export const rescaleSmoothReference =
  (threshold: number) =>
  (...inputs: number[][]): number[] => {
    const [x, reference, y, yReference, dy, midpoint] = inputs as [number[], number[], number[], number[], number[], number[]];
    return x.map((value, i) => {
      const difference = value - (reference[i] as number);
      if (Math.abs(difference) <= threshold) return midpoint[i] as number;
      return ((dy[i] as number) * ((y[i] as number) - (yReference[i] as number))) / difference;
    });
  };
