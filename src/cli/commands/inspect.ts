import { existsSync, readFileSync, statSync } from 'node:fs';
import { CommandError, Interrupted, usageError } from '../command-error.ts';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { inspectionFiles } from '../inspect-report.ts';
import type { InspectedTensor, InspectParameters, InspectResult } from '../inspect-task.ts';
import { type Options, type OptionValues, readOptions } from '../options.ts';
import { openOutputFolder, writeOutputs } from '../output-folder.ts';
import { createProgress } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

const OPTIONS: Options = {
  model: { kind: 'text', help: 'a file that `npm run train -- --out FOLDER` wrote' },
  bins: { kind: 'whole', value: 32, least: 1, most: 1024, help: 'bins of the histograms' },
  seed: { kind: 'whole', value: 0, help: 'of the power iteration' },
  out: { kind: 'text', value: 'out', help: 'the folder for the pictures and the report' },
  json: { kind: 'flag', help: 'print the result as one line of JSON, and write no files' },
};

/** @throws CommandError */
export function inspectParameters(values: OptionValues): InspectParameters {
  const path = values.text('model');
  if (path === undefined) throw usageError('--model is missing.', 'pass the model to inspect, as in --model out/mnist-mlp.safetensors.');
  if (!existsSync(path) || !statSync(path).isFile()) {
    throw new CommandError(`--model: there is no file ${path}.`, 'pass a model that `npm run train -- --out FOLDER` wrote.');
  }
  return {
    model: readFileSync(path).toString('base64'),
    bins: values.number('bins') as number,
    seed: values.number('seed') as number,
    keep: !values.flag('json'),
  };
}

const BARS = ' ▁▂▃▄▅▆▇█';

/** A histogram in one line. */
function bars(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts.map((count) => BARS[Math.ceil((count / most) * (BARS.length - 1))]).join('');
}

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : String(Number(value.toPrecision(3)));

/** What a person reads of a tensor: its numbers, then its histogram. */
function tensorLines(tensor: InspectedTensor): string[] {
  const { name, shape, norm, mean, deviation, least, greatest, sparsity, notFinite, spectralNorm, stableRank, histogram } = tensor;
  const facts = [
    `norm ${number(norm)}`,
    `mean ${number(mean)} ± ${number(deviation)}`,
    `from ${number(least)} to ${number(greatest)}`,
    `zeros ${number(100 * sparsity)} %`,
    ...(spectralNorm === undefined ? [] : [`σ₁ ${number(spectralNorm)}`, `stable rank ${number(stableRank)}`]),
    ...(notFinite > 0 ? [`${notFinite} not finite`] : []),
  ];
  return [`${name} [${shape.join(', ')}]`, `  ${facts.join('  ')}`, ...(histogram ? [`  ▕${bars(histogram.counts)}▏`] : [])];
}

/** Prints what a saved model is made of and what its weights come to, and writes pictures and a report of it. The result is on stdout, how it goes on stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('inspect', 'Prints a saved network and what its weights come to.', OPTIONS);
  const parameters = inspectParameters(values);
  const out = values.text('out') as string;
  if (parameters.keep) openOutputFolder(out);
  const progress = createProgress(process.stderr);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    try {
      progress.line(headless.description);
      const result = await headless.runTask<InspectResult>({
        page: 'src/cli/page/inspect.html',
        parameters,
        signal,
        onWarning: (line) => progress.line(`warning: ${line}`),
      });
      if (signal.aborted) throw new Interrupted('Stopped.');
      const { inspection, table, mermaid } = result;
      if (values.flag('json')) {
        process.stdout.write(`${JSON.stringify(inspection)}\n`);
        return 0;
      }
      const files = inspectionFiles(values.text('model') as string, result);
      for (const path of writeOutputs(out, files)) progress.line(`Wrote ${path}`);
      process.stdout.write(`${[table, '', ...inspection.tensors.flatMap(tensorLines), '', mermaid].join('\n')}\n`);
      return 0;
    } finally {
      progress.end();
      await headless.close();
    }
  });
}
