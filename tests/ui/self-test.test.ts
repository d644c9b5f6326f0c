import { afterEach, describe, expect, test, vi } from 'vitest';
import { page as browser, userEvent } from 'vitest/browser';
import { apply, type Node } from '../../src/engine/graph.ts';
import { type Device, openDevice } from '../../src/engine/index.ts';
import type { Operation } from '../../src/engine/operation.ts';
import { reluOperation } from '../../src/engine/ops/relu.ts';
import { languageChoice } from '../../src/ui/language.ts';
import { bareCases } from '../../src/ui/self-test/bare-cases.ts';
import { call, type SelfTestCase, selfTestCases } from '../../src/ui/self-test/cases.ts';
import { explanationCases } from '../../src/ui/self-test/explanation-cases.ts';
import '../../src/ui/self-test/index.ts';
import { findingsOf, reportOf, SelfTestRun } from '../../src/ui/self-test/self-test-run.ts';
import type { VitrineSelfTest } from '../../src/ui/self-test/vitrine-self-test.ts';
import { failOnGpuErrors, testDevice } from '../engine/test-device.ts';
import '../../src/ui/theme.css';

failOnGpuErrors();

afterEach(async () => {
  for (const element of document.querySelectorAll('vitrine-self-test')) element.remove();
  await languageChoice.choose('en');
  await browser.viewport(1280, 800);
});

const sourcesOf = (cases: readonly SelfTestCase[]) => ({ openDevice: testDevice, ownsDevice: false, cases: async () => cases });
const reluCases = (): SelfTestCase[] => selfTestCases().filter(({ operation }) => operation === 'relu');

/** ReLU as a careless hand might write it: right for most numbers. */
const wrongRelu: Operation<object> = {
  ...reluOperation,
  name: 'relu',
  variants: reluOperation.variants.map((variant) => ({
    ...variant,
    dispatch: (of) => {
      const dispatch = variant.dispatch(of);
      const source = dispatch.kernel.source.replaceAll('max(', 'max(0.125 + 0.0 * ');
      expect(source).not.toBe(dispatch.kernel.source);
      return { ...dispatch, kernel: { ...dispatch.kernel, source, name: 'wrong.forward' } };
    },
  })),
};

const wrongCase = (): SelfTestCase =>
  call('relu', 'wrong on purpose', {
    build: (x: Node) => apply(wrongRelu, [x], {}),
    inputs: [{ shape: [3], values: [-1, 0.5, 2] }],
    reference: (x) => x.map((value) => Math.max(0, value)),
    gradient: false,
  });

async function mount(cases: readonly SelfTestCase[]): Promise<VitrineSelfTest> {
  const element = document.createElement('vitrine-self-test');
  Object.assign(element, { run: new SelfTestRun(), sources: sourcesOf(cases) });
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const ended = (run: SelfTestRun): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (!run.running) resolve();
    };
    run.addEventListener('change', look);
    look();
  });

/** Notes every pipeline that a device makes, as `file.entry`, by the text of its module: what a case says that it runs, it must have made. */
function noteEntries(device: Device, sources: ReadonlyMap<string, string>): Set<string> {
  const made = new Set<string>();
  const codes = new Map<GPUShaderModule, string>();
  const { gpu } = device;
  const [createModule, createCompute, createRender] = [
    gpu.createShaderModule.bind(gpu),
    gpu.createComputePipelineAsync.bind(gpu),
    gpu.createRenderPipelineAsync.bind(gpu),
  ];
  const note = (stage: GPUProgrammableStage | undefined): void => {
    const code = stage && codes.get(stage.module);
    if (code === undefined) return;
    for (const [file, source] of sources) if (code.includes(source)) made.add(`${file}.${stage?.entryPoint}`);
  };
  gpu.createShaderModule = (descriptor) => {
    const result = createModule(descriptor);
    codes.set(result, descriptor.code);
    return result;
  };
  gpu.createComputePipelineAsync = (descriptor) => {
    note(descriptor.compute);
    return createCompute(descriptor);
  };
  gpu.createRenderPipelineAsync = (descriptor) => {
    note(descriptor.vertex);
    note(descriptor.fragment);
    return createRender(descriptor);
  };
  return made;
}

test('every entry point of every kernel file is run, in every variant, and agrees with its reference here', {
  timeout: 600_000,
}, async () => {
  const files = import.meta.glob<string>('../../src/shaders/*.wgsl', { query: '?raw', import: 'default', eager: true });
  const sources = new Map(Object.entries(files).map(([path, source]) => [path.replace(/^.*\/|\.wgsl$/g, ''), source]));
  const device = await openDevice();
  const made = noteEntries(device, sources);
  const run = new SelfTestRun();
  const cases = [...selfTestCases(), ...explanationCases(), ...bareCases()];
  const began = performance.now();
  await run.start({ openDevice: async () => device, ownsDevice: true, cases: async () => cases });
  console.log(`Self-test: ${run.results.flatMap(findingsOf).length} comparisons in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  expect(run.fault).toBeUndefined();
  expect(run.failures.map(({ what, message }) => `${what}: ${message}`)).toEqual([]);
  expect(run.done).toBe(run.total);

  const ran = new Set(run.results.flatMap(findingsOf).flatMap(({ kernels }) => kernels));
  const entries = [...sources].flatMap(([file, source]) =>
    [...source.matchAll(/@(?:compute|vertex|fragment)[\s\S]*?fn\s+(\w+)/g)].map(([, entry]) => `${file}.${entry}`),
  );
  expect(entries.length).toBeGreaterThan(100);
  expect(entries.filter((entry) => !ran.has(entry))).toEqual([]);
  expect([...ran].filter((entry) => !made.has(entry))).toEqual([]);
});

describe('a wrong kernel', () => {
  test('is found, with its largest error and where, and leaves the rest', async () => {
    const element = await mount([wrongCase(), ...reluCases()]);
    await userEvent.click(browser.getByRole('button', { name: 'Test', exact: true }));
    await ended(element.run);
    await element.updateComplete;
    const { run } = element;
    expect(run.done).toBe(run.total);
    const wrong = run.results[0]?.cases[0]?.findings ?? [];
    expect(wrong.length).toBeGreaterThan(0);
    for (const finding of wrong) {
      expect(finding).toMatchObject({ passed: false, largestError: 0.125, kernels: ['wrong.forward'] });
      expect(finding.message).toContain('at [0] of [3]: GPU 0.125, reference 0');
    }
    expect(run.failures).toHaveLength(wrong.length);
    expect(element.renderRoot.querySelector('.verdict')?.textContent).toMatch(/^\s*\d+ of \d+ comparisons do not agree\.\s*$/);
    expect(element.renderRoot.querySelector('.failures')?.textContent).toContain('largest error 1.3e-1');
    expect(element.renderRoot.querySelector('[data-operation=relu] .bad')?.textContent).toContain('✗');
  });

  test('that does not compile is a failure, not the end', async () => {
    const broken: Operation<object> = {
      ...wrongRelu,
      variants: reluOperation.variants.map((variant) => ({
        ...variant,
        dispatch: (of) => {
          const dispatch = variant.dispatch(of);
          return { ...dispatch, kernel: { ...dispatch.kernel, name: 'broken.forward', source: `${dispatch.kernel.source}\nfn (` } };
        },
      })),
    };
    const run = new SelfTestRun();
    const check = {
      ...wrongCase(),
      ...call('relu', 'broken', { build: (x) => apply(broken, [x], {}), inputs: [{ shape: [3] }], reference: (x) => x, gradient: false }),
    };
    await run.start(sourcesOf([check, ...reluCases()]));
    expect(run.fault).toBeUndefined();
    expect(run.failures.length).toBeGreaterThan(0);
    expect(run.failures.every(({ largestError }) => largestError === Number.POSITIVE_INFINITY)).toBe(true);
    expect(run.done).toBe(run.total);
  });
});

describe('the page', () => {
  test('lists what is right and offers a report with adapter and browser', async () => {
    const element = await mount(reluCases());
    await userEvent.click(browser.getByRole('button', { name: 'Test', exact: true }));
    await ended(element.run);
    await element.updateComplete;
    expect(element.renderRoot.querySelector('.verdict')?.textContent).toMatch(/^\s*All \d+ comparisons agree\.\s*$/);
    expect(element.renderRoot.querySelector('.failures')).toBeNull();
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    await userEvent.click(browser.getByRole('button', { name: 'Copy the report' }));
    const [report] = written.mock.calls[0] as [string];
    written.mockRestore();
    expect(report).toBe(reportOf(element.run));
    expect(report).toMatch(/^Adapter: \S+/m);
    expect(report).toMatch(/^Browser: \S+ \d+/m);
    expect(report).toMatch(/^ok {4} relu: \d+ comparisons/m);
    await expect.element(browser.getByText('The report is copied.')).toBeVisible();
  });

  test('says so where there is no device', async () => {
    const element = await mount([]);
    element.sources = { ...sourcesOf([]), openDevice: () => Promise.reject(new Error('no adapter today')) };
    await userEvent.click(browser.getByRole('button', { name: 'Test', exact: true }));
    await ended(element.run);
    await element.updateComplete;
    expect(element.renderRoot.querySelector('[role=alert]')?.textContent).toContain('no adapter today');
  });

  test('stops when asked, and when it is taken away', async () => {
    const cases = selfTestCases();
    const element = await mount(cases);
    await userEvent.click(browser.getByRole('button', { name: 'Test', exact: true }));
    await vi.waitFor(() => expect(element.run.done).toBeGreaterThan(0), { timeout: 30_000 });
    await userEvent.click(browser.getByRole('button', { name: 'Stop' }));
    await ended(element.run);
    expect(element.run.stopped).toBe(true);
    expect(element.run.done).toBeLessThan(cases.length);
    await element.updateComplete;
    await userEvent.click(browser.getByRole('button', { name: 'Test again' }));
    element.remove();
    await ended(element.run);
    expect(element.run.stopped).toBe(true);
  });

  test.each([
    ['en', 320],
    ['zh', 360],
  ] as const)('in %s, %i px wide, nothing is wider than the page', async (language, width) => {
    await languageChoice.choose(language);
    await browser.viewport(width, 800);
    const element = await mount([wrongCase(), ...reluCases()]);
    await element.run.start(element.sources);
    await element.updateComplete;
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width);
    if (language === 'zh') expect(element.renderRoot.querySelector('h2')?.textContent).toBe('检验这块 GPU');
  });
});
