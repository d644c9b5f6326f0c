import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { Dataset } from '../../src/engine/index.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { valuesOf } from '../../src/ui/session/shown.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const mapsThere = (session: StudioSession) =>
  until(
    () => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing, fault }) => (map || fault) && !computing),
  );

/** Drags over the input of the maps, from one place to another, as shares of its side. */
function paint(page: Element, from: readonly [x: number, y: number], to: readonly [x: number, y: number]): void {
  const card = inside(page, 'studio-why', 'attribution-map');
  const frame = inside(card, 'tensor-view', '.frame');
  const box = frame.getBoundingClientRect();
  const move = (type: string, t: number, buttons: number): void => {
    frame.dispatchEvent(
      new PointerEvent(type, {
        clientX: box.left + box.width * (from[0] + t * (to[0] - from[0])),
        clientY: box.top + box.height * (from[1] + t * (to[1] - from[1])),
        buttons,
        bubbles: true,
        composed: true,
      }),
    );
  };
  move('pointermove', 0, 0);
  move('pointerdown', 0, 1);
  for (let i = 0; i <= 8; i++) move('pointermove', i / 8, 1);
  move('pointerup', 1, 0);
}

describe('a map can lose', () => {
  test('on a linear model every map keeps its promise, whatever is painted over', async () => {
    const { page, session, training } = await mount(
      '#hidden=none&rate=0.01&example=4&methods=saliency,inputXGradient,integratedGradients,deepLift,occlusion',
    );
    for (let i = 0; i < 20; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    // Occlusion is costly: it keeps its own step until it is asked again.
    await userEvent.click(browser.getByRole('button', { name: 'Compute Occlusion anew' }));
    await until(() => session.snapshot.cards.every(({ map }) => map!.step === 20));
    await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
    paint(page, [0.2, 0.2], [0.7, 0.3]);
    await until(() => session.snapshot.challenges.length === 5);
    const [first] = session.snapshot.challenges;
    expect(first!.cells.length).toBeGreaterThan(8);
    expect(Math.abs(first!.actual)).toBeGreaterThan(0.01);
    for (const row of session.snapshot.challenges) {
      expect(Math.abs(row.promised - row.actual), row.method).toBeLessThan(1e-4);
      expect(row.step).toBe(20);
    }
    // Both numbers stand on each card and in the list, which is kept when more is painted.
    const card = inside(page, 'studio-why', '[data-method=occlusion]');
    const occlusion = session.snapshot.challenges.find(({ method }) => method === 'occlusion')!;
    const written = (value: number): string => value.toPrecision(2).replace('-', '−');
    await expect
      .poll(() => card.shadowRoot!.querySelector('.answer')?.textContent, PATIENTLY)
      .toBe(`map ${written(occlusion.promised)}, network ${written(occlusion.actual)}`);
    const table = inside(page, 'studio-why', '.challenges');
    expect(table.querySelectorAll('tbody tr')).toHaveLength(5);
    // The answer keeps its own step when the maps go on.
    const { step } = session.snapshot;
    session.send({ do: 'step' });
    await until(() => session.snapshot.cards.find(({ method }) => method === 'inputXGradient')?.map?.step === step + 1);
    await expect
      .poll(() => inside(page, 'studio-why', '[data-method=inputXGradient]').shadowRoot!.querySelector('.answer')?.textContent, PATIENTLY)
      .toMatch(new RegExp(`^map .*, network .*, step ${step}$`));
    paint(page, [0.5, 0.6], [0.5, 0.9]);
    await until(() => session.snapshot.challenges.length === 10);
    for (const row of session.snapshot.challenges) expect(Math.abs(row.promised - row.actual)).toBeLessThan(1e-4);
    await expect.poll(() => inside(page, 'studio-why', '.challenges').querySelectorAll('tbody tr').length, PATIENTLY).toBe(10);
  });

  test('while training goes on every row is of one step, and what was promised is what a map of that step says', async () => {
    const { page, session, training } = await mount(
      '#hidden=none&rate=0.001&example=4&epochs=1000&methods=saliency,inputXGradient,smoothGrad,occlusion',
    );
    for (let i = 0; i < 3; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    // The costly ones stay behind.
    void training.start();
    await until(() => training.step > 40);
    await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
    paint(page, [0.2, 0.2], [0.7, 0.3]);
    await until(() => session.snapshot.challenges.length === 4);
    await training.pause();
    const { challenges } = session.snapshot;
    const [{ step, actual }] = challenges as [(typeof challenges)[number]];
    expect(step).toBeGreaterThan(3);
    for (const row of challenges) {
      expect([row.step, row.actual], row.method).toEqual([step, actual]);
      // On a linear model every map keeps its promise, at any step: but only of that step.
      if (row.method !== 'smoothGrad') expect(Math.abs(row.promised - row.actual), row.method).toBeLessThan(1e-4);
    }
    const steps = [...inside(page, 'studio-why', '.challenges').querySelectorAll('tbody tr td:last-child')].map((cell) => cell.textContent);
    expect(new Set(steps).size).toBe(1);
  });

  test('by keyboard alone: Enter paints where the cursor is', async () => {
    const { page, session } = await mount('#hidden=none&example=4&methods=inputXGradient');
    await mapsThere(session);
    (browser.getByRole('button', { name: 'Challenge' }).element() as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    inside(page, 'studio-why', '[data-method=inputXGradient]', 'tensor-view', '.frame').focus();
    await userEvent.keyboard('{ArrowDown}{ArrowRight}{Enter}');
    await until(() => session.snapshot.challenges.length === 1);
    // Three by three, about row 1, column 1.
    expect(session.snapshot.painted).toEqual([0, 1, 2, 8, 9, 10, 16, 17, 18]);
    expect(session.snapshot.choices.pixel).toBeUndefined();
    await userEvent.keyboard('{ArrowRight}{Enter}');
    await until(() => session.snapshot.challenges.length === 2);
    // Each row names its class and prints enough digits to compare the two.
    const cells = [...inside(page, 'studio-why', '.challenges tbody tr').querySelectorAll('td')].map(({ textContent }) =>
      textContent!.trim(),
    );
    const [row] = session.snapshot.challenges;
    expect(cells[0]).toBe('4');
    expect(cells[1]).toBe(session.snapshot.test!.classes![row!.target]);
    expect(Number(cells[2]!.replace('−', '-'))).toBeCloseTo(row!.promised, 3);
    expect(session.snapshot.painted).toHaveLength(12);
  });

  test('what is painted over is hatched in every map, no card covers it, and Esc ends the challenge', async () => {
    const { page, session } = await mount('#hidden=8&example=4&methods=inputXGradient');
    await mapsThere(session);
    await customElements.whenDefined('cell-cards');
    const marks = () =>
      [...inside(page, 'studio-why').shadowRoot!.querySelectorAll('attribution-map')].map(
        (map) => inside(map, 'tensor-view').shadowRoot!.querySelectorAll('.marks').length,
      );
    const challenge = browser.getByRole('button', { name: 'Challenge' });
    (challenge.element() as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    inside(page, 'studio-why', '[data-method=inputXGradient]', 'tensor-view', '.frame').focus();
    await userEvent.keyboard('{ArrowDown}{ArrowRight}');
    await userEvent.keyboard('{Enter}');
    await until(() => session.snapshot.challenges.length === 1);
    await expect.poll(marks, PATIENTLY).toEqual([1, 1, 1]);
    expect(inside(page, 'cell-cards').shadowRoot!.querySelector('.docked')).toBeNull();
    // Esc leaves the cell first, then the challenge.
    await userEvent.keyboard('{Escape}{Escape}');
    await until(() => session.snapshot.painted.length === 0);
    await expect.element(challenge).toHaveAttribute('aria-pressed', 'false');
    await expect.poll(marks, PATIENTLY).toEqual([0, 0, 0]);
  });

  test('on a network with a hidden layer promise and fact differ, and what the network did is what it does', async () => {
    const { page, session, training } = await mount('#rate=0.01&example=4&methods=saliency,integratedGradients');
    for (let i = 0; i < 30; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
    paint(page, [0.1, 0.1], [0.9, 0.9]);
    await until(() => session.snapshot.challenges.length === 2);
    const { example, challenges, painted, cards } = session.snapshot;
    const changed = example!.values.slice();
    for (const index of painted) changed[index] = 0;
    const logits = await Promise.all([example!.values, changed].map(async (x) => (await training.run!.model.logits(x)).read()));
    const { target } = cards[0]!.map!;
    const actual = logits[1]![target]! - logits[0]![target]!;
    for (const row of challenges) expect(Math.abs(row.actual - actual)).toBeLessThan(1e-5);
    expect(challenges.some((row) => Math.abs(row.promised - row.actual) > 1e-3)).toBe(true);
  });
});

/** Noise of which nothing tells the class, but for a bright 4 × 4 patch in one corner: it is there, and the class is “marked”, or it is not. */
function planted(size: number): Dataset {
  const inputs = new Uint8Array(size * 64);
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 2);
  for (let i = 0; i < inputs.length; i++) {
    const [example, row, column] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
    const inPatch = row < 4 && column >= 4;
    inputs[i] = inPatch ? 255 * labels[example]! : Math.imul(i + 1, 2654435761) >>> 25;
  }
  return { name: 'planted patches', size, inputShape: [8, 8, 1], inputs, labels, classes: ['plain', 'marked'] };
}

test('with a planted patch the maps point at it, and covering it flips the class', async () => {
  const loadData = async () => ({ train: planted(400), test: planted(40) });
  const { page, session, training } = await mount('#rate=0.01&hidden=16&example=1&methods=inputXGradient,integratedGradients', {
    loadData,
  });
  for (let i = 0; i < 40; i++) await training.single();
  await session.looked();
  await mapsThere(session);
  const { prediction, cards } = session.snapshot;
  expect(prediction!.predicted).toBe(1);
  for (const { method, map } of cards) {
    const largest = map!.values!.indexOf(Math.max(...map!.values!));
    expect(Math.floor(largest / 8), method).toBeLessThan(4);
    expect(largest % 8, method).toBeGreaterThanOrEqual(4);
  }

  // What lies elsewhere may be covered without harm.
  await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
  paint(page, [0.2, 0.8], [0.3, 0.9]);
  await until(() => session.snapshot.challenges.length === 2);
  expect(session.snapshot.challenges[0]!.classes).toEqual([1, 1]);
  await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
  await userEvent.click(browser.getByRole('button', { name: 'Challenge' }));
  paint(page, [0.68, 0.18], [0.82, 0.18]);
  await until(() => session.snapshot.challenges.length === 4);
  paint(page, [0.68, 0.32], [0.82, 0.32]);
  await until(() => session.snapshot.challenges.length === 6);
  for (const row of session.snapshot.challenges.slice(0, 2)) {
    expect(row.classes).toEqual([1, 0]);
    expect(row.promised).toBeLessThan(0);
    expect(row.actual).toBeLessThan(0);
  }
});

describe('what if', () => {
  test('with the top layer random, guided backpropagation barely notices and the gradient does; the run keeps its bits', async () => {
    const { page, session, training } = await mount('#rate=0.01&example=4&class=4&methods=saliency,guidedBackprop');
    for (let i = 0; i < 40; i++) await training.single();
    await session.looked();
    await mapsThere(session);
    const bits = await training.run!.model.flatParameters.read();
    const summed = [...new Uint8Array(await crypto.subtle.digest('SHA-256', bits as Float32Array<ArrayBuffer>))]
      .slice(0, 4)
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    await userEvent.selectOptions(browser.getByRole('combobox', { name: 'What if' }), 'top layer random');
    await until(() => session.snapshot.cards.every(({ map }) => map?.rank !== undefined));
    await expect.element(browser.getByText('Changed copy.'), PATIENTLY).toBeVisible();
    const rank = (method: string): number => session.snapshot.cards.find((card) => card.method === method)!.map!.rank!;
    expect(Math.abs(rank('saliency'))).toBeLessThan(0.5);
    expect(rank('guidedBackprop')).toBeGreaterThan(rank('saliency') + 0.2);
    // A person, too, can see it: the checksum of the run is what it was.
    const checksum = () => inside(page, 'studio-network').shadowRoot!.querySelector('.head')!.textContent!;
    await expect.poll(checksum, PATIENTLY).toContain(`checksum ${summed}`);
    expect(await training.run!.model.flatParameters.read()).toEqual(bits);
    expect(training.step).toBe(40);
    // What is left of each map stands above it, as do the two that know nothing of the network.
    const above = () =>
      [...inside(page, 'studio-why').shadowRoot!.querySelectorAll('attribution-map')].map(
        (map) => map.shadowRoot!.querySelector('.answer')?.textContent,
      );
    const written = (value: number): string => `rank correlation ${String(Number(value.toPrecision(2))).replace('-', '−')}`;
    await expect
      .poll(above, PATIENTLY)
      .toEqual([
        'rank correlation 1',
        expect.stringMatching(/^rank correlation /),
        written(rank('saliency')),
        written(rank('guidedBackprop')),
      ]);

    inside(page, 'studio-time').focus();
    (document.activeElement as HTMLElement | null)?.blur();
    await userEvent.keyboard('{Escape}');
    await until(() => session.snapshot.choices.whatIf === undefined);
    await session.looked();
    expect(session.snapshot.cards.every(({ map }) => map?.rank === undefined)).toBe(true);
    expect(await training.run!.model.flatParameters.read()).toEqual(bits);
  });

  test('asks of the copy what was asked of the run, whatever the copy reads', async () => {
    const { session, training } = await mount('#rate=0.01&example=4&methods=saliency');
    for (let i = 0; i < 40; i++) await training.single();
    await session.looked();
    const before = session.snapshot.prediction!.predicted;
    let others = 0;
    for (const whatIf of [
      { kind: 'randomised', layers: 1 },
      { kind: 'randomised', layers: 2 },
      { kind: 'attacked', method: 'pgd', epsilon: 0.4 },
    ] as const) {
      session.send({ do: 'choose', choices: { whatIf } });
      await session.looked();
      const { prediction, cards, target } = session.snapshot;
      if (prediction!.predicted !== before) others += 1;
      expect([target, cards[0]!.map!.target]).toEqual([before, before]);
    }
    expect(others).toBeGreaterThan(0);
    session.send({ do: 'choose', choices: { whatIf: undefined } });
    await session.looked();
    expect(session.snapshot.target).toBe(before);
  });

  test('is left by Esc where the visitor is, in the list too, which then shows nothing and can be chosen from again', async () => {
    const { session } = await mount('#example=4&methods=saliency');
    const list = browser.getByRole('combobox', { name: 'What if' });
    for (const choice of ['top layer random', 'attack (PGD)']) {
      await userEvent.selectOptions(list, choice);
      await until(() => session.snapshot.choices.whatIf !== undefined);
      (list.element() as HTMLSelectElement).focus();
      await userEvent.keyboard('{Escape}');
      await until(() => session.snapshot.choices.whatIf === undefined);
      await expect.poll(() => (list.element() as HTMLSelectElement).value, PATIENTLY).toBe('');
    }
  });

  test('an attack is made stronger by its slider in the banner, where Esc restores, too', async () => {
    const { page, session } = await mount('#rate=0.01&example=4&methods=saliency');
    await userEvent.selectOptions(browser.getByRole('combobox', { name: 'What if' }), 'attack (FGSM)');
    const slider = browser.getByRole('slider', { name: 'Size of the attack' });
    await expect.element(slider).toHaveValue('0.1');
    const toolbar = inside(page, 'studio-why', '.head').getBoundingClientRect();
    // One line, at 1280 pixels.
    expect(toolbar.height).toBeLessThan(60);
    (slider.element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowRight}{ArrowRight}');
    await until(() => (session.snapshot.choices.whatIf as { epsilon?: number } | undefined)?.epsilon === 0.12);
    await session.looked();
    const { values, original } = session.snapshot.example!;
    expect(Math.max(...values.map((value, i) => Math.abs(value - original[i]!)))).toBeCloseTo(0.12, 5);
    await userEvent.keyboard('{Escape}');
    await until(() => session.snapshot.choices.whatIf === undefined);
    // The slider is gone: the focus is where the attack was chosen.
    await expect.poll(() => inside(page, 'studio-why').shadowRoot!.activeElement?.getAttribute('aria-label'), PATIENTLY).toBe('What if');
  });

  test('an attack changes the input and the answer, and a silent unit is silent', async () => {
    const { session, training } = await mount('#rate=0.01&example=4&tensor=activation/dense_1');
    for (let i = 0; i < 40; i++) await training.single();
    await session.looked();
    const { prediction, example } = session.snapshot;
    const before = prediction!.probabilities[example!.label!]!;
    const left = new Map<string, number>();
    for (const method of ['fgsm', 'pgd'] as const) {
      session.send({ do: 'choose', choices: { whatIf: { kind: 'attacked', method, epsilon: 0.3 } } });
      await session.looked();
      const attacked = session.snapshot;
      left.set(method, attacked.prediction!.probabilities[example!.label!]!);
      expect(left.get(method)).toBeLessThan(before - 0.2);
      expect(Math.max(...attacked.example!.values.map((value, i) => Math.abs(value - example!.original[i]!)))).toBeCloseTo(0.3, 5);
    }
    // Many small steps find a worse place than a single one.
    expect(left.get('pgd')!).toBeLessThanOrEqual(left.get('fgsm')!);

    session.send({ do: 'choose', choices: { whatIf: undefined } });
    await session.looked();
    const activation = session.snapshot.tensors.get('activation/dense_1')!;
    const values = await valuesOf(activation);
    const unit = values.indexOf(Math.max(...values));
    session.send({ do: 'choose', choices: { whatIf: { kind: 'ablated', layer: 'dense_1', unit } } });
    await session.looked();
    const silent = await valuesOf(session.snapshot.tensors.get('activation/dense_1')!);
    expect(silent[unit]).toBe(0);
    expect(silent.filter((value, i) => i !== unit && value !== values[i])).toHaveLength(0);
  });
});
