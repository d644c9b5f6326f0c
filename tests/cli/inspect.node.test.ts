import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Inspection } from '../../src/cli/inspect-task.ts';
import { runCommand } from './run-command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a trained model is inspected as one line of JSON, or as text with pictures and a report', async () => {
  const trained = await runCommand('train', '--data', 'breast-cancer', '--epochs', '1', '--json', '--out', folder);
  expect(trained.status).toBe(0);
  const file = join(folder, 'breast-cancer-mlp.safetensors');
  const { status, stdout } = await runCommand('inspect', '--model', file, '--bins', '8', '--json');
  expect(status).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(1);
  const inspection = JSON.parse(lines[0] ?? '') as Inspection;
  expect(inspection).toMatchObject({ inputShape: [30], parameters: 4226, bytes: 16904 });
  expect(inspection.layers.map(({ kind, parameters }) => [kind, parameters])).toEqual([
    ['flatten', 0],
    ['dense', 3968],
    ['dense', 258],
  ]);
  expect(inspection.tensors.map(({ name }) => name)).toEqual(['dense_1/weight', 'dense_1/bias', 'dense_2/weight', 'dense_2/bias']);
  for (const { length, histogram, norm, shape, importance, stableRank, notFinite } of inspection.tensors) {
    expect(histogram?.counts.reduce((a, b) => a + b, 0)).toBe(length);
    expect(norm).toBeGreaterThan(0);
    expect(notFinite).toBe(0);
    if (shape.length < 2) continue;
    expect(importance).toHaveLength(shape[0] as number);
    expect(stableRank).toBeGreaterThanOrEqual(1);
    expect(stableRank).toBeLessThanOrEqual(Math.min(...shape));
  }

  const out = join(folder, 'not', 'there', 'yet');
  const text = await runCommand('inspect', '--model', file, '--out', out);
  expect(text.status).toBe(0);
  expect(text.stdout).toContain('Total parameters: 4,226');
  expect(text.stdout).toContain('dense_1/weight [30, 128]');
  expect(text.stdout).toContain('flowchart TD');
  const files = ['weights.png', 'input-importance.png', 'histograms.png', 'network.svg', 'network.mmd', 'inspection.html'];
  expect(readdirSync(out).sort()).toEqual([...files].sort());
  for (const name of files) {
    expect(text.stderr).toContain(`Wrote ${join(out, name)}`);
    if (name.endsWith('.png')) expect(readFileSync(join(out, name)).subarray(1, 4).toString()).toBe('PNG');
  }
  const report = readFileSync(join(out, 'inspection.html'), 'utf8');
  expect(report).not.toMatch(/(src|href)="(?!data:)/);
  expect(report).toContain('breast-cancer-mlp.safetensors: 4,226 parameters in 3 layers');
  for (const name of files.filter((each) => each.endsWith('.png') && each !== 'histograms.png')) {
    expect(report).toContain(readFileSync(join(out, name)).toString('base64'));
  }
  // A histogram of every tensor, and the diagram.
  expect(report.match(/aria-label="dense_\d\/(weight|bias): \d+ values/g)).toHaveLength(4);
  expect(report).toContain('through flatten_1, dense_1, dense_2 to the output');
}, 240_000);

test('a model that is missing, or no model, ends the command with two lines', async () => {
  const missing = await runCommand('inspect');
  expect(missing).toEqual({
    status: 2,
    stdout: '',
    stderr: '--model is missing.\nTo mend: pass the model to inspect, as in --model out/mnist-mlp.safetensors.\n',
  });
  const absent = await runCommand('inspect', '--model', join(folder, 'none.safetensors'));
  expect(absent.status).toBe(1);
  expect(absent.stderr).toContain('--model: there is no file ');
  const nowhere = await runCommand('inspect', '--model', process.execPath, '--out', join(process.execPath, 'out'));
  expect(nowhere.status).toBe(1);
  expect(nowhere.stderr).toMatch(/^--out is .*, where nothing can be written: .*\nTo mend: /);
  const wrong = join(folder, 'wrong.safetensors');
  writeFileSync(wrong, 'no model at all');
  const broken = await runCommand('inspect', '--model', wrong);
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('\nTo mend: ');
  expect(broken.stderr).not.toContain('    at ');
}, 240_000);
