import Papa from 'papaparse';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import type { ContenderName } from '../../src/bench/contender.ts';
import { rowsOf } from '../../src/bench/suite.ts';
import { BenchRun, type Choice } from '../../src/ui/bench/bench-run.ts';
import '../../src/ui/bench/index.ts';
import { csvOf, jsonOf, type Outcome, packOutcome, rebased, unpackOutcome } from '../../src/ui/bench/outcome.ts';
import type { VitrineBench } from '../../src/ui/bench/vitrine-bench.ts';
import { languageChoice } from '../../src/ui/language.ts';
import '../../src/ui/theme.css';

const tiny: Choice = { workloads: ['infer-mlp-256'], contenders: ['vitrine'], baseline: 'vitrine', repeats: 2, sampleMilliseconds: 20 };
const nobody = 'nobody' as ContenderName;

afterEach(async () => {
  for (const element of document.querySelectorAll('vitrine-bench')) element.remove();
  history.replaceState(null, '', location.pathname + location.search);
  await languageChoice.choose('en');
  await browser.viewport(1280, 800);
});

async function mount(choice: Choice = tiny, run: BenchRun = new BenchRun()): Promise<VitrineBench> {
  const element = document.createElement('vitrine-bench');
  Object.assign(element, { choice, run });
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const ended = (run: BenchRun): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!run.running) resolve();
    };
    run.addEventListener('change', look);
    look();
  });

const measure = () => userEvent.click(browser.getByRole('button', { name: /^Measure/ }));
const rowsIn = (element: VitrineBench): HTMLElement[] => [
  ...element.renderRoot.querySelector('bench-results')!.renderRoot.querySelectorAll<HTMLElement>('tbody tr'),
];
const textOf = (element: VitrineBench, selector: string): string => element.renderRoot.querySelector(selector)?.textContent?.trim() ?? '';

const adapter = {
  name: 'acme rocket',
  isFallback: false,
  features: ['subgroups'],
  multiplyAddGflops: 1234.5678,
  copyGigabytesPerSecond: 100,
  transferGigabytesPerSecond: 200,
  dispatchMicroseconds: 2,
  submitMicroseconds: 10,
};

const kernel = {
  workload: 'train-mlp-32',
  plan: 'step',
  index: 0,
  kernel: 'matmul.forward',
  operations: ['affine', 'relu'],
  variant: 'quads',
  flop: 6.4e6,
  bytes: 5e5,
  milliseconds: 0.02,
  share: 0.8,
  gflops: 320,
  gigabytesPerSecond: 25,
  intensity: 12.8,
  bound: 'arithmetic',
  ofLimit: 0.26,
} as const;

const outcome: Outcome = {
  date: '2026-01-02T03:04:05.678Z',
  browser: 'Chromium 156 on Linux',
  baseline: 'tfjs-webgpu',
  stopped: false,
  hidden: false,
  adapter,
  rows: rowsOf('train-mlp-32', 'samples/s', 'higher', 'tfjs-webgpu', [
    { contender: 'vitrine', values: [5000, 4800, 5100], agreement: { agrees: true, largestError: 1.5e-6, detail: 'logits' } },
    { contender: 'tfjs-webgpu', values: [320, 330, 310], agreement: { agrees: true, largestError: 2e-6, detail: 'logits' } },
    { contender: 'tfjs-wasm', values: [], failure: '=SUM(1, "2")\nbroken', failureKind: 'error' },
  ]),
  profile: [kernel, { ...kernel, index: 1, kernel: 'gather-batch.forward', gflops: 0, intensity: 0, flop: 0, bound: 'memory', share: 0.2 }],
};

describe('what a run gave', () => {
  test('is the same after JSON', () => {
    expect(JSON.parse(jsonOf(outcome))).toEqual(outcome);
  });

  test('is a line a row in CSV, and no text in it is a formula', async () => {
    const { data, errors } = Papa.parse<Record<string, string>>((await csvOf(outcome)).trimEnd(), { header: true });
    expect(errors).toEqual([]);
    expect(data).toHaveLength(3);
    expect(data[0]).toMatchObject({
      workload: 'train-mlp-32',
      contender: 'vitrine',
      median: '5000',
      min: '4800',
      max: '5100',
      unit: 'samples/s',
      ratioToBaseline: '15.625',
      agreement: 'true',
      baseline: 'tfjs-webgpu',
      adapter: 'acme rocket',
      date: outcome.date,
    });
    expect(data[2]).toMatchObject({ contender: 'tfjs-wasm', median: '', failure: `'=SUM(1, "2")\nbroken` });
  });

  test('goes through a link, to five digits', async () => {
    const payload = await packOutcome(outcome);
    expect(payload).toMatch(/^1\.[\w-]+$/);
    expect(await unpackOutcome(payload)).toEqual({ ...outcome, adapter: { ...adapter, multiplyAddGflops: 1234.6 } });
  });

  test.each([
    ['nothing', ''],
    ['another version', '2.abc'],
    ['what was never packed', '1.abcdefgh'],
    ['half a link', 'half'],
  ])('is refused from %s', async (_name, payload) => {
    const whole = await packOutcome(outcome);
    await expect(unpackOutcome(payload === 'half' ? whole.slice(0, whole.length / 2) : payload)).rejects.toThrow();
  });

  test('is refused where a link holds something else, or far too much', async () => {
    const wrong = { ...outcome, rows: [{ ...outcome.rows[0], median: '<b>5000</b>' }] };
    await expect(packOutcome(wrong as unknown as Outcome).then(unpackOutcome)).rejects.toThrow('something else');
    await expect(packOutcome({ ...outcome, browser: 'x'.repeat(3_000_000) }).then(unpackOutcome)).rejects.toThrow('too large');
  });

  test('can be divided by another baseline', () => {
    expect(rebased(outcome.rows, 'vitrine').map(({ ratioToBaseline }) => ratioToBaseline)).toEqual([1, 0.064, null]);
    expect(rebased(outcome.rows, 'tfjs-wasm').map(({ ratioToBaseline }) => ratioToBaseline)).toEqual([null, null, null]);
  });
});

describe('the page', () => {
  test('measures this engine, shows the row, and a contender that fails leaves the rest', async () => {
    const element = await mount({ ...tiny, contenders: [nobody, 'vitrine'] });
    const told: string[] = [];
    for (const kind of ['busy', 'idle']) document.addEventListener(kind, () => told.push(kind), { once: true });
    const seen = new Set<string>();
    element.run.addEventListener('change', () => {
      const { stage } = element.run;
      if (stage) seen.add(stage.task);
    });
    await measure();
    expect(element.run.running).toBe(true);
    await ended(element.run);
    await element.updateComplete;
    await vi.waitFor(() => expect(rowsIn(element)).toHaveLength(2));
    const [failed, ours] = rowsIn(element) as [HTMLElement, HTMLElement];
    expect(failed.dataset.contender).toBe('nobody');
    expect(failed.querySelector('.failure')?.textContent).toContain('Failed');
    expect(ours.querySelector('th')?.textContent).toBe('Vitrine');
    const { rows, adapter: figures } = element.run.outcome!;
    expect(rows[1]).toMatchObject({ contender: 'vitrine', agreement: true, repeats: 2 });
    expect(ours.querySelector('.agreement')?.textContent).toContain('✓');
    expect(ours.querySelector<HTMLElement>('.bar')!.getBoundingClientRect().width).toBeGreaterThan(20);
    expect(figures?.multiplyAddGflops).toBeGreaterThan(0);
    expect(textOf(element, '.provenance')).toContain(figures!.name);
    expect([...seen]).toEqual(expect.arrayContaining(['adapter', 'reference', 'check', 'warm-up', 'round']));
    expect(told).toEqual(['busy', 'idle']);
  }, 120_000);

  test('stops when Stop is clicked, keeps what was finished, and can begin again', async () => {
    const element = await mount({ ...tiny, workloads: ['infer-mlp-256', 'train-mlp-32'] });
    await measure();
    await vi.waitFor(() => expect(element.run.done).toBe(1), { timeout: 60_000, interval: 5 });
    await userEvent.click(browser.getByRole('button', { name: 'Stop', exact: true }));
    await ended(element.run);
    await element.updateComplete;
    expect(textOf(element, '[role=status]')).toBe('Stopped. What was finished stands.');
    const { rows, stopped } = element.run.outcome!;
    expect(stopped).toBe(true);
    expect(rows[0]).toMatchObject({ workload: 'infer-mlp-256', agreement: true });
    for (const row of rows.slice(1)) expect(row).toMatchObject({ median: null, failureKind: 'stopped' });
    await expect.element(browser.getByRole('button', { name: 'Measure again' })).toBeEnabled();
  }, 120_000);

  test('stops one contender and leaves the rest', async () => {
    const element = await mount({ ...tiny, contenders: ['tfjs-cpu', 'vitrine'] });
    await measure();
    await userEvent.click(browser.getByRole('button', { name: 'Stop TensorFlow.js CPU' }));
    await ended(element.run);
    const { rows, stopped } = element.run.outcome!;
    expect(stopped).toBe(false);
    expect(rows[0]).toMatchObject({ contender: 'tfjs-cpu', median: null, failureKind: 'stopped' });
    expect(rows[1]).toMatchObject({ contender: 'vitrine', agreement: true, repeats: 2 });
  }, 120_000);

  test('stops safely when it is taken away', async () => {
    const element = await mount();
    const around = document.createElement('main');
    element.replaceWith(around);
    around.append(element);
    const told: string[] = [];
    for (const kind of ['busy', 'idle']) around.addEventListener(kind, () => told.push(kind));
    await measure();
    around.remove();
    expect(told).toEqual(['busy', 'idle']);
    await ended(element.run);
    expect(element.run.outcome?.stopped).toBe(true);
  }, 60_000);

  test('draws the kernels of a step against the roofline', async () => {
    const element = await mount({ ...tiny, workloads: ['profile'] });
    element.run.outcome = outcome;
    element.requestUpdate();
    await element.updateComplete;
    const profile = element.renderRoot.querySelector('bench-profile')!;
    await profile.updateComplete;
    expect(profile.renderRoot.querySelectorAll('tbody tr')).toHaveLength(2);
    expect(profile.renderRoot.textContent).toContain('not in the plot: 2');
    const chart = profile.renderRoot.querySelector('roofline-chart')!;
    await chart.updateComplete;
    const canvas = await vi.waitFor(() => chart.renderRoot.querySelector('canvas')!);
    await vi.waitFor(() => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set(new Uint32Array(data.buffer));
      expect(colours.size).toBeGreaterThan(5);
    });
  });

  test('saves JSON and CSV', async () => {
    const element = await mount();
    element.run.outcome = outcome;
    element.requestUpdate();
    await element.updateComplete;
    const saved: Blob[] = [];
    const create = vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => `blob:${saved.push(blob as Blob)}`);
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => {});
    try {
      await userEvent.click(browser.getByRole('button', { name: 'Download JSON' }));
      await userEvent.click(browser.getByRole('button', { name: 'Download CSV' }));
      await vi.waitFor(() => expect(saved).toHaveLength(2));
      expect(JSON.parse(await saved[0]!.text())).toEqual(outcome);
      expect((await saved[1]!.text()).split('\r\n')[0]).toContain('workload,contender,median');
    } finally {
      create.mockRestore();
      click.mockRestore();
    }
  });

  test('makes a link that shows the results to whoever opens it, as someone else’s', async () => {
    const mine = await mount();
    mine.run.outcome = outcome;
    mine.requestUpdate();
    await mine.updateComplete;
    await userEvent.click(browser.getByRole('button', { name: 'Make a link' }));
    await vi.waitFor(() => expect(mine.link).toContain('#page=bench&results=1.'));
    const { link } = mine;
    mine.remove();

    history.replaceState(null, '', new URL(link!).hash);
    const theirs = await mount();
    await vi.waitFor(() => expect(textOf(theirs, '.theirs .notice')).toContain('Someone else’s results'));
    expect(textOf(theirs, '.theirs .notice')).toContain('acme rocket, Chromium 156 on Linux, 2 Jan 2026');
    await vi.waitFor(() => expect(rowsIn(theirs).map(({ dataset }) => dataset.contender)).toEqual(['vitrine', 'tfjs-webgpu', 'tfjs-wasm']));
    expect(rowsIn(theirs)[0]?.querySelector('.median')?.textContent).toBe('5,000');
    expect(rowsIn(theirs)[0]?.querySelector('.ratio')?.textContent).toBe('15.6 ×');
    await userEvent.click(browser.getByRole('button', { name: 'Show mine' }));
    await vi.waitFor(() => expect(theirs.renderRoot.querySelector('section')).toBeNull());
    expect(location.hash).toBe('#page=bench');
  });

  test('says so where a link is damaged', async () => {
    history.replaceState(null, '', '#page=bench&results=1.broken');
    const element = await mount();
    await vi.waitFor(() => expect(textOf(element, '.notice')).toContain('damaged'));
  });

  test('offers nothing that a page cannot measure, and says why', async () => {
    const element = await mount();
    const offered = [...element.renderRoot.querySelectorAll<HTMLInputElement>('#workloads input')].map(({ name }) => name);
    expect(offered).toContain('train-mlp-32');
    expect(offered).not.toContain('cold-start');
    expect(offered).not.toContain('size');
    expect(element.renderRoot.textContent).toContain('npm run bench');
  });

  test('is chosen by keyboard alone, and measures nothing when nothing is chosen', async () => {
    const element = await mount();
    const box = element.renderRoot.querySelector<HTMLInputElement>('[name=matmul-512]')!;
    box.focus();
    await userEvent.keyboard(' ');
    expect(element.choice.workloads).toEqual(['infer-mlp-256', 'matmul-512']);
    await userEvent.click(browser.getByRole('button', { name: 'None: workloads' }));
    await expect.element(browser.getByRole('button', { name: 'Measure' })).toBeDisabled();
  });

  test('divides by another baseline when one is chosen', async () => {
    const element = await mount();
    element.run.outcome = outcome;
    element.requestUpdate();
    await userEvent.selectOptions(browser.getByLabelText('Baseline'), 'Vitrine');
    await element.updateComplete;
    await vi.waitFor(() => expect(rowsIn(element)[1]?.querySelector('.ratio')?.textContent).toBe('0.06 ×'));
  });

  test.each([
    ['en', 360],
    ['zh', 360],
    ['en', 320],
    ['zh', 1280],
  ] as const)('in %s, %i px wide, nothing is wider than the page', async (language, width) => {
    await languageChoice.choose(language);
    await browser.viewport(width, 800);
    const element = await mount({ ...tiny, workloads: ['profile'] });
    element.run.outcome = outcome;
    element.requestUpdate();
    await element.updateComplete;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    if (language === 'zh') {
      expect(element.renderRoot.querySelector('h2')?.textContent).toBe('测量这块 GPU');
      expect(element.renderRoot.textContent).not.toMatch(/\b(Measure|Workloads|Results|median)\b/);
    }
  });
});
