/** Registers `<own-images>`: `void import('./own/index.ts')`. Twice is once. */

import { OwnImages } from './own-images.ts';

declare global {
  interface HTMLElementTagNameMap {
    'own-images': OwnImages;
  }
}

if (!customElements.get('own-images')) customElements.define('own-images', OwnImages);
