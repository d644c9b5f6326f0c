import { describe, expect, test } from 'vitest';
import { getField, haltReasons, makeState } from '../../../src/engine/training-state.ts';
import { countQuiet, judgeQuiet } from '../../../src/explain/ops/dead-units.ts';
import { runInPlace } from '../../engine/ops/run-in-place.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

const REASON = haltReasons.indexOf('dead-unit');

interface Case {
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Valid rows. */
  readonly rows: number;
  readonly before: readonly number[];
  readonly seen?: number;
  readonly step?: number;
  readonly halted?: number;
  readonly window?: number;
}

async function counted({ shape, values, rows, before, seen = 4, step = 5, halted = 0, window = 1000 }: Case): Promise<{
  readonly quiet: readonly number[];
  readonly verdict: readonly number[];
  readonly halted: number;
  readonly header: readonly number[];
}> {
  const found = await runInPlace(
    {
      values: [[...shape], values],
      ring: [[2, 4], Uint32Array.of(step, halted, 0, rows, 0, 0, 0, 0)],
      state: makeState({ step, halted }),
      verdict: Uint32Array.of(seen, 0, 0, 0),
      quiet: Uint32Array.from(before),
    },
    (n) =>
      judgeQuiet(countQuiet(n.values, n.ring, n.state, n.verdict, n.quiet, { first: 1 }), n.state, n.ring, n.verdict, {
        window,
        reason: REASON,
      }),
  );
  return {
    quiet: [...found.quiet],
    verdict: [...found.verdict],
    halted: getField(found.state as Uint32Array, 'halted'),
    header: [...found.ring].slice(0, 4),
  };
}

/** A unit is silent in the first `rows` rows where its number is not divisible by 3; behind them it is not. */
function values(batch: number, places: number, units: number, rows: number): Float32Array {
  return Float32Array.from({ length: batch * places * units }, (_, i) => {
    const [unit, row] = [i % units, Math.floor(i / (units * places))];
    return row >= rows ? 9 : unit % 3 === 0 && row === rows - 1 ? 0.5 : 0;
  });
}

describe('countQuiet', () => {
  test.each([
    [1, 1, 1],
    [4, 1, 63],
    [4, 1, 64],
    [3, 1, 65],
    [7, 1, 131],
    [2, 6, 5],
  ])('counts the silent units of [%i, %i, %i], of the valid rows alone', async (batch, places, units) => {
    const rows = Math.max(1, batch - 1);
    const before = Array.from({ length: units + 2 }, (_, i) => 10 + i);
    const { quiet, verdict } = await counted({ shape: [batch, places, units], values: values(batch, places, units, rows), rows, before });
    // Units of other layers, before and behind, are left alone.
    const expected = before.map((count, i) => (i < 1 || i > units ? count : (i - 1) % 3 === 0 ? 0 : count + 1));
    expect(quiet).toEqual(expected);
    expect(verdict).toEqual([5, 0, 0, 0]);
  });

  test('what is not a number is no silence', async () => {
    const { quiet } = await counted({ shape: [1, 3], values: Float32Array.of(Number.NaN, 0, -0), rows: 1, before: [0, 0, 0, 0] });
    expect(quiet).toEqual([0, 0, 1, 1]);
  });

  test('counting begins anew where the step before was not counted', async () => {
    for (const seen of [3, 5, 900]) {
      const { quiet, verdict } = await counted({ shape: [1, 2], values: Float32Array.of(0, 1), rows: 1, before: [8, 8, 8], seen });
      expect(quiet).toEqual([8, 1, 0]);
      expect(verdict[0]).toBe(5);
    }
  });

  test('after a halt nothing is counted or judged', async () => {
    const found = await counted({ shape: [1, 2], values: Float32Array.of(0, 0), rows: 1, before: [8, 8, 8], halted: 2, window: 9 });
    expect(found).toEqual({ quiet: [8, 8, 8], verdict: [4, 0, 0, 0], halted: 2, header: [5, 2, 0, 1] });
  });
});

describe('judgeQuiet', () => {
  test('halts for the lowest unit whose count has just reached the window, and tells the ring', async () => {
    const found = await counted({ shape: [1, 3], values: Float32Array.of(0, 0, 0), rows: 1, before: [3, 9, 8, 8], window: 9 });
    expect(found).toEqual({ quiet: [3, 10, 9, 9], verdict: [5, 3, 5, 0], halted: REASON, header: [5, REASON, 0, 1] });
  });

  test('a unit that was found goes on to be silent and is not found again', async () => {
    const found = await counted({ shape: [1, 1], values: Float32Array.of(0), rows: 1, before: [0, 9], window: 9 });
    expect([found.quiet, found.halted]).toEqual([[0, 10], 0]);
  });
});
