import { checkWhole } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { permute, streamOf } from '../../engine/random.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import type { Baseline } from '../explainer.ts';
import { type GroupsGiven, groupsOf } from '../masked.ts';
import { type BackgroundOptions, explainedBy } from './explained-by.ts';
import { hideSubsets } from './hidden-subsets.ts';
import { readMaps, requireSameRows } from './maps.ts';
import { correlation } from './ranks.ts';

export interface FaithfulnessOptions extends ExplainOptions, BackgroundOptions {
  /** What hidden elements become; 0 by default. Of a data set the output is the mean over its chosen examples. */
  readonly baseline?: Baseline;
  /** Groups that are hidden together; each element by itself by default. */
  readonly groups?: GroupsGiven;
  /** Groups in each subset; 224 by default, or two in seven where that is fewer. */
  readonly subsetSize?: number;
  /** Number of subsets; 100 by default. */
  readonly subsets?: number;
  readonly seed?: number;
}

const STREAM = streamOf('faithfulnessCorrelation');

/**
 * Faithfulness correlation: whether the parts of a map add up as the network does, corr over random subsets S of Σ_S φ and f(x) − f(x with S at x′).
 *
 * **Shapes** x [rows, ...], maps the same → [rows], −1 to 1; NaN where one of the two never changes. **Cost** `subsets` forward rows an example, folded behind a first
 * affine layer. **Higher is better**; a map that foretells nothing gives 0 ± 1/√subsets. The subsets are the same for every example.
 * **Caveat** it asks for contributions: a gradient is scored as if it were one.
 * Defaults: 100 subsets of 224 elements (Quantus, which refuses inputs of fewer).
 * **Source** Bhatt, Weller, Moura 2020, "Evaluating and aggregating feature-based model explanations", definition 3.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `invalid-option`, `non-finite-data`, `unsupported-model`, `aborted`
 */
export async function faithfulnessCorrelation(
  model: Model,
  x: Examples,
  attribution: Attribution,
  options: FaithfulnessOptions = {},
): Promise<Float64Array> {
  const metric = 'faithfulnessCorrelation';
  const examples = requireSameRows(metric, model, x, attribution);
  const groups = groupsOf(metric, model, options.groups);
  const { subsets = 100, seed = 0, baseline = 0 } = options;
  const { subsetSize = Math.max(1, Math.min(224, Math.floor((2 * groups.count) / 7))) } = options;
  checkWhole(`${metric}: subsetSize`, subsetSize, 1, groups.count);
  checkWhole(`${metric}: subsets`, subsets, 2);
  checkWhole(`${metric}: seed`, seed, 0, 0xffffffff);
  const hidden = Array.from({ length: subsets }, (_, subset) =>
    // The first places of a keyed permutation: a subset without repetition.
    Uint32Array.from({ length: subsetSize }, (_, place) => permute(place, groups.count, (seed ^ STREAM) >>> 0, subset)),
  );
  const { values } = await readMaps(attribution);
  const { onProgress } = options;
  const explained = { ...(await explainedBy(attribution, options)), ...(onProgress ? { onProgress } : {}) };
  const { foretold, lost } = await hideSubsets(model, x, values, hidden, { ...explained, groups, baseline });
  return Float64Array.from({ length: examples }, (_, example) => correlation(foretold(example), lost(example)));
}
