/** A run of the self-test: every case on a device of its own, one comparison after another. */

import type { Device } from '../../engine/index.ts';
import type { Finding } from '../../engine/reference/check-operation.ts';
import { adapterName } from '../adapter.ts';
import { browserName } from '../bench/browser-name.ts';
import type { SelfTestCase } from './cases.ts';

export interface CaseResult {
  readonly name: string;
  readonly findings: readonly Finding[];
}

/** All cases of an operation. */
export interface OperationResult {
  readonly operation: string;
  readonly cases: readonly CaseResult[];
}

export interface SelfTestSources {
  readonly openDevice: () => Promise<Device>;
  readonly cases: () => Promise<readonly SelfTestCase[]>;
  /** Whether the device is the run's own, to be destroyed at its end. */
  readonly ownsDevice: boolean;
}

const REAL: SelfTestSources = {
  openDevice: async () => (await import('../../engine/index.ts')).openDevice(),
  cases: async () => {
    const [{ selfTestCases }, { explanationCases }, { bareCases }] = await Promise.all([
      import('./cases.ts'),
      import('./explanation-cases.ts'),
      import('./bare-cases.ts'),
    ]);
    return [...selfTestCases(), ...explanationCases(), ...bareCases()];
  },
  ownsDevice: true,
};

export const findingsOf = ({ cases }: OperationResult): Finding[] => cases.flatMap(({ findings }) => findings);

/** The comparison that came nearest to its limit, or went beyond it most. */
export const worstOf = (findings: readonly Finding[]): Finding | undefined =>
  findings.reduce<Finding | undefined>((worst, each) => (worst && strain(worst) >= strain(each) ? worst : each), undefined);

/** Of an exact comparison the error alone counts. */
const strain = ({ largestError, limit }: Finding): number =>
  largestError === 0 ? 0 : limit === 0 ? Number.POSITIVE_INFINITY : largestError / limit;

/** @fires change - something of it changed */
export class SelfTestRun extends EventTarget {
  results: readonly OperationResult[] = [];
  /** Cases that are behind it, of `total`. */
  done = 0;
  total = 0;
  /** What is being checked. */
  now: string | undefined;
  /** Why it could not go on. */
  fault: unknown;
  stopped = false;
  date: string | undefined;
  adapter = '';
  features: readonly string[] = [];
  #control: AbortController | undefined;

  get running(): boolean {
    return this.#control !== undefined;
  }

  get failures(): Finding[] {
    return this.results.flatMap(findingsOf).filter(({ passed }) => !passed);
  }

  /** Runs all cases; it always settles. */
  async start(sources: SelfTestSources = REAL): Promise<void> {
    if (this.running) return;
    const control = new AbortController();
    this.#control = control;
    Object.assign(this, {
      results: [],
      done: 0,
      total: 0,
      now: undefined,
      fault: undefined,
      stopped: false,
      date: new Date().toISOString(),
    });
    this.#tell();
    let device: Device | undefined;
    try {
      const cases = await sources.cases();
      device = await sources.openDevice();
      void device.lost.then((reason) => {
        if (this.#control !== control || reason === 'destroyed') return;
        this.fault = reason;
        control.abort();
      });
      this.total = cases.length;
      this.adapter = adapterName(device);
      this.features = [...device.features].sort();
      for (const each of cases) {
        if (control.signal.aborted) break;
        await this.#check(each, device, control.signal);
      }
    } catch (error) {
      this.fault = error;
    } finally {
      if (sources.ownsDevice) device?.destroy();
      this.#control = undefined;
      this.now = undefined;
      this.stopped = control.signal.aborted;
      this.#tell();
    }
  }

  stop(): void {
    this.#control?.abort();
  }

  async #check({ operation, name, examine }: SelfTestCase, device: Device, signal: AbortSignal): Promise<void> {
    this.now = `${operation} ${name}`;
    this.#tell();
    const findings: Finding[] = [];
    const known = device.faults.length;
    for await (const finding of examine(device)) {
      findings.push(finding);
      if (signal.aborted) return;
    }
    // What WebGPU reports on its own belongs to the case that ran.
    for (const fault of device.faults.slice(known)) {
      findings.push({
        what: 'WebGPU',
        variants: {},
        kernels: [],
        largestError: Number.POSITIVE_INFINITY,
        limit: 0,
        passed: false,
        message: fault.message,
      });
    }
    const before = this.results.find((result) => result.operation === operation);
    const result = { operation, cases: [...(before?.cases ?? []), { name, findings }] };
    this.results = before ? this.results.map((each) => (each === before ? result : each)) : [...this.results, result];
    this.done += 1;
    this.#tell();
  }

  #tell(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** The results as text for someone else, in English: it is for whoever mends the kernel. */
export function reportOf(run: SelfTestRun): string {
  const all = run.results.flatMap(findingsOf);
  const lines = [
    `Vitrine self-test, ${run.date}${run.stopped ? ', stopped before its end' : ''}`,
    `Adapter: ${run.adapter || 'unnamed'}`,
    `Features: ${run.features.join(', ') || 'none'}`,
    `Browser: ${browserName()}`,
    `${run.done} of ${run.total} cases, ${all.length} comparisons, ${run.failures.length} failed`,
    ...(run.fault === undefined ? [] : [`It ended early: ${String((run.fault as Error).message ?? run.fault).split('\n')[0]}`]),
  ];
  for (const { operation, cases } of run.results) {
    for (const { name, findings } of cases) {
      for (const { passed, what, message, kernels } of findings) {
        if (!passed) lines.push(`FAILED ${operation} ${name}: ${what}: ${message} (${kernels.join(', ') || 'no kernel ran'})`);
      }
    }
  }
  for (const result of run.results) {
    const findings = findingsOf(result);
    const worst = worstOf(findings);
    const variants = new Set(findings.map((each) => JSON.stringify(each.variants)));
    lines.push(
      `${findings.every(({ passed }) => passed) ? 'ok    ' : 'FAILED'} ${result.operation}: ${findings.length} comparisons, ${variants.size} variant tables, ` +
        `worst ${worst?.largestError.toExponential(1)} of ${worst?.limit.toExponential(1)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
