/**
 * What every explanation method stands on. A method is a **recipe**: it builds a graph around the model's own graph for some examples and some
 * samples of each. The explainer compiles it to a plan over the network's parameter buffers, bound `read`, so that the GPU itself forbids it to
 * change the network, and runs it in blocks of examples and slices of samples that fit a byte budget.
 *
 *     recipe ──► scene (graph, forward pass, target, data) ──► plan, kept by key ──► blocks of examples × slices of samples
 *
 * Nothing of a call lives in the plan between two runs: examples, sums so far and results are the call's own tensors, copied in and out in the
 * submit that runs the plan. So calls may overlap, training may go on between runs, and activations may share one workspace.
 *
 * **The same bits**: how many examples share a run depends on shapes and budget and touches no sum; samples are summed in the order of their
 * numbers whatever the slices. An example's map is the same alone and among others.
 */

import { compile } from '../engine/compile.ts';
import type { Device } from '../engine/device.ts';
import { checkNumber, checkWhole, shapeMismatch, show, VitrineError } from '../engine/errors.ts';
import { ancestors, Graph, type Node, substitution } from '../engine/graph.ts';
import type { Examples, Forward, Model } from '../engine/model.ts';
import { type DataType, elements, rowElements } from '../engine/operation.ts';
import { affineOperation } from '../engine/ops/affine.ts';
import { embeddingOperation } from '../engine/ops/embedding.ts';
import { sum } from '../engine/ops/reduce.ts';
import type { Plan } from '../engine/plan.ts';
import { Tensor } from '../engine/tensor.ts';
import { type Attribution, disposeAll, type ExplainOptions, requireGoingOn, unsupportedModel } from './attribution.ts';
import { AVERAGE, averaged, constantRows, type RowSource, type TensorRow } from './baselines.ts';
import { explainedOutput, NO_CLASS, OUTPUT_KINDS, outputSeed, resolveTarget } from './ops/explained-output.ts';
import { Workspace } from './workspace.ts';

export { type Baseline, baselineRows } from './baselines.ts';

/** What a method computes. */
export interface Recipe {
  /** Name of the method, as it is exported. */
  readonly method: string;
  /** Tells the method's graphs apart: every option that changes the graph. Plans are kept by it. */
  readonly key?: string;
  /**
   * How the method deals with token indices, which have no gradient and no values in between. `true`: it needs neither. 'embedded': it explains from
   * their embedding on, `Scene.x` being [rows, tokens, width], and its values are shares, of which a token has the sum over the embedding's axis
   * (Sundararajan, Taly, Yan 2017, section 6.3; Captum's LayerIntegratedGradients). Absent: it refuses them.
   */
  readonly tokens?: true | 'embedded';
  /** The method is about no class: the model may end in anything, and the result has no `target` and no `output`. */
  readonly classless?: true;
  /** Samples of each example, all runs together; 1 by default. */
  readonly samples?: number;
  /** Samples of an example that one run takes at most; 64 by default. */
  readonly samplesPerRun?: number;
  /** Rows of the network that one sample takes; 1 by default. */
  readonly rowsPerSample?: number;
  /** Tensors that the graph reads whole, such as a background set; the caller keeps them alive. They do not depend on the example. */
  readonly shared?: Readonly<Record<string, Tensor>>;
  /** Values that each run is given for `Scene.input`, for the samples from `first` on; `count` of the `width` places of a run are used. */
  slice?(first: number, count: number, width: number): Readonly<Record<string, RunData>>;
  /** Values for `Scene.rowInput`, for the examples from `first` on. */
  block?(first: number, count: number): Readonly<Record<string, Float32Array | Uint32Array>>;
  /** Values for `Scene.rowInput` that are on the GPU, each [examples, ...]; the caller keeps them alive. */
  readonly rowTensors?: Readonly<Record<string, Tensor>>;
  /**
   * Called after each run where given: `carried` are the tensors of `Built.carry`, [rows, ...], of the `count` examples from `first` on after
   * `samples` samples of each. True is enough: their remaining samples are left out.
   */
  observe?(seen: Observed): boolean | Promise<boolean>;
  build(scene: Scene): Built;
}

export interface Observed {
  readonly first: number;
  readonly count: number;
  readonly samples: number;
  readonly carried: ReadonlyMap<string, Tensor>;
  /** Runs that are done, and all that there will be at most. */
  readonly done: number;
  readonly total: number;
}

export interface Built {
  /** By name; each [examples, ...]. `values` is the map. */
  readonly outputs: Readonly<Record<string, Node>>;
  /** For each `Scene.carried`, its value after this run. */
  readonly carry?: Readonly<Record<string, Node>>;
}

/** Values, or rows of tensors that are on the GPU and stay the caller's: those alone are copied. */
export type RunData = Float32Array | Uint32Array | readonly TensorRow[];

/** What a recipe builds with. */
export interface Scene {
  readonly model: Model;
  readonly graph: Graph;
  /** Examples in a run. */
  readonly rows: number;
  /** Samples of each in a run. */
  readonly samples: number;
  /** [rows, ...inputShape]; of token indices that are explained from their embedding on, [rows, tokens, width]. */
  readonly x: Node;
  /** The model's forward pass of x, which is its `x`. */
  readonly forward: Forward;
  /** The explained class of each example, uint32 [rows]. */
  readonly target: Node;
  /** The forward pass of other rows: a multiple of `rows`, an example's neighbours. */
  forwardOf(x: Node): Forward;
  /** The forward pass from the first affine map's output on; `x` of the result is `z`. Only where `firstAffine` finds one. */
  forwardFrom(z: Node): Forward;
  /** The baseline of each example, in the shape of x. */
  baseline(): Node;
  /** The explained number of each row of logits [rows · n, classes]. */
  output(logits: Node): Node;
  /** Its gradient with respect to the logits: what `differentiate` starts from. */
  seed(logits: Node): Node;
  /** Data of a run, given by `Recipe.slice`. */
  input(name: string, shape: readonly number[], dtype?: DataType): Node;
  /** Data of each example, [rows, ...], given by `Recipe.block`. */
  rowInput(name: string, shape: readonly number[], dtype?: DataType): Node;
  /** One of `Recipe.shared`. */
  shared(name: string): Node;
  /** What the run before left under this name in `Built.carry`, [rows, ...]; zeros in the first. */
  carried(name: string, shape: readonly number[]): Node;
}

/** Bytes that the activations of one run may take. */
const DEFAULT_BUDGET = 64 * 2 ** 20;
/** Rows of one run, examples times samples: a run is then short enough to train in between. */
const MOST_RUN_ROWS = 4096;
const MOST_EXAMPLES = 256;
const MOST_SAMPLES = 64;
/** Plans kept of one model. */
const MOST_PROGRAMS = 24;
/** Bytes of workspace beyond which idle plans are dropped with it. */
const MOST_WORKSPACE = 256 * 2 ** 20;
/** Runs in flight: the GPU has the next at hand, training waits for no more than this. */
const MOST_IN_FLIGHT = 2;

interface Program {
  readonly plan: Plan;
  readonly x: Node;
  readonly inputs: ReadonlyMap<string, Node>;
  readonly rowInputs: ReadonlyMap<string, Node>;
  readonly carried: ReadonlyMap<string, Node>;
  readonly built: Built;
}

interface Entry {
  readonly program: Promise<Program>;
  /** Calls that are using it. */
  users: number;
}

/** What a call gives besides the map's tensors. */
export interface Explained {
  /** By the names of `Built.outputs`, and `target` and `output`; each [examples, ...]. The caller disposes of them. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly step?: number;
  readonly lastStep?: number;
}

const explainers = new WeakMap<Model, Explainer>();
const workspaces = new WeakMap<Device, { workspace: Workspace; users: number }>();

/** The explainer of a model; it is freed with the model. */
export function explainerOf(model: Model): Explainer {
  model.requireAlive();
  let found = explainers.get(model);
  if (!found) {
    found = new Explainer(model);
    explainers.set(model, found);
    model.dependants.add(found);
  }
  return found;
}

export class Explainer {
  readonly #model: Model;
  readonly #programs = new Map<string, Entry>();
  readonly #home: { workspace: Workspace; users: number };
  #bytes = new Map<string, { perExample: number; perSample: number }>();

  constructor(model: Model) {
    this.#model = model;
    const home = workspaces.get(model.device) ?? { workspace: new Workspace(model.device), users: 0 };
    workspaces.set(model.device, home);
    home.users += 1;
    this.#home = home;
  }

  /**
   * Runs a recipe for every example.
   *
   * @throws VitrineError what the model's inputs can be wrong in; `unsupported-model`, `label-out-of-range`, `invalid-option`, `aborted`,
   * `device-lost`
   */
  async run(one: Recipe, x: Examples, options: ExplainOptions & { readonly baseline?: RowSource }): Promise<Explained> {
    const model = this.#model;
    const { device } = model;
    const examples = model.rowsOf(x);
    const baselines = options.baseline?.baselines ?? 1;
    const recipe = baselines > 1 ? averaged(one) : one;
    const { method } = recipe;
    const classes = requireExplainable(recipe, model);
    const asked = classesOf(method, 'target', options.target, examples, classes);
    const against = classesOf(method, 'against', options.against, examples, classes);
    const kind = OUTPUT_KINDS[options.output ?? 'logit'];
    if (kind === undefined) {
      throw new VitrineError(
        'invalid-option',
        `${method}: there is no output '${String(options.output)}'.`,
        `use one of ${Object.keys(OUTPUT_KINDS).join(', ')}.`,
        { output: options.output },
      );
    }
    if (classes === 1 && kind !== OUTPUT_KINDS.logit) {
      throw new VitrineError(
        'invalid-option',
        `${method}: the model has one output, of which '${options.output}' is always the same.`,
        'leave output out, which explains the output itself.',
        { output: options.output, classes },
      );
    }
    const samples = recipe.samples ?? 1;
    checkWhole(`${method}: samples`, samples, 1);
    checkNumber(`${method}: budget`, options.budget ?? DEFAULT_BUDGET, 1);
    requireGoingOn(method, options.signal);
    await device.ready();

    const size = this.#runSize(recipe, examples, samples, options.budget ?? DEFAULT_BUDGET);
    const entry = this.#entry(recipe, size.rows, size.samples);
    entry.users += 1;
    const results = new Map<string, Tensor>();
    const carried = new Map<string, Tensor>();
    /** Averages with the current baseline in them, until it is done. */
    const averages = new Map<string, Tensor>();
    try {
      const program = await entry.program;
      await device.guarded(method, () => {
        for (const [name, node] of Object.entries(program.built.outputs)) {
          results.set(name, device.empty([examples, ...node.shape.slice(1)], node.dtype, `${method}/${name}`, { owner: 'explain' }));
        }
        for (const [name, node] of program.carried) {
          const make = (): Tensor => device.empty(node.shape, node.dtype, `${method}/${name}`, { owner: 'explain' });
          carried.set(name, make());
          if (name.startsWith(AVERAGE)) averages.set(name, make());
        }
      });
      const steps: (number | undefined)[] = [];
      const inFlight: Promise<void>[] = [];
      const slices = Math.ceil(samples / size.samples);
      const total = Math.ceil(examples / size.rows) * slices * baselines;
      let done = 0;
      for (let first = 0; first < examples; first += size.rows) {
        const count = Math.min(size.rows, examples - first);
        for (let baseline = 0; baseline < baselines; baseline++) {
          for (let slice = 0; slice < slices; slice++) {
            requireGoingOn(method, options.signal);
            const firstSample = slice * size.samples;
            const sliceCount = Math.min(size.samples, samples - firstSample);
            model.requireAlive();
            const last = baseline === baselines - 1 && (slice === slices - 1 || recipe.observe !== undefined);
            this.#runOnce(program, {
              x,
              first,
              count,
              baseline: options.baseline && { rows: options.baseline, index: baseline },
              rows: {
                target: asked.subarray(first, first + count),
                against: against.subarray(first, first + count),
                ...recipe.block?.(first, count),
              },
              data: {
                kind: Uint32Array.of(kind),
                [`${AVERAGE}draw`]: Uint32Array.of(0, baseline, 1),
                ...recipe.slice?.(firstSample, sliceCount, size.samples),
              },
              shared: recipe.shared ?? {},
              rowTensors: recipe.rowTensors ?? {},
              carried,
              averages,
              fresh: { samples: slice === 0, averages: baseline === 0 },
              results: last ? results : undefined,
            });
            steps.push(stepOf(model));
            done += 1;
            if (total > 1) {
              inFlight.push(device.gpu.queue.onSubmittedWorkDone());
              if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
            }
            options.onProgress?.({ done, total });
            if (await recipe.observe?.({ first, count, samples: firstSample + sliceCount, carried, done, total })) {
              done += slices - 1 - slice;
              break;
            }
          }
          // What this baseline was averaged into is what the next one is averaged with.
          for (const [name, tensor] of averages) {
            averages.set(name, carried.get(name) as Tensor);
            carried.set(name, tensor);
          }
        }
      }
      await Promise.all(inFlight);
      const step = steps[0];
      const lastStep = steps.at(-1);
      return {
        tensors: results,
        ...(step === undefined ? {} : { step }),
        ...(lastStep === undefined || lastStep === step ? {} : { lastStep }),
      };
    } catch (error) {
      disposeAll(results.values());
      throw error;
    } finally {
      entry.users -= 1;
      disposeAll([...carried.values(), ...averages.values()]);
    }
  }

  /** Writes the data of one run, then copies in, runs and copies out, in one submit. Nothing is awaited, so the workspace is this run's. */
  #runOnce(
    program: Program,
    run: {
      x: Examples;
      first: number;
      count: number;
      baseline: { readonly rows: RowSource; readonly index: number } | undefined;
      rows: Readonly<Record<string, Float32Array | Uint32Array>>;
      data: Readonly<Record<string, RunData>>;
      shared: Readonly<Record<string, Tensor>>;
      rowTensors: Readonly<Record<string, Tensor>>;
      carried: ReadonlyMap<string, Tensor>;
      averages: ReadonlyMap<string, Tensor>;
      /** Whether the first of an example's samples, and the first of its baselines, are in this run. */
      fresh: { readonly samples: boolean; readonly averages: boolean };
      results: ReadonlyMap<string, Tensor> | undefined;
    },
  ): void {
    const model = this.#model;
    const { device } = model;
    const { plan, built } = program;
    const copies: { from: Tensor; fromByte: number; to: Tensor; toByte: number; bytes: number }[] = [];
    const write = (node: Node, values: RunData): void => {
      const into = plan.tensor(node);
      if (values instanceof Float32Array || values instanceof Uint32Array) {
        if (values.length > 0) device.writeBuffer('explain', into.storage, into.byteOffset, values);
        return;
      }
      const bytes = 4 * rowElements(node.shape);
      values.forEach(({ tensor, row }, i) => {
        copies.push({ from: tensor, fromByte: row * bytes, to: into, toByte: i * bytes, bytes });
      });
    };
    const input = plan.tensor(program.x);
    if (run.x instanceof Tensor) {
      const bytes = 4 * rowElements(input.shape);
      copies.push({ from: run.x, fromByte: run.first * bytes, to: input, toByte: 0, bytes: run.count * bytes });
    } else model.writeRows(input, run.x, run.first, run.count, 'explain');
    for (const [name, node] of program.rowInputs) {
      const values = run.rows[name];
      const tensor = run.rowTensors[name];
      if (values) write(node, values);
      else if (tensor) {
        const bytes = 4 * rowElements(node.shape);
        copies.push({ from: tensor, fromByte: run.first * bytes, to: plan.tensor(node), toByte: 0, bytes: run.count * bytes });
      } else if (name === 'baseline') {
        const { rows, index } = run.baseline ?? { rows: constantRows(0), index: 0 };
        write(node, rows(run.first, run.count, model, index, rowElements(node.shape)));
      }
    }
    for (const [name, node] of program.inputs) {
      const values = run.data[name];
      const tensor = run.shared[name];
      if (values) write(node, values);
      else if (tensor) copies.push({ from: tensor, fromByte: 0, to: plan.tensor(node), toByte: 0, bytes: tensor.bytes });
    }
    device.submit('explain', plan.name, (encoder) => {
      for (const { from, fromByte, to, toByte, bytes } of copies) {
        encoder.copyBufferToBuffer(from.buffer, from.byteOffset + fromByte, to.buffer, to.byteOffset + toByte, bytes);
      }
      for (const [name, node] of program.carried) {
        const to = plan.tensor(node);
        if (name.startsWith(AVERAGE) ? run.fresh.averages : run.fresh.samples) encoder.clearBuffer(to.buffer, to.byteOffset, to.bytes);
        else {
          const from = run.carried.get(name) as Tensor;
          encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset, to.bytes);
        }
      }
      const pass = encoder.beginComputePass({ label: plan.name });
      plan.encode(pass);
      pass.end();
      for (const [name, node] of Object.entries(built.carry ?? {})) {
        const from = plan.tensor(node);
        const to = (run.averages.get(name) ?? run.carried.get(name)) as Tensor;
        encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset, to.bytes);
      }
      for (const [name, to] of run.results ?? []) {
        const from = plan.tensor(built.outputs[name] as Node);
        const bytes = 4 * rowElements(to.shape);
        encoder.copyBufferToBuffer(from.buffer, from.byteOffset, to.buffer, to.byteOffset + run.first * bytes, run.count * bytes);
      }
      device.count('explain', 'copyBuffer', copies.length + (run.results?.size ?? 0));
    });
  }

  /** Examples and samples of one run: powers of two of examples, so that few plans serve all numbers of them. */
  #runSize(recipe: Recipe, examples: number, samples: number, budget: number): { rows: number; samples: number } {
    const { perExample, perSample } = this.#bytesOf(recipe);
    const { samplesPerRun = MOST_SAMPLES, rowsPerSample = 1 } = recipe;
    const mostRows = Math.max(1, Math.floor(MOST_RUN_ROWS / rowsPerSample));
    const affordable = perSample > 0 ? Math.floor((budget - perExample) / perSample) : samples;
    const taken = Math.max(1, Math.min(samples, samplesPerRun, mostRows, affordable));
    const most = Math.max(1, Math.min(MOST_EXAMPLES, Math.floor(mostRows / taken), Math.floor(budget / (perExample + taken * perSample))));
    return { rows: Math.min(2 ** Math.floor(Math.log2(most)), 2 ** Math.ceil(Math.log2(examples))), samples: taken };
  }

  /** Bytes of a run's nodes: of each example, and of each of its samples besides. */
  #bytesOf(recipe: Recipe): { perExample: number; perSample: number } {
    const key = keyOf(recipe);
    const known = this.#bytes.get(key);
    if (known) return known;
    const bytesOf = (width: number): number => {
      const { scene, built } = this.#build(recipe, 1, width);
      const own = new Set(scene.forward.parameters.values());
      const nodes = ancestors([...Object.values(built.outputs), ...Object.values(built.carry ?? {})]);
      return nodes.reduce((sum, node) => sum + (own.has(node) || node.operation?.view ? 0 : 4 * elements(node.shape)), 0);
    };
    const one = bytesOf(1);
    const perSample = bytesOf(2) - one;
    const found = { perExample: one - perSample, perSample };
    this.#bytes.set(key, found);
    return found;
  }

  #entry(recipe: Recipe, rows: number, samples: number): Entry {
    const key = `${keyOf(recipe)} ${rows}×${samples}`;
    const kept = this.#programs.get(key);
    if (kept) {
      // The most recently used is last.
      this.#programs.delete(key);
      this.#programs.set(key, kept);
      return kept;
    }
    this.#makeRoom();
    const entry: Entry = { program: this.#compile(recipe, rows, samples, key), users: 0 };
    this.#programs.set(key, entry);
    entry.program.catch(() => this.#programs.delete(key));
    return entry;
  }

  /** Drops the plans least recently used, and where the workspace has grown past its bound, every idle plan with it. */
  #makeRoom(): void {
    const overfull = this.#home.workspace.bytes > MOST_WORKSPACE && this.#home.users === 1;
    for (const [key, { program, users }] of [...this.#programs]) {
      if (users > 0 || (this.#programs.size < MOST_PROGRAMS && !overfull)) continue;
      this.#programs.delete(key);
      program.then(({ plan }) => plan.dispose()).catch(() => undefined);
    }
    if (overfull && this.#programs.size === 0) this.#home.workspace.dispose();
  }

  async #compile(recipe: Recipe, rows: number, samples: number, key: string): Promise<Program> {
    const model = this.#model;
    const { scene, input, built, inputs, rowInputs, carried } = this.#build(recipe, rows, samples);
    const roots = [...new Set([...Object.values(built.outputs), ...Object.values(built.carry ?? {})])];
    const plan = await compile(model.device, roots, {
      name: `${key}`,
      owner: 'explain',
      tensors: model.bindings(scene.forward),
      allocate: this.#home.workspace.lease(),
      keep: [input, ...inputs.values(), ...rowInputs.values(), ...carried.values()],
    });
    return { plan, x: input, inputs, rowInputs, carried, built };
  }

  #build(recipe: Recipe, rows: number, samples: number) {
    const model = this.#model;
    const graph = new Graph();
    const whole = model.forward(graph, rows);
    const begin = recipe.tokens === 'embedded' ? explainedForward : (own: Forward): Forward => own;
    const forward = begin(whole);
    const inputs = new Map<string, Node>();
    const rowInputs = new Map<string, Node>();
    const carried = new Map<string, Node>();
    const once =
      (among: Map<string, Node>) =>
      (name: string, shape: readonly number[], dtype: DataType = 'float32'): Node => {
        const known = among.get(name);
        if (known) return known;
        const node = graph.placeholder(`${recipe.method}/${name}`, shape, dtype);
        among.set(name, node);
        return node;
      };
    const input = once(inputs);
    const rowInput = once(rowInputs);
    const carry = once(carried);
    // Made on demand: a method about no class has none of them.
    const against = (): Node => rowInput('against', [rows], 'uint32');
    const kind = (): Node => input('kind', [1], 'uint32');
    let resolved: Node | undefined;
    const target = (): Node => {
      resolved ??= resolveTarget(forward.logits, rowInput('target', [rows], 'uint32'));
      return resolved;
    };
    const perExample = (logits: Node): number => (logits.shape[0] as number) / rows;
    const scene: Scene = {
      model,
      graph,
      rows,
      samples,
      x: forward.x,
      forward,
      get target() {
        return target();
      },
      forwardOf: (x) => forwardOf(model, graph, forward, x, (own) => begin(own).x),
      forwardFrom: (z) => forwardOf(model, graph, forward, z, (own) => firstAffine(begin(own)) as Node),
      baseline: () => rowInput('baseline', forward.x.shape),
      output: (logits) => explainedOutput(logits, target(), against(), kind(), perExample(logits)),
      seed: (logits) => outputSeed(logits, target(), against(), kind(), perExample(logits)),
      input,
      rowInput,
      shared: (name) => {
        const tensor = recipe.shared?.[name];
        if (!tensor) throw new VitrineError('internal', `internal: ${recipe.method} shares no ${name}`, 'report this.');
        return input(name, tensor.shape, tensor.dtype);
      },
      carried: carry,
    };
    const own = recipe.build(scene);
    const about = recipe.classless ? {} : { target: scene.target, output: own.outputs.output ?? scene.output(forward.logits) };
    const built: Built = {
      ...own,
      outputs: { ...own.outputs, ...(recipe.tokens === 'embedded' ? perToken(model, own.outputs.values) : {}), ...about },
    };
    return { scene, input: whole.x, built, inputs, rowInputs, carried };
  }

  /** Frees its plans, and the workspace with the last explainer of a device. */
  dispose(): void {
    for (const { program } of this.#programs.values()) program.then(({ plan }) => plan.dispose()).catch(() => undefined);
    this.#programs.clear();
    this.#home.users -= 1;
    if (this.#home.users > 0) return;
    this.#home.workspace.dispose();
    workspaces.delete(this.#model.device);
  }
}

const keyOf = ({ method, key }: Recipe): string => (key ? `${method} ${key}` : method);

/** The training step that a model's parameters belong to. */
export function stepOf(model: Model): number | undefined {
  for (const tensor of model.parameters.values()) return tensor.step;
  return undefined;
}

/** The forward pass as methods explain it: of token indices from their embedding on, where that alone reads them; otherwise as it is. */
export function explainedForward(forward: Forward): Forward {
  if (forward.x.dtype !== 'uint32') return forward;
  const [reader, ...others] = ancestors([forward.logits]).filter(({ inputs }) => inputs.includes(forward.x));
  return reader?.operation === embeddingOperation && others.length === 0 ? { ...forward, x: reader } : forward;
}

/** The values of an embedding, [rows, tokens, width], as those of its tokens. */
function perToken(model: Model, values: Node | undefined): { readonly values?: Node } {
  const axes = 1 + model.spec.inputShape.length;
  return model.spec.inputType === 'uint32' && values?.shape.length === axes + 1 ? { values: sum(values, [axes]) } : {};
}

/** The model's forward pass with `value` in place of one of its nodes, over the same parameter nodes. */
export function forwardOf(model: Model, graph: Graph, forward: Forward, value: Node, place: (own: Forward) => Node): Forward {
  const own = model.forward(graph, value.shape[0] as number);
  const replacements = new Map<Node, Node>([[place(own), value]]);
  for (const [name, node] of own.parameters) replacements.set(node, forward.parameters.get(name) as Node);
  const read = substitution(graph, replacements);
  const activations = new Map([...own.activations].map(([name, node]) => [name, read(node)]));
  return { x: value, output: read(own.output), logits: read(own.logits), parameters: forward.parameters, activations };
}

/**
 * The affine map that alone reads the input, where the model begins with one (a reshape may come before it), of shape [rows, units]. What is
 * linear in the input can then be computed after it: a path of 50 points, or 65,536 masked inputs, at the width of its units.
 */
export function firstAffine(forward: Forward): Node | undefined {
  const nodes = ancestors([forward.logits]);
  let at = forward.x;
  for (;;) {
    const readers = nodes.filter((node) => node.inputs.includes(at));
    const [reader] = readers;
    if (readers.length !== 1 || !reader) return undefined;
    if (reader.operation === affineOperation) return reader.shape.length === 2 && reader.inputs[0] === at ? reader : undefined;
    if (!reader.operation?.view) return undefined;
    at = reader;
  }
}

/** Number of classes of a model that explanations can be about. @throws VitrineError `unsupported-model` */
function requireExplainable({ method, tokens, classless }: Recipe, model: Model): number {
  const embedded = tokens === 'embedded' && explainedForward(model.forward(new Graph(), 1)).x.dtype === 'float32';
  if (model.spec.inputType === 'uint32' && tokens !== true && !embedded) {
    throw unsupportedModel(
      method,
      'the model reads token indices, which have no gradient and no values in between.',
      'use integratedGradients, inputXGradient, deepLift, lrp or occlusion, which explain their embedding, or attentionWeights.',
    );
  }
  if (classless) return 0;
  if (model.classes === undefined) {
    throw unsupportedModel(
      method,
      `an example's output is ${show(model.layers.at(-1)?.outputShape ?? [])}; an explanation is about one of a list of outputs.`,
      'end the model in one axis, with flatten(), pooling or dense().',
    );
  }
  return model.classes;
}

/** Class indices of each example, NO_CLASS where none is given. @throws VitrineError `label-out-of-range`, `shape-mismatch` */
function classesOf(
  method: string,
  name: string,
  given: number | ArrayLike<number> | undefined,
  examples: number,
  classes: number,
): Uint32Array {
  const result = new Uint32Array(examples).fill(NO_CLASS);
  if (given === undefined) return result;
  const list = typeof given === 'number' ? Array<number>(examples).fill(given) : given;
  if (list.length !== examples) {
    throw shapeMismatch(`${method}: ${list.length} classes in ${name} for ${examples} examples.`, 'give one class, or one an example.', {
      method,
      name,
      expected: examples,
      actual: list.length,
    });
  }
  for (let i = 0; i < examples; i++) {
    const value = list[i] as number;
    if (!(Number.isInteger(value) && value >= 0 && value < classes)) {
      throw new VitrineError(
        'label-out-of-range',
        `${method}: ${name} of example ${i} is ${value}, but the model has ${classes} outputs (classes 0 to ${classes - 1}).`,
        `name a class from 0 to ${classes - 1}, or leave it out to explain the predicted class.`,
        { method, name, example: i, label: value, classes },
      );
    }
    result[i] = value;
  }
  return result;
}

/** Makes an attribution of what a run gave. */
export function attributionOf(method: string, options: Readonly<Record<string, unknown>>, explained: Explained): Attribution {
  const { tensors, step, lastStep } = explained;
  const get = (name: string): Tensor => tensors.get(name) as Tensor;
  const delta = tensors.get('delta');
  const standardError = tensors.get('standardError');
  return {
    method,
    options,
    values: get('values'),
    target: get('target'),
    output: get('output'),
    ...(delta ? { delta } : {}),
    ...(standardError ? { standardError } : {}),
    ...(step === undefined ? {} : { step }),
    ...(lastStep === undefined ? {} : { lastStep }),
    dispose: () => disposeAll(tensors.values()),
  };
}
