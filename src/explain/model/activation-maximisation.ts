import { compile } from '../../engine/compile.ts';
import { differentiate, type Rule } from '../../engine/differentiate.ts';
import { checkNumber, checkWhole, VitrineError } from '../../engine/errors.ts';
import { Graph, type Node } from '../../engine/graph.ts';
import type { Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, divide, maximum, minimum, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { sqrt, square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { oneHot } from '../../engine/ops/one-hot.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reluOperation } from '../../engine/ops/relu.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { slice } from '../../engine/ops/slice.ts';
import type { Plan } from '../../engine/plan.ts';
import { streamOf, uniform } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll, type ExplainProgress, requireGoingOn } from '../attribution.ts';
import { layerNode } from './chunks.ts';

export interface ActivationMaximisationOptions {
  /** 'logits' or the name of an activation, such as 'activation/dense_1'. */
  readonly layer: string;
  /** Units of that layer, by their row-major index; each gets an input of its own. */
  readonly units: ArrayLike<number>;
  /** Steps of the ascent; 512 by default. */
  readonly steps?: number;
  /** 0.05 by default. */
  readonly learningRate?: number;
  /** 'adam' by default; 'gradient' for plain steps along the gradient. */
  readonly optimizer?: 'adam' | 'gradient';
  /** λ: weight of the total variation of an image, which smooths it; 0 by default. */
  readonly totalVariation?: number;
  /** Each value is kept within; [0, 1] by default, 'none' for no bounds. */
  readonly range?: readonly [number, number] | 'none';
  /** Each input is kept within ‖x‖ ≤ radius; no bound by default. */
  readonly radius?: number;
  /** First steps in which ReLU lets every gradient pass, so that a dead start does not stay dead; 16 by default. */
  readonly passSteps?: number;
  /** Of the start, which is noise about the middle of the range. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExplainProgress) => void;
}

export interface ActivationMaximisation {
  /** [units, ...inputShape]; whoever asked disposes of it. */
  readonly inputs: Tensor;
  /** [steps, units] the unit's value before each step. */
  readonly objective: Float32Array;
}

/** Of Kingma, Ba 2015. */
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const MOST_UNITS = 256;
/** Steps that may wait for the GPU. */
const MOST_IN_FLIGHT = 8;

/** ReLU hands on all it is given. */
const passRule: Rule = (node, dOutput) => (node.operation === reluOperation ? [dOutput] : undefined);

/** Σ √(difference² + ε) between neighbours of an image [rows, height, width, ...], [rows]; 0 for what is no image. */
function totalVariation(x: Node): Node {
  const rows = x.shape[0] as number;
  const flat = (node: Node): Node => sum(reshape(node, [rows, elements(node.shape.slice(1))]), [1]);
  const along = [1, 2].flatMap((axis) => {
    const length = x.shape[axis] ?? 1;
    if (x.shape.length < 3 || length < 2) return [];
    const box = (from: number): Node =>
      slice(x, {
        start: x.shape.map((_, i) => (i === axis ? from : 0)),
        end: x.shape.map((whole, i) => (i === axis ? from + length - 1 : whole)),
      });
    const [later, earlier] = [box(1), box(0)];
    const squares = square(subtract(later, earlier));
    return [flat(sqrt(add(squares, constant(x.graph, 1e-8))))];
  });
  return along.length > 0 ? along.reduce(add) : constant(x.graph, 0, [rows]);
}

/**
 * Activation maximisation: an input that makes a unit's value large, x ← x + step of a_k(x) − λ TV(x).
 *
 * **Shapes** units [n] → inputs [n, ...inputShape]. **Cost** one forward and backward row a unit and step; nothing is read back until the end.
 * **Shows** what a unit answers to most. **Does not show** what it answers to on data: the result is none of it, and another start may end elsewhere.
 * Defaults: Adam, rate 0.05, 512 steps, ReLU passes every gradient in the first 16 (lucid). Of lucid's regularisers only total variation is here: it moves, scales and rotates images of
 * 224 pixels, which leaves little of one of 28.
 * **Source** Erhan, Bengio, Courville, Vincent 2009, "Visualizing higher-layer features of a deep network"; Olah, Mordvintsev, Schubert 2017, "Feature visualization".
 *
 * @throws VitrineError `unknown-name`, `label-out-of-range` for a unit that is not there, `invalid-option`, `unsupported-model` where the input is no numbers, `aborted`
 */
export async function activationMaximisation(model: Model, options: ActivationMaximisationOptions): Promise<ActivationMaximisation> {
  const method = 'activationMaximisation';
  const { layer, steps = 512, learningRate = 0.05, optimizer = 'adam', range = [0, 1], radius, passSteps = 16, seed = 0, signal } = options;
  const lambda = options.totalVariation ?? 0;
  checkWhole(`${method}: steps`, steps, 1);
  checkWhole(`${method}: passSteps`, passSteps, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  checkNumber(`${method}: learningRate`, learningRate, 0);
  checkNumber(`${method}: totalVariation`, lambda, 0);
  if (radius !== undefined) checkNumber(`${method}: radius`, radius, 1e-30);
  if (range !== 'none') checkNumber(`${method}: range`, range[1], range[0]);
  if (optimizer !== 'adam' && optimizer !== 'gradient') {
    throw new VitrineError('invalid-option', `${method}: there is no optimizer '${String(optimizer)}'.`, "use 'adam' or 'gradient'.", {
      optimizer,
    });
  }
  if (model.spec.inputType === 'uint32') {
    throw new VitrineError(
      'unsupported-model',
      `${method}: the model reads token indices, which cannot be moved a little.`,
      'look at a model whose input is numbers.',
    );
  }
  const units = Uint32Array.from(options.units);
  checkWhole(`${method}: units`, units.length, 1, MOST_UNITS);
  model.requireAlive();
  const { device } = model;
  const shape = [units.length, ...model.spec.inputShape];
  const make = (name: string): Tensor => device.empty(shape, 'float32', `${method}/${name}`, { owner: 'explain' });
  const plans: Plan[] = [];
  const [x, m, v] = await device.guarded(method, () => [make('inputs'), make('m'), make('v')] as const);
  const objectives = device.empty([steps, units.length], 'float32', `${method}/objective`, { owner: 'explain' });
  try {
    const [low, high] = range === 'none' ? [-0.5, 0.5] : range;
    const stream = streamOf(method);
    const middle = (low + high) / 2;
    x.write(
      Float32Array.from(
        { length: x.length },
        (_, i) =>
          middle +
          0.1 *
            (high - low) *
            (uniform(seed, stream, units[Math.floor((i * units.length) / x.length)] as number, i % elements(model.spec.inputShape)) - 0.5),
      ),
    );

    const build = async (rules: readonly Rule[]) => {
      const graph = new Graph();
      const forward = model.forward(graph, units.length);
      const activation = layerNode(method, forward, layer);
      const width = elements(activation.shape) / units.length;
      const wrong = units.find((unit) => unit >= width);
      if (wrong !== undefined) {
        throw new VitrineError(
          'label-out-of-range',
          `${method}: there is no unit ${wrong}; ${layer} has ${width}.`,
          `name units from 0 to ${width - 1}.`,
          { unit: wrong, units: width },
        );
      }
      const chosen = graph.placeholder('units', [units.length], 'uint32');
      const corrections = graph.placeholder('corrections', [2]);
      const [first, second] = [graph.placeholder('m', shape), graph.placeholder('v', shape)];
      const seedNode = reshape(oneHot(chosen, width), activation.shape);
      const [slope] = differentiate(activation, [forward.x], { seed: seedNode, rules });
      const value = sum(reshape(multiply(activation, seedNode), [units.length, width]), [1]);
      let ascent = slope ?? constant(graph, 0, shape);
      if (lambda > 0) {
        const [rough] = differentiate(totalVariation(forward.x), [forward.x]);
        if (rough) ascent = subtract(ascent, multiply(rough, constant(graph, lambda)));
      }
      const scaled = (node: Node, factor: number): Node => multiply(node, constant(graph, factor));
      const nextM = add(scaled(first, ADAM.beta1), scaled(ascent, 1 - ADAM.beta1));
      const nextV = add(scaled(second, ADAM.beta2), scaled(square(ascent), 1 - ADAM.beta2));
      const part = (index: number): Node => slice(corrections, { start: [index], end: [index + 1] });
      const step =
        optimizer === 'gradient'
          ? ascent
          : divide(divide(nextM, part(0)), add(sqrt(divide(nextV, part(1))), constant(graph, ADAM.epsilon)));
      let next = add(forward.x, scaled(step, learningRate));
      if (range !== 'none') next = maximum(minimum(next, constant(graph, high)), constant(graph, low));
      if (radius !== undefined) {
        const ones = [units.length, ...model.spec.inputShape.map(() => 1)];
        const norms = sqrt(sum(reshape(square(next), [units.length, elements(model.spec.inputShape)]), [1]));
        const factor = minimum(divide(constant(graph, radius), maximum(norms, constant(graph, 1e-30))), constant(graph, 1));
        next = multiply(next, reshape(factor, ones));
      }
      const moved = optimizer === 'adam' ? [next, nextM, nextV] : [next];
      const plan = await compile(device, [...moved, value], {
        name: method,
        owner: 'explain',
        tensors: new Map([
          ...model.bindings(forward),
          [forward.x, x],
          ...(optimizer === 'adam'
            ? ([
                [first, m],
                [second, v],
              ] as const)
            : []),
        ]),
      });
      plans.push(plan);
      plan.tensor(chosen).write(units);
      return { plan, value, corrections, pairs: moved.map((node, i) => [plan.tensor(node), [x, m, v][i] as Tensor] as const) };
    };
    const passing = passSteps > 0 ? await build([passRule]) : undefined;
    const plain = passSteps < steps ? await build([]) : undefined;

    const inFlight: Promise<void>[] = [];
    for (let t = 1; t <= steps; t++) {
      requireGoingOn(method, signal);
      model.requireAlive();
      const { plan, value, corrections, pairs } = (t <= passSteps ? passing : plain) as NonNullable<typeof plain>;
      if (optimizer === 'adam') {
        const { storage, byteOffset } = plan.tensor(corrections);
        device.writeBuffer('explain', storage, byteOffset, Float32Array.of(1 - ADAM.beta1 ** t, 1 - ADAM.beta2 ** t));
      }
      device.submit('explain', method, (encoder) => {
        const pass = encoder.beginComputePass({ label: method });
        plan.encode(pass);
        pass.end();
        for (const [source, target] of pairs) {
          encoder.copyBufferToBuffer(source.buffer, source.byteOffset, target.buffer, target.byteOffset, target.bytes);
        }
        const reached = plan.tensor(value);
        encoder.copyBufferToBuffer(reached.buffer, reached.byteOffset, objectives.buffer, 4 * (t - 1) * units.length, reached.bytes);
        device.count('explain', 'copyBuffer', pairs.length + 1);
      });
      inFlight.push(device.gpu.queue.onSubmittedWorkDone());
      if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
      options.onProgress?.({ done: t, total: steps });
    }
    return { inputs: x, objective: await objectives.read() };
  } catch (error) {
    x.dispose();
    throw error;
  } finally {
    for (const plan of plans) plan.dispose();
    disposeAll([m, v, objectives]);
  }
}
