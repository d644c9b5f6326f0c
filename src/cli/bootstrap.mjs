// Makes a fresh clone able to run: installs node_modules and a browser where they are missing.
// Plain JavaScript with no dependency: it runs before anything is installed. It writes to stderr only, so stdout stays the command's.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser } from './browser.mjs';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

const say = (line) => process.stderr.write(`${line}\n`);

/** A fault that a person can mend: shown as its two lines, without a stack. */
class SetupError extends Error {
  name = 'SetupError';
}

/** Runs a program with its output on stderr. Returns its exit status; a program that cannot start counts as 127. */
function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: repository, stdio: ['ignore', 2, 2], ...options });
  return result.status ?? (result.signal ? 130 : 127);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * What the lock file asks for and node_modules lacks. npm notes what it installed in node_modules/.package-lock.json;
 * versions are compared rather than times, since a checkout gives every file a new time.
 */
export function missingPackages(lock, installed) {
  const wanted = Object.entries(lock?.packages ?? {});
  // Optional packages are those of other systems.
  const needed = wanted.filter(([path, entry]) => path !== '' && !entry.optional);
  return needed.filter(([path, entry]) => installed?.packages?.[path]?.version !== entry.version).map(([path]) => path);
}

/** Installs node_modules when it is missing or not what the lock file says. */
export function ensureModules() {
  const lock = readJson(join(repository, 'package-lock.json'));
  const installed = readJson(join(repository, 'node_modules/.package-lock.json'));
  const missing = missingPackages(lock, installed);
  if (missing.length === 0) return;
  say(installed ? 'Updating the packages (npm ci).' : 'Installing the packages (npm ci).');
  // npm says where it lives, so that the same npm is used on every system; on Windows `npm` is a script that needs a shell.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const options = { env: { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' } };
  const status = npm?.endsWith('.js')
    ? run(process.execPath, [npm, ...args], options)
    : run('npm', args, { ...options, shell: process.platform === 'win32' });
  if (status !== 0) {
    throw new SetupError('npm ci failed; its own words are above.\nTo mend: mend what npm names, then run the command again.');
  }
}

/** Package managers, and what each calls the browser. The first that the system has is used. */
const PACKAGE_MANAGERS = [
  {
    program: 'apt-get',
    steps: [
      ['update', '-qq'],
      ['install', '-qq', '-y', '--no-install-recommends', 'chromium'],
    ],
  },
  { program: 'dnf', steps: [['install', '-y', 'chromium']] },
  { program: 'pacman', steps: [['-Sy', '--noconfirm', 'chromium']] },
  { program: 'zypper', steps: [['--non-interactive', 'install', 'chromium']] },
  { program: 'apk', steps: [['add', 'chromium']] },
];

const onPath = (program) => (process.env.PATH ?? '').split(':').some((folder) => folder && existsSync(join(folder, program)));

/** [] as root, ['sudo', '-n'] where sudo asks no password, undefined where neither holds. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  if (!onPath('sudo')) return undefined;
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined;
}

function commandLine(manager) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return manager.steps.map((step) => `${sudo}${manager.program} ${step.join(' ')}`).join(' && ');
}

/** Whether the browser starts at all: a downloaded one may lack the system's libraries. */
function starts(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
}

/** What a person has to run when nothing could be installed here. */
function browserAdvice(manager) {
  if (process.platform === 'darwin') return 'install Google Chrome, or run `brew install --cask google-chrome`';
  if (process.platform === 'win32') return 'install Google Chrome or Edge, or run `winget install Google.Chrome`';
  return manager ? `run \`${commandLine(manager)}\`` : 'install Chrome, Chromium or Edge';
}

/** Finds a browser, and installs one where there is none. Returns its path and where it comes from. */
export async function ensureBrowser() {
  const found = await findBrowser();
  if (found) return found;
  const linux = process.platform === 'linux';
  const manager = linux ? PACKAGE_MANAGERS.find((candidate) => onPath(candidate.program)) : undefined;

  say('No Chrome, Chromium or Edge was found. Installing Chromium by Playwright.');
  const playwright = join(repository, 'node_modules/playwright/cli.js');
  const downloaded = run(process.execPath, [playwright, 'install', '--no-shell', 'chromium'], {
    env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '15000' },
    // It shows its progress on stdout, and on stderr a stack for each of five tries.
    stdio: ['ignore', 2, 'ignore'],
  });
  const own = downloaded === 0 ? await findBrowser() : undefined;
  if (own && (!linux || starts(own.path))) return own;
  // What is there but cannot start must not be found again before the system's.
  if (own) run(process.execPath, [playwright, 'uninstall']);

  const sudo = manager ? privilege() : undefined;
  if (manager && sudo) {
    say(`Playwright's could not be had. Installing Chromium by ${manager.program}.`);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const step of manager.steps) {
      const [program, ...args] = [...sudo, manager.program, ...step];
      if (run(program, args, { env: environment }) !== 0) break;
    }
    const system = await findBrowser();
    if (system) return system;
  }
  throw new SetupError(
    `No browser with WebGPU was found, and none could be installed.\nTo mend: ${browserAdvice(manager)}, or set VITRINE_BROWSER to the path of one.`,
  );
}
