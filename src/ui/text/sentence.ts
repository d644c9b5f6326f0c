/** A text in a line: its words, without padding. */
export const sentenceOf = (tokens: ArrayLike<number>, vocabulary: readonly string[]): string =>
  Array.from(tokens, (token) => vocabulary[token])
    .filter((word) => word !== undefined)
    .join(' ');
