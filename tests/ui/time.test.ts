import { afterEach, describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

afterEach(() => browser.viewport(1280, 800));

const time = (page: Element) => inside(page, 'studio-time').shadowRoot!;
const field = (name: string) => browser.getByRole('textbox', { name });

describe('what cannot be taken is said, and kept as it was typed', () => {
  test.each([
    ['abc', undefined],
    ['1e40', undefined],
    ['-1', undefined],
    ['0.02', 0.02],
  ])('as a learning rate: %s', async (typed, taken) => {
    const { page, training } = await mount('#rate=0.005');
    await field('Learning rate').fill(typed);
    await userEvent.keyboard('{Enter}');
    await userEvent.tab();
    if (taken === undefined) {
      await expect.element(browser.getByRole('alert')).toHaveTextContent('A number from 1e-9 to 1e+30.');
      await expect.element(field('Learning rate')).toHaveAttribute('aria-invalid', 'true');
      // It outlives a step.
      await training.single();
      await expect.element(field('Learning rate')).toHaveValue(typed);
    } else expect(time(page).querySelector('[role=alert]')).toBeNull();
    expect(training.rate).toBeCloseTo(taken ?? 0.005, 9);
  });

  test.each([
    ['0', undefined],
    ['3', undefined],
    ['1e9', undefined],
    ['12.5', undefined],
    ['', undefined],
    ['20', 20],
  ])('as a step to pause at: %s', async (typed, taken) => {
    const { page, session, training } = await mount('#epochs=10');
    for (let i = 0; i < 3; i++) await training.single();
    await browser.getByLabelText('Pause at').selectOptions('step');
    const { stopAt } = session.snapshot;
    await until(() => session.snapshot.stopAt?.kind === 'step');
    await expect.element(browser.getByLabelText('step', { exact: true })).toBeVisible();
    await browser.getByLabelText('step', { exact: true }).fill(typed);
    await userEvent.tab();
    if (taken === undefined) {
      await expect.element(browser.getByRole('alert')).toHaveTextContent('A whole number from 4 to 100.');
      await expect.element(browser.getByLabelText('step', { exact: true })).toHaveValue(typed);
      expect(session.snapshot.stopAt).toEqual(stopAt ?? { kind: 'step', step: 13 });
    } else {
      expect(session.snapshot.stopAt).toEqual({ kind: 'step', step: taken });
      expect(time(page).querySelector('[role=alert]')).toBeNull();
    }
  });

  test('as a loss', async () => {
    const { session } = await mount();
    await browser.getByLabelText('Pause at').selectOptions('loss above');
    await field('loss above').fill('-2');
    await userEvent.tab();
    await expect.element(browser.getByRole('alert')).toHaveTextContent('A number, 0 or more.');
    expect(session.snapshot.stopAt).toEqual({ kind: 'loss', above: 10 });
  });
});

test('a pause at a loss says which', async () => {
  const { page, session } = await mount();
  session.send({ do: 'stopAt', stopAt: { kind: 'loss', above: 0.25 } });
  session.send({ do: 'toggle' });
  await expect.poll(() => inside(page, 'studio-time', '.phase').textContent?.trim(), PATIENTLY).toBe('Paused: the loss is above 0.25');
});

describe('a table that unfolds', () => {
  const open = (page: Element) => [...time(page).querySelectorAll('details')].filter((each) => each.open).length;

  test('is closed by Esc, which frees nothing else, and by a click elsewhere; one is open at a time', async () => {
    const { page, session } = await mount();
    session.send({ do: 'choose', choices: { pixel: 9 } });
    const confusion = browser.getByText('Confusion matrix');
    await confusion.click();
    expect(open(page)).toBe(1);
    await userEvent.keyboard('{Escape}');
    expect(open(page)).toBe(0);
    expect(session.snapshot.choices.pixel).toBe(9);
    expect(time(page).activeElement?.textContent).toBe('Confusion matrix');
    await confusion.click();
    await browser.getByText('Every epoch, as a table').click();
    expect(open(page)).toBe(1);
    await browser.getByRole('heading', { name: 'Network', exact: true }).click();
    expect(open(page)).toBe(0);
  });
});

test('every figure has its place, whatever is said of the phase', async () => {
  const { page, session, training } = await mount('#epochs=1');
  session.send({ do: 'toggle' });
  await until(() => training.isFinished && !session.snapshot.running);
  await expect.poll(() => inside(page, 'studio-time', '.phase').textContent?.trim(), PATIENTLY).toMatch(/^Finished\. .* recipe/);
  for (const width of [1280, 1024]) {
    await browser.viewport(width, 800);
    await page.updateComplete;
    const figures = () =>
      [...time(page).querySelectorAll('[data-figure]')].map((each) => each.getBoundingClientRect()).filter((box) => box.width > 0);
    await expect.poll(() => Math.max(...figures().map(({ right }) => right)), PATIENTLY).toBeLessThanOrEqual(width);
    const phase = inside(page, 'studio-time', '.phase').getBoundingClientRect();
    expect(phase.right).toBeLessThanOrEqual(figures()[0]!.left + 0.5);
    expect(phase.height).toBeLessThan(52);
  }
});

test('what watching cost is still told when training has come to rest', async () => {
  const { page, session, training } = await mount('#batch=1&epochs=1000');
  await training.start();
  await until(() => session.snapshot.watching >= 0);
  await training.pause();
  await until(() => !session.snapshot.running);
  await expect.poll(() => inside(page, 'studio-time', '[data-figure=watching] dd').textContent, PATIENTLY).toMatch(/^[\d.]+%$/);
});

test('leaves the other pages their height', async () => {
  const { page, session } = await mount();
  const height = () => inside(page, 'studio-time').getBoundingClientRect().height;
  expect(height()).toBeGreaterThan(120);
  session.send({ do: 'choose', choices: { page: 'self-test' } });
  await expect.poll(height, PATIENTLY).toBeLessThan(80);
  await expect.element(browser.getByRole('button', { name: 'Run', exact: true })).toBeVisible();
  session.send({ do: 'choose', choices: { page: 'studio' } });
  await expect.poll(height, PATIENTLY).toBeGreaterThan(120);
});

test.each([360, 320])('at %i pixels the viewed step is shown, and the name of the curve lies above it', async (width) => {
  await browser.viewport(width, 740);
  const { page, training } = await mount('#hidden=8');
  await training.single();
  await expect.poll(() => time(page).querySelector('loss-chart')?.shadowRoot?.querySelector('canvas'), PATIENTLY).toBeTruthy();
  expect(inside(page, 'studio-time', '[data-figure=viewed]').getClientRects()).toHaveLength(1);
  const [head, plot] = ['.head', '.plot'].map((part) => inside(page, 'studio-time', 'loss-chart', part).getBoundingClientRect()) as [
    DOMRect,
    DOMRect,
  ];
  expect(head.bottom).toBeLessThanOrEqual(plot.top + 0.5);
  await expect.poll(() => document.documentElement.scrollWidth, PATIENTLY).toBeLessThanOrEqual(width);
});
