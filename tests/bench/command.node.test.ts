import { expect, test } from 'vitest';
import { type Ended, runCommand } from '../cli/run-command.ts';

const bench = (...args: string[]): Promise<Ended> => runCommand('bench', ...args);

test('the command measures, starts from nothing, weighs, and prints one object as its last line', async () => {
  const only = ['size', 'cold-start', 'train-mlp-32'];
  const { status, stdout, stderr } = await bench('--json', '--only', only.join(), '--contenders', 'vitrine', '--repeats', '1');
  expect(status, stderr).toBe(0);
  const { adapter, rows } = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string);
  expect(adapter.multiplyAddGflops).toBeGreaterThan(0);
  expect(rows.map((row: { workload: string }) => row.workload)).toEqual(only);
  for (const row of rows) {
    expect(row).toMatchObject({ contender: 'vitrine', repeats: 1, ratioToBaseline: 1 });
    expect(row.median).toBeGreaterThan(0);
    expect(row.failure).toBeUndefined();
  }
  // What the README says the engine weighs, and the most that it may.
  expect(rows[0].median).toBeLessThanOrEqual(40);
  expect(rows.map(({ unit, agreement }: { unit: string; agreement: boolean | null }) => [unit, agreement])).toEqual([
    ['kB gzipped', null],
    ['ms', null],
    ['samples/s', true],
  ]);
}, 240_000);

test('arguments that mean nothing end it with status 2 and two lines, before anything is built', async () => {
  const { status, stdout, stderr } = await bench('--only', 'everything');
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toEqual([
    '--only: there is no everything.',
    expect.stringMatching(/^To mend: use some of train-mlp-32, /),
  ]);
}, 60_000);
