/**
 * A network asked about the rows of a data set with some columns changed to what other rows hold: what permutation importance, partial dependence
 * and accumulated local effects ask. The rows are made on the GPU from resident data by queries of three numbers (example, group of columns, donor); where
 * the model begins with an affine layer, only what changes is multiplied again.
 */

import { compile } from '../../engine/compile.ts';
import { shapeMismatch, VitrineError } from '../../engine/errors.ts';
import { Graph, type Node } from '../../engine/graph.ts';
import type { Forward, Model } from '../../engine/model.ts';
import { copyBytes } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import type { Plan } from '../../engine/plan.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { disposeAll, type ExplainProgress, requireGoingOn, unsupportedModel } from '../attribution.ts';
import { firstAffine, forwardOf } from '../explainer.ts';
import { changedProducts, changedRows } from '../ops/changed-rows.ts';

/** Rows of one run. */
const RUN = 2048;
/** Answers kept on the GPU before they are read. */
const MOST_ANSWERS = 2 ** 20;
const MOST_IN_FLIGHT = 2;

export interface ChangedColumnsOptions {
  /** [rows, features] */
  readonly x: Float32Array;
  /** Where changed columns take their values from: [donors, features]; x itself by default. */
  readonly donors?: Float32Array;
  /** Columns that change together. The group after the last is that of no column. */
  readonly groups: readonly (readonly number[])[];
  /** Numbers that belong to each example of x, for `answer`: class indices, or targets. */
  readonly labels?: Float32Array | Uint32Array;
  /** The number that is asked for, [rows], of the forward pass of some rows and their examples' labels, [rows, ...]. */
  readonly answer: (forward: Forward, labels: Node | undefined) => Node;
  readonly signal?: AbortSignal | undefined;
  /** Told of the rows of each run. */
  readonly onRows?: ((rows: number) => void) | undefined;
}

export class ChangedColumns {
  readonly #method: string;
  readonly #model: Model;
  readonly #plan: Plan;
  readonly #query: Tensor;
  readonly #answer: Tensor;
  readonly #labels: { readonly tensor: Tensor; readonly values: Float32Array | Uint32Array } | undefined;
  readonly #owned: readonly Tensor[];
  readonly #signal: AbortSignal | undefined;
  readonly #onRows: ((rows: number) => void) | undefined;

  private constructor(
    method: string,
    model: Model,
    made: {
      plan: Plan;
      query: Tensor;
      answer: Tensor;
      labels: { readonly tensor: Tensor; readonly values: Float32Array | Uint32Array } | undefined;
      owned: readonly Tensor[];
      signal: AbortSignal | undefined;
      onRows: ((rows: number) => void) | undefined;
    },
  ) {
    this.#method = method;
    this.#model = model;
    this.#plan = made.plan;
    this.#query = made.query;
    this.#answer = made.answer;
    this.#labels = made.labels;
    this.#owned = made.owned;
    this.#signal = made.signal;
    this.#onRows = made.onRows;
  }

  /** @throws VitrineError `unsupported-model` for token indices, `out-of-memory`, `device-lost` */
  static async create(method: string, model: Model, options: ChangedColumnsOptions): Promise<ChangedColumns> {
    const { device, spec } = model;
    if (spec.inputType === 'uint32') {
      throw unsupportedModel(method, 'the model reads token indices, whose columns are positions.', 'use occlusion of tokens.');
    }
    const { groups, labels } = options;
    const features = elements(spec.inputShape);
    const rows = options.x.length / features;
    const owned: Tensor[] = [];
    const upload = (name: string, values: Float32Array | Uint32Array, shape: readonly number[]): Tensor => {
      const dtype = values instanceof Uint32Array ? 'uint32' : 'float32';
      const tensor = device.empty(shape, dtype, `${method}/${name}`, { owner: 'explain' });
      owned.push(tensor);
      if (values.length > 0) device.writeBuffer('explain', tensor.storage, 0, values);
      return tensor;
    };
    try {
      const groupOf = new Uint32Array(features).fill(0xffffffff);
      groups.forEach((columns, group) => {
        for (const column of columns) groupOf[column] = group;
      });
      const firstOf = [0];
      for (const columns of [...groups, []]) firstOf.push((firstOf.at(-1) as number) + columns.length);
      const data = await device.guarded(method, () => ({
        x: upload('x', options.x, [rows, features]),
        donors: options.donors ? upload('donors', options.donors, [options.donors.length / features, features]) : undefined,
        groupOf: upload('groups', groupOf, [features]),
        firstOf: upload('group firsts', Uint32Array.from(firstOf), [firstOf.length]),
        members: upload('group members', Uint32Array.from([...groups.flat(), 0]), [groups.flat().length + 1]),
      }));
      const graph = new Graph();
      const places = new Map<Node, Tensor>();
      const place = (tensor: Tensor): Node => {
        const node = graph.placeholder(tensor.name, tensor.shape, tensor.dtype);
        places.set(node, tensor);
        return node;
      };
      const forward = model.forward(graph, RUN);
      const query = graph.placeholder('query', [RUN, 3], 'uint32');
      const x = place(data.x);
      const donors = data.donors ? place(data.donors) : x;
      const affine = firstAffine(forward);
      let changed: Forward;
      if (affine) {
        const products = await productsOf(method, model, data.x, rows);
        owned.push(products);
        const z = changedProducts({
          x,
          donors,
          query,
          firstOf: place(data.firstOf),
          members: place(data.members),
          products: place(products),
          weight: affine.inputs[1] as Node,
        });
        changed = forwardOf(model, graph, forward, z, (own) => firstAffine(own) as Node);
      } else {
        const made = reshape(changedRows(x, donors, query, place(data.groupOf)), [RUN, ...spec.inputShape]);
        changed = forwardOf(model, graph, forward, made, ({ x: input }) => input);
      }
      const perRow = labels ? labels.length / rows : 0;
      const answers =
        labels && graph.placeholder('labels', perRow === 1 ? [RUN] : [RUN, perRow], labels instanceof Uint32Array ? 'uint32' : 'float32');
      const answer = options.answer(changed, answers);
      for (const [node, tensor] of model.bindings(forward)) places.set(node, tensor);
      const plan = await compile(device, [answer], {
        name: method,
        owner: 'explain',
        tensors: places,
        keep: answers ? [query, answers] : [query],
      });
      return new ChangedColumns(method, model, {
        plan,
        query: plan.tensor(query),
        answer: plan.tensor(answer),
        labels: answers && labels && { tensor: plan.tensor(answers), values: labels },
        owned,
        signal: options.signal,
        onRows: options.onRows,
      });
    } catch (error) {
      disposeAll(owned);
      throw error;
    }
  }

  /** The number asked for, of each query. @param queries [queries, 3]: example, group and donor */
  async ask(queries: Uint32Array): Promise<Float32Array> {
    const { device } = this.#model;
    const count = queries.length / 3;
    const result = new Float32Array(count);
    for (let first = 0; first < count; first += MOST_ANSWERS) {
      const block = Math.min(MOST_ANSWERS, count - first);
      const kept = await device.guarded(this.#method, () =>
        device.empty([block], 'float32', `${this.#method}/answers`, { owner: 'explain' }),
      );
      try {
        const inFlight: Promise<void>[] = [];
        for (let at = 0; at < block; at += RUN) {
          requireGoingOn(this.#method, this.#signal);
          this.#model.requireAlive();
          this.#run(queries.subarray(3 * (first + at), 3 * (first + Math.min(at + RUN, block))), kept, at);
          inFlight.push(device.gpu.queue.onSubmittedWorkDone());
          if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
          this.#onRows?.(Math.min(RUN, block - at));
        }
        result.set(await kept.read(), first);
      } finally {
        kept.dispose();
      }
    }
    return result;
  }

  #run(queries: Uint32Array, kept: Tensor, at: number): void {
    const { device } = this.#model;
    const rows = queries.length / 3;
    device.writeBuffer('explain', this.#query.storage, this.#query.byteOffset, queries);
    if (this.#labels) {
      const { tensor, values } = this.#labels;
      const width = tensor.length / RUN;
      const own = values instanceof Uint32Array ? new Uint32Array(rows * width) : new Float32Array(rows * width);
      for (let i = 0; i < rows; i++) {
        const example = queries[3 * i] as number;
        for (let k = 0; k < width; k++) own[i * width + k] = values[example * width + k] as number;
      }
      device.writeBuffer('explain', tensor.storage, tensor.byteOffset, own);
    }
    device.submit('explain', this.#method, (encoder) => {
      const pass = encoder.beginComputePass({ label: this.#method });
      this.#plan.encode(pass);
      pass.end();
      encoder.copyBufferToBuffer(this.#answer.buffer, this.#answer.byteOffset, kept.buffer, kept.byteOffset + 4 * at, 4 * rows);
      device.count('explain', 'copyBuffer');
    });
  }

  dispose(): void {
    this.#plan.dispose();
    disposeAll(this.#owned);
  }
}

/** What the model's first affine layer makes of every row, [rows, units]. */
async function productsOf(method: string, model: Model, x: Tensor, rows: number): Promise<Tensor> {
  const { device } = model;
  const capacity = Math.min(RUN, rows);
  const forward = model.forward(new Graph(), capacity);
  const affine = firstAffine(forward) as Node;
  const plan = await compile(device, [affine], { name: `${method}: products`, owner: 'explain', tensors: model.bindings(forward) });
  try {
    const result = await device.guarded(method, () =>
      device.empty([rows, affine.shape[1] as number], 'float32', `${method}/products`, { owner: 'explain' }),
    );
    const [inBytes, outBytes] = [4 * (x.shape[1] as number), 4 * (affine.shape[1] as number)];
    for (let first = 0; first < rows; first += capacity) {
      const count = Math.min(capacity, rows - first);
      copyBytes(device, x, first * inBytes, plan.tensor(forward.x), 0, count * inBytes, 'explain');
      plan.run();
      copyBytes(device, plan.tensor(affine), 0, result, first * outBytes, count * outBytes, 'explain');
    }
    return result;
  } finally {
    plan.dispose();
  }
}

/** Tells how many of `total` rows are done. */
export function countRows(
  total: number,
  onProgress: ((progress: ExplainProgress) => void) | undefined,
): ((rows: number) => void) | undefined {
  if (!onProgress) return undefined;
  let done = 0;
  return (rows) => {
    done += rows;
    onProgress({ done, total });
  };
}

/** Groups of columns: each column by itself where none are given. @throws VitrineError `shape-mismatch`, `invalid-option` */
export function columnGroupsOf(method: string, features: number, given: readonly (number | readonly number[])[] | undefined): number[][] {
  const groups = given
    ? given.map((columns) => (typeof columns === 'number' ? [columns] : [...columns]))
    : Array.from({ length: features }, (_, j) => [j]);
  const seen = new Set<number>();
  for (const column of groups.flat()) {
    if (!Number.isInteger(column) || column < 0 || column >= features) {
      throw shapeMismatch(
        `${method}: there is no column ${column}; an example has ${features}.`,
        `name columns from 0 to ${features - 1}.`,
        {
          column,
          features,
        },
      );
    }
    if (seen.has(column)) {
      throw new VitrineError('invalid-option', `${method}: column ${column} is in two groups.`, 'put each column into one group.', {
        column,
      });
    }
    seen.add(column);
  }
  return groups;
}
