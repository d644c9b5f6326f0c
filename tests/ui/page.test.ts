import { describe, expect, test, vi } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { Training } from '../../src/ui/training.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const openRecipe = () => userEvent.click(browser.getByRole('button', { name: /Change$/ }));

const firstLoss = (training: Training) => training.run!.history.loss.points().raw[0];

describe('the page', () => {
  test('shows what it is about to train, and on what', async () => {
    const { page } = await mount();
    await expect.element(browser.getByRole('heading', { level: 1 }), PATIENTLY).toHaveTextContent('Vitrine');
    await expect.element(browser.getByText('MNIST digits · 128 · Adam 0.001 · batch 32'), PATIENTLY).toBeVisible();
    expect(inside(page, 'studio-network').shadowRoot!.textContent).toContain('9,610');
    expect(inside(page, 'studio-time', '.phase').textContent).toContain('Ready');
  });

  test('trains when Run is clicked: the loss falls, and the epochs are validated', async () => {
    const { page, training } = await mount('#epochs=4&rate=0.003');
    await userEvent.click(browser.getByRole('button', { name: 'Run', exact: true }));
    await until(() => training.phase === 'finished');
    const { history } = training.run!;
    expect(training.step).toBe(40);
    expect(history.steps).toBe(40);
    expect(history.epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 40],
    ]);
    expect(history.epochs[3]!.loss).toBeLessThan(0.5 * history.epochs[0]!.loss);
    expect(history.epochs[3]!.validationAccuracy).toBeGreaterThan(0.6);
    await expect.poll(() => inside(page, 'studio-time', '[data-figure=step]').textContent, PATIENTLY).toContain('40');
    expect(inside(page, 'studio-time', 'tbody').querySelectorAll('tr')).toHaveLength(4);
  });

  test('goes on after its last epoch when there are to be more', async () => {
    const { training } = await mount('#epochs=1');
    await training.start();
    await until(() => training.phase === 'finished');
    await openRecipe();
    await userEvent.fill(browser.getByLabelText('Epochs', { exact: true }), '2');
    await userEvent.click(browser.getByRole('button', { name: 'Done' }));
    await userEvent.click(browser.getByRole('button', { name: 'Run', exact: true }));
    await until(() => training.phase === 'finished' && training.step === 20);
    expect(training.run!.history.epochs).toHaveLength(2);
  });

  test('holds its step when paused', async () => {
    const { training } = await mount('#epochs=1000');
    await userEvent.click(browser.getByRole('button', { name: 'Run', exact: true }));
    await until(() => training.step > 5);
    await userEvent.click(browser.getByRole('button', { name: 'Pause', exact: true }));
    await until(() => training.phase === 'paused');
    const { step } = training;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(training.step).toBe(step);
    expect(training.run!.history.steps).toBe(step);
  });

  test('advances exactly one step at a time, validating where an epoch ends', async () => {
    const { training } = await mount();
    const button = browser.getByRole('button', { name: 'Step', exact: true });
    await userEvent.click(button);
    await until(() => training.step === 1 && training.phase === 'paused');
    for (let i = 2; i <= 10; i++) await training.single();
    expect(training.step).toBe(10);
    expect(training.run!.history.steps).toBe(10);
    expect(training.run!.history.epochs).toHaveLength(1);
  });

  test('goes back to step 0 and to the same first loss, and back again with Undo', async () => {
    const { training } = await mount();
    for (let i = 0; i < 3; i++) await training.single();
    const before = firstLoss(training);
    await userEvent.click(browser.getByRole('button', { name: 'Reset', exact: true }));
    await until(() => training.step === 0);
    expect(training.run!.history.steps).toBe(0);
    await training.single();
    expect(firstLoss(training)).toBe(before);

    await training.reset();
    await userEvent.click(browser.getByRole('button', { name: 'Undo' }));
    await until(() => training.step === 1);
    expect(firstLoss(training)).toBe(before);
    expect(training.run!.history.steps).toBe(1);
  });

  test('a steady step creates, uploads and reads nothing', async () => {
    const { page, training } = await mount('#epochs=1000&page=engine');
    await training.start();
    await until(() => training.step > 60);
    await training.pause();
    const { callsPerStep } = training.reading!;
    expect(callsPerStep).toMatchObject({ createBuffer: 0, createBindGroup: 0, createComputePipeline: 0, writeBuffer: 0, mapAsync: 0 });
    expect(callsPerStep.dispatch).toBe(training.run!.trainer.plan.steps.length + training.run!.trainer.gatherPlan!.steps.length);
    await expect.poll(() => inside(page, 'vitrine-machine', '[data-call=createBuffer]').textContent, PATIENTLY).toBe('0');
  });

  test('trains on when no frame is drawn, as in a hidden tab', async () => {
    const frames = vi.spyOn(window, 'requestAnimationFrame').mockReturnValue(1);
    try {
      const { training } = await mount('#epochs=2');
      await training.start();
      await until(() => training.phase === 'finished');
      expect(training.step).toBe(20);
    } finally {
      frames.mockRestore();
    }
  });

  test('tests on demand, and training goes on', async () => {
    const { training } = await mount('#epochs=1000');
    await training.start();
    await until(() => training.step > 20);
    await userEvent.click(browser.getByRole('button', { name: 'Test now' }));
    await until(() => training.run!.tests.length === 1);
    const test = training.run!.tests[0]!;
    expect(test.size).toBe(50);
    expect(test.accuracy).toBeGreaterThan(0.5);
    await until(() => training.step > test.step);
    await training.pause();
    await expect.element(browser.getByText(/mistakes in 50/), PATIENTLY).toBeVisible();
  });

  test('opens the plan to the WGSL of each kernel', async () => {
    const { page, training } = await mount('#page=engine');
    await until(() => (inside(page, 'vitrine-plan').shadowRoot?.querySelectorAll('details').length ?? 0) > 0);
    const plan = inside(page, 'vitrine-plan');
    const steps = [...plan.shadowRoot!.querySelectorAll('details')];
    expect(steps).toHaveLength(training.run!.trainer.plan.steps.length + training.run!.trainer.gatherPlan!.steps.length);
    await userEvent.click(steps.at(-1)!.querySelector('summary')!);
    await expect
      .poll(() => plan.shadowRoot!.querySelector('vitrine-kernel')?.shadowRoot?.textContent ?? '', PATIENTLY)
      .toContain('fn update');
    const entry = inside(page, 'vitrine-plan', 'vitrine-kernel', '.entry');
    expect(entry.textContent).toContain('@compute');
    // As it stands in the repository, with its comments.
    await expect
      .poll(() => plan.shadowRoot!.querySelector('vitrine-kernel')!.shadowRoot!.querySelectorAll('.comment').length, PATIENTLY)
      .toBeGreaterThan(3);
  });
});

describe('settings', () => {
  test('a rate changed in training counts from the next step on and is marked on the curves', async () => {
    const { training } = await mount();
    await training.single();
    const rate = browser.getByRole('textbox', { name: 'Learning rate' });
    await userEvent.fill(rate, '1e-4');
    await userEvent.tab();
    expect(training.run!.trainer.learningRate).toBe(1e-4);
    expect(training.run!.history.marks).toEqual([{ step: 1, rate: 1e-4 }]);
    await training.single();
    expect((await training.run!.trainer.synchronize()).learningRate).toBeCloseTo(1e-4, 9);
    await training.reset();
    expect(training.run!.trainer.learningRate).toBe(1e-4);
  });

  test('another seed and batch size count at once before the first step, and after a reset later', async () => {
    const { training } = await mount();
    training.change({ seed: 3, batch: 16 });
    await until(() => training.run!.settings.seed === 3 && training.phase === 'ready');
    expect(training.run!.trainer.batchSize).toBe(16);
    expect(training.stepsPerEpoch).toBe(20);
    await training.single();
    training.change({ seed: 4 });
    await training.single();
    expect(training.step).toBe(2);
    expect(training.run!.settings.seed).toBe(3);
    await openRecipe();
    await expect.element(browser.getByText(/count from the next reset on/), PATIENTLY).toBeVisible();
    await training.reset();
    expect(training.run!.settings.seed).toBe(4);
    expect(training.step).toBe(0);
    await training.undoReset();
    expect([training.run!.settings.seed, training.step, training.settings.seed]).toEqual([3, 2, 3]);
  });

  test('live in the address: it is read, written, and followed', async () => {
    const { session, training } = await mount('#seed=5&batch=64&rate=0.002&epochs=3&example=7');
    expect(training.settings).toMatchObject({ seed: 5, batch: 64, rate: 0.002, epochs: 3 });
    expect([training.run!.settings.seed, training.run!.settings.batch, training.run!.trainer.learningRate]).toEqual([5, 64, 0.002]);
    expect(session.snapshot.example!.choice).toEqual({ kind: 'test', index: 7 });
    training.change({ epochs: 9 });
    expect(location.hash).toBe('#data=mnist&hidden=128&optimizer=adam&seed=5&batch=64&rate=0.002&epochs=9&example=7');
    location.hash = '#seed=5&batch=64&rate=0.002&epochs=2&example=8';
    await until(() => training.settings.epochs === 2);
    expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: 8 });
  });

  test('what a field cannot take is refused in words and changes nothing', async () => {
    const { training } = await mount();
    await openRecipe();
    const epochs = browser.getByLabelText('Epochs', { exact: true });
    await userEvent.fill(epochs, '0');
    await userEvent.tab();
    await expect.element(epochs, PATIENTLY).toHaveAttribute('aria-invalid', 'true');
    await expect.element(browser.getByText('A whole number from 1 to 1,000.'), PATIENTLY).toBeVisible();
    expect(training.settings.epochs).toBe(10);
    await userEvent.fill(epochs, '12');
    await userEvent.tab();
    await expect.element(epochs, PATIENTLY).toHaveAttribute('aria-invalid', 'false');
    expect(training.settings.epochs).toBe(12);
  });
});

describe('the keyboard', () => {
  test('Space runs and pauses, → takes a step, R resets', async () => {
    const { training } = await mount('#epochs=1000');
    await userEvent.keyboard('{ArrowRight}');
    await until(() => training.step === 1 && training.phase === 'paused');
    await userEvent.keyboard(' ');
    await until(() => training.isRunning && training.step > 3);
    await userEvent.keyboard(' ');
    await until(() => training.phase === 'paused');
    await userEvent.keyboard('r');
    await until(() => training.phase === 'ready');
    expect(training.step).toBe(0);
  });

  test('means the field while typing in it', async () => {
    const { training } = await mount();
    await openRecipe();
    const seed = browser.getByLabelText('Seed', { exact: true });
    await userEvent.click(seed);
    await userEvent.keyboard(' {ArrowRight}r');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(training.step).toBe(0);
    expect(training.isRunning).toBe(false);
  });

  test('means the page after a click on a button, and the button after Tab', async () => {
    const { training } = await mount('#epochs=1000');
    await userEvent.click(browser.getByRole('button', { name: 'Reset', exact: true }));
    await userEvent.keyboard(' ');
    await until(() => training.isRunning);
    await userEvent.keyboard(' ');
    await until(() => training.phase === 'paused');
    const { step } = training;
    await userEvent.tab({ shift: true });
    await userEvent.keyboard(' ');
    await until(() => training.step === step + 1);
  });

  test('reaches the regions in the order of the page', async () => {
    const { page } = await mount();
    const names: string[] = [];
    (document.activeElement as HTMLElement | null)?.blur();
    for (let i = 0; i < 15; i++) {
      await userEvent.tab();
      let focused: Element | null = document.activeElement;
      while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
      names.push(focused?.getAttribute('aria-label') || focused?.textContent?.trim().replace(/\s+/g, ' ') || '');
    }
    expect(names).toEqual([
      'Studio',
      'Engine',
      'Bench',
      'Self-test',
      'MNIST digits · 128 · Adam 0.001 · batch 32Change',
      'Share',
      'Save',
      'English',
      '中文',
      'Keyboard and help',
      'Pin',
      'Test example 0, a 0',
      'Previous example',
      '',
      'Next example',
    ]);
    expect(page.isConnected).toBe(true);
  });

  test('on a narrow screen every button and field is at least 44 pixels high; everywhere each has a name', async () => {
    await browser.viewport(360, 740);
    try {
      const { page } = await mount();
      const found: Element[] = [];
      const walk = (root: ParentNode): void => {
        for (const element of root.querySelectorAll('*')) {
          if (element.matches('button, select, input:not([type=checkbox]), summary, label:has(input[type=checkbox])')) found.push(element);
          if (element.shadowRoot) walk(element.shadowRoot);
        }
      };
      walk(page.shadowRoot!);
      expect(found.length).toBeGreaterThan(20);
      for (const element of found) {
        const labels = (element as HTMLInputElement).labels ?? [];
        const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
        expect(name !== '' || labels.length > 0, element.outerHTML.slice(0, 80)).toBe(true);
        if (!element.checkVisibility()) continue;
        expect(element.getBoundingClientRect().height, element.outerHTML.slice(0, 120)).toBeGreaterThanOrEqual(44);
      }
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
    } finally {
      await browser.viewport(1280, 800);
    }
  });
});

describe('the language', () => {
  test('is switched, said in the lang attribute and remembered', async () => {
    const { page } = await mount();
    await userEvent.click(browser.getByRole('button', { name: '中文' }));
    await expect.element(browser.getByRole('button', { name: '运行', exact: true }), PATIENTLY).toBeVisible();
    expect(document.documentElement.lang).toBe('zh-CN');
    expect(localStorage.getItem('vitrine.language')).toBe('zh');
    expect(inside(page, 'studio-time', '.phase').textContent).toContain('就绪');
    await userEvent.click(browser.getByRole('button', { name: 'English' }));
    await expect.element(browser.getByRole('button', { name: 'Run', exact: true }), PATIENTLY).toBeVisible();
    expect(document.documentElement.lang).toBe('en');
  });

  test('changes nothing else: training goes on', async () => {
    const { training } = await mount('#epochs=1000');
    await training.start();
    await until(() => training.step > 2);
    await userEvent.click(browser.getByRole('button', { name: '中文' }));
    const { step } = training;
    await until(() => training.step > step + 2);
    expect(training.isRunning).toBe(true);
    await training.pause();
  });
});
