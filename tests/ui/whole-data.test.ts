import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { standardise } from '../../src/data/index.ts';
import type { Dataset } from '../../src/engine/index.ts';
import { languageChoice } from '../../src/ui/language.ts';
import { loadKnown } from '../../src/ui/session/own-data.ts';
import type { TrainingData } from '../../src/ui/training.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replaceAll('−', '-').replaceAll(',', ''));

async function open(page: Element, view: string): Promise<() => ShadowRoot> {
  inside<HTMLDetailsElement>(page, '.centre details').open = true;
  await customElements.whenDefined('studio-whole');
  await inside<LitElement>(page, 'studio-whole').updateComplete;
  return () => inside(page, 'studio-whole', view).shadowRoot!;
}

/** Begins a view and waits for its step. */
async function find(root: () => ShadowRoot, step: number): Promise<void> {
  root().querySelector<HTMLButtonElement>('.head button')!.click();
  await expect.poll(() => root().querySelector('.head')!.textContent, { timeout: 90_000 }).toContain(`From step ${step}`);
}

/** Column a.own decides the class, a.more is noise and no level of a category though it is called like one; d and its two levels are one. */
function table(name: string, size: number, seed: number): Dataset {
  const features = ['a.own', 'a.more', 'd.one', 'd.two'];
  const noise = (i: number): number => ((Math.imul(i + seed, 2654435761) >>> 8) % 1000) / 500 - 1;
  const inputs = new Float32Array(4 * size);
  const labels = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    const [a, c, level] = [noise(3 * i), noise(3 * i + 1), i % 2];
    labels[i] = a > 0 ? 1 : 0;
    inputs.set([100 + 10 * a, c, 1 - level, level], 4 * i);
  }
  return { name, size, inputShape: [4], inputs, labels, classes: ['low', 'high'], features };
}

const tableData = (): TrainingData => standardise({ train: table('rows', 400, 1), test: table('test rows', 80, 5000) });

test('prototypes are examples of their class, the nearest first, and lead into the page', async () => {
  const { page, session, training } = await mount('#rate=0.01');
  for (let i = 0; i < 30; i++) await training.single();
  const root = await open(page, 'whole-prototypes');
  await find(root, 30);
  const { test: examples, run } = session.snapshot;
  const output = await run!.model.predict(Float32Array.from(examples!.inputs, (value) => value / 255));
  const probabilities = await output.read();
  output.dispose();
  const rows = [...root().querySelectorAll<HTMLElement>('tbody tr')];
  expect(rows.map(({ dataset }) => Number(dataset.class))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const row of rows) {
    const shown = [...row.querySelectorAll<HTMLElement>('.line .example')].map(({ dataset }) => Number(dataset.example));
    for (const index of shown) {
      const own = probabilities.subarray(10 * index, 10 * index + 10);
      expect(own.indexOf(Math.max(...own))).toBe(Number(row.dataset.class));
    }
    const distances = [...row.querySelectorAll('.line figcaption')].map(({ textContent }) => read(textContent));
    expect(distances).toEqual(distances.toSorted((a, b) => a - b));
  }
  const canvas = root().querySelector('canvas')!;
  const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  expect(new Set(data.filter((_, i) => i % 4 === 3)).size).toBeGreaterThan(5);

  const other = root().querySelectorAll<HTMLButtonElement>('.example')[4]!;
  other.click();
  await session.looked();
  expect(session.snapshot.choices.example).toEqual({ kind: 'test', index: Number(other.dataset.example) });
  await expect.poll(() => other.getAttribute('aria-pressed'), PATIENTLY).toBe('true');

  // Another layer is another question, asked at once.
  const select = root().querySelector('select')!;
  select.value = 'input';
  select.dispatchEvent(new Event('change'));
  await expect
    .poll(() => root().querySelector('.line figcaption')?.textContent, PATIENTLY)
    .not.toBe(String(rows[0]!.querySelector('figcaption')!.textContent));
});

test('importance: the column that decides comes first, a category is dealt out whole, and the interval holds the mean', async () => {
  const { page, session, training } = await mount('#rate=0.02&hidden=8', { loadData: async () => tableData() });
  for (let i = 0; i < 60; i++) await training.single();
  const weights = await training.run!.model.flatParameters.read();
  const root = await open(page, 'whole-importance');
  await find(root, 60);
  const rows = [...root().querySelectorAll<HTMLElement>('tbody tr')];
  expect(rows.map((row) => row.querySelector('th')!.textContent!.trim()).sort()).toEqual(['a.more', 'a.own', 'd']);
  expect(rows[0]!.querySelector('th')!.textContent).toContain('a.own');
  const values = rows.map(({ dataset }) => Number(dataset.value));
  expect(values[0]!).toBeGreaterThan(10 * Math.max(0.001, Math.abs(values[1]!)));
  for (const [i, row] of rows.entries()) {
    const [low, high] = row.querySelectorAll('td')[2]!.textContent!.split('…').map(read) as [number, number];
    expect(low - 1e-3 <= values[i]! && values[i]! <= high + 1e-3).toBe(true);
    expect(row.querySelector('.whisker')).not.toBeNull();
  }
  // The logarithm of what the network does without a.own is that of a coin, or worse.
  const base = read(/([\d.]+) nats/.exec(root().querySelector('caption')!.textContent!)![1]);
  expect(base + values[0]!).toBeGreaterThan(0.6);
  expect(await training.run!.model.flatParameters.read()).toEqual(weights);
  expect(session.snapshot.fault).toBeUndefined();
});

test('credit applicants: categories are dealt out whole, prototypes and rows say 0 and 1 as the table does', async () => {
  const credit = await loadKnown('german-credit');
  expect([credit.train.size, credit.test.size]).toEqual([750, 250]);
  const { page, session, training } = await mount('#data=german-credit&rate=0.01&hidden=8', { loadData: async () => credit });
  for (let i = 0; i < 30; i++) await training.single();
  await session.looked();
  const root = await open(page, 'whole-importance');
  await find(root, 30);
  const rows = [...root().querySelectorAll('tbody tr th')].map(({ textContent }) => textContent!.trim());
  expect(rows).toHaveLength(20);
  for (const name of ['CheckingAccountStatus', 'Purpose', 'Duration']) expect(rows).toContain(name);

  const prototypes = await open(page, 'whole-prototypes');
  await find(prototypes, 30);
  const cells = [...prototypes().querySelectorAll('tbody tr')].filter((row) =>
    row.querySelector('th')!.textContent!.includes('CheckingAccountStatus.'),
  );
  expect(cells.length).toBeGreaterThan(2);
  for (const row of cells) for (const cell of row.querySelectorAll('td')) expect(['0', '1']).toContain(cell.textContent!.trim());
  const fields = [...inside(page, 'studio-example').shadowRoot!.querySelectorAll<HTMLInputElement>('tbody input')];
  expect(fields).toHaveLength(61);
  for (const { ariaLabel, value } of fields) if (ariaLabel!.includes('.')) expect(['0', '1'], ariaLabel!).toContain(value);
});

test('importance of an image is a map of squares with its step, and can be ended', async () => {
  const { page, training } = await mount('#rate=0.01');
  for (let i = 0; i < 30; i++) await training.single();
  const root = await open(page, 'whole-importance');
  const button = () => root().querySelector<HTMLButtonElement>('.head button')!;
  button().click();
  await expect.poll(() => root().querySelector('progress')?.value ?? 0, PATIENTLY).toBeGreaterThan(0);
  button().click();
  await expect.poll(() => root().querySelector('progress'), PATIENTLY).toBeNull();
  expect(root().querySelector('tensor-view')).toBeNull();
  await find(root, 30);
  expect(root().querySelectorAll('tbody tr')).toHaveLength(4);
  const map = inside(root().host, 'tensor-view', '[role=img]');
  expect(map.getAttribute('aria-label')).toContain('step 30');
  expect(inside(root().host, 'tensor-view', '#twin').textContent).toMatch(/rows \d–\d, columns \d–\d/);
});

test('partial dependence: the curve of the chosen example passes through its own value and logit, in the units of the table', async () => {
  const { page, session, training } = await mount('#rate=0.02&hidden=8&class=1&example=3', { loadData: async () => tableData() });
  for (let i = 0; i < 60; i++) await training.single();
  await session.looked();
  const root = await open(page, 'whole-dependence');
  await find(root, 60);
  expect(root().querySelectorAll('.uplot canvas')).toHaveLength(1);
  const cells = (of: string): number[] => [...root().querySelectorAll(`tr[data-of=${of}] td`)].map(({ textContent }) => read(textContent));
  const grid = [...root().querySelectorAll('thead th.number')].map(({ textContent }) => read(textContent));
  expect(grid[0]!).toBeGreaterThan(85);
  expect(grid.at(-1)!).toBeLessThan(115);
  // The logit of 'high' rises with a.own, for the mean and for the example.
  for (const of of ['mean', 'own']) expect(cells(of).at(-1)! - cells(of)[0]!).toBeGreaterThan(1);
  const { example, run } = session.snapshot;
  const { mean, deviation } = run!.data.scaling!;
  const at = example!.values.slice();
  at[0] = (grid[0]! - mean[0]!) / deviation[0]!;
  const logits = await run!.model.logits(at);
  expect(Math.abs((await logits.read())[1]! - cells('own')[0]!)).toBeLessThan(0.02);
  logits.dispose();

  const select = root().querySelector('select')!;
  select.value = '1';
  select.dispatchEvent(new Event('change'));
  await expect.poll(() => root().querySelector('thead th')?.textContent, PATIENTLY).toBe('a.more');
  await expect.poll(() => Math.abs(cells('mean').at(-1)! - cells('mean')[0]!), PATIENTLY).toBeLessThan(1);
  await languageChoice.choose('zh');
  await expect.poll(() => root().querySelector('h3')!.textContent, PATIENTLY).toBe('部分依赖');
});

test('partial dependence of an image is of the locked pixel; without one it says so', async () => {
  const { page, session, training } = await mount('#rate=0.01');
  for (let i = 0; i < 12; i++) await training.single();
  const root = await open(page, 'whole-dependence');
  expect(root().textContent).toContain('no pixel is locked');
  session.send({ do: 'choose', choices: { pixel: 19 } });
  await session.looked();
  await expect.poll(() => root().querySelector('.head button'), PATIENTLY).not.toBeNull();
  await find(root, 12);
  expect(root().querySelector('thead th')!.textContent).toBe('[2, 3]');
});

test('layers compared: each is like itself, and the table is symmetric', async () => {
  const { page, training } = await mount('#rate=0.01&hidden=12-9');
  for (let i = 0; i < 12; i++) await training.single();
  const root = await open(page, 'whole-similarity');
  await find(root, 12);
  expect([...root().querySelectorAll('thead th')].map(({ textContent }) => textContent)).toEqual([
    'input',
    'dense_1',
    'dense_2',
    'dense_3',
  ]);
  const values = [...root().querySelectorAll('tbody tr')].map((row) =>
    [...row.querySelectorAll('td')].map(({ textContent }) => read(textContent)),
  );
  for (const [i, row] of values.entries()) {
    expect(row[i]).toBe(1);
    for (const [j, value] of row.entries()) expect(value).toBe(values[j]![i]);
  }
  expect(values[0]![3]!).toBeLessThan(1);
});
