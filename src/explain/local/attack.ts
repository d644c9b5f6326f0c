import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import { differentiate } from '../../engine/index.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { argmax } from '../../engine/ops/argmax.ts';
import { add, multiply, negate } from '../../engine/ops/arithmetic.ts';
import { crossEntropyBackward } from '../../engine/ops/cross-entropy.ts';
import { constant } from '../../engine/ops/fill.ts';
import { largest } from '../../engine/ops/largest.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { softmax } from '../../engine/ops/softmax.ts';
import { streamOf } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll, type ExplainOptions } from '../attribution.ts';
import { type Explained, explainerOf, type Scene } from '../explainer.ts';
import { attackStep } from '../ops/attack-step.ts';
import { noisyRows } from '../ops/noisy-rows.ts';
import { recordOptions } from './gradient.ts';

/** `target` is the class that the attack is about: the true one, or by default the predicted one. `output` and `against` are of the objective 'output'. */
export interface FgsmOptions extends ExplainOptions {
  /** Radius of the attack, the most that an element changes; in the units of x. */
  readonly epsilon?: number;
  /**
   * The range that inputs lie in, which an attack does not leave. 'unit', the default: examples of which every element lies in [0, 1], as those of
   * images do, stay there, and others are not clipped. A range that is given holds for every example, and must be within ε of each of its
   * elements. False clips nothing.
   */
  readonly clip?: readonly [low: number, high: number] | 'unit' | false;
  /**
   * What is attacked: 'crossEntropy' of the class, which grows, by default; or 'output', the explained number f_c, which falls (with `against`
   * the lead over another class).
   */
  readonly objective?: 'crossEntropy' | 'output';
  /** Turns the attack round: towards `target`, which must then be given. */
  readonly targeted?: boolean;
}

export interface PgdOptions extends FgsmOptions {
  /** How far an element moves in a step; 0.01 by default. */
  readonly stepSize?: number;
  /** 40 by default. */
  readonly steps?: number;
  /** Whether it begins at a random point of the ball, as by default, or at x. */
  readonly randomStart?: boolean;
  readonly seed?: number;
}

export interface Prediction {
  /** Softmax of the logits, [rows, classes]. */
  readonly probabilities: Tensor;
  /** The class of the largest logit, uint32 [rows], ties to the lowest. */
  readonly classes: Tensor;
}

/** Adversarial examples, on the GPU. Whoever asked for them disposes of them. */
export interface Attack {
  readonly method: 'fgsm' | 'pgd';
  /** Every option that the result depends on, defaults included: given back, with the model and x, they make it again. JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The adversarial examples, in the shape of x: give them to any method, or to the model. */
  readonly values: Tensor;
  /** The class that each attack was about, uint32 [rows]. */
  readonly target: Tensor;
  /** What the network says of x. */
  readonly before: Prediction;
  /** What it says of the adversarial examples. */
  readonly after: Prediction;
  /** The training step whose parameters it saw; absent where the model was not trained here. */
  readonly step?: number;
  /** The last step it saw, where training went on during a long attack. */
  readonly lastStep?: number;
  /** Frees its tensors. */
  dispose(): void;
}

interface Settings extends Required<Pick<PgdOptions, 'epsilon' | 'stepSize' | 'steps' | 'randomStart' | 'seed'>> {
  readonly clip: readonly [number, number] | 'unit' | false;
  readonly objective: 'crossEntropy' | 'output';
  readonly targeted: boolean;
}

const LARGEST = 3.4028234663852886e38;

function checkSettings(method: string, settings: Settings, { target, against, output = 'logit' }: FgsmOptions): void {
  const { epsilon, stepSize, steps, seed, clip, objective, targeted } = settings;
  checkNumber(`${method}: epsilon`, epsilon, 0);
  checkNumber(`${method}: stepSize`, stepSize, 0);
  checkWhole(`${method}: steps`, steps, 1);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  if (Array.isArray(clip)) {
    checkNumber(`${method}: clip[0]`, clip[0], Number.NEGATIVE_INFINITY);
    checkNumber(`${method}: clip[1]`, clip[1], clip[0]);
  } else if (clip !== false && clip !== 'unit') {
    throw new VitrineError(
      'invalid-option',
      `${method}: clip is ${String(clip)}.`,
      "pass [low, high], 'unit' for examples that lie in [0, 1], or false.",
      { clip },
    );
  }
  if (objective !== 'crossEntropy' && objective !== 'output') {
    throw new VitrineError(
      'invalid-option',
      `${method}: there is no objective '${String(objective)}'.`,
      "use 'crossEntropy', or 'output' for the explained number itself.",
      { objective },
    );
  }
  if (objective === 'crossEntropy' && (against !== undefined || output !== 'logit')) {
    throw new VitrineError(
      'invalid-option',
      `${method}: ${against === undefined ? 'output' : 'against'} is given, of which cross-entropy knows nothing.`,
      "leave it out, or attack the explained number: objective 'output'.",
      { objective, against, output },
    );
  }
  if (targeted && target === undefined) {
    throw new VitrineError(
      'invalid-option',
      `${method}: a targeted attack needs a class to go to; the predicted one is where it is.`,
      'give it as target, or leave targeted out.',
      { targeted },
    );
  }
}

/** The range that each example is kept in, [low, high] one after the other. @throws VitrineError `invalid-option` for an example that ε does not bring into it */
async function rangesOf(
  method: string,
  model: Model,
  x: Examples,
  { clip, epsilon }: Settings,
  options: FgsmOptions,
): Promise<Float32Array> {
  const examples = model.rowsOf(x);
  const ranges = Float32Array.from({ length: 2 * examples }, (_, i) => (i % 2 === 0 ? -LARGEST : LARGEST));
  if (clip === false) return ranges;
  const { tensors } = await explainerOf(model).run(
    {
      method,
      key: 'range',
      classless: true,
      build: ({ x: rows }) => {
        const flat = reshape(rows, [rows.shape[0] as number, elements(rows.shape.slice(1))]);
        return { outputs: { least: negate(largest(negate(flat), [1])), most: largest(flat, [1]) } };
      },
    },
    x,
    asFarAs(options),
  );
  const [least, most] = (await Promise.all([tensors.get('least')?.read(), tensors.get('most')?.read()]).finally(() =>
    disposeAll(tensors.values()),
  )) as [Float32Array, Float32Array];
  const [low, high] = clip === 'unit' ? [0, 1] : clip;
  for (let i = 0; i < examples; i++) {
    const [own, top] = [least[i] as number, most[i] as number];
    if (clip === 'unit') {
      if (own < low || top > high) continue;
    } else {
      // As the GPU computes the ball.
      const [reach, drop] = [Math.fround(own + Math.fround(epsilon)), Math.fround(top - Math.fround(epsilon))];
      if (reach < Math.fround(low) || drop > Math.fround(high)) {
        throw new VitrineError(
          'invalid-option',
          `${method}: example ${i} has elements from ${own} to ${top}, which epsilon ${epsilon} does not bring into the clip range [${low}, ${high}].`,
          'pass as clip the range that the inputs lie in, or false.',
          { method, example: i, least: own, most: top, clip, epsilon },
        );
      }
    }
    ranges.set([low, high], 2 * i);
  }
  return ranges;
}

/** What the runs around an attack take of its options: they explain nothing. */
const asFarAs = ({ signal, budget }: FgsmOptions): ExplainOptions => ({
  ...(signal === undefined ? {} : { signal }),
  ...(budget === undefined ? {} : { budget }),
});

async function attack(method: 'fgsm' | 'pgd', model: Model, x: Examples, options: FgsmOptions, settings: Settings): Promise<Attack> {
  checkSettings(method, settings, options);
  const { epsilon, stepSize, steps, randomStart, seed, clip, objective, targeted } = settings;
  // Cross-entropy grows, the explained number falls.
  const direction = (objective === 'crossEntropy') === targeted ? -1 : 1;
  const explainer = explainerOf(model);
  const owned: (Tensor | undefined)[] = [];
  const predict = async (of: Examples): Promise<Prediction> => {
    const { tensors } = await explainer.run(
      {
        method: 'prediction',
        classless: true,
        build: ({ forward }) => ({ outputs: { probabilities: softmax(forward.logits), classes: argmax(forward.logits) } }),
      },
      of,
      asFarAs(options),
    );
    owned.push(...tensors.values());
    return { probabilities: tensors.get('probabilities') as Tensor, classes: tensors.get('classes') as Tensor };
  };
  const ranges = await rangesOf(method, model, x, settings, options);
  try {
    const explained: Explained = await explainer.run(
      {
        method,
        key: `${objective} from ${randomStart ? 'anywhere' : 'x'}`,
        samples: steps,
        // Each step begins where the last one ended.
        samplesPerRun: 1,
        slice: (first) => ({
          isFirst: Float32Array.of(first === 0 ? 1 : 0),
          radius: Float32Array.of(epsilon),
          draw: Uint32Array.of(seed, 0, 1),
        }),
        block: (first, count) => ({
          limits: Float32Array.from({ length: 4 * count }, (_, i) =>
            i % 4 < 2
              ? ([direction * stepSize, epsilon][i % 4] as number)
              : (ranges[2 * (first + Math.floor(i / 4)) + (i % 4) - 2] as number),
          ),
        }),
        build: (scene) => step(scene, objective, randomStart),
      },
      x,
      options,
    );
    owned.push(...explained.tensors.values());
    const values = explained.tensors.get('values') as Tensor;
    const [before, after] = [await predict(x), await predict(values)];
    const { step: first, lastStep } = explained;
    return {
      method,
      options: recordOptions(options, {
        epsilon,
        clip,
        objective,
        targeted,
        ...(method === 'pgd' ? { stepSize, steps, randomStart, seed } : {}),
      }),
      values,
      target: explained.tensors.get('target') as Tensor,
      before,
      after,
      ...(first === undefined ? {} : { step: first }),
      ...(lastStep === undefined ? {} : { lastStep }),
      dispose: () => disposeAll(owned),
    };
  } catch (error) {
    disposeAll(owned);
    throw error;
  }
}

function step(scene: Scene, objective: 'crossEntropy' | 'output', randomStart: boolean) {
  const { x, rows, graph } = scene;
  const limits = scene.rowInput('limits', [rows, 4]);
  const anywhere = (): Node => {
    const deviation = multiply(constant(graph, 1, [rows]), scene.input('radius', [1]));
    const noisy = noisyRows(x, deviation, scene.input('draw', [3], 'uint32'), { samples: 1, stream: streamOf('pgd'), noise: 'uniform' });
    // A step that goes nowhere, for the sake of its limits.
    return attackStep(x, noisy, constant(graph, 0, x.shape), limits);
  };
  const start = randomStart ? anywhere() : x;
  // What is carried is 0 in the first run.
  const current = add(scene.carried('current', x.shape), multiply(start, scene.input('isFirst', [1])));
  const { logits, x: at } = scene.forwardOf(current);
  const seed: Node = objective === 'output' ? scene.seed(logits) : crossEntropyBackward(logits, scene.target, constant(graph, 1, [rows]));
  const [gradient] = differentiate(logits, [at], { seed }) as [Node];
  const values = attackStep(x, current, gradient, limits);
  return { outputs: { values }, carry: { current: values } };
}

/**
 * The fast gradient sign method: x_adv = clip(x + ε · sign ∂L/∂x), L the cross-entropy of the target class.
 *
 * ‖x_adv − x‖∞ ≤ ε always, to a rounding: the ball is about x, and clipping is to [max(low, x − ε), min(high, x + ε)].
 *
 * **Shapes** x [rows, ...inputShape] → values the same; probabilities [rows, classes] and classes uint32 [rows] before and after.
 * **Cost** one forward and one backward row an example, and two forward rows for the predictions.
 * **Shows** how little it takes to change the network's mind, where the loss is nearly linear. **Does not show** that a network which withstands it
 * is robust: pgd finds more. Where the network is so sure that the gradient is 0 in float32 nothing moves; attack the 'output' then.
 * Defaults: ε 0.25 (Goodfellow et al. on MNIST), clipped to [0, 1] where the example lies in it. torchattacks and the paper's code suppose that it does,
 * Foolbox asks for the range, Captum clips only when asked.
 * **Source** Goodfellow, Shlens, Szegedy 2015, "Explaining and harnessing adversarial examples".
 *
 * @throws VitrineError `invalid-option` also for a clip range that ε does not bring an example into; `shape-mismatch`, `empty-dataset`,
 * `dtype-mismatch`, `non-finite-data`, `label-out-of-range`, `unsupported-model`, `aborted`
 */
export function fgsm(model: Model, x: Examples, options: FgsmOptions = {}): Promise<Attack> {
  const { epsilon = 0.25, clip = 'unit', objective = 'crossEntropy', targeted = false } = options;
  return attack('fgsm', model, x, options, {
    epsilon,
    clip,
    objective,
    targeted,
    stepSize: epsilon,
    steps: 1,
    randomStart: false,
    seed: 0,
  });
}

/**
 * Projected gradient descent: from a random point of the ball of radius ε, `steps` steps x ← clip(x + stepSize · sign ∂L/∂x), each put back into
 * the ball around the example (largest change of an element) and into the range of inputs. The start is put there as well; without a random one it is x.
 *
 * **Shapes** as fgsm. **Cost** `steps` forward and backward rows an example, and two forward rows for the predictions.
 * **Shows** nearly the worst that a change of at most ε can do. **Does not show** a proof: what it does not find may still be there.
 * Defaults: ε 0.3, 40 steps of 0.01, random start (Madry et al. on MNIST), clipped as fgsm. The start depends on the seed and the element, not on the
 * example.
 * **Source** Madry, Makelov, Schmidt, Tsipras, Vladu 2018, "Towards deep learning models resistant to adversarial attacks".
 *
 * @throws VitrineError as fgsm
 */
export function pgd(model: Model, x: Examples, options: PgdOptions = {}): Promise<Attack> {
  const { epsilon = 0.3, clip = 'unit', objective = 'crossEntropy', targeted = false } = options;
  const { stepSize = 0.01, steps = 40, randomStart = true, seed = 0 } = options;
  return attack('pgd', model, x, options, { epsilon, clip, objective, targeted, stepSize, steps, randomStart, seed });
}
