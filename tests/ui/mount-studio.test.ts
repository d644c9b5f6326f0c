import { afterEach, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { adamW, buildModel, createTrainer, dense, flatten, type Trainer } from '../../src/engine/index.ts';
import { languageChoice } from '../../src/ui/language.ts';
import { fileOfMaps } from '../../src/ui/saving/save-maps.ts';
import { mountStudio } from '../../src/ui/studio.ts';
import type { VitrinePage } from '../../src/ui/vitrine-page.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { data, inside, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();

const place = (): HTMLElement => {
  const element = document.createElement('section');
  document.body.append(element);
  return element;
};

async function ownTrainer(): Promise<Trainer> {
  const device = await testDevice();
  const model = await buildModel(device, {
    inputShape: data.train.inputShape,
    layers: [flatten(), dense(24, { activation: 'tanh' }), dense(12, { activation: 'relu' }), dense(10, { activation: 'softmax' })],
    seed: 5,
  });
  return createTrainer(model, { data: data.train, optimizer: adamW({ learningRate: 0.01 }), batchSize: 40 });
}

afterEach(async () => {
  for (const section of document.querySelectorAll('body > section')) section.remove();
  await languageChoice.choose('en', false);
});

test('a trainer of the caller’s is trained and explained in place, and is the caller’s again afterwards', {
  timeout: 120_000,
}, async () => {
  const trainer = await ownTrainer();
  const { device } = trainer.model;
  await trainer.run(3);
  const address = location.href;
  const { lang } = document.documentElement;
  const studio = await mountStudio(place(), { trainer, dataset: data.test, epochs: 2, language: 'en' });
  const page = studio.element as VitrinePage;
  const session = page.session!;
  await session.looked();
  await page.updateComplete;
  const figure = (name: string): string => inside(page, 'studio-time', `[data-figure=${name}] dd`).textContent!.replaceAll(/\s+/g, ' ');

  // It stands where the caller left it, and says what it is of.
  expect(figure('step')).toBe('3 / 20');
  expect(session.training.run!.trainer).toBe(trainer);
  expect(inside(page, 'studio-header', '.said').textContent).toBe('small test images · 24-12 · AdamW 0.01 · batch 40');

  await expect
    .poll(() => inside(page, 'studio-time', 'loss-chart').shadowRoot!.textContent, PATIENTLY)
    .toContain('begin with the next step');

  // It trains, and what is shown is of the new step: the probability is what the caller's own model says.
  await userEvent.click(browser.getByRole('button', { name: 'Step', exact: true }));
  await expect.poll(() => figure('step'), PATIENTLY).toBe('4 / 20');
  await until(() => session.snapshot.prediction?.step === 4);
  const { prediction, cards, example } = session.snapshot;
  expect(prediction!.step).toBe(4);
  const output = await trainer.model.predict(example!.values);
  const probabilities = await output.read();
  output.dispose();
  for (const [k, share] of probabilities.entries()) expect(prediction!.probabilities[k]).toBeCloseTo(share, 5);
  await until(() => session.snapshot.cards.every(({ map }) => map?.step === 4 && map.values !== undefined));
  expect(cards.length).toBe(4);
  expect(session.snapshot.cards.find(({ method }) => method === 'saliency')!.map!.values!.some((value) => value !== 0)).toBe(true);

  // Saved maps say how the network was made, which no address does.
  const file = await fileOfMaps('json', session.snapshot, {} as never, () => undefined);
  const saved = JSON.parse(await file!.blob.text());
  expect(saved.recipe).toMatchObject({ batchSize: 40, optimizer: { kind: 'adamW', learningRate: 0.01 }, dataset: 'small test images' });
  expect(saved.recipe.model.layers.map(({ kind }: { kind: string }) => kind)).toEqual(['flatten', 'dense', 'dense', 'dense']);
  expect(saved.maps).toHaveLength(4);

  // To the end: nothing is held out, so the examples that came with it are validated on.
  session.send({ do: 'toggle' });
  await until(() => session.training.run!.history.epochs.length === 1 || session.training.fault !== undefined);
  expect(session.training.fault).toBeUndefined();
  await until(() => session.training.phase === 'finished');
  // The first epoch began before the studio was there: the first that is told is the second.
  expect(session.training.run!.history.epochs.map(({ epoch }) => epoch)).toEqual([2]);

  // Back to step 0 and to the same first weights as the caller's own reset gives.
  await session.training.reset();
  expect(trainer.step).toBe(0);

  expect(location.href).toBe(address);
  expect(document.documentElement.lang).toBe(lang);
  await studio.unmount();
  expect(document.querySelector('vitrine-page')).toBeNull();
  const losses: number[] = [];
  await trainer.run(2, { onSteps: (records) => losses.push(...records.map(({ loss }) => loss)) });
  expect(trainer.step).toBe(2);
  expect(losses.every((loss) => loss > 0)).toBe(true);

  // The trainer keeps what it evaluates with, and the device what it draws with; another visit leaves nothing more.
  const bytes = device.memory.bytes;
  const again = await mountStudio(place(), { trainer, dataset: data.test, language: 'en' });
  await (again.element as VitrinePage).session!.looked();
  expect(device.memory.bytes).toBeGreaterThan(bytes);
  await again.unmount();
  await expect.poll(() => device.memory.bytes, PATIENTLY).toBe(bytes);
  trainer.dispose();
  trainer.model.dispose();
});

test('what only the caller can change is shown as fixed, with the reason, in the language asked for', { timeout: 60_000 }, async () => {
  const trainer = await ownTrainer();
  const studio = await mountStudio(place(), { trainer, dataset: data.test, language: 'zh' });
  const page = studio.element as VitrinePage;
  await page.session!.looked();
  await page.updateComplete;
  expect(page.lang).toBe('zh-CN');
  expect(inside(page, 'studio-network', '.tools').textContent).toContain('各层由嵌入本工作室的页面决定');
  expect(inside(page, 'studio-network').shadowRoot!.querySelector('.tools button')).toBeNull();
  await userEvent.click(inside(page, 'studio-header', '.recipe'));
  await expect.poll(() => page.shadowRoot!.querySelector('studio-recipe')?.shadowRoot?.querySelector('dialog')?.open, PATIENTLY).toBe(true);
  const dialog = inside(page, 'studio-recipe', 'dialog');
  expect(dialog.textContent).toContain('以上在此固定不变');
  expect([...dialog.querySelectorAll('input, select')].map(({ id }) => id)).toEqual(['rate', 'epochs']);
  expect(dialog.querySelector('dl')!.textContent!.replaceAll(/\s+/g, ' ')).toContain('small test images (50)');
  // A command from elsewhere changes nothing that is fixed.
  page.session!.send({ do: 'recipe', changes: { hidden: [7], seed: 3, rate: 0.5 } });
  expect(page.session!.training.settings).toMatchObject({ hidden: [], seed: 5, rate: 0.5 });
  expect(trainer.learningRate).toBe(0.5);
  await studio.unmount();
  trainer.dispose();
  trainer.model.dispose();
});

test('keys, colours and letters of the page around are its own', { timeout: 60_000 }, async () => {
  const trainer = await ownTrainer();
  const section = place();
  section.style.cssText =
    'color: red; font: 40px/3 fantasy; text-align: center; text-transform: uppercase; letter-spacing: 9px; color-scheme: dark;';
  const studio = await mountStudio(section, { trainer, dataset: data.test, language: 'en' });
  const page = studio.element as VitrinePage;
  await page.session!.looked();
  const style = getComputedStyle(inside(page, 'studio-time', '.phase'));
  expect(style.textTransform).toBe('none');
  expect(style.letterSpacing).toBe('normal');
  expect(style.textAlign).toBe('start');
  expect(Number.parseFloat(style.fontSize)).toBeLessThan(20);
  // It follows the scheme of its place, whatever the visitor prefers elsewhere.
  expect(getComputedStyle(page).backgroundColor).toBe('rgb(20, 23, 27)');
  section.style.colorScheme = 'light';
  expect(getComputedStyle(page).backgroundColor).toBe('rgb(251, 250, 247)');

  (document.activeElement as HTMLElement | null)?.blur();
  await userEvent.keyboard('{ArrowRight}');
  await page.session!.training.pause();
  expect(trainer.step).toBe(0);
  page.focus();
  await userEvent.keyboard('{ArrowRight}');
  await until(() => trainer.step === 1);
  await studio.unmount();
  trainer.dispose();
  trainer.model.dispose();
});

test('what the studio cannot look into is refused before anything is shown', async () => {
  const device = await testDevice();
  const model = await buildModel(device, { inputShape: [3], layers: [dense(1)], seed: 0 });
  const targets = new Float32Array([1, 2, 3, 4]);
  const regression = { name: 'heights', size: 4, inputShape: [3], inputs: new Float32Array(12), targets, targetShape: [1] };
  const trainer = await createTrainer(model, { data: regression, loss: 'meanSquaredError', batchSize: 2 });
  const section = place();
  await expect(mountStudio(section, { trainer, dataset: regression })).rejects.toThrow(
    'mountStudio: the studio looks into classifiers of numbers; of this model, its loss is meanSquaredError, and it gives [1].',
  );
  expect(section.childElementCount).toBe(0);
  trainer.dispose();
  model.dispose();
});
