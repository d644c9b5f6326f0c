import type { Examples, Model } from '../../engine/model.ts';
import type { ExplainOptions } from '../attribution.ts';
import { type ExplanationMethod, explainOptionsOf, mapsOf } from './maps.ts';
import { absolute, spearman } from './ranks.ts';

export interface DataRandomisation {
  /** Rank correlation of each example's two maps, [rows]; NaN where one of them is constant. */
  readonly signed: Float64Array;
  /** Of their absolute values, [rows]. */
  readonly absolute: Float64Array;
}

/**
 * Data randomisation: how alike the maps of a network are to those of its twin that was trained on the same inputs with their labels dealt out anew.
 *
 * **Shapes** x [rows, ...] → one number an example. **Cost** the method, twice. **Nearer 0 is better**: the twin has learnt nothing that is true of the data, so a map that stays shows the
 * input, or how the network is built, and not what it has learnt.
 * The twin comes from the caller: `shuffledLabels(dataset, seed)` of vitrine/data, the same specification, trained until it fits.
 * Both explain the class that the network itself predicts, unless a target is given: the twin's class says nothing.
 * **Source** Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim 2018, "Sanity checks for saliency maps", section 4.
 *
 * @throws VitrineError as the method
 */
export async function dataRandomisation(
  model: Model,
  twin: Model,
  x: Examples,
  method: ExplanationMethod,
  options: ExplainOptions = {},
): Promise<DataRandomisation> {
  const asked = explainOptionsOf(options);
  const own = await mapsOf(method, model, x, asked);
  const other = await mapsOf(method, twin, x, { ...asked, target: options.target ?? own.target });
  const each = (of: (values: Float32Array) => Float32Array): Float64Array =>
    Float64Array.from({ length: own.maps.examples }, (_, i) => spearman(of(own.maps.of(i)), of(other.maps.of(i))));
  return { signed: each((values) => values), absolute: each(absolute) };
}
