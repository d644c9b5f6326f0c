/** One training step with jax-js, all of it one `jit`. Nothing is used twice after it, so nothing is disposed of. */

import { type Device, defaultDevice, init, jit, nn, numpy as np, random, valueAndGrad } from '@jax-js/jax';
import { CLASSES, labels, PIXELS, ROWS, x } from './batch.ts';

function lossOf([w1, b1, w2, b2]: np.Array[], input: np.Array, answers: np.Array): np.Array {
  const hidden = nn.relu(np.matmul(input, w1 as np.Array).add(b1 as np.Array));
  const logits = np.matmul(hidden, w2 as np.Array).add(b2 as np.Array);
  return nn
    .logSoftmax(logits)
    .mul(answers)
    .sum()
    .mul(-1 / ROWS);
}

/** Adam's first step: both moments begin at zero, so m / (1 − β1) is the gradient and v / (1 − β2) its square. */
function step(parameters: np.Array[], input: np.Array, answers: np.Array): { loss: np.Array; next: np.Array[] } {
  const [loss, gradients] = valueAndGrad(lossOf)(
    parameters.map((each) => each.ref),
    input,
    answers,
  ) as unknown as [np.Array, np.Array[]];
  const next = gradients.map((gradient, i) => {
    const size = np.sqrt(np.square(gradient.ref)).add(1e-7);
    return (parameters[i] as np.Array).sub(gradient.div(size).mul(0.001));
  });
  return { loss, next };
}

/** Returns the loss. */
export async function firstStep(device: Device): Promise<number> {
  await init(device);
  defaultDevice(device);
  const glorot = (seed: number, inputs: number, outputs: number): np.Array => {
    const limit = Math.sqrt(6 / (inputs + outputs));
    return random.uniform(random.key(seed), [inputs, outputs], { minval: -limit, maxval: limit });
  };
  const parameters = [glorot(0, PIXELS, 128), np.zeros([128]), glorot(1, 128, CLASSES), np.zeros([CLASSES])];
  const answers = np.array(
    Float32Array.from({ length: ROWS * CLASSES }, (_, i) => (labels[Math.floor(i / CLASSES)] === i % CLASSES ? 1 : 0)),
  );
  const jitted = jit(step as never) as unknown as typeof step;
  const { loss, next } = jitted(parameters, np.array(x).reshape([ROWS, PIXELS]), answers.reshape([ROWS, CLASSES]));
  const [value] = await Promise.all([loss.data(), ...next.map((each) => each.data())]);
  return (value as Float32Array)[0] as number;
}
