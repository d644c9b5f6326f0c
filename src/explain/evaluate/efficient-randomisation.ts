import { checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { type ExplainOptions, requireGoingOn } from '../attribution.ts';
import { type ExplanationMethod, explainOptionsOf, mapsOf, scoreEach } from './maps.ts';
import { RandomisedCopy } from './randomised-copy.ts';

export interface EfficientRandomisationOptions extends ExplainOptions {
  /** Of the histogram, between a map's least and largest value; 100 by default (Quantus). */
  readonly bins?: number;
  readonly seed?: number;
}

/**
 * Efficient MPRT: how much more disordered a map is once the whole network is drawn anew, (H(φ̃) − H(φ)) / H(φ), H the entropy of the histogram of its values.
 *
 * **Shapes** x [rows, ...] → [rows]. **Cost** the method twice. **Higher is better.** A method blind to the network gives 0; a map of equal values NaN, for its
 * entropy is 0.
 * **Source** Hedström, Weber, Lapuschkin, Höhne 2023, "Sanity checks revisited: an exploration to repair the model parameter randomisation test".
 *
 * @throws VitrineError as the method; `invalid-option`, `aborted`
 */
export async function efficientRandomisation(
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: EfficientRandomisationOptions = {},
): Promise<Float64Array> {
  const { bins = 100, seed = 0 } = options;
  checkWhole('efficientRandomisation: bins', bins, 2);
  checkWhole('efficientRandomisation: seed', seed, 0, 0xffffffff);
  model.rowsOf(x);
  requireGoingOn('efficientRandomisation', options.signal);
  const copy = await RandomisedCopy.of(model, seed);
  try {
    const explain = explainOptionsOf(options);
    const before = (await mapsOf(method, copy.model, x, explain)).maps;
    for (const layer of copy.layers) copy.randomise(layer);
    const after = (await mapsOf(method, copy.model, x, explain)).maps;
    return scoreEach(before, (map, example) => {
      const entropy = histogramEntropy(map, bins);
      return entropy === 0 ? Number.NaN : (histogramEntropy(after.of(example), bins) - entropy) / entropy;
    });
  } finally {
    copy.dispose();
  }
}

/** Entropy of the histogram of a map's values between its least and its largest, in nats. */
export function histogramEntropy(map: Float32Array, bins: number): number {
  const [least, largest] = map.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const counts = new Uint32Array(bins);
  for (const value of map) {
    const bin = largest === least ? 0 : Math.min(bins - 1, Math.floor((bins * (value - least)) / (largest - least)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts.reduce((sum, count) => sum - (count === 0 ? 0 : (count / map.length) * Math.log(count / map.length)), 0);
}
