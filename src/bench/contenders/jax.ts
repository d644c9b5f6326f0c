/**
 * jax-js on WebGPU or WebAssembly. A whole step (forward, backward, Adam) is one `jit`, which is its fastest way; the batches lie cut on
 * the device. Its arrays are counted by hand: a function consumes its arguments, and `.ref` keeps one for another use.
 */

import { blockUntilReady, type Device, defaultDevice, devicePut, grad, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
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
  oneHot,
  PIXELS,
  pathOf,
} from '../problem.ts';
import type { TimedWorkload } from '../workloads.ts';

const floats = async (array: np.Array): Promise<Float32Array<ArrayBuffer>> => Float32Array.from((await array.data()) as Float32Array);
const make = (values: Float32Array<ArrayBuffer>, shape: readonly number[]): np.Array => np.array(values).reshape([...shape]);

/** Consumes both. */
function logitsOf(parameters: np.Array[], x: np.Array): np.Array {
  const layers = parameters.length / 2;
  let y = x;
  for (let layer = 0; layer < layers; layer++) {
    y = np.matmul(y, parameters[2 * layer] as np.Array).add(parameters[2 * layer + 1] as np.Array);
    if (layer < layers - 1) y = nn.relu(y);
  }
  return y;
}

/** The same of self-attention over patches; consumes both. */
function attentionLogits(parameters: np.Array[], x: np.Array): np.Array {
  const { patch, tokens, width, heads } = ATTENTION;
  const rows = x.shape[0] as number;
  const across = Math.sqrt(tokens);
  const dense = (layer: number, y: np.Array): np.Array =>
    np.matmul(y, parameters[2 * layer] as np.Array).add(parameters[2 * layer + 1] as np.Array);
  const cut = np.transpose(x.reshape([rows, across, patch, across, patch]), [0, 1, 3, 2, 4]).reshape([rows * tokens, patch ** 2]);
  const embedded = dense(0, cut);
  const inHeads = (layer: number): np.Array =>
    np.transpose(dense(layer, embedded.ref).reshape([rows, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const [query, key, value] = [inHeads(1), inHeads(2), inHeads(3)];
  const scores = np.matmul(query, np.transpose(key, [0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads));
  const mixed = np.matmul(nn.softmax(scores), value);
  const joined = np.transpose(mixed, [0, 2, 1, 3]).reshape([rows * tokens, width]);
  const after = embedded.add(dense(4, joined)).reshape([rows, tokens, width]);
  return dense(5, after.sum(1).mul(1 / tokens));
}

/** Mean cross-entropy; consumes its arguments. */
function lossOf(parameters: np.Array[], x: np.Array, answers: np.Array): np.Array {
  const rows = x.shape[0] as number;
  return nn
    .logSoftmax(networkOf(parameters)(parameters, x))
    .mul(answers)
    .sum()
    .mul(-1 / rows);
}

/** Which network these are the parameters of: weight and bias of two, three or six layers. */
const networkOf = (parameters: readonly np.Array[]): typeof logitsOf => (parameters.length === 12 ? attentionLogits : logitsOf);

type State = {
  parameters: np.Array[];
  m: np.Array[];
  v: np.Array[];
  /** 1 − βᵗ is carried as data, so that no step uploads anything: [β1ᵗ, β2ᵗ]. */
  powers: np.Array[];
};

/** One step of Adam; consumes its arguments. */
function adamStep(state: State, x: np.Array, answers: np.Array): { state: State; loss: np.Array } {
  const { learningRate, beta1, beta2, epsilon } = ADAM;
  const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(state.parameters), x, answers) as unknown as [np.Array, np.Array[]];
  const [power1, power2] = [(state.powers[0] as np.Array).mul(beta1), (state.powers[1] as np.Array).mul(beta2)];
  const next: State = { parameters: [], m: [], v: [], powers: [power1.ref, power2.ref] };
  gradients.forEach((gradient, i) => {
    const m = (state.m[i] as np.Array).mul(beta1).add(gradient.ref.mul(1 - beta1));
    const v = (state.v[i] as np.Array).mul(beta2).add(np.square(gradient).mul(1 - beta2));
    const corrected = m.ref.div(np.subtract(1, power1.ref));
    const root = np.sqrt(v.ref.div(np.subtract(1, power2.ref))).add(epsilon);
    next.parameters.push((state.parameters[i] as np.Array).sub(corrected.div(root).mul(learningRate)));
    next.m.push(m);
    next.v.push(v);
  });
  power1.dispose();
  power2.dispose();
  return { state: next, loss };
}

async function openTraining(workload: TimedWorkload & { kind: 'train' }): Promise<Session> {
  const { batch: rows } = workload;
  const digits = makeDigits();
  const initial = initialParameters(workload.network);
  const zeros = (): np.Array[] => initial.map(({ shape, values }) => make(new Float32Array(values.length), shape));
  let state: State = {
    parameters: initial.map(({ values, shape }) => make(values, shape)),
    m: zeros(),
    v: zeros(),
    powers: [np.array(1, { dtype: np.float32 }), np.array(1, { dtype: np.float32 })],
  };
  const batches = Array.from({ length: EXAMPLES / rows }, (_, index) => {
    const { x, labels } = batchOf(digits, rows, index);
    return { x: make(x, [rows, PIXELS]), answers: make(oneHot(labels), [rows, CLASSES]) };
  });
  await blockUntilReady([state, batches] as never);
  const jitted = jit(adamStep as never) as unknown as typeof adamStep;
  let step = 0;
  const train = (): np.Array => {
    const { x, answers } = batches[step++ % batches.length] as (typeof batches)[number];
    const result = jitted(state, x.ref, answers.ref);
    state = result.state;
    return result.loss;
  };
  return {
    async results() {
      const { x, answers } = batches[0] as (typeof batches)[number];
      const logits = await floats(networkOf(state.parameters)(tree.ref(state.parameters), x.ref));
      const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(state.parameters), x.ref, answers.ref) as unknown as [np.Array, np.Array[]];
      loss.dispose();
      const results: Record<string, Float32Array<ArrayBuffer>> = { logits };
      for (const [i, gradient] of gradients.entries()) results[`gradient/${initial[i]?.name}`] = brief(await floats(gradient));
      const losses: number[] = [];
      for (let i = 0; i < CHECKED_STEPS; i++) losses.push(...(await floats(train())));
      return { ...results, losses: Float32Array.from(losses) };
    },
    async run(times) {
      for (let i = 0; i < times; i++) train().dispose();
      // The last bias depends on every step, the last update included.
      return (await floats((state.parameters.at(-1) as np.Array).ref))[0] as number;
    },
  };
}

/** It is lazy, and what is disposed of before anyone asked is never computed: so many results are kept and then awaited together. */
const KEPT = 16;

/** Repeats a compiled function that gives an array; every result is computed, the last is read. */
function repeated(work: () => np.Array, results: (values: Float32Array<ArrayBuffer>) => Results): Session {
  return {
    results: async () => results(await floats(work())),
    async run(times) {
      let kept: np.Array[] = [];
      for (let i = 1; i < times; i++) {
        kept.push(work());
        if (kept.length < KEPT && i < times - 1) continue;
        await blockUntilReady(kept);
        for (const array of kept) array.dispose();
        kept = [];
      }
      return (await floats(work())).at(-1) as number;
    },
  };
}

function openInference(workload: TimedWorkload & { kind: 'infer' }): Session {
  const parameters = initialParameters(workload.network).map(({ values, shape }) => make(values, shape));
  const x = make(batchOf(makeDigits(), workload.batch, 0).x, [workload.batch, PIXELS]);
  const forward = jit((weights: np.Array[], input: np.Array) => nn.softmax(logitsOf(weights, input))) as unknown as typeof logitsOf;
  return repeated(
    () => forward(tree.ref(parameters), x.ref),
    (probabilities) => ({ probabilities }),
  );
}

/** Every point of every path is a row of one batch; the gradient and all around it is one `jit`. */
function openExplanation(workload: TimedWorkload & { kind: 'saliency' | 'integrated-gradients' }): Session {
  const parameters = initialParameters(workload.network).map(({ values, shape }) => make(values, shape));
  const { batch } = workload;
  const { x, labels } = batchOf(makeDigits(), batch, 0);
  const images = make(x, [batch, PIXELS]);
  const answers = make(oneHot(labels), [batch, CLASSES]);
  const output = (rows: np.Array, weights: np.Array[], wanted: np.Array): np.Array => logitsOf(weights, rows).mul(wanted).sum();
  const gradient = grad(output as never) as unknown as typeof output;
  const results = (values: Float32Array<ArrayBuffer>): Results => ({ maps: brief(values) });
  if (workload.kind === 'saliency') {
    const maps = jit(((rows: np.Array, weights: np.Array[], wanted: np.Array) =>
      np.abs(gradient(rows, weights, wanted))) as never) as unknown as typeof output;
    return repeated(() => maps(images.ref, tree.ref(parameters), answers.ref), results);
  }
  const { steps } = workload;
  const { points, weights } = pathOf(steps);
  const [at, weight] = [points, weights].map((values) => make(Float32Array.from(values), [steps, 1, 1])) as [np.Array, np.Array];
  const everyAnswer = make(
    Float32Array.from({ length: steps * batch * CLASSES }, (_, i) => oneHot(labels)[i % (batch * CLASSES)] as number),
    [steps * batch, CLASSES],
  );
  const maps = jit(((rows: np.Array, along: np.Array, by: np.Array, network: np.Array[], wanted: np.Array) => {
    const path = along.mul(rows.ref.reshape([1, batch, PIXELS])).reshape([steps * batch, PIXELS]);
    const slopes = gradient(path, network, wanted).reshape([steps, batch, PIXELS]);
    return rows.mul(slopes.mul(by).sum(0));
  }) as never) as unknown as (rows: np.Array, along: np.Array, by: np.Array, network: np.Array[], wanted: np.Array) => np.Array;
  return repeated(() => maps(images.ref, at.ref, weight.ref, tree.ref(parameters), everyAnswer.ref), results);
}

function openProduct(size: number): Session {
  const [a, b] = (['a', 'b'] as const).map((name) => make(matrix(name, size), [size, size])) as [np.Array, np.Array];
  const product = jit((left: np.Array, right: np.Array) => np.matmul(left, right)) as unknown as (
    left: np.Array,
    right: np.Array,
  ) => np.Array;
  return repeated(
    () => product(a.ref, b.ref),
    (values) => productInBrief(values, size),
  );
}

/** The contender on one of its devices. */
export function jax(device: Device): Contender {
  return {
    description: 'jax-js; a whole step in one jit',
    async open(workload) {
      if (!(await init(device)).includes(device)) throw new Error(`jax-js could not use its ${device} device here.`);
      defaultDevice(device);
      await devicePut(0, device);
      if (workload.kind === 'train') return openTraining(workload);
      if (workload.kind === 'infer') return openInference(workload);
      if (workload.kind === 'saliency' || workload.kind === 'integrated-gradients') return openExplanation(workload);
      return openProduct(workload.size);
    },
  };
}
