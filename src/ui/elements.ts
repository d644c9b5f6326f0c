/** The elements of the app: the studio's, and the pages beside it. */

import { VitrinePage } from './vitrine-page.ts';
import { defineWorkspace } from './workspace.ts';

/** Registers what is needed at once. Twice is once. */
export function defineElements(): void {
  VitrinePage.pages = {
    engine: () => import('./engine-page.ts'),
    bench: () => import('./bench/index.ts'),
    'self-test': () => import('./self-test/index.ts'),
  };
  defineWorkspace();
}
