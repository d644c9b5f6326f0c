/**
 * One training step with TensorFlow.js, by its core alone. Its layers package would write the same more briefly, and weigh half as much
 * again; what is compared is the lighter and faster of the two.
 */

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { CLASSES, labels, PIXELS, ROWS, x } from './batch.ts';

function glorot(inputs: number, outputs: number): tf.Variable<tf.Rank.R2> {
  const limit = Math.sqrt(6 / (inputs + outputs));
  return tf.variable(tf.randomUniform([inputs, outputs], -limit, limit));
}

/** Returns the loss. */
export async function firstStep(backend: string): Promise<number> {
  await tf.setBackend(backend);
  await tf.ready();
  const [w1, b1] = [glorot(PIXELS, 128), tf.variable(tf.zeros([128]))];
  const [w2, b2] = [glorot(128, CLASSES), tf.variable(tf.zeros([CLASSES]))];
  const input = tf.tensor2d(x, [ROWS, PIXELS]);
  const answers = tf.oneHot(tf.tensor1d(labels, 'int32'), CLASSES);
  const loss = tf.train.adam().minimize(() => {
    const hidden = tf.fused.matMul({ a: input, b: w1, bias: b1, activation: 'relu' }) as tf.Tensor2D;
    return tf.losses.softmaxCrossEntropy(answers, tf.fused.matMul({ a: hidden, b: w2, bias: b2 })) as tf.Scalar;
  }, true);
  return (await (loss as tf.Scalar).data())[0] as number;
}
