/**
 * Cross-entropy of the softmax of logits against labels, in nats: loss = log Σ exp(logits) − logits[label].
 *
 * **Shapes** logits [rows, classes], labels uint32 [rows] → loss [rows]. A label that names no class (≥ classes) is ignored: its loss
 * and its gradient are 0.
 * **Gradient** dlogits = (softmax(logits) − onehot(labels)) · dloss, by crossEntropyBackward; twice differentiable. None for labels.
 * **Error** 1e-5 relative to the largest loss: the logarithm is of a sum that is at least 1, and no probability is rounded to 0 first.
 * **Source** Bridle 1990; Milakov, Gimelshein 2018, "Online normalizer calculation for softmax", algorithm 3.
 */

import source from '../../shaders/cross-entropy.wgsl?raw';
import trainingSource from '../../shaders/cross-entropy-training.wgsl?raw';
import training from '../../shaders/training-state.wgsl?raw';
import { shapeMismatch, show } from '../errors.ts';
import { apply, type Node, requireType } from '../graph.ts';
import { type Kernel, kernel, linearWorkgroups } from '../kernel.ts';
import type { Call, KernelFamily, Operation, TensorType, Variant } from '../operation.ts';
import { callRows, requireShape } from '../rows.ts';
import { multiply, subtract } from './arithmetic.ts';
import { oneHot } from './one-hot.ts';
import { sum } from './reduce.ts';
import { reshape } from './reshape.ts';
import { softmax } from './softmax.ts';

const forward = kernel('cross-entropy', source, 'forward', ['logits', 'labels', 'loss']);
const backwardLogits = kernel('cross-entropy', source, 'backward_logits', ['logits', 'labels', 'd_loss', 'd_logits']);
const hitsKernel = kernel('cross-entropy', source, 'hits', ['logits', 'labels', 'hit']);

function requireLogits(operation: string, inputs: readonly TensorType[]): { rows: number; classes: number } {
  const [logits, labels] = inputs as [TensorType, TensorType];
  requireType(operation, logits, 'logits', 'float32');
  requireType(operation, labels, 'labels', 'uint32');
  const [rows, classes] = logits.shape;
  if (logits.shape.length !== 2 || rows === undefined || classes === undefined) {
    throw shapeMismatch(
      `${operation}: logits are ${show(logits.shape)}; they must be [rows, classes].`,
      'reshape the logits so that every prediction is a row.',
      { operation, input: 'logits', actual: logits.shape },
    );
  }
  requireShape(operation, labels, 'labels', [rows], 'one label for each row of the logits');
  return { rows, classes };
}

const perRow = (of: Kernel): Variant<object>[] => [
  {
    name: 'scalar',
    dispatch: (call) => {
      const { rows, columns } = callRows(call);
      return { kernel: of, parameters: { rows, classes: columns }, workgroups: linearWorkgroups(rows, 32) };
    },
  },
];

export const crossEntropyOperation: Operation<object> = {
  name: 'crossEntropy',
  infer: (inputs) => ({ shape: [requireLogits('crossEntropy', inputs).rows], dtype: 'float32' }),
  variants: perRow(forward),
  gradient: ({ inputs }, dLoss) => {
    const [logits, labels] = inputs as [Node, Node];
    return [crossEntropyBackward(logits, labels, dLoss), undefined];
  },
};

/** dlogits = (softmax(logits) − onehot(labels)) · dloss, from logits [rows, classes], labels uint32 [rows] and dloss [rows]. */
export const crossEntropyBackwardOperation: Operation<object> = {
  name: 'crossEntropyBackward',
  infer: (inputs) => {
    const { rows, classes } = requireLogits('crossEntropyBackward', inputs);
    requireType('crossEntropyBackward', inputs[2] as TensorType, 'dLoss', 'float32');
    requireShape('crossEntropyBackward', inputs[2] as TensorType, 'dLoss', [rows], 'one for each row of the logits');
    return { shape: [rows, classes], dtype: 'float32' };
  },
  variants: perRow(backwardLogits),
  decompose: ({ inputs }) => {
    const [logits, labels, dLoss] = inputs as [Node, Node, Node];
    const [rows, classes] = logits.shape as [number, number];
    const wanted = oneHot(labels, classes);
    // 1, or 0 where the label names no class.
    const weight = sum(wanted, [1], { keepDims: true });
    return multiply(subtract(multiply(softmax(logits), weight), wanted), reshape(dLoss, [rows, 1]));
  },
};

/** 1 where the argmax of the logits [rows, classes] is the label uint32 [rows], else 0; of equal logits the first counts. */
export const hitsOperation: Operation<object> = {
  name: 'hits',
  infer: (inputs) => ({ shape: [requireLogits('hits', inputs).rows], dtype: 'float32' }),
  variants: perRow(hitsKernel),
  constant: true,
};

/** Cross-entropy of each row in nats: log Σ exp(logits) − logits[label]. @throws VitrineError `shape-mismatch`, `dtype-mismatch` */
export const crossEntropy = (logits: Node, labels: Node): Node => apply(crossEntropyOperation, [logits, labels], {});

/** The gradient of cross-entropy with respect to its logits: (softmax(logits) − onehot(labels)) · dloss. */
export const crossEntropyBackward = (logits: Node, labels: Node, dLoss: Node): Node =>
  apply(crossEntropyBackwardOperation, [logits, labels, dLoss], {});

/** 1 where the largest logit is the label's, else 0; ties go to the lowest class; no gradient. */
export const hits = (logits: Node, labels: Node): Node => apply(hitsOperation, [logits, labels], {});

const trainingBindings = ['logits', 'labels', 'state', 'loss', 'hit', 'd_logits'];

/** Classes that one invocation holds in registers: the four vectors of the shader. */
const MOST_HELD = 16;

function trainingVariant(name: string, entry: string, mostClasses: number): Variant<object> {
  const of = kernel('cross-entropy-training', `${training}\n${trainingSource}`, entry, trainingBindings);
  return {
    name,
    supports: (call) => callRows(call).columns <= mostClasses,
    dispatch: (call) => {
      const { rows, columns } = callRows(call);
      return { kernel: of, constants: { classes: columns }, parameters: { rows }, workgroups: linearWorkgroups(rows, 32) };
    },
  };
}

/**
 * What a training step makes of its logits, in one dispatch: crossEntropy, hits, and the gradient of meanOverRows(crossEntropy).
 *
 * **Shapes** inputs logits [rows, classes], labels uint32 [rows], state uint32 [32]; outputs loss [rows], hit [rows], dlogits [rows,
 * classes]. From row state.rows on, all outputs are 0.
 */
export const crossEntropyTrainingKernels: KernelFamily<object> = {
  name: 'crossEntropyTraining',
  variants: [trainingVariant('held', 'train_held', MOST_HELD), trainingVariant('general', 'train', Number.POSITIVE_INFINITY)],
  shapeClass: (call: Call) => `classes ${callRows(call).columns}`,
};
