/** The part of the explanation library that cards can show: a chunk of its own, loaded with the first map. */

export { deepLift } from '../../explain/local/deep-lift.ts';
export { guidedBackprop } from '../../explain/local/guided-backprop.ts';
export { inputXGradient } from '../../explain/local/input-x-gradient.ts';
export { integratedGradients } from '../../explain/local/integrated-gradients.ts';
export { lrp } from '../../explain/local/lrp.ts';
export { occlusion } from '../../explain/local/occlusion.ts';
export { saliency } from '../../explain/local/saliency.ts';
export { smoothGrad } from '../../explain/local/smooth-grad.ts';
