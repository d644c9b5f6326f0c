/**
 * Every fault a caller can meet. A code and parameters say what happened in any language; the English message has two lines:
 * what happened, with the shapes, then how to mend it.
 */

export type ErrorCode =
  | 'no-webgpu'
  | 'no-adapter'
  | 'device-lost'
  | 'out-of-memory'
  | 'limit-exceeded'
  | 'shader-invalid'
  | 'gpu-validation'
  | 'shape-mismatch'
  | 'dtype-mismatch'
  | 'label-out-of-range'
  | 'non-finite-data'
  | 'non-finite-training'
  | 'diverging-training'
  | 'empty-dataset'
  | 'batch-too-large'
  | 'tensor-disposed'
  | 'not-twice-differentiable'
  | 'bad-file'
  | 'unknown-layer'
  | 'unsupported-model'
  | 'unknown-name'
  | 'duplicate-name'
  | 'invalid-option'
  | 'busy'
  | 'aborted'
  | 'internal';

export type ErrorParameters = Readonly<Record<string, unknown>>;

/** A fault with its code and parameters; `message` is the two lines in English, what happened and `To mend: …`. */
export class VitrineError extends Error {
  override readonly name: string = 'VitrineError';
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;

  constructor(code: ErrorCode, message: string, mend: string, parameters: ErrorParameters = {}) {
    super(`${message}\nTo mend: ${mend}`);
    this.code = code;
    this.parameters = parameters;
  }
}

/** `[2, 3]`, as shapes are written in every message. */
export const show = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

export function shapeMismatch(message: string, mend: string, parameters: ErrorParameters = {}): VitrineError {
  return new VitrineError('shape-mismatch', message, mend, parameters);
}

/** A fault of ours: the message begins with `internal:` and names the file. */
export function internal(file: string, message: string): VitrineError {
  return new VitrineError(
    'internal',
    `internal: ${file}: ${message}`,
    'report this with the steps that led here; it is a fault of the engine.',
    {
      file,
    },
  );
}

/** Refuses an option that is not a number in [least, most]. */
export function checkNumber(name: string, value: number, least: number, most: number = Number.POSITIVE_INFINITY): void {
  if (!Number.isFinite(value) || value < least || value > most) {
    const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `between ${least} and ${most}`;
    const got = typeof value === 'number' ? value : JSON.stringify(value);
    throw new VitrineError('invalid-option', `${name} is ${got}; it must be a number ${range}.`, `pass a number ${range}.`, {
      name,
      value,
      least,
      most,
    });
  }
}

/** Refuses an option that is not a whole number in [least, most]. */
export function checkWhole(name: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  checkNumber(name, value, least, most === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : most);
  if (!Number.isSafeInteger(value)) {
    throw new VitrineError('invalid-option', `${name} is ${value}; it must be a whole number.`, 'pass a whole number.', { name, value });
  }
}
