import { VitrineError } from '../../engine/errors.ts';
import { ancestors, Graph, type Node } from '../../engine/graph.ts';
import { differentiate } from '../../engine/index.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { onesLike } from '../../engine/ops/fill.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { type BaselineOptions, baselineRows, recordBaseline } from '../baselines.ts';
import { attributionOf, type Built, explainerOf, firstAffine, type Scene } from '../explainer.ts';
import { alongPath } from '../ops/along-path.ts';
import { repeatRows } from '../ops/repeat-rows.ts';
import { weightedSum } from '../ops/samples.ts';
import { padded, type QuadratureRule, quadrature } from '../quadrature.ts';
import { completenessGap, recordOptions } from './gradient.ts';

/** `baseline` is where the path begins, 0 by default. */
export interface LayerOptions extends ExplainOptions, BaselineOptions {
  /** A layer, such as 'dense_1', a named activation, such as 'preactivation/dense_1', or 'input'. */
  readonly layer: string;
  /** Points on the path; 50 by default. */
  readonly steps?: number;
  /** Gauss–Legendre by default. */
  readonly rule?: QuadratureRule;
}

type Measure = 'layerConductance' | 'internalInfluence';

const INPUT = 'input';

/** The full name of an activation between the input and the logits. @throws VitrineError `unknown-name`, `unsupported-model` */
function activationNamed(method: Measure, model: Model, layer: string): string {
  const forward = model.forward(new Graph(), 1);
  if (layer === INPUT) return INPUT;
  const name = forward.activations.has(layer) ? layer : `activation/${layer}`;
  const node = forward.activations.get(name);
  if (!node) {
    const known = [INPUT, ...forward.activations.keys()];
    throw new VitrineError(
      'unknown-name',
      `${method}: the model has no layer or activation '${layer}'.`,
      `name one of ${known.join(', ')}.`,
      {
        method,
        layer,
        known,
      },
    );
  }
  const between = ancestors([forward.logits]);
  if (!between.includes(node) || !ancestors([node]).includes(forward.x)) {
    throw unsupportedModel(
      method,
      `${name} does not lie between the input and the logits.`,
      'name a layer before the softmax that ends the model.',
    );
  }
  return name;
}

async function alongThePath(method: Measure, model: Model, x: Examples, options: LayerOptions): Promise<Attribution> {
  const { steps = 50, rule = 'gaussLegendre' } = options;
  const layer = activationNamed(method, model, options.layer);
  const { points, weights } = quadrature(rule, steps, method);
  const explained = await explainerOf(model).run(
    {
      method,
      key: layer,
      samples: steps,
      slice: (first, count, width) => ({ positions: padded(points, first, count, width), weights: padded(weights, first, count, width) }),
      build: (scene) => build(scene, method, layer),
    },
    x,
    { ...options, baseline: baselineRows(method, model, x, options.baseline, options) },
  );
  return attributionOf(method, recordOptions(options, { layer, steps, rule, ...recordBaseline(options) }), explained);
}

function build(scene: Scene, method: Measure, layer: string): Built {
  const { forward, rows, samples } = scene;
  const baseline = scene.baseline();
  const before = scene.forwardOf(baseline);
  const z = firstAffine(forward);
  const named = layer === INPUT ? forward.x : (forward.activations.get(layer) as Node);
  // What lies behind a first affine layer can start from its output, along which the path is as straight.
  const [from, to] = z && ancestors([named]).includes(z) ? [firstAffine(before) as Node, z] : [baseline, scene.x];
  const direction = subtract(to, from);
  const path = alongPath(from, direction, scene.input('positions', [samples]));
  const own = to === z ? scene.forwardFrom(path) : scene.forwardOf(path);
  const h = layer === INPUT ? own.x : (own.activations.get(layer) as Node);
  if (h.shape[0] !== rows * samples) {
    throw unsupportedModel(method, `${layer} has no row for each example.`, 'name the layer that it is in.');
  }
  const [gradient] = differentiate(own.logits, [h], { seed: scene.seed(own.logits) }) as [Node];
  const measured = method === 'internalInfluence' ? gradient : multiply(gradient, tangent(h, own, repeatRows(direction, samples)));
  const sum = weightedSum(measured, scene.input('weights', [samples]), scene.carried('sum', [rows, ...h.shape.slice(1)]));
  const output = scene.output(forward.logits);
  const gap = completenessGap(sum, output, scene.output(before.logits));
  return { outputs: { values: sum, output, ...(method === 'layerConductance' ? { delta: gap } : {}) }, carry: { sum } };
}

/**
 * dh / dα where x moves along `direction`: a Jacobian-vector product, by differentiating twice. The gradient of Σ u ⊙ h with respect to x is Jᵀu,
 * linear in u; its own gradient with respect to u, from `direction`, is J direction, whatever u is.
 */
function tangent(h: Node, { x }: Forward, direction: Node): Node {
  if (h === x) return direction;
  const u = onesLike(h);
  const [transposed] = differentiate(h, [x], { seed: u }) as [Node];
  const [moved] = differentiate(transposed, [u], { seed: direction }) as [Node];
  return moved;
}

/**
 * Layer conductance: how much of f_c(x) − f_c(x′) flows through each unit of a layer: Cond_j = ∫₀¹ ∂f_c/∂h_j · dh_j/dα dα along the straight path
 * from the baseline.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, ...] in the shape of the layer's activation; delta [rows] = Σ Cond − (f_c(x) − f_c(x′)).
 * **Cost** `steps` forward and backward rows an example, the latter to the layer only, and `steps` forward rows up to the layer for dh/dα, which is
 * computed exactly and not from differences of neighbouring points. Behind a first affine layer the path is folded through it.
 * **Shows** which units the difference passes through; at every layer they add up to it, with the same gap as integrated gradients'. Of the input it
 * is integrated gradients. **Does not show** what a unit stands for.
 * Defaults: 50 Gauss–Legendre points (Captum's layer methods). Captum's NeuronConductance defaults to a trapezoid whose weights add up to 0.98.
 * **Source** Dhamdhere, Sundararajan, Yan 2019, "How important is a neuron?", equation 2.
 *
 * @throws VitrineError `unknown-name` for a layer that is not there; `unsupported-model` for one that is not before the logits; `invalid-option`,
 * `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `aborted`; `not-twice-differentiable` naming an
 * operation before the layer that has no second derivative
 */
export const layerConductance = (model: Model, x: Examples, options: LayerOptions): Promise<Attribution> =>
  alongThePath('layerConductance', model, x, options);

/**
 * Internal influence: the mean gradient at a layer along the straight path from the baseline, Infl_j = ∫₀¹ ∂f_c/∂h_j dα.
 *
 * **Shapes** x [rows, ...inputShape] → values [rows, ...] in the shape of the layer's activation.
 * **Cost** `steps` forward and backward rows an example, the latter to the layer only.
 * **Shows** how strongly the output responds to each unit, all the way from the baseline. **Does not show** whether the unit moved at all: it adds up to
 * nothing in particular.
 * Defaults: 50 Gauss–Legendre points (Captum).
 * **Source** Leino, Sen, Datta, Fredrikson, Li 2018, "Influence-directed explanations for deep convolutional networks".
 *
 * @throws VitrineError as layerConductance
 */
export const internalInfluence = (model: Model, x: Examples, options: LayerOptions): Promise<Attribution> =>
  alongThePath('internalInfluence', model, x, options);
