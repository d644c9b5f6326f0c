/** The networks that contenders train, in float64 on the CPU, in loops that a person can read. */

import {
  ADAM,
  ATTENTION,
  type Batch,
  CLASSES,
  type DenseNetwork,
  initialParameters,
  type NetworkName,
  networks,
  PIXELS,
} from './problem.ts';

/** Examples and the class of each. */
interface Rows {
  readonly x: ArrayLike<number> & Iterable<number>;
  readonly labels: Uint8Array;
}

export function softmaxRows(logits: Float64Array): Float64Array {
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

/** Mean cross-entropy in nats of rows of logits, and its gradient with respect to them. */
function crossEntropy(logits: Float64Array, labels: Uint8Array): { loss: number; dlogits: Float64Array } {
  const dlogits = softmaxRows(logits);
  let loss = 0;
  labels.forEach((label, row) => {
    const at = row * CLASSES + label;
    loss -= Math.log(dlogits[at] as number) / labels.length;
    dlogits[at] = (dlogits[at] as number) - 1;
  });
  return { loss, dlogits: dlogits.map((value) => value / labels.length) };
}

abstract class ReferenceNetwork {
  readonly names: readonly string[];
  /** Weight and bias of each layer in turn. */
  readonly parameters: readonly Float64Array[];
  readonly #first: Float64Array[];
  readonly #second: Float64Array[];
  #step = 0;

  constructor(name: NetworkName) {
    const parameters = initialParameters(name);
    this.names = parameters.map((parameter) => parameter.name);
    this.parameters = parameters.map(({ values }) => Float64Array.from(values));
    this.#first = parameters.map(({ values }) => new Float64Array(values.length));
    this.#second = parameters.map(({ values }) => new Float64Array(values.length));
  }

  abstract logits(rows: Rows): Float64Array;

  /** Mean cross-entropy in nats, and its gradient with respect to every parameter. */
  abstract gradients(batch: Batch): { loss: number; values: Float64Array[] };

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

export class DenseReference extends ReferenceNetwork {
  readonly #widths: readonly number[];

  constructor(name: DenseNetwork) {
    super(name);
    this.#widths = networks[name];
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

  logits(rows: Rows): Float64Array {
    return this.#forward(rows).at(-1) as Float64Array;
  }

  /** The gradient of each row's label's logit with respect to the row, [rows, inputs]. */
  outputGradient(rows: Rows): Float64Array {
    const dlogits = new Float64Array(rows.labels.length * CLASSES);
    rows.labels.forEach((label, row) => {
      dlogits[row * CLASSES + label] = 1;
    });
    return this.#backward(this.#forward(rows), dlogits, rows.labels.length, undefined);
  }

  gradients(batch: Batch): { loss: number; values: Float64Array[] } {
    const outputs = this.#forward(batch);
    const { loss, dlogits } = crossEntropy(outputs.at(-1) as Float64Array, batch.labels);
    const values = this.parameters.map(({ length }) => new Float64Array(length));
    this.#backward(outputs, dlogits, batch.labels.length, values);
    return { loss, values };
  }

  /** Hands a gradient back to the input, [rows, inputs]; or adds that of every parameter to `values`, and leaves the input's out. */
  #backward(outputs: readonly Float64Array[], dlogits: Float64Array, rows: number, values: Float64Array[] | undefined): Float64Array {
    let dy = dlogits;
    for (let layer = this.#widths.length - 2; layer >= 0; layer--) {
      const [width, next] = [this.#widths[layer] as number, this.#widths[layer + 1] as number];
      const weight = this.parameters[2 * layer] as Float64Array;
      const [dweight, dbias] = [values?.[2 * layer], values?.[2 * layer + 1]];
      const input = outputs[layer] as Float64Array;
      const dx = new Float64Array(rows * width);
      for (let row = 0; row < rows; row++) {
        if (dbias) for (let o = 0; o < next; o++) dbias[o] = (dbias[o] as number) + (dy[row * next + o] as number);
        for (let i = 0; i < width; i++) {
          const value = input[row * width + i] as number;
          // Where ReLU gave zero, no gradient passes; a pixel that is zero gives its weights none.
          if (value === 0 && (layer > 0 || dweight)) continue;
          let sum = 0;
          for (let o = 0; o < next; o++) {
            const d = dy[row * next + o] as number;
            if (dweight) dweight[i * next + o] = (dweight[i * next + o] as number) + value * d;
            sum += d * (weight[i * next + o] as number);
          }
          dx[row * width + i] = sum;
        }
      }
      dy = dx;
    }
    return dy;
  }
}

/** What a row of the attention network passes through, [tokens, …] each. */
interface Passage {
  readonly cut: Float64Array;
  readonly embedded: Float64Array;
  readonly query: Float64Array;
  readonly key: Float64Array;
  readonly value: Float64Array;
  /** [heads, tokens, tokens] */
  readonly weights: Float64Array;
  readonly mixed: Float64Array;
  readonly pooled: Float64Array;
  readonly logits: Float64Array;
}

/** Patches, a dense layer, self-attention with a residual around it, the mean over tokens, a dense layer. */
export class AttentionReference extends ReferenceNetwork {
  constructor() {
    super('attention');
  }

  logits({ x, labels }: Rows): Float64Array {
    return Float64Array.from(Array.from(labels, (_, row) => [...this.#forward(x, row).logits]).flat());
  }

  gradients({ x, labels }: Batch): { loss: number; values: Float64Array[] } {
    const values = this.parameters.map(({ length }) => new Float64Array(length));
    const passages = Array.from(labels, (_, row) => this.#forward(x, row));
    const { loss, dlogits } = crossEntropy(Float64Array.from(passages.flatMap(({ logits }) => [...logits])), labels);
    passages.forEach((passage, row) => {
      this.#backward(passage, dlogits.subarray(row * CLASSES, (row + 1) * CLASSES), values);
    });
    return { loss, values };
  }

  /** x W + b of a layer, x [rows, inputs]. */
  #dense(layer: number, x: Float64Array): Float64Array {
    const [weight, bias] = [this.parameters[2 * layer] as Float64Array, this.parameters[2 * layer + 1] as Float64Array];
    const outputs = bias.length;
    const inputs = weight.length / outputs;
    return Float64Array.from({ length: (x.length / inputs) * outputs }, (_, at) => {
      const [row, o] = [Math.floor(at / outputs), at % outputs];
      let sum = bias[o] as number;
      for (let i = 0; i < inputs; i++) sum += (x[row * inputs + i] as number) * (weight[i * outputs + o] as number);
      return sum;
    });
  }

  /** Adds a layer's gradients to `values` and returns its input's. */
  #denseBackward(layer: number, x: Float64Array, dy: Float64Array, values: Float64Array[]): Float64Array {
    const [weight, dweight, dbias] = [this.parameters[2 * layer], values[2 * layer], values[2 * layer + 1]] as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const outputs = dbias.length;
    const inputs = weight.length / outputs;
    const dx = new Float64Array(x.length);
    for (let row = 0; row < x.length / inputs; row++) {
      for (let o = 0; o < outputs; o++) {
        const d = dy[row * outputs + o] as number;
        dbias[o] = (dbias[o] as number) + d;
        for (let i = 0; i < inputs; i++) {
          dweight[i * outputs + o] = (dweight[i * outputs + o] as number) + (x[row * inputs + i] as number) * d;
          dx[row * inputs + i] = (dx[row * inputs + i] as number) + (weight[i * outputs + o] as number) * d;
        }
      }
    }
    return dx;
  }

  #forward(x: ArrayLike<number>, row: number): Passage {
    const { patch, tokens, width, heads } = ATTENTION;
    const across = Math.sqrt(tokens);
    const cut = Float64Array.from({ length: tokens * patch ** 2 }, (_, at) => {
      const [token, i] = [Math.floor(at / patch ** 2), at % patch ** 2];
      const down = Math.floor(token / across) * patch + Math.floor(i / patch);
      return x[row * PIXELS + down * patch * across + (token % across) * patch + (i % patch)] as number;
    });
    const embedded = this.#dense(0, cut);
    const [query, key, value] = [1, 2, 3].map((layer) => this.#dense(layer, embedded)) as [Float64Array, Float64Array, Float64Array];
    const each = width / heads;
    const weights = new Float64Array(heads * tokens * tokens);
    const mixed = new Float64Array(tokens * width);
    for (let head = 0; head < heads; head++) {
      for (let at = 0; at < tokens; at++) {
        const own = weights.subarray((head * tokens + at) * tokens, (head * tokens + at + 1) * tokens);
        for (let other = 0; other < tokens; other++) {
          let score = 0;
          for (let i = head * each; i < (head + 1) * each; i++)
            score += (query[at * width + i] as number) * (key[other * width + i] as number);
          own[other] = Math.exp(score / Math.sqrt(each));
        }
        const total = own.reduce((sum, power) => sum + power, 0);
        for (let other = 0; other < tokens; other++) {
          own[other] = (own[other] as number) / total;
          for (let i = head * each; i < (head + 1) * each; i++) {
            mixed[at * width + i] = (mixed[at * width + i] as number) + (own[other] as number) * (value[other * width + i] as number);
          }
        }
      }
    }
    const output = this.#dense(4, mixed);
    const pooled = new Float64Array(width);
    output.forEach((y, at) => {
      pooled[at % width] = (pooled[at % width] as number) + (y + (embedded[at] as number)) / tokens;
    });
    return { cut, embedded, query, key, value, weights, mixed, pooled, logits: this.#dense(5, pooled) };
  }

  #backward({ cut, embedded, query, key, value, weights, mixed, pooled }: Passage, dlogits: Float64Array, values: Float64Array[]): void {
    const { tokens, width, heads } = ATTENTION;
    const each = width / heads;
    const dpooled = this.#denseBackward(5, pooled, dlogits, values);
    const dadded = Float64Array.from({ length: tokens * width }, (_, at) => (dpooled[at % width] as number) / tokens);
    const dmixed = this.#denseBackward(4, mixed, dadded, values);
    const [dquery, dkey, dvalue] = [0, 1, 2].map(() => new Float64Array(tokens * width)) as [Float64Array, Float64Array, Float64Array];
    for (let head = 0; head < heads; head++) {
      const columns = Array.from({ length: each }, (_, i) => head * each + i);
      for (let at = 0; at < tokens; at++) {
        const own = weights.subarray((head * tokens + at) * tokens, (head * tokens + at + 1) * tokens);
        const dweights = own.map((_, other) =>
          columns.reduce((sum, i) => sum + (dmixed[at * width + i] as number) * (value[other * width + i] as number), 0),
        );
        const along = own.reduce((sum, weight, other) => sum + weight * (dweights[other] as number), 0);
        own.forEach((weight, other) => {
          const dscore = (weight * ((dweights[other] as number) - along)) / Math.sqrt(each);
          for (const i of columns) {
            const [to, from] = [at * width + i, other * width + i];
            dvalue[from] = (dvalue[from] as number) + weight * (dmixed[to] as number);
            dquery[to] = (dquery[to] as number) + dscore * (key[from] as number);
            dkey[from] = (dkey[from] as number) + dscore * (query[to] as number);
          }
        });
      }
    }
    const dembedded = dadded.slice();
    [dquery, dkey, dvalue].forEach((d, i) => {
      this.#denseBackward(1 + i, embedded, d, values).forEach((part, at) => {
        dembedded[at] = (dembedded[at] as number) + part;
      });
    });
    this.#denseBackward(0, cut, dembedded, values);
  }
}
