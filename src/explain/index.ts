/** The public face of the explanations. */

export type { Attribution, ExplainOptions, ExplainProgress, OutputKind } from './attribution.ts';
export type { Baseline } from './explainer.ts';
export { inputXGradient } from './local/input-x-gradient.ts';
export { type IntegratedGradientsOptions, integratedGradients } from './local/integrated-gradients.ts';
export { type SaliencyOptions, saliency } from './local/saliency.ts';
export { type SmoothGradOptions, smoothGrad, smoothGradSquared, varGrad } from './local/smooth-grad.ts';
export type { QuadratureRule } from './quadrature.ts';
