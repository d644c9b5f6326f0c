/** The public face of the explanations. */

export { type AblateHeadOptions, ablateHead } from './attention/ablate-head.ts';
export {
  type AttentionLayer,
  type AttentionMap,
  type AttentionOptions,
  attentionLayers,
  type LayerAttentionOptions,
} from './attention/attention-layers.ts';
export { attentionEntropy } from './attention/entropy.ts';
export {
  type AttentionRelevanceOptions,
  attentionRelevance,
  type GradientAttentionOptions,
  gradientAttention,
} from './attention/gradient-attention.ts';
export { attentionRelevanceMap, attentionRolloutMap } from './attention/input-map.ts';
export { type MeanAttentionDistanceOptions, meanAttentionDistance } from './attention/mean-distance.ts';
export { type AttentionRolloutOptions, attentionRollout } from './attention/rollout.ts';
export { attentionWeights } from './attention/weights.ts';
export type { Attribution, ExplainOptions, ExplainProgress, OutputKind } from './attribution.ts';
export type { Baseline, BaselineOptions } from './baselines.ts';
export { gaussianBlur } from './evaluate/blur.ts';
export { type CompletenessOptions, completeness } from './evaluate/completeness.ts';
export { complexity } from './evaluate/complexity.ts';
export { constantMap, inputMap, inputXRandom, type RandomMapOptions, randomMap, sobelMap } from './evaluate/controls.ts';
export { type DataRandomisation, dataRandomisation } from './evaluate/data-randomisation.ts';
export { type Curves, type DeletionOptions, deletion, insertion, type RandomBand } from './evaluate/deletion.ts';
export { type EfficientRandomisationOptions, efficientRandomisation } from './evaluate/efficient-randomisation.ts';
export {
  type ControlName,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationRow,
  evaluate,
  type MethodChoice,
  type MetricChoice,
  type NamedMethod,
  type PairAgreement,
  type RankedMethod,
} from './evaluate/evaluate.ts';
export { type EvidenceMask, patchMask } from './evaluate/evidence.ts';
export { type FaithfulnessOptions, faithfulnessCorrelation } from './evaluate/faithfulness-correlation.ts';
export { type InfidelityOptions, infidelity, type Perturbation } from './evaluate/infidelity.ts';
export { type InputInvarianceOptions, inputInvariance } from './evaluate/input-invariance.ts';
export { type LocalLipschitzOptions, localLipschitz } from './evaluate/local-lipschitz.ts';
export type { ExplanationMethod } from './evaluate/maps.ts';
export { type MaxSensitivityOptions, maxSensitivity } from './evaluate/max-sensitivity.ts';
export type { MetricName, MetricOptions } from './evaluate/metrics.ts';
export {
  modelRandomisation,
  type RandomisationOptions,
  type RandomisationOrder,
  type RandomisationStage,
} from './evaluate/model-randomisation.ts';
export { type NonSensitivityOptions, nonSensitivity } from './evaluate/non-sensitivity.ts';
export { pointingGame } from './evaluate/pointing-game.ts';
export { relevanceMass } from './evaluate/relevance-mass.ts';
export { type Roar, type RoarOptions, type RoarRow, roar } from './evaluate/roar.ts';
export { sparseness } from './evaluate/sparseness.ts';
export { type Finding, type Message, type MessageCode, sentence } from './evaluate/verdict.ts';
export * from './global/index.ts';
export { type Attack, type FgsmOptions, fgsm, type PgdOptions, type Prediction, pgd } from './local/attack.ts';
export { internalInfluence, type LayerOptions, layerConductance } from './local/conductance.ts';
export { type DeepLiftOptions, deepLift } from './local/deep-lift.ts';
export {
  type Background,
  type ExpectedGradientsAttribution,
  type ExpectedGradientsOptions,
  expectedGradients,
} from './local/expected-gradients.ts';
export { deconvnet, guidedBackprop } from './local/guided-backprop.ts';
export { inputXGradient } from './local/input-x-gradient.ts';
export { type IntegratedGradientsOptions, integratedGradients } from './local/integrated-gradients.ts';
export { type KernelShapAttribution, type KernelShapOptions, kernelShap } from './local/kernel-shap.ts';
export { type LimeAttribution, type LimeOptions, lime } from './local/lime.ts';
export { type LrpAttribution, type LrpOptions, lrp } from './local/lrp.ts';
export { type OcclusionOptions, occlusion } from './local/occlusion.ts';
export { type RiseOptions, rise } from './local/rise.ts';
export { type SaliencyOptions, saliency } from './local/saliency.ts';
export { type ShapleyAttribution, type ShapleyOptions, type ShapleyProgress, shapleyValues } from './local/shapley.ts';
export { type SmoothGradOptions, smoothGrad, smoothGradSquared, varGrad } from './local/smooth-grad.ts';
export {
  type BitMasks,
  type CoalitionOptions,
  type CoalitionValues,
  coalitionValues,
  eachFeature,
  type GroupAttribution,
  type Groups,
  type GroupsGiven,
  imagePatches,
  type MaskedOptions,
  type Masks,
  type NumberMasks,
  type RankMasks,
} from './masked.ts';
export { type Method, type MethodOptions, methodNamed, methods } from './methods.ts';
export * from './model/index.ts';
export type { QuadratureRule } from './quadrature.ts';
export { type Measure, type Probe, Recorder, type RecordOptions, record, type TrainingRecord } from './record.ts';
export {
  type LrpComposite,
  type LrpLayer,
  type LrpRule,
  type LrpRuleChoice,
  type LrpRuleName,
  lrpAlphaBeta,
  lrpDeepTaylor,
  lrpEpsilon,
  lrpEpsilonGammaBox,
  lrpEpsilonPlusFlat,
  lrpFlat,
  lrpGamma,
  lrpWSquared,
  lrpZBox,
  lrpZero,
  lrpZPlus,
} from './rules/lrp-rules.ts';
