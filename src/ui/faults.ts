import { VitrineError } from '../engine/index.ts';
import type { Words } from './language.ts';

export interface Explained {
  readonly what: string;
  readonly mend: string;
  /** The words are English whatever the language of the page: no translation has the error's own detail. */
  readonly english: boolean;
}

/** An error in plain words, in the language of the page where it has them. */
export function explain(error: unknown, words: Words): Explained {
  const { say, language } = words;
  if (!(error instanceof VitrineError)) {
    const what = error instanceof Error ? error.message : String(error);
    return { what: say.unexpected(what), mend: say.unexpectedMend, english: false };
  }
  const translated = say.errors[error.code]?.(error.parameters);
  if (translated) return { ...translated, english: false };
  const [what = '', mend = ''] = error.message.split('\nTo mend: ');
  return { what, mend, english: language !== 'en' };
}
