import { expect, test } from 'vitest';
import { browserArguments, findBrowser, systemBrowserPaths } from '../../src/cli/browser.mjs';

test('a path in VITRINE_BROWSER that is no program is refused, with the way to mend it', async () => {
  await expect(findBrowser({ VITRINE_BROWSER: '/nowhere/chrome' })).rejects.toThrow(
    'VITRINE_BROWSER is /nowhere/chrome, which is no program that can be run.\nTo mend: set it to the full path of Chrome, Chromium or Edge, or unset it.',
  );
});

test('VITRINE_BROWSER comes before every other browser', async () => {
  const found = await findBrowser({ VITRINE_BROWSER: process.execPath });
  expect(found).toEqual({ path: process.execPath, source: 'VITRINE_BROWSER' });
});

test('Chrome, Chromium and Edge are looked for where each system keeps them', () => {
  expect(systemBrowserPaths('linux', { PATH: '/usr/bin' })).toContain('/usr/bin/chromium');
  expect(systemBrowserPaths('darwin', { HOME: '/Users/me' })).toContain('/Applications/Google Chrome.app/Contents/MacOS/Google Chrome');
  expect(systemBrowserPaths('win32', { PROGRAMFILES: 'C:\\Program Files' })).toContain(
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  );
});

test('only the software adapter gets the SwiftShader arguments', () => {
  expect(browserArguments('software').join(' ')).toContain('swiftshader');
  expect(browserArguments('hardware').join(' ')).not.toContain('swiftshader');
});
