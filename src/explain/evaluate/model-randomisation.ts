import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { type ExplainOptions, requireGoingOn, unsupportedModel } from '../attribution.ts';
import { type ExplanationMethod, explainOptionsOf, mapsOf } from './maps.ts';
import { RandomisedCopy } from './randomised-copy.ts';
import { absolute, spearman } from './ranks.ts';

/** `topDown` and `bottomUp` draw one more layer at each stage; `independent` one layer alone. */
export type RandomisationOrder = 'topDown' | 'bottomUp' | 'independent';

export interface RandomisationOptions extends ExplainOptions {
  /** Which layers are drawn anew; 'topDown' by default, the paper's cascade from the output on. */
  readonly order?: RandomisationOrder;
  readonly seed?: number;
}

/** What came of drawing one more layer. */
export interface RandomisationStage {
  /** The layer drawn at this stage. */
  readonly layer: string;
  /** Spearman's correlation of each example's map with the original; NaN where a map is constant. */
  readonly signed: Float64Array;
  /** The same of the maps' absolute values, as published. */
  readonly absolute: Float64Array;
}

/**
 * Model parameter randomisation (MPRT): how much of a map is left when the network's layers are drawn anew, layer by layer from the output down:
 * Spearman's rank correlation of each map with the trained network's, equal values sharing the mean of their ranks.
 *
 * **Shapes** x [rows, ...] → for each layer [rows] signed and [rows] absolute, −1 to 1. **Cost** the method once a layer and once before.
 * **Nearer 0 is better**, and −1 as bad as 1: a map that stays, be it with its sign turned, does not show what the network has learned; `evaluate` ranks by |ρ|. **Caveat** absolute maps of any method that multiplies by the input stay
 * alike because |x| stays: read the signed ones, beside the control inputXRandom. Independent maps of d elements give 0 ± 1/√(d − 1).
 *
 * Layers are drawn from their own initialisers, in a copy; the model is never touched. Unless `target` is given, each map explains the class that its own
 * network predicts (the authors' code).
 * **Source** Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim 2018, "Sanity checks for saliency maps", section 3.
 *
 * @throws VitrineError as the method; `invalid-option`, `unsupported-model` for a model without parameters, `aborted`
 */
export async function modelRandomisation(
  model: Model,
  x: Examples,
  method: ExplanationMethod,
  options: RandomisationOptions = {},
): Promise<readonly RandomisationStage[]> {
  const { order = 'topDown', seed = 0 } = options;
  checkWhole('modelRandomisation: seed', seed, 0, 0xffffffff);
  if (!['topDown', 'bottomUp', 'independent'].includes(order)) {
    throw new VitrineError(
      'invalid-option',
      `modelRandomisation: there is no order '${String(order)}'.`,
      'use one of topDown, bottomUp, independent.',
      { order },
    );
  }
  model.rowsOf(x);
  requireGoingOn('modelRandomisation', options.signal);
  const copy = await RandomisedCopy.of(model, seed);
  try {
    if (copy.layers.length === 0) {
      throw unsupportedModel('modelRandomisation', 'the model has no parameters to draw anew.', 'score it with deletion or infidelity.');
    }
    const layers = order === 'topDown' ? [...copy.layers].reverse() : copy.layers;
    const explain = explainOptionsOf(options);
    const original = (await mapsOf(method, copy.model, x, explain)).maps;
    const stages: RandomisationStage[] = [];
    for (const layer of layers) {
      requireGoingOn('modelRandomisation', options.signal);
      if (order === 'independent') copy.restore();
      copy.randomise(layer);
      const { maps } = await mapsOf(method, copy.model, x, explain);
      const each = (score: (example: number) => number): Float64Array => Float64Array.from({ length: maps.examples }, (_, i) => score(i));
      stages.push({
        layer,
        signed: each((i) => spearman(original.of(i), maps.of(i))),
        absolute: each((i) => spearman(absolute(original.of(i)), absolute(maps.of(i)))),
      });
      options.onProgress?.({ done: stages.length, total: layers.length });
    }
    return stages;
  } finally {
    copy.dispose();
  }
}
