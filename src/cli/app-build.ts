/** Plug-ins of the studio's build: what a visitor loads before the first picture is as small as it can be. */

import { readFile } from 'node:fs/promises';
import type { Plugin } from 'vite';
import { stripWgslComments } from './library-build.ts';

/**
 * Kernels without their comments in what is loaded at once, and with them under `name.wgsl?documented`, for whoever reads one.
 *
 * @param strip true in a build; a page that is being worked on has the files as they are
 */
export function documentedShaders(strip: boolean): Plugin {
  return {
    name: 'vitrine:documented-shaders',
    enforce: 'pre',
    async load(id) {
      const [file = '', query = ''] = id.split('?');
      if (!file.endsWith('.wgsl')) return undefined;
      const documented = query.split('&').includes('documented');
      if (!documented && !strip) return undefined;
      const text = await readFile(file, 'utf8');
      return `export default ${JSON.stringify(documented ? text : stripWgslComments(text))};`;
    },
  };
}

/** Templates of elements without the indentation that only their source needs. Text between tags keeps a space where it had any. */
export function minifyTemplates(): Plugin {
  return {
    name: 'vitrine:minify-templates',
    enforce: 'post',
    transform(code, id) {
      if (!/\/src\/ui\/.*\.ts$/.test(id)) return undefined;
      return { code: code.replaceAll(/\n[ \t]+/g, '\n'), map: null };
    },
  };
}

/** d3-scale-chromatic computes all of its schemes when it is loaded, in one module: marked as pure, those that nobody asks for are left out. */
export function shakeColorSchemes(): Plugin {
  return {
    name: 'vitrine:shake-color-schemes',
    transform(code, id) {
      if (!/[\\/]d3-scale-chromatic\.mjs$/.test(id)) return undefined;
      const pure = code
        .replaceAll(/= (new Array\(3\)\.concat\([^;]*\)\.map\(colors\));/g, '= /* @__PURE__ */ (() => $1)();')
        .replaceAll(/^var (\S+) = ([\w$]+)\(/gm, 'var $1 = /* @__PURE__ */ $2(')
        .replaceAll(/(?<=\()(colors|cubehelix\$1)\(|(?<=, )(cubehelix\$1)\(/g, '/* @__PURE__ */ $&');
      return { code: pure, map: null };
    },
  };
}
