/**
 * DeepLIFT's rescale rule for `differentiate`, which is given the reference activations: what flows back are multipliers m with
 * Σ m_i (x_i − x′_i) = Δoutput, at every node.
 *
 *     linear                    its own gradient
 *     elementwise               Δy / Δx (ops/rescale.ts)
 *     maximum, max-pooling      Δy > 0 goes to the winner of x, Δy < 0 to that of x′; multiplier Δy / Δx there, in (0, 1]
 *     product of two            the gradient half-way, which is exact: ab − a′b′ = Δa (b + b′)/2 + Δb (a + a′)/2
 *     softmax, layer norm, …    the mean of its own gradient on the straight line from the reference, by 16 Gauss–Legendre points; for
 *                               one input that is the rescale rule, for several the Aumann–Shapley value of the operation
 *
 * A rule sees an operation *instance* and its twin in the reference pass, so an activation used twice, or two in a row, are no special case.
 *
 * **Source** Shrikumar, Greenside, Kundaje 2017, section 3.3; max-pooling as in SHAP's DeepExplainer; mean gradients: Sun, Sundararajan 2011,
 * "Axiomatic attribution for multilinear functions".
 */

import { ancestors, type Node } from '../../engine/graph.ts';
import type { Rule } from '../../engine/index.ts';
import type { Forward } from '../../engine/model.ts';
import type { GradientContext, InputGradients, Operation } from '../../engine/operation.ts';
import { affineOperation } from '../../engine/ops/affine.ts';
import {
  add,
  addOperation,
  divide,
  divideOperation,
  equal,
  greater,
  maximumOperation,
  minimum,
  minimumOperation,
  multiply,
  multiplyOperation,
  scale,
  subtract,
  subtractOperation,
} from '../../engine/ops/arithmetic.ts';
import { concatenateOperation } from '../../engine/ops/concatenate.ts';
import {
  absOperation,
  expOperation,
  logOperation,
  powerOperation,
  reciprocalOperation,
  sqrtOperation,
  squareOperation,
} from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { geluOperation } from '../../engine/ops/gelu.ts';
import { largestOperation } from '../../engine/ops/largest.ts';
import { matmulOperation } from '../../engine/ops/matmul.ts';
import { broadcastOperation, broadcastTo, meanOperation, repeatAlong, sum, sumOperation, sumTo } from '../../engine/ops/reduce.ts';
import { relu, reluOperation } from '../../engine/ops/relu.ts';
import { reshapeOperation } from '../../engine/ops/reshape.ts';
import { sigmoidOperation } from '../../engine/ops/sigmoid.ts';
import { padOperation, sliceOperation } from '../../engine/ops/slice.ts';
import { tanhOperation } from '../../engine/ops/tanh.ts';
import { transposeOperation } from '../../engine/ops/transpose.ts';
import { stabilisedQuotient } from '../ops/relevance.ts';
import { rescaleRelu, rescaleSmooth } from '../ops/rescale.ts';
import { quadrature } from '../quadrature.ts';

// biome-ignore lint/suspicious/noExplicitAny: operations differ in their attributes.
const setOf = (...operations: Operation<any>[]): ReadonlySet<Operation | undefined> => new Set(operations);

const LINEAR = setOf(
  affineOperation,
  addOperation,
  subtractOperation,
  sumOperation,
  meanOperation,
  broadcastOperation,
  reshapeOperation,
  transposeOperation,
  sliceOperation,
  padOperation,
  concatenateOperation,
);
/** Linear in each of two inputs. */
const BILINEAR = setOf(multiplyOperation, matmulOperation);
const SMOOTH = setOf(
  tanhOperation,
  sigmoidOperation,
  geluOperation,
  expOperation,
  logOperation,
  sqrtOperation,
  squareOperation,
  reciprocalOperation,
  powerOperation,
);
/** |Δx| up to which the derivative half-way serves: both it and Δy / Δx are then within 2e-5 of the truth. */
const NEAR = 1e-2;
/** Points on the line from the reference, for operations of several inputs. */
const LINE = quadrature('gaussLegendre', 16);
const MIDPOINT = { points: [0.5], weights: [1] };

export const rescaleRule: Rule = (node, dOutput, context) => {
  const { operation } = node;
  const varying = node.inputs.filter((input) => context.reference(input) !== input);
  if (LINEAR.has(operation)) return undefined;
  if (operation === reluOperation) {
    const [x] = node.inputs as [Node];
    return [rescaleRelu(x, context.reference(x), dOutput)];
  }
  if (SMOOTH.has(operation) || operation === absOperation)
    return elementwise(node, dOutput, context, operation === absOperation ? 0 : NEAR);
  if (operation === largestOperation) return [winnerAlongAxes(node, dOutput, context)];
  if (operation === maximumOperation || operation === minimumOperation) return winnerOfTwo(node, dOutput, context);
  if (BILINEAR.has(operation)) return varying.length < 2 ? undefined : alongLine(node, dOutput, context, MIDPOINT);
  if (operation === divideOperation && context.reference(node.inputs[1] as Node) === node.inputs[1]) return undefined;
  // The engine's own error names an operation that has no gradient.
  return operation?.gradient ? alongLine(node, dOutput, context, LINE) : undefined;
};

function elementwise(node: Node, dy: Node, context: GradientContext, threshold: number): InputGradients {
  const [x] = node.inputs as [Node];
  const reference = context.reference(x);
  const middle = node.graph.apply(node.operation as Operation, [scale(add(x, reference), 0.5)], node.attributes);
  const midpoint = node.operation?.gradient?.(middle, dy, context)[0];
  if (!midpoint) return [undefined];
  return [rescaleSmooth({ x, reference, y: node, yReference: context.reference(node), dy, midpoint }, threshold)];
}

/** The mean of an operation's gradient between the reference inputs and its own. */
function alongLine(
  node: Node,
  dy: Node,
  context: GradientContext,
  { points, weights }: { readonly points: readonly number[]; readonly weights: readonly number[] },
): InputGradients {
  const { operation, graph } = node;
  const totals: (Node | undefined)[] = node.inputs.map(() => undefined);
  points.forEach((position, k) => {
    const inputs = node.inputs.map((input) => {
      const reference = context.reference(input);
      return reference === input ? input : add(reference, scale(subtract(input, reference), position));
    });
    const gradients = operation?.gradient?.(graph.apply(operation, inputs, node.attributes), dy, context) ?? [];
    node.inputs.forEach((input, i) => {
      const gradient = gradients[i];
      if (!gradient || context.reference(input) === input) return;
      const part = scale(gradient, weights[k] as number);
      const total = totals[i];
      totals[i] = total ? add(total, part) : part;
    });
  });
  return totals;
}

/** c / Δ, and 0 where nothing changed: what is handed to an input that won is at most its own change. */
const perChange = (c: Node, change: Node): Node => stabilisedQuotient(c, change, constant(c.graph, 0, [1]));

function winnerAlongAxes(node: Node, dOutput: Node, context: GradientContext): Node {
  const [x] = node.inputs as [Node];
  const { axes } = node.attributes;
  const repeat = (of: Node): Node => repeatAlong(of, x.shape, axes);
  const shareOf = (input: Node, output: Node): Node => {
    const wins = equal(input, repeat(output));
    return divide(wins, sum(wins, axes, { keepDims: true }));
  };
  const [reference, yReference] = [context.reference(x), context.reference(node)];
  const change = subtract(node, yReference);
  const [up, down] = [relu(change), minimum(change, constant(change.graph, 0))];
  const given = add(multiply(shareOf(x, node), repeat(up)), multiply(shareOf(reference, yReference), repeat(down)));
  return multiply(perChange(given, subtract(x, reference)), repeat(dOutput));
}

function winnerOfTwo(node: Node, dOutput: Node, context: GradientContext): InputGradients {
  const isMaximum = node.operation === maximumOperation;
  const change = subtract(node, context.reference(node));
  const [up, down] = [relu(change), minimum(change, constant(change.graph, 0))];
  const one = constant(change.graph, 1);
  const secondWins = (a: Node, b: Node): Node => (isMaximum ? greater(b, a) : greater(a, b));
  const [a, b] = node.inputs as [Node, Node];
  const now = secondWins(a, b);
  const before = secondWins(context.reference(a), context.reference(b));
  // A maximum that rises was raised by its winner of now; a minimum by the one of before.
  const [raised, lowered] = isMaximum ? [now, before] : [before, now];
  return [a, b].map((input, i) => {
    const reference = context.reference(input);
    if (reference === input) return undefined;
    const share = (second: Node): Node => broadcastTo(i === 1 ? second : subtract(one, second), node.shape);
    const given = add(multiply(share(raised), up), multiply(share(lowered), down));
    const multiplier = perChange(given, broadcastTo(subtract(input, reference), node.shape));
    return sumTo(multiply(multiplier, dOutput), input.shape);
  });
}

/**
 * Why rescale multipliers would not be the exact integral of the gradient along the path, for a model; `undefined` where they are: every input
 * of the one layer of activations is then linear in the position on the path.
 */
export function whyNotExact({ x, logits }: Forward): string | undefined {
  const depth = new Map<Node, number>([[x, 0]]);
  for (const node of ancestors([logits])) {
    const varying = node.inputs.filter((input) => depth.has(input));
    if (varying.length === 0 || node === x) continue;
    const { operation } = node;
    const linear =
      LINEAR.has(operation) ||
      (varying.length === 1 && (BILINEAR.has(operation) || (operation === divideOperation && node.inputs[0] === varying[0])));
    const layers = Math.max(...varying.map((input) => depth.get(input) as number));
    if (linear) depth.set(node, layers);
    else if (SMOOTH.has(operation) || operation === reluOperation || operation === absOperation) {
      if (layers > 0) return 'the model has activations behind activations, so what goes into the second is not linear on the path';
      depth.set(node, 1);
    } else return `the model has ${operation?.name}, which is not a function of one element`;
  }
  return undefined;
}
