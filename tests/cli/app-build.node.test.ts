import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { expect, test } from 'vitest';
import { repository } from '../../src/cli/bootstrap.mjs';

const MOST_BYTES = 150_000;

test('the studio loads at most 150 kB of gzipped script before its data', async () => {
  // The configuration of the app, not that of this test run.
  const { VITEST: vitest, NODE_ENV: environment } = process.env;
  delete process.env.VITEST;
  process.env.NODE_ENV = 'production';
  let output: Rolldown.RolldownOutput['output'];
  try {
    const built = (await build({
      configFile: `${repository}vite.config.ts`,
      mode: 'production',
      logLevel: 'error',
      build: { write: false },
    })) as Rolldown.RolldownOutput;
    output = built.output;
  } finally {
    Object.assign(process.env, { VITEST: vitest, NODE_ENV: environment });
  }
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file] as const] : [])));
  const entry = [...chunks.values()].find((chunk) => chunk.isEntry && chunk.facadeModuleId?.endsWith('index.html'));
  expect(entry).toBeDefined();
  // The entry with all that it imports, and where the data lies.
  const data = [...chunks.values()].find((chunk) => chunk.facadeModuleId?.endsWith('mnist-files.ts'));
  expect(data).toBeDefined();
  const first = new Set<string>();
  const add = (name: string): void => {
    if (first.has(name)) return;
    first.add(name);
    for (const each of chunks.get(name)?.imports ?? []) add(each);
  };
  add(entry!.fileName);
  add(data!.fileName);
  const bytes = [...first].reduce((sum, name) => sum + gzipSync(chunks.get(name)?.code ?? '', { level: 9 }).length, 0);
  expect(first.size).toBeGreaterThan(5);
  expect(bytes).toBeGreaterThan(100_000);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});
