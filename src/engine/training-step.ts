/** The plan of one training step: forward, loss, backward, advance, update. */

import { compile, type VariantTable } from './compile.ts';
import { differentiate } from './differentiate.ts';
import { VitrineError } from './errors.ts';
import { Graph, type Node } from './graph.ts';
import { buildLoss, type Loss } from './losses.ts';
import { distinct, type Model } from './model.ts';
import { advance } from './ops/advance.ts';
import { constant } from './ops/fill.ts';
import { clipByGlobalNorm } from './ops/gradient-norm.ts';
import { meanOverRows } from './ops/mean-over-rows.ts';
import { type Optimizer, type ParameterGroup, updateNode } from './optimizers.ts';
import type { Plan } from './plan.ts';
import type { Schedule } from './schedules.ts';
import type { Tensor } from './tensor.ts';
import { STATE_WORDS } from './training-state.ts';

/** A trainer's options, with every default filled in. */
export interface Settings {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  readonly schedule: Schedule | undefined;
  readonly validationSplit: number;
  readonly clipNorm: number | undefined;
  readonly groups: readonly ParameterGroup[];
  readonly variants: VariantTable;
  readonly seed: number;
}

/** The tensors a step works on; they outlive its plan. */
export interface StepTensors {
  /** The batch: [batch, ...inputShape], and labels or targets. */
  readonly x: Tensor;
  readonly answer: Tensor;
  readonly state: Tensor;
  readonly ring: Tensor;
  readonly rates: Tensor;
  /** Flat, laid out like the parameters. */
  readonly gradients: Tensor;
  readonly moments: readonly Tensor[];
  /** Rate factor, decay and frozen flag of each parameter, and the parameter of each block of 64 floats. */
  readonly groups: Tensor;
  readonly blockGroups: Tensor;
}

export interface TrainingStep {
  readonly plan: Plan;
  /** What can be kept readable after a step, by name. */
  readonly watchable: ReadonlyMap<string, Node>;
}

/**
 * Builds the graph of a step and compiles it. Of the activations it keeps what backward needs; what is not watched may be fused away.
 *
 * @throws VitrineError `unknown-name` for a name that cannot be watched, and those of compile
 */
export async function compileTrainingStep(
  model: Model,
  settings: Settings,
  tensors: StepTensors,
  watched: readonly string[],
): Promise<TrainingStep> {
  const { optimizer, clipNorm, loss, variants, batchSize } = settings;
  const graph = new Graph();
  const places = new Map<Node, Tensor>();
  const place = (tensor: Tensor): Node => {
    const node = graph.placeholder(tensor.name, tensor.shape, tensor.dtype);
    places.set(node, tensor);
    return node;
  };
  const state = graph.placeholder('state', [STATE_WORDS], 'uint32');
  const forward = model.forward(graph, batchSize, { training: true, state });
  const { answer, rowLoss, rowHit } = buildLoss(loss, forward);
  const parameters = [...forward.parameters.values()];
  const gradients = differentiate(meanOverRows(rowLoss, state), parameters).map((gradient, i) => {
    const parameter = parameters[i] as Node;
    return distinct(gradient ?? constant(graph, 0, parameter.shape), parameter);
  });
  const flatGradients = place(tensors.gradients);
  const clip = clipNorm === undefined ? [] : [clipByGlobalNorm(flatGradients, state, clipNorm)];
  const advanced = advance(rowLoss, rowHit, place(tensors.rates), state, place(tensors.ring), {
    beta1: optimizer.beta1,
    beta2: optimizer.beta2,
  });
  const common = [flatGradients, place(tensors.blockGroups), place(tensors.groups), state, place(model.flatParameters)];
  const update = updateNode(optimizer, common, tensors.moments.map(place));

  for (const [node, tensor] of model.bindings(forward)) places.set(node, tensor);
  places.set(state, tensors.state);
  places.set(forward.x, tensors.x);
  places.set(answer, tensors.answer);
  const gradientPlaces = [...model.partition('gradient/', tensors.gradients).values()];
  for (const [i, node] of gradients.entries()) places.set(node, gradientPlaces[i] as Tensor);

  const watchable = new Map([...forward.activations, ['logits', forward.logits] as const]);
  const kept = watched.map((name) => {
    const node = watchable.get(name);
    if (node) return node;
    const known = [...watchable.keys()].join(', ');
    throw new VitrineError('unknown-name', `There is no tensor called '${name}' to watch.`, `watch one of ${known}.`, { name });
  });
  const roots = [...gradients, ...clip, advanced, update, ...kept];
  return { plan: await compile(model.device, roots, { name: 'train', owner: 'train', tensors: places, variants }), watchable };
}
