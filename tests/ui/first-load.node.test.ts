import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repository } from '../../src/cli/bootstrap.mjs';
import { browserLaunch } from '../../src/cli/browser.mjs';

const MOST_BYTES = 150_000;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-app-'));
  // The app is built as it ships, whatever this process is.
  const { VITEST, NODE_ENV } = process.env;
  delete process.env.VITEST;
  process.env.NODE_ENV = 'production';
  try {
    await build({ configFile: join(repository, 'vite.config.ts'), logLevel: 'error', build: { outDir: folder } });
  } finally {
    Object.assign(process.env, { VITEST, NODE_ENV });
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ['en', 1280],
  ['zh', 1280],
  ['en', 2560],
])(
  'what a page in %s, %i pixels wide, loads before it asks for data is at most 150 kB of script, gzipped',
  async (locale, width) => {
    const asked: string[] = [];
    const server = createServer(({ url = '/' }, answer) => {
      const path = url === '/' ? '/index.html' : (url.split('?')[0] as string);
      asked.push(path);
      try {
        answer.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(readFileSync(join(folder, path)));
      } catch {
        answer.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { executablePath, args } = await browserLaunch();
    const browser = await chromium.launch({ executablePath, args });
    try {
      const page = await browser.newPage({ locale, viewport: { width, height: 800 } });
      const data = page.waitForRequest(/ubyte/, { timeout: 60_000 });
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await data;
      const before = asked
        .slice(
          0,
          asked.findIndex((path) => path.includes('ubyte')),
        )
        .filter((path) => path.endsWith('.js'));
      const bytes = before.reduce((sum, path) => sum + gzipSync(readFileSync(join(folder, path)), { level: 9 }).length, 0);
      expect(before.length).toBeGreaterThan(0);
      expect(bytes).toBeGreaterThan(50_000);
      expect(bytes, before.join(' ')).toBeLessThanOrEqual(MOST_BYTES);
    } finally {
      await browser.close();
      server.close();
    }
  },
  90_000,
);
