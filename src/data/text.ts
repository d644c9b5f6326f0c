/** Texts as token indices of a vocabulary, and back. */

import type { Dataset } from '../engine/dataset.ts';

/** Texts of one length, in words: shorter ones end in padding. */
export interface TextDataset extends Dataset {
  /** [size, length] indices of words; `vocabulary.length` is padding. */
  readonly inputs: Uint32Array;
  readonly vocabulary: readonly string[];
}

/** The word that stands for all that the vocabulary does not have: its index 0. */
export const UNKNOWN_WORD = '⟨unknown⟩';

export interface EncodedText {
  readonly tokens: Uint32Array;
  /** Words that the vocabulary does not have, in order. */
  readonly unknown: readonly string[];
  /** Words that had no place at the end. */
  readonly cut: number;
}

/** Words of a text: small letters, commas apart, other punctuation left out. */
export const wordsOf = (text: string): string[] => text.toLowerCase().match(/⟨unknown⟩|[\p{L}\p{N}'’-]+|,/gu) ?? [];

/**
 * encodeText: a text as `length` indices of a vocabulary, padded with an index beyond it, which `embedding` reads as zeros (as PyTorch's
 * `padding_idx` does). A word that is not there becomes index 0.
 */
export function encodeText(text: string, vocabulary: readonly string[], length: number): EncodedText {
  const words = wordsOf(text);
  const indices = new Map(vocabulary.map((word, index) => [word, index]));
  const unknown = words.slice(0, length).filter((word) => word !== UNKNOWN_WORD && !indices.has(word));
  const tokens = new Uint32Array(length).fill(vocabulary.length);
  words.slice(0, length).forEach((word, i) => {
    tokens[i] = indices.get(word) ?? 0;
  });
  return { tokens, unknown, cut: Math.max(0, words.length - length) };
}

/** The word of each token; undefined for padding. */
export const decodeText = (tokens: ArrayLike<number>, vocabulary: readonly string[]): (string | undefined)[] =>
  Array.from(tokens, (token) => vocabulary[token]);
