/**
 * Layer-wise relevance propagation as a rule for `differentiate`: what flows back is relevance, and what arrives at a node from several sides
 * is added, as gradients are.
 *
 *     affine map            by the layer's own rule (lrp-rules.ts)
 *     activation            passed on as it is
 *     sum, mean, addition   in proportion to the terms, z + ε sgn z below; what is constant in x absorbs its share, as a bias does
 *     product by a constant passed on; of two things that both depend on x, half each way (Achtibat et al. 2024)
 *     matrix product        as an affine map by ε, where one side is constant or attention weights; else half each way
 *     attention weights     held constant, and every softmax with them (Ali et al. 2022)
 *     layer normalisation   its scale 1 / √(variance + ε) held constant; it is then linear (Ali et al. 2022)
 *     maximum               all to the winner
 *     reshape, slice, …     as the elements move
 *
 * **Source** Bach et al. 2015; Ali et al. 2022, "XAI for transformers: better explanations through conservative propagation"; Achtibat et al. 2024,
 * "AttnLRP".
 */

import { ancestors, type Node, nodeLabel } from '../../engine/graph.ts';
import type { Rule } from '../../engine/index.ts';
import type { Forward } from '../../engine/model.ts';
import { elements, type GradientContext, type InputGradients, type Operation } from '../../engine/operation.ts';
import { affine, affineOperation } from '../../engine/ops/affine.ts';
import {
  add,
  addOperation,
  divideOperation,
  maximumOperation,
  minimum,
  minimumOperation,
  multiply,
  multiplyOperation,
  scale,
  subtract,
  subtractOperation,
} from '../../engine/ops/arithmetic.ts';
import { attentionSoftmaxOperation } from '../../engine/ops/attention-softmax.ts';
import { concatenateOperation } from '../../engine/ops/concatenate.ts';
import { absOperation, reciprocal, sqrt, square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { geluOperation } from '../../engine/ops/gelu.ts';
import { largestOperation } from '../../engine/ops/largest.ts';
import { layerNormOperation } from '../../engine/ops/layer-norm.ts';
import { logSoftmaxOperation } from '../../engine/ops/log-softmax.ts';
import { matmul, matmulOperation } from '../../engine/ops/matmul.ts';
import { broadcastOperation, broadcastTo, mean, meanOperation, sum, sumOperation } from '../../engine/ops/reduce.ts';
import { relu, reluOperation } from '../../engine/ops/relu.ts';
import { reshape, reshapeOperation } from '../../engine/ops/reshape.ts';
import { sigmoidOperation } from '../../engine/ops/sigmoid.ts';
import { padOperation, sliceOperation } from '../../engine/ops/slice.ts';
import { softmaxOperation } from '../../engine/ops/softmax.ts';
import { tanhOperation } from '../../engine/ops/tanh.ts';
import { transposeOperation } from '../../engine/ops/transpose.ts';
import { unsupportedModel } from '../attribution.ts';
import { alphaBetaShare, stabilisedQuotient } from '../ops/relevance.ts';
import type { LrpLayer, LrpRule } from './lrp-rules.ts';

// biome-ignore lint/suspicious/noExplicitAny: operations differ in their attributes.
const setOf = (...operations: Operation<any>[]): ReadonlySet<Operation | undefined> => new Set(operations);

const HELD = setOf(softmaxOperation, attentionSoftmaxOperation, logSoftmaxOperation);
const PASSED_ON = setOf(reluOperation, geluOperation, tanhOperation, sigmoidOperation, absOperation);
/** What moves elements, or lets one of several through: their own gradient does the same to relevance. */
const OWN = setOf(
  reshapeOperation,
  transposeOperation,
  sliceOperation,
  padOperation,
  concatenateOperation,
  maximumOperation,
  minimumOperation,
  largestOperation,
);
const SUMS = setOf(addOperation, subtractOperation, sumOperation, meanOperation, matmulOperation);
const PRODUCTS = setOf(multiplyOperation, broadcastOperation);
const MOVED = setOf(reshapeOperation, transposeOperation, sliceOperation);

/** Nodes between the input and the logits that relevance reaches: not what goes only into a softmax. */
export function relevantNodes({ x, logits }: Forward): ReadonlySet<Node> {
  const order = ancestors([logits]);
  const flowing = new Set<Node>([x]);
  for (const node of order) {
    if (!HELD.has(node.operation) && node.inputs.some((input) => flowing.has(input))) flowing.add(node);
  }
  const reached = new Set<Node>(flowing.has(logits) ? [logits] : []);
  for (const node of order.reverse()) {
    if (!reached.has(node)) continue;
    for (const input of node.inputs) if (flowing.has(input)) reached.add(input);
  }
  return reached;
}

/** What a node is before it was moved or reshaped. */
function unmoved(node: Node): Node {
  let at = node;
  while (MOVED.has(at.operation)) at = at.inputs[0] as Node;
  return at;
}

/** The linear maps with weights that relevance reaches, in the order in which they are computed. */
export function lrpLayers(forward: Forward, relevant: ReadonlySet<Node> = relevantNodes(forward)): LrpLayer[] {
  const nodes = [...relevant].filter(({ operation }) => operation === affineOperation).sort((a, b) => a.id - b.id);
  return nodes.map((node, index) => ({
    name: (node.name ?? nodeLabel(node)).replace(/^(pre)?activation\//, ''),
    node,
    operation: 'affine',
    index,
    count: nodes.length,
    first: unmoved(node.inputs[0] as Node) === forward.x,
    last: index === nodes.length - 1,
  }));
}

export interface LrpContext {
  readonly relevant: ReadonlySet<Node>;
  /** The rule of each affine map. */
  readonly rules: ReadonlyMap<Node, LrpRule>;
  /** A number of a layer's rule as data, [1]. */
  number(node: Node, name: string): Node;
  /** ε of every other sum, [1]. */
  epsilon(): Node;
  /** Name of the method, for errors. */
  readonly method: string;
}

/** The rule that propagates relevance. @throws VitrineError `unsupported-model` while differentiating, naming the operation */
export function lrpRule(context: LrpContext): Rule {
  const zero = (node: Node): Node => constant(node.graph, 0, [1]);
  return (node, relevance, gradients) => {
    const { operation } = node;
    if (OWN.has(operation)) return undefined;
    if (PASSED_ON.has(operation)) return [relevance];
    if (HELD.has(operation)) return node.inputs.map(() => undefined);
    if (operation === affineOperation) return [affineRelevance(node, relevance, context)];
    if (operation === layerNormOperation) return [layerNormRelevance(node, relevance, context.epsilon())];
    if (SUMS.has(operation)) return inProportion(node, relevance, context, context.epsilon(), gradients);
    if (PRODUCTS.has(operation)) return inProportion(node, relevance, context, zero(node), gradients);
    if (operation === divideOperation && !context.relevant.has(node.inputs[1] as Node)) return [relevance, undefined];
    throw unsupportedModel(
      context.method,
      `the model has the operation ${operation?.name}, for which there is no rule of relevance.`,
      'use integratedGradients, which needs no rules.',
    );
  };
}

/** x_i ⊙ ∂(y · s) / ∂x_i with s = R / (y + ε sgn y), for what is linear in each of its inputs; half each where two of them carry relevance. */
function inProportion(node: Node, relevance: Node, { relevant }: LrpContext, epsilon: Node, context: GradientContext): InputGradients {
  const carrying = new Set(node.inputs.filter((input) => relevant.has(input)));
  const bilinear =
    (node.operation === matmulOperation || node.operation === multiplyOperation) && node.inputs.every((input) => carrying.has(input));
  const slopes = node.operation?.gradient?.(node, stabilisedQuotient(relevance, node, epsilon), context) ?? [];
  return node.inputs.map((input, i) => {
    const slope = slopes[i];
    if (!slope || !carrying.has(input)) return undefined;
    const share = multiply(input, slope);
    return bilinear ? scale(share, 0.5) : share;
  });
}

/** Layer normalisation with its scale 1 / √(variance + ε) held constant: y = (x − mean x) · inverse ⊙ scale + bias. */
function layerNormRelevance(node: Node, relevance: Node, epsilon: Node): Node {
  const [x, weight] = node.inputs as [Node, Node];
  const rowMean = (of: Node): Node => mean(of, [x.shape.length - 1], { keepDims: true });
  const variance = rowMean(square(subtract(x, rowMean(x))));
  const inverse = reciprocal(sqrt(add(variance, constant(x.graph, node.attributes.epsilon))));
  const slope = multiply(stabilisedQuotient(relevance, node, epsilon), weight);
  return multiply(x, multiply(subtract(slope, rowMean(slope)), inverse));
}

const positive = relu;
const negative = (x: Node): Node => minimum(x, constant(x.graph, 0));

/** Whether no element of a node can be below 0. */
function isNonNegative(node: Node): boolean {
  const at = unmoved(node);
  return at.operation === reluOperation || at.operation === sigmoidOperation || HELD.has(at.operation);
}

/** The relevance of an affine map's input. */
function affineRelevance(node: Node, relevance: Node, context: LrpContext): Node {
  const [input, weight, bias] = node.inputs as [Node, Node, Node];
  const [inputs, units] = weight.shape as [number, number];
  const rows = elements(node.shape) / units;
  const x = reshape(input, [rows, inputs]);
  const z = reshape(node, [rows, units]);
  const r = reshape(relevance, [rows, units]);
  const rule = context.rules.get(node) as LrpRule;
  const number = (name: string): Node => context.number(node, name);
  const exactly = constant(node.graph, 0, [1]);
  const back = (s: Node, by: Node): Node => matmul(s, by, { transposeB: true });
  /** What the positive and negative parts of an input and a weight give together: (a w)⁺, or with the weight's parts exchanged (a w)⁻. */
  const signed = !isNonNegative(input);
  const sumOf = (forPositive: Node, forNegative: Node, b: Node): Node => {
    const direct = affine(signed ? positive(x) : x, forPositive, b);
    return signed ? add(direct, matmul(negative(x), forNegative)) : direct;
  };
  const shareOf = (s: Node, forPositive: Node, forNegative: Node): Node => {
    const direct = multiply(signed ? positive(x) : x, back(s, forPositive));
    return signed ? add(direct, multiply(negative(x), back(s, forNegative))) : direct;
  };
  const result = (): Node => {
    switch (rule.rule) {
      case 'epsilon':
        return multiply(x, back(stabilisedQuotient(r, z, number('epsilon')), weight));
      case 'gamma': {
        const gamma = number('gamma');
        const favoured = add(weight, multiply(positive(weight), gamma));
        const total = affine(x, favoured, add(bias, multiply(positive(bias), gamma)));
        return multiply(x, back(stabilisedQuotient(r, total, exactly), favoured));
      }
      case 'zPlus': {
        const [up, down] = [positive(weight), negative(weight)];
        return shareOf(stabilisedQuotient(r, sumOf(up, down, positive(bias)), exactly), up, down);
      }
      case 'alphaBeta': {
        const [up, down] = [positive(weight), negative(weight)];
        const [speaksFor, speaksAgainst] = [sumOf(up, down, positive(bias)), sumOf(down, up, negative(bias))];
        const share = (part: 'positive' | 'negative'): Node => alphaBetaShare(r, speaksFor, speaksAgainst, number('alpha'), part);
        return add(shareOf(share('positive'), up, down), shareOf(share('negative'), down, up));
      }
      case 'wSquared': {
        const squares = square(weight);
        return back(stabilisedQuotient(r, sum(squares, [0]), exactly), squares);
      }
      case 'flat':
        return broadcastTo(scale(sum(r, [1], { keepDims: true }), 1 / inputs), x.shape);
      case 'zBox': {
        const [up, down] = [positive(weight), negative(weight)];
        const [low, high] = [number('low'), number('high')];
        const bound = add(multiply(sum(up, [0]), low), multiply(sum(down, [0]), high));
        const s = stabilisedQuotient(r, subtract(subtract(z, bias), bound), exactly);
        const least = add(multiply(back(s, up), low), multiply(back(s, down), high));
        return subtract(multiply(x, back(s, weight)), least);
      }
    }
  };
  return reshape(result(), input.shape);
}
