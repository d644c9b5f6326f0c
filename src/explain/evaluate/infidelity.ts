import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, maximum, minimum, negate, subtract } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import { type Attribution, disposeAll, type ExplainOptions } from '../attribution.ts';
import { type Baseline, explainerOf, type Recipe, type Scene } from '../explainer.ts';
import { type Groups, type GroupsGiven, groupsOf } from '../masked.ts';
import { collect } from '../ops/collect.ts';
import { noisyRows } from '../ops/noisy-rows.ts';
import { type BackgroundOptions, explainedBy, readBaselines } from './explained-by.ts';
import { type Foretold, hideSubsets } from './hidden-subsets.ts';
import { readExamples, readMaps, requireSameRows } from './maps.ts';

/** What is taken from the input. */
export type Perturbation = 'noisyBaseline' | 'gaussian' | 'subsets';

export interface InfidelityOptions extends ExplainOptions, BackgroundOptions {
  /**
   * `noisyBaseline`, the default: x − I = clip(σ ε, 0, 1), the image gives way to faint noise. `gaussian`: I = σ ε. `subsets`: I = (x − x′) on a random
   * half of the groups.
   */
  readonly perturbation?: Perturbation;
  /** σ, in units of the input; 0.2 by default. */
  readonly deviation?: number;
  /**
   * x′ of `subsets`, and of maps of contributions; 0 by default. Of a data set `subsets` takes for f(x − I) the mean over its chosen examples, and x − x′ is
   * the difference to their mean: what a map of contributions averaged over them foretells.
   */
  readonly baseline?: Baseline;
  /** Groups that `subsets` takes together; each element by itself by default. */
  readonly groups?: GroupsGiven;
  /** Number of draws of I; 10,000 by default. */
  readonly draws?: number;
  readonly seed?: number;
  /**
   * What a map's value is: `sensitivity`, output per unit of input, as the formula has it (the gradient's kind), or `contribution`, output (gradient × input, integrated
   * gradients, DeepLIFT, LRP, Shapley values). Contributions are divided by x − x′ first; where x = x′ they count as 0. `sensitivity` by default.
   */
  readonly unit?: 'sensitivity' | 'contribution';
  /** Whether φ is scaled by the factor that suits it best, β = E[(Iᵀφ) Δf] / E[(Iᵀφ)²], so that only its shape counts; false by default. */
  readonly optimalScaling?: boolean;
}

const STREAM = streamOf('infidelity');

/**
 * Infidelity: how badly a map foretells what the output loses when the input is perturbed, E_I[(Iᵀφ − (f(x) − f(x − I)))²].
 *
 * **Shapes** x [rows, ...], maps the same → [rows], in squared units of the output. **Cost** `draws` forward rows: for all examples together with `noisyBaseline`, an example
 * otherwise. **Lower is better**; a map of zeros gives E[(f(x) − f(x − I))²], and so does, with optimal scaling, a map that foretells nothing.
 * Defaults: noisy baseline, σ 0.2, 10,000 draws (authors' code for MNIST). Captum and Quantus draw 10.
 * **Source** Yeh, Hsieh, Suggala, Inouye, Ravikumar 2019, "On the (in)fidelity and sensitivity of explanations", definition 1; β: section 4.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `invalid-option`, `non-finite-data`, `unsupported-model`, `aborted`
 */
export async function infidelity(
  model: Model,
  x: Examples,
  attribution: Attribution,
  options: InfidelityOptions = {},
): Promise<Float64Array> {
  const { perturbation = 'noisyBaseline', deviation = 0.2, draws = 10_000, seed = 0, unit = 'sensitivity', baseline = 0 } = options;
  const examples = requireSameRows('infidelity', model, x, attribution);
  checkNumber('infidelity: deviation', deviation, 1e-6);
  checkWhole('infidelity: draws', draws, 1);
  checkWhole('infidelity: seed', seed, 0, 0xffffffff);
  requireOneOf('perturbation', perturbation, ['noisyBaseline', 'gaussian', 'subsets']);
  requireOneOf('unit', unit, ['sensitivity', 'contribution']);
  const { values } = await readMaps(attribution);
  const sensitivities = unit === 'sensitivity' ? values : await perUnit(values, model, x, baseline, options);
  const explained = await explainedBy(attribution, options);
  const ask: Asked = {
    explained: { ...explained, ...(options.onProgress ? { onProgress: options.onProgress } : {}) },
    draws,
    seed,
    deviation,
    baseline,
  };
  const { foretold, lost } =
    perturbation === 'subsets'
      ? await bySubsets(model, x, sensitivities, groupsOf('infidelity', model, options.groups), ask)
      : await byNoise(model, x, sensitivities, perturbation, ask);
  return Float64Array.from({ length: examples }, (_, i) => {
    const [a, d] = [foretold(i), lost(i)];
    const beta = options.optimalScaling ? bestScale(a, d) : 1;
    let sum = 0;
    for (let draw = 0; draw < draws; draw++) sum += (beta * (a[draw] as number) - (d[draw] as number)) ** 2;
    return sum / draws;
  });
}

interface Asked {
  readonly explained: ExplainOptions & BackgroundOptions;
  readonly draws: number;
  readonly seed: number;
  readonly deviation: number;
  readonly baseline: Baseline;
}

function requireOneOf(option: string, given: string, known: readonly string[]): void {
  if (known.includes(given)) return;
  throw new VitrineError('invalid-option', `infidelity: there is no ${option} '${given}'.`, `use one of ${known.join(', ')}.`, {
    [option]: given,
  });
}

/** φ / (x − x′), 0 where nothing differs. */
async function perUnit(
  values: Float32Array,
  model: Model,
  x: Examples,
  baseline: Baseline,
  background: BackgroundOptions,
): Promise<Float32Array> {
  const [rows, baselines] = await Promise.all([readExamples(x), readBaselines('infidelity', model, x, baseline, background)]);
  return values.map((value, i) => {
    const difference = (rows[i] as number) - (baselines[i] as number);
    return difference === 0 ? 0 : value / difference;
  });
}

/** The factor that brings a nearest to d; 0 for a map that foretells nothing at all. */
function bestScale(a: ArrayLike<number>, d: ArrayLike<number>): number {
  let [ad, aa] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    ad += (a[i] as number) * (d[i] as number);
    aa += (a[i] as number) ** 2;
  }
  return aa === 0 ? 0 : ad / aa;
}

/** Random halves of the groups go to the baseline: I = x − x′ on the half, so Iᵀφ is its sum of (x − x′) ⊙ φ. */
async function bySubsets(model: Model, x: Examples, phi: Float32Array, groups: Groups, ask: Asked): Promise<Foretold> {
  const [rows, baselines] = await Promise.all([readExamples(x), readBaselines('infidelity', model, x, ask.baseline, ask.explained)]);
  const contributions = phi.map((value, i) => value * ((rows[i] as number) - (baselines[i] as number)));
  const all = Array.from({ length: groups.count }, (_, group) => group);
  const hidden = Array.from({ length: ask.draws }, (_, draw) => all.filter((group) => uniform(ask.seed, STREAM, draw, group) < 0.5));
  return hideSubsets(model, x, contributions, hidden, { ...ask.explained, groups, baseline: ask.baseline });
}

/** Draws of noise, the same for every example: the dot products are one matrix product. */
async function byNoise(
  model: Model,
  x: Examples,
  phi: Float32Array,
  perturbation: 'noisyBaseline' | 'gaussian',
  ask: Asked,
): Promise<Foretold> {
  const { draws, seed, deviation } = ask;
  const features = elements(model.spec.inputShape);
  const recipe: Recipe = {
    method: 'infidelity',
    key: `${perturbation} ${draws}`,
    samples: draws,
    // Noise in place of the image is the same for every example, and so is the network's answer.
    ...(perturbation === 'noisyBaseline' ? { samplesPerRun: 1024 } : {}),
    block: (first, count) => ({ phi: phi.subarray(first * features, (first + count) * features) }),
    slice: (first, count) => ({
      draw: Uint32Array.of(seed, first, count),
      deviation: Float32Array.of(deviation),
      at: Uint32Array.of(first, count),
    }),
    build: (scene) => {
      const { foretold, moved } = perturbation === 'gaussian' ? gaussian(scene) : noisyBaseline(scene);
      const at = scene.input('at', [2], 'uint32');
      const all = [scene.rows, draws];
      const gathered = {
        foretold: collect(reshape(foretold, [scene.rows * scene.samples]), scene.carried('foretold', all), at),
        moved: collect(moved, scene.carried('moved', all), at),
      };
      return { outputs: gathered, carry: gathered };
    },
  };
  const { tensors } = await explainerOf(model).run(recipe, x, ask.explained);
  try {
    const read = (name: string): Promise<Float32Array> => tensors.get(name)?.read() as Promise<Float32Array>;
    const [foretold, moved, output] = await Promise.all([read('foretold'), read('moved'), read('output')]);
    return {
      foretold: (example) => foretold.subarray(example * draws, (example + 1) * draws),
      lost: (example) =>
        Float64Array.from(moved.subarray(example * draws, (example + 1) * draws), (value) => (output[example] as number) - value),
    };
  } finally {
    disposeAll(tensors.values());
  }
}

/** σ ε of each draw, [samples, features]. */
function noise(scene: Scene): Node {
  const [, ...shape] = scene.x.shape;
  const draw = scene.input('draw', [3], 'uint32');
  const zeros = constant(scene.graph, 0, [1, elements(shape)]);
  return noisyRows(zeros, scene.input('deviation', [1]), draw, { samples: scene.samples, stream: STREAM, noise: 'normal' });
}

const rowsByFeatures = (node: Node): Node => reshape(node, [node.shape[0] as number, elements(node.shape.slice(1))]);

/** I = σ ε: Iᵀφ [rows, samples], and f(x − I) [rows · samples]. */
function gaussian(scene: Scene): { foretold: Node; moved: Node } {
  const [rows = 1, ...shape] = scene.x.shape;
  const drawn = noise(scene);
  const phi = rowsByFeatures(scene.rowInput('phi', scene.x.shape));
  const features = elements(shape);
  const moved = subtract(reshape(scene.x, [rows, 1, features]), reshape(drawn, [1, scene.samples, features]));
  return {
    foretold: matmul(phi, drawn, { transposeB: true }),
    moved: scene.output(scene.forwardOf(reshape(moved, [rows * scene.samples, ...shape])).logits),
  };
}

/** x − I = clip(σ ε, 0, 1): Iᵀφ = xᵀφ − zᵀφ [rows, samples], and f(z) for each example's class [rows · samples]. */
function noisyBaseline(scene: Scene): { foretold: Node; moved: Node } {
  const [rows = 1, ...shape] = scene.x.shape;
  const { graph, samples } = scene;
  const z = maximum(minimum(noise(scene), constant(graph, 1)), constant(graph, 0));
  const phi = rowsByFeatures(scene.rowInput('phi', scene.x.shape));
  const whole = matmul(reshape(phi, [rows, 1, elements(shape)]), reshape(scene.x, [rows, elements(shape), 1]));
  const logits = scene.forwardOf(reshape(z, [samples, ...shape])).logits;
  const classes = logits.shape[1] as number;
  // Each example asks for its own class of the same logits.
  const tiled = add(reshape(logits, [1, samples, classes]), constant(graph, 0, [rows, 1, classes]));
  return {
    foretold: add(reshape(whole, [rows, 1]), negate(matmul(phi, z, { transposeB: true }))),
    moved: scene.output(reshape(tiled, [rows * samples, classes])),
  };
}
