import { describe, expect, test } from 'vitest';
import { CLAUSE_LENGTH, type ClauseDataset, clauses } from '../../src/data/clauses.ts';
import { decodeText, encodeText, UNKNOWN_WORD } from '../../src/data/text.ts';
import { validateDataset } from '../../src/engine/dataset.ts';
import { refusal } from './refusal.ts';

const { train, test: held } = clauses();

const textOf = ({ inputs, vocabulary }: ClauseDataset, i: number): string =>
  decodeText(inputs.subarray(i * CLAUSE_LENGTH, (i + 1) * CLAUSE_LENGTH), vocabulary)
    .filter((word) => word !== undefined)
    .join(' ');

/** What the words of a clause that decide say. */
const modalOf = ({ inputs, vocabulary, evidence }: ClauseDataset, i: number): string =>
  Array.from({ length: CLAUSE_LENGTH }, (_, at) => i * CLAUSE_LENGTH + at)
    .filter((at) => evidence[at] === 1)
    .map((at) => vocabulary[inputs[at]!])
    .join(' ');

describe('generated clauses', () => {
  test('are texts of one length, padded at the end, the classes in turn', () => {
    for (const set of [train, held]) {
      validateDataset(set, [CLAUSE_LENGTH], 3);
      expect(set.inputs).toBeInstanceOf(Uint32Array);
      for (let i = 0; i < set.size; i++) {
        expect(set.labels![i]).toBe(i % 3);
        const tokens = [...set.inputs.subarray(i * CLAUSE_LENGTH, (i + 1) * CLAUSE_LENGTH)];
        const end = tokens.indexOf(set.vocabulary.length);
        expect(end).toBeGreaterThan(4);
        expect(tokens.slice(end).every((token) => token === set.vocabulary.length)).toBe(true);
      }
    }
    expect(train.vocabulary.length).toBeLessThan(128);
    expect(train.vocabulary[0]).toBe(UNKNOWN_WORD);
  });

  test('say what they are by their evidence, and by no single word', () => {
    const classOf: Record<string, number> = {};
    const single = new Map<string, Set<number>>();
    for (let i = 0; i < train.size; i++) {
      const label = train.labels![i]!;
      const modal = modalOf(train, i);
      expect(classOf[modal] ?? label).toBe(label);
      classOf[modal] = label;
      for (const word of textOf(train, i).split(' ')) single.set(word, (single.get(word) ?? new Set()).add(label));
    }
    expect(Object.keys(classOf)).toHaveLength(15);
    expect(classOf['is not required to']).toBe(1);
    expect(classOf['may not']).toBe(2);
    // The same words stand in other places of clauses of every class.
    for (const word of ['shall', 'must', 'may', 'not']) expect(single.get(word)).toEqual(new Set([0, 1, 2]));
  });

  test('are the same for one seed, others for another, and none is in both parts', () => {
    expect(clauses().train.inputs).toEqual(train.inputs);
    expect(clauses({ seed: 1 }).train.inputs).not.toEqual(train.inputs);
    const texts = new Set(Array.from({ length: train.size }, (_, i) => textOf(train, i)));
    expect(texts.size).toBe(train.size);
    for (let i = 0; i < held.size; i++) expect(texts.has(textOf(held, i))).toBe(false);
  });

  test('are never made up for a number that is none', async () => {
    expect(await refusal(() => clauses({ train: 0 }))).toEqual([
      'invalid-option',
      'train is 0; it must be a number between 3 and 10000.',
      'To mend: pass a number between 3 and 10000.',
    ]);
  });
});

describe('a text', () => {
  test('is read as words of the vocabulary; what it does not have is said and unknown, what has no place is counted', () => {
    const { tokens, unknown, cut } = encodeText('The TENANT shall not, frobnicate the premises.', train.vocabulary, 6);
    expect(decodeText(tokens, train.vocabulary)).toEqual(['the', 'tenant', 'shall', 'not', ',', UNKNOWN_WORD]);
    expect(unknown).toEqual(['frobnicate']);
    expect(cut).toBe(2);
    expect(decodeText(encodeText('may', train.vocabulary, 3).tokens, train.vocabulary)).toEqual(['may', undefined, undefined]);
  });

  test('comes back from its words as it was', () => {
    for (const i of [0, 1, 2, 50]) {
      const own = train.inputs.subarray(i * CLAUSE_LENGTH, (i + 1) * CLAUSE_LENGTH);
      expect(encodeText(textOf(train, i), train.vocabulary, CLAUSE_LENGTH)).toEqual({ tokens: own.slice(), unknown: [], cut: 0 });
    }
  });
});
