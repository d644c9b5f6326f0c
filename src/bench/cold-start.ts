/** From navigation to the first finished training step, in a page that holds nothing else. Whoever can open pages says how. */

import { type ContenderName, does } from './contender.ts';
import type { ColdStart } from './minimal/finished.ts';
import { rotated } from './statistics.ts';
import { type Measured, messageOf, notApplicable, type Row, rowsOf, type SuiteOptions } from './suite.ts';

/** An untrained network of ten classes has a loss of about ln 10; a page whose first loss is far from it has not trained. */
const plausible = (loss: number): boolean => loss > 1 && loss < 6;

/**
 * Opens the page of each contender in turn, once to warm the browser and then `repeats` times.
 *
 * @param open opens the page of a contender, in a context with no cache, and resolves with what it tells
 */
export async function measureColdStart(options: SuiteOptions, open: (contender: ContenderName) => Promise<ColdStart>): Promise<Row[]> {
  const { baseline, repeats = 5, signal } = options;
  const contenders = options.contenders.filter((name) => does(name, 'train'));
  const others = options.contenders.filter((name) => !does(name, 'train'));
  const measured = contenders.map((contender) => ({ contender, values: [] as number[], failure: undefined as string | undefined }));
  for (let round = -1; round < repeats; round++) {
    for (const each of rotated(measured, round + 1)) {
      if (each.failure !== undefined || signal?.aborted) continue;
      try {
        const { milliseconds, loss } = await open(each.contender);
        if (!plausible(loss)) throw new Error(`Its first loss is ${loss}, which is not that of an untrained network.`);
        if (round >= 0) each.values.push(milliseconds);
      } catch (error) {
        each.failure = messageOf(error);
        each.values.length = 0;
      }
    }
  }
  const results = measured.map(({ failure, ...rest }): Measured => ({ ...rest, ...(failure === undefined ? {} : { failure }) }));
  return rowsOf('cold-start', 'ms', 'lower', baseline, [...results, ...others.map(notApplicable)]);
}
