/** The local methods by name, with what a person must know to choose one: the question it answers, its cost, its caveat. */

import { VitrineError } from '../engine/errors.ts';
import type { Examples, Model } from '../engine/model.ts';
import type { Attribution, ExplainOptions } from './attribution.ts';
import type { BaselineOptions } from './baselines.ts';
import { deepLift } from './local/deep-lift.ts';
import { type ExpectedGradientsOptions, expectedGradients } from './local/expected-gradients.ts';
import { deconvnet, guidedBackprop } from './local/guided-backprop.ts';
import { inputXGradient } from './local/input-x-gradient.ts';
import { integratedGradients } from './local/integrated-gradients.ts';
import { kernelShap } from './local/kernel-shap.ts';
import { lime } from './local/lime.ts';
import { lrp } from './local/lrp.ts';
import { occlusion } from './local/occlusion.ts';
import { rise } from './local/rise.ts';
import { saliency } from './local/saliency.ts';
import { shapleyValues } from './local/shapley.ts';
import { smoothGrad, smoothGradSquared, varGrad } from './local/smooth-grad.ts';
import { type Groups, imagePatches } from './masked.ts';

/** What every method of the table understands; each has more options of its own. */
export interface MethodOptions extends ExplainOptions, BaselineOptions {}

export interface Method {
  /** As it is exported. */
  readonly name: string;
  /** As its paper calls it. */
  readonly title: string;
  readonly source: string;
  /** The question that its map answers. */
  readonly question: string;
  /** What its map does not show. */
  readonly caveat: string;
  /** In forward (F) and backward (B) rows an example. */
  readonly cost: string;
  /** Whether its values have a sign. */
  readonly signed: boolean;
  /** Whether its values add up to f(x) − f(baseline), or to f(x); what is left over is its `delta`. */
  readonly complete: boolean;
  /** Cheap enough to follow training: a few rows an example. */
  readonly cheap: boolean;
  readonly explain: (model: Model, x: Examples, options?: MethodOptions) => Promise<Attribution>;
}

/** In the order in which a person meets them: gradients, paths, rules, masks. */
export const methods: readonly Method[] = [
  {
    name: 'saliency',
    title: 'Saliency',
    source: 'Simonyan, Vedaldi, Zisserman 2013',
    question: 'Where would a small change change the output most?',
    caveat: 'Not how much an input contributed: a saturated unit has no gradient however much it matters.',
    cost: '1F + 1B',
    signed: false,
    complete: false,
    cheap: true,
    explain: saliency,
  },
  {
    name: 'inputXGradient',
    title: 'Gradient × input',
    source: 'Shrikumar et al. 2016',
    question: 'What does each input give to the output’s first-order approximation?',
    caveat: 'Says nothing of inputs that are 0, black pixels among them.',
    cost: '1F + 1B',
    signed: true,
    complete: false,
    cheap: true,
    explain: inputXGradient,
  },
  {
    name: 'smoothGrad',
    title: 'SmoothGrad',
    source: 'Smilkov et al. 2017',
    question: 'Which part of the gradient survives small noise?',
    caveat: 'Not contributions; and its noisy copies are none that the network has seen.',
    cost: '50F + 50B',
    signed: true,
    complete: false,
    cheap: false,
    explain: smoothGrad,
  },
  {
    name: 'smoothGradSquared',
    title: 'SmoothGrad²',
    source: 'Hooker et al. 2019',
    question: 'Where is the gradient large, in either direction, under small noise?',
    caveat: 'Has no sign.',
    cost: '50F + 50B',
    signed: false,
    complete: false,
    cheap: false,
    explain: smoothGradSquared,
  },
  {
    name: 'varGrad',
    title: 'VarGrad',
    source: 'Adebayo et al. 2018',
    question: 'Where does the gradient change under small noise?',
    caveat: 'Has no sign, and is blind to a steady gradient: on a linear model it is 0.',
    cost: '50F + 50B',
    signed: false,
    complete: false,
    cheap: false,
    explain: varGrad,
  },
  {
    name: 'integratedGradients',
    title: 'Integrated gradients',
    source: 'Sundararajan, Taly, Yan 2017',
    question: 'How does the output, less that of the baseline, divide among the inputs?',
    caveat: 'Inputs that equal the baseline get 0: with black as baseline, black pixels never count.',
    cost: '50F + 50B, behind a first dense layer about 3F + 1B',
    signed: true,
    complete: true,
    cheap: true,
    explain: integratedGradients,
  },
  {
    name: 'expectedGradients',
    title: 'Expected gradients',
    source: 'Erion et al. 2021; Lundberg, Lee 2017',
    question: 'The same, on the average over examples of the data in place of one baseline.',
    caveat: 'Random: each value comes with a standard error. Needs a background data set.',
    cost: '200F + 200B',
    signed: true,
    complete: true,
    cheap: false,
    // It says itself what is missing where there is no background.
    explain: (model, x, options) => expectedGradients(model, x, options as ExpectedGradientsOptions),
  },
  {
    name: 'deepLift',
    title: 'DeepLIFT (rescale)',
    source: 'Shrikumar, Greenside, Kundaje 2017',
    question: 'How does the output, less that of the baseline, divide among the inputs, layer by layer?',
    caveat: 'Two networks with the same function may get different maps. With one hidden layer it is integrated gradients, exactly.',
    cost: '2F + 1B',
    signed: true,
    complete: true,
    cheap: true,
    explain: deepLift,
  },
  {
    name: 'lrp',
    title: 'Layer-wise relevance propagation (ε)',
    source: 'Bach et al. 2015',
    question: 'Which inputs carried the output, handed back from layer to layer?',
    caveat: 'With a small ε on a ReLU network it is gradient × input and nothing else; γ, z⁺ and z-box are another view.',
    cost: '1F + 1B',
    signed: true,
    complete: true,
    cheap: true,
    explain: lrp,
  },
  {
    name: 'guidedBackprop',
    title: 'Guided backpropagation',
    source: 'Springenberg et al. 2015',
    question: 'Which edges of the input switch units on?',
    caveat: 'A negative example: it looks sharp even when the upper layers are random.',
    cost: '1F + 1B',
    signed: true,
    complete: false,
    cheap: true,
    explain: guidedBackprop,
  },
  {
    name: 'deconvnet',
    title: 'Deconvolution',
    source: 'Zeiler, Fergus 2014',
    question: 'What pattern do the class’s weights spell through positive paths?',
    caveat: 'A negative example: without pooling it is the same for every input.',
    cost: '1F + 1B',
    signed: true,
    complete: false,
    cheap: true,
    explain: deconvnet,
  },
  {
    name: 'occlusion',
    title: 'Occlusion',
    source: 'Zeiler, Fergus 2014',
    question: 'How much does the output fall when this part of the input is covered?',
    caveat: 'Parts that stand in for each other look unimportant one by one.',
    cost: '169F on 28 × 28',
    signed: true,
    complete: false,
    cheap: false,
    explain: occlusion,
  },
  {
    name: 'shapleyValues',
    title: 'Shapley values',
    source: 'Shapley 1953; Štrumbelj, Kononenko 2010',
    question: 'What does each part give on the average over all orders in which the parts could appear?',
    caveat: 'Of 16 patches of an image, not of its pixels; and the network has seen no image with patches missing.',
    cost: '65,536F for 16 parts, their first layer 16 wide',
    signed: true,
    complete: true,
    cheap: false,
    explain: (model, x, options) => shapleyValues(model, x, { ...partsOf(model), ...options }),
  },
  {
    name: 'kernelShap',
    title: 'KernelSHAP',
    source: 'Lundberg, Lee 2017',
    question: 'The same as Shapley values, from fewer coalitions by least squares.',
    caveat: 'Does not know its own error: compare two seeds.',
    cost: '2n + 2,048F for n parts',
    signed: true,
    complete: true,
    cheap: false,
    explain: (model, x, options) => kernelShap(model, x, { ...partsOf(model), ...options }),
  },
  {
    name: 'lime',
    title: 'LIME',
    source: 'Ribeiro, Singh, Guestrin 2016',
    question: 'Which line through the outputs around this input fits best, and what weight has each part in it?',
    caveat: 'Depends on the kernel that says what is around; its R² says how far a line fits at all.',
    cost: '1,000F',
    signed: true,
    complete: false,
    cheap: false,
    explain: (model, x, options) => lime(model, x, { ...partsOf(model), ...options }),
  },
  {
    name: 'rise',
    title: 'RISE',
    source: 'Petsiuk, Das, Saenko 2018',
    question: 'Where is the output high when this part of the input is to be seen?',
    caveat: 'Not centred: only differences within the map count, not its sign.',
    cost: '4,000F',
    signed: true,
    complete: false,
    cheap: false,
    explain: rise,
  },
];

/** A side of an image is cut into so many parts. */
const PARTS = 4;

/** Patches of an image, as few as exact Shapley values can be had of; the columns of a table as they are. */
function partsOf({ spec: { inputShape } }: Model): { groups?: Groups } {
  const [height, width] = inputShape;
  if (inputShape.length < 2 || height === undefined || width === undefined) return {};
  return { groups: imagePatches(inputShape, [Math.ceil(height / PARTS), Math.ceil(width / PARTS)]) };
}

/** @throws VitrineError `unknown-name` with the names that there are */
export function methodNamed(name: string): Method {
  const found = methods.find((method) => method.name === name);
  if (!found) {
    const known = methods.map((method) => method.name);
    throw new VitrineError('unknown-name', `There is no explanation method '${name}'.`, `use some of ${known.join(', ')}.`, {
      name,
      known,
    });
  }
  return found;
}
