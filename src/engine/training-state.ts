/** The CPU twin of `struct TrainingState` in shaders/training-state.wgsl. */

export const STATE_WORDS = 32;

/** Word index of each field. */
export const stateField = {
  seed: 0,
  step: 1,
  rows: 2,
  cursor: 3,
  epoch: 4,
  examples: 5,
  batch: 6,
  stride: 7,
  halted: 8,
  stopStep: 9,
  lossAbove: 10,
  lossBelow: 11,
  rate: 12,
  correction1: 13,
  correction2: 14,
  clip: 15,
  gradientNorm: 16,
  loss: 17,
  accuracy: 18,
  rateBase: 19,
} as const;

export type StateField = keyof typeof stateField;

const floats = new Set<StateField>([
  'lossAbove',
  'lossBelow',
  'rate',
  'correction1',
  'correction2',
  'clip',
  'gradientNorm',
  'loss',
  'accuracy',
]);

/** Why training stopped, by the number in `halted`. */
export const haltReasons = ['running', 'non-finite', 'loss-above', 'loss-below', 'step-reached', 'dead-unit'] as const;
export type HaltReason = (typeof haltReasons)[number];

const LARGEST = 3.4028234663852886e38;
export const NEVER = 0xffffffff;

/** A state as the GPU holds it. */
export function makeState(values: Partial<Record<StateField, number>>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(STATE_WORDS);
  const all = { stopStep: NEVER, lossAbove: LARGEST, lossBelow: -LARGEST, clip: 1, ...values };
  for (const [name, value] of Object.entries(all)) setField(words, name as StateField, value);
  return words;
}

export function setField(words: Uint32Array, name: StateField, value: number): void {
  if (floats.has(name)) new Float32Array(words.buffer, words.byteOffset, words.length)[stateField[name]] = value;
  else words[stateField[name]] = value;
}

export function getField(words: Uint32Array, name: StateField): number {
  const at = stateField[name];
  return (floats.has(name) ? new Float32Array(words.buffer, words.byteOffset, words.length)[at] : words[at]) as number;
}

/** One field as bytes, to write in place. */
export function fieldBytes(name: StateField, value: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(STATE_WORDS);
  setField(words, name, value);
  return words.slice(stateField[name], stateField[name] + 1);
}
