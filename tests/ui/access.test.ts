import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { languageChoice } from '../../src/ui/language.ts';
import type { TensorView } from '../../src/ui/maps/tensor-view.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const focused = (): Element | null => {
  let element: Element | null = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
};

/** Tabs on until the focus is on what is wanted. */
async function tabTo(wanted: (element: Element) => boolean): Promise<Element> {
  for (let i = 0; i < 120; i++) {
    await userEvent.tab();
    const element = focused();
    if (element && wanted(element)) return element;
  }
  throw new Error('Tab never came there');
}

/** What a screen reader is told beside the picture that has the focus. */
const described = (element: Element): string =>
  (element.getRootNode() as ShadowRoot).getElementById(element.getAttribute('aria-describedby') ?? '')?.textContent?.trim() ?? '';

/** Every word of the accessibility tree: names and texts of what is not hidden from it. */
function words(root: ParentNode): string[] {
  const found: string[] = [];
  const walk = (node: Node): void => {
    if (node instanceof Element) {
      if (node.getAttribute('aria-hidden') === 'true' || node.matches('style, script, option, code, kbd, [lang=en]')) return;
      if (!node.checkVisibility()) return;
      for (const name of ['aria-label', 'title', 'placeholder', 'label']) {
        const value = node.getAttribute(name);
        if (value && !(name === 'label' && node instanceof HTMLOptGroupElement)) found.push(value);
      }
      if (node.shadowRoot) for (const child of node.shadowRoot.childNodes) walk(child);
    }
    if (node.nodeType === Node.TEXT_NODE && node.textContent?.trim()) found.push(node.textContent.trim());
    for (const child of node.childNodes) walk(child);
  };
  for (const child of root.childNodes) walk(child);
  return found;
}

describe('without a mouse and without sight', () => {
  test('which three pixels most supported class 7: by the keyboard and the accessibility tree, as the JSON has it', async () => {
    const { page, session, training } = await mount('#rate=0.01&example=1&methods=integratedGradients');
    for (let i = 0; i < 30; i++) await training.single();
    await session.looked();
    (document.activeElement as HTMLElement | null)?.blur();
    await userEvent.keyboard('7');
    await until(() => session.snapshot.choices.target === 7);
    await session.looked();
    await page.updateComplete;
    const map = await tabTo((element) => element.getAttribute('aria-label')?.startsWith('Integrated Gradients') ?? false);
    expect(map.getAttribute('role')).toBe('img');
    await expect.poll(() => described(map), PATIENTLY).toMatch(/^Largest:/);
    const told = [
      ...described(map)
        .split('Smallest')[0]!
        .matchAll(/row (\d+), column (\d+): ([\d.e−]+)/g),
    ].map((match) => ({
      index: Number(match[1]) * 8 + Number(match[2]),
      value: Number(match[3]!.replace('−', '-').replace(/\.$/, '')),
    }));
    expect(told).toHaveLength(3);

    // The file that the page saves.
    let saved: Blob | undefined;
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob: Blob) => {
      saved = blob;
      return createObjectURL.call(URL, blob);
    };
    try {
      await userEvent.click(browser.getByRole('button', { name: 'Save maps' }));
      await until(() => saved !== undefined);
    } finally {
      URL.createObjectURL = createObjectURL;
    }
    const { maps } = JSON.parse(await saved!.text());
    expect(maps).toHaveLength(1);
    expect(maps[0]).toMatchObject({ method: 'integratedGradients', target: 7, step: 30, shape: [8, 8, 1] });
    const order = (maps[0].values as number[]).map((value, index) => ({ value, index })).sort((a, b) => b.value - a.value);
    expect(told.map(({ index }) => index)).toEqual(order.slice(0, 3).map(({ index }) => index));
    for (const [i, { value }] of told.entries()) expect(value).toBeCloseTo(order[i]!.value, 2);
  });

  test('the arrows walk the cells of a map and say their values, Enter locks one everywhere, Escape frees it', async () => {
    const { page, session } = await mount('#example=2');
    await until(() => session.snapshot.cards.every(({ map }) => map));
    (document.activeElement as HTMLElement | null)?.blur();
    const map = await tabTo((element) => element.getAttribute('aria-label')?.startsWith('Gradient,') ?? false);
    await userEvent.keyboard('{ArrowRight}{ArrowDown}');
    const { values } = session.snapshot.cards[0]!.map!;
    const live = (): string => (map.getRootNode() as ShadowRoot).querySelector('[aria-live]')!.textContent!.trim();
    await expect.poll(live, PATIENTLY).toMatch(/^row 1, column 1: /);
    expect(Number(live().split(': ')[1]!.replace('−', '-'))).toBeCloseTo(values![9]!, 3);
    await userEvent.keyboard('{Enter}');
    await until(() => session.snapshot.choices.pixel === 9);
    // The sign can be read without colour: it is written at the locked cell.
    await expect
      .poll(() => (map.getRootNode() as ShadowRoot).querySelector('.locked .tag')?.textContent ?? '', PATIENTLY)
      .toMatch(values![9]! < 0 ? /^−/ : /^\+/);
    await userEvent.keyboard('{Escape}');
    await until(() => session.snapshot.choices.pixel === undefined);
    expect(page.isConnected).toBe(true);
  });

  test('shortcuts can be turned off, and on again, in the help', async () => {
    const { session } = await mount('#class=2');
    const help = () => browser.getByRole('button', { name: 'Keyboard and help' });
    const press = async (): Promise<void> => {
      (document.activeElement as HTMLElement | null)?.blur();
      await userEvent.keyboard('7');
    };
    const keys = browser.getByRole('checkbox', { name: 'These keys act on the studio' });
    try {
      await userEvent.click(help());
      await userEvent.click(keys);
      await userEvent.keyboard('{Escape}');
      await press();
      expect(session.snapshot.choices.target).toBe(2);
      await userEvent.click(help());
      await expect.element(keys).not.toBeChecked();
      await userEvent.click(keys);
      await userEvent.keyboard('{Escape}');
      await press();
      await until(() => session.snapshot.choices.target === 7);
    } finally {
      localStorage.removeItem('vitrine.shortcuts');
    }
  });

  test('a large tensor and the input have a text twin, too, which is what they are; off screen no scale is told that is not theirs', async () => {
    const { page, session, training } = await mount('#hidden=128&methods=saliency');
    await training.single();
    await session.looked();
    const views = () => [...inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll<TensorView>('tensor-view')];
    const twin = (view: TensorView): string => view.shadowRoot!.querySelector('#twin')!.textContent!.trim();
    const weights = (await training.run!.trainer.tensors.get('dense_1/weight')!.read()) as Float32Array;
    expect(weights.length).toBeGreaterThan(4096);
    const [input, weight] = views() as [TensorView, TensorView];
    await expect.poll(() => twin(weight), PATIENTLY).toMatch(/^Largest: unit \d+, row \d, column \d: /);
    const first = Number(/: ([\d.]+);/.exec(twin(weight))![1]);
    expect(first).toBeCloseTo(Math.max(...weights), 3);
    expect(twin(weight)).toMatch(/Smallest: .*: −[\d.]+\.$/);
    const { values } = session.snapshot.example!;
    await expect
      .poll(() => twin(input), PATIENTLY)
      .toBe(`Not 0: ${values.filter((value) => value !== 0).length} of 64 pixels, in rows 0 to 7 and columns 0 to 7.`);
    // On screen it tells its scale; off screen it is not drawn, and tells none.
    const name = (): string => weight.shadowRoot!.querySelector('.frame')!.getAttribute('aria-label')!;
    await expect.poll(name, PATIENTLY).toMatch(/step 1, scale from −[\d.]+ to \+[\d.]+$/);
    weight.style.cssText = 'position: fixed; top: -2000px; width: 100px';
    await expect.poll(name, PATIENTLY).toMatch(/step 1$/);
  });

  test('every picture, field and button has a name, regions have theirs, and ids are not met twice', async () => {
    const { page } = await mount('#tensor=dense_1/weight&cell=3@dense_1/weight');
    const nameless: string[] = [];
    const regions: string[] = [];
    const walk = (root: ParentNode): void => {
      const ids = [...root.querySelectorAll('[id]')].map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const element of root.querySelectorAll('*')) {
        const named = element.getAttribute('aria-label') || element.textContent?.trim() || (element as HTMLInputElement).labels?.length;
        if (element.matches('button, input, select, [role=img]:not(svg), summary') && !named)
          nameless.push(element.outerHTML.slice(0, 120));
        if (element.getAttribute('role') === 'region') regions.push(element.getAttribute('aria-label') ?? '');
        if (element.shadowRoot) walk(element.shadowRoot);
      }
    };
    walk(page.shadowRoot!);
    expect(nameless).toEqual([]);
    expect(regions).toEqual(expect.arrayContaining(['Example', 'Network', 'Why', 'Inspector', 'Time']));
  });
});

describe('in Chinese', () => {
  test('no Latin word is left but identifiers, names of methods and units', async () => {
    await languageChoice.choose('zh');
    const { page, session, training } = await mount(
      '#tensor=dense_1/weight&cell=3@dense_1/weight&methods=saliency,inputXGradient,guidedBackprop,occlusion',
    );
    await languageChoice.choose('zh');
    for (let i = 0; i < 3; i++) await training.single();
    await session.looked();
    await page.updateComplete;
    const allowed =
      /Vitrine|English|MNIST|Adam|SGD|GPU|CPU|JSON|PNG|CSV|IDX|FGSM|Esc|Tab|safetensors|dense|weight|bias|google|swiftshader|float32|uint32|ReLU|softmax|none|NaN|MB|[\w]*[_/][\w/]*|\b(w|g|m|v|t|n|R|e)\b|\d+e−?\d+/g;
    const left = words(page.shadowRoot!)
      .map((text) => text.replaceAll(allowed, ''))
      .filter((text) => /[A-Za-z]{2,}/.test(text));
    expect(left).toEqual([]);
  });
});

describe('with a thumb, on 360 × 740', () => {
  test('drawing does not scroll, the transport stays in sight, and nothing is wider than 320', async () => {
    await browser.viewport(320, 740);
    try {
      const { page, session } = await mount('#tensor=dense_1/weight&cell=3@dense_1/weight');
      await page.updateComplete;
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(320);
      const wide: string[] = [];
      const walk = (root: ParentNode): void => {
        for (const element of root.querySelectorAll('*')) {
          if (element.checkVisibility() && !element.closest('.hidden') && element.getBoundingClientRect().right > 321) {
            wide.push(`${element.tagName}.${element.className}`);
          }
          if (element.shadowRoot) walk(element.shadowRoot);
        }
      };
      walk(page.shadowRoot!);
      expect(wide).toEqual([]);
      const transport = inside(page, 'studio-time', '.transport').getBoundingClientRect();
      expect(transport.top).toBeGreaterThan(300);
      expect(transport.bottom).toBeLessThanOrEqual(740);

      await userEvent.click(browser.getByRole('button', { name: 'Draw', exact: true }));
      await until(() => inside(page, 'studio-example').shadowRoot!.querySelector('drawing-pad') !== null);
      await page.updateComplete;
      const pad = inside(page, 'studio-example', 'drawing-pad', 'canvas');
      expect(getComputedStyle(pad).touchAction).toBe('none');
      expect(pad.getBoundingClientRect().width).toBeGreaterThanOrEqual(180);
      expect(session.snapshot.choices.example.kind).toBe('test');
    } finally {
      await browser.viewport(1280, 800);
    }
  });
});
