import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Headless, openHeadless } from '../../src/cli/headless.ts';

const page = 'tests/cli/pages/task.html';
let headless: Headless;
beforeAll(async () => {
  headless = await openHeadless();
}, 60_000);
afterAll(async () => {
  await headless.close();
});

const ask = (what: string, more: object = {}): Promise<unknown> => headless.runTask({ page, parameters: { ask: what }, ...more });

test('events arrive in order, bytes arrive as bytes, and the page has an adapter', async () => {
  const events: unknown[] = [];
  const result = await ask('bytes', { onEvent: (event: unknown) => events.push(event) });
  expect(events).toEqual([{ step: 1 }, { step: 2 }]);
  expect(result).toEqual({ bytes: new Uint8Array([0, 127, 255]), adapter: true });
}, 30_000);

test('an explained error of the page keeps its two lines', async () => {
  await expect(ask('explained error')).rejects.toThrow(/^The data is cut short\.\nTo mend: fetch it again\.$/);
}, 30_000);

test.each([
  ['error outside the task', 'nobody caught this'],
  ['rejection outside the task', 'nobody awaited this'],
  ['console error', 'something is wrong'],
  ['leaving the page', 'The page went elsewhere before it had finished.'],
])(
  '%s ends the command',
  async (what, message) => {
    await expect(ask(what)).rejects.toThrow(message);
  },
  30_000,
);

test('a page that does not exist ends the command', async () => {
  await expect(headless.runTask({ page: 'tests/cli/pages/none.html', parameters: {} })).rejects.toThrow(
    'The page tests/cli/pages/none.html could not be opened',
  );
}, 30_000);

test('an error thrown by the listener ends the command', async () => {
  const onEvent = (): void => {
    throw new Error('the listener broke');
  };
  await expect(ask('bytes', { onEvent })).rejects.toThrow('the listener broke');
}, 30_000);

test('aborting asks the page to stop and waits for its answer', async () => {
  const controller = new AbortController();
  const result = ask('stop', { signal: controller.signal, onEvent: () => controller.abort() });
  expect(await result).toBe('stopped');
}, 30_000);

test('a silent page ends the command', async () => {
  await expect(ask('nothing', { silenceMinutes: 0.02 })).rejects.toThrow('The page said nothing for 0.02 minutes.');
}, 30_000);
