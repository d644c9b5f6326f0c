// `node src/cli/run.mjs COMMAND [options]`: prepares the machine, then runs src/cli/commands/COMMAND.ts.
// Node 20 runs no TypeScript, so Vite loads the command.
import { existsSync, readdirSync } from 'node:fs';
import { ensureModules, repository } from './bootstrap.mjs';

const [name, ...options] = process.argv.slice(2);
const file = `${repository}src/cli/commands/${name}.ts`;

try {
  if (!name || !existsSync(file)) {
    const known = readdirSync(`${repository}src/cli/commands`).map((each) => each.replace('.ts', ''));
    const error = new Error(`There is no command ${name ?? '(none was given)'}.\nTo mend: use one of ${known.join(', ')}.`);
    throw Object.assign(error, { exitCode: 2 });
  }
  ensureModules();
  const { runnerImport } = await import('vite');
  const { NODE_ENV } = process.env;
  const { module } = await runnerImport(file, { root: repository, configFile: false, logLevel: 'warn' });
  // Loading says 'development' for the whole process; a build must be free to say 'production'.
  if (NODE_ENV === undefined) delete process.env.NODE_ENV;
  process.exitCode = await module.run(options);
} catch (error) {
  // What says how to mend it needs no stack, nor does a command that was stopped; any other error is ours, and does.
  const explained = error?.exitCode !== undefined || error?.message?.includes('\nTo mend: ');
  process.stderr.write(`${explained ? error.message : (error?.stack ?? error)}\n`);
  process.exitCode = error?.exitCode ?? 1;
  // Whoever reads only the last line of `npm test` must not take a broken set-up for a pass.
  if (name === 'test') process.stdout.write('0 passed, 1 failed\n');
}

// The command is over. A server or a timer that something left behind must not keep the process alive; what was written must arrive.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit();
