/** Opens the recorded session that is committed beside this file: `await import('./recorded/index.ts')`. `npm run record` makes it. */

import { fetchBytes } from '../../data/fetch.ts';
import { RecordedSession } from './recorded-session.ts';
import { readRecording } from './recording.ts';

/** @param hash what an address says is to be looked at. @throws VitrineError `bad-file` where it cannot be fetched, or is no recording */
export async function openRecording(hash: string): Promise<RecordedSession> {
  const bytes = await fetchBytes('The recorded session', new URL('./session.bin', import.meta.url).href, {
    mend: 'check the connection and try again.',
  });
  return new RecordedSession(await readRecording(bytes as Uint8Array<ArrayBuffer>), hash);
}
