/** Methods about the whole network and its data. */

export { type AccumulatedLocalEffects, type AccumulatedLocalEffectsOptions, accumulatedLocalEffects } from './accumulated-local-effects.ts';
export { type LinearCka, type LinearCkaOptions, linearCka } from './linear-cka.ts';
export type { AskedOutput } from './network-outputs.ts';
export { type PartialDependence, type PartialDependenceOptions, partialDependence } from './partial-dependence.ts';
export {
  type ColumnImportance,
  type ImportanceMetric,
  type PermutationImportance,
  type PermutationImportanceOptions,
  permutationImportance,
} from './permutation-importance.ts';
export type { Interval } from './statistics.ts';
export {
  type Fidelity,
  type Impurity,
  type PathStep,
  type SurrogateTree,
  type SurrogateTreeOptions,
  surrogateTree,
  type TreeNode,
} from './surrogate-tree.ts';
