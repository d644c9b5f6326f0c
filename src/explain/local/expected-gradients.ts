import { checkFinite, type Dataset } from '../../engine/dataset.ts';
import { checkWhole, shapeMismatch, show, VitrineError } from '../../engine/errors.ts';
import { type Node, requireType } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { sqrt } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { repeatAlong } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import { Tensor } from '../../engine/tensor.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { exampleOf, requireBackground } from '../baselines.ts';
import { attributionOf, explainerOf, type RunData, type Scene } from '../explainer.ts';
import { combineRows } from '../ops/combine-rows.ts';
import { repeatRows } from '../ops/repeat-rows.ts';
import { runningM2, runningMean } from '../ops/samples.ts';
import { outputGradient, recordOptions, sumPerExample } from './gradient.ts';

/** Examples to compare with: a data set, a tensor [size, ...inputShape] on the GPU, or values of as many examples as they fill. */
export type Background = Dataset | Tensor | Float32Array;

export interface ExpectedGradientsOptions extends ExplainOptions {
  /** What baselines are drawn from. */
  readonly background: Background;
  /** Number of draws, 2 at least; 200 by default. */
  readonly samples?: number;
  readonly seed?: number;
}

export interface ExpectedGradientsAttribution extends Attribution {
  /** Of each value, in the shape of x: about two thirds of the estimates lie within one of them. */
  readonly standardError: Tensor;
  /** Σ values − (f(x) − the mean f of the baselines drawn), [rows]. */
  readonly delta: Tensor;
  /** Standard error of `delta`, [rows]. */
  readonly deltaStandardError: Tensor;
}

/** Rows to draw from. */
interface Source {
  readonly size: number;
  readonly name: string;
  /** A row on the CPU, or all on the GPU. */
  readonly rows: ((index: number) => Float32Array) | Tensor;
}

function sourceOf(model: Model, background: Background | undefined): Source {
  const { inputShape } = model.spec;
  const features = elements(inputShape);
  if (background === undefined || background === null) {
    throw new VitrineError(
      'invalid-option',
      'expectedGradients: there is no background to draw baselines from.',
      'pass the training data, or a hundred examples of it, as `background`.',
    );
  }
  if (!(background instanceof Tensor) && !(background instanceof Float32Array)) {
    requireBackground(background, model);
    return { size: background.size, name: background.name, rows: (index) => exampleOf(background, index) };
  }
  const { length } = background;
  if (length === 0 || length % features !== 0) {
    throw shapeMismatch(
      `expectedGradients: the background is ${background instanceof Tensor ? show(background.shape) : `${length} values`}, but an example is ${show(inputShape)}.`,
      'give [size, ...inputShape], one example at least.',
      { background: length, inputShape },
    );
  }
  if (background instanceof Tensor) {
    requireType('expectedGradients', background, 'background', 'float32');
    return { size: length / features, name: 'given', rows: background };
  }
  checkFinite('background', 'input', background, features);
  return { size: length / features, name: 'given', rows: (index) => background.subarray(index * features, (index + 1) * features) };
}

/**
 * Expected gradients (GradientSHAP without noise): integrated gradients averaged over baselines drawn from data, each with one point of its
 * path: φ = E[(x − x′) ⊙ ∂f_c(x′ + α(x − x′)) / ∂x], x′ from the background, α uniform in [0, 1).
 *
 * **Shapes** x [rows, ...inputShape] → values and standardError the same; delta and deltaStandardError [rows].
 * **Cost** `samples` forward and backward rows an example, and once for all examples `samples` forward rows of baselines. A background on the GPU stays where it
 * is: the rows drawn are copied from it, on the GPU.
 * **Shows** how f_c(x) less the mean output over the background divides among the elements, with no baseline to choose. **Does not show** exact
 * values: each has its standard error, which falls as 1 / √samples; and an element is compared with what other examples have there, so what is
 * common to all of them gets nothing.
 * The draws depend on the seed and their number, not on the example: every example is compared with the same baselines.
 * Defaults: 200 samples (SHAP's GradientExplainer); Captum takes 5.
 * **Source** Erion, Janizek, Sturmfels, Lundberg, Lee 2021, "Improving performance of deep learning models with axiomatic attribution priors and
 * expected gradients"; Lundberg, Lee 2017.
 *
 * @throws VitrineError `invalid-option` without a background or with fewer than 2 samples; `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`,
 * `label-out-of-range`, `unsupported-model`, `aborted`
 */
export async function expectedGradients(
  model: Model,
  x: Examples,
  options: ExpectedGradientsOptions,
): Promise<ExpectedGradientsAttribution> {
  const method = 'expectedGradients';
  const { samples = 200, seed = 0, background } = options ?? {};
  checkWhole(`${method}: samples`, samples, 2);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const { size, name, rows } = sourceOf(model, background);
  const stream = streamOf(method);
  const features = elements(model.spec.inputShape);
  const indexOf = (sample: number): number => Math.floor(uniform(seed, stream, sample, 0) * size);
  const referencesOf = (drawn: readonly number[]): RunData => {
    if (rows instanceof Tensor) return drawn.map((sample) => ({ tensor: rows, row: indexOf(sample) }));
    const values = new Float32Array(drawn.length * features);
    drawn.forEach((sample, i) => {
      values.set(rows(indexOf(sample)), i * features);
    });
    return values;
  };
  const explained = await explainerOf(model).run(
    {
      method,
      samples,
      slice: (first, count, width) => {
        const drawn = Array.from({ length: count }, (_, i) => first + i);
        const positions = new Float32Array(width);
        positions.set(drawn.map((sample) => uniform(seed, stream, sample, 1)));
        return {
          draw: Uint32Array.of(seed, first, count),
          positions,
          remaining: positions.map((position) => 1 - position),
          inverse: Float32Array.of(1 / (samples * (samples - 1))),
          references: referencesOf(drawn),
        };
      },
      build: expected,
    },
    x,
    options,
  );
  const attribution = attributionOf(method, recordOptions(options, { samples, seed, background: name, backgroundSize: size }), explained);
  return { ...attribution, deltaStandardError: explained.tensors.get('deltaStandardError') as Tensor } as ExpectedGradientsAttribution;
}

function expected(scene: Scene) {
  const { rows, samples, x, forward } = scene;
  const draw = scene.input('draw', [3], 'uint32');
  const reference = scene.input('references', [samples, ...x.shape.slice(1)]);
  const each = (value: number): Node => constant(scene.graph, value, [samples]);
  const points = combineRows(x, reference, scene.input('positions', [samples]), scene.input('remaining', [samples]));
  const parts = multiply(combineRows(x, reference, each(1), each(-1)), outputGradient(scene, scene.forwardOf(points)));

  // The outputs of the baselines are about each example's own class.
  const { logits } = scene.forwardOf(reference);
  const classes = logits.shape[1] as number;
  const ofEach = reshape(repeatAlong(logits, [rows, samples, classes], [0]), [rows * samples, classes]);
  const output = scene.output(forward.logits);
  const gaps = subtract(sumPerExample(parts), subtract(repeatRows(output, samples), scene.output(ofEach)));

  const carry: Record<string, Node> = {};
  const inverse = scene.input('inverse', [1]);
  const estimate = (name: string, of: Node, shape: readonly number[]): [mean: Node, standardError: Node] => {
    const before = scene.carried(name, shape);
    const mean = runningMean(of, draw, before);
    const m2 = runningM2(of, draw, before, scene.carried(`${name} m2`, shape));
    carry[name] = mean;
    carry[`${name} m2`] = m2;
    return [mean, sqrt(multiply(m2, inverse))];
  };
  const [values, standardError] = estimate('values', parts, x.shape);
  const [delta, deltaStandardError] = estimate('delta', gaps, [rows]);
  return { outputs: { values, standardError, delta, deltaStandardError, output }, carry };
}
