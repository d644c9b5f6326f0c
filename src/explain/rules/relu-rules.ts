/** Rules that replace the gradient of ReLU. Everything else keeps its own. */

import type { Node, Rule } from '../../engine/index.ts';
import { relu, reluBackward, reluOperation } from '../../engine/ops/relu.ts';

/** Guided backpropagation: what is passed on is positive, and only where ReLU let the signal through. dx = max(0, dy) where y > 0, else 0. */
export const guidedRule: Rule = (node: Node, dOutput: Node) =>
  node.operation === reluOperation ? [reluBackward(node, relu(dOutput))] : undefined;

/** Deconvolution: ReLU is applied to what comes back, whatever went forward. dx = max(0, dy). */
export const deconvnetRule: Rule = (node: Node, dOutput: Node) => (node.operation === reluOperation ? [relu(dOutput)] : undefined);
