import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from '../bootstrap.mjs';
import { architectureFaults } from '../check-architecture.ts';
import { readOptions } from '../options.ts';
import { paint } from '../terminal.ts';
import { printHelp } from '../train-options.ts';

interface Outcome {
  name: string;
  passed: boolean;
  output: string;
  seconds: number;
}

/** Runs a program of node_modules and keeps what it says. */
function tool(script: string, args: string[]): Promise<{ passed: boolean; output: string }> {
  return new Promise((done) => {
    const environment = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) };
    const child = spawn(process.execPath, [join(repository, 'node_modules', script), ...args], {
      cwd: repository,
      env: environment,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk;
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => done({ passed: false, output: String(error) }));
    child.on('close', (status) => done({ passed: status === 0, output }));
  });
}

async function timed(name: string, work: Promise<{ passed: boolean; output: string }>): Promise<Outcome> {
  const start = performance.now();
  const { passed, output } = await work;
  return { name, passed, output: output.trim(), seconds: (performance.now() - start) / 1000 };
}

async function architecture(): Promise<{ passed: boolean; output: string }> {
  const faults = architectureFaults(repository);
  return { passed: faults.length === 0, output: faults.join('\n') };
}

/** Types, lint and architecture, side by side. Prints a line each, then what each has to say. Returns how many failed. */
export async function check(): Promise<number> {
  const outcomes = await Promise.all([
    timed('types', tool('typescript/bin/tsc', ['--project', repository, ...(process.stdout.isTTY ? ['--pretty'] : [])])),
    timed('lint', tool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--max-diagnostics=50', repository])),
    timed('architecture', architecture()),
  ]);
  for (const { name, passed, seconds } of outcomes) {
    const mark = passed ? paint('green', '✓') : paint('red', '✗');
    process.stdout.write(`${mark} ${name.padEnd(14)}${paint('dim', `${seconds.toFixed(1)} s`)}\n`);
  }
  const failed = outcomes.filter(({ passed }) => !passed);
  for (const { name, output } of failed) process.stdout.write(`\n${paint('bold', name)}\n${output}\n`);
  if (failed.some(({ name }) => name === 'lint')) process.stdout.write('\nTo mend: `npm run format` mends what can be mended by itself.\n');
  return failed.length;
}

export async function run(args: readonly string[]): Promise<number> {
  if (readOptions({}, args).help) return printHelp('check', 'Checks types, lint and architecture, in seconds.', {});
  return (await check()) === 0 ? 0 : 1;
}
