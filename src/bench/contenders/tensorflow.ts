/**
 * TensorFlow.js on any of its backends. A training step is `optimizer.minimize` over fused products, the fastest of the idiomatic ways
 * (`model.trainOnBatch` of its layers package awaits a read-back every step). The batches lie cut on the device as tensors, so that it pays
 * nothing for fetching them.
 */

import * as tf from '@tensorflow/tfjs-core';
// Gradients are registered one by one where the layers package is not used.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { brief, productInBrief } from '../agreement.ts';
import type { Contender, Results, Session } from '../contender.ts';
import {
  ADAM,
  ATTENTION,
  batchOf,
  CHECKED_STEPS,
  CLASSES,
  EXAMPLES,
  initialParameters,
  makeDigits,
  matrix,
  type NetworkName,
  networks,
  oneHot,
  PIXELS,
  pathOf,
} from '../problem.ts';
import type { TimedWorkload } from '../workloads.ts';

const floats = async (tensor: tf.Tensor): Promise<Float32Array<ArrayBuffer>> => Float32Array.from(await tensor.data());

/** The forward pass of a network over variables of its own. */
function makeNetwork(network: NetworkName): { variables: tf.Variable[]; logits(x: tf.Tensor2D): tf.Tensor2D } {
  const variables = initialParameters(network).map(({ name, shape, values }) => tf.variable(tf.tensor(values, [...shape]), true, name));
  if (network === 'attention') return { variables, logits: (x) => attentionLogits(variables, x) };
  const layers = networks[network].length - 1;
  return {
    variables,
    logits: (x) => {
      let y = x;
      for (let layer = 0; layer < layers; layer++) {
        const [weight, bias] = [variables[2 * layer], variables[2 * layer + 1]] as [tf.Variable, tf.Variable];
        y = tf.fused.matMul({ a: y, b: weight as tf.Tensor2D, bias, activation: layer < layers - 1 ? 'relu' : 'linear' }) as tf.Tensor2D;
      }
      return y;
    },
  };
}

/** Patches, a dense layer, self-attention with a residual around it, the mean over tokens, a dense layer. */
function attentionLogits(variables: readonly tf.Variable[], x: tf.Tensor2D): tf.Tensor2D {
  const { patch, tokens, width, heads } = ATTENTION;
  const rows = x.shape[0];
  const across = Math.sqrt(tokens);
  const dense = (layer: number, y: tf.Tensor2D): tf.Tensor2D =>
    tf.fused.matMul({
      a: y,
      b: variables[2 * layer] as tf.Variable as tf.Tensor2D,
      bias: variables[2 * layer + 1] as tf.Variable,
      activation: 'linear',
    }) as tf.Tensor2D;
  const cut = tf.transpose(tf.reshape(x, [rows, across, patch, across, patch]), [0, 1, 3, 2, 4]);
  const embedded = dense(0, tf.reshape(cut, [rows * tokens, patch ** 2]));
  const [query, key, value] = [1, 2, 3].map((layer) =>
    tf.transpose(tf.reshape(dense(layer, embedded), [rows, tokens, heads, width / heads]), [0, 2, 1, 3]),
  ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
  const weights = tf.softmax(tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(width / heads)));
  const joined = tf.reshape(tf.transpose(tf.matMul(weights, value), [0, 2, 1, 3]), [rows * tokens, width]) as tf.Tensor2D;
  const after = tf.add(embedded, dense(4, joined));
  return dense(5, tf.mean(tf.reshape(after, [rows, tokens, width]), 1) as tf.Tensor2D);
}

function openTraining(workload: TimedWorkload & { kind: 'train' }): Session {
  const { batch: rows } = workload;
  const digits = makeDigits();
  const batches = Array.from({ length: EXAMPLES / rows }, (_, index) => {
    const { x, labels } = batchOf(digits, rows, index);
    return { x: tf.tensor2d(x, [rows, PIXELS]), answers: tf.tensor2d(oneHot(labels), [rows, CLASSES]) };
  });
  const { variables, logits } = makeNetwork(workload.network);
  const optimizer = tf.train.adam(ADAM.learningRate, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  let step = 0;
  const next = (): { x: tf.Tensor2D; answers: tf.Tensor2D } => batches[step++ % batches.length] as (typeof batches)[number];
  const lossOf = ({ x, answers }: { x: tf.Tensor2D; answers: tf.Tensor2D }): tf.Scalar =>
    tf.losses.softmaxCrossEntropy(answers, logits(x)) as tf.Scalar;
  const train = (): void => {
    const batch = next();
    optimizer.minimize(() => lossOf(batch), false, variables);
  };
  return {
    async results() {
      const first = batches[0] as (typeof batches)[number];
      const results: Record<string, Float32Array<ArrayBuffer>> = { logits: await floats(tf.tidy(() => logits(first.x))) };
      const { value, grads } = tf.variableGrads(() => lossOf(first), variables);
      for (const [name, gradient] of Object.entries(grads)) {
        results[`gradient/${name}`] = brief(await gradient.data());
        gradient.dispose();
      }
      value.dispose();
      const losses: number[] = [];
      for (let i = 0; i < CHECKED_STEPS; i++) {
        const batch = next();
        const loss = optimizer.minimize(() => lossOf(batch), true, variables) as tf.Scalar;
        losses.push(...(await loss.data()));
        loss.dispose();
      }
      return { ...results, losses: Float32Array.from(losses) };
    },
    async run(times) {
      for (let i = 0; i < times; i++) train();
      // The last bias depends on every step.
      return (await (variables.at(-1) as tf.Variable).data())[0] as number;
    },
    encode(times) {
      for (let i = 0; i < times; i++) train();
    },
  };
}

/** Repeats something that gives a tensor; only the last is read. */
function repeated(work: () => tf.Tensor, results: (values: Float32Array<ArrayBuffer>) => Results): Session {
  const repeat = (times: number): tf.Tensor => {
    for (let i = 1; i < times; i++) work().dispose();
    return work();
  };
  const read = async (times: number): Promise<Float32Array<ArrayBuffer>> => {
    const last = repeat(times);
    const values = await floats(last);
    last.dispose();
    return values;
  };
  return {
    results: async () => results(await read(1)),
    run: async (times) => (await read(times)).at(-1) as number,
    encode: (times) => repeat(times).dispose(),
  };
}

function openInference(workload: TimedWorkload & { kind: 'infer' }): Session {
  const { logits } = makeNetwork(workload.network);
  const x = tf.tensor2d(batchOf(makeDigits(), workload.batch, 0).x, [workload.batch, PIXELS]);
  return repeated(
    () => tf.tidy(() => tf.softmax(logits(x))),
    (probabilities) => ({ probabilities }),
  );
}

/** Every point of every path is a row of one batch, which is its fastest way. */
function openExplanation(workload: TimedWorkload & { kind: 'saliency' | 'integrated-gradients' }): Session {
  const { logits } = makeNetwork(workload.network);
  const { x, labels } = batchOf(makeDigits(), workload.batch, 0);
  const images = tf.tensor2d(x, [workload.batch, PIXELS]);
  const answers = tf.tensor2d(oneHot(labels), [workload.batch, CLASSES]);
  if (workload.kind === 'saliency') {
    const gradient = tf.grad((rows) => tf.sum(tf.mul(logits(rows as tf.Tensor2D), answers)));
    return repeated(
      () => tf.tidy(() => tf.abs(gradient(images))),
      (values) => ({ maps: brief(values) }),
    );
  }
  const { steps, batch } = workload;
  const { points, weights } = pathOf(steps);
  const [at, weight] = [points, weights].map((values) => tf.tensor3d([...values], [steps, 1, 1])) as [tf.Tensor3D, tf.Tensor3D];
  const everyAnswer = tf.tile(answers, [steps, 1]);
  const gradient = tf.grad((rows) => tf.sum(tf.mul(logits(rows as tf.Tensor2D), everyAnswer)));
  return repeated(
    () =>
      tf.tidy(() => {
        const path = tf.reshape(tf.mul(at, tf.expandDims(images, 0)), [steps * batch, PIXELS]);
        const slopes = tf.reshape(gradient(path), [steps, batch, PIXELS]);
        return tf.mul(images, tf.sum(tf.mul(slopes, weight), 0));
      }),
    (values) => ({ maps: brief(values) }),
  );
}

function openProduct(size: number): Session {
  const [a, b] = (['a', 'b'] as const).map((name) => tf.tensor2d(matrix(name, size), [size, size])) as [tf.Tensor2D, tf.Tensor2D];
  return repeated(
    () => tf.matMul(a, b),
    (values) => productInBrief(values, size),
  );
}

/** The contender on one backend; `prepare` registers it. */
export function tensorflow(backend: string, description: string, prepare: () => Promise<void> = async () => {}): Contender {
  return {
    description: `tfjs-core ${tf.version_core}; ${description}`,
    async open(workload) {
      await prepare();
      if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js could not use its ${backend} backend here.`);
      await tf.ready();
      if (workload.kind === 'train') return openTraining(workload);
      if (workload.kind === 'infer') return openInference(workload);
      if (workload.kind === 'saliency' || workload.kind === 'integrated-gradients') return openExplanation(workload);
      return openProduct(workload.size);
    },
  };
}
