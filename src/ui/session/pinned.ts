/** The pinned example beside the chosen one: its prediction, and its maps by the same methods for the same class. Loaded when one is pinned. */

import type { Model } from '../../engine/index.ts';
import { explainWith, type Question, readMap } from './explain.ts';
import { METHODS, type MethodName } from './methods.ts';
import { stepOf } from './probe.ts';
import type { MapCard, Prediction, ShownExample } from './session.ts';

export interface Pinned {
  readonly example: ShownExample;
  readonly prediction: Prediction;
  readonly cards: readonly MapCard[];
}

export interface PinnedOptions {
  readonly question: Question;
  readonly methods: readonly MethodName[];
  /** What else the maps depend on: a changed copy, the run. */
  readonly series: string;
  /** Training stands still: costly maps too are computed, and all are read. */
  readonly still: boolean;
  /** Methods that are to be computed anew, whatever they cost. */
  readonly asked: ReadonlySet<MethodName>;
}

/**
 * Looks at the pinned example. Maps that are still true are kept; those that are replaced are left to the caller.
 *
 * @throws VitrineError `device-lost`, `tensor-disposed`, and what `logits` throws; a method's own fault stands on its card
 */
export async function lookAtPinned(
  model: Model,
  example: ShownExample,
  before: Pinned | undefined,
  options: PinnedOptions,
): Promise<Pinned> {
  const { question, methods, still, asked } = options;
  const prediction = await predict(model, example);
  // The words of a text carry their numbers.
  const withValues = still || model.spec.inputType === 'uint32';
  const cards: MapCard[] = [];
  for (const method of methods) {
    const series = `pinned ${options.series} ${example.key} ${question.target} ${question.against} ${method}`;
    const card = before?.cards.find((each) => each.method === method && each.map?.series === series);
    const { cheap } = METHODS[method];
    const current =
      card?.map && (cheap ? card.map.step === stepOf(model) && (!withValues || card.map.values !== undefined) : !asked.has(method));
    if (card && (current || (!cheap && !still && !asked.has(method)))) {
      cards.push(card);
      continue;
    }
    cards.push(await mapOf(method, model, example, question, series, withValues));
  }
  return Object.freeze({ example, prediction, cards: Object.freeze(cards) });
}

async function predict(model: Model, example: ShownExample): Promise<Prediction> {
  const [logits, output] = await Promise.all([model.logits(example.values), model.predict(example.values)]);
  const step = stepOf(model);
  try {
    const [raw, probabilities] = await Promise.all([logits.read(), output.read()]);
    const predicted = raw.every(Number.isFinite) ? raw.indexOf(Math.max(...raw)) : -1;
    return Object.freeze({ logits: raw, probabilities, step, example: example.key, predicted });
  } finally {
    logits.dispose();
    output.dispose();
  }
}

async function mapOf(
  method: MethodName,
  model: Model,
  example: ShownExample,
  question: Question,
  series: string,
  withValues: boolean,
): Promise<MapCard> {
  const began = performance.now();
  try {
    const attribution = await explainWith(method, model, example.values, question);
    const { output, delta, values } = await readMap(model.device, attribution, withValues);
    return Object.freeze({
      method,
      computing: false,
      map: Object.freeze({
        attribution,
        series,
        example: example.key,
        step: attribution.step ?? stepOf(model),
        target: question.target,
        against: question.against,
        output,
        delta,
        values,
        milliseconds: performance.now() - began,
      }),
    });
  } catch (fault) {
    const code = (fault as { readonly code?: string }).code;
    if (code === 'device-lost' || code === 'tensor-disposed') throw fault;
    return Object.freeze({ method, computing: false, fault });
  }
}
