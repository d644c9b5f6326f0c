import { decodeText } from '../../data/index.ts';

/** A text in a line: its words, without padding. */
export const sentenceOf = (tokens: ArrayLike<number>, vocabulary: readonly string[]): string =>
  decodeText(tokens, vocabulary)
    .filter((word) => word !== undefined)
    .join(' ');
