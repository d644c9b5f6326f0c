/** A loss over a fixed batch, as nodes: what the loss landscape and the Hessian look at. */

import { shapeMismatch, VitrineError } from '../../engine/errors.ts';
import type { Graph, Node } from '../../engine/graph.ts';
import type { Loss } from '../../engine/losses.ts';
import { checkAnswers, type Examples, type Forward, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { crossEntropy } from '../../engine/ops/cross-entropy.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { squaredError } from '../../engine/ops/squared-error.ts';

/** Rows of a batch that one plan takes whole. */
const MOST_ROWS = 4096;

/** Examples and what they should come to, found fit. */
export interface Batch {
  readonly rows: number;
  readonly loss: Loss;
  readonly answers: Float32Array | Uint32Array;
}

/** @throws VitrineError `shape-mismatch`, `label-out-of-range`, `invalid-option`, what the model's inputs can be wrong in */
export function checkBatch(
  method: string,
  model: Model,
  x: Examples,
  answers: ArrayLike<number>,
  loss: Loss = 'crossEntropy',
  most: number = MOST_ROWS,
): Batch {
  const rows = model.rowsOf(x);
  if (rows > most) {
    throw new VitrineError(
      'invalid-option',
      `${method}: the batch has ${rows} examples; ${most} is the most.`,
      'pass fewer: a fixed sample will do.',
      {
        rows,
        most,
      },
    );
  }
  const output = model.layers.at(-1)?.outputShape ?? [];
  if (loss === 'crossEntropy' && output.length !== 1) {
    throw shapeMismatch(
      `${method}: cross-entropy needs one axis of classes.`,
      "end the model in dense(classes), or use 'meanSquaredError'.",
      { output },
    );
  }
  if (loss !== 'crossEntropy' && loss !== 'meanSquaredError') {
    throw new VitrineError(
      'invalid-option',
      `${method}: there is no loss '${String(loss)}'.`,
      "use 'crossEntropy' or 'meanSquaredError'.",
      { loss },
    );
  }
  return { rows, loss, answers: checkAnswers(model, loss, answers, loss === 'crossEntropy' ? [rows] : [rows, ...output]) };
}

/** The placeholder of the answers of `rows` examples. */
export const answersNode = (graph: Graph, { loss, answers, rows: all }: Batch, rows: number): Node =>
  loss === 'crossEntropy' ? graph.placeholder('labels', [rows], 'uint32') : graph.placeholder('targets', [rows, answers.length / all]);

/** The loss of each row, [rows]. */
export function rowLossOf(loss: Loss, { logits, output }: Pick<Forward, 'logits' | 'output'>, answers: Node): Node {
  if (loss === 'crossEntropy') return crossEntropy(logits, answers);
  const flat = [output.shape[0] as number, elements(output.shape.slice(1))];
  return squaredError(reshape(output, flat), reshape(answers, flat));
}
