import { afterEach, describe, expect, test } from 'vitest';
import { painterOf } from '../../src/ui/maps/map-painter.ts';
import { CurveHistory, LossChart, TensorView, type Values } from '../../src/ui/public-elements.ts';
import { token } from '../../src/ui/scheme.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();

/** As a page that knows nothing of the studio: no style sheet of ours, and letters of its own. */
async function put<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]>,
): Promise<HTMLElementTagNameMap[Name]> {
  const element = document.createElement(name);
  Object.assign(element, properties);
  const section = document.createElement('section');
  section.style.cssText = 'width: 320px; font: 30px fantasy; color-scheme: dark';
  section.append(element);
  document.body.append(section);
  await (element as TensorView).updateComplete;
  return element;
}

afterEach(() => {
  for (const section of document.querySelectorAll('body > section')) section.remove();
});

/** The last canvas in an element or in what it is made of. */
function canvasIn(element: Element): HTMLCanvasElement | undefined {
  const within = [...(element.shadowRoot ?? element).querySelectorAll('*')];
  return within.map((each) => (each instanceof HTMLCanvasElement ? each : each.shadowRoot ? canvasIn(each) : undefined)).findLast(Boolean);
}

/** Looks in the frame that a view has drawn in: a WebGPU canvas holds its picture until the frame ends. */
async function colorsOf(element: Element): Promise<number> {
  if (element instanceof TensorView && element.device) painterOf(element.device).request(element);
  return new Promise((resolve) =>
    requestAnimationFrame(() => {
      const canvas = canvasIn(element);
      if (!canvas || canvas.width === 0 || canvas.height === 0) return resolve(0);
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
      copy.drawImage(canvas, 0, 0);
      resolve(new Set(new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size);
    }),
  );
}

/** Pixels of a canvas in about a colour such as #b25304: the edges of a line are blended. */
function pixelsOf(element: Element, color: string): number {
  const canvas = canvasIn(element);
  if (!canvas || canvas.width === 0) return 0;
  const probe = new OffscreenCanvas(1, 1).getContext('2d')!;
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const wanted = probe.getImageData(0, 0, 1, 1).data;
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  const isNear = (pixel: number): boolean => wanted.every((value, channel) => Math.abs(data[4 * pixel + channel]! - value) < 48);
  return Array.from({ length: data.length / 4 }, (_, pixel) => pixel).filter(isNear).length;
}

const ramp = (shape: readonly number[]): Values => {
  const length = shape.reduce((product, each) => product * each, 1);
  return { shape, values: Float32Array.from({ length }, (_, i) => i - length / 2) };
};

describe('in a page of its own', () => {
  test('a tensor view draws an array without a device, and a tensor from the GPU, to the same scale', async () => {
    const values = ramp([12, 12]);
    const fromArray = await put('tensor-view', { tensor: values, signed: true });
    const device = await testDevice();
    const tensor = device.tensor(values.values, values.shape, 'ramp');
    const fromGpu = await put('tensor-view', { tensor, device, signed: true });
    await until(() => fromGpu.ends !== undefined && fromArray.ends !== undefined);
    expect(fromArray.end).toBe(72);
    expect(fromGpu.end).toBeCloseTo(72, 5);
    await expect.poll(() => colorsOf(fromArray), PATIENTLY).toBeGreaterThan(60);
    await expect.poll(() => colorsOf(fromGpu), PATIENTLY).toBeGreaterThan(60);
    tensor.dispose();
  });

  test('it has colours and letters of its own, in the scheme of its place', async () => {
    const element = await put('tensor-view', { tensor: ramp([4, 4]), signed: true });
    const scale = element.shadowRoot!.querySelector('.scale')!;
    expect(getComputedStyle(scale).color).toBe('rgb(160, 168, 179)');
    element.parentElement!.style.colorScheme = 'light';
    // A variable of the page that has the same name is another.
    element.parentElement!.style.setProperty('--quiet', 'red');
    expect(getComputedStyle(scale).color).toBe('rgb(89, 98, 111)');
  });

  test('a loss chart draws an array, a tensor, and a history that is being written', async () => {
    const losses = Float32Array.from({ length: 50 }, (_, i) => 2 / (1 + i));
    const chart = await put('loss-chart', { tensor: { shape: [50], values: losses } });
    expect(chart).toBeInstanceOf(LossChart);
    await until(() => chart.history !== undefined);
    expect(chart.history!.loss.points().raw.map((value) => Math.fround(value!))).toEqual([...losses]);
    await expect.poll(() => colorsOf(chart), PATIENTLY).toBeGreaterThan(20);

    const device = await testDevice();
    const tensor = device.tensor(
      losses.map((loss) => loss + 1),
      [50],
      'losses',
    );
    chart.tensor = tensor;
    await until(() => chart.history!.loss.points().raw[0] === 3);
    tensor.write(losses);
    chart.looks += 1;
    await until(() => chart.history!.loss.points().raw[0] === 2);
    tensor.dispose();

    const history = new CurveHistory(10);
    history.add({ step: 0, loss: 1, accuracy: 0.5, rows: 8 });
    const other = await put('loss-chart', { history, version: history.version, metric: 'accuracy' });
    expect(other.shadowRoot!.querySelector('[role=img]')!.getAttribute('aria-label')).toContain('50.0%');
  });

  test('a loss chart draws the last validation too, though no step comes after it', async () => {
    const history = new CurveHistory(20);
    for (let step = 0; step < 20; step++) history.add({ step, loss: 1, accuracy: 0.5, rows: 8 });
    const chart = await put('loss-chart', { history, version: history.version });
    // Diamonds alone have this colour.
    const held = () => pixelsOf(chart, token(chart, '--hold'));
    await expect.poll(() => colorsOf(chart), PATIENTLY).toBeGreaterThan(20);
    expect(held()).toBe(0);
    history.endEpoch(1, { loss: 1.1, accuracy: 0.4 });
    chart.version = history.version;
    await expect.poll(held, PATIENTLY).toBeGreaterThan(10);
  });

  test('labels of changes of the rate do not lie on one another, in two lines: the latest has its own', async () => {
    const history = new CurveHistory(100);
    for (let step = 0; step < 100; step++) history.add({ step, loss: 1, accuracy: 0.5, rows: 8 });
    for (const [step, rate] of [
      [10, 0.1],
      [50, 0.001],
      [53, 1],
      [98, 0.02],
      [99, 1e9],
    ] as const)
      history.mark(step, rate);
    const written: { text: string; left: number; right: number; y: number }[] = [];
    const { fillText } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text: string, x: number, y: number, most?: number): void {
      if (text.startsWith('rate')) {
        const { width } = this.measureText(text);
        const left = this.textAlign === 'right' ? x - width : x;
        written.push({ text, left, right: left + width, y });
      }
      fillText.call(this, text, x, y, most);
    };
    try {
      await put('loss-chart', { history, version: history.version });
      await expect.poll(() => written.some(({ text }) => text === 'rate 0.1'), PATIENTLY).toBe(true);
    } finally {
      CanvasRenderingContext2D.prototype.fillText = fillText;
    }
    const drawing = written.slice(written.findLastIndex(({ text }) => text === 'rate 1e9')).sort((a, b) => a.left - b.left);
    expect(drawing.map(({ text }) => text)).toEqual(['rate 0.1', 'rate 1', 'rate 0.02', 'rate 1e9']);
    for (const [i, a] of drawing.entries()) for (const b of drawing.slice(i + 1)) expect(b.left > a.right || a.y !== b.y).toBe(true);
  });

  test('a map and a diagram draw arrays too, and say what was chosen', async () => {
    const map = await put('attribution-map', { heading: 'Gradient', tensor: ramp([6, 6]), shows: 'What it shows.', removeLabel: 'Remove' });
    await expect.poll(() => colorsOf(map), PATIENTLY).toBeGreaterThan(30);
    const removed = new Promise((resolve) => map.addEventListener('card-remove', resolve));
    map.shadowRoot!.querySelector<HTMLButtonElement>('[aria-label=Remove]')!.click();
    await removed;

    const nodes = [
      { name: 'input', kind: 'input', title: 'input', note: '6', tensor: ramp([6]), signed: false },
      { name: 'dense_1/weight', kind: 'weight', title: 'weight', note: '6 × 4', tensor: ramp([6, 4]), signed: true },
    ] as const;
    const diagram = await put('network-diagram', { nodes });
    const chosen = new Promise<string>((resolve) =>
      diagram.addEventListener('node-choose', (event) => resolve((event as CustomEvent).detail)),
    );
    diagram.shadowRoot!.querySelectorAll('button')[1]!.click();
    expect(await chosen).toBe('dense_1/weight');
    await expect.poll(() => colorsOf(diagram), PATIENTLY).toBe(24);
  });

  test('a diagram that is wider than its place says where it goes on', async () => {
    const nodes = Array.from({ length: 12 }, (_, k) => ({
      name: `dense_${k}/weight`,
      kind: 'weight' as const,
      title: `dense_${k}`,
      note: '',
      tensor: ramp([6, 4]),
      signed: true,
    }));
    const diagram = await put('network-diagram', { nodes });
    const list = diagram.shadowRoot!.querySelector('ol')!;
    const sides = () => ['before', 'after'].filter((side) => list.classList.contains(side));
    await expect.poll(sides, PATIENTLY).toEqual(['after']);
    expect(getComputedStyle(list).maskImage).toContain('gradient');
    list.scrollLeft = 100;
    await expect.poll(sides, PATIENTLY).toEqual(['before', 'after']);
    list.scrollLeft = 1e6;
    await expect.poll(sides, PATIENTLY).toEqual(['before']);
    Object.assign(diagram, { nodes: nodes.slice(0, 1) });
    await expect.poll(sides, PATIENTLY).toEqual([]);
    expect(getComputedStyle(list).maskImage).toBe('none');
  });
});
