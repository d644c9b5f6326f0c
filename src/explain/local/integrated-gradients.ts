import { VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import { Graph } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { type BaselineOptions, baselineRows, type RowSource, recordBaseline } from '../baselines.ts';
import { attributionOf, type Built, explainedForward, explainerOf, firstAffine, type Scene } from '../explainer.ts';
import { alongPath } from '../ops/along-path.ts';
import { weightedSum } from '../ops/samples.ts';
import { padded, type QuadratureRule, quadrature } from '../quadrature.ts';
import { whyNotExact } from '../rules/deep-lift.ts';
import { rescaled, rescaledData } from './deep-lift.ts';
import { completenessGap, outputGradient, recordOptions } from './gradient.ts';

/** `baseline` is where the path begins: the absence of a signal, 0 (black) by default. */
export interface IntegratedGradientsOptions extends ExplainOptions, BaselineOptions {
  /** Points on the path; 50 by default. */
  readonly steps?: number;
  /**
   * Gauss–Legendre by default. 'exact' takes no points: where the model has one layer of activations the integral is known, and takes the
   * time of one point.
   */
  readonly rule?: QuadratureRule | 'exact';
  /**
   * Whether the path is folded through a first affine layer: exact, and 50 products with its weight become two. True by default, where the
   * model begins with one. False is the plain method, for comparison.
   */
  readonly fold?: boolean;
}

/**
 * Integrated gradients: φ = (x − x′) ⊙ ∫₀¹ ∂f_c(x′ + α(x − x′)) / ∂x dα.
 *
 * **Shapes** x [rows, ...inputShape] → values the same; delta [rows] = Σφ − (f_c(x) − f_c(x′)).
 * **Cost** `steps` forward and backward rows an example. Behind a first affine layer the path is z(α) = z(x′) + α(z(x) − z(x′)), linear, and the gradients
 * with respect to z are summed before they meet its weight: two forward products and one backward in place of `steps` of each.
 * **Shows** how f_c(x) − f_c(x′) divides among the elements (completeness: what is left over is `delta`). **Does not show** anything about
 * elements that equal the baseline: with black as baseline, black pixels get 0.
 * With one layer of activations, f = v · g(W x + b), the integral is exact: ∫ g′(z(α)) dα = Δg / Δz, which is DeepLIFT's rescale rule (`rule: 'exact'`).
 * Of token indices the path is that of their embedding, from 0, which is padding; a token has the sum over its embedding's axis.
 * Defaults: 50 Gauss–Legendre points (Captum); baseline 0. PAIR takes 25 points with both ends, Zennit 20, tf-explain leaves out × (x − x′).
 * **Source** Sundararajan, Taly, Yan 2017, "Axiomatic attribution for deep networks".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model` also for 'exact' where the integral is not known, `aborted`
 */
export async function integratedGradients(model: Model, x: Examples, options: IntegratedGradientsOptions = {}): Promise<Attribution> {
  const { steps = 50, rule = 'gaussLegendre', fold = true } = options;
  const method = 'integratedGradients';
  const baseline = baselineRows(method, model, x, options.baseline, options);
  if (rule === 'exact') return exactly(model, x, options, baseline);
  const { points, weights } = quadrature(rule, steps, method);
  const explained = await explainerOf(model).run(
    {
      method,
      tokens: 'embedded',
      key: fold ? 'folded' : 'plain',
      samples: steps,
      slice: (first, count, width) => ({ positions: padded(points, first, count, width), weights: padded(weights, first, count, width) }),
      build: (scene) => (fold && firstAffine(scene.forward) ? folded(scene) : plain(scene)),
    },
    x,
    { ...options, baseline },
  );
  return attributionOf(method, recordOptions(options, { steps, rule, fold, ...recordBaseline(options) }), explained);
}

async function exactly(model: Model, x: Examples, options: IntegratedGradientsOptions, baseline: RowSource): Promise<Attribution> {
  const method = 'integratedGradients';
  const why = whyNotExact(explainedForward(model.forward(new Graph(), 1)));
  if (why) {
    throw unsupportedModel(
      method,
      `the rule 'exact' needs one layer of activations, but ${why}.`,
      'leave rule out, which takes 50 points, or use deepLift.',
    );
  }
  if ((options.output ?? 'logit') !== 'logit') {
    throw new VitrineError(
      'invalid-option',
      `${method}: the rule 'exact' explains logits, but output is '${options.output}', which bends along the path.`,
      'leave output out, or leave rule out, which takes 50 points.',
      { output: options.output },
    );
  }
  const explained = await explainerOf(model).run(
    { method, tokens: 'embedded', key: 'exact', slice: rescaledData, build: (scene) => rescaled(scene, true) },
    x,
    { ...options, baseline },
  );
  return attributionOf(method, recordOptions(options, { rule: 'exact', ...recordBaseline(options) }), explained);
}

function plain(scene: Scene): Built {
  const baseline = scene.baseline();
  const difference = subtract(scene.x, baseline);
  const path = alongPath(baseline, difference, scene.input('positions', [scene.samples]));
  const gradients = outputGradient(scene, scene.forwardOf(path));
  const sum = weightedSum(gradients, scene.input('weights', [scene.samples]), scene.carried('sum', scene.x.shape));
  return finished(scene, sum, difference, scene.forwardOf(baseline), { sum });
}

function folded(scene: Scene): Built {
  const baseline = scene.baseline();
  const difference = subtract(scene.x, baseline);
  const z = firstAffine(scene.forward) as Node;
  const before = scene.forwardOf(baseline);
  const zBaseline = firstAffine(before) as Node;
  const path = alongPath(zBaseline, subtract(z, zBaseline), scene.input('positions', [scene.samples]));
  const gradients = outputGradient(scene, scene.forwardFrom(path));
  const sum = weightedSum(gradients, scene.input('weights', [scene.samples]), scene.carried('sum', z.shape));
  const weight = z.inputs[1] as Node;
  return finished(scene, reshape(matmul(sum, weight, { transposeB: true }), scene.x.shape), difference, before, { sum });
}

function finished(scene: Scene, gradient: Node, difference: Node, before: Forward, carry: Readonly<Record<string, Node>>): Built {
  const values = multiply(difference, gradient);
  const output = scene.output(scene.forward.logits);
  return { outputs: { values, output, delta: completenessGap(values, output, scene.output(before.logits)) }, carry };
}
