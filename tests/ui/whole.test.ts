import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { languageChoice } from '../../src/ui/language.ts';
import { METHOD_NAMES } from '../../src/ui/session/methods.ts';
import type { StudioWhole } from '../../src/ui/whole/studio-whole.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replaceAll('−', '-').replaceAll(',', ''));

/** Opens the views, which are fetched with that. */
async function open(page: Element): Promise<void> {
  inside<HTMLDetailsElement>(page, '.centre details').open = true;
  await customElements.whenDefined('studio-whole');
  const views = inside<StudioWhole>(page, 'studio-whole');
  await views.updateComplete;
  await inside<LitElement>(views, 'whole-weights').updateComplete;
}

test('weights: nothing before it is opened; then the norm of every tensor, its step, and a refresh that leaves the run alone', async () => {
  const { page, training } = await mount('#rate=0.01');
  // It is fetched when it is opened; where another page has fetched it already, it computes nothing before.
  const early = inside(page, 'studio-whole').shadowRoot?.querySelector('whole-weights')?.shadowRoot;
  expect(early?.querySelectorAll('tbody tr').length ?? 0).toBe(0);
  await open(page);
  const rows = () => [...inside(page, 'studio-whole', 'whole-weights').shadowRoot!.querySelectorAll<HTMLElement>('tbody tr')];
  const { parameters } = training.run!.model;
  await expect.poll(() => rows().map(({ dataset }) => dataset.tensor), PATIENTLY).toEqual([...parameters.keys()]);
  const normOf = (name: string): number =>
    read(
      rows()
        .find(({ dataset }) => dataset.tensor === name)!
        .querySelector('[data-of=norm]')!.textContent,
    );
  const before = normOf('dense_1/weight');
  const norm = async (): Promise<number> => Math.hypot(...(await parameters.get('dense_1/weight')!.read()));
  expect(Math.abs(before / (await norm()) - 1)).toBeLessThan(0.006);

  for (let i = 0; i < 10; i++) await training.single();
  await page.updateComplete;
  expect(normOf('dense_1/weight')).toBe(before);
  const weights = await parameters.get('dense_1/weight')!.read();
  const button = () => inside(page, 'studio-whole', 'whole-weights').shadowRoot!.querySelector('button');
  await expect.poll(() => button()?.textContent?.trim(), PATIENTLY).toBe('From step 0, refresh');
  button()!.click();
  await expect.poll(() => inside(page, 'studio-whole', 'whole-weights', '.head').textContent, PATIENTLY).toContain('From step 10');
  expect(button()).toBeNull();
  expect(normOf('dense_1/weight')).not.toBe(before);
  expect(Math.abs(normOf('dense_1/weight') / (await norm()) - 1)).toBeLessThan(0.006);
  expect(await parameters.get('dense_1/weight')!.read()).toEqual(weights);

  await languageChoice.choose('zh');
  await expect.poll(() => inside(page, 'studio-whole', 'whole-weights', 'h3').textContent, PATIENTLY).toBe('权重');
});

test('tree: a diagram grown on demand from the answers of the network, in which the one way of the chosen example is lit', async () => {
  const { page, session, training } = await mount('#rate=0.01');
  for (let i = 0; i < 12; i++) await training.single();
  await open(page);
  const root = () => inside(page, 'studio-whole', 'whole-tree').shadowRoot!;
  expect(root().querySelector('.tree')).toBeNull();
  root().querySelector('button')!.click();
  await expect.poll(() => root().querySelectorAll('.node.leaf').length, PATIENTLY).toBeGreaterThan(1);
  expect(root().querySelector('.head')!.textContent).toContain('From step 12');
  expect(training.step).toBe(12);
  // Depth 0 says the commonest class of the training rows for everything.
  const shares = [...root().querySelectorAll('[data-of=held-out]')].map(({ textContent }) => Number.parseFloat(textContent ?? ''));
  expect(shares.length).toBeGreaterThan(1);
  expect(shares[0]).toBeLessThanOrEqual(Number.parseFloat(/[\d.]+(?=%)/.exec(root().querySelector('.majority')!.textContent!)![0]));
  // Every node but the first hangs on a line, boxes do not overlap, and none leaves the picture.
  const nodes = [...root().querySelectorAll<SVGGElement>('.node')];
  expect(root().querySelectorAll('.branch')).toHaveLength(nodes.length - 1);
  const boxes = nodes.map((node) => node.querySelector('.box')!.getBoundingClientRect());
  const whole = root().querySelector('.tree')!.getBoundingClientRect();
  for (const [i, a] of boxes.entries()) {
    expect(a.left >= whole.left && a.right <= whole.right && a.top >= whole.top && a.bottom <= whole.bottom).toBe(true);
    const text = nodes[i]!.querySelector('text')!.getBoundingClientRect();
    // With room on both sides, when it is lit, too.
    expect(text.width).toBeLessThanOrEqual(a.width - 12);
    for (const b of boxes.slice(i + 1)) expect(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top).toBe(true);
  }

  // Every question on the way is answered as the example is, and what is lit is told by more than colour.
  const leaves = new Set<string>();
  for (const index of [0, 1, 2, 3]) {
    session.send({ do: 'choose', choices: { example: { kind: 'test', index } } });
    await session.looked();
    await page.updateComplete;
    await inside<LitElement>(page, 'studio-whole', 'whole-tree').updateComplete;
    const { values } = session.snapshot.example!;
    const lit = [...root().querySelectorAll('.node.lit')];
    expect(root().querySelectorAll('path.way')).toHaveLength(lit.length - 1);
    const [leaf] = lit.filter((node) => node.classList.contains('leaf'));
    expect(leaf!.querySelector('.here')!.textContent).toContain('the example');
    expect(root().querySelectorAll('.here')).toHaveLength(1);
    expect(Number.parseFloat(getComputedStyle(leaf!.querySelector('.box')!).strokeWidth)).toBeGreaterThan(1);
    for (const node of lit) {
      const [text, box] = ['text', '.box'].map((part) => node.querySelector(part)!.getBoundingClientRect()) as [DOMRect, DOMRect];
      expect(text.width).toBeLessThanOrEqual(box.width - 12);
    }
    leaves.add((leaf as SVGGElement).dataset.node!);
    const questions = [...root().querySelectorAll('.outline .lit:not(.answer)')].map(({ textContent }) =>
      /\[(\d+), (\d+)\]\s*([≤>])\s*([\d.]+)/.exec(textContent!)!.slice(1),
    );
    expect(questions).toHaveLength(lit.length - 1);
    for (const [row, column, sign, threshold] of questions) {
      expect(values[8 * Number(row) + Number(column)]! <= Number(threshold)).toBe(sign === '≤');
    }
    const said = root().querySelector('.tree')!.getAttribute('aria-label')!;
    for (const [row, column] of questions) expect(said).toContain(`[${row}, ${column}]`);
  }
  expect(leaves.size).toBeGreaterThan(1);
});

test('evaluation: progress and cancel; then the methods on cards ranked beside controls, and a verdict in either language', async () => {
  const { page, session, training } = await mount(
    '#rate=0.01&methods=saliency,inputXGradient,integratedGradients,smoothGrad,deepLift,lrp,guidedBackprop,occlusion',
  );
  for (let i = 0; i < 12; i++) await training.single();
  const weights = await training.run!.model.flatParameters.read();
  await until(() => session.snapshot.cards.length === METHOD_NAMES.length && session.snapshot.cards.every(({ map }) => map));
  await open(page);
  const root = () => inside(page, 'studio-whole', 'whole-evaluation').shadowRoot!;
  const press = (): void => root().querySelector('button')!.click();
  press();
  await expect.poll(() => root().querySelector('progress')?.value ?? 0, PATIENTLY).toBeGreaterThan(0);
  press();
  await expect.poll(() => root().querySelector('progress'), PATIENTLY).toBeNull();
  expect(root().querySelector('.verdict')).toBeNull();
  expect(session.snapshot.fault).toBeUndefined();

  press();
  await expect.poll(() => root().querySelectorAll('.verdict li').length, { timeout: 120_000 }).toBeGreaterThan(0);
  const methods = [...root().querySelectorAll<HTMLElement>('tbody tr:not(.control)')].map(({ dataset }) => dataset.method);
  expect(methods.sort()).toEqual([...METHOD_NAMES].sort());
  expect(root().querySelectorAll('tbody tr.control')).toHaveLength(5);
  expect(root().querySelector('.head')!.textContent).toContain('From step 12');
  expect(await training.run!.model.flatParameters.read()).toEqual(weights);

  await languageChoice.choose('zh');
  const verdict = () => root().querySelector('.verdict')!.textContent!;
  await expect.poll(verdict, PATIENTLY).toMatch(/个样本/);
  // Names of methods stay as their papers have them.
  expect(verdict().replaceAll(/Integrated Gradients|SmoothGrad|DeepLIFT|LRP/g, '')).not.toMatch(/[A-Za-z]/);
});
