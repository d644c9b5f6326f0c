/** Registers `<studio-whole>` and what it is made of: `void import('./whole/index.ts')`. Twice is once. */

import { StudioWhole } from './studio-whole.ts';
import { WholeEvaluation } from './whole-evaluation.ts';
import { WholeTree } from './whole-tree.ts';
import { WholeWeights } from './whole-weights.ts';

declare global {
  interface HTMLElementTagNameMap {
    'studio-whole': StudioWhole;
    'whole-evaluation': WholeEvaluation;
    'whole-tree': WholeTree;
    'whole-weights': WholeWeights;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'studio-whole': StudioWhole,
  'whole-evaluation': WholeEvaluation,
  'whole-tree': WholeTree,
  'whole-weights': WholeWeights,
};

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
