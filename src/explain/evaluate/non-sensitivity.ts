import { checkNumber, checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { normal, streamOf } from '../../engine/random.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { eachFeature } from '../masked.ts';
import { explainedBy } from './explained-by.ts';
import { hideSubsets } from './hidden-subsets.ts';
import { readExamples, readMaps, requireSameRows, scoreEach } from './maps.ts';

export interface NonSensitivityOptions extends ExplainOptions {
  /** Up to which a value, or a change of the output, counts as none; 1e-5 by default (Quantus). */
  readonly threshold?: number;
  /** Deviation of the normal noise that moves each element in turn, in units of the input; 1 by default. */
  readonly deviation?: number;
  /** Moves of each element; 3 by default. */
  readonly draws?: number;
  readonly seed?: number;
}

const STREAM = streamOf('nonSensitivity');

/**
 * Non-sensitivity: how many elements a map gives something although the network does not use them, or nothing although it does.
 *
 * An element is used where moving it alone, by normal noise, changes the output. **Shapes** x [rows, ...], maps the same → a count an example. **Cost** features × `draws`
 * forward rows an example, folded behind a first affine layer. **Lower is better**, 0 at best.
 * **Source** Nguyen, Martínez 2020, "On quantitative aspects of model interpretability"; threshold as in Quantus.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `invalid-option`, `non-finite-data`, `unsupported-model`, `aborted`
 */
export async function nonSensitivity(
  model: Model,
  x: Examples,
  attribution: Attribution,
  options: NonSensitivityOptions = {},
): Promise<Float64Array> {
  const { threshold = 1e-5, deviation = 1, draws = 3, seed = 0 } = options;
  requireSameRows('nonSensitivity', model, x, attribution);
  checkNumber('nonSensitivity: threshold', threshold, 0);
  checkNumber('nonSensitivity: deviation', deviation, 1e-6);
  checkWhole('nonSensitivity: draws', draws, 1);
  checkWhole('nonSensitivity: seed', seed, 0, 0xffffffff);
  const maps = await readMaps(attribution);
  const rows = await readExamples(x);
  const explained = await explainedBy(attribution, options);
  const features = elements(model.spec.inputShape);
  const alone = Array.from({ length: features }, (_, feature) => [feature]);
  const used = new Uint8Array(rows.length);
  for (let draw = 0; draw < draws; draw++) {
    const baseline = rows.map((value, i) => value + deviation * normal(seed, STREAM, draw, i % features));
    const { lost } = await hideSubsets(model, x, maps.values, alone, {
      ...explained,
      groups: eachFeature(model.spec.inputShape),
      baseline,
    });
    for (let example = 0; example < maps.examples; example++) {
      const changes = lost(example);
      for (let i = 0; i < features; i++) if (Math.abs(changes[i] as number) > threshold) used[example * features + i] = 1;
    }
    options.onProgress?.({ done: draw + 1, total: draws });
  }
  return scoreEach(maps, (map, example) =>
    map.reduce((count, value, i) => count + (Math.abs(value) > threshold === (used[example * features + i] === 1) ? 0 : 1), 0),
  );
}
