import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { colorOf, viridis } from '../../src/data/index.ts';
import { CurveHistory } from '../../src/ui/curve-history.ts';
import { painterOf } from '../../src/ui/maps/map-painter.ts';
import { statisticsOf } from '../../src/ui/maps/statistics.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
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

const colors = (pixels: Uint8ClampedArray): number => {
  const found = new Set<number>();
  for (let i = 0; i < pixels.length; i += 4) found.add((pixels[i]! << 16) | (pixels[i + 1]! << 8) | pixels[i + 2]!);
  return found.size;
};

/** Looks in the frame that the page has asked for, after it has drawn: a WebGPU canvas holds its picture until the frame ends. */
async function framed<T>(look: () => T): Promise<T> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(look())));
}

/** A view of its own on screen, drawn until `look` is content. */
async function view(properties: Partial<TensorView>): Promise<TensorView> {
  const element = document.createElement('tensor-view');
  Object.assign(element, properties);
  element.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 200px; z-index: 9';
  document.body.append(element);
  await element.updateComplete;
  return element;
}

/** The pixels of a view once it is drawn. */
async function drawn(element: TensorView): Promise<Uint8ClampedArray> {
  const device = element.device!;
  let pixels = new Uint8ClampedArray();
  await expect
    .poll(async () => {
      painterOf(device).request(element);
      pixels = (await framed(() => pixelsOf(element.canvas))) as Uint8ClampedArray<ArrayBuffer>;
      return count(pixels, (_red, _green, _blue, alpha) => alpha > 0);
    }, PATIENTLY)
    .toBeGreaterThan(0);
  return pixels;
}

describe('a tensor', () => {
  test('is drawn cell by cell from its buffer, as the colour map says, also from the middle of a larger one', async () => {
    await mount();
    const device = await testDevice();
    const values = Float32Array.from({ length: 35 }, (_, i) => (i * 13) % 17);
    const tensor = device.tensor(values, [5, 7], 'ramp');
    const element = await view({ device, tensor });
    try {
      const pixels = await drawn(element);
      expect([element.canvas.width, element.canvas.height]).toEqual([7, 5]);
      for (const [i, value] of values.entries()) {
        const expected = colorOf(value, viridis, [0, 16]);
        for (let channel = 0; channel < 3; channel++)
          expect(Math.abs(pixels[4 * i + channel]! - expected[channel]!)).toBeLessThanOrEqual(3);
      }
      await until(() => element.ends !== undefined);
      expect(element.ends!.now).toBeCloseTo(16, 5);
    } finally {
      element.remove();
      tensor.dispose();
    }
  });

  test('with signs is blue below 0 and orange above it, neutral at 0, and pink where it is not finite', async () => {
    await mount();
    const device = await testDevice();
    const tensor = device.tensor([-1, 0, 1, Number.NaN, Number.POSITIVE_INFINITY, 0.5], [2, 3], 'signs');
    const element = await view({ device, tensor, signed: true });
    try {
      const pixels = await drawn(element);
      const at = (i: number) => pixels.slice(4 * i, 4 * i + 3);
      expect(at(0)[2]! - at(0)[0]!).toBeGreaterThan(60);
      expect(at(2)[0]! - at(2)[2]!).toBeGreaterThan(60);
      expect(Math.max(...at(1)) - Math.min(...at(1))).toBeLessThan(12);
      for (const i of [3, 4]) expect([...at(i)]).toEqual([255, 0, 144]);
      await until(() => element.ends !== undefined);
      expect(element.ends!.now).toBeCloseTo(1, 3);
    } finally {
      element.remove();
      tensor.dispose();
    }
  });

  test('keeps its widest scale while a series goes on, and forgets it with another', async () => {
    await mount();
    const device = await testDevice();
    const tensor = device.tensor([4, 2], [1, 2], 'series');
    const element = await view({ device, tensor, series: 'one' });
    const end = async (which: 'now' | 'ofRun', value: number): Promise<void> => {
      await expect
        .poll(() => {
          painterOf(device).request(element);
          return element.ends?.[which];
        }, PATIENTLY)
        .toBeCloseTo(value, 5);
    };
    try {
      await end('ofRun', 4);
      tensor.write(new Float32Array([1, 0.5]));
      await end('now', 1);
      expect(element.ends!.ofRun).toBeCloseTo(4, 5);
      // Switched off and on, it begins with what is drawn.
      element.perFrame = true;
      await element.updateComplete;
      element.perFrame = false;
      await end('ofRun', 1);
      tensor.write(new Float32Array([3, 0.5]));
      await end('ofRun', 3);
      tensor.write(new Float32Array([2, 0.5]));
      await end('now', 2);
      expect(element.ends!.ofRun).toBeCloseTo(3, 5);
      element.series = 'two';
      await end('ofRun', 2);
    } finally {
      element.remove();
      tensor.dispose();
    }
  });

  test('on the CPU is drawn the same without a GPU', async () => {
    await mount();
    const values = Float32Array.from({ length: 12 }, (_, i) => i - 4);
    const element = await view({ tensor: { shape: [3, 4], values }, signed: true });
    try {
      await until(() => element.canvas.width === 4);
      const pixels = pixelsOf(element.canvas);
      expect(pixels[2]! - pixels[0]!).toBeGreaterThan(30);
      expect(pixels[44]! - pixels[46]!).toBeGreaterThan(60);
      await userEvent.hover(element.renderRoot.querySelector('.frame')!, { position: { x: 190, y: 140 } });
      await expect.poll(() => element.renderRoot.querySelector('.value')?.textContent, PATIENTLY).toBe('row 2, column 3: +7');
    } finally {
      element.remove();
    }
  });

  test('comes to the same numbers as on the CPU', async () => {
    const device = await testDevice();
    for (const length of [1, 255, 256, 257, 1009]) {
      const values = Float32Array.from({ length }, (_, i) => (i % 7 === 0 ? 0 : Math.sin(i) * 3 + 0.5));
      const broken = values.slice();
      if (length > 1) broken[1] = Number.NaN;
      const tensor = device.tensor(broken, [length], 'statistics');
      try {
        const found = await statisticsOf(device, tensor);
        const finite = Float64Array.from(broken).filter(Number.isFinite);
        const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
        const deviation = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length);
        expect(found.notFinite).toBe(length - finite.length);
        expect(found.zeros).toBe(finite.filter((value) => value === 0).length);
        expect(found.least).toBe(Math.min(...finite));
        expect(found.greatest).toBe(Math.max(...finite));
        expect(Math.abs(found.mean - mean)).toBeLessThan(1e-5);
        expect(Math.abs(found.deviation - deviation)).toBeLessThan(1e-5);
        expect(found.histogram.reduce((sum, each) => sum + each, 0)).toBe(finite.length);
      } finally {
        tensor.dispose();
      }
    }
  });

  test('counts the columns that are 0 throughout', async () => {
    const device = await testDevice();
    const tensor = device.tensor([0, 1, 0, 0, 0, 2, 4, 3, 0, 0, 0, 0], [3, 4], 'columns');
    try {
      expect((await statisticsOf(device, tensor)).dead).toBe(1);
    } finally {
      tensor.dispose();
    }
  });
});

describe('every map of the studio', () => {
  test('shows more than 20 colours, says its step, and changes with the step', async () => {
    const { page, session, training, device } = await mount('#rate=0.01&example=4');
    const views = (): TensorView[] => {
      const cards = [...inside(page, 'studio-why').shadowRoot!.querySelectorAll('attribution-map')];
      const weights = inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll<TensorView>('.weight tensor-view');
      return [...cards.slice(2).map((card) => card.shadowRoot!.querySelector('tensor-view')!), ...weights];
    };
    await until(() => session.snapshot.cards.length === 4 && session.snapshot.cards.every(({ map }) => map));
    const look = async (element: TensorView): Promise<Uint8ClampedArray> => {
      element.scrollIntoView({ block: 'center' });
      await until(() => element.device === device);
      return drawn(element);
    };
    const before = [];
    for (const element of views()) before.push(await look(element));
    expect(before).toHaveLength(6);
    for (const pixels of before) expect(colors(pixels)).toBeGreaterThan(20);
    for (let i = 0; i < 20; i++) await training.single();
    await session.looked();
    for (const [i, element] of views().entries()) {
      const after = await look(element);
      let changed = 0;
      for (let at = 0; at < after.length; at += 4) if (Math.abs(after[at]! - before[i]![at]!) > 4) changed++;
      expect(changed).toBeGreaterThan(20);
      expect(element.step ?? element.drawnStep).toBe(20);
      expect(element.renderRoot.querySelector('.frame')!.getAttribute('aria-label')).toContain('step 20');
    }
  });
});

describe('the curves', () => {
  test('are drawn', async () => {
    const { page, training } = await mount();
    const plot = (): HTMLCanvasElement => inside<HTMLCanvasElement>(page, 'studio-time', 'loss-chart', 'canvas');
    for (let i = 0; i < 10; i++) await training.single();
    // The training line is blue, in light and in dark.
    const blue = (): number => count(pixelsOf(plot()), (red, _green, value, alpha) => alpha > 200 && value > red + 60);
    await expect.poll(() => framed(blue), PATIENTLY).toBeGreaterThan(100);
  });

  test('have a logarithmic axis that may begin anywhere', async () => {
    await mount();
    const chart = document.createElement('loss-chart');
    Object.assign(chart, { metric: 'loss', logarithmic: true });
    chart.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 400px';
    document.body.append(chart);
    try {
      for (const least of [0.249, 0.0999, 0.025, 1e-4, 1, 30, 1e8]) {
        const history = new CurveHistory(10);
        [2.3, least, least].forEach((loss, step) => {
          history.add({ step, loss, accuracy: 0.5, rows: 1 });
        });
        chart.history = history;
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
    const chart = inside(page, 'studio-time', 'loss-chart', '.plot');
    await expect.poll(() => chart.getAttribute('aria-label'), PATIENTLY).toMatch(/^Loss over training steps; now \d/);
    await userEvent.click(browser.getByText('Every epoch, as a table'));
    await expect.element(browser.getByRole('columnheader', { name: 'Validation accuracy' }), PATIENTLY).toBeVisible();
  });
});
