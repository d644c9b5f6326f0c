import { helpText, type Options, type OptionValues } from './options.ts';
import { DATA_NAMES, type DataName, MODEL_NAMES, type ModelName, type TrainParameters } from './train-task.ts';

/** What every training command understands. */
export const TRAIN_OPTIONS: Options = {
  data: { kind: 'text', value: 'mnist', choices: DATA_NAMES, help: 'the data set' },
  model: { kind: 'text', value: 'mlp', choices: MODEL_NAMES, help: 'the network' },
  epochs: { kind: 'whole', value: 10, least: 1, help: 'passes over the training examples' },
  batch: { kind: 'whole', value: 32, least: 1, help: 'examples a step' },
  seed: { kind: 'whole', value: 0, most: 0xffff_ffff, help: 'the seed of the first weights and of the order of the examples' },
  'validation-split': { kind: 'fraction', value: 0.2, help: 'the last fraction of the training examples, kept for validation' },
};

/** The options as what a page is asked to do. */
export function trainParameters(values: OptionValues, keep: boolean): TrainParameters {
  const whole = (name: string): number => values.number(name) as number; // All have defaults.
  return {
    data: values.text('data') as DataName,
    model: values.text('model') as ModelName,
    epochs: whole('epochs'),
    batch: whole('batch'),
    seed: whole('seed'),
    validationSplit: whole('validation-split'),
    keep,
  };
}

/** Prints the help of a command on stdout. */
export function printHelp(command: string, purpose: string, options: Options): number {
  process.stdout.write(helpText(`npm run ${command} -- [options]`, purpose, options));
  return 0;
}
