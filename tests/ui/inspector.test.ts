import { expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { Tensor } from '../../src/engine/index.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? 'none').replaceAll(',', '').replace('−', '-'));

/** What is printed beside a name, as a number. */
const printed = (page: Element, name: string): number =>
  read(
    [...inside(page, 'tensor-inspector').shadowRoot!.querySelectorAll('dl > div')]
      .find((row) => row.querySelector('dt')!.textContent === name)
      ?.querySelector('dd')?.textContent,
  );

const type = async (input: HTMLInputElement, text: string): Promise<void> => {
  await userEvent.fill(input, text);
  await userEvent.keyboard('{Enter}');
};

test('the statistics are of what is shown: of the whole tensor, or of the one unit', async () => {
  const { page, session } = await mount('#hidden=16&tensor=dense_1/weight');
  const tensor = session.snapshot.tensors.get('dense_1/weight') as Tensor;
  const all = Float32Array.from(await tensor.read());
  const unit = all.filter((_value, i) => i % 16 === 5);
  const expectOf = async (values: Float32Array): Promise<void> => {
    await expect.poll(() => printed(page, 'Values'), PATIENTLY).toBe(values.length);
    expect(printed(page, 'Min')).toBeCloseTo(Math.min(...values), 3);
    expect(printed(page, 'Max')).toBeCloseTo(Math.max(...values), 3);
    expect(printed(page, 'Mean')).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 3);
  };
  await expectOf(all);
  const field = inside<HTMLInputElement>(page, 'tensor-inspector', '.unit');
  await type(field, '5');
  await expectOf(unit);
  expect(inside(page, 'tensor-inspector').shadowRoot!.textContent).toContain('Of unit 5 alone:');

  // A unit that there is not changes nothing and is said.
  await type(field, '99');
  await expect.element(browser.getByRole('alert')).toHaveTextContent('There are units 0 to 15.');
  expect(field.value).toBe('99');
  expect(field.getAttribute('aria-invalid')).toBe('true');
  expect(printed(page, 'Values')).toBe(unit.length);
  await type(field, '');
  await expectOf(all);
  expect(field.getAttribute('aria-invalid')).toBe('false');
});

test('where the colours end before the values do, it is said; with the scale of the largest it is not', async () => {
  const { page, session } = await mount('#hidden=64&tensor=dense_1/weight');
  const note = () => inside(page, 'tensor-inspector').shadowRoot!.querySelector('[data-note=beyond]')?.textContent;
  await expect.poll(() => printed(page, 'Values'), PATIENTLY).toBe(64 * 64);
  expect(note()).toBeUndefined();
  const weight = session.snapshot.tensors.get('dense_1/weight') as Tensor;
  const values = Float32Array.from(await weight.read());
  values[7] = -3;
  weight.write(values);
  session.send({ do: 'choose', choices: { tensor: 'dense_1/bias' } });
  session.send({ do: 'choose', choices: { tensor: 'dense_1/weight' } });
  await expect.poll(() => printed(page, 'Min'), PATIENTLY).toBe(-3);
  await expect.poll(note, PATIENTLY).toMatch(/The colours end at ±0\.\d+/);
});

test('a search that finds nothing says so in sight, and what a lock keeps in view is what there is', async () => {
  const { page, session } = await mount('#hidden=16&tensor=dense_1/weight');
  const status = inside(page, 'tensor-inspector', '[role=status]');
  await userEvent.fill(browser.getByRole('searchbox', { name: 'Search the tensors' }), 'zebra');
  await expect.poll(() => status.textContent, PATIENTLY).toContain('No tensor has this in its name.');
  expect(status.getBoundingClientRect().height).toBeGreaterThan(8);
  const hint = () => inside(page, 'tensor-inspector', '.hint').textContent;
  expect(hint()).toContain('both of Adam’s moments');
  session.send({ do: 'choose', choices: { tensor: 'activation/dense_1' } });
  await expect.poll(hint, PATIENTLY).toBe('Click a cell to lock it: its value stays in view.');
  session.send({ do: 'recipe', changes: { optimizer: 'sgd' } });
  session.send({ do: 'choose', choices: { tensor: 'dense_1/weight' } });
  await expect.poll(hint, PATIENTLY).toContain('its velocity');
});

test('a locked cell has its numbers in full, inside the panel, at two steps', async () => {
  const { page, session, training } = await mount('#hidden=16&tensor=dense_1/weight&cell=37@dense_1/weight');
  for (let i = 0; i < 2; i++) await training.single();
  await session.looked();
  const table = () => inside(page, 'tensor-inspector').shadowRoot!.querySelector('.cell table');
  await expect.poll(() => table()?.querySelectorAll('[data-when=before]').length, PATIENTLY).toBe(4);
  const panel = inside(page, 'tensor-inspector', '.cell').getBoundingClientRect();
  for (const number of table()!.querySelectorAll('td.number')) {
    expect(number.getBoundingClientRect().right).toBeLessThanOrEqual(panel.right);
    expect(number.scrollWidth).toBeLessThanOrEqual(number.clientWidth);
  }
  const box = table()!.parentElement!;
  expect(box.scrollWidth).toBeLessThanOrEqual(box.clientWidth);
});
