import { expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const pauseAt = (what: string): Promise<void> => userEvent.selectOptions(browser.getByRole('combobox', { name: 'Pause at' }), what);

test('training pauses at the very step at which a unit has died, and says which', async () => {
  const { page, session, training } = await mount('#hidden=16&rate=0.001&epochs=500');
  for (let i = 0; i < 3; i++) await training.single();
  const bias = new Float32Array(16);
  bias[9] = -1000;
  // The others answer.
  bias.fill(5, 0, 9).fill(5, 10);
  training.run!.model.parameters.get('dense_1/bias')!.write(bias);
  await pauseAt('a unit that dies');
  expect(session.snapshot.stopAt).toEqual({ kind: 'unit' });
  await userEvent.click(browser.getByRole('button', { name: 'Run', exact: true }));
  // An epoch has ten steps here: the batches 4 to 13 find it silent.
  await until(() => session.snapshot.stoppedBy !== undefined && !session.snapshot.running);
  expect(training.step).toBe(13);
  expect(session.snapshot.stoppedBy).toEqual({ kind: 'unit', dead: { layer: 'dense_1', unit: 9, step: 13 } });
  expect(session.snapshot.stopAt).toBeUndefined();
  await expect.poll(() => inside(page, 'studio-time').shadowRoot!.textContent, PATIENTLY).toContain('Paused: unit 9 of dense_1 has died');
  expect(training.run!.history.steps).toBe(13);
  // The unit that is shown is the example's, not the batch's, and of this step, though more had been submitted.
  await session.looked();
  expect(session.snapshot.prediction!.step).toBe(13);
  for (const [name, tensor] of session.snapshot.tensors) expect(tensor.step, name).toBe(13);
  expect(session.snapshot.tensors.get('activation/dense_1')!.shape).toEqual([1, 16]);
  // It goes on, and is not held again.
  expect(training.run!.trainer.companions.size).toBe(0);
  await training.single();
  expect(training.step).toBe(14);
});

test('a linear network has no unit that can die: that is said, and nothing is lost', async () => {
  const { session, training } = await mount('#hidden=none');
  await training.single();
  await pauseAt('a unit that dies');
  await until(() => session.snapshot.fault !== undefined);
  expect((session.snapshot.fault as Error).message).toContain('no hidden layer of this model has a ReLU');
  expect([session.snapshot.stopAt, training.step]).toEqual([undefined, 1]);
  await training.single();
  expect(training.step).toBe(2);
});

test('a reset keeps the condition: the new run is watched', async () => {
  const { session, training } = await mount('#hidden=16&epochs=500');
  await pauseAt('a unit that dies');
  await until(() => training.run!.trainer.companions.size === 1);
  session.send({ do: 'recipe', changes: { hidden: [12] } });
  await until(() => session.snapshot.run!.settings.hidden[0] === 12);
  await until(() => training.run!.trainer.companions.size === 1);
  await pauseAt('non-finite');
  await until(() => training.run!.trainer.companions.size === 0);
});
