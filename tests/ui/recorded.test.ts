import { describe, expect, test } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { VitrineError } from '../../src/engine/index.ts';
import { record } from '../../src/ui/recorded/record.ts';
import { RecordedSession } from '../../src/ui/recorded/recorded-session.ts';
import { readRecording, roundBits } from '../../src/ui/recorded/recording.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import { clearAfterEach, data, inside, mount, PATIENTLY, until } from './mounted-page.ts';

failOnGpuErrors();
clearAfterEach();

const noGpu = async (): Promise<never> => {
  throw new VitrineError('no-webgpu', 'This browser has no WebGPU.', 'use one that has it.');
};

/** How many colours a canvas shows. */
function colours(canvas: HTMLCanvasElement): number {
  const { data: pixels } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
  return new Set(Array.from({ length: pixels.length / 4 }, (_, i) => `${pixels.slice(4 * i, 4 * i + 3)}`)).size;
}

test('values are rounded to so many significant bits, ties to even', () => {
  const rounded = roundBits(Float32Array.of(1, 1 / 3, -1 / 3, 0, 1.00048828125, Number.NaN, Number.POSITIVE_INFINITY, 3.4e38), 11);
  expect(rounded[0]).toBe(1);
  expect(Math.abs(rounded[1]! - 1 / 3)).toBeLessThan(2 ** -12 / 3);
  expect(rounded[2]).toBe(-rounded[1]!);
  expect(rounded[3]).toBe(0);
  // Half way between two neighbours: to the even one.
  expect(rounded[4]).toBe(1);
  expect(rounded[5]).toBeNaN();
  expect(rounded[6]).toBe(Number.POSITIVE_INFINITY);
});

describe('a session is recorded and looked at without a GPU', () => {
  test('what it shows is what the run showed', async () => {
    const methods = ['saliency', 'integratedGradients'] as const;
    const sources = { openDevice: testDevice, ownsDevice: false, loadData: async () => data };
    const file = await record({ settings: { rate: 0.01, epochs: 2 }, steps: [5, 20], methods, sources });
    const session = new RecordedSession(await readRecording(file), '');
    expect(session.snapshot.step).toBe(20);

    // The live session at the same step.
    const { session: live, training } = await mount('#rate=0.01&epochs=2&methods=saliency,integratedGradients');
    for (let i = 0; i < 20; i++) await training.single();
    const example = data.test.labels!.indexOf(3);
    live.send({ do: 'choose', choices: { example: { kind: 'test', index: example } } });
    session.send({ do: 'choose', choices: { example: { kind: 'test', index: 3 }, methods } });
    await live.looked();
    const [told, shown] = [live.snapshot, session.snapshot];
    expect(shown.example!.label).toBe(3);
    expect(shown.example!.values).toEqual(roundBits(told.example!.values, 11));
    expect(shown.prediction!.probabilities).toEqual(roundBits(told.prediction!.probabilities, 11));
    expect(shown.target).toBe(told.target);
    expect(shown.shown!.history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(shown.shown!.history.loss.last).toBeCloseTo(told.shown!.history.loss.last!, 2);
    for (const [i, { method, map }] of told.cards.entries()) {
      expect(shown.cards[i]!.method).toBe(method);
      expect(shown.cards[i]!.map!.values).toEqual(roundBits(map!.values!, 11));
      expect(shown.cards[i]!.map!.attribution.options).toEqual(map!.attribution.options);
    }

    // Its steps are those that were recorded.
    session.send({ do: 'reset' });
    expect(session.snapshot.step).toBe(0);
    session.send({ do: 'step' });
    expect(session.snapshot).toMatchObject({ step: 5, prediction: { step: 5 } });
    expect(session.snapshot.shown!.history.steps).toBe(5);

    // What was not recorded says what it wants, and changes nothing.
    const before = session.hash;
    session.send({ do: 'choose', choices: { target: 1 } });
    expect(session.snapshot.fault).toMatchObject({ code: 'no-webgpu' });
    expect(session.hash).toBe(before);
  });

  test('a file that is none is refused', async () => {
    await expect(readRecording(new Uint8Array(20))).rejects.toMatchObject({ code: 'bad-file' });
  });
});

test('without WebGPU the page says so, and what to do, and opens the session that is committed', async () => {
  const { page } = await mount('', { openDevice: noGpu });
  const notices = inside(page, 'vitrine-notices');
  expect(notices.shadowRoot!.textContent).toMatch(/WebGPU/);
  await userEvent.click(browser.getByRole('button', { name: 'Look at a recorded session' }));
  await until(() => page.snapshot?.recorded !== undefined);
  await page.updateComplete;
  const { snapshot } = page;
  expect(snapshot!.recorded!.steps.at(-1)).toBe(15_000);
  expect(snapshot!.shown!.history.epochs.at(-1)!.validationAccuracy).toBeGreaterThan(0.97);
  expect(snapshot!.cards.every(({ map }) => map !== undefined)).toBe(true);

  // The same components draw it: maps, weights, curves.
  const view = inside(page, 'studio-why', 'attribution-map[data-method=integratedGradients]', 'tensor-view');
  await until(() => colours(inside<HTMLCanvasElement>(view, 'canvas')) > 20);
  // Every picture of the network says of which step it is, and the header that nothing is computed here.
  const names = () =>
    [...inside(page, 'studio-network', 'network-diagram').shadowRoot!.querySelectorAll('tensor-view')]
      .slice(1)
      .map((each) => inside(each, '.frame').getAttribute('aria-label'));
  await expect.poll(() => names().every((name) => name?.includes('step 15,000')), PATIENTLY).toBe(true);
  expect(names().length).toBeGreaterThan(3);
  expect(inside(page, 'studio-header', '.adapter').textContent!.trim()).toBe('no GPU');
  await userEvent.click(browser.getByRole('button', { name: 'Step', exact: true }));
  await until(() => page.snapshot?.step === 0);
  await userEvent.click(browser.getByRole('button', { name: 'Step', exact: true }));
  await until(() => page.snapshot?.step === 100);
  await userEvent.keyboard(']');
  await until(() => page.snapshot?.example?.label === 1);
  expect(location.hash).toContain('example=1');
  await userEvent.keyboard('r');
  await until(() => page.snapshot?.step === 0);
  expect(page.snapshot!.tensors.get('dense_1/weight')).toMatchObject({ step: 0, shape: [784, 128] });
  history.back();
  await until(() => page.snapshot?.example?.label === 0);
});
