/**
 * A plan: what a graph was compiled to, a list of dispatches that a person can read. Running it only re-encodes them; in the steady state
 * nothing is created, uploaded or read back.
 */

import type { Device, DeviceBuffer, Owner, Pipeline } from './device.ts';
import { checkWhole, internal, VitrineError } from './errors.ts';
import { type Node, nodeLabel } from './graph.ts';
import { type Kernel, kernelInterface, type ParameterValues, type Workgroups, writeParameters } from './kernel.ts';
import type { Call, KernelFamily } from './operation.ts';
import type { Tensor } from './tensor.ts';

/** One dispatch of a plan. */
export interface PlanStep {
  readonly index: number;
  /** Names of the operations it computes; several where they are fused. */
  readonly operations: readonly string[];
  readonly covers: readonly Node[];
  /** What the kernel is one of the variants of, and the call that it serves: for the tuner. */
  readonly family: KernelFamily;
  readonly call: Call;
  kernel: Kernel;
  readonly variant: string;
  /** Key of the variant in a variant table. */
  readonly variantKey: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly parameters: ParameterValues;
  readonly workgroups: Workgroups;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Tensors in the order of the kernel's bindings. */
  readonly bound: readonly Tensor[];
  /** The kernel was replaced by hand, so results are not the engine's own. */
  modified?: true;
}

/** A constant tensor, written when the plan is made. */
export interface Literal {
  readonly tensor: Tensor;
  readonly value: number;
}

export interface PlanInit {
  readonly name: string;
  readonly owner: Owner;
  readonly steps: readonly PlanStep[];
  readonly variants: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<Node, Tensor>;
  /** Nodes whose value is still there after a run. */
  readonly readable: ReadonlySet<Node>;
  readonly owned: readonly Tensor[];
  readonly literals: readonly Literal[];
}

export interface ProfileRow {
  readonly index: number;
  readonly kernel: string;
  readonly operations: readonly string[];
  readonly variant: string;
  /** Milliseconds of one dispatch, the mean of the repeats. */
  readonly milliseconds: number;
  readonly repeats: number;
}

interface Encoded {
  pipeline: GPUComputePipeline;
  buffers: GPUBindGroup;
  parameters: GPUBindGroup;
  workgroups: Workgroups;
}

const PARAMETER_STRIDE = 256;

export class Plan {
  readonly name: string;
  readonly steps: readonly PlanStep[];
  /** The variant that serves each shape class of this plan. */
  readonly variants: Readonly<Record<string, string>>;
  readonly #device: Device;
  readonly #init: PlanInit;
  readonly #parameters: DeviceBuffer;
  #pipelines: Pipeline[] = [];
  #encoded: Encoded[] = [];
  #disposed = false;

  constructor(device: Device, init: PlanInit) {
    this.#device = device;
    this.#init = init;
    this.name = init.name;
    this.steps = init.steps;
    this.variants = init.variants;
    this.#parameters = device.createBuffer(`${init.name}: parameters`, Math.max(1, init.steps.length) * PARAMETER_STRIDE, {
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      recoverable: true,
      owner: init.owner,
    });
    device.register(this);
  }

  /** A change was made to one of its kernels. */
  get modified(): boolean {
    return this.steps.some((step) => step.modified);
  }

  /** The tensor of a placeholder, a root or a kept node. @throws VitrineError `unknown-name` for what this plan does not keep */
  tensor(node: Node): Tensor {
    const tensor = this.#init.tensors.get(node);
    if (!tensor || (!this.#init.readable.has(node) && node.operation)) {
      const step = this.steps.find(({ covers }) => covers.includes(node));
      const where = step
        ? `it is fused into step ${step.index} (${step.kernel.name}), or its buffer is reused later`
        : 'nothing here needs it';
      throw new VitrineError(
        'unknown-name',
        `${this.name}: ${nodeLabel(node)} is not kept: ${where}.`,
        'compile the plan with it in `keep`.',
        {
          node: nodeLabel(node),
        },
      );
    }
    return tensor;
  }

  /** Makes the bind groups. For compile, and again after a device was replaced. */
  attach(pipelines: readonly Pipeline[]): void {
    const { gpu } = this.#device;
    this.#pipelines = [...pipelines];
    const bytes = new ArrayBuffer(Math.max(1, this.steps.length) * PARAMETER_STRIDE);
    for (const step of this.steps) writeParameters(step.kernel, step.parameters, new DataView(bytes), step.index * PARAMETER_STRIDE);
    this.#device.writeBuffer(this.#init.owner, this.#parameters, 0, new Uint8Array(bytes));
    for (const { tensor, value } of this.#init.literals) tensor.write(new Float32Array(tensor.length).fill(value));
    this.#encoded = this.steps.map((step, i) => {
      const pipeline = pipelines[i];
      if (!pipeline) throw internal('plan.ts', `step ${i} of ${this.name} has no pipeline`);
      return this.#encode(gpu, step, pipeline);
    });
  }

  #encode(gpu: GPUDevice, step: PlanStep, pipeline: Pipeline): Encoded {
    const { bindings, parameterBytes } = kernelInterface(step.kernel);
    this.#device.count(this.#init.owner, 'createBindGroup', 2);
    return {
      pipeline: pipeline.gpu,
      workgroups: step.workgroups,
      buffers: gpu.createBindGroup({
        label: step.kernel.name,
        layout: pipeline.bufferLayout,
        entries: bindings.map(({ binding }, i) => {
          const tensor = step.bound[i] as Tensor;
          const size = Math.min(Math.ceil(tensor.bindingBytes / 16) * 16, tensor.storage.size - tensor.byteOffset);
          return { binding, resource: { buffer: tensor.buffer, offset: tensor.byteOffset, size } };
        }),
      }),
      parameters: gpu.createBindGroup({
        label: step.kernel.name,
        layout: pipeline.parameterLayout,
        entries: [{ binding: 0, resource: { buffer: this.#parameters.gpu, offset: step.index * PARAMETER_STRIDE, size: parameterBytes } }],
      }),
    };
  }

  #requireAlive(): void {
    if (this.#disposed) {
      throw new VitrineError(
        'tensor-disposed',
        `${this.name}: the plan was used after dispose().`,
        'compile it again, or keep it until the last run.',
        {
          name: this.name,
        },
      );
    }
  }

  /** Encodes steps `from` up to but not including `to` into a pass that several plans may share. */
  encode(pass: GPUComputePassEncoder, from = 0, to: number = this.steps.length): void {
    this.#requireAlive();
    for (let i = from; i < to; i++) {
      const { pipeline, buffers, parameters, workgroups } = this.#encoded[i] as Encoded;
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, buffers);
      pass.setBindGroup(1, parameters);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    this.#device.count(this.#init.owner, 'dispatch', to - from);
  }

  /** Runs the whole plan `times` times, in one submit. Nothing is awaited: reading a tensor afterwards sees the result. */
  run(times = 1): void {
    checkWhole('times', times, 1);
    this.#submit(0, this.steps.length, times);
  }

  /** Runs step `index` alone. */
  runStep(index: number): void {
    checkWhole('step', index, 0, this.steps.length - 1);
    this.#submit(index, index + 1, 1);
  }

  /** Runs the steps up to and including `index`. */
  runTo(index: number): void {
    checkWhole('step', index, 0, this.steps.length - 1);
    this.#submit(0, index + 1, 1);
  }

  #submit(from: number, to: number, times: number): void {
    this.#requireAlive();
    // A tensor from outside may be gone; WebGPU would say so later, and with less to say.
    for (const { bound } of this.steps.slice(from, to)) for (const tensor of bound) tensor.requireAlive();
    this.#device.submit(this.#init.owner, this.name, (encoder) => {
      const pass = encoder.beginComputePass({ label: this.name });
      for (let i = 0; i < times; i++) this.encode(pass, from, to);
      pass.end();
    });
  }

  /**
   * Times each step in a pass of its own, repeated past 5 ms because timestamps are coarse; without timestamp queries, by the wall clock
   * around a submit less that of an empty one. Everything the plan writes is copied before and put back after, so training goes on with
   * the same bits.
   */
  async profile(): Promise<ProfileRow[]> {
    this.#requireAlive();
    const device = this.#device;
    await device.gpu.queue.onSubmittedWorkDone();
    const written = [...new Set(this.steps.flatMap((step) => writtenBy(step).map((tensor) => tensor.storage)))];
    const copies = written.map((buffer) => device.createBuffer(`${buffer.label} (profile)`, buffer.size));
    const copyAll = (from: readonly DeviceBuffer[], to: readonly DeviceBuffer[]): void =>
      device.submit(this.#init.owner, 'profile copy', (encoder) => {
        from.forEach((buffer, i) => {
          encoder.copyBufferToBuffer(buffer.gpu, 0, (to[i] as DeviceBuffer).gpu, 0, buffer.size);
        });
      });
    try {
      copyAll(written, copies);
      // The copies are no step's time.
      await device.gpu.queue.onSubmittedWorkDone();
      const rows: ProfileRow[] = [];
      for (const step of this.steps) {
        let repeats = 1;
        let milliseconds = await this.#time(step, repeats);
        while (milliseconds < 5 && repeats < 4096) {
          repeats = Math.min(4096, Math.max(2 * repeats, Math.ceil((6 * repeats) / Math.max(milliseconds, 0.05))));
          milliseconds = await this.#time(step, repeats);
        }
        rows.push({
          index: step.index,
          kernel: step.kernel.name,
          operations: step.operations,
          variant: step.variant,
          milliseconds: milliseconds / repeats,
          repeats,
        });
      }
      return rows;
    } finally {
      copyAll(copies, written);
      for (const copy of copies) copy.dispose();
    }
  }

  /** Milliseconds of `repeats` dispatches of one step. */
  async #time(step: PlanStep, repeats: number): Promise<number> {
    const device = this.#device;
    if (!device.features.has('timestamp-query')) {
      const empty = await this.#wall(step, 0);
      return Math.max(0, (await this.#wall(step, repeats)) - empty);
    }
    const querySet = device.gpu.createQuerySet({ type: 'timestamp', count: 2 });
    const resolved = device.createBuffer('timestamps', 16, { usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    try {
      device.submit(this.#init.owner, 'profile', (encoder) => {
        const pass = encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } });
        for (let i = 0; i < repeats; i++) this.encode(pass, step.index, step.index + 1);
        pass.end();
        encoder.resolveQuerySet(querySet, 0, 2, resolved.gpu, 0);
      });
      const [begin, end] = new BigUint64Array(await device.readBuffer(resolved, 0, 16));
      return Number((end ?? 0n) - (begin ?? 0n)) / 1e6;
    } finally {
      querySet.destroy();
      resolved.dispose();
    }
  }

  async #wall(step: PlanStep, repeats: number): Promise<number> {
    const begin = performance.now();
    this.#device.submit(this.#init.owner, 'profile', (encoder) => {
      const pass = encoder.beginComputePass();
      for (let i = 0; i < repeats; i++) this.encode(pass, step.index, step.index + 1);
      pass.end();
    });
    await this.#device.gpu.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  }

  /**
   * Swaps the WGSL of one step, at the next run. Bindings, parameters and entry point stay; the plan and its results are marked
   * `modified`, and nothing of it enters the pipeline cache of other plans.
   *
   * @throws VitrineError `shader-invalid` with line numbers; the old kernel then stays
   */
  async replaceKernel(index: number, wgsl: string): Promise<void> {
    this.#requireAlive();
    checkWhole('step', index, 0, this.steps.length - 1);
    const step = this.steps[index] as PlanStep;
    const kernel: Kernel = { ...step.kernel, source: wgsl };
    requireSameInterface(step.kernel, kernel);
    const pipeline = await this.#device.guarded(kernel.name, () => this.#device.pipeline(kernel, step.constants, this.#init.owner));
    step.kernel = kernel;
    step.modified = true;
    this.#pipelines[index] = pipeline;
    this.#encoded[index] = this.#encode(this.#device.gpu, step, pipeline);
  }

  /** After the device was replaced: pipelines, parameters, constants and bind groups are made again. */
  async rebuild(): Promise<void> {
    this.attach(await Promise.all(this.steps.map((step) => this.#device.pipeline(step.kernel, step.constants, this.#init.owner))));
  }

  /** Frees what the plan allocated; tensors given to it stay. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#encoded = [];
    this.#device.unregister(this);
    this.#parameters.dispose();
    for (const tensor of this.#init.owned) tensor.dispose();
  }
}

/** Refuses an edit that the step's bind groups would not fit: they are made of the old kernel's bindings and parameters. */
function requireSameInterface(old: Kernel, edited: Kernel): void {
  let same = false;
  try {
    same = JSON.stringify(kernelInterface(edited)) === JSON.stringify(kernelInterface(old));
  } catch (error) {
    if (!(error instanceof VitrineError)) throw error;
  }
  if (same) return;
  throw new VitrineError(
    'shader-invalid',
    `${old.name}: the bindings and parameters of a kernel must stay as they are.`,
    'put back the @group(0) variables, their access modes and the fields of Params.',
    { kernel: old.name, errors: [] },
  );
}

/** The tensors that a step writes, by the access modes in its WGSL. */
function writtenBy(step: PlanStep): Tensor[] {
  const { bindings } = kernelInterface(step.kernel);
  return step.bound.filter((_tensor, i) => bindings[i]?.access === 'read_write');
}
