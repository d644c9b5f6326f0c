import { checkNumber } from '../../engine/errors.ts';
import { Graph, type Node } from '../../engine/graph.ts';
import { differentiate } from '../../engine/index.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { attributionOf, explainedForward, explainerOf } from '../explainer.ts';
import { lrpLayers, lrpRule, relevantNodes } from '../rules/lrp.ts';
import { chosenRules, type LrpRule, type LrpRuleChoice } from '../rules/lrp-rules.ts';
import { recordOptions, sumPerExample } from './gradient.ts';

export interface LrpOptions extends ExplainOptions {
  /**
   * A rule for all layers, by name or as a value, one for each in the order in which they are computed, or a function that chooses one for each; 'epsilon' (1e-6)
   * by default.
   */
  readonly rule?: LrpRuleChoice;
  /** ε of the sums that are no layer: residual additions, attention, means, layer normalisation; 1e-6 by default. */
  readonly epsilon?: number;
  /** Whether the relevance of each named activation is given too. */
  readonly layers?: boolean;
}

export interface LrpAttribution extends Attribution {
  /**
   * The relevance of each activation that some reaches, by its name, in the order in which they are computed: what enters a layer is that of
   * `activation/…` before it, what leaves it that of its `preactivation/…`. Where asked for with `layers`.
   */
  readonly layers?: ReadonlyMap<string, Tensor>;
}

const LAYER = 'layer/';

/**
 * Layer-wise relevance propagation: the output f_c is handed back from layer to layer, each unit dividing what it has among its inputs by a rule.
 *
 * **Shapes** x [rows, ...inputShape] → values the same; delta [rows] = Σφ − f_c, what biases and ε have absorbed, with its sign turned;
 * with `layers`, [rows, ...] for each activation.
 * **Cost** one forward and one backward row an example; γ and z-box three products a layer, z⁺ and αβ up to four.
 * **Shows** which inputs carried the output, layer by layer: relevance is conserved but for what biases and stabilisers take. **Does not show**
 * anything of its own under the rules 0 and small ε on a ReLU network: the map is gradient × input. γ, z⁺ and z-box are another view, and hardly
 * depend on the upper layers (Sixt, Granz, Landgraf 2020, of z⁺). αβ does not conserve relevance where biases are in play.
 * Relevance starts as f ⊙ ∂output / ∂f: of a logit that is the logit itself, of a contrast f_a and −f_b.
 * Of token indices a token has the sum over its embedding.
 * Defaults: ε 1e-6 (Zennit) in every dense layer. For pixels `lrpEpsilonGammaBox()` and `lrpDeepTaylor()` choose by layer (Montavon et al. 2017, 2019).
 * What each operation does with relevance is listed in rules/lrp.ts.
 * **Source** Bach, Binder, Montavon, Klauschen, Müller, Samek 2015, "On pixel-wise explanations for non-linear classifier decisions by layer-wise
 * relevance propagation"; Montavon et al. 2019, "Layer-wise relevance propagation: an overview".
 *
 * @throws VitrineError `invalid-option` for what is no rule; `unsupported-model` naming the operation that has none; `shape-mismatch`, `dtype-mismatch`,
 * `empty-dataset`, `non-finite-data`, `label-out-of-range`, `aborted`
 */
export async function lrp(model: Model, x: Examples, options: LrpOptions = {}): Promise<LrpAttribution> {
  const { rule = 'epsilon', epsilon = 1e-6, layers = false } = options;
  const method = 'lrp';
  checkNumber('lrp: epsilon', epsilon, 0);
  const plain = explainedForward(model.forward(new Graph(), 1));
  const reached = relevantNodes(plain);
  if (!reached.has(plain.x)) {
    throw unsupportedModel(
      method,
      'the input reaches the output only through a softmax, whose weights are held constant; no relevance arrives.',
      'use integratedGradients.',
    );
  }
  const described = lrpLayers(plain, reached);
  const rules = chosenRules(rule, described);
  const explained = await explainerOf(model).run(
    {
      method,
      tokens: 'embedded',
      key: `${rules.map((chosen) => chosen.rule).join()}${layers ? ' with layers' : ''}`,
      // ε, γ and the like are data: one plan serves them all.
      slice: () => ({ epsilon: Float32Array.of(epsilon), ...numbersOf(rules) }),
      build: (scene) => {
        const { forward } = scene;
        const { logits } = forward;
        const relevant = relevantNodes(forward);
        const indices = new Map(lrpLayers(forward, relevant).map(({ node, index }) => [node, index]));
        const propagate = lrpRule({
          method,
          relevant,
          rules: new Map([...indices].map(([node, index]) => [node, rules[index] as LrpRule])),
          number: (node, name) => scene.input(`${indices.get(node)}/${name}`, [1]),
          epsilon: () => scene.input('epsilon', [1]),
        });
        const start = multiply(logits, scene.seed(logits));
        const named = layers ? [...forward.activations].filter(([, node]) => relevant.has(node)) : [];
        const [values, ...others] = differentiate(logits, [forward.x, ...named.map(([, node]) => node)], {
          seed: start,
          rules: [propagate],
        });
        const outputs: Record<string, Node> = {
          values: values as Node,
          delta: subtract(sumPerExample(values as Node), sumPerExample(start)),
        };
        named.forEach(([name], i) => {
          outputs[LAYER + name] = others[i] as Node;
        });
        return { outputs };
      },
    },
    x,
    options,
  );
  const record = { rule: rules.map((chosen, i) => ({ layer: described[i]?.name, ...chosen })), epsilon, layers };
  const attribution = attributionOf(method, recordOptions(options, record), explained);
  if (!layers) return attribution;
  const own = [...explained.tensors].filter(([name]) => name.startsWith(LAYER));
  return { ...attribution, layers: new Map(own.map(([name, tensor]) => [name.slice(LAYER.length), tensor])) };
}

/** The numbers of each layer's rule, by `index/name`. */
function numbersOf(rules: readonly LrpRule[]): Record<string, Float32Array> {
  const numbers: Record<string, Float32Array> = {};
  rules.forEach((rule, index) => {
    for (const [name, value] of Object.entries(rule)) if (typeof value === 'number') numbers[`${index}/${name}`] = Float32Array.of(value);
  });
  return numbers;
}
