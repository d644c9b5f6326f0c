import axe from 'axe-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { page as browser } from 'vitest/browser';
import { languageChoice } from '../../src/ui/language.ts';
import { SITUATIONS } from '../../src/ui/states/situations.ts';
import { drawStates } from '../../src/ui/states/states.ts';
import { PATIENTLY, until } from './mounted-page.ts';

const page = document.createElement('main');

/** What an element says, in the elements that it is made of too; not what only the eye is told by style sheets. */
function textOf(node: Node): string {
  if (node instanceof HTMLStyleElement) return '';
  if (node instanceof Text) return node.data;
  const inside = node instanceof Element ? (node.shadowRoot ?? node) : node;
  return [...inside.childNodes].map(textOf).join(' ');
}

const place = (region: string, state: string): Element => {
  const found = page.querySelector(`[data-region="${region}"][data-state="${state}"]`);
  if (!found) throw new Error(`${region} is not drawn in the state ${state}`);
  return found;
};

const said = (region: string, state: string): string => textOf(place(region, state)).replaceAll(/\s+/g, ' ');

beforeAll(async () => {
  await languageChoice.choose('en', false);
  document.body.append(page);
  await drawStates(page);
  await until(() => said('why', 'ready').includes('Why 7?') && said('whole', 'recorded').trim() !== '');
});

afterAll(async () => {
  page.remove();
  await languageChoice.choose('en', false);
  await browser.viewport(1280, 800);
});

const regions = ['header', 'notices', 'example', 'network', 'why', 'inspector', 'whole', 'time'];

describe('every region in every state', () => {
  test.each(regions)('%s is drawn, and says nothing that a program says', (region) => {
    for (const state of SITUATIONS)
      expect(`${state}: ${said(region, state)}`).not.toMatch(/undefined|NaN|\[object|Infinity|−1\b.*predicted/);
  });

  test('what is absent gives its reason', () => {
    expect(said('why', 'empty')).toContain('There is no network yet.');
    expect(said('network', 'empty')).toContain('There is no network yet.');
    expect(said('inspector', 'empty')).toContain('There is no network yet.');
    expect(said('whole', 'loading')).toContain('There is no network yet.');
    expect(said('whole', 'recorded')).toContain('a recorded session has none of it');
    expect(said('time', 'loading')).toContain('Loading MNIST 38%');
    expect(said('why', 'running')).toContain('Computing…');
    expect(said('why', 'stale')).toContain('refresh to see it now');
    expect(said('why', 'error')).toContain('To mend: ask for fewer steps');
    expect(said('why', 'lost')).toContain('The GPU is gone');
    expect(said('why', 'diverged').match(/The logits are not finite/g)).toHaveLength(4);
    expect(said('why', 'diverged')).toContain('the predicted class');
    expect(said('notices', 'lost')).toContain('is kept and will go on from there');
    expect(said('notices', 'recovered')).toContain('nothing is lost');
    expect(said('network', 'fixed')).toContain('of the page around the studio');
    expect(said('header', 'fixed')).not.toContain('Share');
  });

  test('in Chinese, none is in another language but for names', async () => {
    await languageChoice.choose('zh', false);
    await expect.poll(() => said('why', 'ready'), PATIENTLY).toContain('为什么是 7？');
    const names =
      /Yann LeCun|Corinna Cortes|Christopher J\. C\. Burges|CC BY-SA|Tab|Esc|Vitrine|English|MNIST|AdamW?|SGD|GPU|JSON|CSV|PNG|FGSM|PGD|ReLU|DeepLIFT|SmoothGrad|Integrated Gradients|LRP|dense|activation|weight|bias|input|softmax|float32|measures\.csv|guidedBackprop|integratedGradients|Chrome|Edge|Firefox|Safari|[\w]*[_/][\w/]*|\b[wgmvtn]\b|\bn\b/g;
    for (const region of regions) {
      for (const state of SITUATIONS)
        expect(`${said(region, state).replaceAll(names, '')}`, `${region}, ${state}`).not.toMatch(/[A-Za-z]{2,}/);
    }
    await languageChoice.choose('en', false);
  });

  test('axe finds nothing serious in any', { timeout: 120_000 }, async () => {
    const { violations } = await axe.run(page, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      resultTypes: ['violations'],
    });
    const found = violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${target.flat().join(' ')} — ${failureSummary?.slice(0, 200)}`),
      );
    expect(found).toEqual([]);
  });

  test('nothing is wider than a narrow screen', async () => {
    await browser.viewport(320, 800);
    // Which, by name.
    const wide = (): string[] =>
      [...page.querySelectorAll<HTMLElement>('[data-region]')]
        .filter((each) => each.scrollWidth > 320)
        .map(({ dataset, scrollWidth }) => `${dataset.region} ${dataset.state}: ${scrollWidth}`);
    await expect.poll(wide, PATIENTLY).toEqual([]);
  });
});
