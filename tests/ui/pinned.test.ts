import { expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { AttributionMap } from '../../src/ui/maps/attribution-map.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const mapsThere = (session: StudioSession) =>
  until(() => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing }) => map && !computing));

const button = (name: string) => browser.getByRole('button', { name, exact: true });

test('a pinned example stands beside the chosen one: the same methods, class and scale; Back unpins it', async () => {
  const { page, session, training } = await mount('#rate=0.01&example=4&class=3&hidden=16&methods=saliency,integratedGradients,occlusion');
  for (let i = 0; i < 10; i++) await training.single();
  await session.looked();
  await mapsThere(session);
  await userEvent.click(button('Pin'));
  expect(session.snapshot.choices.pinned).toEqual({ kind: 'test', index: 4 });
  expect(location.hash).toContain('pinned=4');
  session.send({ do: 'choose', choices: { example: { kind: 'test', index: 11 } } });
  await until(() => session.snapshot.pinned !== undefined && session.snapshot.cards.every(({ map }) => map?.example.endsWith(' 11')));

  // What it is: test example 4, asked about class 3 as the chosen one is.
  const { pinned, cards } = session.snapshot;
  const model = training.run!.model;
  const probabilities = await (await model.predict(training.exampleInput(4)!)).read();
  expect([...pinned!.prediction.probabilities]).toEqual([...probabilities]);
  expect(pinned!.cards.map(({ method }) => method)).toEqual(cards.map(({ method }) => method));
  expect(pinned!.cards.every(({ map }) => map!.target === 3 && map!.step === 10)).toBe(true);
  // The gradient is that of its own logit: it says how that moves.
  const saliency = pinned!.cards[0]!.map!.values!;
  const moved = training.exampleInput(4)!;
  const index = saliency.findIndex((value) => Math.abs(value) === Math.max(...saliency.map(Math.abs)));
  moved[index]! += 1e-2;
  const [before, after] = await Promise.all(
    [training.exampleInput(4)!, moved].map(async (x) => (await (await model.logits(x)).read())[3]!),
  );
  expect(Math.abs((after! - before!) / 1e-2 - saliency[index]!)).toBeLessThan(0.05 * Math.abs(saliency[index]!));

  // On the page: its picture, what it reads, and each map beside that of the chosen one, to one scale.
  const why = inside(page, 'studio-why').shadowRoot!;
  expect(why.querySelector<AttributionMap>('[data-pinned=input]')!.shows).toMatch(/^It reads/);
  for (const method of ['saliency', 'integratedGradients', 'occlusion']) {
    const pair = () =>
      [...why.querySelectorAll(`[data-method=${method}]`)].map((map) => map.shadowRoot!.querySelector<TensorView>('tensor-view')!);
    expect(pair()).toHaveLength(2);
    // Off screen nothing is drawn, and the scale has no end yet.
    pair()[0]!.scrollIntoView();
    await expect.poll(() => pair().map(({ limit }) => limit), PATIENTLY).not.toContain(undefined);
    const [own, twin] = pair() as [TensorView, TensorView];
    expect(own.limit).toBe(twin.limit);
    expect(own.limit).toBe(Math.max(own.ends!.ofRun, twin.ends!.ofRun));
    // By themselves they end elsewhere; over the run both may have shown the same example.
    expect(own.ends!.now).not.toBe(twin.ends!.now);
    // The end of the scale that both print is the shared one.
    expect(own.renderRoot.querySelector('.scale')!.textContent!.trim()).toBe(twin.renderRoot.querySelector('.scale')!.textContent!.trim());
  }

  // It follows training too.
  await training.single();
  await session.looked();
  expect(session.snapshot.pinned!.cards[0]!.map!.step).toBe(11);

  history.back();
  await expect.poll(() => session.snapshot.choices.example, PATIENTLY).toEqual({ kind: 'test', index: 4 });
  history.back();
  await expect.poll(() => session.snapshot.choices.pinned, PATIENTLY).toBeUndefined();
  await session.looked();
  expect(session.snapshot.pinned).toBeUndefined();
  expect(why.querySelectorAll('[data-pinned]')).toHaveLength(0);
  expect(training.step).toBe(11);
});

test('a link with a pinned example shows it, and Unpin takes it away', async () => {
  const { page, session } = await mount('#hidden=16&example=7&pinned=2&methods=saliency');
  await mapsThere(session);
  await until(() => session.snapshot.pinned?.cards[0]?.map !== undefined);
  await page.updateComplete;
  const { buffers } = session.training.device!.memory;
  await userEvent.click(button('Unpin').first());
  expect(session.snapshot.choices.pinned).toBeUndefined();
  await session.looked();
  session.send({ do: 'choose', choices: { example: { kind: 'test', index: 8 } } });
  await session.looked();
  expect(session.snapshot.pinned).toBeUndefined();
  // A buffer that something is read through lives a moment longer.
  await until(() => session.training.device!.memory.buffers <= buffers);
});
