/** What every contender must agree with: the same work in float64 on the CPU, in loops that a person can read. */

import { brief, checkedRows } from './agreement.ts';
import type { Results } from './contender.ts';
import {
  ADAM,
  ATTENTION,
  type Batch,
  batchOf,
  CLASSES,
  type DenseNetwork,
  initialParameters,
  makeDigits,
  matrix,
  networks,
  PIXELS,
  pathOf,
} from './problem.ts';
import type { TimedWorkload } from './workloads.ts';

/** Examples and the class of each. */
interface Rows {
  readonly x: ArrayLike<number> & Iterable<number>;
  readonly labels: Uint8Array;
}

export function referenceResults(workload: TimedWorkload): Results {
  if (workload.kind === 'matmul') return referenceProduct(workload.size);
  if (workload.kind === 'train' && workload.network === 'attention') return referenceAttention(batchOf(makeDigits(), workload.batch, 0));
  const network = new ReferenceNetwork(workload.network as DenseNetwork);
  const digits = makeDigits();
  const batch = (index: number): Batch => batchOf(digits, workload.batch, index);
  if (workload.kind === 'saliency') return { maps: brief(network.outputGradient(batch(0)).map(Math.abs)) };
  if (workload.kind === 'integrated-gradients') return { maps: brief(integratedGradients(network, batch(0), workload.steps)) };
  if (workload.kind === 'infer') return { probabilities: Float32Array.from(softmaxRows(network.logits(batch(0)))) };
  const logits = Float32Array.from(network.logits(batch(0)));
  const gradients = network.gradients(batch(0));
  const losses = Float32Array.from({ length: workload.checkedSteps }, (_, step) => network.train(batch(step)));
  return { logits, losses, ...Object.fromEntries(gradients.values.map((values, i) => [`gradient/${network.names[i]}`, brief(values)])) };
}

/** Logits and loss of the first batch; patches, dense, self-attention with a residual, mean over tokens, dense. */
function referenceAttention({ x, labels }: Batch): Results {
  const { patch, tokens, width, heads } = ATTENTION;
  const parameters = initialParameters('attention');
  const side = patch * Math.sqrt(tokens);
  const each = width / heads;
  /** rows · W + b of a layer, rows given as [count][inputs]. */
  const dense = (layer: number, rows: readonly (readonly number[])[]): number[][] => {
    const [weight, bias] = [parameters[2 * layer]?.values as Float32Array, parameters[2 * layer + 1]?.values as Float32Array];
    return rows.map((row) => {
      const y = Array.from(bias);
      row.forEach((value, i) => {
        for (let o = 0; o < y.length; o++) y[o] = (y[o] as number) + value * (weight[i * y.length + o] as number);
      });
      return y;
    });
  };
  const logits: number[] = [];
  for (let row = 0; row < labels.length; row++) {
    const cut = Array.from({ length: tokens }, (_, token) =>
      Array.from({ length: patch ** 2 }, (_value, i) => {
        const down = Math.floor(token / Math.sqrt(tokens)) * patch + Math.floor(i / patch);
        const across = (token % Math.sqrt(tokens)) * patch + (i % patch);
        return x[row * PIXELS + down * side + across] as number;
      }),
    );
    const embedded = dense(0, cut);
    const [query, key, value] = [1, 2, 3].map((layer) => dense(layer, embedded)) as [number[][], number[][], number[][]];
    const mixed = embedded.map((token, at) =>
      token.map((_value, column) => {
        const head = Math.floor(column / each) * each;
        const scores = key.map((other) => {
          let score = 0;
          for (let i = head; i < head + each; i++) score += (query[at]?.[i] as number) * (other[i] as number);
          return Math.exp(score / Math.sqrt(each));
        });
        const total = scores.reduce((sum, score) => sum + score, 0);
        return scores.reduce((sum, score, other) => sum + (score / total) * (value[other]?.[column] as number), 0);
      }),
    );
    const added = dense(4, mixed).map((token, at) => token.map((v, i) => v + (embedded[at]?.[i] as number)));
    const pooled = Array.from({ length: width }, (_, i) => added.reduce((sum, token) => sum + (token[i] as number), 0) / tokens);
    logits.push(...(dense(5, [pooled])[0] as number[]));
  }
  const probabilities = softmaxRows(Float64Array.from(logits));
  let loss = 0;
  labels.forEach((label, row) => {
    loss -= Math.log(probabilities[row * CLASSES + label] as number) / labels.length;
  });
  return { logits: Float32Array.from(logits), losses: Float32Array.of(loss) };
}

/** Some rows of C = A B, and the sum of every row, which is A (B 1). */
function referenceProduct(size: number): Results {
  const a = matrix('a', size);
  const b = matrix('b', size);
  const rows = checkedRows(size).flatMap((row) => {
    const out = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      const factor = a[row * size + k] as number;
      for (let col = 0; col < size; col++) out[col] = (out[col] as number) + factor * (b[k * size + col] as number);
    }
    return [...out];
  });
  const sumsOfB = Float64Array.from({ length: size }, (_, k) =>
    b.subarray(k * size, (k + 1) * size).reduce((sum, value) => sum + value, 0),
  );
  const rowSums = Float32Array.from({ length: size }, (_, row) =>
    sumsOfB.reduce((sum, value, k) => sum + (a[row * size + k] as number) * value, 0),
  );
  return { rows: Float32Array.from(rows), rowSums };
}

/** Along the straight path from black: x ⊙ Σ weight · gradient at point · x. */
function integratedGradients(network: ReferenceNetwork, { x, labels }: Batch, steps: number): Float64Array {
  const { points, weights } = pathOf(steps);
  const sum = new Float64Array(x.length);
  points.forEach((point, s) => {
    const gradient = network.outputGradient({ x: Float64Array.from(x, (value) => point * value), labels });
    gradient.forEach((value, i) => {
      sum[i] = (sum[i] as number) + (weights[s] as number) * value * (x[i] as number);
    });
  });
  return sum;
}

function softmaxRows(logits: Float64Array): Float64Array {
  const result = new Float64Array(logits.length);
  for (let from = 0; from < logits.length; from += CLASSES) {
    const row = logits.subarray(from, from + CLASSES);
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    row.forEach((value, i) => {
      result[from + i] = Math.exp(value - largest) / sum;
    });
  }
  return result;
}

export class ReferenceNetwork {
  readonly names: readonly string[];
  readonly #widths: readonly number[];
  /** Weight and bias of each layer in turn. */
  readonly parameters: readonly Float64Array[];
  readonly #first: Float64Array[];
  readonly #second: Float64Array[];
  #step = 0;

  constructor(name: keyof typeof networks) {
    const parameters = initialParameters(name);
    this.names = parameters.map((parameter) => parameter.name);
    this.#widths = networks[name];
    this.parameters = parameters.map(({ values }) => Float64Array.from(values));
    this.#first = parameters.map(({ values }) => new Float64Array(values.length));
    this.#second = parameters.map(({ values }) => new Float64Array(values.length));
  }

  /** The input and every layer's output, the last without softmax. Zeros are skipped: most pixels are paper. */
  #forward({ x, labels }: Rows): Float64Array[] {
    const outputs = [Float64Array.from(x)];
    const layers = this.#widths.length - 1;
    for (let layer = 0; layer < layers; layer++) {
      const [width, next] = [this.#widths[layer] as number, this.#widths[layer + 1] as number];
      const [weight, bias] = [this.parameters[2 * layer] as Float64Array, this.parameters[2 * layer + 1] as Float64Array];
      const input = outputs[layer] as Float64Array;
      const output = new Float64Array(labels.length * next);
      for (let row = 0; row < labels.length; row++) {
        const y = output.subarray(row * next, (row + 1) * next);
        y.set(bias);
        for (let i = 0; i < width; i++) {
          const value = input[row * width + i] as number;
          if (value === 0) continue;
          for (let o = 0; o < next; o++) y[o] = (y[o] as number) + value * (weight[i * next + o] as number);
        }
        if (layer < layers - 1) for (let o = 0; o < next; o++) if (!((y[o] as number) > 0)) y[o] = 0;
      }
      outputs.push(output);
    }
    return outputs;
  }

  logits(batch: Batch): Float64Array {
    return this.#forward(batch).at(-1) as Float64Array;
  }

  /** The gradient of each row's label's logit with respect to the row, [rows, inputs]. */
  outputGradient(rows: Rows): Float64Array {
    const outputs = this.#forward(rows);
    const count = rows.labels.length;
    let dy = new Float64Array(count * CLASSES);
    rows.labels.forEach((label, row) => {
      dy[row * CLASSES + label] = 1;
    });
    for (let layer = this.#widths.length - 2; layer >= 0; layer--) {
      const [width, next] = [this.#widths[layer] as number, this.#widths[layer + 1] as number];
      const weight = this.parameters[2 * layer] as Float64Array;
      const dx = new Float64Array(count * width);
      for (let row = 0; row < count; row++) {
        for (let i = 0; i < width; i++) {
          if (layer > 0 && outputs[layer]?.[row * width + i] === 0) continue;
          let sum = 0;
          for (let o = 0; o < next; o++) sum += (dy[row * next + o] as number) * (weight[i * next + o] as number);
          dx[row * width + i] = sum;
        }
      }
      dy = dx;
    }
    return dy;
  }

  /** Mean cross-entropy in nats, and its gradient with respect to every parameter. */
  gradients(batch: Batch): { loss: number; values: Float64Array[] } {
    const outputs = this.#forward(batch);
    const rows = batch.labels.length;
    const values = this.parameters.map(({ length }) => new Float64Array(length));
    let dy = softmaxRows(outputs.at(-1) as Float64Array);
    let loss = 0;
    batch.labels.forEach((label, row) => {
      const at = row * CLASSES + label;
      loss -= Math.log(dy[at] as number) / rows;
      dy[at] = (dy[at] as number) - 1;
    });
    dy = dy.map((value) => value / rows);
    for (let layer = this.#widths.length - 2; layer >= 0; layer--) {
      const [width, next] = [this.#widths[layer] as number, this.#widths[layer + 1] as number];
      const weight = this.parameters[2 * layer] as Float64Array;
      const [dweight, dbias] = [values[2 * layer] as Float64Array, values[2 * layer + 1] as Float64Array];
      const input = outputs[layer] as Float64Array;
      const dx = new Float64Array(rows * width);
      for (let row = 0; row < rows; row++) {
        for (let o = 0; o < next; o++) dbias[o] = (dbias[o] as number) + (dy[row * next + o] as number);
        for (let i = 0; i < width; i++) {
          const value = input[row * width + i] as number;
          // Where ReLU gave zero, no gradient passes; the network's own input needs none.
          if (value === 0) continue;
          let sum = 0;
          for (let o = 0; o < next; o++) {
            const d = dy[row * next + o] as number;
            dweight[i * next + o] = (dweight[i * next + o] as number) + value * d;
            sum += d * (weight[i * next + o] as number);
          }
          dx[row * width + i] = sum;
        }
      }
      dy = dx;
    }
    return { loss, values };
  }

  /** One step of Adam (Kingma, Ba 2015, algorithm 1). Returns the loss before it. */
  train(batch: Batch): number {
    const { loss, values } = this.gradients(batch);
    const { learningRate, beta1, beta2, epsilon } = ADAM;
    this.#step += 1;
    const correction1 = 1 - beta1 ** this.#step;
    const correction2 = 1 - beta2 ** this.#step;
    values.forEach((gradient, which) => {
      const [parameter, m, v] = [this.parameters[which], this.#first[which], this.#second[which]] as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      for (let i = 0; i < gradient.length; i++) {
        const g = gradient[i] as number;
        m[i] = beta1 * (m[i] as number) + (1 - beta1) * g;
        v[i] = beta2 * (v[i] as number) + (1 - beta2) * g * g;
        parameter[i] =
          (parameter[i] as number) -
          (learningRate * ((m[i] as number) / correction1)) / (Math.sqrt((v[i] as number) / correction2) + epsilon);
      }
    });
    return loss;
  }
}
