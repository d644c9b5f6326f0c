import { createServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import * as check from '../../src/cli/commands/check.ts';
import * as explain from '../../src/cli/commands/explain.ts';
import * as record from '../../src/cli/commands/record.ts';
import * as start from '../../src/cli/commands/start.ts';
import * as runTests from '../../src/cli/commands/test.ts';
import * as train from '../../src/cli/commands/train.ts';
import { runCommand } from './run-command.ts';

const RUN = { train: train.run, explain: explain.run, start: start.run, check: check.run, test: runTests.run, record: record.run };

test.each([
  ['train', []],
  ['explain', []],
  ['start', ['--headless']],
  ['record', []],
] as const)('%s looks at where its files shall go before any browser is opened', async (name, args) => {
  await expect(RUN[name]([...args, '--out', 'package.json/out/file'])).rejects.toThrow(
    /^--out is package\.json\/out(\/file)?, where nothing can be written: there is a file where a folder should be\.\nTo mend: name a folder .*$/,
  );
});

test.each(['check', 'test'] as const)('%s with --help tells what it does, and does nothing', async (name) => {
  let told = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    told += text;
    return true;
  });
  const status = await RUN[name](['--help']).finally(() => write.mockRestore());
  expect(status).toBe(0);
  expect(told).toMatch(/^Checks types, lint and architecture.*Usage: npm .*--help {2}show this\n$/s);
});

test.each(['check', 'test'] as const)('%s refuses an option that it does not know', async (name) => {
  await expect(RUN[name](['--foo'])).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^Unknown option '--foo'\.\nTo mend: .*$/),
  });
});

test('what stands behind -- is told to Vitest, and so are the names of files', () => {
  expect(runTests.vitestArguments(['tests/a.test.ts', '--', '-t', 'relu'])).toEqual(['tests/a.test.ts', '-t', 'relu']);
  expect(runTests.vitestArguments([])).toEqual([]);
  expect(runTests.vitestArguments(['-h'])).toBeUndefined();
  expect(() => runTests.vitestArguments(['--bail', '1'])).toThrow('as in npm test -- -- --bail.');
});

test('a studio that finds no port is told in two lines', async () => {
  const taken = createServer();
  // Where another program has the port already, it is taken all the same.
  await new Promise<void>((done) => taken.once('error', () => done()).listen(65_535, () => done()));
  try {
    const { status, stderr } = await runCommand('start', '--no-open', '--port', '65535');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^The studio cannot be served on port 65535: .*\.\nTo mend: pass another port.*\n$/);
  } finally {
    taken.close();
  }
});
