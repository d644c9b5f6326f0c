import { checkNumber, checkWhole, shapeMismatch } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import { checkAnswers, type Examples, type Forward, type Model } from '../../engine/model.ts';
import { affineOperation } from '../../engine/ops/affine.ts';
import { add, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { constant } from '../../engine/ops/fill.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { oneHot } from '../../engine/ops/one-hot.ts';
import { softmax } from '../../engine/ops/softmax.ts';
import { unsupportedModel } from '../attribution.ts';
import { overChunks } from '../model/chunks.ts';
import { modelAt } from '../model/model-at.ts';
import { inputsOf, requireClasses } from './network-outputs.ts';

export interface LabelledExamples {
  readonly x: Examples;
  /** [rows] class indices. */
  readonly labels: ArrayLike<number>;
}

/** The network at a step of its training, and the learning rate there. */
export interface TracInCheckpoint {
  readonly parameters: Float32Array;
  readonly learningRate: number;
}

export interface TracInOptions {
  /** View snapshots of training; by default the model as it is, with a learning rate of 1. */
  readonly checkpoints?: readonly TracInCheckpoint[];
  readonly signal?: AbortSignal;
}

export interface Influence {
  /** Index of the training example. */
  readonly example: number;
  readonly influence: number;
}

export interface TracIn {
  /** [explained, training] row-major: by about how much a step on the training example lowers the loss of the explained one. */
  readonly influence: Float32Array;
  /** The training examples that speak most for what is explained, the strongest first. */
  proponents(explained: number, count?: number): Influence[];
  /** Those that speak most against it. */
  opponents(explained: number, count?: number): Influence[];
}

/**
 * TracIn on the last layer: which training examples made this prediction, Σ_t η_t ∇ℓ(w_t, z)·∇ℓ(w_t, z′) over checkpoints, for the weight and bias of the
 * last dense layer under cross-entropy, where the product is [(p − y)·(p′ − y′)] · [h·h′ + 1].
 *
 * **Shapes** training x [n, ...inputShape], labels [n]; explained [m, ...inputShape], [m] → influence [m, n].
 * **Cost** a forward row an example and checkpoint, and two products of a row with m columns.
 * **Shows** training examples whose step on the last layer helped (proponents) or hurt (opponents) most. **Does not show** what they did to the layers before, nor
 * anything between checkpoints. Examples of large loss come first whatever is explained.
 * **Source** Pruthi, Liu, Kale, Sundararajan 2020, "Estimating training data influence by tracing gradient descent"; Captum's TracInCPFast.
 *
 * @throws VitrineError `unsupported-model` where the logits come from no dense layer; `shape-mismatch`, `label-out-of-range`, what the model's inputs can be wrong in,
 * `aborted`
 */
export async function tracIn(
  model: Model,
  training: LabelledExamples,
  explained: LabelledExamples,
  options: TracInOptions = {},
): Promise<TracIn> {
  const method = 'tracIn';
  const classes = requireClasses(method, model);
  const { checkpoints, signal } = options;
  const n = model.rowsOf(training.x);
  const m = model.rowsOf(explained.x);
  const labels = checkAnswers(model, 'crossEntropy', training.labels, [n]) as Uint32Array;
  const explainedLabels = checkAnswers(model, 'crossEntropy', explained.labels, [m]) as Uint32Array;
  const explainedValues = await inputsOf(model, explained.x);
  if (checkpoints?.length === 0) throw shapeMismatch(`${method}: there are no checkpoints.`, 'give at least one, or leave them out.');
  const influence = new Float32Array(m * n);
  for (const checkpoint of checkpoints ?? [undefined]) {
    const learningRate = checkpoint?.learningRate ?? 1;
    checkNumber(`${method}: learningRate`, learningRate, 0);
    const at = checkpoint ? await modelAt(model, checkpoint) : model;
    try {
      await overChunks(method, {
        models: [at],
        x: training.x,
        signal,
        perRow: { labels },
        shared: {
          x: { shape: [m, ...model.spec.inputShape], values: explainedValues },
          labels: { shape: [m], values: explainedLabels },
        },
        build: (scene) => {
          const [own] = scene.forwards;
          const trained = lastLayer(method, own as Forward, scene.perRow('labels'), classes);
          const other = lastLayer(method, scene.forwardOf(scene.shared('x')), scene.shared('labels'), classes);
          const errors = matmul(trained.error, other.error, { transposeB: true });
          const inputs = matmul(trained.input, other.input, { transposeB: true });
          return { each: { products: multiply(errors, add(inputs, constant(scene.graph, 1))) } };
        },
        onChunk: (values, first, count) => {
          const products = values.get('products') as Float32Array;
          for (let i = 0; i < count; i++) {
            for (let j = 0; j < m; j++) influence[j * n + first + i]! += learningRate * (products[i * m + j] as number);
          }
        },
      });
    } finally {
      if (at !== model) at.dispose();
    }
  }
  const ranked = (of: number, count: number, sign: 1 | -1): Influence[] => {
    checkWhole(`${method}: explained`, of, 0, m - 1);
    const row = influence.subarray(of * n, (of + 1) * n);
    const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => sign * ((row[b] as number) - (row[a] as number)) || a - b);
    return order.slice(0, count).map((example) => ({ example, influence: row[example] as number }));
  };
  return { influence, proponents: (of, count = 5) => ranked(of, count, 1), opponents: (of, count = 5) => ranked(of, count, -1) };
}

/** What goes into the last dense layer, [rows, width], and p − y, [rows, classes]. */
function lastLayer(method: string, { logits }: Forward, labels: Node, classes: number): { input: Node; error: Node } {
  if (logits.operation !== affineOperation || logits.inputs[0]?.shape.length !== 2) {
    throw unsupportedModel(
      method,
      'the logits do not come from a dense layer.',
      'end the model in dense(classes), with or without softmax().',
    );
  }
  return { input: logits.inputs[0], error: subtract(softmax(logits), oneHot(labels, classes)) };
}
