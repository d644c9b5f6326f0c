import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Plugin, type Rolldown } from 'vite';
import type { ContenderName } from '../bench/contender.ts';
import { repository } from './bootstrap.mjs';
import { stripShaders } from './library-build.ts';

/** What is measured is what ships: minified modules without comments in their kernels, in a folder of their own. */
export interface BenchBuild {
  readonly folder: string;
  /** The page of the suite, in the folder. */
  readonly page: string;
  /** The least page of a contender: its path in the folder, and what it weighs minified and gzipped. Built when first asked for. */
  minimal(contender: ContenderName): Promise<{ readonly page: string; readonly bytes: number }>;
  dispose(): void;
}

const PAGE = 'src/cli/page/bench.html';

/**
 * TensorFlow.js starts the threads of its WASM backend from the text of a function. A minifier renames the one variable outside it that
 * the text asks for by `typeof`, and the threads then fail; what it asks for is only set where there is a document.
 */
export function keepWasmThreads(): Plugin {
  const outside = 'if(typeof _scriptDir !== "undefined" && _scriptDir){scriptDirectory=_scriptDir}';
  return {
    name: 'vitrine:keep-wasm-threads',
    enforce: 'pre',
    transform: (code, id) =>
      id.endsWith('tfjs-backend-wasm-threaded-simd.js') ? { code: code.replace(outside, ''), map: null } : undefined,
  };
}

/**
 * An `import()` is left to the browser. Vite wraps it in a helper that fetches style sheets and imports beside it, which weighs more than a
 * kernel; no lazy module of a contender has any that are not there already.
 */
export function plainImports(): Plugin {
  return {
    name: 'vitrine:plain-imports',
    enforce: 'pre',
    load: (id) => (id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : undefined),
  };
}

const plugins = (): Plugin[] => [stripShaders(), keepWasmThreads(), plainImports()];

/** The folder is nobody's build: it stands in the system's temporary folder until the command ends. */
export async function buildBench(): Promise<BenchBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  const minimal = new Map<ContenderName, ReturnType<BenchBuild['minimal']>>();
  try {
    await bundle(PAGE, folder, './');
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    folder,
    page: PAGE,
    dispose,
    minimal(contender) {
      const found = minimal.get(contender) ?? buildMinimal(folder, contender);
      minimal.set(contender, found);
      return found;
    },
  };
}

async function bundle(input: string, outDir: string, base: string): Promise<Rolldown.RolldownOutput> {
  const result = await build({
    configFile: false,
    root: repository,
    base,
    logLevel: 'error',
    plugins: plugins(),
    worker: { format: 'es', plugins },
    build: {
      outDir,
      target: 'es2022',
      emptyOutDir: true,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: { input: join(repository, input) },
    },
  });
  return result as Rolldown.RolldownOutput;
}

async function buildMinimal(folder: string, contender: ContenderName): Promise<{ page: string; bytes: number }> {
  const { output } = await bundle(`src/bench/minimal/${contender}.ts`, join(folder, 'minimal', contender), './');
  const entry = output.find((part) => part.type === 'chunk' && part.isEntry);
  if (entry?.type !== 'chunk') throw new Error(`internal: bench-build.ts built no entry for ${contender}`);
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="./${entry.fileName}"></script>`;
  const page = `minimal/${contender}/index.html`;
  writeFileSync(join(folder, page), html);
  return { page, bytes: loadedFiles(entry, output).reduce((sum, part) => sum + gzipped(part), 0) };
}

type Part = Rolldown.RolldownOutput['output'][number];

/** The entry, what it imports at once, and the assets that it fetches beside (a WASM module); no lazy chunk. */
function loadedFiles(entry: Rolldown.OutputChunk, output: readonly Part[]): Part[] {
  const names = new Set([entry.fileName]);
  for (const name of names) {
    const chunk = output.find((part) => part.fileName === name);
    if (chunk?.type === 'chunk') for (const imported of chunk.imports) names.add(imported);
  }
  return output.filter((part) => part.type === 'asset' || names.has(part.fileName));
}

const gzipped = (part: Part): number => gzipSync(part.type === 'chunk' ? part.code : part.source, { level: 9 }).length;
