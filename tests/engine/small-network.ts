/** The graph of a small network with its loss and gradients, for tests of what compile makes of one. */

import { differentiate } from '../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../src/engine/graph.ts';
import { elements } from '../../src/engine/operation.ts';
import { affine } from '../../src/engine/ops/affine.ts';
import { crossEntropy, hits } from '../../src/engine/ops/cross-entropy.ts';
import { meanOverRows } from '../../src/engine/ops/mean-over-rows.ts';
import { relu } from '../../src/engine/ops/relu.ts';
import type { Plan } from '../../src/engine/plan.ts';
import { normal } from '../../src/engine/random.ts';
import { makeState, STATE_WORDS } from '../../src/engine/training-state.ts';

export const ROWS = 6;
const CLASSES = 3;

export interface SmallNetwork {
  readonly graph: Graph;
  readonly x: Node;
  readonly state: Node;
  /** Before ReLU. */
  readonly product: Node;
  readonly hidden: Node;
  readonly logits: Node;
  readonly rowLoss: Node;
  readonly rowHit: Node;
  readonly loss: Node;
  /** Of both weights and biases, first layer first. */
  readonly gradients: readonly Node[];
  feed(plan: Plan): void;
}

export function smallNetwork(): SmallNetwork {
  const graph = new Graph();
  const state = graph.placeholder('state', [STATE_WORDS], 'uint32');
  const x = graph.placeholder('x', [ROWS, 5]);
  const parameters = [[5, 8], [8], [8, CLASSES], [CLASSES]].map((shape, i) => graph.placeholder(`parameter ${i}`, shape));
  const [w1, b1, w2, b2] = parameters as [Node, Node, Node, Node];
  const labels = graph.placeholder('labels', [ROWS], 'uint32');
  const product = affine(x, w1, b1);
  const hidden = relu(product);
  const logits = affine(hidden, w2, b2);
  const rowLoss = crossEntropy(logits, labels);
  const rowHit = hits(logits, labels);
  const loss = meanOverRows(rowLoss, state);
  const gradients = differentiate(loss, parameters) as Node[];
  const feed = (plan: Plan): void => {
    [x, ...parameters].forEach((node, stream) => {
      plan.tensor(node).write(Float32Array.from({ length: elements(node.shape) }, (_, i) => normal(5, stream, 0, i)));
    });
    plan.tensor(labels).write(Uint32Array.from({ length: ROWS }, (_, i) => i % CLASSES));
    plan.tensor(state).write(makeState({ rows: ROWS, batch: ROWS }));
  };
  return { graph, x, state, product, hidden, logits, rowLoss, rowHit, loss, gradients, feed };
}

/** The operations of each step. */
export const operationsOf = (plan: Plan): string[] => plan.steps.map(({ operations }) => operations.join(' + '));
