import { measureColdStart } from '../../bench/cold-start.ts';
import { type ContenderName, contenderNames, does } from '../../bench/contender.ts';
import type { ColdStart } from '../../bench/minimal/finished.ts';
import {
  type Measured,
  messageOf,
  notApplicable,
  type Row,
  rowsOf,
  type SuiteEvent,
  type SuiteOptions,
  type SuiteResult,
} from '../../bench/suite.ts';
import { formatAdapter, formatBrief, formatProfile, formatTable, type TableStyle } from '../../bench/table.ts';
import { workloads } from '../../bench/workloads.ts';
import { type BenchBuild, buildBench } from '../bench-build.ts';
import { Interrupted, usageError } from '../command-error.ts';
import { type Headless, openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, type OptionValues, readOptions } from '../options.ts';
import { createProgress, type Progress, paint, tunedLines } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

const workloadNames = workloads.map(({ name }) => name);

export const OPTIONS: Options = {
  only: { kind: 'text', help: `some of the workloads, with commas between: ${workloadNames.join(', ')}` },
  contenders: { kind: 'text', help: `some of the contenders, with commas between: ${contenderNames.join(', ')}` },
  baseline: { kind: 'text', help: 'the contender that the others are divided by (tfjs-webgpu where it takes part)' },
  repeats: { kind: 'whole', value: 5, least: 1, help: 'timed samples of each' },
  tune: { kind: 'flag', help: 'let Vitrine time the variants of its kernels first and take the fastest' },
  json: { kind: 'flag', help: 'print the result as one line of JSON' },
};

/** The names in a list with commas. @throws CommandError for a name that is none of `known` */
function names<Name extends string>(values: OptionValues, option: string, known: readonly Name[]): readonly Name[] {
  const text = values.text(option);
  if (text === undefined) return known;
  const given = text.split(',').map((name) => name.trim());
  const unknown = given.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) {
    throw usageError(
      `--${option}: there is no ${unknown === '' ? 'name between two commas' : unknown}.`,
      `use some of ${known.join(', ')}.`,
    );
  }
  return [...new Set(given)] as Name[];
}

/** What the arguments ask for. @throws CommandError */
export function suiteOptions(values: OptionValues): SuiteOptions {
  const contenders = names<ContenderName>(values, 'contenders', contenderNames);
  const baseline = (values.text('baseline') ?? (contenders.includes('tfjs-webgpu') ? 'tfjs-webgpu' : contenders[0])) as ContenderName;
  if (!contenders.includes(baseline)) {
    throw usageError(`--baseline is ${baseline}, which does not take part.`, `use one of ${contenders.join(', ')}.`);
  }
  const repeats = values.number('repeats') as number;
  return { workloads: names(values, 'only', workloadNames), contenders, baseline, repeats, tune: values.flag('tune') };
}

/** The suite in one page, then what only a command can do: weigh the builds and open page after page from nothing. */
async function measure(
  headless: Headless,
  built: BenchBuild,
  options: SuiteOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<SuiteResult> {
  const onWarning = (line: string): void => progress.line(`warning: ${line}`);
  const result = await headless.runTask<SuiteResult>({
    page: built.page,
    tolerant: true,
    parameters: options,
    signal,
    onEvent: (event) => {
      const news = event as SuiteEvent;
      if (news.kind === 'stage') progress.stage(news.text);
      else if (news.kind === 'failure') onWarning(news.text);
      else if (news.kind === 'rows') {
        progress.line(formatBrief(news.rows));
        for (const { tuning } of news.rows) if (tuning) progress.line(tunedLines(tuning));
      }
    },
    onWarning,
  });
  const rows = [...result.rows];
  if (options.workloads.includes('cold-start') && !signal.aborted) {
    const open = async (contender: ContenderName): Promise<ColdStart> => {
      progress.stage(`cold-start: ${contender}`);
      const { page } = await built.minimal(contender);
      return headless.runTask<ColdStart>({ page, parameters: {}, signal, silenceMinutes: 2, onWarning });
    };
    rows.push(...(await measureColdStart({ ...options, signal }, open)));
  }
  if (options.workloads.includes('size') && !signal.aborted) {
    const weighed: Measured[] = [];
    for (const contender of options.contenders) {
      if (!does(contender, 'train')) {
        weighed.push(notApplicable(contender));
        continue;
      }
      const values = await built.minimal(contender).then(
        ({ bytes }) => ({ values: [bytes / 1000] }),
        (error) => ({ values: [], failure: messageOf(error) }),
      );
      weighed.push({ contender, ...values });
    }
    rows.push(...rowsOf('size', 'kB gzipped', 'lower', options.baseline, weighed));
  }
  const order = (row: Row): number => options.workloads.indexOf(row.workload);
  return { ...result, rows: rows.sort((a, b) => order(a) - order(b)) };
}

/** The result for a person. */
function report({ adapter, rows, profile }: SuiteResult): string {
  const style: TableStyle = {
    columns: process.stdout.columns ?? 100,
    bold: (text) => paint('bold', text),
    dim: (text) => paint('dim', text),
    bar: (text) => paint('cyan', text),
  };
  const parts = [adapter ? formatAdapter(adapter, style) : '', formatTable(rows, style), formatProfile(profile, style)];
  return parts.filter((part) => part !== '').join('\n');
}

export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('bench', 'Measures this engine and others in a headless browser.', OPTIONS);
  const options = suiteOptions(values);
  const progress = createProgress(process.stderr);
  return untilInterrupted(async (signal) => {
    progress.stage('Building the pages');
    const built = await buildBench();
    try {
      const headless = await openHeadless({ built: built.folder });
      try {
        progress.line(headless.description);
        const result = await measure(headless, built, options, progress, signal);
        if (signal.aborted) throw new Interrupted('Stopped.');
        progress.end();
        process.stdout.write(values.flag('json') ? `${JSON.stringify(result)}\n` : report(result));
        return 0;
      } finally {
        await headless.close();
      }
    } finally {
      built.dispose();
    }
  });
}
