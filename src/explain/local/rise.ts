import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { add, multiply } from '../../engine/ops/arithmetic.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { slice } from '../../engine/ops/slice.ts';
import { streamOf } from '../../engine/random.ts';
import type { Attribution } from '../attribution.ts';
import { baselineRows } from '../baselines.ts';
import { attributionOf, explainerOf } from '../explainer.ts';
import {
  type GroupsGiven,
  groupData,
  groupsOf,
  imageOf,
  imagePatches,
  type MaskedOptions,
  maskedLogits,
  recordMasked,
  spreadData,
  spreadGroups,
} from '../masked.ts';
import { maskWidth } from '../ops/mask-bits.ts';
import { riseMasks } from '../ops/rise-masks.ts';

export interface RiseOptions extends MaskedOptions {
  /** Number of masks; 4,000 by default. */
  readonly samples?: number;
  /** Cells along each side of the grid that is stretched over an image; 7 by default, or as many as the image has pixels. */
  readonly cells?: number;
  /** Probability that a cell, or a group, is kept; 0.5 by default. */
  readonly keep?: number;
  /** [height, width] or [height, width, channels], where the model's input is a list of pixels; the model's own shape by default. */
  readonly imageShape?: readonly number[];
  /** Keep or hide each of these groups by itself, in place of an image's grid. */
  readonly groups?: GroupsGiven;
  /** Of the masks; 0 by default. */
  readonly seed?: number;
}

/** Masks of an example in one run at most. */
const MASKS_PER_RUN = 512;

/**
 * RISE: φ = 1/(N p) Σ_k f_c(x′ + M_k ⊙ (x − x′)) M_k, the mean of the outputs of masked copies, each weighted by how much of the element it showed.
 *
 * **Shapes** x [rows, ...inputShape] → values the same; all channels of a pixel have one value. **Cost** `samples` forward rows an example.
 * **Shows** where the output is high when the element is to be seen. **Does not show** contributions: the map is not centred. On a linear model with independent masks
 * it tends to (1 − p) w_i x_i + p wᵀx + b, so its differences count, not its sign.
 * Defaults: 4,000 masks, 7 × 7 cells, p = 0.5 (the paper's settings); the logit, where the paper takes the probability. The authors' notebooks take 6,000, 8 × 8 and
 * 0.1. Where the input is no image each element is kept or hidden by itself.
 * Masks are summed in runs, which `budget` makes smaller or larger: the last bits depend on it.
 * **Source** Petsiuk, Das, Saenko 2018, "RISE: randomized input sampling for explanation of black-box models", equation 6.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export async function rise(model: Model, x: Examples, options: RiseOptions = {}): Promise<Attribution> {
  const method = 'rise';
  const { samples = 4000, keep = 0.5, seed = 0, fold = true } = options;
  checkWhole(`${method}: samples`, samples, 1);
  checkNumber(`${method}: keep`, keep, 1e-6, 1);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const { inputShape } = model.spec;
  const given = options.cells !== undefined || options.imageShape !== undefined;
  if (options.groups !== undefined && given) {
    throw new VitrineError(
      'invalid-option',
      `${method}: groups are given, and cells or an image's shape besides.`,
      'mask groups or an image by a grid of cells.',
      { method },
    );
  }
  const image =
    options.groups === undefined && (given || inputShape.length === 3) ? imageOf(method, inputShape, options.imageShape) : undefined;
  const side = image ? Math.min(image[0], image[1]) : 1;
  const { cells = Math.min(7, side) } = options;
  if (image) checkWhole(`${method}: cells`, cells, 1, side);
  const grid = image && { height: image[0], width: image[1], cells };
  const groups = image ? imagePatches(image, 1) : groupsOf(method, model, options.groups);
  const n = groups.count;
  const stream = streamOf(method);
  // Every element of a group has its group's value.
  const data = { ...groupData(groups), ...spreadData(groups), share: new Float32Array(groups.of.length).fill(1) };
  const explained = await explainerOf(model).run(
    {
      method,
      key: `${fold ? 'folded' : 'plain'} ${n} ${grid ? `${grid.height}×${grid.width} by ${cells}` : 'independent'}`,
      samples,
      samplesPerRun: MASKS_PER_RUN,
      slice: (first, count, width) => ({
        ...data,
        draw: Uint32Array.of(seed, first, count),
        keep: Float32Array.of(keep),
        weights: new Float32Array(width).fill(1 / (samples * keep), 0, count),
      }),
      build: (scene) => {
        const attributes = { samples: scene.samples, groups: n, stream, ...(grid ? { grid } : {}) };
        const masks = riseMasks(scene.input('draw', [3], 'uint32'), scene.input('keep', [1]), attributes);
        const outputs = reshape(scene.output(maskedLogits(scene, groups, masks, fold)), [scene.rows, scene.samples]);
        const weighted = multiply(outputs, scene.input('weights', [scene.samples]));
        const sum = add(matmul(weighted, masks), scene.carried('sum', [scene.rows, maskWidth(n)]));
        const values = slice(sum, { start: [0, 1], end: [scene.rows, 1 + n] });
        return { outputs: { values: spreadGroups(scene, groups, values) }, carry: { sum } };
      },
    },
    x,
    { ...options, baseline: baselineRows(method, model, x, options.baseline, options) },
  );
  const record = recordMasked(options, {
    samples,
    ...(grid ? { cells } : { groups }),
    ...(options.imageShape ? { imageShape: [...options.imageShape] } : {}),
    keep,
    seed,
    ...(options.budget === undefined ? {} : { budget: options.budget }),
  });
  return attributionOf(method, { ...record, seed }, explained);
}
