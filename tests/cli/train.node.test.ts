import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../src/cli/bootstrap.mjs';
import type { TrainSummary } from '../../src/cli/train-task.ts';
import { runCommand } from './run-command.ts';

test('a training prints one line of JSON on stdout, tells how it goes on stderr and writes the model and a picture', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-'));
  try {
    const { status, stdout, stderr } = await runCommand('train', '--data', 'breast-cancer', '--epochs', '2', '--json', '--out', folder);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(1);
    const summary = JSON.parse(lines[0] ?? '') as TrainSummary;
    expect(summary).toMatchObject({ data: 'breast-cancer', model: 'mlp', parameters: 4226, epochs: 2, batch: 32, seed: 0 });
    expect(Object.keys(summary.variants).length).toBeGreaterThan(0);
    for (const value of [summary.trainLoss, summary.testLoss, summary.seconds, summary.samplesPerSecond]) expect(value).toBeGreaterThan(0);
    expect(summary.testAccuracy).toBeGreaterThan(0.9);
    expect(summary.validationAccuracy).toBeGreaterThan(0.9);
    expect(stderr).toContain('epoch 2/2  loss ');

    // Safetensors begins with the length of its header, 8 bytes little-endian, then JSON.
    const model = readFileSync(join(folder, 'breast-cancer-mlp.safetensors'));
    const header = JSON.parse(model.subarray(8, 8 + Number(model.readBigUInt64LE(0))).toString()) as Record<string, unknown>;
    expect(Object.keys(header)).toContain('dense_1/weight');
    const picture = readFileSync(join(folder, 'activations.png'));
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

test('tuned kernels train from the same first weights, and what was tried is told', async () => {
  const args = ['train', '--data', 'breast-cancer', '--epochs', '1', '--json'];
  const { status, stdout, stderr } = await runCommand(...args, '--tune');
  expect({ status, stderr }).toMatchObject({ status: 0 });
  const { variants, tuning = [], trainLoss } = JSON.parse(stdout) as TrainSummary;
  expect(tuning.map(({ key }) => key.split(' ')[0])).toEqual(expect.arrayContaining(['gatherBatch', 'affine', 'adam']));
  for (const { key, chosen, trials } of tuning) {
    expect(variants[key]).toBe(chosen);
    expect(trials.length).toBeGreaterThan(1);
    expect(stderr).toContain(`tuned ${key}  ${chosen} `);
  }
  const plain = JSON.parse((await runCommand(...args)).stdout) as TrainSummary;
  expect(plain.tuning).toBeUndefined();
  expect(Math.abs(trainLoss - plain.trainLoss)).toBeLessThan(1e-3);
}, 180_000);

test('without validation there is no validation accuracy', async () => {
  const { stdout } = await runCommand('train', '--data', 'breast-cancer', '--epochs', '1', '--validation-split', '0', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ validationAccuracy: null });
}, 120_000);

test('bad arguments end with status 2 and two lines, before any browser is opened', async () => {
  const { status, stdout, stderr } = await runCommand('train', '--batch', 'many');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toBe('--batch is many; it must be a whole number of at least 1.\nTo mend: pass for example --batch 32.\n');
});

test('an unknown command says what there is', async () => {
  expect(existsSync(join(repository, 'src/cli/commands/fly.ts'))).toBe(false);
  const { status, stderr } = await runCommand('fly');
  expect(status).toBe(2);
  expect(stderr).toContain('There is no command fly.\nTo mend: use one of ');
});
