import { msg, type StrResult } from '@lit/localize';
import { VitrineError } from '../engine/index.ts';
import type { Words } from './language.ts';

/**
 * What a translation can say of each error: its code and the parameters that its places take, the fullest first. The first whose
 * parameters the error has is said. English needs none: it is the language of the errors themselves.
 */
export const ERROR_FORMS = [
  'no-webgpu',
  'no-adapter',
  'device-lost',
  'out-of-memory label bytes',
  'out-of-memory',
  'limit-exceeded label bytes limit',
  'limit-exceeded file bytes limit',
  'limit-exceeded',
  'shader-invalid kernel',
  'shader-invalid',
  'gpu-validation',
  'shape-mismatch name expected actual',
  'shape-mismatch expected actual',
  'shape-mismatch a b',
  'shape-mismatch',
  'dtype-mismatch name dtype',
  'dtype-mismatch',
  'label-out-of-range label classes',
  'label-out-of-range',
  'non-finite-data name example',
  'non-finite-data',
  'non-finite-training step tensor',
  'non-finite-training',
  'diverging-training step loss',
  'diverging-training',
  'empty-dataset name',
  'empty-dataset',
  'batch-too-large batchSize examples',
  'batch-too-large',
  'tensor-disposed name',
  'tensor-disposed',
  'not-twice-differentiable operation',
  'not-twice-differentiable',
  'bad-file name row cells columns',
  'bad-file name row column',
  'bad-file name expected found',
  'bad-file name row',
  'bad-file name url',
  'bad-file name',
  'bad-file image',
  'bad-file table',
  'bad-file',
  'unknown-layer kind',
  'unknown-layer',
  'unsupported-model method',
  'unsupported-model',
  'unknown-name name',
  'unknown-name',
  'duplicate-name name',
  'duplicate-name',
  'invalid-option name value least most',
  'invalid-option method',
  'invalid-option',
  'busy',
  'aborted',
  'internal',
] as const;

export type ErrorForm = (typeof ERROR_FORMS)[number];

export interface Explained {
  readonly what: string;
  readonly mend: string;
}

/** An error in plain words, in the language of the page. */
export function explain(error: unknown, words: Words): Explained {
  const { say } = words;
  if (!(error instanceof VitrineError)) {
    return { what: say.unexpected(error instanceof Error ? error.message : String(error)), mend: say.unexpectedMend };
  }
  const { code, parameters } = error;
  const [what = '', mend = ''] = error.message.split('\nTo mend: ');
  const form = ERROR_FORMS.find((each) => {
    const [of, ...names] = each.split(' ');
    return of === code && names.every((name) => parameters[name] !== undefined);
  });
  const values = (form?.split(' ').slice(1) ?? []).map((name) => write(parameters[name], words));
  // The error's own text is the source, its parameters are the values of the translation.
  const translate = (text: string, part: 'what' | 'mend'): string =>
    msg({ strTag: true, strings: [text], values } as unknown as StrResult, { id: `errors.${form}.${part}` });
  return { what: translate(what, 'what'), mend: translate(mend, 'mend') };
}

function write(value: unknown, words: Words): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) ? words.whole(value) : words.significant(value);
}
