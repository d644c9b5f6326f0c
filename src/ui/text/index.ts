/** Registers what shows texts, `<text-example>` and `<text-map>`: `void import('./text/index.ts')`. Twice is once. */

import { TextExample } from './text-example.ts';
import { TextMap } from './text-map.ts';

declare global {
  interface HTMLElementTagNameMap {
    'text-example': TextExample;
    'text-map': TextMap;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = { 'text-example': TextExample, 'text-map': TextMap };

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
