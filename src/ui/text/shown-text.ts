/** A text as it is shown: its words, which a map has a value of each. */

import type { MethodName } from '../session/methods.ts';

export interface ShownText {
  /** Of each token; undefined for padding. */
  readonly words: readonly (string | undefined)[];
  /** Tokens that are struck out. */
  readonly struck: readonly number[];
  /** A click strikes a word out, or puts it back. */
  readonly strikable: boolean;
  /** 1 for the tokens that decide the class, where the data know them. */
  readonly evidence?: ArrayLike<number> | undefined;
  /** What the map shows; undefined for the text itself and for noise. */
  readonly method: MethodName | undefined;
}
