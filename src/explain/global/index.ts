/** Methods about the whole network and its data. */

export { type AccumulatedLocalEffects, type AccumulatedLocalEffectsOptions, accumulatedLocalEffects } from './accumulated-local-effects.ts';
export { type ClassPrototypes, type ClassPrototypesOptions, classPrototypes } from './class-prototypes.ts';
export {
  type Counterfactual,
  type CounterfactualOptions,
  counterfactual,
  type DistanceNorm,
  type NearestCounterfactual,
  type NearestCounterfactualOptions,
  nearestCounterfactual,
} from './counterfactual.ts';
export { type LinearCka, type LinearCkaOptions, linearCka } from './linear-cka.ts';
export { type LinearProbe, type LinearProbeOptions, linearProbe, type ProbeResult } from './linear-probe.ts';
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
export { type Tcav, type TcavOptions, tcav } from './tcav.ts';
export {
  type Influence,
  type LabelledExamples,
  type TracIn,
  type TracInCheckpoint,
  type TracInOptions,
  tracIn,
} from './trac-in.ts';
