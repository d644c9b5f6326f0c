import { ancestors, Graph } from '../../engine/graph.ts';
import type { Rule } from '../../engine/index.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { geluOperation } from '../../engine/ops/gelu.ts';
import { reluOperation } from '../../engine/ops/relu.ts';
import { sigmoidOperation } from '../../engine/ops/sigmoid.ts';
import { tanhOperation } from '../../engine/ops/tanh.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { attributionOf, explainerOf } from '../explainer.ts';
import { deconvnetRule, guidedRule } from '../rules/relu-rules.ts';
import { outputGradient, recordOptions } from './gradient.ts';

/** Refuses a model whose activations the rule does not touch: it would give the plain gradient under another name. */
function requireRelu(method: string, model: Model): void {
  const operations = new Set(ancestors([model.forward(new Graph(), 1).logits]).map(({ operation }) => operation));
  if (operations.has(reluOperation)) return;
  const others = [geluOperation, tanhOperation, sigmoidOperation].filter((operation) => operations.has(operation));
  if (others.length === 0) return;
  throw unsupportedModel(
    method,
    `the model has no ReLU, only ${others.map(({ name }) => name).join(' and ')}; the rule would change nothing.`,
    'use saliency, which is what would come out, or integratedGradients.',
  );
}

async function throughRule(method: string, rule: Rule, model: Model, x: Examples, options: ExplainOptions): Promise<Attribution> {
  requireRelu(method, model);
  const explained = await explainerOf(model).run(
    { method, build: (scene) => ({ outputs: { values: outputGradient(scene, scene.forward, { rules: [rule] }) } }) },
    x,
    options,
  );
  return attributionOf(method, recordOptions(options), explained);
}

/**
 * Guided backpropagation: the gradient ∂f_c / ∂x in which every ReLU passes back only what is positive, and only where its unit was on.
 *
 * **This is a negative example.** It partly reconstructs the input, whatever the network has learnt (Nie, Zhang, Patel 2018), and hardly changes
 * when the upper layers' weights are drawn anew (Adebayo et al. 2018). It is here to be seen failing those tests.
 *
 * **Shapes** x [rows, ...inputShape] → values the same, signed. **Cost** one forward and one backward row an example.
 * **Shows** edges of the input that switch units on. **Does not show** what speaks for this class rather than another, nor how much anything
 * contributed; it is not linear in the target, so a contrast is not the difference of two maps.
 * **Source** Springenberg, Dosovitskiy, Brox, Riedmiller 2015, "Striving for simplicity: the all convolutional net".
 *
 * @throws VitrineError `unsupported-model` where the activations are other than ReLU; `shape-mismatch`, `dtype-mismatch`, `empty-dataset`,
 * `non-finite-data`, `label-out-of-range`, `invalid-option`, `aborted`
 */
export const guidedBackprop = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  throughRule('guidedBackprop', guidedRule, model, x, options);

/**
 * Deconvolution (deconvnet): the gradient ∂f_c / ∂x in which every ReLU passes back what is positive, whether or not its unit was on.
 *
 * **This is a negative example**, as guidedBackprop is, and for the same reasons. In a network with no pooling it does not depend on which
 * units were on at all: behind ReLU layers alone the map is the same for every input.
 *
 * **Shapes** x [rows, ...inputShape] → values the same, signed. **Cost** one forward and one backward row an example.
 * **Shows** what pattern the class's weights spell through positive paths. **Does not show** which of it the input holds.
 * **Source** Zeiler, Fergus 2014, "Visualizing and understanding convolutional networks".
 *
 * @throws VitrineError as guidedBackprop
 */
export const deconvnet = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  throughRule('deconvnet', deconvnetRule, model, x, options);
