/** The custom elements manifest: what editors and documentation tools read of the elements that the library exports. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, ts } from '@custom-elements-manifest/analyzer/index.js';
import { litPlugin } from '@custom-elements-manifest/analyzer/src/features/framework-plugins/lit/lit.js';
import { repository } from './bootstrap.mjs';

interface Documented {
  readonly name: string;
  readonly description?: string;
  readonly type?: { readonly text: string };
}

interface Member extends Documented {
  readonly kind: string;
}

interface Declaration extends Documented {
  readonly kind: string;
  readonly tagName?: string;
  readonly customElement?: boolean;
  members?: readonly Member[];
  attributes?: readonly (Documented & { readonly fieldName?: string })[];
  events?: readonly Documented[];
}

interface ModuleExport {
  readonly kind: string;
  readonly name: string;
  readonly declaration: { readonly name: string; readonly module?: string };
}

export interface ElementsManifest {
  readonly schemaVersion: string;
  readonly modules: { path: string; declarations: Declaration[]; exports: ModuleExport[] }[];
}

/** Files of the elements, from the repository on. */
export const ELEMENT_SOURCES: readonly string[] = [
  'src/ui/maps/tensor-view.ts',
  'src/ui/loss-chart.ts',
  'src/ui/maps/attribution-map.ts',
  'src/ui/maps/network-diagram.ts',
];

/** Read from the elements' sources; paths are those of the built library. */
export function elementsManifest(): ElementsManifest {
  const modules = ELEMENT_SOURCES.map((path) =>
    ts.createSourceFile(path, readFileSync(join(repository, path), 'utf8'), ts.ScriptTarget.ES2022, true),
  );
  const manifest = create({ modules, plugins: litPlugin() }) as ElementsManifest;
  for (const module of manifest.modules) {
    const built = (path: string): string => path.replace(/^\/?src\//, 'dist/lib/').replace(/\.ts$/, '.js');
    module.path = built(module.path);
    module.declarations = module.declarations.filter(({ customElement }) => customElement);
    for (const declaration of module.declarations) {
      // What is the element's own business has no description, or is marked as internal, which leaves it without one.
      declaration.members = declaration.members?.filter(({ kind, description }) => kind === 'field' && description !== undefined) ?? [];
      const fields = new Set(declaration.members.map(({ name }) => name));
      declaration.attributes = declaration.attributes?.filter(({ fieldName = '' }) => fields.has(fieldName)) ?? [];
      declaration.events = declaration.events?.filter(({ description }) => description !== undefined) ?? [];
    }
    const { name = '', tagName = '' } = module.declarations[0] ?? {};
    module.exports = [
      { kind: 'js', name, declaration: { name, module: module.path } },
      { kind: 'custom-element-definition', name: tagName, declaration: { name, module: module.path } },
    ];
  }
  return manifest;
}
