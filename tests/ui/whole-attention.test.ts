import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { CLAUSE_LENGTH, clauses } from '../../src/data/clauses.ts';
import { attentionRelevanceMap, attentionRolloutMap } from '../../src/explain/attention/input-map.ts';
import { languageChoice } from '../../src/ui/language.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const data = clauses({ train: 900, test: 60 });
const LAYER = 'residual_1/selfAttention_1';

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replaceAll('−', '-').replaceAll(',', ''));

async function open(hash: string, steps: number) {
  const mounted = await mount(`#data=clauses&hidden=16&rate=0.01${hash}`, { loadData: async () => data });
  for (let i = 0; i < steps; i++) await mounted.training.single();
  await mounted.session.looked();
  const { page } = mounted;
  inside<HTMLDetailsElement>(page, '.centre details').open = true;
  await customElements.whenDefined('studio-whole');
  await inside<LitElement>(page, 'studio-whole').updateComplete;
  const root = (): ShadowRoot => inside(page, 'studio-whole', 'whole-attention').shadowRoot!;
  await expect.poll(() => root().querySelector('.head')?.textContent, PATIENTLY).toContain(`From step ${steps}`);
  return { ...mounted, root };
}

const column = (root: ShadowRoot, of: string): number[] =>
  [...root.querySelectorAll(`tbody [data-of=${of}]`)].map(({ textContent }) => read(textContent));

test('the matrix of each head is the network’s own tensor; a row of it is the softmax, step by step, that the formula gives', async () => {
  const { session, training, root } = await open('&example=1', 30);
  const tensor = session.snapshot.tensors.get(`attention/${LAYER}`)!;
  const views = [...root().querySelectorAll<TensorView>('tensor-view')];
  expect(views).toHaveLength(2);
  for (const [head, view] of views.entries()) {
    expect(view.tensor).toBe(tensor);
    expect(view.only).toBe(head);
    view.scrollIntoView();
    const canvas = inside<HTMLCanvasElement>(view, 'canvas');
    await expect.poll(() => [canvas.width, canvas.height], PATIENTLY).toEqual([CLAUSE_LENGTH, CLAUSE_LENGTH]);
  }
  const weights = 'values' in tensor ? tensor.values : await tensor.read();
  const row = (head: number, query: number): Float32Array =>
    weights.subarray((head * CLAUSE_LENGTH + query) * CLAUSE_LENGTH).subarray(0, CLAUSE_LENGTH);

  // A cell is locked by keyboard in the second head: its row is taken apart.
  const frame = inside(views[1]!, '.frame');
  frame.focus();
  await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}{Enter}');
  await expect.poll(() => root().querySelector<HTMLSelectElement>('select[data-of=head]')!.value, PATIENTLY).toBe('1');
  const query = Number(root().querySelector<HTMLSelectElement>('select[data-of=query]')!.value);
  expect(query).toBeGreaterThan(0);
  expect(session.snapshot.choices.cell).toBeUndefined();
  const own = row(1, query);
  const [scores, exponentials, shares, gpu] = ['score', 'exponential', 'weight', 'gpu'].map((of) => column(root(), of)) as [
    number[],
    number[],
    number[],
    number[],
  ];
  const sum = read(root().querySelector('[data-of=sum]')!.textContent);
  expect(gpu.length).toBeGreaterThan(3);
  expect(Math.abs(exponentials.reduce((total, value) => total + value, 0) / sum - 1)).toBeLessThan(2e-3);
  for (let key = 0; key < gpu.length; key++) {
    expect(Math.abs(exponentials[key]! / Math.exp(scores[key]!) - 1)).toBeLessThan(6e-3);
    expect(Math.abs(shares[key]! / (exponentials[key]! / sum) - 1)).toBeLessThan(6e-3);
    expect(Math.abs(shares[key]! - own[key]!)).toBeLessThan(6e-3 * own[key]!);
    expect(Math.abs(gpu[key]! - own[key]!)).toBeLessThan(6e-3 * own[key]!);
  }
  const entropy = -own.reduce((total, a) => total + a * Math.log(a), 0);
  expect(Math.abs(read(/[\d.]+/.exec(root().querySelector('[data-of=entropy]')!.textContent!)![0]) - entropy)).toBeLessThan(0.01);

  // Through all layers, word by word; a word that is locked is locked in every map.
  const { example, target } = session.snapshot;
  for (const [of, method] of [
    ['rollout', attentionRolloutMap],
    ['relevance', attentionRelevanceMap],
  ] as const) {
    const attribution = await method(training.run!.model, Uint32Array.from(example!.values), { target: target! });
    const expected = await attribution.values.read();
    attribution.dispose();
    const shown = (): HTMLElement[] => [
      ...inside(root().host, `[data-of=${of}] text-map`).shadowRoot!.querySelectorAll<HTMLElement>('li button'),
    ];
    expect(shown().length).toBeGreaterThan(3);
    for (const { dataset } of shown()) expect(Math.abs(Number(dataset.value) - expected[Number(dataset.index)]!)).toBeLessThan(1e-6);
    if (of === 'rollout') expect(expected.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    else expect(Math.min(...expected)).toBeGreaterThanOrEqual(0);
  }
  inside(root().host, '[data-of=rollout] text-map').shadowRoot!.querySelectorAll<HTMLElement>('li button')[2]!.click();
  await expect.poll(() => session.snapshot.choices.pixel, PATIENTLY).toBe(2);
});

test('the temperature levels or sharpens the weights; it asks anew, changes nothing of the network and goes back to its own', async () => {
  const { session, training, root } = await open('&example=1', 30);
  const before = await training.run!.model.flatParameters.read();
  const slider = root().querySelector<HTMLInputElement>('input[type=range]')!;
  const entropies = (): [number, number] => {
    const [least, most] = [...root().textContent!.matchAll(/Entropy of the rows: ([\d.]+) to ([\d.]+) nats/g)][0]!.slice(1).map(Number);
    return [least!, most!];
  };
  const turn = async (value: string): Promise<void> => {
    slider.value = value;
    slider.dispatchEvent(new Event('input'));
    await expect.poll(() => root().querySelector('.head')!.textContent, PATIENTLY).toContain('From step 30');
    await expect
      .poll(() => root().querySelector('tensor-view')!.tensor !== session.snapshot.tensors.get(`attention/${LAYER}`), PATIENTLY)
      .toBe(true);
  };
  const [own] = entropies();
  await turn('1');
  await expect.poll(() => entropies()[0], PATIENTLY).toBeGreaterThan(Math.max(own, 3.17));
  await turn('-1');
  await expect.poll(() => entropies()[0], PATIENTLY).toBeLessThan(own - 0.05);
  // At τ = 0.1 a share is e^(10 θ) over its sum.
  const scores = column(root(), 'score');
  const exponentials = column(root(), 'exponential');
  for (let key = 0; key < scores.length; key++) expect(Math.abs(Math.log(exponentials[key]!) - 10 * scores[key]!)).toBeLessThan(0.06);
  root().querySelectorAll<HTMLButtonElement>('.controls button')[0]!.click();
  await expect.poll(() => entropies()[0], PATIENTLY).toBe(own);
  expect(await training.run!.model.flatParameters.read()).toEqual(before);
  expect(session.snapshot.fault).toBeUndefined();
});

test('attention pooling has one row; another example is looked at by itself; in Chinese too; without attention there is nothing', async () => {
  const { page, session, root } = await open('', 12);
  const select = root().querySelector('select')!;
  expect([...select.options].map(({ value }) => value)).toEqual([LAYER, 'attentionPooling_1']);
  select.value = 'attentionPooling_1';
  select.dispatchEvent(new Event('change'));
  await expect.poll(() => root().querySelectorAll('tensor-view').length, PATIENTLY).toBe(1);
  const words = (): string[] => [...root().querySelectorAll('tbody tr:not(.absent) th')].map(({ textContent }) => textContent!.trim());
  for (const index of [0, 5]) {
    session.send({ do: 'choose', choices: { example: { kind: 'test', index } } });
    const own = Array.from(
      data.test.inputs.subarray(index * CLAUSE_LENGTH, (index + 1) * CLAUSE_LENGTH),
      (token) => data.test.vocabulary[token],
    );
    await expect.poll(words, PATIENTLY).toEqual(own.filter((word) => word !== undefined));
    await expect.poll(() => root().querySelector('.head .note')?.textContent, PATIENTLY).toContain('From step 12');
    const shares = [...column(root(), 'weight')];
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(0.01);
  }
  await languageChoice.choose('zh');
  await expect.poll(() => root().querySelector('h3')!.textContent, PATIENTLY).toBe('注意力');
  const tree = inside(page, 'studio-whole', 'whole-tree').shadowRoot!;
  await expect.poll(() => tree.textContent, PATIENTLY).toContain('此处不适用');
  page.remove();
  const plain = await mount('');
  inside<HTMLDetailsElement>(plain.page, '.centre details').open = true;
  await inside<LitElement>(plain.page, 'studio-whole').updateComplete;
  expect(inside(plain.page, 'studio-whole', 'whole-attention').shadowRoot!.textContent!.trim()).toBe('');
});
