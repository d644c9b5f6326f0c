/** The page of the engine: the machine and the plan of a step. Loaded when it is visited: `await import('./engine-page.ts')` registers its elements. */

import { VitrineKernel } from './vitrine-kernel.ts';
import { VitrineMachine } from './vitrine-machine.ts';
import { VitrinePlan } from './vitrine-plan.ts';

declare global {
  interface HTMLElementTagNameMap {
    'vitrine-kernel': VitrineKernel;
    'vitrine-machine': VitrineMachine;
    'vitrine-plan': VitrinePlan;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'vitrine-kernel': VitrineKernel,
  'vitrine-machine': VitrineMachine,
  'vitrine-plan': VitrinePlan,
};

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
