import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { architectureFaults } from '../../src/cli/check-architecture.ts';

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'vitrine-'));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('a sound tree has no fault', () => {
  const root = tree({
    'src/shaders/relu.wgsl': '// relu',
    'src/engine/ops/relu.ts': "import source from '../../shaders/relu.wgsl?raw';\nexport const relu = source;",
    'src/engine/dataset.ts': 'export interface Dataset { window: number }\nexport const pool = (window: number) => window;',
    'src/data/idx.ts': "import type { Dataset } from '../engine/dataset.ts';\nexport type Idx = Dataset;",
    'src/ui/app.ts': "import { relu } from '../engine/ops/relu.ts';\ndocument.title = relu;",
    'tests/engine/ops/relu.test.ts': '',
  });
  expect(architectureFaults(root)).toEqual([]);
});

test('the engine may not import what stands above it, not even lazily or as a type', () => {
  const root = tree({
    'src/engine/a.ts':
      "import type { App } from '../ui/app.ts';\nexport const later = () => import('../explain/lime.ts');\nexport type A = App;",
    'src/ui/app.ts': 'export type App = string;',
    'src/explain/lime.ts': 'export const lime = 1;',
  });
  expect(architectureFaults(root)).toEqual([
    'src/engine/a.ts: engine may not import ui (src/ui/app.ts); it may import engine, shaders.',
    'src/engine/a.ts: engine may not import explain (src/explain/lime.ts); it may import engine, shaders.',
  ]);
});

test('data may import the engine and nothing else', () => {
  const root = tree({
    'src/data/a.ts': "export * from '../explain/lime.ts';",
    'src/explain/lime.ts': 'export const lime = 1;',
  });
  expect(architectureFaults(root)).toEqual([
    'src/data/a.ts: data may not import explain (src/explain/lime.ts); it may import data, engine.',
  ]);
});

test('the engine may not touch the page', () => {
  const root = tree({
    'src/engine/a.ts':
      "export const f = (x: HTMLElement) => window.open(document.title);\n// window in a comment\nexport const s = 'document';",
  });
  expect(architectureFaults(root).sort()).toEqual([
    'src/engine/a.ts: engine may not touch the page, and uses HTMLElement.',
    'src/engine/a.ts: engine may not touch the page, and uses document.',
    'src/engine/a.ts: engine may not touch the page, and uses window.',
  ]);
});

test('an import cycle is named from end to end; a cycle of types or of lazy imports is none', () => {
  const root = tree({
    'src/engine/a.ts': "import { b } from './b.ts';\nexport const a = b;",
    'src/engine/b.ts': "import { c } from './c.ts';\nexport const b = c;",
    'src/engine/c.ts': "import { a } from './a.ts';\nexport const c = 1, d = a;",
    'src/engine/d.ts': "import type { E } from './e.ts';\nexport const d = 1; export type D = E;",
    'src/engine/e.ts': "import type { D } from './d.ts';\nexport type E = D; void import('./d.ts');",
  });
  expect(architectureFaults(root)).toEqual(['src/engine/a.ts → src/engine/b.ts → src/engine/c.ts → src/engine/a.ts: an import cycle.']);
});

test('what the library loads later is not loaded at once as well; a type of it may be, and a page may take it as it likes', () => {
  const sound = {
    'src/engine/a.ts': "import type { B } from './b.ts';\nexport type A = B; void import('./b.ts');",
    'src/engine/b.ts': 'export type B = string;\nexport const b = 1;',
    'src/ui/app.ts': "import { b } from '../engine/b.ts';\nexport const app = b;",
  };
  expect(architectureFaults(tree(sound))).toEqual([]);
  const root = tree({ ...sound, 'src/explain/c.ts': "import { b } from '../engine/b.ts';\nexport const c = b;" });
  expect(architectureFaults(root)).toEqual([
    'src/engine/b.ts: src/engine/a.ts loads it later, which is in vain: src/explain/c.ts loads it at once.',
  ]);
});

test('kernels live in src/shaders, which holds nothing else', () => {
  const root = tree({ 'src/shaders/list.ts': '', 'src/engine/relu.wgsl': '' });
  expect(architectureFaults(root)).toEqual([
    'src/engine/relu.wgsl: kernels live in src/shaders.',
    'src/shaders/list.ts: src/shaders holds .wgsl files only.',
  ]);
});

test('an operation without a test is a fault', () => {
  const root = tree({
    'src/engine/ops/gelu.ts': 'export const gelu = 1;',
    'src/engine/ops/index.ts': "export * from './gelu.ts';",
  });
  expect(architectureFaults(root)).toEqual(['src/engine/ops/gelu.ts: the operation has no test (tests/engine/ops/gelu.test.ts).']);
});

test('a file that says nothing of what it holds, or stands in no layer, is a fault', () => {
  const root = tree({ 'src/engine/utils.ts': '', 'src/helpers/a.ts': '' });
  expect(architectureFaults(root)).toEqual([
    'src/engine/utils.ts: a file is named by what it holds.',
    'src/helpers/a.ts: src/ has no place for it; its folders are shaders, engine, data, explain, bench, ui, cli.',
  ]);
});
