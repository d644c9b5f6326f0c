// Finds a browser that has WebGPU, and the arguments that give it an adapter.
// Plain JavaScript with no dependency at load time: the bootstraps read it before node_modules exists.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** With no GPU: Chromium's own software adapter. All of these are needed for canvases to be captured right as well. */
const SOFTWARE_ARGUMENTS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--enable-gpu',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];

/**
 * With a GPU. Chrome on Linux keeps WebGPU behind a flag for most drivers, and without a window must draw without a surface;
 * elsewhere nothing is needed.
 */
const HARDWARE_ARGUMENTS =
  process.platform === 'linux'
    ? ['--enable-unsafe-webgpu', '--ignore-gpu-blocklist', '--enable-features=Vulkan', '--use-angle=vulkan', '--disable-vulkan-surface']
    : [];

/** Nothing calls home, and a page that nobody looks at runs as fast as one that somebody does. */
const QUIET_ARGUMENTS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** The names under which Chrome, Chromium and Edge are found on the PATH of a Unix machine. */
const COMMANDS = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'microsoft-edge-stable', 'microsoft-edge'];

const MAC_APPLICATIONS = [
  'Google Chrome.app/Contents/MacOS/Google Chrome',
  'Chromium.app/Contents/MacOS/Chromium',
  'Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];

const WINDOWS_PROGRAMS = [
  'Google\\Chrome\\Application\\chrome.exe',
  'Chromium\\Application\\chrome.exe',
  'Microsoft\\Edge\\Application\\msedge.exe',
];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Every place where this operating system keeps a Chrome, Chromium or Edge, in the order in which they are tried. */
export function systemBrowserPaths(platform = process.platform, environment = process.env) {
  if (platform === 'darwin') {
    const folders = ['/Applications', join(environment.HOME ?? '', 'Applications')];
    return folders.flatMap((folder) => MAC_APPLICATIONS.map((name) => join(folder, name)));
  }
  if (platform === 'win32') {
    const folders = [environment.PROGRAMFILES, environment['PROGRAMFILES(X86)'], environment.LOCALAPPDATA];
    return folders.filter(Boolean).flatMap((folder) => WINDOWS_PROGRAMS.map((name) => `${folder}\\${name}`));
  }
  const folders = [...(environment.PATH ?? '').split(delimiter), '/usr/bin', '/snap/bin', '/opt/google/chrome'];
  const unique = [...new Set(folders.filter(Boolean))];
  return COMMANDS.flatMap((name) => unique.map((folder) => join(folder, name)));
}

/** Playwright's own Chromium when it has been downloaded, else undefined. */
async function playwrightBrowserPath() {
  try {
    const { chromium } = await import('playwright');
    const path = chromium.executablePath();
    return path && existsSync(path) ? path : undefined;
  } catch {
    return undefined; // Playwright is not installed yet, or knows no browser for this system.
  }
}

/**
 * The browser to use: VITRINE_BROWSER, then Playwright's own, then the system's.
 * @returns {Promise<{ path: string, source: 'VITRINE_BROWSER' | 'playwright' | 'system' } | undefined>}
 */
export async function findBrowser(environment = process.env) {
  const given = environment.VITRINE_BROWSER;
  if (given) {
    if (!isExecutable(given)) {
      throw new Error(
        `VITRINE_BROWSER is ${given}, which is no program that can be run.\nTo mend: set it to the full path of Chrome, Chromium or Edge, or unset it.`,
      );
    }
    return { path: given, source: 'VITRINE_BROWSER' };
  }
  const own = await playwrightBrowserPath();
  if (own) return { path: own, source: 'playwright' };
  const system = systemBrowserPaths(process.platform, environment).find(isExecutable);
  return system ? { path: system, source: 'system' } : undefined;
}

/** Whether the machine shows a GPU at all. Where it does, only trying says whether the browser may use it. */
export function mayHaveGpu(platform = process.platform) {
  if (platform !== 'linux') return true;
  return ['/dev/dri', '/dev/nvidia0', '/dev/dxg'].some((path) => existsSync(path));
}

/** The arguments for one kind of adapter. */
export function browserArguments(adapter) {
  const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return [...(adapter === 'hardware' ? HARDWARE_ARGUMENTS : SOFTWARE_ARGUMENTS), ...QUIET_ARGUMENTS, ...sandbox];
}

/** Whether the browser hands out an adapter of the GPU: it is asked, once, in a throw-away window. */
async function hardwareAdapterWorks(executablePath) {
  const { chromium } = await import('playwright');
  let browser;
  try {
    browser = await chromium.launch({ executablePath, headless: true, args: browserArguments('hardware') });
    const page = await browser.newPage();
    // navigator.gpu exists in secure contexts only, and about:blank is none; a routed https page is.
    await page.route('https://vitrine.invalid/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto('https://vitrine.invalid/');
    return await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      return Boolean(adapter) && !adapter.info.isFallbackAdapter;
    });
  } catch {
    return false;
  } finally {
    await browser?.close();
  }
}

/**
 * How to launch the browser: its path, its arguments and which adapter they give.
 * VITRINE_ADAPTER=hardware or =software decides; otherwise a machine that shows a GPU is tried.
 */
export async function browserLaunch(environment = process.env) {
  const browser = await findBrowser(environment);
  if (!browser) {
    throw new Error(
      `No browser with WebGPU was found.\nTo mend: install Chrome, Chromium or Edge, or set VITRINE_BROWSER to the path of one.`,
    );
  }
  let adapter = environment.VITRINE_ADAPTER;
  if (adapter !== 'hardware' && adapter !== 'software') {
    adapter = mayHaveGpu() && (await hardwareAdapterWorks(browser.path)) ? 'hardware' : 'software';
  }
  return { executablePath: browser.path, args: browserArguments(adapter), adapter, source: browser.source };
}
