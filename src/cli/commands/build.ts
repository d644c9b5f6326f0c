import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as viteBuild } from 'vite';
import { repository } from '../bootstrap.mjs';
import { CommandError } from '../command-error.ts';
import { elementsManifest } from '../elements-manifest.ts';
import { buildLibraryModules, QUIET } from '../library-build.ts';
import { type Options, readOptions } from '../options.ts';
import { paint } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

const OPTIONS: Options = {
  only: { kind: 'text', choices: ['library', 'app'], help: 'build one of the two' },
};

/** The modules, their types beside them, and what there is to know of the elements. */
async function buildLibrary(): Promise<void> {
  await buildLibraryModules(join(repository, 'dist/lib'));
  writeFileSync(join(repository, 'dist/lib/custom-elements.json'), `${JSON.stringify(elementsManifest(), null, 2)}\n`);
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
