/** Registers `<studio-whole>` and what it is made of: `void import('./whole/index.ts')`. Twice is once. */

import { StudioWhole } from './studio-whole.ts';
import { WholeAttention } from './whole-attention.ts';
import { WholeDependence } from './whole-dependence.ts';
import { WholeEvaluation } from './whole-evaluation.ts';
import { WholeImportance } from './whole-importance.ts';
import { WholePrototypes } from './whole-prototypes.ts';
import { WholeSimilarity } from './whole-similarity.ts';
import { WholeTree } from './whole-tree.ts';
import { WholeWeights } from './whole-weights.ts';

declare global {
  interface HTMLElementTagNameMap {
    'studio-whole': StudioWhole;
    'whole-attention': WholeAttention;
    'whole-dependence': WholeDependence;
    'whole-evaluation': WholeEvaluation;
    'whole-importance': WholeImportance;
    'whole-prototypes': WholePrototypes;
    'whole-similarity': WholeSimilarity;
    'whole-tree': WholeTree;
    'whole-weights': WholeWeights;
  }
}

const elements: Readonly<Record<string, CustomElementConstructor>> = {
  'studio-whole': StudioWhole,
  'whole-attention': WholeAttention,
  'whole-dependence': WholeDependence,
  'whole-evaluation': WholeEvaluation,
  'whole-importance': WholeImportance,
  'whole-prototypes': WholePrototypes,
  'whole-similarity': WholeSimilarity,
  'whole-tree': WholeTree,
  'whole-weights': WholeWeights,
};

for (const [name, element] of Object.entries(elements)) if (!customElements.get(name)) customElements.define(name, element);
