import { spawn } from 'node:child_process';
import { repository } from '../../src/cli/bootstrap.mjs';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command as a person does, without npm around it and without this test run's own settings. */
export function runCommand(...args: readonly string[]): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['src/cli/run.mjs', ...args], { cwd: repository, env: { ...process.env, VITEST: '' } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('close', (status) => done({ status, stdout, stderr }));
  });
}
