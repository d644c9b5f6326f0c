import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { CLAUSE_LENGTH, clauses } from '../../src/data/clauses.ts';
import { languageChoice } from '../../src/ui/language.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import type { TextExample } from '../../src/ui/text/text-example.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, data as images, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const data = clauses({ train: 900, test: 60 });
const PAD = data.train.vocabulary.length;
const METHODS = 'methods=saliency,inputXGradient,integratedGradients,occlusion';

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replaceAll('−', '-').replaceAll(',', ''));

async function open(hash: string, steps: number) {
  const mounted = await mount(`#data=clauses&hidden=16&rate=0.01&${METHODS}${hash}`, { loadData: async () => data });
  await mounted.training.run!.trainer.run(steps);
  const { session } = mounted;
  // What was trained behind the page's back is looked at with the next step.
  await mounted.training.single();
  await settledMaps(session);
  await customElements.whenDefined('text-map');
  return mounted;
}

const settledMaps = async (session: StudioSession): Promise<void> => {
  await session.looked();
  await until(() => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing }) => map && !computing));
};

const wordsOf = (page: Element, method: string): HTMLElement[] => [
  ...inside(page, 'studio-why', `[data-method=${method}]`, 'text-map').shadowRoot!.querySelectorAll<HTMLElement>('li button'),
];

test('each word has its number and a bar on its side; together they are the logit less that of padding; the strongest is what decides', async () => {
  const { page, session, training } = await open('', 130);
  let decided = 0;
  for (let index = 0; index < 9; index++) {
    session.send({ do: 'choose', choices: { example: { kind: 'test', index } } });
    await settledMaps(session);
    const { cards, example, prediction } = session.snapshot;
    expect(cards.map(({ method }) => method)).toEqual(['inputXGradient', 'integratedGradients', 'occlusion']);
    const map = cards[1]!.map!;
    const { values } = example!;
    const there = [...values.keys()].filter((token) => values[token] !== PAD);
    await expect.poll(() => wordsOf(page, 'integratedGradients').map(({ dataset }) => Number(dataset.index)), PATIENTLY).toEqual(there);
    await expect
      .poll(() => wordsOf(page, 'integratedGradients').map(({ dataset }) => Number(dataset.value)), PATIENTLY)
      .toEqual(there.map((token) => map.values![token]));
    for (const word of wordsOf(page, 'integratedGradients')) {
      const value = Number(word.dataset.value);
      const shown = read(word.querySelector('.value')!.textContent!.replace('+', ''));
      expect(Math.abs(shown - value)).toBeLessThanOrEqual(0.051 * Math.abs(value) + 1e-12);
      const [bar, track] = ['.bar', '.track'].map((part) => word.querySelector(part)!.getBoundingClientRect()) as [DOMRect, DOMRect];
      const middle = track.left + track.width / 2;
      if (value < 0) expect(bar.right).toBeLessThanOrEqual(middle + 0.6);
      else expect(bar.left).toBeGreaterThanOrEqual(middle - 0.6);
    }
    const padding = await training.run!.model.logits(new Uint32Array(CLAUSE_LENGTH).fill(PAD));
    const change = map.output - (await padding.read())[map.target]!;
    padding.dispose();
    const sum = map.values!.reduce((total, value) => total + value, 0);
    expect(Math.abs(sum - change - map.delta!)).toBeLessThan(1e-4);
    expect(Math.abs(map.delta!)).toBeLessThan(0.1 * Math.max(1, Math.abs(change)));
    const strongest = map.values!.indexOf(Math.max(...map.values!));
    if (prediction!.predicted === example!.label && data.test.evidence[index * CLAUSE_LENGTH + strongest] === 1) decided += 1;
  }
  // The share of the evidence is printed where the grammar knows it.
  const { values } = session.snapshot.cards[1]!.map!;
  const [on, all] = [0, 1].map((known) =>
    values!.reduce(
      (sum, value, token) => sum + (value > 0 && (known === 1 || data.test.evidence[8 * CLAUSE_LENGTH + token] === 1) ? value : 0),
      0,
    ),
  ) as [number, number];
  const printed = () => inside(page, 'studio-why', '[data-method=integratedGradients]', 'text-map', '[data-of=evidence]').textContent!;
  await expect.poll(() => Number.parseInt(/\d+(?=%)/.exec(printed())![0]!, 10), PATIENTLY).toBe(Math.round((100 * on) / all));
  expect(decided).toBeGreaterThanOrEqual(7);
  expect(inside(page, 'studio-why').shadowRoot!.textContent).toContain('Not applicable to texts: Gradient');
  expect(session.snapshot.fault).toBeUndefined();
});

test('what is typed is what the network reads; unknown words are said, the address holds the text, and Back undoes it', async () => {
  const { page, session, training } = await open('&example=1', 130);
  const root = () => inside<TextExample>(page, 'studio-example', 'text-example').shadowRoot!;
  await expect.poll(() => root().querySelector('textarea')?.value, PATIENTLY).not.toBe(undefined);
  const before = root().querySelector('textarea')!.value;
  expect(root().querySelector('.note')!.textContent).toContain('They are no legal texts');
  expect([...root().querySelectorAll('u')].map(({ textContent }) => textContent!.trim()).length).toBeGreaterThan(0);

  await userEvent.fill(root().querySelector('textarea')!, 'The tenant shall not sublet the spaceship.');
  await userEvent.keyboard('{Enter}');
  await settledMaps(session);
  const { choices, example, prediction } = session.snapshot;
  expect(choices.example.kind).toBe('edited');
  const { vocabulary } = data.test;
  const shown = Array.from(example!.values, (token) => vocabulary[token]).filter((word) => word !== undefined);
  expect(shown).toEqual(['the', 'tenant', 'shall', 'not', 'sublet', 'the', '⟨unknown⟩']);
  await expect.poll(() => root().querySelector('.said')?.textContent, PATIENTLY).toContain('spaceship');
  const logits = await training.run!.model.logits(Uint32Array.from(example!.values));
  expect([...prediction!.logits]).toEqual([...(await logits.read())]);
  logits.dispose();
  expect(data.test.classes![prediction!.predicted]).toBe('prohibition');

  expect(location.hash).toContain('example=1%7E');
  history.back();
  await until(() => session.snapshot.choices.example.kind === 'test');
  await session.looked();
  await expect.poll(() => root().querySelector('textarea')!.value, PATIENTLY).toBe(before);
  expect(root().querySelector('.said')).toBeNull();
});

test('words are struck out by mouse or keyboard and put back; for one word occlusion keeps its promise to the network', async () => {
  const { page, session, training } = await open('&example=2', 100);
  const button = [...inside(page, 'studio-why').shadowRoot!.querySelectorAll<HTMLElement>('.tools button')][0]!;
  await userEvent.click(button);
  const word = (at: number): HTMLElement =>
    inside(page, 'studio-why', 'attribution-map', 'text-map').shadowRoot!.querySelectorAll<HTMLElement>('li button')[at]!;
  await expect.poll(() => word(3)?.getAttribute('aria-label'), PATIENTLY).toMatch(/^Strike out \w+$/);
  // With its value, which is not to be seen by everyone.
  const onMap = inside(page, 'studio-why', '[data-method]', 'text-map').shadowRoot!.querySelector<HTMLElement>('li button')!;
  expect(onMap.getAttribute('aria-label')).toMatch(/^Strike out \w+: [+−]?[\d.]+/);
  const token = Number(word(3).dataset.index);
  await userEvent.click(word(3));
  await until(() => session.snapshot.challenges.length === 3);
  const { challenges, example } = session.snapshot;
  const without = Uint32Array.from(example!.values, (each, i) => (i === token ? PAD : each));
  const logits = await Promise.all(
    [example!.values, without].map(async (x) => (await training.run!.model.logits(Uint32Array.from(x))).read()),
  );
  const [row] = challenges.filter(({ method }) => method === 'occlusion');
  expect(Math.abs(row!.actual - (logits[1]![row!.target]! - logits[0]![row!.target]!))).toBeLessThan(1e-5);
  expect(Math.abs(row!.promised - row!.actual)).toBeLessThan(1e-4);
  await expect.poll(() => word(3).getAttribute('aria-pressed'), PATIENTLY).toBe('true');
  expect(getComputedStyle(word(3).querySelector('.word')!).textDecorationLine).toBe('line-through');

  // By keyboard: another, then the first put back.
  word(3).focus();
  await userEvent.keyboard('{ArrowRight}{Enter}');
  await until(() => session.snapshot.painted.length === 2);
  await userEvent.keyboard('{ArrowLeft}{Enter}');
  await until(() => session.snapshot.painted.length === 1);
  expect(session.snapshot.painted).not.toContain(token);
});

test('mistakes are listed with their texts and lead to them', async () => {
  const { page, session } = await open('', 12);
  await until(() => session.snapshot.mistakes !== undefined && session.snapshot.mistakes.step === session.snapshot.step);
  const { mistakes } = session.snapshot;
  expect(mistakes!.wrong).toBeGreaterThan(0);
  await userEvent.click(browser.getByRole('button', { name: /^Mistakes/ }));
  const shown = () => [...inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLElement>('.listed button')];
  await expect
    .poll(() => shown().map(({ dataset }) => Number(dataset.example)), PATIENTLY)
    .toEqual(mistakes!.worst.map(({ index }) => index));
  const [first] = shown();
  expect(first!.textContent!.split(/\s+/).length).toBeGreaterThan(6);
  first!.click();
  await session.looked();
  const { example, prediction } = session.snapshot;
  expect(example!.choice).toEqual({ kind: 'test', index: Number(first!.dataset.example) });
  expect(prediction!.predicted).not.toBe(example!.label);
});

test('the network and its attention are drawn; the diagram leaves out the numbers of words', async () => {
  const { page, session } = await open('', 20);
  const titles = () =>
    [...inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll('.title')].map(({ textContent }) =>
      textContent!.trim(),
    );
  await expect.poll(titles, PATIENTLY).toContain('attention/residual_1/selfAttention_1');
  // What attends and what comes out of it are told apart.
  expect(new Set(titles()).size).toBe(titles().length);
  expect(titles()).not.toContain('input');
  const attention = session.snapshot.tensors.get('attention/residual_1/selfAttention_1');
  expect(attention?.shape).toEqual([1, 2, CLAUSE_LENGTH, CLAUSE_LENGTH]);
  // A cell of it is one of a head, a row and a column.
  const heads = [...inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll('tensor-view')].find((view) =>
    inside(view, '.frame').getAttribute('aria-label')!.includes('attention/residual'),
  )!;
  await expect.poll(() => inside(heads, '#twin').textContent, PATIENTLY).toMatch(/Largest: picture [01], row \d+, column \d+: /);
  await expect.poll(() => inside(page, 'studio-example').shadowRoot!.querySelectorAll('drawing-pad, canvas').length, PATIENTLY).toBe(0);
});

test('texts may be chosen and left again in mid-run: what is shown goes with the data, and Undo brings the run before back', async () => {
  const { page, session, training } = await mount('#pixel=9&against=7', {
    loadData: async ({ data: name }) => (name === 'clauses' ? data : images),
  });
  for (let i = 0; i < 3; i++) await training.single();
  session.send({ do: 'recipe', changes: { data: 'clauses' } });
  await until(() => session.snapshot.run?.data.test.vocabulary !== undefined && session.snapshot.example?.shape[0] === CLAUSE_LENGTH);
  await settledMaps(session);
  expect(session.snapshot.choices.target).toBeUndefined();
  await expect
    .poll(() => inside(page, 'studio-example', 'text-example').shadowRoot?.querySelector('textarea')?.value, PATIENTLY)
    .toBeTruthy();
  await training.single();
  await settledMaps(session);
  expect(session.snapshot.prediction!.probabilities).toHaveLength(3);

  session.send({ do: 'undoReset' });
  await until(() => session.snapshot.run?.data.test.vocabulary === undefined && session.snapshot.step === 3);
  await session.looked();
  await until(() => session.snapshot.prediction?.probabilities.length === 10);
  await page.updateComplete;
  await expect.poll(() => inside(page, 'studio-example').shadowRoot!.querySelectorAll('.picture').length, PATIENTLY).toBe(1);
  expect(inside(page, 'studio-example').shadowRoot!.querySelector('text-example')).toBeNull();
  expect(session.snapshot.fault).toBeUndefined();
});

test('in Chinese only the words of the text and names are left in English', async () => {
  const { page } = await open('', 20);
  await languageChoice.choose('zh');
  const root = () => inside<LitElement>(page, 'studio-example', 'text-example').shadowRoot!;
  await expect.poll(() => root().querySelector('label')!.textContent, PATIENTLY).toBe('文本');
  expect(root().querySelector('.note')!.textContent).not.toMatch(/[A-Za-z]/);
  const card = () => inside(page, 'studio-why', '[data-method=occlusion]', 'text-map').shadowRoot!.querySelector('.sentence')!.textContent!;
  await expect.poll(card, PATIENTLY).toContain('对数几率');
  expect(card()).not.toMatch(/[A-Za-z]/);
});

test('a pinned text has its maps beside those of the chosen one, word by word, while training runs too', async () => {
  const { page, session, training } = await open('&epochs=1000&pinned=2', 20);
  const pairOf = (): HTMLElement[] => [
    ...inside(page, 'studio-why').shadowRoot!.querySelectorAll<HTMLElement>('attribution-map[data-method=inputXGradient]'),
  ];
  const valuesShown = (): (string | undefined)[] =>
    pairOf().map((map) => map.shadowRoot!.querySelector('text-map')?.shadowRoot?.querySelector<HTMLElement>('li button')?.dataset.value);
  await until(() => session.snapshot.pinned !== undefined);
  expect(session.snapshot.pinned!.cards.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
  await expect.poll(() => valuesShown().filter((value) => value !== undefined).length, PATIENTLY).toBe(2);
  void training.start();
  const { step } = training;
  await until(() => (session.snapshot.pinned?.cards[0]?.map?.step ?? 0) > step + 5);
  expect(session.snapshot.pinned!.cards[0]!.map!.values).toBeDefined();
  await training.pause();
});

test('a text that is changed is judged by no label, an empty one is said to be empty, and a locked word is named', async () => {
  const { page, session } = await open('&example=1', 1);
  const root = () => inside<TextExample>(page, 'studio-example', 'text-example').shadowRoot!;
  const verdict = () => inside(page, 'studio-example', '.verdict').textContent!.replaceAll(/\s+/g, ' ');
  await expect.poll(verdict, PATIENTLY).toMatch(/right|the label is/);
  await customElements.whenDefined('cell-cards');
  session.send({ do: 'choose', choices: { pixel: 2 } });
  const word = data.test.vocabulary[session.snapshot.example!.values[2]!]!;
  const card = () => page.shadowRoot!.querySelector('cell-cards')?.shadowRoot?.querySelector('cell-card')?.shadowRoot;
  await expect
    .poll(() => card()?.querySelector('h3')?.textContent?.replaceAll(/\s+/g, ' ').trim(), PATIENTLY)
    .toBe(`Locked Word 3, “${word}”`);
  expect(card()!.querySelector('[data-fact=value]')).toBeNull();

  await userEvent.fill(root().querySelector('textarea')!, '');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => root().querySelector('.said')?.textContent, PATIENTLY).toContain('There is no word in it');
  await session.looked();
  await expect.poll(verdict, PATIENTLY).toMatch(/It reads \w+ \(/);
  expect(verdict()).not.toMatch(/right|label|[✓✗]/);
});
