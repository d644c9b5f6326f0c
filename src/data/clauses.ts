/**
 * Contract clauses that are made up: by a grammar of a hundred words, from a seed. They say of a party what it must, may or must not do, and every
 * one knows which of its words say so: an explanation of a network that reads them can be held against that.
 *
 * They are no legal texts, and a network that learns them has learned this grammar and no law.
 */

import { checkWhole } from '../engine/errors.ts';
import { streamOf, uniform } from '../engine/random.ts';
import { type TextDataset, UNKNOWN_WORD } from './text.ts';

const CLASSES = ['obligation', 'permission', 'prohibition'] as const;

/** What makes a clause one of its class. That something is not required is a permission: 'not' alone decides nothing. */
const MODALS: readonly (readonly string[])[] = [
  ['shall', 'must', 'is required to', 'agrees to', 'undertakes to'],
  ['may', 'is entitled to', 'is permitted to', 'is free to', 'is not required to'],
  ['shall not', 'must not', 'may not', 'is not permitted to', 'is not entitled to'],
];

const PARTIES = 'tenant landlord supplier buyer licensee licensor contractor client employee borrower lender agent'.split(' ');

const ACTIONS = [
  'deliver the goods',
  'pay the fee',
  'assign this agreement',
  'disclose the report',
  'sublet the premises',
  'terminate this agreement',
  'inspect the records',
  'keep the documents',
  'use the software',
  'return the equipment',
  'copy the manual',
  'insure the property',
  'renew the lease',
  'hire a subcontractor',
] as const;

/** What stands before and after says nothing of the class, though it uses the same words: half of the clauses have either. */
const BEFORE = [
  'at any time',
  'during the term of this agreement',
  'where notice has not been given',
  'if the other party may object',
  'even if payment is not due',
  'when the law says it must',
  'unless the parties shall agree otherwise',
] as const;
const AFTER = [
  'not later than ten days after notice',
  'within ten days',
  'at its own cost',
  'as the parties may agree in writing',
  'with consent which shall not be withheld',
  'where the law says it must',
  'whether or not the fee is paid',
  'once the term has ended',
] as const;

const SHARE_BEFORE = 0.5;
const SHARE_AFTER = 0.6;
/** So that the unknown word is learned as a word that says nothing. */
const SHARE_UNKNOWN = 0.02;

/** Words of the longest clause, and some to spare for whoever writes one. */
export const CLAUSE_LENGTH = 24;

export interface ClausesOptions {
  /** Clauses to learn from; 3,000 by default. */
  readonly train?: number;
  /** Clauses to be tried on, none of which is among the others; 600 by default. */
  readonly test?: number;
  readonly seed?: number;
}

export interface ClauseDataset extends TextDataset {
  /** [size, length]: 1 for the words that make a clause what it is. */
  readonly evidence: Uint8Array;
}

/**
 * clauses: generated contract clauses of three classes (obligation, permission, prohibition), as indices of words.
 *
 * **Shapes** inputs [size, 24] of uint32, padded at the end by `vocabulary.length`; labels [size], the classes take turns; evidence [size, 24].
 * A subordinate clause before and after may use the same words ('if the other party may object', 'not later than ten days'), so that no single word
 * decides: what counts is which modal goes with the party. Two words in a hundred of those that decide nothing are unknown.
 *
 * @throws VitrineError `invalid-option`
 */
export function clauses({ train = 3000, test = 600, seed = 0 }: ClausesOptions = {}): { train: ClauseDataset; test: ClauseDataset } {
  checkWhole('train', train, 3, 10_000);
  checkWhole('test', test, 3, 10_000);
  checkWhole('seed', seed, 0, 0xffffffff);
  const vocabulary = vocabularyOf();
  const indices = new Map(vocabulary.map((word, index) => [word, index]));
  const seen = new Set<string>();
  const make = (name: string, size: number, first: number): ClauseDataset => {
    const inputs = new Uint32Array(size * CLAUSE_LENGTH).fill(vocabulary.length);
    const evidence = new Uint8Array(size * CLAUSE_LENGTH);
    const labels = Uint8Array.from({ length: size }, (_, i) => i % CLASSES.length);
    for (let i = 0; i < size; i++) {
      const { words, decides } = unseen(seed, first + i, labels[i] as number, seen);
      words.forEach((word, at) => {
        inputs[i * CLAUSE_LENGTH + at] = indices.get(word) as number;
        evidence[i * CLAUSE_LENGTH + at] = decides[at] ? 1 : 0;
      });
    }
    return { name, size, inputShape: [CLAUSE_LENGTH], inputs, labels, classes: CLASSES, vocabulary, evidence };
  };
  return { train: make('generated clauses', train, 0), test: make('generated test clauses', test, train) };
}

function vocabularyOf(): string[] {
  const phrases = ['the', ',', ...MODALS.flat(), ...PARTIES, ...ACTIONS, ...BEFORE, ...AFTER];
  return [UNKNOWN_WORD, ...new Set(phrases.flatMap((phrase) => phrase.split(' ')))];
}

interface Clause {
  readonly words: readonly string[];
  readonly decides: readonly boolean[];
}

/** A clause that was not made before. */
function unseen(seed: number, example: number, label: number, seen: Set<string>): Clause {
  for (let draw = 0; ; draw++) {
    const clause = write(seed, example, draw, label);
    const text = clause.words.join(' ');
    if (seen.has(text)) continue;
    seen.add(text);
    return clause;
  }
}

const STREAM = streamOf('clauses');
/** Numbers that one draw of a clause may take. */
const NUMBERS = 64;

function write(seed: number, example: number, draw: number, label: number): Clause {
  let taken = 0;
  const number = (): number => {
    taken += 1;
    return uniform(seed, STREAM, example, NUMBERS * draw + taken);
  };
  const one = (among: readonly string[]): string[] => (among[Math.floor(number() * among.length)] as string).split(' ');
  const before = number() < SHARE_BEFORE ? [...one(BEFORE), ','] : [];
  const party = ['the', ...one(PARTIES)];
  const modal = one(MODALS[label] as readonly string[]);
  const rest = [...one(ACTIONS), ...(number() < SHARE_AFTER ? one(AFTER) : [])];
  const words = [...before, ...party, ...modal, ...rest];
  const start = before.length + party.length;
  const decides = words.map((_, at) => at >= start && at < start + modal.length);
  return { words: words.map((word, at) => (!decides[at] && word !== ',' && number() < SHARE_UNKNOWN ? UNKNOWN_WORD : word)), decides };
}
