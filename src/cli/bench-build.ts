import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'vite';
import { repository } from './bootstrap.mjs';
import { leaveMnistOutside, stripShaders } from './library-build.ts';

/** What is measured is what ships: minified modules without comments in their kernels, in a folder of their own. */
export interface BenchBuild {
  readonly folder: string;
  /** The page of the suite, in the folder. */
  readonly page: string;
  dispose(): void;
}

const PAGE = 'src/cli/page/bench.html';

const plugins = (): Plugin[] => [stripShaders(), leaveMnistOutside()];

export async function buildBench(): Promise<BenchBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    await build({
      configFile: false,
      root: repository,
      base: './',
      logLevel: 'error',
      plugins: plugins(),
      worker: { format: 'es', plugins },
      build: {
        outDir: folder,
        target: 'es2022',
        chunkSizeWarningLimit: 10_000,
        rolldownOptions: { input: join(repository, PAGE) },
      },
    });
    return { folder, page: PAGE, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
