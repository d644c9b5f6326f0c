import { describe, expect, test } from 'vitest';
import { type GatherAttributes, gatherBatch } from '../../../src/engine/ops/gather-batch.ts';
import { pcg4d, permute } from '../../../src/engine/random.ts';
import { makeState, type StateField } from '../../../src/engine/training-state.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { expectClose } from './check-operation.ts';
import { bitsOf, runInPlace } from './run-in-place.ts';

failOnGpuErrors();

/** What is left where nothing is written. */
const UNWRITTEN = 987;

interface Case {
  readonly size: number;
  readonly features: number;
  readonly batch: number;
  readonly storage?: 'bytes' | 'floats';
  readonly state?: Partial<Record<StateField, number>>;
  readonly attributes?: Partial<GatherAttributes>;
  /** Examples of each shard; all in one by default. */
  readonly shards?: readonly number[];
}

const storedValue = (storage: 'bytes' | 'floats', example: number, feature: number): number => {
  const word = pcg4d(1, 2, example, feature)[0];
  return storage === 'bytes' ? word & 255 : Math.fround(word / 2 ** 31 - 1);
};
const labelOf = (example: number): number => 1000 + example;

/** Stored rows: bytes padded to whole words by bytes that no one may read, or the bits of floats. */
function packed(storage: 'bytes' | 'floats', first: number, count: number, features: number): [number[], Uint32Array] {
  const words = storage === 'bytes' ? Math.ceil(features / 4) : features;
  const data = new Uint32Array(count * words).fill(0xffffffff);
  const bytes = new Uint8Array(data.buffer);
  const floats = new Float32Array(data.buffer);
  for (let row = 0; row < count; row++) {
    for (let j = 0; j < features; j++) {
      const value = storedValue(storage, first + row, j);
      if (storage === 'bytes') bytes[4 * row * words + j] = value;
      else floats[row * words + j] = value;
    }
  }
  return [[count, words], data];
}

async function gathered(of: Case): Promise<{ x: Float32Array; labels: Uint32Array }> {
  const { size, features, batch, storage = 'bytes', shards = [size] } = of;
  const firsts = shards.map((_, i) => shards.slice(0, i).reduce((a, b) => a + b, 0));
  const data = Object.fromEntries(shards.map((count, i) => [`data ${i}`, packed(storage, firsts[i] as number, count, features)] as const));
  const { x, labels } = await runInPlace(
    {
      ...(data as Record<string, [number[], Uint32Array]>),
      allLabels: Uint32Array.from({ length: size }, (_, i) => labelOf(i)),
      state: makeState({ rows: batch, batch, examples: size, ...of.state }),
      x: [[batch, features], new Float32Array(batch * features).fill(UNWRITTEN)],
      labels: new Uint32Array(batch).fill(UNWRITTEN),
    } as Record<string, Uint32Array | [number[], Float32Array]>,
    (nodes) => {
      const node = (name: string) => nodes[name] as NonNullable<(typeof nodes)[string]>;
      return shards.map((count, i) =>
        gatherBatch(node(`data ${i}`), node('allLabels'), node('state'), node('x'), node('labels'), {
          storage,
          shuffle: false,
          offset: 0,
          first: firsts[i] as number,
          count,
          labelled: true,
          divisor: 255,
          ...of.attributes,
        }),
      );
    },
  );
  return { x: x as Float32Array, labels: labels as Uint32Array };
}

/** The batch that holds these examples, zeros beyond them. */
function wanted({ features, batch, storage = 'bytes', attributes }: Case, examples: readonly number[]): number[] {
  const divisor = storage === 'bytes' ? (attributes?.divisor ?? 255) : 1;
  return Array.from({ length: batch * features }, (_, i) => {
    const example = examples[Math.floor(i / features)];
    return example === undefined ? 0 : storedValue(storage, example, i % features) / divisor;
  });
}

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

async function expectExamples(of: Case, examples: readonly number[]): Promise<void> {
  const { x, labels } = await gathered(of);
  const exact = of.storage === 'floats' ? 0 : 2e-7;
  expectClose(x, wanted(of, examples), [of.batch, of.features], exact, 'x');
  expect([...labels]).toEqual([...examples.map(labelOf), ...Array<number>(of.batch - examples.length).fill(UNWRITTEN)]);
}

describe('gatherBatch', () => {
  test.each([
    ['the pixels of MNIST', 784, 9],
    ['five bytes, whose stored rows are padded to eight', 5, 13],
    ['six', 6, 4],
    ['seven', 7, 4],
    ['a single byte', 1, 3],
    ['more bytes than one part of a row takes', 113, 33],
  ])('unpacks %s', async (_name, features, batch) => {
    await expectExamples({ size: batch + 3, features, batch }, range(0, batch));
  });

  test('divides bytes by the divisor', async () => {
    await expectExamples({ size: 6, features: 5, batch: 6, attributes: { divisor: 16 } }, range(0, 6));
  });

  test.each([1, 4, 5, 29])('copies rows of %i floats bit by bit', async (features) => {
    await expectExamples({ size: 11, features, batch: 7, storage: 'floats' }, range(0, 7));
  });

  test.each(['bytes', 'floats'] as const)('takes %s in order from an offset and the cursor on', async (storage) => {
    const of: Case = { size: 20, features: 5, batch: 4, storage, state: { cursor: 8, examples: 12 }, attributes: { offset: 3 } };
    await expectExamples(of, range(11, 4));
  });

  test.each([
    [0, 0, 0],
    [7, 0, 0],
    [7, 3, 0],
    [7, 3, 8],
  ])('shuffles by seed %i, epoch %i from cursor %i as the CPU twin does', async (seed, epoch, cursor) => {
    const of: Case = { size: 23, features: 5, batch: 8, state: { seed, epoch, cursor }, attributes: { shuffle: true } };
    await expectExamples(
      of,
      range(cursor, 8).map((position) => permute(position, 23, seed, epoch)),
    );
  });

  test('shuffles among the training examples alone', async () => {
    const of: Case = { size: 40, features: 3, batch: 16, state: { seed: 5, examples: 16 }, attributes: { shuffle: true } };
    const examples = range(0, 16).map((position) => permute(position, 16, 5, 0));
    expect([...examples].sort((a, b) => a - b)).toEqual(range(0, 16));
    await expectExamples(of, examples);
  });

  test.each(['bytes', 'floats'] as const)('makes rows beyond the valid count zero, for %s', async (storage) => {
    for (const rows of [0, 1, 5]) {
      await expectExamples({ size: 9, features: 5, batch: 6, storage, state: { rows, cursor: 2 } }, range(2, rows));
    }
  });

  test.each([
    ['bytes', true],
    ['bytes', false],
    ['floats', true],
    ['floats', false],
  ] as const)('gives the same bits from shards as from one piece, for %s and shuffle %j', async (storage, shuffle) => {
    const of: Case = {
      size: 30,
      features: 7,
      batch: 12,
      storage,
      state: { seed: 3, cursor: 6, rows: 10 },
      attributes: { shuffle },
    };
    const whole = await gathered(of);
    for (const shards of [
      [13, 17],
      [1, 28, 1],
      [10, 10, 10],
    ]) {
      // In each the batch holds examples of more than one shard, or the test would say little.
      const { x, labels } = await gathered({ ...of, shards, attributes: { shuffle } });
      expect(bitsOf(x)).toEqual(bitsOf(whole.x));
      expect(labels).toEqual(whole.labels);
    }
    expect(whole.labels.filter((label) => label !== UNWRITTEN)).toHaveLength(10);
  });

  test('leaves labels alone where it gathers none', async () => {
    const { labels } = await gathered({ size: 9, features: 5, batch: 6, attributes: { labelled: false } });
    expect([...labels]).toEqual(Array(6).fill(UNWRITTEN));
  });
});
