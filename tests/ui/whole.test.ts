import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { languageChoice } from '../../src/ui/language.ts';
import type { StudioWhole } from '../../src/ui/whole/studio-whole.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY } from './mounted-page.ts';

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
  expect(inside(page, 'studio-whole').shadowRoot).toBeNull();
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

  languageChoice.choose('zh');
  await expect.poll(() => inside(page, 'studio-whole', 'whole-weights', 'h3').textContent, PATIENTLY).toBe('权重');
});
