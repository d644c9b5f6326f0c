import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GlobalSummary } from '../../src/cli/global-task.ts';
import { runCommand } from './run-command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a network is explained as a whole as one line of JSON, the same twice, or as text with a drawing a file', async () => {
  const trained = await runCommand('train', '--data', 'breast-cancer', '--epochs', '3', '--json', '--out', folder);
  expect(trained.status).toBe(0);
  const model = join(folder, 'breast-cancer-mlp.safetensors');
  const asked = ['explain', '--global', '--data', 'breast-cancer', '--model', model];
  const methods = ['--methods', 'surrogateTree,permutationImportance,cka'];
  const first = await runCommand(...asked, ...methods, '--json');
  expect(first.status).toBe(0);
  expect(first.stdout.trim().split('\n')).toHaveLength(1);
  const { surrogateTree, permutationImportance, cka, partialDependence, examples, notApplicable } = JSON.parse(
    first.stdout,
  ) as GlobalSummary;
  expect(surrogateTree?.fidelity.at(-1)?.heldOut.value).toBeGreaterThanOrEqual(surrogateTree?.majority ?? 1);
  expect(permutationImportance?.columns).toHaveLength(30);
  cka?.values.forEach((row, i) => {
    expect(row[i]).toBeCloseTo(1, 5);
  });
  expect(cka?.layers.length).toBeGreaterThan(1);
  expect([partialDependence, notApplicable]).toEqual([undefined, []]);
  expect(examples).toBeGreaterThan(50);
  expect((await runCommand(...asked, ...methods, '--json')).stdout).toBe(first.stdout);

  const out = join(folder, 'whole');
  const told = await runCommand(...asked, '--out', out);
  expect(told.status).toBe(0);
  expect(told.stdout).toContain('Surrogate tree: fidelity ');
  expect(told.stdout).toContain('Partial dependence of the logit of malignant, widest: ');
  const files = readdirSync(out).sort();
  expect(files).toEqual([
    'accumulated-local-effects.svg',
    'cka.svg',
    'global.html',
    'partial-dependence.svg',
    'permutation-importance.svg',
    'surrogate-tree.mmd',
    'surrogate-tree.svg',
  ]);
  for (const name of files) expect(told.stderr).toContain(`Wrote ${join(out, name)}`);
  expect(readFileSync(join(out, 'partial-dependence.svg'), 'utf8').match(/<polyline/g)).toHaveLength(30);
}, 240_000);
