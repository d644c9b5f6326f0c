import { expect } from 'vitest';
import { VitrineError } from '../../src/engine/errors.ts';

/** The code and the two lines of the error that `act` throws or rejects with. */
export async function refusal(act: () => unknown): Promise<[code: string, ...lines: string[]]> {
  try {
    await act();
  } catch (error) {
    expect(error).toBeInstanceOf(VitrineError);
    const { code, message } = error as VitrineError;
    return [code, ...message.split('\n')];
  }
  throw new Error('nothing was refused');
}
