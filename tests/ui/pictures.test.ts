import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { CurveHistory } from '../../src/ui/curve-history.ts';
import type { Training } from '../../src/ui/training.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** The colours of a canvas, as a 2D copy has them. */
function pixelsOf(canvas: HTMLCanvasElement): Uint8ClampedArray {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true })!;
  copy.drawImage(canvas, 0, 0);
  return copy.getImageData(0, 0, canvas.width, canvas.height).data;
}

function count(pixels: Uint8ClampedArray, matches: (red: number, green: number, blue: number, alpha: number) => boolean): number {
  let found = 0;
  for (let i = 0; i < pixels.length; i += 4) if (matches(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!, pixels[i + 3]!)) found++;
  return found;
}

/** Looks in the frame that the page has asked for, after it has drawn: a WebGPU canvas holds its picture until the frame ends. */
async function framed<T>(look: () => T): Promise<T> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(look())));
}

describe('the weights', () => {
  test('show on their canvas in blue and orange, and change as the network learns', async () => {
    const { page, training, device } = await mount();
    const canvas = inside<HTMLCanvasElement>(page, 'vitrine-weights', 'canvas');
    canvas.scrollIntoView({ block: 'center' });
    let before = new Uint8ClampedArray();
    await expect
      .poll(async () => {
        training.change({});
        before = (await framed(() => pixelsOf(canvas))) as Uint8ClampedArray<ArrayBuffer>;
        return count(before, (red, _green, blue, alpha) => alpha === 255 && red > blue + 30);
      }, PATIENTLY)
      .toBeGreaterThan(500);
    expect(count(before, (red, _green, blue, alpha) => alpha === 255 && blue > red + 30)).toBeGreaterThan(500);
    expect(count(before, (_red, _green, _blue, alpha) => alpha === 0)).toBeGreaterThan(500);

    const reads = device.calls.ui.mapAsync;
    await training.start();
    await until(() => training.step >= 30);
    await training.pause();
    await expect
      .poll(async () => {
        training.change({});
        const after = await framed(() => pixelsOf(canvas));
        let changed = 0;
        for (let i = 0; i < after.length; i += 4) if (Math.abs(after[i]! - before[i]!) > 8) changed++;
        return changed;
      }, PATIENTLY)
      .toBeGreaterThan(500);
    // The end of the scale is read at most once a second; nothing else is.
    expect(device.calls.ui.mapAsync - reads).toBeLessThanOrEqual(30);
  });

  test('print the end of their scale, which never shrinks within a run', async () => {
    const { page, training } = await mount();
    inside(page, 'vitrine-weights', 'canvas').scrollIntoView({ block: 'center' });
    const weights = inside<HTMLElement>(page, 'vitrine-weights') as HTMLElement & { limits?: { now: number; ofRun: number } };
    await until(() => (weights.limits?.ofRun ?? 0) > 0);
    const values = await training.run!.model.parameters.get('dense_1/weight')!.read();
    const magnitudes = values.map(Math.abs).sort();
    const percentile = magnitudes[Math.ceil(0.999 * magnitudes.length) - 1]!;
    expect(Math.abs(weights.limits!.now - percentile)).toBeLessThan(0.01 * magnitudes.at(-1)!);
    const first = weights.limits!.ofRun;
    training.change({ rate: 0.05 });
    await training.start();
    await until(() => training.step >= 20);
    await training.pause();
    await until(() => weights.limits!.ofRun > first);
    expect(weights.limits!.ofRun).toBeGreaterThanOrEqual(weights.limits!.now);
    await training.reset();
    await until(() => weights.limits!.ofRun === first);
  });

  test('name the unit under the pointer', async () => {
    const { page } = await mount();
    const canvas = inside<HTMLCanvasElement>(page, 'vitrine-weights', 'canvas');
    canvas.scrollIntoView({ block: 'center' });
    await until(() => canvas.clientWidth > 0);
    const { columns } = inside<HTMLElement>(page, 'vitrine-weights') as HTMLElement & { columns: number };
    await userEvent.hover(canvas, { position: { x: 5, y: 5 } });
    await expect.poll(() => inside(page, 'vitrine-weights', '.unit').textContent, PATIENTLY).toBe('unit 0');
    await userEvent.hover(canvas, { position: { x: canvas.clientWidth - 5, y: 5 } });
    await expect.poll(() => inside(page, 'vitrine-weights', '.unit').textContent, PATIENTLY).toBe(`unit ${columns - 1}`);
  });
});

describe('the curves', () => {
  test('are drawn, and only while they are on screen', async () => {
    const { page, training } = await mount();
    const plot = (): HTMLCanvasElement => inside<HTMLCanvasElement>(page, 'vitrine-curves', 'vitrine-chart', 'canvas');
    inside(page, 'vitrine-curves', 'vitrine-chart').scrollIntoView({ block: 'center' });
    for (let i = 0; i < 10; i++) await training.single();
    // The training line is blue, in light and in dark.
    const blue = (): number => count(pixelsOf(plot()), (red, _green, value, alpha) => alpha > 200 && value > red + 60);
    await expect.poll(() => framed(blue), PATIENTLY).toBeGreaterThan(100);

    inside(page, 'footer').scrollIntoView();
    page.style.marginTop = '300vh';
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = await framed(() => pixelsOf(plot()).join());
    for (let i = 0; i < 3; i++) await training.single();
    expect(await framed(() => pixelsOf(plot()).join())).toBe(before);
    page.style.marginTop = '';
  });

  test('have a logarithmic axis that may begin anywhere', async () => {
    await mount();
    const chart = document.createElement('vitrine-chart');
    Object.assign(chart, { metric: 'loss', logarithmic: true });
    chart.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 400px';
    document.body.append(chart);
    try {
      for (const least of [0.249, 0.0999, 0.025, 1e-4, 1, 30, 1e8]) {
        const history = new CurveHistory(10);
        [2.3, least, least].forEach((loss, step) => {
          history.add({ step, loss, accuracy: 0.5, rows: 1 });
        });
        chart.training = Object.assign(new EventTarget(), { run: { history } }) as unknown as Training;
        await expect
          .poll(
            () => framed(() => count(pixelsOf(chart.renderRoot.querySelector('canvas')!), (r, _g, b, a) => a > 100 && b > r + 40)),
            PATIENTLY,
          )
          .toBeGreaterThan(50);
      }
    } finally {
      chart.remove();
    }
  });

  test('tell a screen reader where they stand, and give every epoch as a table', async () => {
    const { page, training } = await mount('#epochs=1');
    await training.start();
    await until(() => training.phase === 'finished');
    const chart = inside(page, 'vitrine-curves', 'vitrine-chart', '.plot');
    await expect.poll(() => chart.getAttribute('aria-label'), PATIENTLY).toMatch(/^Loss over training steps; now \d/);
    await userEvent.click(browser.getByText('Every epoch, as a table'));
    await expect.element(browser.getByRole('columnheader', { name: 'Validation accuracy' }), PATIENTLY).toBeVisible();
  });
});

describe('the digit', () => {
  test('is drawn, and its probabilities add up to 1', async () => {
    const { page, training } = await mount('#digit=3');
    const picture = inside<HTMLCanvasElement>(page, 'vitrine-digit', '.picture');
    picture.scrollIntoView({ block: 'center' });
    await expect.poll(() => count(pixelsOf(picture), (_red, _green, _blue, alpha) => alpha > 150), PATIENTLY).toBeGreaterThan(8);
    const digit = inside<HTMLElement>(page, 'vitrine-digit') as HTMLElement & {
      prediction?: { probabilities: Float32Array; step: number };
    };
    await until(() => digit.prediction !== undefined);
    expect(digit.prediction!.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(inside(page, 'vitrine-digit', 'ol').querySelectorAll('li')).toHaveLength(10);

    await training.start();
    await until(() => training.step >= 40);
    await training.pause();
    await until(() => digit.prediction!.step === training.step);
    const label = training.data!.test.labels![3]!;
    expect(digit.prediction!.probabilities.indexOf(Math.max(...digit.prediction!.probabilities))).toBe(label);
    await expect.element(browser.getByText(new RegExp(`It reads ${label}, which is right`)), PATIENTLY).toBeVisible();
  });

  test('is chosen by class, by number and one after the other', async () => {
    const { training } = await mount();
    await userEvent.click(browser.getByRole('button', { name: 'A 4', exact: true }));
    expect(training.data!.test.labels![training.settings.digit]).toBe(4);
    const first = training.settings.digit;
    await userEvent.click(browser.getByRole('button', { name: 'The next 4', exact: true }));
    expect(training.settings.digit).toBeGreaterThan(first);
    expect(training.data!.test.labels![training.settings.digit]).toBe(4);
    await userEvent.fill(browser.getByLabelText('Example', { exact: true }), '49');
    await userEvent.tab();
    expect(training.settings.digit).toBe(49);
    await userEvent.click(browser.getByRole('button', { name: 'Next example' }));
    expect(training.settings.digit).toBe(0);
    expect(location.hash).toContain('digit=0');
  });
});
