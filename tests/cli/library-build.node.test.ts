import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { type Browser, chromium } from 'playwright';
import { build, createServer as createViteServer, type InlineConfig, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../../src/cli/bootstrap.mjs';
import { browserLaunch } from '../../src/cli/browser.mjs';
import { buildLibraryModules, stripWgslComments } from '../../src/cli/library-build.ts';

test('WGSL loses its comments, nested ones too, its indentation, and nothing else', () => {
  const source = `// relu: y = max(x, 0)
@group(0) @binding(0) var<storage, read> x: array<f32>; // [n]
/* a /* nested */ comment
   of two lines */ override n: u32;

fn forward(i: u32) -> f32 { return x[i] / 2.0 /* half */ * 3.0; }`;
  expect(stripWgslComments(source)).toBe(`@group(0) @binding(0) var<storage, read> x: array<f32>;
override n: u32;
fn forward(i: u32) -> f32 { return x[i] / 2.0  * 3.0; }`);
});

describe('the library, installed in a project of its own', () => {
  let project: string;
  let browser: Browser;

  beforeAll(async () => {
    // Under the system's folder, where no package of this repository is found by walking up.
    project = mkdtempSync(join(tmpdir(), 'vitrine-project-'));
    const installed = join(project, 'node_modules/vitrine');
    mkdirSync(installed, { recursive: true });
    copyFileSync(join(repository, 'package.json'), join(installed, 'package.json'));
    for (const name of ['@lit', 'd3-color', 'd3-interpolate', 'd3-scale-chromatic', 'lit', 'lit-element', 'lit-html', 'uplot']) {
      symlinkSync(join(repository, 'node_modules', name), join(project, 'node_modules', name));
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'index.html'), html());
    writeFileSync(join(project, 'plain.html'), html(importMap()));
    writeFileSync(join(project, 'main.js'), MAIN);
    writeFileSync(join(project, 'studio.html'), html('').replace('main.js', 'studio.js'));
    writeFileSync(join(project, 'studio.js'), STUDIO);
    const { executablePath, args } = await browserLaunch();
    [browser] = await Promise.all([chromium.launch({ executablePath, args }), buildLibraryModules(join(installed, 'dist/lib'))]);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(project, { recursive: true, force: true });
  });

  const MAIN = `import { VitrineError } from 'vitrine';
import { loadMnist, parseTable } from 'vitrine/data';
try {
  const { train, test } = await loadMnist();
  const { size } = parseTable('a,b\\n1,2\\n3,4\\n');
  window.outcome = [train.size, test.size, [...train.labels.subarray(0, 5)], size, typeof VitrineError];
} catch (error) {
  window.outcome = error.message;
}`;
  /** A page that uses the same localisation library itself. */
  const STUDIO = `import { buildModel, createTrainer, dense, openDevice } from 'vitrine';
import { TensorView } from 'vitrine/elements';
import { mountStudio } from 'vitrine/studio';
import { configureLocalization } from '@lit/localize';
configureLocalization({ sourceLocale: 'fr', targetLocales: [], loadLocale: async () => ({ templates: {} }) });
try {
  const device = await openDevice();
  const inputs = Float32Array.from({ length: 320 }, (_, i) => Math.sin(i * i));
  const dataset = { name: 'waves', size: 80, inputShape: [4], inputs, labels: Uint8Array.from({ length: 80 }, (_, i) => i % 2) };
  const model = await buildModel(device, { inputShape: [4], layers: [dense(8, { activation: 'relu' }), dense(2, { activation: 'softmax' })] });
  const trainer = await createTrainer(model, { data: dataset, batchSize: 16 });
  const { element } = await mountStudio(document.body, { trainer, dataset, language: 'zh' });
  await element.session.training.single();
  await element.session.looked();
  const { prediction, cards } = element.session.snapshot;
  const shown = element.shadowRoot.querySelector('studio-time').shadowRoot.querySelector('.phase').textContent.trim();
  window.outcome = [new TensorView().localName, trainer.step, prediction.step, cards.map(({ map, fault }) => fault?.message ?? map.step), shown];
} catch (error) {
  window.outcome = String(error.stack);
}`;
  const LOADED = [60_000, 10_000, [5, 0, 4, 1, 9], 2, 'function'];

  const html = (head = ''): string => `<!doctype html><link rel="icon" href="data:,">${head}<script type="module" src="/main.js"></script>`;

  /** What a page without a bundler has to say: where each package has its ES module. */
  function importMap(): string {
    const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    const imports = {
      vitrine: `/node_modules/vitrine/${exports['.'].default}`,
      'vitrine/data': `/node_modules/vitrine/${exports['./data'].default}`,
      'd3-color': '/node_modules/d3-color/dist/d3-color.mjs',
      'd3-interpolate': '/node_modules/d3-interpolate/dist/d3-interpolate.mjs',
      'd3-scale-chromatic': '/node_modules/d3-scale-chromatic/dist/d3-scale-chromatic.mjs',
    };
    return `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  }

  /** What the page made of it; its errors too. */
  async function outcomeOf(address: string): Promise<unknown> {
    const page = await browser.newPage();
    try {
      const failed = new Promise<string>((fail) => page.on('pageerror', ({ message }) => fail(message)));
      await page.goto(address);
      const outcome = page.waitForFunction(() => (window as { outcome?: unknown }).outcome).then((handle) => handle.jsonValue());
      return await Promise.race([outcome, failed]);
    } finally {
      await page.close();
    }
  }

  const config = (): InlineConfig => ({ root: project, configFile: false, logLevel: 'error' });
  const server = { host: '127.0.0.1', port: 0 };
  const addressOf = ({ httpServer }: { httpServer: { address(): AddressInfo | string | null } | null }): string =>
    `http://127.0.0.1:${(httpServer?.address() as AddressInfo | null)?.port}/`;

  test.each([
    ['as it comes', {}],
    ['told to leave it as it is', { exclude: ['vitrine'] }],
  ])(
    'finds MNIST and its reader of tables on the development server of Vite, %s',
    async (_, optimizeDeps) => {
      const cacheDir = mkdtempSync(join(project, 'cache-'));
      // The packages behind the links are in this repository.
      const dev = await createViteServer({ ...config(), cacheDir, optimizeDeps, server: { ...server, fs: { strict: false } } });
      try {
        await dev.listen();
        expect(await outcomeOf(addressOf(dev))).toEqual(LOADED);
      } finally {
        await dev.close();
      }
    },
    30_000,
  );

  test('opens the studio on a trainer of the page’s own, on the development server of Vite and in a build', async () => {
    const opened = ['tensor-view', 1, 1, [1, 1, 1, 1], '已暂停'];
    const cacheDir = mkdtempSync(join(project, 'cache-'));
    const dev = await createViteServer({ ...config(), cacheDir, server: { ...server, fs: { strict: false } } });
    try {
      await dev.listen();
      expect(await outcomeOf(`${addressOf(dev)}studio.html`)).toEqual(opened);
    } finally {
      await dev.close();
    }
    await build({ ...config(), build: { target: 'esnext', rolldownOptions: { input: join(project, 'studio.html') } } });
    const built = await preview({ ...config(), preview: server });
    try {
      expect(await outcomeOf(`${addressOf(built)}studio.html`)).toEqual(opened);
    } finally {
      await built.close();
    }
  }, 60_000);

  test('finds them in a build', async () => {
    await build(config());
    const built = await preview({ ...config(), preview: server });
    try {
      expect(await outcomeOf(addressOf(built))).toEqual(LOADED);
    } finally {
      await built.close();
    }
  }, 30_000);

  test('finds them with no bundler', async () => {
    const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };
    const plain: Server = createServer(({ url = '' }, answer) => {
      try {
        const bytes = readFileSync(join(project, url));
        answer.writeHead(200, { 'content-type': types[extname(url)] ?? 'application/octet-stream' }).end(bytes);
      } catch {
        answer.writeHead(404).end();
      }
    });
    await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening));
    try {
      expect(await outcomeOf(`${addressOf({ httpServer: plain })}plain.html`)).toEqual(LOADED);
    } finally {
      plain.closeAllConnections();
      plain.close();
    }
  }, 30_000);
});
