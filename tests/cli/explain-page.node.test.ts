import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainParameters, OPTIONS } from '../../src/cli/commands/explain.ts';
import type { ExplainResult, ExplainSummary } from '../../src/cli/explain-task.ts';
import { type Headless, openHeadless } from '../../src/cli/headless.ts';
import { readOptions } from '../../src/cli/options.ts';
import { encodeSafetensors } from '../../src/engine/safetensors.ts';

/** 30 → 4 GELU → 2, whose weights are a pattern: guided backpropagation is not for GELU, everything else is. */
function geluModel(): Uint8Array {
  const layers = [
    { kind: 'dense', name: 'dense_1', options: { units: 4, activation: 'gelu' } },
    { kind: 'dense', name: 'dense_2', options: { units: 2, activation: 'softmax' } },
  ];
  const tensor = (name: string, shape: number[]) => {
    const length = shape.reduce((product, dimension) => product * dimension, 1);
    return { name, shape, values: Float32Array.from({ length }, (_, i) => Math.sin(7 * i) / 2) };
  };
  const tensors = [
    tensor('dense_1/weight', [30, 4]),
    tensor('dense_1/bias', [4]),
    tensor('dense_2/weight', [4, 2]),
    tensor('dense_2/bias', [2]),
  ];
  const about = { version: 1, kind: 'model', spec: { inputShape: [30], layers, seed: 0, inputType: 'float32' } };
  return encodeSafetensors(tensors, { vitrine: JSON.stringify(about) });
}

let folder: string;
let headless: Headless;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vitrine-'));
  writeFileSync(join(folder, 'gelu.safetensors'), geluModel());
  headless = await openHeadless();
}, 60_000);
afterAll(async () => {
  await headless?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the command of these arguments prints with --json. */
async function explain(...args: string[]): Promise<ExplainSummary> {
  const model = ['--model', join(folder, 'gelu.safetensors'), '--data', 'breast-cancer', '--json'];
  const parameters = explainParameters(readOptions(OPTIONS, [...model, ...args]));
  const { summary } = await headless.runTask<ExplainResult>({ page: 'src/cli/page/explain.html', parameters });
  return summary as ExplainSummary;
}

const METHODS = ['--methods', 'saliency,guidedBackprop,inputXGradient', '--examples', '1'];

test('a method that the network does not allow is left out and named, and the evaluation is of the question that the maps answer', async () => {
  const usual = await explain(...METHODS);
  expect(usual.maps.map(({ method }) => method)).toEqual(['saliency', 'inputXGradient']);
  expect(usual.notApplicable).toEqual([
    {
      method: 'guidedBackprop',
      title: 'Guided backpropagation',
      why: 'the model has no ReLU, only gelu; the rule would change nothing.',
    },
  ]);
  expect(usual.evaluation?.ranking.map(({ method }) => method).sort()).toEqual(['inputXGradient', 'saliency']);

  const deletion = ({ evaluation }: ExplainSummary) =>
    evaluation?.rows.find(({ method, metric }) => method === 'inputXGradient' && metric === 'deletion')?.mean as number;
  const { prediction } = usual;
  const named = await explain(...METHODS, '--target', String(prediction));
  expect(named.maps.map(({ target }) => target)).toEqual([prediction, prediction]);
  expect(deletion(named)).toBe(deletion(usual));
  const other = await explain(...METHODS, '--target', String(1 - prediction), '--against', String(prediction));
  expect(other.maps.map(({ target }) => target)).toEqual([1 - prediction, 1 - prediction]);
  expect(Math.abs(deletion(other) - deletion(usual))).toBeGreaterThan(1e-3);

  // The predicted class against itself.
  await expect(explain(...METHODS, '--against', String(prediction))).rejects.toThrow(
    `--against is ${prediction}, the class that the network predicts for example 0: what speaks for it and against it is 0 everywhere.\n` +
      'To mend: name another class, or the class to explain with --target.',
  );
}, 60_000);

test('where nothing else is asked for, a method that the network does not allow is an error', async () => {
  await expect(explain('--methods', 'guidedBackprop,deconvnet')).rejects.toThrow(
    'guidedBackprop: the model has no ReLU, only gelu; the rule would change nothing.\nTo mend: use saliency,',
  );
}, 30_000);

test('a model of other data is refused by what it takes', async () => {
  await expect(explain('--data', 'german-credit')).rejects.toThrow(
    '--model takes examples of [30], but an example of german credit is [61].\nTo mend: pass the --data that',
  );
}, 30_000);
