import { afterEach, describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { standardise } from '../../src/data/index.ts';
import type { Dataset } from '../../src/engine/index.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import type { RowMap } from '../../src/ui/table/row-map.ts';
import type { TrainingData } from '../../src/ui/training.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const COLUMNS = 14;
const FEATURES = Array.from({ length: COLUMNS }, (_, k) => `column_${k}`);

/** The class is the sign of the first columns' sum. */
function rows(name: string, size: number): Dataset {
  const inputs = Float32Array.from({ length: size * COLUMNS }, (_, i) => ((Math.imul(i + 1, 2654435761) >>> 8) % 2000) / 1000 - 1);
  const labels = Uint8Array.from({ length: size }, (_, i) => (inputs[i * COLUMNS]! + inputs[i * COLUMNS + 1]! > 0 ? 1 : 0));
  return { name, size, inputShape: [COLUMNS], inputs, labels, classes: ['low', 'high'], features: FEATURES };
}

const METHODS = ['saliency', 'inputXGradient', 'integratedGradients', 'occlusion'] as const;

const parts = { train: rows('rows', 200), test: rows('test rows', 40) };

async function open(hash: string, data: TrainingData = parts) {
  const mounted = await mount(`#data=breast-cancer&rate=0.01&batch=16&example=3&methods=${METHODS.join()}${hash}`, {
    loadData: async () => data,
  });
  await customElements.whenDefined('row-map');
  for (let i = 0; i < 15; i++) await mounted.training.single();
  await mounted.session.looked();
  mounted.session.send({ do: 'refresh', method: 'occlusion' });
  await until(() => mounted.session.snapshot.cards.every(({ map, computing }) => map?.step === 15 && !computing));
  return mounted;
}

const list = (page: Element, card: string): ShadowRoot => inside(page, 'studio-why', card, 'row-map').shadowRoot!;
const bars = (page: Element, card: string): HTMLElement[] => [...list(page, card).querySelectorAll<HTMLElement>('button[data-index]')];
const answerOn = (page: Element, method: string): string =>
  inside(page, 'studio-why', `[data-method=${method}]`).shadowRoot!.querySelector('.answer')?.textContent?.trim() ?? '';

/** The numbers that a card prints, as the page writes them. */
const numbersIn = (text: string): number[] => [...text.replaceAll('−', '-').matchAll(/-?\d+(\.\d+)?/g)].map(([number]) => Number(number));

function expectAnswers(page: Element, session: StudioSession, tolerance: number): void {
  const { challenges } = session.snapshot;
  for (const method of METHODS) {
    const row = challenges.find((each) => each.method === method)!;
    expect(Math.abs(row.promised - row.actual), method).toBeLessThan(tolerance);
    const printed = numbersIn(answerOn(page, method));
    expect(printed, method).toHaveLength(2);
    expect(printed[0], method).toBeCloseTo(row.promised, 1);
    expect(printed[1], method).toBeCloseTo(row.actual, 1);
  }
}

afterEach(() => browser.viewport(1280, 800));

describe('the map of a row', () => {
  test('is signed bars, the largest first, to one side or the other of the middle, and the rest at a click', async () => {
    const { page, session } = await open('&hidden=8');
    const { values } = session.snapshot.cards.find(({ method }) => method === 'integratedGradients')!.map!;
    const card = '[data-method=integratedGradients]';
    await expect.poll(() => bars(page, card).length, PATIENTLY).toBe(10);
    await expect
      .poll(() => bars(page, card).map(({ dataset }) => Number(dataset.value)), PATIENTLY)
      .toEqual([...values!].sort((a, b) => Math.abs(b) - Math.abs(a)).slice(0, 10));
    // The scale is that of the run so far, and is printed.
    const { end } = inside<RowMap>(page, 'studio-why', card, 'row-map') as { end: number };
    expect(end).toBeGreaterThanOrEqual(Math.max(...values!.map(Math.abs)));
    expect(list(page, card).querySelector('.limits')!.textContent).toContain(`+${end.toPrecision(2)}`);
    let signs = 0;
    for (const bar of bars(page, card)) {
      const value = values![Number(bar.dataset.index)]!;
      const [drawn, track] = ['.bar', '.track'].map((part) => bar.querySelector(part)!.getBoundingClientRect()) as [DOMRect, DOMRect];
      const middle = track.left + track.width / 2;
      if (value < 0) expect(drawn.right).toBeLessThanOrEqual(middle + 0.6);
      else expect(drawn.left).toBeGreaterThanOrEqual(middle - 0.6);
      expect(drawn.width).toBeCloseTo(((track.width / 2) * Math.abs(value)) / end, 0);
      expect(bar.getAttribute('aria-label')).toContain(FEATURES[Number(bar.dataset.index)]);
      signs |= value < 0 ? 1 : 2;
    }
    expect(signs).toBe(3);
    list(page, card).querySelector<HTMLElement>('.more')!.click();
    await expect.poll(() => bars(page, card).length, PATIENTLY).toBe(COLUMNS);
  });

  test('begins its fixed scale anew when it is switched off and on', async () => {
    const { page, session } = await open('&hidden=8&rate=0.5&epochs=1000');
    const map = () =>
      inside<RowMap>(page, 'studio-why', '[data-method=integratedGradients]', 'row-map') as RowMap & { values: Float32Array };
    const largest = () => Math.max(...map().values.map(Math.abs));
    await expect.poll(() => map().end, PATIENTLY).toBeGreaterThanOrEqual(largest());
    // A value as of a network that went astray.
    const { values } = map();
    map().values = values.map((value) => 100 * value);
    await expect.poll(() => map().end, PATIENTLY).toBeCloseTo(100 * Math.max(...values.map(Math.abs)), 3);
    map().values = values;
    await map().updateComplete;
    expect(map().end).toBeGreaterThan(50 * largest());
    const fixed = inside(page, 'studio-why').shadowRoot!.querySelector<HTMLInputElement>('.check input')!;
    await userEvent.click(fixed);
    await userEvent.click(fixed);
    await expect.poll(() => map().end, PATIENTLY).toBeCloseTo(largest(), 6);
    expect(session.snapshot.step).toBe(15);
  });

  test('has its column locked by key, in every map, and freed by Esc', async () => {
    const { page, session } = await open('&hidden=8');
    const card = '[data-method=saliency]';
    await expect.poll(() => bars(page, card).length, PATIENTLY).toBe(10);
    bars(page, card)[0]!.focus();
    await userEvent.keyboard('{ArrowDown}{Enter}');
    const column = Number(bars(page, card)[1]!.dataset.index);
    await until(() => session.snapshot.choices.pixel === column);
    // Where it is not among the largest, it is shown all the same.
    for (const method of METHODS) {
      await expect
        .poll(
          () => list(page, `[data-method=${method}]`).querySelector(`[data-index="${column}"]`)?.getAttribute('aria-pressed'),
          PATIENTLY,
        )
        .toBe('true');
    }
    await userEvent.keyboard('{Escape}');
    await until(() => session.snapshot.choices.pixel === undefined);
  });

  test('follows training', async () => {
    const { page, session, training } = await open('&hidden=8&epochs=1000');
    const card = '[data-method=saliency]';
    await expect.poll(() => bars(page, card).length, PATIENTLY).toBe(10);
    const before = bars(page, card).map(({ dataset }) => dataset.value);
    void training.start();
    await until(() => (session.snapshot.cards[0]!.map?.step ?? 0) > 40);
    await expect.poll(() => bars(page, card).map(({ dataset }) => dataset.value), PATIENTLY).not.toEqual(before);
    await training.pause();
  });
});

test('Back from other data leads to the run and the row that were left', async () => {
  const other = { train: rows('other rows', 120), test: rows('other test rows', 30) };
  const mounted = await mount('#data=breast-cancer&hidden=8&rate=0.01&batch=16&example=3&methods=saliency', {
    loadData: async ({ data }) => (data === 'breast-cancer' ? parts : other),
  });
  const { session, training } = mounted;
  for (let i = 0; i < 15; i++) await training.single();
  session.send({ do: 'choose', choices: { example: { kind: 'test', index: 21 }, target: 1 } });
  await session.looked();
  const { checksum } = session.snapshot;
  expect(checksum!.step).toBe(15);
  // As in mid-training, when the address is not written at each step.
  history.replaceState(history.state, '', location.hash.replace('step=15', 'step=2'));
  session.send({ do: 'recipe', changes: { data: 'german-credit' } });
  await until(() => session.snapshot.run!.settings.data === 'german-credit' && session.snapshot.step === 0);
  await session.looked();
  history.back();
  await until(
    () =>
      session.snapshot.run!.settings.data === 'breast-cancer' && session.snapshot.step === 15 && session.snapshot.replayTo === undefined,
  );
  await session.looked();
  expect(session.snapshot.choices).toMatchObject({ example: { kind: 'test', index: 21 }, target: 1 });
  await until(() => session.snapshot.checksum?.step === 15);
  expect(session.snapshot.checksum).toEqual(checksum);
});

test('one wild value does not spoil the scale of the input for other rows', async () => {
  const { page, session } = await open('&hidden=8');
  const limit = () =>
    /scale from −([\d.]+)/.exec(
      inside(page, 'studio-network', 'network-diagram', 'li.input tensor-view', '.frame').getAttribute('aria-label')!,
    )?.[1];
  await expect.poll(() => Number(limit()), PATIENTLY).toBeLessThan(1.1);
  session.send({ do: 'choose', choices: { example: { kind: 'edited', index: 3, values: [[1, 120]] } } });
  await expect.poll(() => Number(limit()), PATIENTLY).toBeGreaterThan(100);
  session.send({ do: 'choose', choices: { example: { kind: 'test', index: 5 } } });
  await expect.poll(() => Number(limit()), PATIENTLY).toBeLessThan(1.1);
});

test('files are chosen by the page’s own words, by mouse or keyboard', async () => {
  const { page } = await open('&hidden=8');
  page.dispatchEvent(new Event('open-recipe'));
  inside(page, 'studio-header').dispatchEvent(new Event('open-recipe', { bubbles: true, composed: true }));
  await until(() => page.shadowRoot!.querySelector('studio-recipe')?.shadowRoot?.querySelector('dialog')?.open === true);
  const { languageChoice } = await import('../../src/ui/language.ts');
  await languageChoice.choose('zh');
  const recipe = inside(page, 'studio-recipe');
  const input = () => inside<HTMLInputElement>(recipe, '#own');
  await expect.poll(() => inside(recipe, 'label[for=own]').textContent, PATIENTLY).toBe('选择文件…');
  await expect.element(browser.getByLabelText(/选择文件/)).toBeInTheDocument();
  // Nothing of the browser's own is to be seen of it.
  expect(input().getBoundingClientRect().width).toBeLessThan(2);
  input().focus();
  expect(inside(recipe, '#own').matches(':focus')).toBe(true);
  inside<HTMLDialogElement>(recipe, 'dialog').close();
});

test('Back to data that cannot be had says so, and leaves the run that there is alone', async () => {
  const other = { train: rows('other rows', 120), test: rows('other test rows', 30) };
  let there = true;
  const { session, training } = await mount('#data=breast-cancer&hidden=8&batch=16&methods=saliency', {
    loadData: async ({ data }) => {
      if (data === 'german-credit') return other;
      if (!there) throw new Error('it is gone');
      return parts;
    },
  });
  for (let i = 0; i < 9; i++) await training.single();
  await session.looked();
  session.send({ do: 'recipe', changes: { data: 'german-credit' } });
  await until(() => session.snapshot.run!.settings.data === 'german-credit' && session.snapshot.step === 0);
  await training.single();
  there = false;
  // As on a page that was loaded anew: nothing is known of the other data any more.
  training.addData('breast-cancer', undefined as never);
  history.back();
  await until(() => training.fault !== undefined);
  await session.looked();
  await until(() => session.snapshot.replayTo === undefined);
  expect(training.run!.settings.data).toBe('german-credit');
  expect(training.step).toBe(1);
});

test('rows are chosen by class, or among the mistakes', async () => {
  const { page, session } = await open('&hidden=none&rate=1e-9');
  const strip = () => [...inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLElement>('.listed button')];
  expect(strip().map(({ textContent }) => textContent!.trim())).toEqual(['low', 'high']);
  for (const k of [0, 1]) {
    await userEvent.click(strip()[k]!);
    await until(() => session.snapshot.example!.label === k && strip()[k]!.getAttribute('aria-pressed') === 'true');
    const { index } = session.snapshot.choices.example as { index: number };
    // The next of the same class.
    await userEvent.click(strip()[k]!);
    await until(() => (session.snapshot.choices.example as { index: number }).index > index);
    await session.looked();
    expect(session.snapshot.example!.label).toBe(k);
  }
  await until(() => session.snapshot.mistakes?.step === session.snapshot.step);
  await userEvent.click(browser.getByRole('button', { name: /^Mistakes/ }));
  const { worst } = session.snapshot.mistakes!;
  expect(worst.length).toBeGreaterThan(0);
  await expect.poll(() => strip().map(({ dataset }) => Number(dataset.example)), PATIENTLY).toEqual(worst.map(({ index }) => index));
  await userEvent.click(strip()[0]!);
  await session.looked();
  expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: worst[0]!.index });
  expect(session.snapshot.prediction!.predicted).not.toBe(session.snapshot.example!.label);
});

describe('a row challenges its maps', () => {
  test('a value that is altered: on a linear model every card prints a promise that the network keeps', async () => {
    const { page, session } = await open('&hidden=none');
    const before = session.snapshot.example!;
    const input = inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('.table input')[1]!;
    await userEvent.fill(input, '2.5');
    await userEvent.keyboard('{Enter}');
    await until(() => session.snapshot.challenges.length === METHODS.length);
    const [row] = session.snapshot.challenges;
    expect(row!.cells).toEqual([1]);
    expect(row!.step).toBe(15);
    expect(Math.abs(row!.actual)).toBeGreaterThan(0.05);
    await until(() => session.snapshot.cards.every(({ map, computing }) => map?.example === session.snapshot.example!.key && !computing));
    await page.updateComplete;
    await expect.poll(() => answerOn(page, 'occlusion'), PATIENTLY).toMatch(/map .*network/);
    expectAnswers(page, session, 1e-4);
    // The list says of which example, and from what to what.
    const changed = () =>
      [...inside(page, 'studio-why', '.challenges tbody tr').querySelectorAll('td')].map(({ textContent }) => textContent!.trim());
    const from = Number(before.values[1]!.toPrecision(4));
    await expect.poll(() => [changed()[0], changed()[4]], PATIENTLY).toEqual(['3', `column_1 ${from} → 2.5`.replace('-', '−')]);

    // Altered further, the maps of the row as it was then are asked; the list is kept.
    const again = inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('.table input')[4]!;
    await userEvent.fill(again, '-1.5');
    await userEvent.keyboard('{Enter}');
    await until(() => session.snapshot.challenges.length === 2 * METHODS.length);
    expect(session.snapshot.challenges[0]!.cells).toEqual([4]);
    await expect.poll(() => [changed()[0], changed()[4]], PATIENTLY).toEqual(['3, changed', expect.stringMatching(/^column_4 .* → −1.5$/)]);
    for (const each of session.snapshot.challenges) expect(Math.abs(each.promised - each.actual), each.method).toBeLessThan(1e-4);
    expect(session.snapshot.challenges[0]!.asked).not.toBe(before.key);
    // Another row was never altered.
    session.send({ do: 'choose', choices: { example: { kind: 'test', index: 7 } } });
    await session.looked();
    await expect.poll(() => answerOn(page, 'saliency'), PATIENTLY).toBe('');
    expect(session.snapshot.challenges).toHaveLength(2 * METHODS.length);
  });

  test('and what is brought into view never moves the page itself', async () => {
    // So low that the table's last rows are far below.
    await browser.viewport(1280, 645);
    const { page } = await open('&hidden=8');
    await userEvent.fill(inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('.table input')[1]!, '2.5');
    await userEvent.keyboard('{Enter}');
    const challenges = () => inside(page, 'studio-why').shadowRoot!.querySelector('.challenges');
    await expect.poll(challenges, PATIENTLY).toBeTruthy();
    const places = () => [page.getBoundingClientRect().top, page.scrollTop, document.documentElement.scrollTop, document.body.scrollTop];
    for (const block of ['start', 'nearest'] as const) {
      challenges()!.scrollIntoView({ block });
      for (const hidden of inside(page, 'studio-example').shadowRoot!.querySelectorAll('.hidden')) hidden.scrollIntoView({ block });
      expect(places()).toEqual([0, 0, 0, 0]);
    }
    expect(document.documentElement.scrollHeight).toBe(document.documentElement.clientHeight);
  });

  test('a value that is taken away by a click, and put back', async () => {
    const { page, session } = await open('&hidden=none');
    await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
    const card = '[data-method=integratedGradients]';
    await expect.poll(() => bars(page, card)[0]?.getAttribute('aria-label'), PATIENTLY).toMatch(/^Take column_\d+ away: [+−]?[\d.]+/);
    const column = Number(bars(page, card)[0]!.dataset.index);
    bars(page, card)[0]!.click();
    await until(() => session.snapshot.challenges.length === METHODS.length);
    expect(session.snapshot.challenges[0]!.cells).toEqual([column]);
    await expect.poll(() => answerOn(page, 'occlusion'), PATIENTLY).toMatch(/map .*network/);
    expectAnswers(page, session, 1e-4);
    expect(list(page, '.control').querySelector(`[data-index="${column}"]`)!.className).toContain('struck');
    bars(page, card)
      .find(({ dataset }) => Number(dataset.index) === column)!
      .click();
    await until(() => session.snapshot.painted.length === 0);
    await expect.poll(() => answerOn(page, 'occlusion'), PATIENTLY).toBe('');
  });

  test('with a hidden layer promise and fact differ, and the network’s part is what it does', async () => {
    const { page, session, training } = await open('&hidden=8');
    const before = session.snapshot;
    const input = inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('.table input')[0]!;
    await userEvent.fill(input, '-4');
    await userEvent.keyboard('{Enter}');
    await until(() => session.snapshot.challenges.length === METHODS.length);
    const { model } = training.run!;
    const both = await Promise.all(
      [before.example!, session.snapshot.example!].map(async ({ values }) => (await model.logits(values)).read()),
    );
    const target = before.cards[0]!.map!.target;
    for (const row of session.snapshot.challenges)
      expect(Math.abs(row.actual - (both[1]![target]! - both[0]![target]!))).toBeLessThan(1e-5);
    expect(session.snapshot.challenges.some((row) => Math.abs(row.promised - row.actual) > 1e-2)).toBe(true);
  });
});

describe('a row that is altered', () => {
  const field = (page: Element, column: number): HTMLInputElement =>
    inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('.table input')[column]!;
  const type = async (into: HTMLInputElement, text: string): Promise<void> => {
    await userEvent.fill(into, text);
    await userEvent.keyboard('{Enter}');
  };
  const described = (input: HTMLInputElement): string | null | undefined =>
    (input.getRootNode() as ShadowRoot).getElementById(input.getAttribute('aria-describedby') ?? '')?.textContent;
  const said = (page: Element): string => inside(page, 'studio-example', '.verdict').textContent!.replaceAll(/\s+/g, ' ');

  test('says which values are, is judged by no label, and goes back whole or value by value', async () => {
    const { page, session } = await open('&hidden=8');
    await expect.poll(() => said(page), PATIENTLY).toMatch(/right|the label is/);
    const first = field(page, 1).value;
    await type(field(page, 1), '2.5');
    await type(field(page, 4), '-1.5');
    await session.looked();
    await expect.poll(() => described(field(page, 1)), PATIENTLY).toBe(`was ${first}`);
    expect(described(field(page, 2))).toBeUndefined();
    expect(inside(page, 'studio-example').shadowRoot!.textContent).toContain('Values changed by you: 2.');
    await expect.poll(() => said(page), PATIENTLY).toMatch(/It reads (low|high) \(/);
    expect(said(page)).not.toMatch(/right|label|[✓✗]/);

    // What comes to the value that was printed is no change.
    await type(field(page, 1), String(Number(first) * (1 + 1e-6)));
    expect(session.snapshot.choices.example).toMatchObject({ kind: 'edited', values: [[4, -1.5]] });
    await expect.poll(() => described(field(page, 1)), PATIENTLY).toBeUndefined();
    await userEvent.click(browser.getByRole('button', { name: 'Back to the row' }));
    expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: 3 });
    await type(field(page, 0), '1.25');
    await expect.poll(() => described(field(page, 0)), PATIENTLY).toMatch(/^was /);
    await session.looked();
    await page.updateComplete;
    await type(field(page, 0), String(Number(session.snapshot.test!.inputs[3 * COLUMNS]!.toPrecision(4))));
    expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: 3 });
  });

  test('what is no value and no example stays as it was typed, with the reason, until something else is chosen', async () => {
    const { page, session } = await open('&hidden=8');
    const { example } = session.snapshot.choices;
    const before = field(page, 2).value;
    await type(field(page, 2), 'abc');
    await expect.poll(() => described(field(page, 2)), PATIENTLY).toBe('Type a number.');
    expect(field(page, 2).value).toBe('abc');
    expect(field(page, 2).getAttribute('aria-invalid')).toBe('true');
    await type(field(page, 2), before);
    await expect.poll(() => field(page, 2).getAttribute('aria-invalid'), PATIENTLY).toBe('false');
    expect(session.snapshot.choices.example).toEqual(example);

    const walk = inside<HTMLInputElement>(page, 'studio-example', '.walk input');
    await type(walk, '99999');
    await expect.element(browser.getByRole('alert')).toHaveTextContent('There are examples 0 to 39.');
    expect(walk.value).toBe('99999');
    // All five digits are in view.
    expect(walk.scrollWidth).toBeLessThanOrEqual(walk.clientWidth);
    await userEvent.click(browser.getByRole('button', { name: 'Next example' }));
    await expect.poll(() => walk.value, PATIENTLY).toBe('4');
    expect(described(walk)).toBeUndefined();
    expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: 4 });
  });

  test('has its locked column named in the list of values, and in view', async () => {
    const { page, session } = await open('&hidden=8');
    session.send({ do: 'choose', choices: { pixel: COLUMNS - 1 } });
    const row = () => inside(page, 'studio-example').shadowRoot!.querySelector('.table .locked');
    await expect.poll(() => row()?.querySelector('th')?.textContent, PATIENTLY).toBe(`column_${COLUMNS - 1} locked`);
    const [box, own] = [row()!.closest('.table')!, row()!].map((each) => each.getBoundingClientRect()) as [DOMRect, DOMRect];
    expect(own.top).toBeGreaterThanOrEqual(box.top);
    expect(own.bottom).toBeLessThanOrEqual(box.bottom + 1);
  });

  test('has a locked value told in its own units and as the network gets it', async () => {
    const { page, session } = await open('&hidden=8&pixel=2', standardise(parts));
    await customElements.whenDefined('cell-cards');
    const card = () => page.shadowRoot!.querySelector('cell-cards')?.shadowRoot?.querySelector('cell-card')?.shadowRoot;
    const fact = (name: string) => numbersIn(card()?.querySelector(`[data-fact=${name}]`)?.textContent ?? '')[0];
    await expect.poll(() => fact('value'), PATIENTLY).toBeCloseTo(parts.test.inputs[3 * COLUMNS + 2]!, 2);
    expect(fact('standardised')).toBeCloseTo(session.snapshot.example!.values[2]!, 2);
    expect(fact('standardised')).not.toBeCloseTo(fact('value')!, 2);

    // A printed value that is typed again is the value that was there, to the last bit.
    const shown = field(page, 2).value;
    await type(field(page, 2), '0.25');
    expect(session.snapshot.choices.example.kind).toBe('edited');
    await session.looked();
    await expect.poll(() => field(page, 2).value, PATIENTLY).toBe('0.25');
    await type(field(page, 2), shown);
    expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: 3 });
  });
});
