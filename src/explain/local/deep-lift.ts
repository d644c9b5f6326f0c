import { ancestors, type Node, substitution } from '../../engine/graph.ts';
import { differentiate } from '../../engine/index.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { type BaselineOptions, baselineRows, recordBaseline } from '../baselines.ts';
import { attributionOf, type Built, explainerOf, type Scene } from '../explainer.ts';
import { alongPath } from '../ops/along-path.ts';
import { weightedSum } from '../ops/samples.ts';
import { quadrature } from '../quadrature.ts';
import { rescaleRule } from '../rules/deep-lift.ts';
import { completenessGap, recordOptions } from './gradient.ts';

export interface DeepLiftOptions extends ExplainOptions, BaselineOptions {}

/** Points on the line between two rows of logits, for an output that is not linear in them. */
const OUTPUT_LINE = quadrature('gaussLegendre', 32);

/** Data of a run that `rescaled` reads. */
export const rescaledData = (): Readonly<Record<string, Float32Array>> => ({
  linePositions: Float32Array.from(OUTPUT_LINE.points),
  lineWeights: Float32Array.from(OUTPUT_LINE.weights),
});

/** φ = (x − x′) ⊙ m, m the multipliers of the rescale rule. @param linear whether what is explained is linear in the logits */
export function rescaled(scene: Scene, linear: boolean): Built {
  const { forward, graph } = scene;
  const { x, logits } = forward;
  const baseline = scene.baseline();
  const reference = substitution(graph, new Map([[x, baseline]]));
  const before = reference(logits);
  const [multipliers] = differentiate(logits, [x], {
    seed: linear ? scene.seed(logits) : seedOnLine(scene, logits, before),
    rules: [rescaleRule],
    // One reference pass for the rules and for the output.
    references: new Map(ancestors([logits]).map((node) => [node, reference(node)])),
  });
  const values = multiply(subtract(x, baseline), multipliers as Node);
  const output = scene.output(logits);
  return { outputs: { values, output, delta: completenessGap(values, output, scene.output(before)) } };
}

/** Multipliers of the explained output with respect to the logits: its mean gradient on the line between two rows of them. */
function seedOnLine(scene: Scene, logits: Node, before: Node): Node {
  const count = OUTPUT_LINE.points.length;
  const rows = alongPath(before, subtract(logits, before), scene.input('linePositions', [count]));
  return weightedSum(scene.seed(rows), scene.input('lineWeights', [count]), constant(scene.graph, 0, logits.shape));
}

/**
 * DeepLIFT with the rescale rule: the difference f_c(x) − f_c(x′) is handed back layer by layer; each nonlinearity passes on what arrives times
 * Δout / Δin, not its derivative, so a saturated unit hands on its share too. φ = (x − x′) ⊙ m.
 *
 * With a data set as `baseline` the average over a choice of its examples is DeepSHAP (Lundberg, Lee 2017).
 *
 * **Shapes** x [rows, ...inputShape] → values the same; delta [rows] = Σφ − (f_c(x) − f_c(x′)), averaged over the baselines where there are several.
 * **Cost** two forward and one backward row an example; for k baselines k of each.
 * **Shows** how the difference from the baseline divides among the elements, in one pass: with one hidden layer it is integrated gradients without
 * an error. **Does not show** the same as integrated gradients where layers of activations follow one another: two networks that compute the same may
 * get two maps. Elements that equal the baseline get 0.
 * A probability or log-odds is divided among the logits by its mean gradient between them, as every function of several numbers is (rules/deep-lift.ts).
 * Of token indices a token has the sum over its embedding, whose baseline 0 is padding.
 * Defaults: baseline 0; of a data set 32 examples.
 * **Source** Shrikumar, Greenside, Kundaje 2017, "Learning important features through propagating activation differences". Captum takes the gradient
 * for |Δin| below 1e-10; here smooth functions do below 1e-2, where float32 needs it.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model`, `aborted`; `not-twice-differentiable` naming an operation that has no gradient
 */
export async function deepLift(model: Model, x: Examples, options: DeepLiftOptions = {}): Promise<Attribution> {
  const method = 'deepLift';
  const linear = (options.output ?? 'logit') === 'logit';
  const explained = await explainerOf(model).run(
    {
      method,
      tokens: 'embedded',
      key: linear ? 'of logits' : 'of their functions',
      slice: rescaledData,
      build: (scene) => rescaled(scene, linear),
    },
    x,
    { ...options, baseline: baselineRows(method, model, x, options.baseline, options) },
  );
  return attributionOf(method, recordOptions(options, recordBaseline(options)), explained);
}
