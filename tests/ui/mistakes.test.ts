import { expect, test } from 'vitest';
import { buildModel, dense } from '../../src/engine/index.ts';
import { findMistakes } from '../../src/ui/session/mistakes.ts';
import { clusters } from '../engine/fixtures.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';

failOnGpuErrors();

test('a network without finite answers has none right', async () => {
  const device = await testDevice();
  const model = await buildModel(device, { inputShape: [8], layers: [dense(3, { activation: 'softmax' })] });
  const examples = clusters(30, 8, 3);
  expect((await findMistakes(model, examples))!.wrong).toBeLessThan(30);
  model.parameters.get('dense_1/bias')!.write(Float32Array.of(Number.NaN, 0, 0));
  const mistakes = (await findMistakes(model, examples))!;
  expect([mistakes.wrong, mistakes.size, mistakes.worst.length]).toEqual([30, 30, 0]);
  model.dispose();
});
