/** A map is held to its promise: what it said would happen when values of the input are taken away or altered, and what the network does. */

import type { Model } from '../../engine/index.ts';
import { explainWith } from './explain.ts';
import { METHODS } from './methods.ts';
import { stepOf } from './probe.ts';
import type { ChallengeRow, MapCard, ShownExample } from './session.ts';
import { copyOf, copyWeights } from './what-if.ts';

export interface Challenge {
  readonly example: ShownExample;
  /** The example with values taken away, or altered. */
  readonly changed: Float32Array;
  /** Indices of those values. */
  readonly cells: readonly number[];
  /** What stands for a value that is taken away: the baseline of the maps. */
  readonly absent: number;
  /** Key of the example that is on screen while the answer is. */
  readonly shown: string;
  readonly cards: readonly MapCard[];
  /** Training stands still. */
  readonly still: boolean;
}

/**
 * A row for each map of the example, all of one step, so that they can be compared: where training goes on, or a map is of an earlier step,
 * network and maps are those of a copy, taken in one moment.
 *
 * A gradient promises its value × the change of the input. A share is what its value of the input added against the baseline: the promise is to lose
 * it where the value is taken away, and the proportional part of it where the value is altered; a value that was at the baseline has no share.
 *
 * @throws VitrineError `device-lost`, `tensor-disposed`, and what the methods throw
 */
export async function holdMaps(model: Model, { example, changed, cells, absent, shown, cards, still }: Challenge): Promise<ChallengeRow[]> {
  const maps = cards.flatMap(({ method, map }) => (map && map.example === example.key ? [{ method, map }] : []));
  const asTheyAre = still && maps.every(({ map }) => map.values !== undefined && map.step === stepOf(model));
  const subject = asTheyAre ? model : await copyOf(model);
  try {
    if (subject !== model) copyWeights(subject, model);
    const step = stepOf(subject);
    const [before, after] = await logitsOf(subject, example.values, changed);
    const rows: ChallengeRow[] = [];
    for (const { method, map } of maps) {
      const { target, against } = map;
      const values = map.step === step && map.values ? map.values : await mapOn(subject, method, example, { target, against });
      const explained = (of: Float32Array): number => of[target]! - (against === undefined ? 0 : of[against]!);
      const isShare = METHODS[method].reading === 'share';
      const promised = cells.reduce(
        (sum, i) =>
          sum + (isShare ? values[i]! * gained(example.values[i]!, changed[i]!, absent) : values[i]! * (changed[i]! - example.values[i]!)),
        0,
      );
      rows.push(
        Object.freeze({
          method,
          target,
          against,
          step,
          example: example.choice,
          cells,
          altered: shown === example.key ? undefined : cells.map((i) => [example.values[i]!, changed[i]!] as const),
          asked: example.key,
          shown,
          promised,
          actual: explained(after) - explained(before),
          classes: [before.indexOf(Math.max(...before)), after.indexOf(Math.max(...after))] as const,
        }),
      );
    }
    return rows;
  } finally {
    if (subject !== model) subject.dispose();
  }
}

/** How many times its share a value gains: −1 where it is taken away. */
const gained = (from: number, to: number, absent: number): number =>
  to === absent ? -1 : from === absent ? 0 : (to - from) / (from - absent);

async function mapOn(
  model: Model,
  method: MapCard['method'],
  { values }: ShownExample,
  question: Parameters<typeof explainWith>[3],
): Promise<Float32Array> {
  const attribution = await explainWith(method, model, values, question);
  try {
    return await attribution.values.read();
  } finally {
    attribution.dispose();
  }
}

async function logitsOf(model: Model, example: Float32Array, changed: Float32Array): Promise<[before: Float32Array, after: Float32Array]> {
  const both = new Float32Array(2 * changed.length);
  both.set(example);
  both.set(changed, changed.length);
  const logits = await model.logits(both);
  try {
    const values = await logits.read();
    const classes = values.length / 2;
    return [values.subarray(0, classes), values.subarray(classes)];
  } finally {
    logits.dispose();
  }
}
