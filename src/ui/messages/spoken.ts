/**
 * Catalogues for @lit/localize. English is written here as its source: a text, or a function that puts values into one with `str`. Another
 * language translates it key by key; there a place of `str` holds the number of the value in the English text, since the order may differ.
 */

import { msg, type StrResult } from '@lit/localize';

type Speak = (...values: never[]) => StrResult;
export type Catalogue = { readonly [key: string]: string | Speak | Catalogue };

/** What components use: each key gives its words in the language that is chosen at that moment. */
export type Spoken<C> = {
  readonly [K in keyof C]: C[K] extends string
    ? string
    : C[K] extends (...values: infer Values) => StrResult
      ? (...values: Values) => string
      : Spoken<C[K]>;
};

/** What another language must have: every key of the English catalogue, with places where that has values. */
export type Translation<C> = {
  readonly [K in keyof C]: C[K] extends string ? string : C[K] extends Speak ? StrResult : Translation<C[K]>;
};

export interface Translated {
  readonly [key: string]: string | StrResult | Translated;
}

/** @param prefix tells the keys of one catalogue from those of another */
export function spoken<C extends Catalogue>(catalogue: C, prefix: string = ''): Spoken<C> {
  const said = {};
  for (const [key, source] of Object.entries<string | Speak | Catalogue>(catalogue)) {
    const id = prefix + key;
    if (typeof source === 'string') Object.defineProperty(said, key, { enumerable: true, get: () => msg(source, { id }) });
    else {
      const value = typeof source === 'function' ? (...values: never[]) => msg(source(...values), { id }) : spoken(source, `${id}.`);
      Object.defineProperty(said, key, { enumerable: true, value });
    }
  }
  return said as Spoken<C>;
}

/** The templates of a translation by their ids, as the library takes them. */
export function templatesOf(translated: Translated, prefix: string = ''): Record<string, string | StrResult> {
  return Object.assign(
    {},
    ...Object.entries(translated).map(([key, template]) =>
      typeof template === 'string' || 'strTag' in template
        ? { [prefix + key]: template }
        : templatesOf(template as Translated, `${prefix}${key}.`),
    ),
  );
}
