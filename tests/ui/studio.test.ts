import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { Dataset } from '../../src/engine/index.ts';
import { choicesOf, hashOf } from '../../src/ui/session/choices.ts';
import { linkOf } from '../../src/ui/session/link.ts';
import type { StudioSession } from '../../src/ui/session/session.ts';
import { failOnGpuErrors } from '../engine/test-device.ts';
import { clearAfterEach, data, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

/** A table of three columns, the first of which decides. */
const table = (name: string, size: number): Dataset => ({
  name,
  size,
  inputShape: [3],
  inputs: Float32Array.from({ length: 3 * size }, (_, i) => Math.sin(1 + i * 1.7)),
  labels: Uint8Array.from({ length: size }, (_, i) => (Math.sin(1 + 3 * i * 1.7) > 0 ? 1 : 0)),
  classes: ['benign', 'malignant'],
  features: ['radius', 'texture', 'area'],
});
const tableData = { train: table('table', 200), test: table('test table', 40) };

/** A number as the page writes it. */
const read = (text: string | null | undefined): number => Number((text ?? '').replaceAll('−', '-').replaceAll(',', ''));

const mapsThere = (session: StudioSession) =>
  until(() => session.snapshot.cards.length > 0 && session.snapshot.cards.every(({ map, computing }) => map && !computing));

describe('the numbers are real', () => {
  test('the new weight of a locked cell is Adam’s formula of what the page shows', async () => {
    const { page, session, training } = await mount('#rate=0.01');
    for (let i = 0; i < 3; i++) await training.single();
    // A weight of a unit that is alive: one of a dead unit would prove nothing.
    const moments = await training.run!.trainer.tensors.get('adam/v/dense_1/weight')!.read();
    const alive = moments.indexOf(Math.max(...moments));
    session.send({ do: 'choose', choices: { tensor: 'dense_1/weight', cell: { tensor: 'dense_1/weight', index: alive } } });
    await session.looked();
    await page.updateComplete;
    const shown = (role: string): number => {
      const cell = inside(page, 'tensor-inspector', `[data-role=${role}] [data-when=now]`);
      return read(cell.textContent);
    };
    const step = (): number => read(inside(page, 'tensor-inspector', '.cell th.number:last-child').textContent!.replace(/\D/g, ''));
    await expect.poll(step, PATIENTLY).toBe(3);
    const before = { w: shown('value'), m: shown('m'), v: shown('v') };
    expect(before.v).toBeGreaterThan(0);

    await userEvent.click(browser.getByRole('button', { name: 'Step', exact: true }));
    await expect.poll(step, PATIENTLY).toBe(4);
    const [g, t] = [shown('gradient'), 4];
    expect(g).not.toBe(0);
    const m = 0.9 * before.m + 0.1 * g;
    const v = 0.999 * before.v + 0.001 * g * g;
    const w = before.w - (0.01 * (m / (1 - 0.9 ** t))) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    expect(Math.abs(shown('m') - m)).toBeLessThan(1e-6);
    expect(Math.abs(shown('v') - v)).toBeLessThan(1e-6);
    expect(Math.abs(shown('value') - w)).toBeLessThan(1e-6);
    expect(Math.abs(shown('value') - before.w)).toBeGreaterThan(1e-5);
    // The page does the sum too, and what it shows is what the GPU holds.
    expect(Math.abs(read(inside(page, 'tensor-inspector', '[data-role=hand]').textContent) - w)).toBeLessThan(1e-6);
    const held = await training.run!.model.parameters.get('dense_1/weight')!.read();
    expect(Math.abs(shown('value') - held[alive]!)).toBeLessThan(1e-8);
  });

  test('a prediction, a map and a cell never say a step that they are not of', async () => {
    const { session, training } = await mount('#epochs=1000&cell=3@dense_1/weight&tensor=dense_1/weight');
    await training.start();
    await until(() => training.step > 40);
    await training.pause();
    await session.looked();
    const { snapshot } = session;
    expect(snapshot.prediction!.step).toBe(training.step);
    expect(snapshot.cell!.step).toBe(training.step);
    for (const { map } of snapshot.cards) expect(map!.step).toBe(training.step);
    await training.reset();
    await session.looked();
    expect([session.snapshot.prediction!.step, session.snapshot.cell!.step]).toEqual([0, 0]);
    for (const { map } of session.snapshot.cards) expect(map!.step).toBe(0);
  });
});

/** Draws a stroke on the pad with the mouse. */
async function drawStroke(page: Element): Promise<void> {
  const pad = inside(page, 'studio-example', 'drawing-pad', 'canvas');
  const box = pad.getBoundingClientRect();
  const at = (x: number, y: number, type: string, buttons: number): void => {
    pad.dispatchEvent(
      new PointerEvent(type, {
        clientX: box.left + x * box.width,
        clientY: box.top + y * box.height,
        pointerId: 1,
        button: type === 'pointermove' ? -1 : 0,
        buttons,
        bubbles: true,
        composed: true,
        isPrimary: true,
      }),
    );
  };
  pad.setPointerCapture = () => undefined;
  at(0.3, 0.2, 'pointerdown', 1);
  for (let i = 1; i <= 10; i++) at(0.3 + 0.03 * i, 0.2 + 0.06 * i, 'pointermove', 1);
  at(0.6, 0.8, 'pointerup', 0);
}

describe('everything is linked', () => {
  test('a drawing, a class and a locked pixel outlive another page, Back undoes one choice, a reload restores them', async () => {
    const { page, session } = await mount();
    await userEvent.click(browser.getByRole('button', { name: 'Draw', exact: true }));
    await drawStroke(page);
    await until(() => session.snapshot.example?.choice.kind === 'drawn');
    await session.looked();
    const drawn = session.snapshot.example!.values.slice();
    expect(drawn.some((value) => value > 0.5)).toBe(true);
    expect(session.snapshot.prediction!.example).toBe(session.snapshot.example!.key);

    await new Promise((resolve) => setTimeout(resolve, 400));
    await userEvent.click(browser.getByRole('button', { name: /^3 / }));
    await until(() => session.snapshot.choices.target === 3);
    await mapsThere(session);
    await session.looked();
    for (const { map } of session.snapshot.cards) expect(map!.target).toBe(3);

    await new Promise((resolve) => setTimeout(resolve, 400));
    const frame = inside(page, 'studio-why', '[data-method=saliency]', 'tensor-view', '.frame');
    frame.scrollIntoView({ block: 'center' });
    const side = frame.clientWidth;
    await userEvent.click(frame, { position: { x: (side * 3.5) / 8, y: (side * 2.5) / 8 } });
    await until(() => session.snapshot.choices.pixel === 2 * 8 + 3);
    await page.updateComplete;
    // The same cell is outlined in every map.
    for (const card of inside(page, 'studio-why').shadowRoot!.querySelectorAll('attribution-map')) {
      await expect
        .poll(() => card.shadowRoot!.querySelector('tensor-view')!.shadowRoot!.querySelector('.locked'), PATIENTLY)
        .not.toBeNull();
    }

    await userEvent.click(browser.getByRole('button', { name: 'Engine', exact: true }));
    await until(() => page.shadowRoot!.querySelector('vitrine-plan') !== null);
    await userEvent.click(browser.getByRole('button', { name: 'Studio', exact: true }));
    await until(() => page.shadowRoot!.querySelector('studio-why') !== null);
    expect(session.snapshot.choices).toMatchObject({ target: 3, pixel: 19, example: { kind: 'drawn' } });
    const kept = location.hash;

    // Back from the visit, then from the locked pixel alone.
    history.back();
    await until(() => session.snapshot.choices.page === 'engine');
    history.back();
    await until(() => session.snapshot.choices.page === 'studio');
    history.back();
    await until(() => session.snapshot.choices.pixel === undefined);
    expect(session.snapshot.choices.target).toBe(3);
    history.back();
    await until(() => session.snapshot.choices.target === undefined);
    expect(session.snapshot.choices.example.kind).toBe('drawn');

    // A reload.
    page.remove();
    await session.close();
    const again = await mount(kept);
    await mapsThere(again.session);
    expect(again.session.snapshot.choices).toMatchObject({ target: 3, pixel: 19, example: { kind: 'drawn' } });
    expect([...again.session.snapshot.example!.values]).toEqual([...drawn]);
  });

  test('choosing an example updates the prediction and every cheap map together', async () => {
    const { session } = await mount();
    await mapsThere(session);
    session.send({ do: 'choose', choices: { example: { kind: 'test', index: 9 } } });
    await session.looked();
    const { example, prediction, cards } = session.snapshot;
    expect(example!.label).toBe(3);
    expect(prediction!.example).toBe(example!.key);
    for (const { map } of cards) expect(map!.example).toBe(example!.key);
  });

  test('a link replays the run to its step, changes of the rate included, to the same bits', async () => {
    const { page, session, training } = await mount('#rate=0.005');
    for (let i = 0; i < 6; i++) await training.single();
    training.change({ rate: 0.02 });
    for (let i = 0; i < 9; i++) await training.single();
    const weights = await training.run!.model.flatParameters.read();
    const link = session.hash;
    expect(link).toContain('journal=6:0.02');
    expect(link).toContain('step=15');
    page.remove();
    await session.close();
    const again = await mount(link);
    await until(() => again.training.step === 15 && again.training.replayTo === undefined && again.training.phase === 'paused');
    expect(await again.training.run!.model.flatParameters.read()).toEqual(weights);
    expect(again.training.run!.trainer.learningRate).toBeCloseTo(0.02, 9);
    expect(again.session.hash).toBe(link);
  });

  test('a shared link leads to the step that was looked at, and says how near the replay came', async () => {
    const { page, session, training } = await mount('#example=4');
    for (let i = 0; i < 5; i++) await training.single();
    await session.looked();
    const link = linkOf(session.snapshot);
    expect(link).toContain('step=5');
    page.remove();
    await session.close();
    const again = await mount(link!);
    await until(() => again.session.snapshot.compared !== undefined);
    expect(again.session.snapshot.compared).toMatchObject({ difference: 0, step: 5 });
    await expect.element(browser.getByText(/to the bit/)).toBeVisible();
    expect(location.hash).not.toContain('seen=');
    again.page.remove();
    await again.session.close();

    // A link from another adapter, whose arithmetic rounds otherwise.
    const { seen, ...choices } = choicesOf(link!);
    const logits = seen!.logits.map((value, k) => (k === 3 ? value + 0.0009765625 : value));
    const other = await mount(hashOf({ ...choices, seen: { adapter: 'another adapter', logits } }));
    await until(() => other.session.snapshot.compared !== undefined);
    expect(other.session.snapshot.compared!.difference).toBeCloseTo(0.000977, 5);
    expect(other.session.snapshot.compared!.adapters[0]).toBe('another adapter');
    await userEvent.click(browser.getByRole('button', { name: 'Close', exact: true }));
    await until(() => other.session.snapshot.compared === undefined);
  });

  test('while a long link is replayed, what is shown follows, and the address keeps the step', async () => {
    const { session, training } = await mount('#epochs=1000&batch=1&step=3000');
    const steps = new Set<number>();
    session.addEventListener('snapshot', () => steps.add(session.snapshot.prediction?.step ?? 0));
    const address = location.hash;
    // The step is reached before the training state is kept, and only then does training rest and the last look begin.
    await until(() => training.step === 3000 && training.replayTo === undefined && training.phase === 'paused');
    expect(address).toContain('step=3000');
    await session.looked();
    const between = [...steps].filter((step) => step > 0 && step < 3000);
    expect(between.length).toBeGreaterThan(1);
    expect(session.snapshot.prediction!.step).toBe(3000);
  });
});

describe('training stops by itself', () => {
  test('at the step that was asked for, at the end of an epoch, and before the update where the loss is above', async () => {
    const { session, training } = await mount('#epochs=1000');
    session.send({ do: 'stopAt', stopAt: { kind: 'step', step: 7 } });
    await training.start();
    await until(() => training.phase === 'paused');
    expect(training.step).toBe(7);
    expect(session.snapshot.stoppedBy).toEqual({ kind: 'step', step: 7 });
    session.send({ do: 'stopAt', stopAt: { kind: 'epoch' } });
    await training.start();
    await until(() => training.phase === 'paused' && training.step > 7);
    expect(training.step).toBe(10);
    session.send({ do: 'stopAt', stopAt: { kind: 'loss', above: 0.01 } });
    await training.start();
    await until(() => training.phase === 'paused' && session.snapshot.stoppedBy?.kind === 'loss');
    expect(training.step).toBe(10);
    await training.single();
    expect(training.step).toBe(11);
  });

  test('and all that is shown then is of the step that was reached, though more had been submitted', async () => {
    const { session, training } = await mount('#epochs=1000');
    // In mid-run: steps are in flight beyond the one at which the GPU stops.
    for (const by of [37, 61, 83]) {
      const step = training.step + by;
      session.send({ do: 'stopAt', stopAt: { kind: 'step', step } });
      await training.start();
      await until(() => training.phase === 'paused' && training.step >= step);
      await session.looked();
      expect(training.step).toBe(step);
      const { snapshot } = session;
      expect(snapshot.prediction!.step).toBe(step);
      for (const { method, map } of snapshot.cards) expect(map!.step, method).toBe(step);
      for (const [name, tensor] of snapshot.tensors) expect(tensor.step, name).toBe(step);
    }
  });
});

describe('the address is of the run that is on screen', () => {
  test('while another recipe waits for the next reset', async () => {
    const { page, session, training } = await mount('#epochs=1000');
    for (let i = 0; i < 3; i++) await training.single();
    session.send({ do: 'recipe', changes: { seed: 5, hidden: [64, 32] } });
    await session.looked();
    await page.updateComplete;
    expect(session.hash).toContain('hidden=128&');
    expect(session.hash).toContain('seed=0&');
    expect(location.hash).toBe(session.hash);
    await expect.element(browser.getByText('From the next reset: 64-32')).toBeVisible();
    await userEvent.click(inside(page, 'studio-network').shadowRoot!.querySelector('.pending button')!);
    await until(() => training.step === 0 && training.run!.settings.seed === 5);
    expect(session.hash).toContain('hidden=64-32&');
    expect(session.hash).toContain('seed=5&');
  });

  test('while training runs', async () => {
    const { training } = await mount('#epochs=1000');
    void training.start();
    await until(() => Number(/step=(\d+)/.exec(location.hash)?.[1] ?? 0) > 20);
    expect(training.isRunning).toBe(true);
    await training.pause();
    await until(() => location.hash.includes(`step=${training.step}`));
  });

  test('with a rate that was chosen before the first step, through a reset', async () => {
    const { page, session, training } = await mount();
    session.send({ do: 'recipe', changes: { rate: 0.05 } });
    await training.reset();
    for (let i = 0; i < 3; i++) await training.single();
    expect(training.rate).toBeCloseTo(0.05, 9);
    const [link, weights] = [session.hash, await training.run!.model.flatParameters.read()];
    expect(link).toContain('rate=0.05');
    page.remove();
    await session.close();
    const again = await mount(link);
    await until(() => again.training.step === 3 && again.training.replayTo === undefined && again.training.phase === 'paused');
    expect(await again.training.run!.model.flatParameters.read()).toEqual(weights);
  });

  test('with a rate that was changed at the step that it leads to', async () => {
    const { page, session, training } = await mount();
    for (let i = 0; i < 4; i++) await training.single();
    session.send({ do: 'recipe', changes: { rate: 0.02 } });
    const link = session.hash;
    expect(link).toContain('journal=4:0.02');
    page.remove();
    await session.close();
    const again = await mount(link);
    await until(() => again.training.step === 4 && again.training.replayTo === undefined && again.training.phase === 'paused');
    expect(again.training.rate).toBeCloseTo(0.02, 9);
    expect(again.session.hash).toBe(link);
  });
});

test('a tensor is found by words of its name', async () => {
  const { page, session } = await mount('#tensor=dense_1/weight');
  const search = browser.getByRole('searchbox', { name: 'Search the tensors' });
  await userEvent.fill(search, 'adam BIAS');
  await page.updateComplete;
  const names = () => [...inside(page, 'tensor-inspector', '#name').querySelectorAll('option')].map(({ value }) => value);
  await expect
    .poll(names, PATIENTLY)
    .toEqual([
      'dense_1/weight',
      ...[...session.snapshot.tensors.keys()].filter((name) => name.startsWith('adam/') && name.endsWith('/bias')),
    ]);
  expect(names()).toHaveLength(5);
  await userEvent.keyboard('{Enter}');
  await until(() => session.snapshot.choices.tensor === 'adam/m/dense_1/bias');
  await page.updateComplete;
  await expect.element(search).toHaveValue('');
  expect(names().length).toBe(session.snapshot.tensors.size);
});

test('before the first step the doors stand where the curves will be, and each leads on', async () => {
  const { page, session, training } = await mount('#epochs=1000', {
    loadData: async ({ data: name }) => (name === 'mnist' ? data : tableData),
  });
  await userEvent.click(browser.getByRole('button', { name: /^Explain a decision/ }));
  await until(() => training.settings.data === 'breast-cancer' && training.phase === 'ready');
  await session.looked();
  expect(session.snapshot.example!.shape).toEqual([3]);
  expect(location.hash).toContain('data=breast-cancer&hidden=16');
  await userEvent.click(browser.getByRole('button', { name: /^Measure my GPU/ }));
  await until(() => page.shadowRoot!.querySelector('vitrine-bench') !== null);
  await userEvent.click(browser.getByRole('button', { name: 'Studio', exact: true }));
  await userEvent.click(browser.getByRole('button', { name: /^Watch it learn/ }));
  await until(() => training.isRunning && training.step > 2);
  await training.pause();
  await expect.poll(() => inside(page, 'studio-time').shadowRoot!.querySelectorAll('loss-chart').length, PATIENTLY).toBe(2);
});

test('mistakes and the confusion matrix are those of the step that training rests at, and a mistake can be looked at', async () => {
  const { session, training } = await mount();
  for (let i = 0; i < 3; i++) await training.single();
  await until(() => session.snapshot.mistakes?.step === 3);
  const { mistakes, test: examples } = session.snapshot;
  const output = await training.run!.model.predict(Float32Array.from(examples!.inputs, (value) => value / 255));
  const probabilities = await output.read();
  output.dispose();
  const confusion = new Float32Array(100);
  for (let i = 0; i < examples!.size; i++) {
    const row = probabilities.subarray(10 * i, 10 * i + 10);
    confusion[examples!.labels![i]! * 10 + row.indexOf(Math.max(...row))]! += 1;
  }
  expect([...mistakes!.confusion]).toEqual([...confusion]);
  expect(mistakes!.wrong).toBe(examples!.size - [...Array(10).keys()].reduce((sum, k) => sum + confusion[11 * k]!, 0));
  expect(mistakes!.wrong).toBeGreaterThan(0);
  await userEvent.click(browser.getByRole('button', { name: /^Mistakes/ }));
  await userEvent.click(browser.getByRole('button', { name: / read as / }).first());
  await until(
    () => session.snapshot.choices.example.kind === 'test' && session.snapshot.choices.example.index === mistakes!.worst[0]!.index,
  );
  await session.looked();
  expect(session.snapshot.prediction!.predicted).toBe(mistakes!.worst[0]!.predicted);
});

test('mistakes and the confusion matrix are read anew while epochs go by', async () => {
  const { session, training } = await mount('#epochs=1000');
  await until(() => session.snapshot.mistakes !== undefined);
  expect(session.snapshot.mistakes!.step).toBe(0);
  void training.start();
  const steps = new Set<number>();
  session.addEventListener('snapshot', () => steps.add(session.snapshot.mistakes?.step ?? 0));
  await until(() => [...steps].filter((step) => step > 0).length >= 3);
  expect(session.snapshot.running).toBe(true);
});
