/** Looking at the network itself. */

export { type ActivationMaximisation, type ActivationMaximisationOptions, activationMaximisation } from './activation-maximisation.ts';
export { type ActivationPca, type ActivationPcaOptions, activationPca } from './activation-pca.ts';
export {
  type ActivationStatisticsOptions,
  activationStatistics,
  type LayerStatistics,
  type ValueStatistics,
} from './activation-statistics.ts';
export { type DeadUnit, type DeadUnitOptions, DeadUnitWatch, stopAtDeadUnit } from './dead-units.ts';
export { type DecisionField, type DecisionFieldOptions, decisionField } from './decision-field.ts';
export { type GradientNoiseScale, type GradientNoiseScaleOptions, gradientNoiseScale } from './gradient-noise-scale.ts';
export { type LossLandscape, type LossLandscapeOptions, lossLandscape } from './loss-landscape.ts';
export { modelAt } from './model-at.ts';
export { type LayerDescription, type NetworkSummary, networkSummary } from './network-summary.ts';
export {
  type HessianOptions,
  hessianVectorProduct,
  type ParameterVector,
  type Sharpness,
  type SharpnessOptions,
  sharpness,
} from './sharpness.ts';
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
