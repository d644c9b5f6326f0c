/**
 * Graphs over many examples, a chunk at a time: what a method reads of the activations or gradients of a whole data set, at a bounded cost in memory.
 *
 * A chunk has as many rows as the plan; in the last one rows that are left over repeat its first example, with `valid` 0 in place of 1.
 */

import { compile } from '../../engine/compile.ts';
import { shapeMismatch, show, VitrineError } from '../../engine/errors.ts';
import { ancestors, Graph, type Node } from '../../engine/graph.ts';
import type { Examples, Forward, Model } from '../../engine/model.ts';
import { type DataType, elements } from '../../engine/operation.ts';
import { add } from '../../engine/ops/arithmetic.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { requireGoingOn } from '../attribution.ts';
import { forwardOf } from '../explainer.ts';

/** Rows of a chunk. */
const CHUNK = 512;
const MOST_IN_FLIGHT = 2;

export interface ChunkScene {
  readonly graph: Graph;
  readonly rows: number;
  /** The forward pass of each model, over the same examples. */
  readonly forwards: readonly Forward[];
  /** [rows] 1 for an example, 0 for what fills the last chunk up. */
  readonly valid: Node;
  /** The forward pass of other rows, by the same parameters. */
  forwardOf(x: Node, model?: number): Forward;
  /** A tensor that is the same for every chunk, by its name in `shared`. */
  shared(name: string): Node;
  /** Numbers that belong to the examples, [rows, ...], by their name in `perRow`. */
  perRow(name: string): Node;
}

export interface SharedValues {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint32Array;
}

export interface ChunkWork {
  readonly models: readonly Model[];
  readonly x: Examples;
  /** 512 by default. */
  readonly rows?: number;
  readonly shared?: Readonly<Record<string, SharedValues>>;
  readonly perRow?: Readonly<Record<string, Float32Array | Uint32Array>>;
  readonly signal?: AbortSignal | undefined;
  /** `each`: read for every chunk. `sum`: added up over the chunks, on the GPU, in their order. */
  build(scene: ChunkScene): { readonly each?: Readonly<Record<string, Node>>; readonly sum?: Readonly<Record<string, Node>> };
  /** What `each` holds of a chunk, whose first `count` rows are the examples from `first` on. */
  onChunk?(values: ReadonlyMap<string, Float32Array>, first: number, count: number): void;
}

/**
 * Runs the chunks and returns the sums.
 *
 * @throws VitrineError what the model's inputs can be wrong in; `aborted`, `out-of-memory`, `device-lost`
 */
export async function overChunks(method: string, work: ChunkWork): Promise<Map<string, Float32Array>> {
  const model = work.models[0] as Model;
  const { device } = model;
  const { x, signal, shared = {}, perRow = {} } = work;
  const examples = model.rowsOf(x);
  for (const other of work.models) {
    other.requireAlive();
    if (other.device === device && show(other.spec.inputShape) === show(model.spec.inputShape)) continue;
    throw shapeMismatch(
      `${method}: the models take ${show(model.spec.inputShape)} and ${show(other.spec.inputShape)}.`,
      'compare models of the same inputs, on one device.',
      { inputShape: model.spec.inputShape, other: other.spec.inputShape },
    );
  }
  const rows = Math.min(work.rows ?? CHUNK, examples);
  const graph = new Graph();
  const places = new Map<Node, Tensor>();
  const forwards = work.models.map((each) => {
    const forward = each.forward(graph, rows);
    for (const [node, tensor] of each.bindings(forward)) places.set(node, tensor);
    return forward;
  });
  const valid = graph.placeholder('valid', [rows]);
  const named = (of: string, made: Map<string, Node>, make: (name: string) => Node) => (name: string) => {
    const known = made.get(name);
    if (known) return known;
    const node = make(name);
    made.set(name, node);
    node.name = `${of}/${name}`;
    return node;
  };
  const sharedNodes = new Map<string, Node>();
  const rowNodes = new Map<string, Node>();
  const typeOf = (values: Float32Array | Uint32Array): DataType => (values instanceof Uint32Array ? 'uint32' : 'float32');
  const scene: ChunkScene = {
    graph,
    rows,
    forwards,
    valid,
    forwardOf: (rowsOf, at = 0) => forwardOf(work.models[at] as Model, graph, forwards[at] as Forward, rowsOf, ({ x: input }) => input),
    shared: named('shared', sharedNodes, (name) => {
      const { shape, values } = shared[name] as SharedValues;
      return graph.placeholder(name, shape, typeOf(values));
    }),
    perRow: named('row', rowNodes, (name) => {
      const values = perRow[name] as Float32Array;
      const width = values.length / examples;
      return graph.placeholder(name, width === 1 ? [rows] : [rows, width], typeOf(values));
    }),
  };
  const { each = {}, sum = {} } = work.build(scene);
  const before = new Map(Object.entries(sum).map(([name, node]) => [name, graph.placeholder(`${name} so far`, node.shape)]));
  const after = new Map(Object.entries(sum).map(([name, node]) => [name, add(before.get(name) as Node, node)]));
  const inputs = [...forwards.map(({ x: input }) => input), valid, ...sharedNodes.values(), ...rowNodes.values(), ...before.values()];
  const roots = [...new Set([...Object.values(each), ...after.values()])];
  const needed = new Set(ancestors(roots));
  const plan = await compile(device, roots, {
    name: method,
    owner: 'explain',
    tensors: places,
    keep: inputs,
  });
  try {
    const write = (node: Node, values: Float32Array | Uint32Array): void => {
      if (!needed.has(node)) return;
      const tensor = plan.tensor(node);
      device.writeBuffer('explain', tensor.storage, tensor.byteOffset, values);
    };
    for (const [name, node] of sharedNodes) write(node, (shared[name] as SharedValues).values);
    for (const node of before.values()) write(node, new Float32Array(elements(node.shape)));
    const inFlight: Promise<void>[] = [];
    for (let first = 0; first < examples; first += rows) {
      requireGoingOn(method, signal);
      model.requireAlive();
      const count = Math.min(rows, examples - first);
      for (const { x: input } of forwards) if (needed.has(input)) writeExamples(model, plan.tensor(input), x, first, count);
      write(
        valid,
        Float32Array.from({ length: rows }, (_, i) => (i < count ? 1 : 0)),
      );
      for (const [name, node] of rowNodes) {
        const values = perRow[name] as Float32Array | Uint32Array;
        const width = values.length / examples;
        const own = values instanceof Uint32Array ? new Uint32Array(rows * width) : new Float32Array(rows * width);
        own.set(values.subarray(first * width, (first + count) * width));
        write(node, own);
      }
      device.submit('explain', method, (encoder) => {
        const pass = encoder.beginComputePass({ label: method });
        plan.encode(pass);
        pass.end();
        for (const [name, node] of after) {
          const [from, to] = [plan.tensor(node), plan.tensor(before.get(name) as Node)];
          encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset, to.bytes);
          device.count('explain', 'copyBuffer');
        }
      });
      const names = Object.keys(each);
      if (names.length > 0) {
        const ranges = names.map((name) => {
          const { storage, byteOffset, bytes } = plan.tensor(each[name] as Node);
          return { buffer: storage, byteOffset, bytes };
        });
        const read = await device.readRanges(method, ranges, 'explain');
        work.onChunk?.(new Map(names.map((name, i) => [name, new Float32Array(read[i] as ArrayBuffer)])), first, count);
      } else {
        inFlight.push(device.gpu.queue.onSubmittedWorkDone());
        if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
      }
    }
    const sums = new Map<string, Float32Array>();
    for (const [name, node] of after) sums.set(name, await plan.tensor(node).read());
    return sums;
  } finally {
    plan.dispose();
  }
}

/** The examples from `first` on, and copies of that one in the rows left over. */
function writeExamples(model: Model, into: Tensor, x: Examples, first: number, count: number): void {
  model.writeRows(into, x, first, count, 'explain');
  const rows = into.shape[0] as number;
  if (count === rows) return;
  const bytes = into.bytes / rows;
  const copy = model.device.createBuffer('first example', bytes, { owner: 'explain' });
  try {
    model.device.submit('explain', 'fill up', (encoder) => {
      // WebGPU copies nothing within one buffer.
      encoder.copyBufferToBuffer(into.buffer, into.byteOffset, copy.gpu, 0, bytes);
      for (let row = count; row < rows; row++) encoder.copyBufferToBuffer(copy.gpu, 0, into.buffer, into.byteOffset + row * bytes, bytes);
      model.device.count('explain', 'copyBuffer', 1 + rows - count);
    });
  } finally {
    copy.dispose();
  }
}

/** What a model computes under a name: 'input', 'logits', or one of its activations. @throws VitrineError `unknown-name` */
export function layerNode(method: string, forward: Forward, name: string): Node {
  if (name === 'input') return forward.x;
  if (name === 'logits') return forward.logits;
  const node = forward.activations.get(name);
  if (node) return node;
  const known = ['input', 'logits', ...forward.activations.keys()].join(', ');
  throw new VitrineError('unknown-name', `${method}: the model has no layer output '${name}'.`, `use one of ${known}.`, { name });
}

/** The outputs of the model's layers, in order. */
export const layerNames = (model: Model): string[] =>
  [...model.forward(new Graph(), 1).activations.keys()].filter((name) => name.startsWith('activation/'));
