/**
 * differentiate: adds the backward pass to a graph as ordinary nodes.
 *
 * Reverse accumulation: adjoints flow from the output to the inputs in the reverse of the order in which nodes were made, each
 * operation's gradient rule turning the adjoint of its output into those of its inputs; where several arrive they are added.
 *
 * **Source** Linnainmaa 1970; Griewank, Walther 2008, "Evaluating Derivatives", ch. 3.
 */

import { internal, shapeMismatch, show, VitrineError } from './errors.ts';
import { ancestors, type Node, nodeLabel, substitution } from './graph.ts';
import type { GradientContext, InputGradients } from './operation.ts';
import { sameShape } from './operation.ts';
import { add } from './ops/arithmetic.ts';
import { onesLike } from './ops/fill.ts';

/**
 * Replaces the gradient of some nodes (guided backpropagation, LRP and DeepLIFT are rules). It returns the adjoints of the node's
 * inputs, or `undefined` to leave the operation's own rule in force. A rule sees operation *instances*, so a reused activation or a
 * first layer is no special case.
 */
export type Rule = (node: Node, dOutput: Node, context: GradientContext) => InputGradients | undefined;

export interface DifferentiateOptions {
  /** Adjoint of the output, in its shape; ones by default, which for a scalar is the plain gradient. */
  readonly seed?: Node;
  readonly rules?: readonly Rule[];
  /** For each input, the node of the same shape that the reference clone is fed (`context.reference`). */
  readonly references?: ReadonlyMap<Node, Node>;
}

/**
 * The gradient of Σ output ⊙ seed with respect to each of `wrt`, as nodes of the same graph.
 *
 * **Shapes** each gradient has the shape of its node; `undefined` where the output does not depend on it.
 *
 * @throws VitrineError `not-twice-differentiable` naming the operation that has no rule; `shape-mismatch` for a seed of another shape
 */
export function differentiate(output: Node, wrt: readonly Node[], options: DifferentiateOptions = {}): (Node | undefined)[] {
  const seed = options.seed ?? onesLike(output);
  if (!sameShape(seed.shape, output.shape)) {
    throw shapeMismatch(
      `differentiate: the seed is ${show(seed.shape)} but the output ${nodeLabel(output)} is ${show(output.shape)}.`,
      'give a seed in the shape of the output.',
      { seed: seed.shape, output: output.shape },
    );
  }
  const context: GradientContext = { reference: substitution(output.graph, options.references ?? new Map()) };
  const adjoints = reverseSweep(output, seed, wrt, { rules: options.rules ?? [], context, stop: new Set() });
  return wrt.map((node) => adjoints.get(node));
}

interface Sweep {
  readonly rules: readonly Rule[];
  readonly context: GradientContext;
  /** Nodes whose own inputs receive nothing: the inputs of a decomposition, which the outer sweep will reach. */
  readonly stop: ReadonlySet<Node>;
}

/** The adjoint of every node between `output` and `wrt`. */
function reverseSweep(output: Node, seed: Node, wrt: readonly Node[], sweep: Sweep): Map<Node, Node> {
  const order = ancestors([output]);
  const flows = dependents(order, wrt);
  const adjoints = new Map<Node, Node>([[output, seed]]);
  const accumulate = (node: Node, adjoint: Node): void => {
    if (!sameShape(node.shape, adjoint.shape)) {
      throw internal('differentiate.ts', `the gradient of ${nodeLabel(node)} is ${show(adjoint.shape)}, the node is ${show(node.shape)}`);
    }
    const before = adjoints.get(node);
    adjoints.set(node, before ? add(before, adjoint) : adjoint);
  };
  for (const node of order.reverse()) {
    const adjoint = adjoints.get(node);
    const { operation } = node;
    if (!adjoint || !operation || operation.constant || !flows.has(node) || sweep.stop.has(node)) continue;
    const inputs = node.inputs.filter((input) => flows.has(input));
    if (inputs.length === 0) continue;
    const replaced = firstRule(node, adjoint, sweep);
    if (!replaced && !operation.gradient && operation.decompose) {
      const inner = reverseSweep(operation.decompose(node), adjoint, inputs, { ...sweep, rules: [], stop: new Set(inputs) });
      for (const input of new Set(inputs)) {
        const gradient = inner.get(input);
        if (gradient) accumulate(input, gradient);
      }
      continue;
    }
    const gradients = replaced ?? operation.gradient?.(node, adjoint, sweep.context);
    if (!gradients) throw notTwiceDifferentiable(operation.name);
    node.inputs.forEach((input, i) => {
      const gradient = gradients[i];
      if (gradient && flows.has(input)) accumulate(input, gradient);
    });
  }
  return adjoints;
}

function firstRule(node: Node, adjoint: Node, sweep: Sweep): InputGradients | undefined {
  for (const rule of sweep.rules) {
    const gradients = rule(node, adjoint, sweep.context);
    if (gradients) return gradients;
  }
  return undefined;
}

function notTwiceDifferentiable(operation: string): VitrineError {
  return new VitrineError(
    'not-twice-differentiable',
    `${operation}: this operation has no gradient rule, so what was built from it cannot be differentiated again.`,
    'differentiate an expression without it, or use a central difference of the gradient.',
    { operation },
  );
}

/** The nodes among `nodes`, in the order in which they run, whose value depends on one of `on`; those are included. */
function dependents(nodes: readonly Node[], on: readonly Node[]): Set<Node> {
  const result = new Set<Node>(on);
  for (const node of nodes) {
    if (node.inputs.some((input) => result.has(input))) result.add(node);
  }
  return result;
}
