/** Looking at the network itself. */

export { type ActivationPca, type ActivationPcaOptions, activationPca } from './activation-pca.ts';
export {
  type ActivationStatisticsOptions,
  activationStatistics,
  type LayerStatistics,
  type ValueStatistics,
} from './activation-statistics.ts';
export { modelAt } from './model-at.ts';
export { type LayerDescription, type NetworkSummary, networkSummary } from './network-summary.ts';
export {
  type TensorReductions,
  type WeightHistogram,
  type WeightRecord,
  type WeightReductionOptions,
  WeightWatch,
  type WeightWatchOptions,
  watchWeights,
  weightReductions,
} from './weight-reductions.ts';
