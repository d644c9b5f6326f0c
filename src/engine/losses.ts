/** Losses as nodes: one value a row of the batch, whose mean over the valid rows is the loss. */

import { shapeMismatch, show, VitrineError } from './errors.ts';
import type { Node } from './graph.ts';
import type { Forward } from './model.ts';
import { elements } from './operation.ts';
import { crossEntropy, hits } from './ops/cross-entropy.ts';
import { constant } from './ops/fill.ts';
import { reshape } from './ops/reshape.ts';
import { squaredError } from './ops/squared-error.ts';

/** 'crossEntropy' of the softmax of the logits, in nats, against class indices; 'meanSquaredError' of the output against targets. */
export type Loss = 'crossEntropy' | 'meanSquaredError';

export interface LossNodes {
  /** What the model is to answer: class indices [batch], or targets in the shape of the output. */
  readonly answer: Node;
  readonly rowLoss: Node;
  /** 1 where the prediction is right; 0 throughout for a regression. */
  readonly rowHit: Node;
}

/** Adds the loss of a model's forward pass to its graph, with a placeholder for the answers. @throws VitrineError `shape-mismatch`, `invalid-option` */
export function buildLoss(loss: Loss, forward: Forward): LossNodes {
  const { logits, output } = forward;
  const { graph } = logits;
  const rows = logits.shape[0] as number;
  if (loss === 'crossEntropy') {
    if (logits.shape.length !== 2) {
      throw shapeMismatch(
        `crossEntropy: the model's output is ${show(output.shape.slice(1))} an example; it must be one axis, the classes.`,
        'end the model in dense(classes), or put flatten() before it.',
        { output: output.shape },
      );
    }
    const answer = graph.placeholder('labels', [rows], 'uint32');
    return { answer, rowLoss: crossEntropy(logits, answer), rowHit: hits(logits, answer) };
  }
  if (loss === 'meanSquaredError') {
    const answer = graph.placeholder('targets', output.shape);
    const flat = [rows, elements(output.shape.slice(1))];
    return { answer, rowLoss: squaredError(reshape(output, flat), reshape(answer, flat)), rowHit: constant(graph, 0, [rows]) };
  }
  throw new VitrineError('invalid-option', `There is no loss called '${String(loss)}'.`, "use 'crossEntropy' or 'meanSquaredError'.", {
    loss,
  });
}
