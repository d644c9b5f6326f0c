import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { methods } from '../../explain/methods.ts';
import { CommandError, Interrupted, usageError } from '../command-error.ts';
import { explainReport } from '../explain-report.ts';
import type { ExplainEvent, ExplainParameters, ExplainResult, ExplainSummary } from '../explain-task.ts';
import { openHeadless, untilInterrupted } from '../headless.ts';
import { type Options, type OptionValues, readOptions } from '../options.ts';
import { createProgress, epochLine } from '../terminal.ts';
import { printHelp, TRAIN_OPTIONS, trainParameters } from '../train-options.ts';
import { MODEL_NAMES, type ModelName } from '../train-task.ts';

const names = methods.map(({ name }) => name);
const OUTPUTS = ['logit', 'probability', 'logOdds'] as const;

export const OPTIONS: Options = {
  index: { kind: 'whole', value: 0, help: 'the example of the test set to explain' },
  methods: { kind: 'text', value: 'saliency,integratedGradients', help: `with commas between: ${names.join(', ')}; or all` },
  target: { kind: 'whole', help: 'the class to explain (the predicted one)' },
  against: { kind: 'whole', help: 'another class: explain the target’s output less this one’s' },
  examples: { kind: 'whole', value: 8, help: 'examples, from this one on, that the methods are evaluated on; 0 leaves the evaluation out' },
  output: { kind: 'text', value: 'logit', choices: OUTPUTS, help: 'what is explained of the class' },
  ...TRAIN_OPTIONS,
  model: {
    kind: 'text',
    value: 'mlp',
    help: `the network to train (${MODEL_NAMES.join(' or ')}), or a file that \`npm run train -- --out\` wrote`,
  },
  out: { kind: 'text', value: 'out', help: 'the folder for the picture and the report' },
  json: { kind: 'flag', help: 'print the result as one line of JSON, and write no files' },
};

/** What the arguments ask for. @throws CommandError */
export function explainParameters(values: OptionValues): ExplainParameters {
  const text = values.text('methods') as string;
  const asked = text === 'all' ? names : [...new Set(text.split(',').map((name) => name.trim()))];
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown !== undefined) throw usageError(`--methods: there is no method '${unknown}'.`, `use some of ${names.join(', ')}, or all.`);
  const model = values.text('model') as string;
  const trains = MODEL_NAMES.includes(model as ModelName);
  if (!trains && !existsSync(model)) {
    throw new CommandError(
      `--model is ${model}, which is neither a network nor a file.`,
      `use ${MODEL_NAMES.join(' or ')}, or a model that \`npm run train -- --out FOLDER\` wrote.`,
    );
  }
  const target = values.number('target');
  const against = values.number('against');
  return {
    train: trainParameters(values, false),
    ...(trains ? {} : { model: readFileSync(model).toString('base64') }),
    index: values.number('index') as number,
    methods: asked,
    ...(target === undefined ? {} : { target }),
    ...(against === undefined ? {} : { against }),
    output: values.text('output') as ExplainParameters['output'],
    seed: values.number('seed') as number,
    examples: values.number('examples') as number,
    keep: !values.flag('json'),
  };
}

/** Explains one example of a network that it trains or loads. The result is on stdout, how it goes on stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const values = readOptions(OPTIONS, args);
  if (values.help) return printHelp('explain', 'Explains one decision of a network, and tells which explanations to believe.', OPTIONS);
  const parameters = explainParameters(values);
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
      const result = await headless.runTask<ExplainResult>({
        page: 'src/cli/page/explain.html',
        parameters,
        signal,
        onEvent: (event) => show(event as ExplainEvent),
        onWarning: (line) => progress.line(`warning: ${line}`),
      });
      progress.end();
      if (signal.aborted || !result.summary) throw new Interrupted('Stopped; nothing was written.');
      const { summary } = result;
      if (values.flag('json')) {
        process.stdout.write(`${JSON.stringify(summary)}\n`);
        return 0;
      }
      for (const path of writeReport(values.text('out') as string, summary, result)) progress.line(`Wrote ${path}`);
      process.stdout.write(`${briefOf(summary)}\n`);
      return 0;
    } catch (error) {
      throw signal.aborted ? new Interrupted('Stopped; nothing was written.') : error;
    } finally {
      progress.end();
      await headless.close();
    }
  });
}

/** Writes the picture, the report and, where one was trained, the model. Returns the paths as a person would type them. */
function writeReport(folder: string, summary: ExplainSummary, { picture, model }: ExplainResult): string[] {
  mkdirSync(resolve(folder), { recursive: true });
  const paths: string[] = [];
  const write = (name: string, bytes: Uint8Array | string): void => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    paths.push(path);
  };
  if (model) write(`${summary.data}.safetensors`, model);
  if (picture) {
    write('explanation.png', picture);
    write('explanation.html', explainReport(summary, picture));
  }
  return paths;
}

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
    ...(summary.evaluation ? ['', ...summary.evaluation.verdict.map(({ text }) => text)] : []),
  ].join('\n');
}
