/** Runs workloads over contenders and makes the rows of the table. The studio's page and the command line both call this. */

import type { TunedClass } from '../engine/index.ts';
import type { AdapterFigures } from './adapter.ts';
import { type Agreement, compare } from './agreement.ts';
import { type ContenderName, does, contenders as facts, type Results } from './contender.ts';
import type { KernelProfile } from './roofline.ts';
import { openStation, type Station } from './station.ts';
import { rotated, summarise } from './statistics.ts';
import { findWorkload, isTimed, leastTrainingBytes, type TimedWorkload, workloads, yieldOf } from './workloads.ts';

export interface Row {
  readonly workload: string;
  readonly contender: ContenderName;
  /** null where the contender failed or disagreed: no time counts then. */
  readonly median: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly repeats: number;
  /** median / the baseline's median, in the unit of the row. */
  readonly ratioToBaseline: number | null;
  /** Whether its results are the reference's; null where there is nothing to compare. */
  readonly agreement: boolean | null;
  /** Relative to the largest reference value. */
  readonly largestError?: number;
  /** Why there is no number. */
  readonly failure?: string;
  readonly failureKind?: FailureKind;
  readonly note?: string;
  /** With `tune`: the chosen kernel variants, and the times of those not chosen. */
  readonly tuning?: readonly TunedClass[];
}

/** `error` is what the contender itself threw; the others are known here and can be said in any language. */
export type FailureKind = 'error' | 'disagrees' | 'not-applicable' | 'stopped';

/** What the suite is doing, for a page that says it in its own words. */
export interface Stage {
  readonly task: 'adapter' | 'profile' | 'explaining' | 'reference' | 'check' | 'warm-up' | 'round' | 'count';
  readonly workload?: string;
  readonly contender?: ContenderName;
  /** Of `rounds`, from 1. */
  readonly round?: number;
  readonly rounds?: number;
}

export interface SuiteOptions {
  readonly workloads: readonly string[];
  readonly contenders: readonly ContenderName[];
  /** The contender that the others are divided by; the first, where it is not among them. */
  readonly baseline: ContenderName;
  /** Timed samples of each contender; 5 by default. */
  readonly repeats?: number;
  /** Whether contenders that can are to tune their kernels before they are timed. */
  readonly tune?: boolean;
  /** About how long a sample lasts; 700 by default. A repetition that takes longer is a sample by itself. */
  readonly sampleMilliseconds?: number;
  readonly signal?: AbortSignal;
  /** Stops one contender from here on and leaves the rest. */
  readonly stops?: Readonly<Partial<Record<ContenderName, AbortSignal>>>;
}

/** What stops a contender: everything's end, or its own. */
function signalOf(contender: ContenderName, { signal, stops }: SuiteOptions): AbortSignal | undefined {
  const own = stops?.[contender];
  return signal && own ? AbortSignal.any([signal, own]) : (own ?? signal);
}

export type SuiteEvent =
  /** What is being done now. */
  | { readonly kind: 'stage'; readonly text: string; readonly stage: Stage }
  /** Something that has no row failed; the rest goes on. */
  | { readonly kind: 'failure'; readonly text: string; readonly stage: Stage; readonly message: string }
  | { readonly kind: 'adapter'; readonly adapter: AdapterFigures }
  /** The rows of a workload that is not finished, as far as they go. */
  | { readonly kind: 'progress'; readonly rows: readonly Row[] }
  /** The rows of a finished workload. */
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'profile'; readonly profile: readonly KernelProfile[] };

export interface SuiteResult {
  /** null where the adapter could not be measured. */
  readonly adapter: AdapterFigures | null;
  readonly rows: readonly Row[];
  /** Of Vitrine's training steps. */
  readonly profile: readonly KernelProfile[];
}

/** One contender's figures for a workload, before the ratio is known. */
export interface Measured {
  readonly contender: ContenderName;
  readonly values: readonly number[];
  readonly agreement?: Agreement;
  readonly failure?: string;
  readonly failureKind?: FailureKind;
  readonly note?: string;
  readonly tuning?: readonly TunedClass[];
}

/** A contender that does no such work, by its own nature: no failure of anyone's. */
export const notApplicable = (contender: ContenderName): Measured => ({
  contender,
  values: [],
  failure: 'not applicable',
  failureKind: 'not-applicable',
});

/** What went wrong, as a row has it. */
export function failureOf(error: unknown): { readonly failure: string; readonly failureKind: FailureKind } {
  const { name } = error as Partial<Error>;
  const failureKind = error instanceof Disagreement ? 'disagrees' : name === 'AbortError' ? 'stopped' : 'error';
  return { failure: messageOf(error), failureKind };
}

class Disagreement extends Error {}

/** Rows of a workload from what was measured, with the ratio to the baseline. */
export function rowsOf(
  workload: string,
  unit: string,
  better: Row['better'],
  baseline: ContenderName,
  measured: readonly Measured[],
): Row[] {
  const medianOf = (each: Measured | undefined): number | null => (each && each.values.length > 0 ? summarise(each.values).median : null);
  const base = medianOf(measured.find(({ contender }) => contender === baseline));
  return measured.map((each) => {
    const { contender, values, agreement, failure, failureKind, note, tuning } = each;
    const { min, max } = values.length > 0 ? summarise(values) : { min: null, max: null };
    const median = medianOf(each);
    return {
      workload,
      contender,
      median,
      min,
      max,
      unit,
      better,
      repeats: values.length,
      ratioToBaseline: median !== null && base !== null && base > 0 ? median / base : null,
      agreement: agreement ? agreement.agrees : null,
      ...(agreement && Number.isFinite(agreement.largestError) ? { largestError: agreement.largestError } : {}),
      ...(failure === undefined ? {} : { failure }),
      ...(failureKind === undefined ? {} : { failureKind }),
      ...(note === undefined ? {} : { note }),
      ...(tuning === undefined ? {} : { tuning }),
    };
  });
}

/** The first line of what went wrong. */
export const messageOf = (error: unknown): string => (error instanceof Error ? (error.message.split('\n')[0] as string) : String(error));

/** Runs something in a worker of its own; undefined where it failed, which is told. */
async function attempt<T>(
  what: string,
  stage: Stage,
  { signal }: SuiteOptions,
  report: (event: SuiteEvent) => void,
  work: (station: Station) => Promise<T>,
): Promise<T | undefined> {
  report({ kind: 'stage', text: what, stage });
  const station = openStation(signal);
  try {
    return await work(station);
  } catch (error) {
    report({ kind: 'failure', text: `${what} failed: ${messageOf(error)}`, stage, message: messageOf(error) });
    return undefined;
  } finally {
    station.close();
  }
}

/** Runs the workloads in order. A contender that fails gets a row that says so; the rest goes on. */
export async function runSuite(options: SuiteOptions, report: (event: SuiteEvent) => void = () => {}): Promise<SuiteResult> {
  const adapter = await attempt('measuring the adapter', { task: 'adapter' }, options, report, (station) => station.call('adapter'));
  if (adapter) report({ kind: 'adapter', adapter });
  const rows: Row[] = [];
  const profile: KernelProfile[] = [];
  for (const name of options.workloads) {
    if (options.signal?.aborted) break;
    const workload = findWorkload(name);
    let news: Row[] = [];
    try {
      if (isTimed(workload)) news = await runTimed(workload, options, report);
      else if (workload.kind === 'memory') news = await runMemory(options, report);
      else if (workload.kind === 'overhead') news = await runOverhead(options, report);
      else if (workload.kind === 'explaining') news = await runExplaining(options, report);
      else if (workload.kind === 'profile' && adapter) profile.push(...(await runProfile(adapter, options, report)));
    } catch (error) {
      // Not a contender but the suite itself: its reference, or a worker that cannot be loaded.
      const stage: Stage = { task: 'reference', workload: name };
      report({ kind: 'failure', text: `${name} failed: ${messageOf(error)}`, stage, message: messageOf(error) });
    }
    rows.push(...news);
    if (news.length > 0) report({ kind: 'rows', rows: news });
  }
  return { adapter: adapter ?? null, rows, profile };
}

/** Profiles the training workloads that are asked for; all of them, where none is. */
async function runProfile(adapter: AdapterFigures, options: SuiteOptions, report: (event: SuiteEvent) => void): Promise<KernelProfile[]> {
  const all: KernelProfile[] = [];
  const trainings = workloads.filter(({ kind }) => kind === 'train');
  const asked = trainings.filter(({ name }) => options.workloads.includes(name));
  for (const { name } of asked.length > 0 ? asked : trainings) {
    const profile = await attempt(`profile: ${name}`, { task: 'profile', workload: name }, options, report, (station) =>
      station.call('profile', name, adapter),
    );
    if (profile) report({ kind: 'profile', profile });
    all.push(...(profile ?? []));
  }
  return all;
}

interface Runner {
  readonly contender: ContenderName;
  readonly station: Station;
  times: number;
  readonly values: number[];
  agreement?: Agreement;
  failure?: string;
  failureKind?: FailureKind;
  tuning?: readonly TunedClass[];
}

async function runTimed(workload: TimedWorkload, options: SuiteOptions, report: (event: SuiteEvent) => void): Promise<Row[]> {
  const { contenders, baseline, repeats = 5, sampleMilliseconds = 700, signal } = options;
  const stage = (text: string, of: Stage): void =>
    report({ kind: 'stage', text: `${workload.name}: ${text}`, stage: { ...of, workload: workload.name } });
  const { unit, amount } = yieldOf(workload);

  stage('computing the reference', { task: 'reference' });
  const reference = await referenceOf(workload, signal);
  const runners: Runner[] = contenders
    .filter((contender) => does(contender, workload.kind))
    .map((contender) => ({ contender, station: openStation(signalOf(contender, options)), times: 1, values: [] }));
  const rows = (): Row[] => {
    const measured = contenders.map((contender) => runners.find((runner) => runner.contender === contender) ?? notApplicable(contender));
    return rowsOf(workload.name, unit, 'higher', baseline, measured);
  };
  /** Does something with each contender that still stands; what it throws takes that contender out. */
  const each = async (which: readonly Runner[], work: (runner: Runner) => Promise<void>): Promise<void> => {
    for (const runner of which) {
      if (runner.failure !== undefined) continue;
      try {
        await work(runner);
      } catch (error) {
        Object.assign(runner, failureOf(error));
        runner.values.length = 0;
        runner.station.close();
      }
      report({ kind: 'progress', rows: rows() });
    }
  };
  try {
    await each(runners, async (runner) => {
      const { title } = facts[runner.contender];
      const { contender } = runner;
      stage(`opening and checking ${title}`, { task: 'check', contender });
      const tuning = await runner.station.call('open', contender, workload.name, false, options.tune);
      if (tuning) runner.tuning = tuning;
      runner.agreement = compare(await runner.station.call('results'), reference);
      if (!runner.agreement.agrees) throw new Disagreement(`It disagrees with the reference: ${runner.agreement.detail}.`);
      stage(`warming up ${title}`, { task: 'warm-up', contender });
      runner.times = await runner.station.call('warmUp', sampleMilliseconds);
    });
    for (let round = 0; round < repeats; round++) {
      await each(rotated(runners, round), async (runner) => {
        const { contender } = runner;
        stage(`round ${round + 1} of ${repeats}, ${facts[contender].title}`, {
          task: 'round',
          contender,
          round: round + 1,
          rounds: repeats,
        });
        const milliseconds = await runner.station.call('sample', runner.times);
        runner.values.push((amount * runner.times * 1000) / milliseconds);
      });
    }
  } finally {
    for (const { station } of runners) station.close();
  }
  return rows();
}

const references = new Map<string, Results>();

/** Computed once a page, in a worker of its own. */
async function referenceOf(workload: TimedWorkload, signal: AbortSignal | undefined): Promise<Results> {
  const found = references.get(workload.name);
  if (found) return found;
  const station = openStation(signal);
  try {
    const results = await station.call('reference', workload.name);
    references.set(workload.name, results);
    return results;
  } finally {
    station.close();
  }
}

/** The workload that memory and overhead are counted in. */
const COUNTED = 'train-mlp-32';

interface Counted<T> {
  readonly contender: ContenderName;
  readonly value?: T;
  readonly failure?: string;
  readonly failureKind?: FailureKind;
}

/** A contender's figure, or why there is none. */
const measuredOf = <T>({ contender, value, failure, failureKind }: Counted<T>, figure: (value: T) => number): Measured => ({
  contender,
  values: value === undefined ? [] : [figure(value)],
  ...(failure === undefined ? {} : { failure }),
  ...(failureKind === undefined ? {} : { failureKind }),
});

/** Opens the counted workload with each WebGPU contender in turn and measures something in it. */
async function countEach<T>(
  options: SuiteOptions,
  report: (event: SuiteEvent) => void,
  what: string,
  measure: (station: Station) => Promise<T>,
): Promise<Counted<T>[]> {
  const results: Counted<T>[] = [];
  for (const contender of options.contenders.filter((name) => facts[name]?.webgpu)) {
    if (!does(contender, 'train')) {
      results.push(notApplicable(contender));
      continue;
    }
    report({ kind: 'stage', text: `${what}: ${facts[contender].title}`, stage: { task: 'count', workload: what, contender } });
    const station = openStation(signalOf(contender, options));
    try {
      await station.call('open', contender, COUNTED, true);
      results.push({ contender, value: await measure(station) });
    } catch (error) {
      results.push({ contender, ...failureOf(error) });
    } finally {
      station.close();
    }
  }
  return results;
}

async function runMemory(options: SuiteOptions, report: (event: SuiteEvent) => void): Promise<Row[]> {
  const least = leastTrainingBytes('mlp', 32);
  const counted = await countEach(options, report, 'memory', (station) => station.call('peakBytes', 50));
  const measured = counted.map(
    (each): Measured => ({
      ...measuredOf(each, (value) => value / 1e6),
      ...(each.value === undefined ? {} : { note: `${(each.value / least).toFixed(2)} × parameters × 4 + activations + data set` }),
    }),
  );
  return rowsOf('memory', 'MB', 'lower', options.baseline, measured);
}

/** Long enough for several explanations. */
const SPELL_MILLISECONDS = 3000;

/** Of Vitrine alone: the others do not explain while they train. */
async function runExplaining(options: SuiteOptions, report: (event: SuiteEvent) => void): Promise<Row[]> {
  if (!options.contenders.includes('vitrine')) return [];
  const { repeats = 5, sampleMilliseconds } = options;
  const spell = sampleMilliseconds === undefined ? SPELL_MILLISECONDS : 4 * sampleMilliseconds;
  const costs = await attempt('explaining', { task: 'explaining' }, options, report, (station) =>
    station.call('explainingCost', repeats, spell),
  );
  return rowsOf('explaining', '% of the training speed', 'lower', 'vitrine', [
    { contender: 'vitrine', values: (costs ?? []).map((share) => 100 * share), ...(costs ? {} : { failure: 'It could not be measured.' }) },
  ]);
}

const OVERHEAD_STEPS = 100;

const OVERHEAD_UNITS = {
  dispatches: 'dispatches a step',
  submits: 'submits a step',
  buffers: 'buffers created a step',
  bindGroups: 'bind groups created a step',
  pipelines: 'pipelines created a step',
  writes: 'writeBuffer a step',
  maps: 'mapAsync a step',
  copies: 'copies a step',
} as const;

async function runOverhead(options: SuiteOptions, report: (event: SuiteEvent) => void): Promise<Row[]> {
  const counted = await countEach(options, report, 'overhead', (station) => station.call('callsAStep', OVERHEAD_STEPS));
  const encoded = await countEach(options, report, 'overhead', (station) => station.call('microsecondsAStep'));
  const rows = <T>(unit: string, counted: readonly Counted<T>[], figure: (value: T) => number): Row[] =>
    rowsOf(
      'overhead',
      unit,
      'lower',
      options.baseline,
      counted.map((each) => measuredOf(each, figure)),
    );
  return [
    ...Object.entries(OVERHEAD_UNITS).flatMap(([name, unit]) =>
      rows(unit, counted, (counts) => counts[name as keyof typeof OVERHEAD_UNITS]),
    ),
    ...rows('µs of JavaScript a step', encoded, (microseconds) => microseconds),
  ];
}
