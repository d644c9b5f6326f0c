import { afterEach, describe, expect, test } from 'vitest';
import { page as browser, cdp, userEvent } from 'vitest/browser';
import type { LossChart } from '../../src/ui/loss-chart.ts';
import type { AttributionMap } from '../../src/ui/maps/attribution-map.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const session = cdp() as { send(method: string, parameters?: object): Promise<unknown> };

afterEach(async () => {
  await browser.viewport(1280, 800);
  await session.send('Emulation.setEmulatedMedia', { features: [] });
});

const mapsThere = (of: StudioSession) =>
  until(() => of.snapshot.cards.length > 0 && of.snapshot.cards.every(({ map, computing }) => map && !computing));

const overlap = (a: DOMRect, b: DOMRect): boolean =>
  a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;

/** Boxes of the words themselves, which may be wider than the elements that hold them. */
function words(root: ParentNode, selector: string): DOMRect[] {
  return [...root.querySelectorAll(selector)]
    .filter((element) => element.getClientRects().length > 0)
    .map((element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return range.getBoundingClientRect();
    });
}

describe('at 360 pixels', () => {
  test('no figure runs into another, with steps of five digits, and the bar leaves most of the screen', async () => {
    await browser.viewport(360, 740);
    const { page, training } = await mount('#hidden=8&epochs=1500');
    await training.single();
    // As after many steps: what is shown is as wide as that.
    const time = inside(page, 'studio-time') as HTMLElement & { snapshot: StudioSession['snapshot']; updateComplete: Promise<boolean> };
    time.snapshot = { ...time.snapshot, step: 11_883, totalSteps: 15_000 };
    await time.updateComplete;
    const root = time.shadowRoot!;
    const figures = words(root, 'dd');
    expect(figures.length).toBeGreaterThanOrEqual(3);
    for (const [i, a] of figures.entries()) {
      expect(a.right).toBeLessThanOrEqual(360);
      for (const b of figures.slice(i + 1)) expect(overlap(a, b), `figure ${i}`).toBe(false);
    }
    expect(time.getBoundingClientRect().height).toBeLessThan(165);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360);
  });

  test('a tensor that is chosen is brought into view, far below as it stands', async () => {
    await browser.viewport(360, 740);
    const { page } = await mount('#hidden=8');
    const title = inside(page, 'studio-network', 'network-diagram', 'li.weight button');
    title.scrollIntoView();
    title.click();
    await customElements.whenDefined('tensor-inspector');
    const top = () => inside(page, 'tensor-inspector').getBoundingClientRect().top;
    // As far up as the page can be scrolled.
    await expect.poll(top, PATIENTLY).toBeLessThan(740 / 3);
    expect(top()).toBeGreaterThan(-1);
  });

  test('Cancel has room for its word', async () => {
    await browser.viewport(360, 740);
    const { page, training } = await mount('#hidden=8&epochs=1500');
    const time = inside(page, 'studio-time') as HTMLElement & { snapshot: StudioSession['snapshot']; updateComplete: Promise<boolean> };
    time.snapshot = { ...time.snapshot, replayTo: 11_883 };
    await time.updateComplete;
    const button = inside(time, '.transport button');
    const [word] = words(time.shadowRoot!, '.transport button') as [DOMRect];
    const box = button.getBoundingClientRect();
    expect(word.left).toBeGreaterThanOrEqual(box.left);
    expect(word.right).toBeLessThanOrEqual(box.right);
    expect(box.right).toBeLessThanOrEqual(360);
    expect(training.step).toBe(0);
  });
});

test('labels of the loss axis do not lie on one another', async () => {
  await browser.viewport(360, 740);
  const { page, training } = await mount('#hidden=8&rate=0.05&epochs=1500');
  const drawn: { readonly text: string; readonly y: number }[] = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text: string, x: number, y: number, most?: number): void {
    // Labels are written at translated places.
    if (/^[\d.]+$/.test(text) && this.textAlign === 'right') drawn.push({ text, y: this.getTransform().f + y });
    fillText.call(this, text, x, y, most);
  };
  try {
    for (let i = 0; i < 25; i++) await training.single();
    const chart = () => inside(page, 'studio-time', 'loss-chart') as LossChart;
    await expect.poll(() => chart().shadowRoot?.querySelector('canvas'), PATIENTLY).toBeTruthy();
    drawn.length = 0;
    await training.single();
    await expect.poll(() => drawn.length, PATIENTLY).toBeGreaterThan(0);
  } finally {
    CanvasRenderingContext2D.prototype.fillText = fillText;
  }
  const places = [...new Map(drawn.map(({ text, y }) => [text, y])).values()].sort((a, b) => a - b);
  for (const [i, y] of places.slice(1).entries()) expect(y - places[i]!).toBeGreaterThanOrEqual(12 * devicePixelRatio);
});

test('the names of methods and the verdict are to be read in full', async () => {
  const { page, session: of } = await mount('#hidden=8&methods=integratedGradients,inputXGradient,guidedBackprop');
  await mapsThere(of);
  const why = inside(page, 'studio-why').shadowRoot!;
  for (const card of why.querySelectorAll<AttributionMap>('attribution-map')) {
    const title = inside(card, 'h3');
    expect(title.scrollWidth, card.heading).toBeLessThanOrEqual(title.clientWidth);
    expect(title.scrollHeight, card.heading).toBeLessThanOrEqual(title.clientHeight + 1);
  }
  const verdict = inside(page, 'studio-why', '.verdict').getBoundingClientRect();
  expect(verdict.bottom).toBeLessThanOrEqual(inside(page, 'studio-time').getBoundingClientRect().top);
});

test('every map takes the colours of the dark when that is chosen, one that is not followed too, and where it is off screen', async () => {
  const { page, session: of } = await mount('#hidden=8&methods=saliency,occlusion,smoothGrad');
  await mapsThere(of);
  const views = ['saliency', 'occlusion', 'smoothGrad'].map(
    (method) => inside(page, 'studio-why', `[data-method=${method}]`, 'tensor-view') as TensorView,
  );
  /** The mean lightness of a picture, from the screen. */
  const lightness = async (view: TensorView): Promise<number> => {
    view.scrollIntoView({ block: 'center' });
    const image = await createImageBitmap(
      await new Promise<Blob>((resolve) => requestAnimationFrame(() => view.canvas.toBlob((blob) => resolve(blob!)))),
    );
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d')!;
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    return data.reduce((sum, value, i) => sum + (i % 4 === 3 ? 0 : value), 0) / ((data.length * 3) / 4);
  };
  for (const view of views) await expect.poll(() => lightness(view), PATIENTLY).toBeGreaterThan(150);
  inside(page, 'studio-why', '[data-method=saliency]').scrollIntoView();
  await session.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: 'dark' }] });
  await expect.poll(() => matchMedia('(prefers-color-scheme: dark)').matches, PATIENTLY).toBe(true);
  for (const view of views) await expect.poll(() => lightness(view), { ...PATIENTLY, message: view.label }).toBeLessThan(130);
  await userEvent.keyboard('{Escape}');
});
