/** Registers `<vitrine-self-test>`: `void import('./self-test/index.ts')`. Twice is once. */

import { VitrineSelfTest } from './vitrine-self-test.ts';

declare global {
  interface HTMLElementTagNameMap {
    'vitrine-self-test': VitrineSelfTest;
  }
}

if (!customElements.get('vitrine-self-test')) customElements.define('vitrine-self-test', VitrineSelfTest);
