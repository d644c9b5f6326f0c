/**
 * A model: layers, and their parameters as one flat buffer on the GPU. It builds its graph for any number of rows and compiles plans over
 * the same parameters.
 */

import { compile } from './compile.ts';
import { checkFinite, checkLabels } from './dataset.ts';
import { ALIGNMENT, type Device, type Owner } from './device.ts';
import { differentiate } from './differentiate.ts';
import { checkWhole, shapeMismatch, show, VitrineError } from './errors.ts';
import { Graph, type Node, requireType } from './graph.ts';
import { checkInitializer, type Initializer, initialize } from './initializers.ts';
import { type Layer, type LayerContext, layerKind } from './layers.ts';
import { buildLoss, type Loss } from './losses.ts';
import { type DataType, elements } from './operation.ts';
import { scale } from './ops/arithmetic.ts';
import { meanOverRows } from './ops/mean-over-rows.ts';
import { softmaxOperation } from './ops/softmax.ts';
import type { Plan } from './plan.ts';
import { Tensor } from './tensor.ts';
import { makeState, STATE_WORDS } from './training-state.ts';

export interface ModelSpec {
  /** Shape of one example, without the batch axis; images as [height, width, channels]. */
  readonly inputShape: readonly number[];
  readonly layers: readonly Layer[];
  /** Of the initial weights and of everything drawn in training; 0 by default. */
  readonly seed?: number;
  /** 'uint32' for token indices; 'float32' by default. */
  readonly inputType?: DataType;
}

/** The forward pass as nodes. */
export interface Forward {
  readonly x: Node;
  /** What the last layer gives. */
  readonly output: Node;
  /** What goes into the softmax that ends the model; the output itself where none does. */
  readonly logits: Node;
  readonly parameters: ReadonlyMap<string, Node>;
  /** What layers name: `activation/dense_1`, `preactivation/dense_1`, `attention/selfAttention_1`, in the order in which they are computed. */
  readonly activations: ReadonlyMap<string, Node>;
}

export interface ForwardOptions {
  readonly training?: boolean;
  /** The training state that dropout is keyed by. */
  readonly state?: Node;
}

export interface LayerSummary {
  readonly name: string;
  readonly kind: string;
  /** Of one example. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
}

export interface ParameterSpec {
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** In floats, from the start of the flat buffer. */
  readonly offset: number;
}

const ALIGNED_FLOATS = ALIGNMENT / 4;

/** Rows that one run of a prediction plan serves at most. */
const MOST_ROWS = 256;

/** Examples: a tensor [rows, ...inputShape], or values of as many rows as they fill. */
export type Examples = Tensor | Float32Array | Uint32Array | readonly number[];

/**
 * Builds a model and draws its initial weights, the same on every adapter.
 *
 * @throws VitrineError `shape-mismatch`, `unknown-layer`, `duplicate-name`, `invalid-option`, `limit-exceeded`, `out-of-memory`
 */
export async function buildModel(device: Device, spec: ModelSpec): Promise<Model> {
  const { layers, layout, floats } = modelLayout(spec);
  return device.guarded('model', () => new Model(device, spec, layers, layout, floats));
}

export interface ModelLayout {
  readonly layers: readonly LayerSummary[];
  readonly layout: ReadonlyMap<string, ParameterSpec>;
  /** Length of the flat buffer. */
  readonly floats: number;
}

/** What a specification comes to, without a device. @throws VitrineError as buildModel, but for those of the GPU */
export function modelLayout(spec: ModelSpec): ModelLayout {
  if (spec.layers.length === 0) throw new VitrineError('invalid-option', 'The model has no layers.', 'give at least one layer.');
  for (const size of spec.inputShape) checkWhole('inputShape', size, 1);
  checkWhole('seed', spec.seed ?? 0, 0, 0xffffffff);
  const layout = new Map<string, ParameterSpec>();
  let floats = 0;
  const { layers } = forwardPass(spec, new Graph(), 1, {}, (graph, name, shape, initializer) => {
    if (layout.has(name)) throw duplicateName(name);
    checkInitializer(name, initializer);
    layout.set(name, { shape, initializer, offset: floats });
    floats += Math.ceil(elements(shape) / ALIGNED_FLOATS) * ALIGNED_FLOATS;
    return graph.placeholder(name, shape);
  });
  return { layers, layout, floats: Math.max(floats, ALIGNED_FLOATS) };
}

export class Model {
  readonly device: Device;
  readonly spec: ModelSpec;
  readonly layers: readonly LayerSummary[];
  /** By name, such as `dense_1/weight`; each a part of `flatParameters`. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** All parameters, each from a multiple of 64 floats on; padding is zero and stays zero. */
  readonly flatParameters: Tensor;
  readonly parameterCount: number;
  /** Freed with the model: what stands on its buffers. */
  readonly dependants: Set<{ dispose(): void }> = new Set();
  readonly #layout: ReadonlyMap<string, ParameterSpec>;
  readonly #plans = new Map<string, Promise<CompiledForward>>();
  /** What a lost device is filled from; a trainer keeps it fresh. */
  #safe: Float32Array;
  #disposed = false;

  constructor(
    device: Device,
    spec: ModelSpec,
    layers: readonly LayerSummary[],
    layout: ReadonlyMap<string, ParameterSpec>,
    floats: number,
  ) {
    this.device = device;
    this.spec = spec;
    this.layers = layers;
    this.#layout = layout;
    this.parameterCount = [...layout.values()].reduce((sum, { shape }) => sum + elements(shape), 0);
    this.flatParameters = device.empty([floats], 'float32', 'parameters', { recoverable: true });
    this.parameters = this.partition('', this.flatParameters);
    this.#safe = this.initialParameters(spec.seed ?? 0);
    this.flatParameters.write(this.#safe);
    device.register(this);
  }

  /** Initial values of the flat buffer for a seed. */
  initialParameters(seed: number): Float32Array<ArrayBuffer> {
    const values = new Float32Array(this.flatParameters.length);
    for (const [name, { shape, initializer, offset }] of this.#layout) {
      initialize(values.subarray(offset, offset + elements(shape)), name, shape, initializer, seed);
    }
    return values;
  }

  /** The parts of a flat buffer laid out like the parameters, named with a prefix. */
  partition(prefix: string, flat: Tensor): Map<string, Tensor> {
    const parts = new Map<string, Tensor>();
    for (const [name, { shape, offset }] of this.#layout) {
      const part = {
        name: prefix + name,
        shape,
        dtype: 'float32' as const,
        storage: flat.storage,
        byteOffset: flat.byteOffset + 4 * offset,
        owned: false,
      };
      parts.set(name, new Tensor(this.device, part));
    }
    return parts;
  }

  /** First float and length of each parameter in the flat buffer. */
  extents(): Map<string, { readonly offset: number; readonly length: number; readonly shape: readonly number[] }> {
    return new Map([...this.#layout].map(([name, { offset, shape }]) => [name, { offset, shape, length: elements(shape) }]));
  }

  /** Number of classes, where the model ends in one axis. */
  get classes(): number | undefined {
    const shape = this.layers.at(-1)?.outputShape;
    return shape?.length === 1 ? shape[0] : undefined;
  }

  /** Adds the forward pass for `rows` rows to a graph; parameters become placeholders that `bindings` gives tensors to. */
  forward(graph: Graph, rows: number, options: ForwardOptions = {}): Forward {
    return forwardPass(this.spec, graph, rows, options, (g, name, shape) => g.placeholder(name, shape)).forward;
  }

  /** The tensors of a forward pass's parameter placeholders. */
  bindings(forward: Forward): Map<Node, Tensor> {
    return new Map([...forward.parameters].map(([name, node]) => [node, this.parameters.get(name) as Tensor]));
  }

  /** A table of layers, output shapes and parameter counts, as Keras prints it. */
  summary(): string {
    const rows = [
      ['Layer', 'Output shape', 'Parameters'],
      ...this.layers.map(({ name, kind, outputShape, parameters }) => [
        `${name} (${kind})`,
        show(outputShape),
        parameters.toLocaleString('en'),
      ]),
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
    const line = (row: readonly string[]): string =>
      `${(row[0] as string).padEnd(widths[0] as number)}  ${(row[1] as string).padEnd(widths[1] as number)}  ${(row[2] as string).padStart(widths[2] as number)}`.trimEnd();
    return [...rows.map(line), `Total parameters: ${this.parameterCount.toLocaleString('en')}`].join('\n');
  }

  /** The model's output, [rows, ...outputShape]. The caller disposes of it. @throws VitrineError `shape-mismatch`, `non-finite-data` */
  async predict(x: Examples): Promise<Tensor> {
    return (await this.#run('output', x)).get('output') as Tensor;
  }

  /** What goes into the softmax at the end of the model, [rows, classes]; the output where it ends in none. The caller disposes of it. */
  async logits(x: Examples): Promise<Tensor> {
    return (await this.#run('logits', x)).get('logits') as Tensor;
  }

  /** Every layer's output, pre-activation and attention weights by name, in order, [rows, ...]. The caller disposes of them. */
  async activations(x: Examples): Promise<Map<string, Tensor>> {
    return this.#run('activations', x);
  }

  /**
   * The loss of some examples and its gradients, with respect to every parameter and to the input.
   *
   * **Shapes** x [rows, ...inputShape]; labels [rows] class indices, or targets [rows, ...outputShape] for 'meanSquaredError'. The loss is the mean
   * over rows, in nats for cross-entropy. The caller disposes of the tensors.
   * @throws VitrineError `shape-mismatch`, `label-out-of-range`, `non-finite-data`
   */
  async gradients(
    x: Examples,
    labels: ArrayLike<number>,
    options: { readonly loss?: Loss } = {},
  ): Promise<{ loss: number; parameters: Map<string, Tensor>; input: Tensor }> {
    const loss = options.loss ?? 'crossEntropy';
    const rows = this.rowsOf(x);
    const { device } = this;
    const graph = new Graph();
    const state = graph.placeholder('state', [STATE_WORDS], 'uint32');
    const forward = this.forward(graph, rows);
    const { answer, rowLoss } = buildLoss(loss, forward);
    const mean = meanOverRows(rowLoss, state);
    const wrt = [forward.x, ...forward.parameters.values()];
    // A gradient may be a view or be shared; the copy gives each a tensor of its own.
    const gradients = differentiate(mean, wrt).map((gradient, i) => gradient && distinct(gradient, wrt[i] as Node));
    const roots = [mean, ...gradients.filter((gradient) => gradient !== undefined)];
    const plan = await compile(device, roots, { name: 'gradients', tensors: this.bindings(forward) });
    try {
      plan.tensor(state).write(makeState({ rows, batch: rows }));
      this.writeRows(plan.tensor(forward.x), x, 0, rows);
      plan.tensor(answer).write(checkAnswers(this, loss, labels, answer.shape));
      plan.run();
      const take = (node: Node | undefined, like: Node, name: string): Tensor => {
        const result = device.empty(like.shape, 'float32', name);
        if (node) copyTensor(device, plan.tensor(node), result);
        return result;
      };
      const parameters = new Map(
        [...forward.parameters].map(([name, node], i) => [name, take(gradients[i + 1], node, `gradient/${name}`)]),
      );
      const input = take(gradients[0], forward.x, 'gradient/input');
      return { loss: (await plan.tensor(mean).read())[0] as number, parameters, input };
    } finally {
      plan.dispose();
    }
  }

  /** @throws VitrineError `tensor-disposed` */
  requireAlive(): void {
    if (this.#disposed)
      throw new VitrineError('tensor-disposed', 'The model was used after dispose().', 'keep the model until its last use.');
  }

  /** Number of examples in `x`, once it is found fit. @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `tensor-disposed` */
  rowsOf(x: Examples): number {
    this.requireAlive();
    const features = elements(this.spec.inputShape);
    const length = x.length;
    const fits = x instanceof Tensor ? elements(x.shape.slice(1)) === features && x.shape.length > 0 : length % features === 0;
    if (!fits) {
      const got = x instanceof Tensor ? show(x.shape) : `${length} values`;
      throw shapeMismatch(
        `The model takes examples of ${show(this.spec.inputShape)} (${features} values) but got ${got}.`,
        'pass [rows, ...inputShape], or a multiple of that many values.',
        { inputShape: this.spec.inputShape, actual: x instanceof Tensor ? x.shape : [length] },
      );
    }
    if (length === 0) throw new VitrineError('empty-dataset', 'There are no examples to look at.', 'pass at least one example.');
    const inputType = this.spec.inputType ?? 'float32';
    if (x instanceof Tensor) requireType('model', x, 'x', inputType);
    else if (inputType === 'float32') checkFinite('x', 'input', x instanceof Float32Array ? x : Float32Array.from(x), features);
    return length / features;
  }

  /** Puts rows of the examples, which `rowsOf` found fit, into the first rows of a plan's input. */
  writeRows(into: Tensor, x: Examples, first: number, rows: number, owner: Owner = 'engine'): void {
    const features = elements(this.spec.inputShape);
    if (x instanceof Tensor) {
      this.device.submit(owner, 'input', (encoder) => {
        encoder.copyBufferToBuffer(x.buffer, x.byteOffset + 4 * first * features, into.buffer, into.byteOffset, 4 * rows * features);
        this.device.count(owner, 'copyBuffer');
      });
      return;
    }
    const array = into.dtype === 'uint32' ? Uint32Array : Float32Array;
    const values = array.from(x.slice(first * features, (first + rows) * features) as ArrayLike<number>);
    this.device.writeBuffer(owner, into.storage, into.byteOffset, values);
  }

  async #run(what: 'output' | 'logits' | 'activations', x: Examples): Promise<Map<string, Tensor>> {
    const rows = this.rowsOf(x);
    const capacity = Math.min(MOST_ROWS, 2 ** Math.ceil(Math.log2(rows)));
    const { plan, input, outputs } = await this.#plan(what, capacity);
    // Nothing is awaited in between: another call may use the same plan.
    return this.device.guarded(what, () => {
      const results = new Map<string, Tensor>();
      for (const [name, node] of outputs) results.set(name, this.device.empty([rows, ...node.shape.slice(1)], node.dtype, name));
      for (let first = 0; first < rows; first += capacity) {
        const count = Math.min(capacity, rows - first);
        this.writeRows(plan.tensor(input), x, first, count);
        plan.run();
        for (const [name, node] of outputs) {
          const bytes = 4 * elements(node.shape.slice(1));
          copyBytes(this.device, plan.tensor(node), 0, results.get(name) as Tensor, first * bytes, count * bytes);
        }
      }
      return results;
    });
  }

  #plan(what: 'output' | 'logits' | 'activations', capacity: number): Promise<CompiledForward> {
    const key = `${what} ${capacity}`;
    let found = this.#plans.get(key);
    if (!found) {
      found = this.#compile(what, capacity);
      this.#plans.set(key, found);
      found.catch(() => this.#plans.delete(key));
    }
    return found;
  }

  async #compile(what: 'output' | 'logits' | 'activations', capacity: number): Promise<CompiledForward> {
    const forward = this.forward(new Graph(), capacity);
    const outputs: ReadonlyMap<string, Node> = what === 'activations' ? forward.activations : new Map([[what, forward[what]]]);
    const plan = await compile(this.device, [...outputs.values()], { name: `${what} of ${capacity}`, tensors: this.bindings(forward) });
    return { plan, input: forward.x, outputs };
  }

  /** What a lost device is to be filled from, from now on. */
  keepSafe(parameters: Float32Array): void {
    this.#safe = parameters;
  }

  /** After the device was replaced. */
  rebuild(): void {
    this.flatParameters.write(this.#safe);
  }

  /** Frees the parameters and every plan. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.device.unregister(this);
    for (const dependant of this.dependants) dependant.dispose();
    for (const plan of this.#plans.values()) plan.then((compiled) => compiled.plan.dispose()).catch(() => undefined);
    this.flatParameters.dispose();
  }
}

interface CompiledForward {
  readonly plan: Plan;
  readonly input: Node;
  readonly outputs: ReadonlyMap<string, Node>;
}

/** A node that is no other's place: a product by 1 for what is a view, a placeholder, a constant, or already taken. */
export function distinct(gradient: Node, of: Node): Node {
  const plain = gradient.operation && !gradient.operation.view && gradient.operation.name !== 'fill' && gradient !== of;
  return plain ? gradient : scale(gradient, 1);
}

/** Labels or targets as their placeholder holds them. @throws VitrineError `shape-mismatch`, `label-out-of-range`, `non-finite-data` */
export function checkAnswers(model: Model, loss: Loss, answers: ArrayLike<number>, shape: readonly number[]): Float32Array | Uint32Array {
  if (answers.length !== elements(shape)) {
    throw shapeMismatch(
      `${answers.length} ${loss === 'crossEntropy' ? 'labels' : 'target values'} do not fill ${show(shape)}.`,
      loss === 'crossEntropy' ? 'give one label an example.' : "give each example a target in the shape of the model's output.",
      { expected: shape, actual: answers.length },
    );
  }
  if (loss === 'crossEntropy') {
    if (model.classes !== undefined) checkLabels('labels', answers, model.classes);
    return Uint32Array.from(answers);
  }
  const values = Float32Array.from(answers);
  checkFinite('targets', 'target', values, elements(shape.slice(1)));
  return values;
}

export function copyBytes(
  device: Device,
  from: Tensor,
  fromByte: number,
  to: Tensor,
  toByte: number,
  bytes: number,
  owner: Owner = 'engine',
): void {
  device.submit(owner, `copy ${from.name}`, (encoder) => {
    encoder.copyBufferToBuffer(from.buffer, from.byteOffset + fromByte, to.buffer, to.byteOffset + toByte, bytes);
    device.count(owner, 'copyBuffer');
  });
}

const copyTensor = (device: Device, from: Tensor, to: Tensor): void => copyBytes(device, from, 0, to, 0, from.bytes);

type MakeParameter = (graph: Graph, name: string, shape: readonly number[], initializer: Initializer) => Node;

const duplicateName = (name: string): VitrineError =>
  new VitrineError('duplicate-name', `Two layers or parameters are called '${name}'.`, 'give one of them another name, or none.', { name });

/** Walks the layers and builds their nodes. */
function forwardPass(
  spec: ModelSpec,
  graph: Graph,
  rows: number,
  options: ForwardOptions,
  makeParameter: MakeParameter,
): { forward: Forward; layers: LayerSummary[] } {
  const x = graph.placeholder('input', [rows, ...spec.inputShape], spec.inputType ?? 'float32');
  const parameters = new Map<string, Node>();
  const activations = new Map<string, Node>();
  const layers: LayerSummary[] = [];
  const names = new Set<string>();

  const buildIn = (prefix: string, counts: Map<string, number>, layer: Layer, input: Node): Node => {
    const number = (counts.get(layer.kind) ?? 0) + 1;
    if (layer.name === undefined) counts.set(layer.kind, number);
    const name = prefix + (layer.name ?? `${layer.kind}_${number}`);
    if (names.has(name)) throw duplicateName(name);
    names.add(name);
    const inner = new Map<string, number>();
    let count = 0;
    const context: LayerContext = {
      name,
      training: options.training ?? false,
      state: options.state,
      parameter: (parameter, shape, initializer) => {
        const full = `${name}/${parameter}`;
        const node = makeParameter(graph, full, shape, initializer);
        parameters.set(full, node);
        count += elements(shape);
        return node;
      },
      layer: (child, childInput) => {
        const before = parameters.size;
        const result = buildIn(`${name}/`, inner, child, childInput);
        for (const node of [...parameters.values()].slice(before)) count += elements(node.shape);
        return result;
      },
    };
    const output = layerKind(layer.kind).build(context, input, layer.options);
    if (output !== input) output.name ??= `activation/${name}`;
    if (prefix === '') layers.push({ name, kind: layer.kind, outputShape: output.shape.slice(1), parameters: count });
    return output;
  };

  const counts = new Map<string, number>();
  let output = x;
  for (const layer of spec.layers) output = buildIn('', counts, layer, output);
  for (const node of graph.nodes.slice(x.id)) if (node.operation && node.name) activations.set(node.name, node);
  const logits = output.operation === softmaxOperation ? (output.inputs[0] as Node) : output;
  return { forward: { x, output, logits, parameters, activations }, layers };
}
