import { describe, expect, test } from 'vitest';
import { accumulate, advance } from '../../../src/engine/ops/advance.ts';
import { getField, haltReasons, makeState, type StateField } from '../../../src/engine/training-state.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { expectClose } from './check-operation.ts';
import { runInPlace } from './run-in-place.ts';

failOnGpuErrors();

type Fields = Partial<Record<StateField, number>>;

const RING = 5;
const losses = [0.5, 1.25, 2, 0.25];
const hits = [1, 0, 1, 1];
const beta1 = Math.fround(0.9);
const beta2 = Math.fround(0.999);

interface Options {
  readonly rowLoss?: readonly number[];
  readonly rates?: readonly number[];
  readonly times?: number;
}

const whole: Fields = { rows: 4, batch: 4, examples: 10, stride: 4 };
/** What no advance writes. */
const UNWRITTEN = 12345;

async function advanced(from: Fields, options: Options = {}): Promise<{ get: (field: StateField) => number; ring: number[][] }> {
  const { rowLoss = losses, rates = [0.5], times = 1 } = options;
  const { state, ring } = await runInPlace(
    {
      rowLoss: Float32Array.from(rowLoss),
      rowHit: Float32Array.from(hits),
      rates: Float32Array.from(rates),
      state: makeState({ ...whole, ...from }),
      ring: [[1 + RING, 4], new Uint32Array(4 * (1 + RING)).fill(UNWRITTEN)],
    },
    (n) => advance(n.rowLoss, n.rowHit, n.rates, n.state, n.ring, { beta1: 0.9, beta2: 0.999 }),
    times,
  );
  const words = [...ring];
  return {
    get: (field) => getField(state as Uint32Array, field),
    ring: Array.from({ length: 1 + RING }, (_, i) => words.slice(4 * i, 4 * i + 4)),
  };
}

const float = (word: number | undefined): number => new Float32Array(Uint32Array.of(word as number).buffer)[0] as number;
const untouched = Array<number>(4).fill(UNWRITTEN);

describe('advance: loss, accuracy and the ring', () => {
  test.each([1, 2, 3, 4])('means the losses and hits of the first %i rows, the valid ones', async (rows) => {
    const rowLoss = losses.map((loss, row) => (row < rows ? loss : Number.NaN));
    const { get } = await advanced({ rows }, { rowLoss });
    const mean = (values: readonly number[]): number => values.slice(0, rows).reduce((a, b) => a + b, 0) / rows;
    expectClose([get('loss'), get('accuracy')], [mean(losses), mean(hits)], [2], 1e-7, 'loss and accuracy');
    expect(get('halted')).toBe(0);
  });

  test('reads no row beyond the capacity, whatever the count says', async () => {
    const { get, ring } = await advanced({ rows: 400 });
    expect(get('loss')).toBe(1);
    expect(ring[0]?.[3]).toBe(4);
  });

  test.each([0, 3, 4, 5, 13])('writes step %i into its place of the ring, and the steps done into the header', async (step) => {
    const { ring } = await advanced({ step, rows: 3 });
    const [header, ...entries] = ring as [number[], ...number[][]];
    expect([header[0], header[1], float(header[2]), header[3]]).toEqual([step + 1, 0, 1.25, 3]);
    const entry = entries[step % RING] as number[];
    expect([entry[0], float(entry[1]), float(entry[2]), entry[3]]).toEqual([step, 1.25, 2, 3]);
    expect(entries.filter((_, i) => i !== step % RING)).toEqual(Array(RING - 1).fill(untouched));
  });
});

describe('advance: reasons to halt', () => {
  const [infinite, nan] = [
    [0.5, Number.POSITIVE_INFINITY, 2, 0.25],
    [0.5, 1.25, 2, Number.NaN],
  ];

  // The mean loss is 1.
  test.each<[string, Fields, Options, (typeof haltReasons)[number]]>([
    ['an infinite loss', {}, { rowLoss: infinite }, 'non-finite'],
    ['a loss that is not a number', {}, { rowLoss: nan }, 'non-finite'],
    ['an infinite gradient', { gradientNorm: Number.POSITIVE_INFINITY }, {}, 'non-finite'],
    ['a gradient that is not a number', { gradientNorm: Number.NaN }, {}, 'non-finite'],
    ['a loss above the bound', { lossAbove: 0.99 }, {}, 'loss-above'],
    ['a loss below the bound', { lossBelow: 1.01 }, {}, 'loss-below'],
    ['the last step', { stopStep: 7 }, {}, 'step-reached'],
    ['a step beyond the last', { stopStep: 3 }, {}, 'step-reached'],
    ['the last step before all other reasons', { stopStep: 7, lossAbove: 0 }, { rowLoss: infinite }, 'step-reached'],
    ['a loss that is not finite before one too high', { lossAbove: 0, lossBelow: 1e9 }, { rowLoss: infinite }, 'non-finite'],
    ['a loss too high before one too low', { lossAbove: 0.5, lossBelow: 2 }, {}, 'loss-above'],
  ])('%s', async (_name, fields, options, reason) => {
    const before: Fields = { step: 7, epoch: 2, cursor: 4, rate: 0.25, correction1: 0.5, correction2: 0.125, seed: 9, ...fields };
    const { get, ring } = await advanced(before, options);
    expect(haltReasons[get('halted')]).toBe(reason);
    // Nothing has moved, so the batch and its gradients stay, and the step can be taken again.
    for (const field of ['step', 'epoch', 'cursor', 'rate', 'correction1', 'correction2', 'seed'] as const)
      expect(get(field), field).toBe(before[field]);
    expect(get('rows')).toBe(4);
    expect(ring.slice(1)).toEqual(Array(RING).fill(untouched));
    expect(ring[0]?.slice(0, 2)).toEqual([7, get('halted')]);
    expect(float(ring[0]?.[2])).toBe(get('loss'));
  });

  test('none where the loss only equals its bounds and the last step is yet to come', async () => {
    const { get } = await advanced({ lossAbove: 1, lossBelow: 1, stopStep: 8, step: 7 });
    expect(get('halted')).toBe(0);
    expect(get('step')).toBe(8);
  });

  test('and then neither state nor ring changes, however many steps are queued', async () => {
    const { get, ring } = await advanced({ halted: 3, step: 7, loss: 0.75 }, { times: 5 });
    expect([get('halted'), get('step'), get('loss')]).toEqual([3, 7, 0.75]);
    expect(ring).toEqual(Array(1 + RING).fill(untouched));
  });

  test('stops steps that were queued together at the step asked for', async () => {
    const { get, ring } = await advanced({ stopStep: 3 }, { times: 9 });
    expect(get('step')).toBe(3);
    expect(haltReasons[get('halted')]).toBe('step-reached');
    expect(ring.slice(1).map(([step]) => step)).toEqual([0, 1, 2, UNWRITTEN, UNWRITTEN]);
  });
});

describe('advance: what the update needs', () => {
  const rates = [0.5, 0.25, 0.125, 0.0625];

  test.each([
    [0, 0, 0.5],
    [3, 0, 0.0625],
    [100, 100, 0.5],
    [102, 100, 0.125],
    [103, 100, 0.0625],
    // Beyond the table the last rate stays.
    [104, 100, 0.0625],
    [5000, 100, 0.0625],
  ])('takes the rate of step %i from a table that begins at step %i', async (step, rateBase, rate) => {
    expect((await advanced({ step, rateBase }, { rates })).get('rate')).toBe(rate);
  });

  test.each([1, 2, 10, 200])('carries the bias corrections 1 − βᵗ of update %i', async (times) => {
    const { get } = await advanced({}, { times });
    const wanted = [1 - beta1 ** times, 1 - beta2 ** times];
    expectClose([get('correction1') / (wanted[0] as number), get('correction2') / (wanted[1] as number)], [1, 1], [2], 1e-5, 'corrections');
  });
});

describe('advance: the cursor', () => {
  test.each([
    // 10 examples in batches of 4: 4, 4, 2, then the next epoch.
    [1, { cursor: 4, rows: 4, epoch: 0 }],
    [2, { cursor: 8, rows: 2, epoch: 0 }],
    [3, { cursor: 0, rows: 4, epoch: 1 }],
    [5, { cursor: 8, rows: 2, epoch: 1 }],
    [6, { cursor: 0, rows: 4, epoch: 2 }],
  ])('after %i steps of an epoch with a partial last batch', async (times, wanted) => {
    const { get } = await advanced({}, { times });
    expect({ cursor: get('cursor'), rows: get('rows'), epoch: get('epoch') }).toEqual(wanted);
    expect(get('step')).toBe(times);
  });

  test('has no empty batch where the batches fill the epoch exactly', async () => {
    const { get } = await advanced({ examples: 8 }, { times: 2 });
    expect([get('cursor'), get('rows'), get('epoch')]).toEqual([0, 4, 1]);
  });

  test('stays where batches come from outside', async () => {
    const { get } = await advanced({ stride: 0, rows: 3, cursor: 4, epoch: 5 }, { times: 3 });
    expect([get('cursor'), get('rows'), get('epoch'), get('step')]).toEqual([4, 3, 5, 3]);
  });
});

describe('accumulate', () => {
  const evaluated = async (times: number): Promise<{ get: (field: StateField) => number; totals: number[] }> => {
    const { state, totals } = await runInPlace(
      {
        rowLoss: Float32Array.from(losses),
        rowHit: Float32Array.from(hits),
        state: makeState({ ...whole, cursor: 0 }),
        totals: new Float32Array([100, 200, 300, 400]),
      },
      (n) => accumulate(n.rowLoss, n.rowHit, n.state, n.totals),
      times,
    );
    return { get: (field) => getField(state as Uint32Array, field), totals: [...totals] };
  };

  test.each([
    [1, [104, 203, 304], 4, 4],
    [2, [108, 206, 308], 8, 2],
    // The last batch has two rows.
    [3, [109.75, 207, 310], 10, 0],
    // What is left to read is nothing.
    [4, [109.75, 207, 310], 10, 0],
  ])('adds %i batches of an evaluation of 10 examples', async (times, wanted, cursor, rows) => {
    const { get, totals } = await evaluated(times);
    expect(totals).toEqual([...wanted, 400]);
    expect([get('cursor'), get('rows')]).toEqual([cursor, rows]);
  });
});
