import axe from 'axe-core';
import type { LitElement } from 'lit';
import { expect, test } from 'vitest';
import { page as browser } from 'vitest/browser';
import { clauses } from '../../src/data/clauses.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const texts = clauses({ train: 300, test: 30 });
const VIEWS = ['whole-prototypes', 'whole-importance', 'whole-dependence', 'whole-tree', 'whole-similarity'];

async function seriousViolations(): Promise<string[]> {
  const { violations } = await axe.run(document.querySelector('vitrine-page') as Element, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    resultTypes: ['violations'],
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ target, failureSummary }) => `${target.flat().join(' ')} — ${failureSummary}`).join('\n  ')}`,
    );
}

test.each([
  ['images', '#rate=0.01&pixel=19', undefined],
  ['texts', '#data=clauses&hidden=8&rate=0.01&methods=integratedGradients,occlusion', texts],
] as const)(
  'with every view of the whole filled in, a page of %s is no wider than 320 and axe finds nothing serious',
  async (_name, hash, data) => {
    await browser.viewport(320, 740);
    try {
      const { page, session, training } = await mount(hash, data ? { loadData: async () => data } : {});
      for (let i = 0; i < 15; i++) await training.single();
      await session.looked();
      inside<HTMLDetailsElement>(page, '.centre details').open = true;
      await customElements.whenDefined('studio-whole');
      await inside<LitElement>(page, 'studio-whole').updateComplete;
      for (const view of VIEWS) {
        const root = inside<LitElement>(page, 'studio-whole', view);
        await root.updateComplete;
        const button = root.renderRoot.querySelector<HTMLButtonElement>('.head button');
        if (!button) continue;
        button.click();
        await expect.poll(() => root.renderRoot.querySelector('.head')!.textContent, { timeout: 90_000 }).toContain('From step 15');
      }
      if (data) {
        const attention = inside(page, 'studio-whole', 'whole-attention');
        attention.scrollIntoView();
        await expect.poll(() => attention.shadowRoot!.querySelectorAll('.steps tbody tr').length, PATIENTLY).toBeGreaterThan(3);
      }
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(320);
      expect(await seriousViolations()).toEqual([]);
    } finally {
      await browser.viewport(1280, 800);
    }
  },
);
