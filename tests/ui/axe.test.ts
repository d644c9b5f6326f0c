import axe from 'axe-core';
import { describe, expect, test } from 'vitest';
import { page as browser } from 'vitest/browser';
import { languageChoice } from '../../src/ui/language.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** Serious and critical violations of WCAG 2.2 AA as axe finds them, each with the places where it found it. */
async function violations(): Promise<string[]> {
  const { violations: found } = await axe.run(document.querySelector('vitrine-page') as Element, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    resultTypes: ['violations'],
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target.flat().join(' ')} — ${failureSummary?.replaceAll('\n', ' ')}`).join('\n  ')}`,
    );
}

describe('axe finds no serious violation', () => {
  test.each([
    ['the studio before the first step', ''],
    ['the studio with a tensor, a locked cell and a changed copy', '#tensor=dense_1/weight&cell=5@dense_1/weight&pixel=9&whatif=random:1'],
    ['the engine', '#page=engine'],
    ['the benchmark', '#page=bench'],
    ['the self-test', '#page=self-test'],
  ])('on %s', async (_name, hash) => {
    const { page, session, training } = await mount(hash);
    await page.updateComplete;
    if (hash !== '') await training.single();
    await session.looked();
    await page.updateComplete;
    // Pages that come with their first visit.
    const lazy = { '#page=bench': 'vitrine-bench', '#page=self-test': 'vitrine-self-test', '#page=engine': 'vitrine-plan' }[hash];
    if (lazy) await until(() => customElements.get(lazy) !== undefined && inside(page, lazy).shadowRoot?.childElementCount !== 0);
    expect(await violations()).toEqual([]);
  });

  test('on the studio in Chinese at the size of a telephone, with everything unfolded', async () => {
    await browser.viewport(360, 740);
    try {
      const { page, session, training } = await mount();
      await languageChoice.choose('zh');
      await training.single();
      await session.looked();
      inside<HTMLElement>(page, 'studio-time', '.unfold').click();
      for (const details of inside(page, 'studio-time').shadowRoot!.querySelectorAll('details')) details.open = true;
      for (const details of page.shadowRoot!.querySelectorAll('details')) details.open = true;
      await until(() => customElements.get('studio-whole') !== undefined);
      await page.updateComplete;
      expect(await violations()).toEqual([]);
    } finally {
      await browser.viewport(1280, 800);
    }
  });
});
