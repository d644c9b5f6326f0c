import { expect, test } from 'vitest';
import { contenderNames } from '../../src/bench/contender.ts';
import { workloads } from '../../src/bench/workloads.ts';
import { OPTIONS, suiteOptions } from '../../src/cli/commands/bench.ts';
import { readOptions } from '../../src/cli/options.ts';

const read = (...args: string[]): ReturnType<typeof suiteOptions> => suiteOptions(readOptions(OPTIONS, args));

test('without arguments everything takes part, against TensorFlow.js WebGPU', () => {
  expect(read()).toEqual({
    workloads: workloads.map(({ name }) => name),
    contenders: contenderNames,
    baseline: 'tfjs-webgpu',
    repeats: 5,
    tune: false,
  });
});

test('lists keep their order and lose what is said twice', () => {
  const options = read('--only', 'matmul-1024, train-mlp-32,matmul-1024', '--contenders=vitrine', '--repeats', '7');
  expect(options).toEqual({
    workloads: ['matmul-1024', 'train-mlp-32'],
    contenders: ['vitrine'],
    baseline: 'vitrine',
    repeats: 7,
    tune: false,
  });
});

test('kernels are tuned on request', () => {
  expect(read('--tune').tune).toBe(true);
});

test.each([
  [['--only', 'train-mlp-33'], '--only: there is no train-mlp-33.', 'use some of train-mlp-32, '],
  [['--only', 'memory,'], '--only: there is no name between two commas.', 'use some of train-mlp-32, '],
  [['--contenders', 'pytorch'], '--contenders: there is no pytorch.', 'use some of vitrine, tfjs-webgpu'],
  [['--contenders', 'vitrine', '--baseline', 'tfjs-webgpu'], '--baseline is tfjs-webgpu, which does not take part.', 'use one of vitrine.'],
  [['--repeats', '0'], '--repeats is 0; it must be a whole number of at least 1.', 'pass for example --repeats 5.'],
  [['--fast'], "Unknown option '--fast'.", 'use --only, --contenders, --baseline, --repeats, --tune, --json; --help explains each.'],
])('%s is refused in two lines', (args, what, mend) => {
  let message = '';
  try {
    read(...args);
  } catch (error) {
    message = (error as Error).message;
  }
  const [first, second, ...rest] = message.split('\n');
  expect(first).toBe(what);
  expect(second).toContain(`To mend: ${mend}`);
  expect(rest).toEqual([]);
});
