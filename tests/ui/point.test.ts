import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { Tensor } from '../../src/engine/index.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import type { CellCards } from '../../src/ui/point/cell-cards.ts';
import { readColumn } from '../../src/ui/point/column.ts';
import { LayerActivity } from '../../src/ui/point/layer-activity.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { valuesOf } from '../../src/ui/session/shown.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { clearAfterEach, data, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const SIDE = 8;

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replace(/[,+\s]/g, '').replace('−', '-'));

const mapsThere = (session: StudioSession) =>
  until(() => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing }) => map && !computing));

const mapOf = (page: Element, method: string): HTMLElement => inside(page, 'studio-why', `[data-method=${method}]`, 'tensor-view');

/** The picture of a tensor in the diagram. */
function pictureOf(page: Element, name: string): TensorView {
  const views = inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll<TensorView>('tensor-view');
  const found = [...views].find((view) => view.label === name);
  if (!found) throw new Error(`there is no picture of ${name}`);
  return found;
}

/** The middle of a cell on screen, counted along the picture's own columns and rows. */
function middle(view: Element, x: number, y: number): { readonly clientX: number; readonly clientY: number } {
  const frame = inside(view, '.frame');
  const box = frame.getBoundingClientRect();
  const style = getComputedStyle(frame);
  const [columns, rows] = ['--columns', '--rows'].map((name) => Number(style.getPropertyValue(name))) as [number, number];
  return { clientX: box.left + (box.width * (x + 0.5)) / columns, clientY: box.top + (box.height * (y + 0.5)) / rows };
}

/** Moves a mouse over a cell. */
function hover(view: Element, x: number, y: number): void {
  const move = { ...middle(view, x, y), pointerType: 'mouse', bubbles: true, composed: true };
  inside(view, '.frame').dispatchEvent(new PointerEvent('pointermove', move));
}

const leave = (view: Element): boolean => inside(view, '.frame').dispatchEvent(new PointerEvent('pointerleave'));

function card(page: Element, kind: '.floating' | '.docked'): HTMLElement | undefined {
  return page.shadowRoot!.querySelector('cell-cards')?.shadowRoot?.querySelector<HTMLElement>(`${kind} cell-card`) ?? undefined;
}

const fact = (page: Element, kind: '.floating' | '.docked', selector: string): string | undefined =>
  card(page, kind)?.shadowRoot?.querySelector(selector)?.textContent?.trim();

/** The cards of cells come some time after the page. */
const cardsThere = (): Promise<CustomElementConstructor> => customElements.whenDefined('cell-cards');

test('a column is gathered exactly, whatever the number of rows, and nothing beyond it', async () => {
  const device = await testDevice();
  for (const [rows, columns] of [
    [1, 1],
    [63, 2],
    [64, 3],
    [65, 4],
    [131, 7],
  ] as const) {
    const values = Float32Array.from({ length: rows * columns + 64 }, (_, i) => (i < rows * columns ? Math.sin(i) : Number.NaN));
    const all = device.tensor(values);
    const { buffer, byteOffset } = all;
    const matrix = { buffer, byteOffset, bytes: 4 * values.length, shape: [rows, columns], length: rows * columns } as unknown as Tensor;
    for (const column of [0, columns - 1]) {
      const found = await readColumn(device, matrix, column);
      expect([...found]).toEqual(Array.from({ length: rows }, (_, row) => values[row * columns + column]));
    }
    all.dispose();
  }
});

describe('a pixel under the pointer', () => {
  test('tells its value, each map’s attribution and the weights of the unit that it moves most', async () => {
    const { page, session, training } = await mount('#rate=0.01&example=4&hidden=16');
    for (let i = 0; i < 5; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    await cardsThere();
    const [x, y] = [5, 4];
    const index = y * SIDE + x;
    hover(mapOf(page, 'integratedGradients'), x, y);
    await expect.poll(() => fact(page, '.floating', '[data-fact=product]'), PATIENTLY).toBeTruthy();

    const { example, cards } = session.snapshot;
    const value = example!.values[index]!;
    expect(value).toBeGreaterThan(0);
    expect(read(fact(page, '.floating', '[data-fact=value]'))).toBeCloseTo(value, 2);
    for (const { method, map } of cards) {
      const attribution = (await valuesOf(map!.attribution.values))[index]!;
      const shown = read(fact(page, '.floating', `[data-method=${method}] dd`));
      expect(Math.abs(shown - attribution), method).toBeLessThan(0.01 * Math.abs(attribution) + 1e-9);
    }
    const weights = await training.run!.model.parameters.get('dense_1/weight')!.read();
    const row = Array.from(weights.subarray(16 * index, 16 * (index + 1)));
    const unit = row.findIndex((w) => Math.abs(w) === Math.max(...row.map(Math.abs)));
    expect(card(page, '.floating')!.shadowRoot!.querySelector<HTMLElement>('[data-fact=strongest]')!.dataset.unit).toBe(String(unit));
    expect(read(fact(page, '.floating', '[data-fact=product]'))).toBeCloseTo(row[unit]! * value, 2);
    const image = card(page, '.floating')!.shadowRoot!.querySelector<TensorView>('tensor-view')!;
    expect([image.only, image.image]).toEqual([unit, [SIDE, SIDE]]);
    // The very weights: the pixel stands out in the picture of the unit's weights too.
    expect(image.locked).toBe(16 * index + unit);

    // The same cell is outlined in every map, in the example and where the network takes it in.
    const outlined = [
      mapOf(page, 'saliency'),
      inside(page, 'studio-why', 'attribution-map', 'tensor-view'),
      inside(page, 'studio-example', '.picture'),
      pictureOf(page, 'input'),
    ] as TensorView[];
    await expect.poll(() => outlined.map((view) => view.outlined), PATIENTLY).toEqual(outlined.map(() => index));
    leave(mapOf(page, 'integratedGradients'));
    await expect.poll(() => card(page, '.floating'), PATIENTLY).toBeUndefined();
    expect(outlined.map((view) => view.outlined)).toEqual(outlined.map(() => undefined));
  });

  test('costs little while training runs: a move reads a few values in one piece and computes nothing', async () => {
    const { page, session, training, device } = await mount('#rate=0.001&hidden=16&epochs=1000');
    await mapsThere(session);
    await cardsThere();
    void training.start();
    await until(() => training.step > 20);
    const view = mapOf(page, 'saliency');
    hover(view, 1, 1);
    await expect.poll(() => fact(page, '.floating', '[data-fact=product]'), PATIENTLY).toBeTruthy();
    // What is asked for in the moment of the move: the card's and the picture's own value, each in one piece, and no dispatch.
    const before = { ...device.calls.ui };
    hover(view, 3, 6);
    await page.shadowRoot!.querySelector<CellCards>('cell-cards')!.updateComplete;
    const { mapAsync = 0, dispatch = 0 } = device.calls.ui;
    expect(mapAsync - (before.mapAsync ?? 0)).toBeLessThanOrEqual(3);
    expect(dispatch - (before.dispatch ?? 0)).toBe(0);
    const step = training.step;
    await expect.poll(() => fact(page, '.floating', 'h3'), PATIENTLY).toContain('Row 6, column 3');
    await until(() => training.step > step + 5);
    await training.pause();
  });
});

describe('a unit under the pointer', () => {
  test('tells its weights, their histogram and the test examples that it answers to most', async () => {
    const { page, session, training } = await mount('#rate=0.01&example=3&hidden=16');
    for (let i = 0; i < 5; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    await cardsThere();
    const model = training.run!.model;
    const inputs = Float32Array.from(data.test.inputs, (value) => value / 255);
    const activations = await (await model.activations(inputs)).get('activation/dense_1')!.read();
    const column = (unit: number): number[] => Array.from({ length: data.test.size }, (_, row) => activations[16 * row + unit]!);
    const unit = Array.from({ length: 16 }, (_, j) => j).find((j) => new Set(column(j).filter((a) => a > 0)).size > 5)!;

    hover(pictureOf(page, 'activation/dense_1'), unit, 0);
    await expect.poll(() => fact(page, '.floating', '[data-fact=active]'), PATIENTLY).toBeTruthy();
    const shadow = card(page, '.floating')!.shadowRoot!;
    const own = (await model.activations(session.snapshot.example!.values)).get('activation/dense_1')!;
    expect(read(fact(page, '.floating', '[data-fact=activation]'))).toBeCloseTo((await own.read())[unit]!, 2);
    expect(shadow.querySelectorAll('svg rect')).toHaveLength(32);
    const active = column(unit).filter((a) => a > 0).length;
    expect(Number(shadow.querySelector<HTMLElement>('[data-active]')!.dataset.active)).toBe(active);
    const best = column(unit)
      .map((value, index) => ({ value, index }))
      .sort((a, b) => b.value - a.value || a.index - b.index);
    const shown = [...shadow.querySelectorAll<HTMLElement>('[data-index]')].map(({ dataset }) => Number(dataset.index));
    expect(shown).toEqual(best.slice(0, Math.min(5, active)).map(({ index }) => index));
    // A weight of the unit is a cell of that unit too.
    await expect.poll(() => pictureOf(page, 'activation/dense_1').outlined, PATIENTLY).toBe(unit);
  });

  test('that is 0 for every test example is said to be dead', async () => {
    const { page, session, training } = await mount('#hidden=16');
    const bias = training.run!.model.parameters.get('dense_1/bias')!;
    const values = new Float32Array(16);
    values[7] = -1000;
    bias.write(values);
    session.send({ do: 'choose', choices: { tensor: 'activation/dense_1', cell: { tensor: 'activation/dense_1', index: 7 } } });
    await session.looked();
    await cardsThere();
    await expect.poll(() => fact(page, '.docked', '[data-fact=active]'), PATIENTLY).toContain('dead');
    expect(card(page, '.docked')!.shadowRoot!.querySelectorAll('[data-index]')).toHaveLength(0);
  });
});

test('units of two layers that are asked for at once are each answered of their own layer', async () => {
  const { training } = await mount('#hidden=16');
  const { model } = training.run!;
  const activity = new LayerActivity(model, data.test);
  const layers = ['dense_1', model.layers.at(-1)!.name] as const;
  const alone = [];
  for (const layer of layers) alone.push(await activity.topOf(layer, 3, 5, 'a'));
  expect(alone.map((top) => top!.layer)).toEqual(layers);
  expect(alone[0]!.top).not.toEqual(alone[1]!.top);
  // In either order: the layer that is there makes room for the other.
  expect(await Promise.all(layers.map((layer) => activity.topOf(layer, 3, 5, 'a')))).toEqual(alone);
  const turned = [...layers].reverse().map((layer) => activity.topOf(layer, 3, 5, 'a'));
  expect(await Promise.all(turned)).toEqual([...alone].reverse());
  // What is disposed of makes nothing anew.
  const late = activity.topOf('dense_1', 3, 5, 'a');
  activity.dispose();
  expect(await late).toBeUndefined();
});

describe('a locked cell', () => {
  test('keeps its card when the pointer leaves; Esc frees it', async () => {
    const { page, session } = await mount('#hidden=16');
    await mapsThere(session);
    await cardsThere();
    const view = mapOf(page, 'saliency');
    hover(view, 2, 3);
    inside(view, '.frame').dispatchEvent(new MouseEvent('click', { ...middle(view, 2, 3), bubbles: true, composed: true }));
    expect(session.snapshot.choices.pixel).toBe(3 * SIDE + 2);
    leave(view);
    await expect.poll(() => fact(page, '.docked', '[data-fact=product]'), PATIENTLY).toBeTruthy();
    expect(card(page, '.floating')).toBeUndefined();
    await expect.element(browser.getByRole('region', { name: /^Locked: Row/ })).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => card(page, '.docked'), PATIENTLY).toBeUndefined();
    expect(session.snapshot.choices.pixel).toBeUndefined();
  });

  test('beside another folds that to its name, which unfolds it', async () => {
    const { page, session } = await mount('#hidden=16&pixel=9');
    await mapsThere(session);
    await cardsThere();
    await expect.poll(() => fact(page, '.docked', '[data-fact=product]'), PATIENTLY).toBeTruthy();
    const cell = { tensor: 'activation/dense_1', index: 3 };
    session.send({ do: 'choose', choices: { tensor: cell.tensor, cell } });
    const cards = () => [...page.shadowRoot!.querySelector('cell-cards')!.shadowRoot!.querySelectorAll('.docked cell-card')];
    const open = () =>
      cards()
        .filter((each) => each.shadowRoot!.querySelector('.parts'))
        .map((each) => each.shadowRoot!.querySelector('h3')!.textContent);
    await expect.poll(open, PATIENTLY).toEqual([expect.stringContaining('dense_1, unit 3')]);
    expect(cards()).toHaveLength(2);
    await userEvent.click(browser.getByRole('button', { name: 'Locked Row 1, column 1' }));
    await expect.poll(open, PATIENTLY).toEqual([expect.stringContaining('Row 1, column 1')]);
  });

  test('stands in the other half than the map that it is of', async () => {
    const { page, session } = await mount('#hidden=16');
    await mapsThere(session);
    await cardsThere();
    const box = (element: Element): DOMRect => element.getBoundingClientRect();
    const docked = () => page.shadowRoot!.querySelector('cell-cards')!.shadowRoot!.querySelector('.docked');
    for (const method of ['guidedBackprop', 'saliency'] as const) {
      const map = mapOf(page, method);
      await userEvent.click(inside(map, '.frame'), { position: { x: 20, y: 20 } });
      await expect.poll(docked, PATIENTLY).toBeTruthy();
      await page.updateComplete;
      const [card, own] = [box(docked()!), box(map)];
      expect(card.right <= own.left || own.right <= card.left, method).toBe(true);
      session.send({ do: 'choose', choices: { pixel: undefined } });
      await expect.poll(docked, PATIENTLY).toBeNull();
    }
  });

  test('is found by keyboard alone, and a screen reader is told of it', async () => {
    const { page, session } = await mount('#hidden=16');
    await mapsThere(session);
    await cardsThere();
    inside(mapOf(page, 'saliency'), '.frame').focus();
    await userEvent.keyboard('{ArrowRight}{ArrowDown}');
    const spoken = () => page.shadowRoot!.querySelector('cell-cards')!.shadowRoot!.querySelector('[aria-live]')!.textContent!;
    await expect.poll(spoken, PATIENTLY).toMatch(/Row 1, column 1: value .*Gradient .*Strongest here: unit \d+ of dense_1/);
    expect(fact(page, '.docked', 'h3')).toContain('Pointed at');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => fact(page, '.docked', 'h3'), PATIENTLY).toContain('Locked');
    expect(session.snapshot.choices.pixel).toBe(SIDE + 1);
    // The card can be reached, and a locked unit's top example chosen from it.
    const free = browser.getByRole('button', { name: 'Free it' });
    ((await free.element()) as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => session.snapshot.choices.pixel, PATIENTLY).toBeUndefined();
  });
});
