/** What the views compute with: one chunk, loaded with the first view that computes. In one, so that the first load is cut into fewer pieces. */

export { attentionEntropy } from '../../explain/attention/entropy.ts';
export { attentionRelevanceMap, attentionRolloutMap } from '../../explain/attention/input-map.ts';
export { attentionWeights } from '../../explain/attention/weights.ts';
export { evaluate } from '../../explain/evaluate/evaluate.ts';
export { classPrototypes } from '../../explain/global/class-prototypes.ts';
export { linearCka } from '../../explain/global/linear-cka.ts';
export { partialDependence } from '../../explain/global/partial-dependence.ts';
export { permutationImportance } from '../../explain/global/permutation-importance.ts';
export { surrogateTree } from '../../explain/global/surrogate-tree.ts';
export { weightReductions } from '../../explain/model/weight-reductions.ts';
