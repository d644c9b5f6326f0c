/** The watch for dead units in the self-test: a batch of a layer is counted, and training halts for the unit that has been silent long enough. */

import { getField, haltReasons, makeState } from '../../engine/training-state.ts';
import { countQuiet, judgeQuiet } from '../../explain/ops/dead-units.ts';
import { inPlace, type SelfTestCase } from './cases.ts';

const [BATCH, ROWS, UNITS, WINDOW] = [5, 4, 67, 20] as const;
const REASON = haltReasons.indexOf('dead-unit');
/** A third of the units answer, in the last valid row alone; all do in the row behind it. */
const answers = (row: number, unit: number): boolean => row >= ROWS || (row === ROWS - 1 && unit % 3 === 0);

export const deadUnitCases = (): SelfTestCase[] => [
  inPlace('deadUnits', `${ROWS} valid rows of [${BATCH}, ${UNITS}]`, ['dead-units.count', 'dead-units.judge'], async (run) => {
    const before = Uint32Array.from({ length: UNITS }, (_, unit) => (unit * 7) % WINDOW);
    const inputs = {
      values: [
        [BATCH, UNITS],
        Float32Array.from({ length: BATCH * UNITS }, (_, i) => (answers(Math.floor(i / UNITS), i % UNITS) ? 0.5 : 0)),
      ] as const,
      ring: [[2, 4], Uint32Array.of(5, 0, 0, ROWS, 0, 0, 0, 0)] as const,
      state: makeState({ step: 5 }),
      verdict: Uint32Array.of(4, 0, 0, 0),
      quiet: before,
    };
    const after = await run(inputs, (n) => {
      const counted = countQuiet(n.values, n.ring, n.state, n.verdict, n.quiet, { first: 0 });
      return judgeQuiet(counted, n.state, n.ring, n.verdict, { window: WINDOW, reason: REASON });
    });
    const expected = Array.from(before, (count, unit) => (unit % 3 === 0 ? 0 : count + 1));
    return [
      { what: 'batches of silence', actual: [...after.quiet], expected, tolerance: 0 },
      { what: 'unit and step', actual: [...after.verdict], expected: [5, 1 + expected.indexOf(WINDOW), 5, 0], tolerance: 0 },
      {
        what: 'halt',
        actual: [getField(after.state as Uint32Array, 'halted'), after.ring[1] as number],
        expected: [REASON, REASON],
        tolerance: 0,
      },
    ];
  }),
];
