/** Registers what shows rows of tables, `<row-map>`: `void import('./table/index.ts')`. Twice is once. */

import { RowMap } from './row-map.ts';

declare global {
  interface HTMLElementTagNameMap {
    'row-map': RowMap;
  }
}

if (!customElements.get('row-map')) customElements.define('row-map', RowMap);
