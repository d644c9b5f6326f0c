import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LitElement, PropertyDeclaration } from 'lit';
import { describe, expect, test } from 'vitest';
import { repository } from '../../src/cli/bootstrap.mjs';
import { ELEMENT_SOURCES, elementsManifest } from '../../src/cli/elements-manifest.ts';
import { LossChart } from '../../src/ui/loss-chart.ts';
import { AttributionMap } from '../../src/ui/maps/attribution-map.ts';
import { NetworkDiagram } from '../../src/ui/maps/network-diagram.ts';
import { TensorView } from '../../src/ui/maps/tensor-view.ts';

const CLASSES: Readonly<Record<string, typeof LitElement>> = {
  'tensor-view': TensorView,
  'loss-chart': LossChart,
  'attribution-map': AttributionMap,
  'network-diagram': NetworkDiagram,
};

/** Events that come from a picture inside an element, composed, without a line of its own. */
const PASSED_ON: Readonly<Record<string, readonly string[]>> = {
  'attribution-map': ['cell-point', 'cell-lock', 'cell-free', 'scale-end'],
};

describe('the custom elements manifest', () => {
  const manifest = elementsManifest();

  test('has the exported elements, each under its tag and in its built module', () => {
    const found = manifest.modules.map(({ path, declarations, exports }) => [
      path,
      declarations.map(({ tagName }) => tagName),
      exports.map(({ kind, name }) => `${kind} ${name}`),
    ]);
    const exported = readFileSync(join(repository, 'src/ui/public-elements.ts'), 'utf8');
    expect(new Set([...exported.matchAll(/^ +'([a-z-]+)': /gm)].map(([, tag]) => tag))).toEqual(new Set(Object.keys(CLASSES)));
    expect(found).toHaveLength(Object.keys(CLASSES).length);
    for (const [tag, element] of Object.entries(CLASSES)) {
      const source = ELEMENT_SOURCES.find((path) => path.endsWith(`/${tag}.ts`))!;
      const path = source.replace('src/', 'dist/lib/').replace('.ts', '.js');
      expect(found).toContainEqual([path, [tag], [`js ${element.name}`, `custom-element-definition ${tag}`]]);
    }
  });

  test.each(Object.keys(CLASSES))('documents every property of %s, with its type, and none that is its own business', (tag) => {
    const declaration = manifest.modules.flatMap(({ declarations }) => declarations).find(({ tagName }) => tagName === tag)!;
    const element = CLASSES[tag]!;
    const { properties } = element as unknown as { properties: Readonly<Record<string, PropertyDeclaration & { state?: boolean }>> };
    const known = Object.entries(properties).filter(([, { state }]) => !state);
    const members = declaration.members!.filter(({ name }) => name in properties);
    expect(members.map(({ name }) => name).sort()).toEqual(known.map(([name]) => name).sort());
    for (const { name, type, description } of members)
      expect([name, type?.text, description]).toEqual([name, expect.any(String), expect.any(String)]);
    // What is no property of Lit's is documented too.
    for (const { name, description } of declaration.members!) expect([name, description]).toEqual([name, expect.any(String)]);
    const attributes = known.filter(([, { attribute }]) => attribute !== false).map(([name]) => name.toLowerCase());
    expect(declaration.attributes!.map(({ name }) => name.toLowerCase()).sort()).toEqual(attributes.sort());
    expect(declaration.description).toBeTruthy();
  });

  test.each(Object.keys(CLASSES))('documents every event of %s', (tag) => {
    const declaration = manifest.modules.flatMap(({ declarations }) => declarations).find(({ tagName }) => tagName === tag)!;
    const source = readFileSync(join(repository, ELEMENT_SOURCES.find((path) => path.endsWith(`/${tag}.ts`))!), 'utf8');
    const fired = [...source.matchAll(/(?:Event(?:<[^>]*>)?\(|#fire\([^)]*?)'([a-z-]+)'/g)].map(([, name]) => name!);
    const named = [...source.matchAll(/#fire\(.*?'([a-z-]+)' : '([a-z-]+)'/g)].flatMap(([, one, other]) => [one!, other!]);
    const expected = [...new Set([...fired, ...named, ...(PASSED_ON[tag] ?? [])])].sort();
    expect(declaration.events!.map(({ name }) => name).sort()).toEqual(expected);
    for (const event of declaration.events!)
      expect([event.name, event.description, event.type?.text]).toEqual([event.name, expect.any(String), expect.stringContaining('Event')]);
  });

  test('is where package.json says', () => {
    const { customElements, files, exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
    expect(customElements).toBe('dist/lib/custom-elements.json');
    expect(files).toContain('dist/lib');
    expect(exports['./elements'].default).toBe('./dist/lib/ui/public-elements.js');
  });
});
