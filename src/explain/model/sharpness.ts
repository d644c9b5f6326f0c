import { compile } from '../../engine/compile.ts';
import { differentiate } from '../../engine/differentiate.ts';
import { checkNumber, checkWhole, shapeMismatch } from '../../engine/errors.ts';
import { ancestors, Graph, type Node } from '../../engine/graph.ts';
import type { Loss } from '../../engine/losses.ts';
import { distinct, type Examples, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, divide, maximum, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { sqrt, square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { mean, sum } from '../../engine/ops/reduce.ts';
import type { Plan } from '../../engine/plan.ts';
import { normal, streamOf } from '../../engine/random.ts';
import { requireGoingOn } from '../attribution.ts';
import { answersNode, checkBatch, rowLossOf } from './fixed-batch.ts';

export interface HessianOptions {
  /** 'crossEntropy' by default. */
  readonly loss?: Loss;
}

export interface SharpnessOptions extends HessianOptions {
  /** Steps of the power iteration at most; 100 by default. */
  readonly iterations?: number;
  /** It ends when the eigenvalue changes by less than this share; 1e-4 by default. */
  readonly tolerance?: number;
  /** Of the vector it starts from. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Sharpness {
  /** The largest eigenvalue of the Hessian of the mean loss. */
  readonly eigenvalue: number;
  /** Of that eigenvalue; of length 1 over all parameters. */
  readonly eigenvector: ReadonlyMap<string, Float32Array>;
  readonly iterations: number;
  /** Whether it settled. */
  readonly converged: boolean;
}

/** A vector over the parameters, a number for each, by name. */
export type ParameterVector = ReadonlyMap<string, Float32Array>;

interface HessianPlan {
  readonly plan: Plan;
  /** By parameter name: v, and (H − shift·I) v. */
  readonly vectors: ReadonlyMap<string, Node>;
  readonly products: ReadonlyMap<string, Node>;
  /** The product, of length 1. */
  readonly next: ReadonlyMap<string, Node>;
  readonly shift: Node;
  /** [2]: v · (H − shift·I) v and v · v. */
  readonly quotient: readonly [Node, Node];
}

async function hessianPlan(
  method: string,
  model: Model,
  x: Examples,
  answers: ArrayLike<number>,
  loss: Loss | undefined,
): Promise<HessianPlan> {
  const { device } = model;
  const batch = checkBatch(method, model, x, answers, loss);
  const graph = new Graph();
  const forward = model.forward(graph, batch.rows);
  const wanted = answersNode(graph, batch, batch.rows);
  const total = mean(rowLossOf(batch.loss, forward, wanted));
  const names = [...forward.parameters.keys()];
  const parameters = [...forward.parameters.values()];
  const vectors = parameters.map((node, i) => graph.placeholder(`v/${names[i]}`, node.shape));
  const shift = graph.placeholder('shift', []);
  // Pearlmutter: Hv is the gradient of gradient · v.
  const gradients = differentiate(total, parameters);
  const terms = gradients.flatMap((gradient, i) => (gradient ? [sum(multiply(gradient, vectors[i] as Node))] : []));
  const along = terms.reduce(add);
  const second = differentiate(along, parameters);
  const products = second.map((product, i) => {
    const parameter = parameters[i] as Node;
    const own = product ? distinct(product, parameter) : constant(graph, 0, parameter.shape);
    return subtract(own, multiply(vectors[i] as Node, shift));
  });
  const inner = (of: readonly Node[]): Node => of.map((node, i) => sum(multiply(node, vectors[i] as Node))).reduce(add);
  const length = sqrt(products.map((node) => sum(square(node))).reduce(add));
  const next = products.map((node) => divide(node, maximum(length, constant(graph, 1e-30))));
  const quotient = [inner(products), inner(vectors)] as const;
  const roots = [...products, ...next, ...quotient];
  // Where the loss is quadratic in the output, the Hessian does not depend on the answers.
  const needed = new Set(ancestors(roots));
  const plan = await compile(device, roots, {
    name: method,
    owner: 'explain',
    tensors: model.bindings(forward),
    keep: [forward.x, wanted, shift, ...vectors].filter((node) => needed.has(node)),
  });
  if (needed.has(forward.x)) model.writeRows(plan.tensor(forward.x), x, 0, batch.rows, 'explain');
  if (needed.has(wanted)) {
    const into = plan.tensor(wanted);
    device.writeBuffer('explain', into.storage, into.byteOffset, batch.answers);
  }
  const named = (nodes: readonly Node[]): Map<string, Node> => new Map(nodes.map((node, i) => [names[i] as string, node]));
  return { plan, vectors: named(vectors), products: named(products), next: named(next), shift, quotient };
}

const writeNode = (model: Model, plan: Plan, node: Node, values: Float32Array): void => {
  const tensor = plan.tensor(node);
  model.device.writeBuffer('explain', tensor.storage, tensor.byteOffset, values);
};

const readNodes = async (plan: Plan, nodes: ReadonlyMap<string, Node>): Promise<Map<string, Float32Array>> => {
  const entries = await Promise.all([...nodes].map(async ([name, node]) => [name, await plan.tensor(node).read()] as const));
  return new Map(entries);
};

/**
 * Hessian-vector product: H v, H the Hessian of the mean loss with respect to the parameters, by differentiating gradient · v.
 *
 * **Shapes** x [rows, ...inputShape], 4096 rows at most; v and the result hold a value for each parameter, by name. **Cost** about four passes of the batch.
 * **Source** Pearlmutter 1994, "Fast exact multiplication by the Hessian".
 *
 * @throws VitrineError `not-twice-differentiable`, `shape-mismatch`, `label-out-of-range`, `invalid-option`
 */
export async function hessianVectorProduct(
  model: Model,
  x: Examples,
  answers: ArrayLike<number>,
  v: ParameterVector,
  options: HessianOptions = {},
): Promise<Map<string, Float32Array>> {
  const method = 'hessianVectorProduct';
  for (const [name, { shape }] of model.parameters) {
    const length = v.get(name)?.length;
    if (length === elements(shape)) continue;
    throw shapeMismatch(
      `${method}: v has ${length ?? 'no'} values for ${name}, which has ${elements(shape)}.`,
      'give a value for each parameter, by the names in model.parameters.',
      { name, expected: elements(shape), actual: length },
    );
  }
  const { plan, vectors, products, shift } = await hessianPlan(method, model, x, answers, options.loss);
  try {
    for (const [name, node] of vectors) writeNode(model, plan, node, v.get(name) as Float32Array);
    writeNode(model, plan, shift, Float32Array.of(0));
    plan.run();
    return await readNodes(plan, products);
  } finally {
    plan.dispose();
  }
}

/**
 * Sharpness: the largest eigenvalue of the Hessian of the loss, λ₁, by power iteration on Hessian-vector products.
 *
 * The power iteration finds the eigenvalue of the largest magnitude; where that is negative, a second one on H − λI finds the largest.
 * **Shapes** x [rows, ...inputShape], labels [rows] or targets, 4096 rows at most. **Cost** about four passes of the batch a step.
 * **Shows** how steeply the loss bends along its steepest direction: plain gradient descent with a rate above 2 / λ₁ cannot settle. **Does not show** whether a network
 * generalises: scaling a ReLU layer up and the next one down changes λ₁ and no prediction.
 * Defaults: at most 100 steps, until λ changes by less than 1e-4 of itself.
 * **Source** Pearlmutter 1994; Cohen, Kaur, Li, Kolter, Talwalkar 2021, "Gradient descent on neural networks typically occurs at the edge of stability".
 *
 * @throws VitrineError `not-twice-differentiable` naming an operation of the model; as hessianVectorProduct; `aborted`
 */
export async function sharpness(model: Model, x: Examples, answers: ArrayLike<number>, options: SharpnessOptions = {}): Promise<Sharpness> {
  const method = 'sharpness';
  const { iterations = 100, tolerance = 1e-4, seed = 0, signal } = options;
  checkWhole(`${method}: iterations`, iterations, 1, 100_000);
  checkNumber(`${method}: tolerance`, tolerance, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const { plan, vectors, next, shift, quotient } = await hessianPlan(method, model, x, answers, options.loss);
  const { device } = model;
  const settle = async (by: number): Promise<{ value: number; steps: number; converged: boolean }> => {
    writeNode(model, plan, shift, Float32Array.of(by));
    let stream = streamOf(method);
    for (const node of vectors.values()) {
      stream += 1;
      writeNode(
        model,
        plan,
        node,
        Float32Array.from({ length: elements(node.shape) }, (_, i) => normal(seed, stream, 0, i)),
      );
    }
    let value = Number.NaN;
    for (let step = 1; step <= iterations; step++) {
      requireGoingOn(method, signal);
      model.requireAlive();
      device.submit('explain', method, (encoder) => {
        const pass = encoder.beginComputePass({ label: method });
        plan.encode(pass);
        pass.end();
      });
      const ranges = quotient.map((node) => {
        const { storage, byteOffset, bytes } = plan.tensor(node);
        return { buffer: storage, byteOffset, bytes };
      });
      const [above, below] = (await device.readRanges(method, ranges, 'explain')).map((bytes) => new Float32Array(bytes)[0] as number);
      const found = (above as number) / (below as number);
      // What the vector is now belongs to this quotient; only then does it move on.
      if (Math.abs(found - value) <= tolerance * Math.abs(found)) return { value: found, steps: step, converged: true };
      value = found;
      device.submit('explain', method, (encoder) => {
        for (const [name, node] of next) {
          const [source, target] = [plan.tensor(node), plan.tensor(vectors.get(name) as Node)];
          encoder.copyBufferToBuffer(source.buffer, source.byteOffset, target.buffer, target.byteOffset, target.bytes);
          device.count('explain', 'copyBuffer');
        }
      });
    }
    return { value, steps: iterations, converged: false };
  };
  try {
    let found = await settle(0);
    if (found.value < 0) {
      const lowest = found.value;
      const above = await settle(lowest);
      found = { value: above.value + lowest, steps: found.steps + above.steps, converged: found.converged && above.converged };
    }
    const eigenvector = await readNodes(plan, vectors);
    const length =
      Math.sqrt([...eigenvector.values()].reduce((total, part) => total + part.reduce((s, value) => s + value * value, 0), 0)) || 1;
    for (const part of eigenvector.values()) for (let i = 0; i < part.length; i++) part[i]! /= length;
    return { eigenvalue: found.value, eigenvector, iterations: found.steps, converged: found.converged };
  } finally {
    plan.dispose();
  }
}
