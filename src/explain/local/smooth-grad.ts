import { checkNumber, checkWhole } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, multiply, negate } from '../../engine/ops/arithmetic.ts';
import { square } from '../../engine/ops/elementary.ts';
import { largest } from '../../engine/ops/largest.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { streamOf } from '../../engine/random.ts';
import type { Attribution, ExplainOptions } from '../attribution.ts';
import { attributionOf, explainerOf, type Scene } from '../explainer.ts';
import { noisyRows } from '../ops/noisy-rows.ts';
import { runningM2, runningMean } from '../ops/samples.ts';
import { outputGradient, recordOptions } from './gradient.ts';

export interface SmoothGradOptions extends ExplainOptions {
  /** Number of noisy copies; 50 by default. */
  readonly samples?: number;
  /** Deviation of the noise as a share of the example's own range, max x − min x; 0.15 by default. */
  readonly noise?: number;
  readonly seed?: number;
}

type Statistic = 'mean' | 'square' | 'variance';

/** max x − min x of each example, [rows]. */
function rangeOf(x: Node): Node {
  const flat = reshape(x, [x.shape[0] as number, elements(x.shape.slice(1))]);
  return add(largest(flat, [1]), largest(negate(flat), [1]));
}

async function smooth(method: string, statistic: Statistic, model: Model, x: Examples, options: SmoothGradOptions): Promise<Attribution> {
  const { samples = 50, noise = 0.15, seed = 0 } = options;
  checkWhole(`${method}: samples`, samples, 1);
  checkNumber(`${method}: noise`, noise, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const build = (scene: Scene) => {
    const draw = scene.input('draw', [3], 'uint32');
    const deviation = multiply(rangeOf(scene.x), scene.input('noise', [1]));
    const noisy = noisyRows(scene.x, deviation, draw, { samples: scene.samples, stream: streamOf('smoothGrad'), noise: 'normal' });
    const gradient = outputGradient(scene, scene.forwardOf(noisy));
    const before = scene.carried('mean', scene.x.shape);
    const mean = runningMean(statistic === 'square' ? square(gradient) : gradient, draw, before);
    if (statistic !== 'variance') return { outputs: { values: mean }, carry: { mean } };
    const m2 = runningM2(gradient, draw, before, scene.carried('m2', scene.x.shape));
    return { outputs: { values: multiply(m2, scene.input('inverseSamples', [1])) }, carry: { mean, m2 } };
  };
  const explained = await explainerOf(model).run(
    {
      method,
      samples,
      slice: (first, count) => ({
        draw: Uint32Array.of(seed, first, count),
        noise: Float32Array.of(noise),
        inverseSamples: Float32Array.of(1 / samples),
      }),
      build,
    },
    x,
    options,
  );
  return attributionOf(method, recordOptions(options, { samples, noise, seed }), explained);
}

/**
 * SmoothGrad: the mean of the gradient over noisy copies of the input, E[∂f_c(x + ε) / ∂x], ε ~ N(0, σ²).
 *
 * **Shapes** x [rows, ...inputShape] → values the same, signed. **Cost** `samples` forward and backward rows an example.
 * **Shows** what of the gradient survives small changes of the input. **Does not show** contributions; its noise leaves the data the network knows.
 * Defaults: 50 samples, σ 15 % of the example's range (Adebayo et al.'s notebooks; the paper says 10–20 % and about 50). Captum and iNNvestigate
 * take an absolute σ of 1, PAIR squares by default.
 * **Source** Smilkov, Thorat, Kim, Viégas, Wattenberg 2017, "SmoothGrad: removing noise by adding noise".
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export const smoothGrad = (model: Model, x: Examples, options: SmoothGradOptions = {}): Promise<Attribution> =>
  smooth('smoothGrad', 'mean', model, x, options);

/**
 * SmoothGrad²: the mean of the squared gradient over noisy copies. Unsigned. Otherwise as smoothGrad.
 *
 * **Source** Hooker, Erhan, Kindermans, Kim 2019, "A benchmark for interpretability methods in deep neural networks".
 */
export const smoothGradSquared = (model: Model, x: Examples, options: SmoothGradOptions = {}): Promise<Attribution> =>
  smooth('smoothGradSquared', 'square', model, x, options);

/**
 * VarGrad: the population variance of the gradient over noisy copies (Welford's method). Unsigned. Otherwise as smoothGrad.
 *
 * **Source** Adebayo, Gilmer, Goodfellow, Kim 2018, "Local explanation methods for deep neural networks lack sensitivity to parameter values".
 */
export const varGrad = (model: Model, x: Examples, options: SmoothGradOptions = {}): Promise<Attribution> =>
  smooth('varGrad', 'variance', model, x, options);
