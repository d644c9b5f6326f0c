import { existsSync, readFileSync, statSync } from 'node:fs';
import { methods } from '../../explain/methods.ts';
import { CommandError, Interrupted, usageError } from '../command-error.ts';
import { explainReport } from '../explain-report.ts';
import type { ExplainEvent, ExplainParameters, ExplainResult, ExplainSummary } from '../explain-task.ts';
import { globalBrief, globalDrawings, globalReport } from '../global-report.ts';
import { GLOBAL_METHODS, type GlobalParameters, type GlobalResult } from '../global-task.ts';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, type OptionValues, readOptions } from '../options.ts';
import { openOutputFolder, writeOutputs } from '../output-folder.ts';
import { createProgress, epochLine } from '../terminal.ts';
import { printHelp, TRAIN_OPTIONS, trainParameters } from '../train-options.ts';
import { MODEL_NAMES, type ModelName, type TrainParameters } from '../train-task.ts';

const names = methods.map(({ name }) => name);
const OUTPUTS = ['logit', 'probability', 'logOdds'] as const;

export const OPTIONS: Options = {
  index: { kind: 'whole', help: 'the example of the test set to explain (0)' },
  global: { kind: 'flag', help: 'explain the network as a whole in place of one example' },
  methods: {
    kind: 'text',
    help: `with commas between, or all. Of an example (saliency,integratedGradients): ${names.join(', ')}. Globally (all): ${GLOBAL_METHODS.join(', ')}`,
  },
  target: {
    kind: 'whole',
    help: 'the class to explain (the predicted one); globally the class whose curves are drawn (the second of two, the first of more)',
  },
  against: { kind: 'whole', help: 'another class: explain the target’s output less this one’s' },
  examples: {
    kind: 'whole',
    help: 'examples, from this one on, that the methods are evaluated on (8; 0 leaves the evaluation out); globally the examples looked at (1000)',
  },
  output: { kind: 'text', choices: OUTPUTS, help: 'what is explained of the class (logit)' },
  ...TRAIN_OPTIONS,
  model: {
    kind: 'text',
    value: 'mlp',
    help: `the network to train (${MODEL_NAMES.join(' or ')}), or a file that \`npm run train -- --out\` wrote`,
  },
  out: { kind: 'text', value: 'out', help: 'the folder for the picture and the report' },
  json: { kind: 'flag', help: 'print the result as one line of JSON, and write no files' },
};

/** The names in --methods. @throws CommandError for a name that is none of `known` */
function methodsOf<Name extends string>(values: OptionValues, known: readonly Name[], usual: readonly Name[]): readonly Name[] {
  const text = values.text('methods');
  if (text === undefined) return usual;
  if (text === 'all') return known;
  const asked = [...new Set(text.split(',').map((name) => name.trim()))];
  const unknown = asked.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) throw usageError(`--methods: there is no method '${unknown}'.`, `use some of ${known.join(', ')}, or all.`);
  return asked as Name[];
}

/** What is trained, or the file that is loaded in its place. @throws CommandError */
function networkOf(values: OptionValues): { train: TrainParameters; model?: string } {
  const model = values.text('model') as string;
  const train = trainParameters(values, false);
  if (MODEL_NAMES.includes(model as ModelName)) return { train };
  if (!existsSync(model) || !statSync(model).isFile()) {
    throw new CommandError(
      `--model is ${model}, which is neither a network nor a file.`,
      `use ${MODEL_NAMES.join(' or ')}, or a model that \`npm run train -- --out FOLDER\` wrote.`,
    );
  }
  return { train, model: readFileSync(model).toString('base64') };
}

/** What the arguments ask for globally. @throws CommandError */
export function globalParameters(values: OptionValues): GlobalParameters {
  const local = ['index', 'against', 'output'].find((name) => values.text(name) !== undefined);
  if (local !== undefined)
    throw usageError(`--${local} is about one example; --global looks at many.`, `leave --${local} or --global out.`);
  const examples = values.number('examples') ?? 1000;
  const target = values.number('target');
  if (examples < 2)
    throw usageError(`--examples is ${examples}; a network as a whole is seen on several.`, 'pass 2 or more, such as 1000.');
  return {
    ...networkOf(values),
    methods: methodsOf(values, GLOBAL_METHODS, GLOBAL_METHODS),
    examples,
    seed: values.number('seed') as number,
    ...(target === undefined ? {} : { target }),
  };
}

/** What the arguments ask for. @throws CommandError */
export function explainParameters(values: OptionValues): ExplainParameters {
  const target = values.number('target');
  const against = values.number('against');
  if (against !== undefined && against === target) {
    throw usageError(
      `--target and --against are both ${against}; what speaks for a class and against it is 0 everywhere.`,
      'name two classes, or leave --against out.',
    );
  }
  return {
    ...networkOf(values),
    index: values.number('index') ?? 0,
    methods: methodsOf(values, names, ['saliency', 'integratedGradients']),
    ...(target === undefined ? {} : { target }),
    ...(against === undefined ? {} : { against }),
    output: (values.text('output') ?? 'logit') as ExplainParameters['output'],
    seed: values.number('seed') as number,
    examples: values.number('examples') ?? 8,
    keep: !values.flag('json'),
  };
}

/** What a run of the command prints and writes. */
interface Outcome {
  readonly summary: object;
  readonly brief: string;
  readonly files: Parameters<typeof writeOutputs>[1];
}

/** Explains one example, or the network as a whole. The result is on stdout, how it goes on stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help)
    return printHelp('explain', 'Explains one decision of a network, or the whole, and tells which explanations to believe.', OPTIONS);
  const work = values.flag('global') ? globally(globalParameters(values)) : locally(explainParameters(values));
  const out = values.text('out') as string;
  if (!values.flag('json')) openOutputFolder(out);
  const progress = createProgress(process.stderr);
  return untilInterrupted(async (signal) => {
    const headless = await openHeadless();
    const show = (event: ExplainEvent): void => {
      if (event.kind === 'stage') progress.stage(event.text);
      else if (event.kind === 'progress') progress.update(event);
      else if (event.kind === 'epoch') progress.line(epochLine(event));
    };
    try {
      progress.line(headless.description);
      const outcome = await work((page, parameters) =>
        headless.runTask({
          page,
          parameters,
          signal,
          onEvent: (event) => show(event as ExplainEvent),
          onWarning: (line) => progress.line(`warning: ${line}`),
        }),
      );
      progress.end();
      if (signal.aborted || !outcome) throw new Interrupted('Stopped; nothing was written.');
      if (values.flag('json')) {
        process.stdout.write(`${JSON.stringify(outcome.summary)}\n`);
        return 0;
      }
      for (const path of writeOutputs(out, outcome.files)) progress.line(`Wrote ${path}`);
      process.stdout.write(`${outcome.brief}\n`);
      return 0;
    } catch (error) {
      throw signal.aborted ? new Interrupted('Stopped; nothing was written.') : error;
    } finally {
      progress.end();
      await headless.close();
    }
  });
}

/** Runs a page with its parameters. */
type Run = <Result>(page: string, parameters: unknown) => Promise<Result>;

const locally =
  (parameters: ExplainParameters) =>
  async (run: Run): Promise<Outcome | undefined> => {
    const { summary, picture, model } = await run<ExplainResult>('src/cli/page/explain.html', parameters);
    if (!summary) return undefined;
    const files = {
      ...(model ? { [`${summary.data}.safetensors`]: model } : {}),
      ...(picture ? { 'explanation.png': picture, 'explanation.html': explainReport(summary, picture) } : {}),
    };
    return { summary, brief: briefOf(summary), files };
  };

const globally =
  (parameters: GlobalParameters) =>
  async (run: Run): Promise<Outcome | undefined> => {
    const { summary } = await run<GlobalResult>('src/cli/page/global.html', parameters);
    if (!summary) return undefined;
    const { surrogateTree: tree } = summary;
    const files = {
      'global.html': globalReport(summary),
      ...globalDrawings(summary),
      ...(tree ? { 'surrogate-tree.mmd': tree.mermaid } : {}),
    };
    return { summary, brief: globalBrief(summary), files };
  };

/** A line a method, for a person. */
export function briefOf(summary: ExplainSummary): string {
  const { classes, prediction, probabilities, label } = summary;
  const nameOf = (index: number): string => classes[index] ?? String(index);
  const share = `${(100 * (probabilities[prediction] as number)).toFixed(1)} %`;
  const verdict = label === null ? '' : label === prediction ? ', correct' : `, wrong: it is ${nameOf(label)}`;
  const width = Math.max(...summary.maps.map(({ title }) => title.length));
  return [
    `Predicted ${nameOf(prediction)} (${share})${verdict}`,
    ...summary.maps.map(({ title, target, top, delta }) => {
      const places = top.slice(0, 3).map(({ at, name, value }) => `${name ?? `[${at.join(', ')}]`} ${value.toPrecision(3)}`);
      const gap = delta === undefined ? '' : `  gap ${delta.toExponential(1)}`;
      return `${title.padEnd(width)}  class ${nameOf(target)}: ${places.join(', ')}${gap}`;
    }),
    ...summary.notApplicable.map(({ title, why }) => `${title} is left out: ${why}`),
    ...(summary.evaluation ? ['', ...summary.evaluation.verdict.map(({ text }) => text)] : []),
  ].join('\n');
}
