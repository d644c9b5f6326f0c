import { expect, test } from 'vitest';
import { CommandError } from '../../src/cli/command-error.ts';
import { helpText, readOptions } from '../../src/cli/options.ts';
import { TRAIN_OPTIONS, trainParameters } from '../../src/cli/train-options.ts';

function refusal(...args: string[]): { message: string; exitCode: number } {
  try {
    readOptions(TRAIN_OPTIONS, args);
  } catch (error) {
    if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  }
  throw new Error(`${args.join(' ')} was not refused`);
}

test('without options, training is that of the introduction', () => {
  expect(trainParameters(readOptions(TRAIN_OPTIONS, []), false)).toEqual({
    data: 'mnist',
    model: 'mlp',
    epochs: 10,
    batch: 32,
    seed: 0,
    validationSplit: 0.2,
    keep: false,
  });
});

test('options are read with a space and with an equals sign', () => {
  const values = readOptions(TRAIN_OPTIONS, ['--epochs', '1', '--batch=64', '--validation-split=0']);
  expect(trainParameters(values, true)).toMatchObject({ epochs: 1, batch: 64, validationSplit: 0, keep: true });
});

test.each([
  [['--epochs', '0'], '--epochs is 0; it must be a whole number of at least 1.\nTo mend: pass for example --epochs 10.'],
  [['--batch', '1.5'], '--batch is 1.5; it must be a whole number of at least 1.\nTo mend: pass for example --batch 32.'],
  [['--seed=-1'], '--seed is -1; it must be a whole number from 0 to 4294967295.\nTo mend: pass for example --seed 0.'],
  [
    ['--validation-split', '1'],
    '--validation-split is 1; it must be a number from 0 up to, not including, 1.\nTo mend: pass for example --validation-split 0.2.',
  ],
  [['--data', 'cifar'], '--data is cifar; it must be mnist or german-credit or breast-cancer.\nTo mend: pass for example --data mnist.'],
])('%s is refused with exit status 2 and the way to mend it', (args, message) => {
  expect(refusal(...args)).toEqual({ message, exitCode: 2 });
});

test.each([
  [['--epoch', '3'], "Unknown option '--epoch'."],
  [['mnist'], "Unexpected argument 'mnist'."],
])('%s is refused in two lines', (args, first) => {
  const { message, exitCode } = refusal(...args);
  const [what, mend, ...rest] = message.split('\n');
  expect([what, rest, exitCode]).toEqual([first, [], 2]);
  expect(mend).toMatch(/^To mend: use --data, --model, .*; --help explains each\.$/);
});

test.each([
  [['--epochs'], '--epochs has no value.\nTo mend: write --epochs 10; --help explains it.'],
  [['--epochs', '--seed'], '--epochs has no value.\nTo mend: write --epochs 10; --help explains it.'],
  [['--data'], '--data has no value.\nTo mend: write --data mnist; --help explains it.'],
  [['--seed', '-1'], '--seed is -1; it must be a whole number from 0 to 4294967295.\nTo mend: pass for example --seed 0.'],
  [
    ['--validation-split', '-.5'],
    '--validation-split is -.5; it must be a number from 0 up to, not including, 1.\nTo mend: pass for example --validation-split 0.2.',
  ],
])('%j is refused with what the option takes', (args, message) => {
  expect(refusal(...args)).toEqual({ message, exitCode: 2 });
});

test('a number may have a greatest value', () => {
  const options = { port: { kind: 'whole', value: 5173, least: 1, most: 65_535, help: '' } } as const;
  expect(readOptions(options, ['--port', '65535']).number('port')).toBe(65_535);
  expect(() => readOptions(options, ['--port', '65536'])).toThrow(
    '--port is 65536; it must be a whole number from 1 to 65535.\nTo mend: pass for example --port 5173.',
  );
});

test('a command with no options has help, and refuses any', () => {
  expect(readOptions({}, ['--help']).help).toBe(true);
  expect(helpText('npm run check', 'Checks.', {})).toBe('Checks.\n\nUsage: npm run check\n\n  --help  show this\n');
  expect(() => readOptions({}, ['--foo'])).toThrow("Unknown option '--foo'.\nTo mend: use no option but --help.");
});

test('help shows every option with its choices and its default', () => {
  const help = helpText('npm run train -- [options]', 'Trains.', TRAIN_OPTIONS);
  for (const name of Object.keys(TRAIN_OPTIONS)) expect(help).toContain(`--${name}`);
  expect(help).toContain('mlp|linear');
  expect(help).toContain('(10)');
});
