import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'vite';

/**
 * The promises that the layout makes, checked on the sources themselves:
 *
 *     shaders ← engine ← explain ← bench ← ui, cli        data implements what engine declares
 *
 * Each fault is one line that names the file and what it may not do.
 */

/** For each folder of src/, the folders that it may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shaders: [],
  engine: ['shaders'],
  data: ['engine'],
  explain: ['engine', 'shaders'],
  bench: ['explain', 'engine', 'shaders', 'data'],
  ui: ['bench', 'explain', 'engine', 'shaders', 'data'],
  cli: ['bench', 'explain', 'engine', 'shaders', 'data'],
};

/** What others bundle: there a module that is loaded later must not be loaded at once as well. */
const LIBRARY: readonly string[] = ['engine', 'explain', 'data'];

/** Globals that only a page has. The engine runs in workers, Deno and Node as well. */
const PAGE_GLOBALS =
  /^(document|window|localStorage|sessionStorage|location|history|customElements|requestAnimationFrame|alert|Image|HTML\w*|SVG\w*|DOMParser)$/;

interface Import {
  /** The file, with its query removed. */
  target: string;
  /** Whether it is loaded with the file, later by import(), or never, being a type. */
  when: 'at once' | 'later' | 'never';
}

interface Source {
  path: string;
  folder: string;
  imports: Import[];
  globals: string[];
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

type SyntaxNode = { type: string; [key: string]: unknown };
const isNode = (value: unknown): value is SyntaxNode => typeof (value as SyntaxNode | null)?.type === 'string';

/** Calls `visit` with every node of a syntax tree and the node and key that hold it. */
function walk(node: SyntaxNode, visit: (node: SyntaxNode, parent: SyntaxNode | undefined, key: string) => void): void {
  const go = (current: SyntaxNode, parent: SyntaxNode | undefined, key: string): void => {
    visit(current, parent, key);
    for (const [childKey, child] of Object.entries(current)) {
      for (const each of Array.isArray(child) ? child : [child]) if (isNode(each)) go(each, current, childKey);
    }
  };
  go(node, undefined, '');
}

/** Page globals that a file uses. A name that is only a member, a key or declared in the file itself is no global. */
function pageGlobals(program: SyntaxNode): string[] {
  const used = new Set<string>();
  const declared = new Set<string>();
  walk(program, (node, parent, key) => {
    if (node.type !== 'Identifier' || !PAGE_GLOBALS.test(node.name as string)) return;
    const isMember = (key === 'property' && parent?.computed === false) || (key === 'right' && parent?.type === 'TSQualifiedName');
    const isKey = key === 'key' && parent?.computed !== true;
    const isDeclaration =
      key === 'id' || key === 'params' || key === 'local' || (key === 'value' && parent?.type === 'Property' && parent.shorthand === true);
    if (isDeclaration) declared.add(node.name as string);
    else if (!isMember && !isKey) used.add(node.name as string);
  });
  return [...used].filter((name) => !declared.has(name));
}

function readSource(root: string, path: string): Source {
  const text = readFileSync(path, 'utf8');
  const { module, program } = parseSync(path, text);
  const imports: Import[] = [];
  const add = (specifier: string, when: Import['when']): void => {
    if (specifier.startsWith('.')) imports.push({ target: resolve(dirname(path), specifier.replace(/\?.*$/, '')), when });
  };
  for (const { moduleRequest, entries } of module.staticImports) {
    add(moduleRequest.value, entries.length === 0 || entries.some((entry) => !entry.isType) ? 'at once' : 'never');
  }
  for (const { entries } of module.staticExports) {
    for (const entry of entries) if (entry.moduleRequest) add(entry.moduleRequest.value, entry.isType ? 'never' : 'at once');
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const quoted = text.slice(moduleRequest.start, moduleRequest.end);
    if (/^['"`]/.test(quoted)) add(quoted.slice(1, -1), 'later');
  }
  const folder = relative(join(root, 'src'), path).split(sep)[0] ?? '';
  return { path, folder, imports, globals: pageGlobals(program as unknown as SyntaxNode) };
}

/** The first cycle of eager imports through each file not yet seen, as the files on it. */
function importCycles(sources: readonly Source[]): string[][] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[][] = [];
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path]);
      return;
    }
    state.set(path, 'open');
    for (const { target, when } of byPath.get(path)?.imports ?? []) {
      if (when === 'at once' && byPath.has(target)) visit(target, [...trail, path]);
    }
    state.set(path, 'done');
  };
  for (const { path } of sources) visit(path, []);
  return cycles;
}

/** Every broken promise of the tree at `root`, a line each; none when it is sound. */
export function architectureFaults(root: string): string[] {
  const src = join(root, 'src');
  const name = (path: string): string => relative(root, path).split(sep).join('/');
  const files = filesUnder(src);
  const faults: string[] = [];

  for (const path of files) {
    const folder = relative(src, path).split(sep)[0] ?? '';
    if (!(folder in MAY_IMPORT))
      faults.push(`${name(path)}: src/ has no place for it; its folders are ${Object.keys(MAY_IMPORT).join(', ')}.`);
    if (folder === 'shaders' && extname(path) !== '.wgsl') faults.push(`${name(path)}: src/shaders holds .wgsl files only.`);
    if (folder !== 'shaders' && extname(path) === '.wgsl') faults.push(`${name(path)}: kernels live in src/shaders.`);
    if (/(^|\/)utils?\.\w+$/.test(name(path))) faults.push(`${name(path)}: a file is named by what it holds.`);
  }

  const sources = files.filter((path) => /\.(ts|mts|mjs|js)$/.test(path) && !/\.d\.m?ts$/.test(path)).map((path) => readSource(root, path));
  for (const source of sources) {
    const allowed = [source.folder, ...(MAY_IMPORT[source.folder] ?? [])];
    for (const { target } of source.imports) {
      const inside = relative(src, target);
      const folder = inside.split(sep)[0] ?? '';
      if (inside.startsWith('..') || !(folder in MAY_IMPORT) || allowed.includes(folder)) continue;
      faults.push(
        `${name(source.path)}: ${source.folder} may not import ${folder} (${name(target)}); it may import ${allowed.join(', ')}.`,
      );
    }
    if (source.folder === 'engine' || source.folder === 'explain') {
      for (const global of source.globals)
        faults.push(`${name(source.path)}: ${source.folder} may not touch the page, and uses ${global}.`);
    }
  }

  const library = sources.filter(({ folder }) => LIBRARY.includes(folder));
  for (const { path } of library) {
    const by = (wanted: Import['when']): Source | undefined =>
      library.find(({ imports }) => imports.some(({ target, when }) => target === path && when === wanted));
    const [later, atOnce] = [by('later'), by('at once')];
    if (!later || !atOnce) continue;
    faults.push(`${name(path)}: ${name(later.path)} loads it later, which is in vain: ${name(atOnce.path)} loads it at once.`);
  }

  for (const cycle of importCycles(sources)) faults.push(`${cycle.map(name).join(' → ')}: an import cycle.`);

  const operations = join(src, 'engine/ops');
  for (const path of filesUnder(operations)) {
    const operation = relative(operations, path).replace(/\.ts$/, '');
    const test = join(root, 'tests/engine/ops', `${operation}.test.ts`);
    if (operation !== 'index' && !existsSync(test)) faults.push(`${name(path)}: the operation has no test (${name(test)}).`);
  }
  return faults;
}
