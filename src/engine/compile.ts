/**
 * compile: a graph becomes a static plan. Fusions are found, a kernel variant is chosen for each step, every buffer is allocated, every
 * pipeline and bind group made; running the plan afterwards only re-encodes its steps.
 *
 * In the order in which it works: the live nodes → groups (one group, one dispatch) → variants → buffers → pipelines → a Plan.
 */

import type { Device, DeviceBuffer, Owner, Pipeline } from './device.ts';
import { internal, VitrineError } from './errors.ts';
import { findFusions, type Group } from './fusions.ts';
import { ancestors, type Node, nodeLabel } from './graph.ts';
import { type Access, kernelInterface, MOST_WORKGROUPS } from './kernel.ts';
import type { Call, Dispatch, TensorType, Variant } from './operation.ts';
import { fillOperation } from './ops/fill.ts';
import { type Literal, Plan, type PlanStep } from './plan.ts';
import { Tensor } from './tensor.ts';

/** Which variant serves a shape class: `'matmul nn 784→128'` or, for every class of an operation, `'matmul'`. */
export type VariantTable = Readonly<Record<string, string>>;

export interface CompileOptions {
  readonly name?: string;
  /** Tensors from outside: values of placeholders, and places where results are to be written. */
  readonly tensors?: ReadonlyMap<Node, Tensor>;
  /** Nodes whose values must stay readable after a run, besides the roots; `'all'` also forbids buffers to be reused. */
  readonly keep?: 'all' | readonly Node[];
  /** Whether neighbouring operations may share a kernel; true by default. */
  readonly fuse?: boolean;
  readonly variants?: VariantTable;
  readonly owner?: Owner;
  /** Where buffers come from that plans may use in turn; the plan does not free them. It makes and frees its own by default. */
  readonly allocate?: (name: string, type: TensorType) => Tensor;
}

/**
 * Compiles the nodes that `roots` need.
 *
 * @throws VitrineError `limit-exceeded`, `out-of-memory`, `shader-invalid`, `invalid-option` for a variant that does not exist
 */
export async function compile(device: Device, roots: readonly Node[], options: CompileOptions = {}): Promise<Plan> {
  const nodes = ancestors(roots);
  const given = options.tensors ?? new Map<Node, Tensor>();
  const kept = new Set<Node>(options.keep === 'all' ? nodes : [...roots, ...(options.keep ?? [])]);
  const pinned = new Set<Node>([...kept, ...given.keys()]);
  const groups = findFusions(nodes, pinned, options.fuse ?? true);
  const lowered = await Promise.all(groups.map((group) => lower(device, group, options.variants ?? {})));
  const variants = Object.fromEntries(lowered.map(({ key, variant }) => [key, variant]));
  const name = options.name ?? 'plan';
  const owner = options.owner ?? 'engine';

  // Buffers first, under one error scope; pipelines compile side by side meanwhile, so a plan is as slow to make as its slowest kernel.
  const pending: Promise<Pipeline>[] = [];
  const plan = await device.guarded(name, () => {
    const memory = allocate(device, name, nodes, groups, given, pinned, options);
    const steps = groups.map((group, index) => {
      const step = makeStep(index, group, lowered[index] as Lowered, memory);
      checkStep(device, step);
      pending.push(device.pipeline(step.kernel, step.constants, owner));
      return step;
    });
    return new Plan(device, {
      name,
      owner,
      steps,
      variants,
      tensors: memory.tensors,
      readable: pinned,
      owned: memory.owned,
      literals: memory.literals,
    });
  });
  try {
    const pipelines = await Promise.all(pending);
    await device.guarded(name, () => plan.attach(pipelines));
  } catch (error) {
    plan.dispose();
    throw error;
  }
  return plan;
}

function makeStep(index: number, group: Group, { call, dispatch, variant, key }: Lowered, memory: Memory): PlanStep {
  const tensorOf = (node: Node): Tensor => {
    const tensor = memory.tensors.get(node);
    if (!tensor) throw internal('compile.ts', `${nodeLabel(node)} has no tensor`);
    return tensor;
  };
  const inputs = group.inputs.map(tensorOf);
  const outputs = group.outputs.map((output) => ('graph' in output ? tensorOf(output) : memory.scratch(output)));
  return {
    index,
    operations: group.covers.map((node) => node.operation?.name ?? 'placeholder'),
    covers: group.covers,
    family: group.family,
    call,
    kernel: dispatch.kernel,
    variant,
    variantKey: key,
    constants: dispatch.constants ?? {},
    parameters: dispatch.parameters,
    workgroups: dispatch.workgroups,
    inputs,
    // What is changed in place is both.
    outputs: group.family.writes ? group.family.writes.map((i) => inputs[i] as Tensor) : outputs,
    bound: [...inputs, ...outputs],
  };
}

interface Lowered {
  readonly call: Call;
  readonly dispatch: Dispatch;
  readonly variant: string;
  readonly key: string;
}

/** Chooses a variant: what the table names for the class, then for the operation, what the tuner found, the first that supports the call. */
async function lower(device: Device, { family, inputs, outputs, attributes }: Group, table: VariantTable): Promise<Lowered> {
  const call: Call = { inputs, outputs, attributes };
  const able = ({ needs, supports }: Variant): boolean => (!needs || device.features.has(needs)) && (supports?.(call) ?? true);
  const shapeClass = family.shapeClass?.(call);
  const key = shapeClass ? `${family.name} ${shapeClass}` : family.name;
  // Under an operation's own name a variant is a preference, for the calls that it supports.
  const exact = shapeClass ? table[key] : undefined;
  const wanted =
    exact ?? table[family.name] ?? (device.tuning && (await (await import('./tuning.ts')).remembered(device, key, family, call)));
  const isWanted = ({ name }: Variant): boolean => name === wanted;
  let { variants } = family;
  if (family.more && !(wanted === undefined ? variants.some(able) : variants.some(isWanted))) {
    variants = [...variants, ...(await family.more())];
  }
  const candidates = variants.filter(able);
  const named = candidates.find(isWanted);
  if (wanted !== undefined && !(exact === undefined ? variants.some(isWanted) : named)) throw unknownVariant(key, wanted, candidates);
  const variant = named ?? candidates[0];
  if (!variant) throw internal('compile.ts', `no variant of ${key} serves ${JSON.stringify(inputs.map(({ shape }) => shape))}`);
  return { call, dispatch: variant.dispatch(call), variant: variant.name, key };
}

function unknownVariant(key: string, name: string, candidates: readonly Variant[]): VitrineError {
  const names = candidates.map((variant) => variant.name).join(', ');
  return new VitrineError('invalid-option', `variants: ${key} has no variant '${name}' for these shapes.`, `choose one of ${names}.`, {
    key,
    name,
  });
}

/** Refuses what WebGPU would refuse later with less to say. */
function checkStep(device: Device, step: PlanStep): void {
  const [x, y, z] = step.workgroups;
  if (x > MOST_WORKGROUPS || y > MOST_WORKGROUPS || z > MOST_WORKGROUPS) {
    throw internal('compile.ts', `${step.kernel.name} dispatches ${x} × ${y} × ${z} workgroups`);
  }
  const { bindings } = kernelInterface(step.kernel);
  if (bindings.length !== step.bound.length) {
    throw internal('compile.ts', `${step.kernel.name} has ${bindings.length} bindings but the step has ${step.bound.length} tensors`);
  }
  if (bindings.length > device.limits.maxStorageBuffersPerShaderStage) {
    throw internal('compile.ts', `${step.kernel.name} binds ${bindings.length} storage buffers`);
  }
  const uses = new Map<DeviceBuffer, { access: Access; from: number; to: number }[]>();
  step.bound.forEach((tensor, i) => {
    const list = uses.get(tensor.storage) ?? [];
    list.push({ access: bindings[i]?.access ?? 'read', from: tensor.byteOffset, to: tensor.byteOffset + tensor.bindingBytes });
    uses.set(tensor.storage, list);
  });
  for (const [buffer, list] of uses) {
    if (list.every(({ access }) => access === 'read')) continue;
    const sorted = [...list].sort((a, b) => a.from - b.from);
    const apart = sorted.every((use, i) => i === 0 || (sorted[i - 1]?.to ?? 0) <= use.from);
    if (list.some(({ access }) => access === 'read') || !apart) {
      throw internal('compile.ts', `${step.kernel.name} binds ${buffer.label} both to read and to write`);
    }
  }
}

interface Memory {
  readonly tensors: Map<Node, Tensor>;
  /** Tensors that the plan frees. */
  readonly owned: Tensor[];
  readonly literals: Literal[];
  /** A tensor that a fused kernel writes and no one reads. */
  scratch(type: TensorType): Tensor;
}

/** Gives every node a tensor. Buffers are reused whole, never in slices, once their last reader has run; pinned nodes keep theirs. */
function allocate(
  device: Device,
  plan: string,
  nodes: readonly Node[],
  groups: readonly Group[],
  given: ReadonlyMap<Node, Tensor>,
  pinned: ReadonlySet<Node>,
  options: CompileOptions,
): Memory {
  const owner = options.owner ?? 'engine';
  const tensors = new Map<Node, Tensor>();
  const owned: Tensor[] = [];
  const literals: Literal[] = [];
  const createOwn = (name: string, type: TensorType): Tensor => {
    const tensor = device.empty(type.shape, type.dtype, name, { recoverable: true, owner });
    owned.push(tensor);
    return tensor;
  };
  const create = options.allocate ?? createOwn;
  /** The same buffer under another name and shape. */
  const alias = (node: Node, of: Tensor): Tensor =>
    new Tensor(device, {
      name: nodeLabel(node),
      shape: node.shape,
      dtype: node.dtype,
      storage: of.storage,
      byteOffset: of.byteOffset,
      owned: false,
    });

  // A view that was given a place passes it on to what it views.
  const places = new Map(given);
  for (const node of [...nodes].reverse()) {
    const place = places.get(node);
    const base = node.inputs[0];
    if (!place || !node.operation?.view || !base) continue;
    if (places.has(base) || !base.operation) throw internal('compile.ts', `${nodeLabel(node)} is a view, so its value cannot be placed`);
    places.set(base, alias(base, place));
  }

  for (const node of nodes) {
    const place = places.get(node);
    if (place) tensors.set(node, place);
    else if (!node.operation) tensors.set(node, create(nodeLabel(node), node));
    else if (node.operation === fillOperation) {
      const tensor = createOwn(nodeLabel(node), node);
      tensors.set(node, tensor);
      literals.push({ tensor, value: node.attributes.value });
    }
  }

  const base = (node: Node): Node => {
    let at = node;
    while (at.operation?.view && !places.has(at)) at = at.inputs[0] as Node;
    return at;
  };
  const lastRead = new Map<Node, number>();
  groups.forEach((group, index) => {
    for (const input of group.inputs) lastRead.set(base(input), index);
  });
  for (const node of pinned) lastRead.set(base(node), Number.POSITIVE_INFINITY);

  const free: DeviceBuffer[] = [];
  const views = nodes.filter((node) => node.operation?.view && !places.has(node));
  const resolveViews = (): void => {
    for (const view of views) {
      const of = tensors.get(base(view));
      if (of && !tensors.has(view)) tensors.set(view, alias(view, of));
    }
  };
  resolveViews();
  groups.forEach((group, index) => {
    if (group.family.writes?.length) {
      // What is changed in place is its own result.
      for (const node of group.covers) tensors.set(node, tensors.get(node.inputs[group.family.writes[0] as number] as Node) as Tensor);
      return;
    }
    for (const output of group.outputs) {
      if (!('graph' in output) || tensors.has(output)) continue;
      const size = Math.max(16, Math.ceil((4 * output.shape.reduce((a, b) => a * b, 1)) / 16) * 16);
      const fits = free.filter((buffer) => buffer.size >= size && buffer.size <= 2 * size).sort((a, b) => a.size - b.size)[0];
      if (fits) {
        free.splice(free.indexOf(fits), 1);
        tensors.set(
          output,
          new Tensor(device, {
            name: nodeLabel(output),
            shape: output.shape,
            dtype: output.dtype,
            storage: fits,
            byteOffset: 0,
            owned: false,
          }),
        );
      } else tensors.set(output, create(`${plan}: ${nodeLabel(output)}`, output));
      if (!lastRead.has(output)) lastRead.set(output, index);
    }
    resolveViews();
    for (const [node, last] of lastRead) {
      if (last !== index || places.has(node) || !node.operation || node.operation === fillOperation || node.operation.writes) continue;
      const tensor = tensors.get(node);
      if (tensor) free.push(tensor.storage);
    }
  });
  return { tensors, owned, literals, scratch: (type) => create(`${plan}: unused`, type) };
}
