import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { languageChoice } from '../../src/ui/language.ts';

const net = vi.hoisted(() => ({ down: true }));
vi.mock('../../src/ui/messages/chinese.ts', async (original) => {
  if (net.down) throw new Error('offline');
  return original();
});

beforeAll(() => vi.stubGlobal('window', new EventTarget()));
afterAll(() => vi.unstubAllGlobals());

test('words that cannot be fetched leave the page in English; asked again, they come', async () => {
  await languageChoice.choose('zh');
  expect(languageChoice.current).toBe('en');
  net.down = false;
  vi.resetModules();
  await languageChoice.choose('zh');
  expect(languageChoice.current).toBe('zh');
  await languageChoice.choose('en');
  expect(languageChoice.current).toBe('en');
});
