import { compile } from '../../engine/compile.ts';
import { checkNumber, checkWhole } from '../../engine/errors.ts';
import { Graph, type Node, substitution } from '../../engine/graph.ts';
import type { Loss } from '../../engine/losses.ts';
import { copyBytes, type Examples, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, divide, maximum, multiply } from '../../engine/ops/arithmetic.ts';
import { sqrt, square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { meanOverRows } from '../../engine/ops/mean-over-rows.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { normal, streamOf } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { makeState, STATE_WORDS } from '../../engine/training-state.ts';
import { disposeAll, requireGoingOn } from '../attribution.ts';
import { answersNode, checkBatch, rowLossOf } from './fixed-batch.ts';

export interface LossLandscapeOptions {
  /** 'crossEntropy' by default. */
  readonly loss?: Loss;
  /** Points along each direction; 51 by default. An odd number has the network itself in the middle. */
  readonly size?: number;
  /** Along each direction from −span to span; 1 by default. */
  readonly span?: number;
  /** Of the two directions. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface LossLandscape {
  /** [size] how far along a direction. */
  readonly steps: Float64Array;
  /** [size, size] the loss at w + steps[i]·δ + steps[j]·η, row-major. */
  readonly losses: Float32Array;
  readonly size: number;
}

const MOST_IN_FLIGHT = 2;

/**
 * Loss landscape: the loss over a plane of weights, w + a·δ + b·η, δ and η random and as long as w filter by filter.
 *
 * **Shapes** x [rows, ...inputShape], labels [rows] or targets [rows, ...outputShape], 4096 rows at most → losses [size, size].
 * **Cost** size² forward passes of the batch. The network's own weights are read, never written.
 * **Shows** how steep and how rough the loss is about the network, comparably between networks, since a filter's scale is divided out. **Does not show** the directions
 * that training takes: a plane of millions of dimensions through random directions is nearly convex where the whole is not.
 * A filter is a unit's weights, an index of the last axis; biases do not move. Default: 51 × 51 over [−1, 1]² (the authors' code).
 * **Source** Li, Xu, Taylor, Studer, Goldstein 2018, "Visualizing the loss landscape of neural nets", section 4.
 *
 * @throws VitrineError `shape-mismatch`, `label-out-of-range`, `invalid-option`, `aborted`, what the model's inputs can be wrong in
 */
export async function lossLandscape(
  model: Model,
  x: Examples,
  answers: ArrayLike<number>,
  options: LossLandscapeOptions = {},
): Promise<LossLandscape> {
  const method = 'lossLandscape';
  const { size = 51, span = 1, seed = 0, signal } = options;
  checkWhole(`${method}: size`, size, 1, 1001);
  checkNumber(`${method}: span`, span, 0);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  const batch = checkBatch(method, model, x, answers, options.loss);
  const { device } = model;
  const [first, second] = [await filterDirection(model, seed, 0), await filterDirection(model, seed, 1)];
  try {
    const graph = new Graph();
    const forward = model.forward(graph, batch.rows);
    const places = new Map<Node, Tensor>(model.bindings(forward));
    const along = [graph.placeholder('first', [1]), graph.placeholder('second', [1])] as const;
    const moved = new Map<Node, Node>();
    for (const [name, node] of forward.parameters) {
      const [delta, eta] = [first, second].map((direction, i) => {
        const tensor = direction.get(name);
        const placed = tensor && graph.placeholder(`${name} ${i}`, node.shape);
        if (placed && tensor) places.set(placed, tensor);
        return placed;
      });
      if (delta && eta) moved.set(node, add(add(node, multiply(delta, along[0])), multiply(eta, along[1])));
    }
    const read = substitution(graph, moved);
    const wanted = answersNode(graph, batch, batch.rows);
    const state = graph.placeholder('state', [STATE_WORDS], 'uint32');
    const rowLoss = rowLossOf(batch.loss, { logits: read(forward.logits), output: read(forward.output) }, wanted);
    const loss = meanOverRows(rowLoss, state);
    const plan = await compile(device, [loss], {
      name: method,
      owner: 'explain',
      tensors: places,
      keep: [forward.x, wanted, state, ...along],
    });
    const results = await device
      .guarded(method, () => device.empty([size * size], 'float32', method, { owner: 'explain' }))
      .catch((error) => {
        plan.dispose();
        throw error;
      });
    try {
      const write = (node: Node, values: Float32Array | Uint32Array): void => {
        const tensor = plan.tensor(node);
        device.writeBuffer('explain', tensor.storage, tensor.byteOffset, values);
      };
      model.writeRows(plan.tensor(forward.x), x, 0, batch.rows, 'explain');
      write(wanted, batch.answers);
      write(state, makeState({ rows: batch.rows, batch: batch.rows }));
      const steps = Float64Array.from({ length: size }, (_, i) => (size === 1 ? 0 : span * ((2 * i) / (size - 1) - 1)));
      const inFlight: Promise<void>[] = [];
      for (let i = 0; i < size; i++) {
        requireGoingOn(method, signal);
        model.requireAlive();
        for (let j = 0; j < size; j++) {
          // A model without weights to move has no use for them.
          if (moved.size > 0) {
            write(along[0], Float32Array.of(steps[i] as number));
            write(along[1], Float32Array.of(steps[j] as number));
          }
          plan.run();
          copyBytes(device, plan.tensor(loss), 0, results, 4 * (i * size + j), 4, 'explain');
        }
        inFlight.push(device.gpu.queue.onSubmittedWorkDone());
        if (inFlight.length >= MOST_IN_FLIGHT) await inFlight.shift();
      }
      return { steps, losses: await results.read(), size };
    } finally {
      plan.dispose();
      results.dispose();
    }
  } finally {
    disposeAll([...first.values(), ...second.values()]);
  }
}

/**
 * A random direction for every weight of two axes or more, each filter as long as the network's: δ ← δ / ‖δ_filter‖ · ‖w_filter‖. The caller
 * disposes of the tensors.
 */
export async function filterDirection(model: Model, seed: number, which: number): Promise<Map<string, Tensor>> {
  const { device } = model;
  const directions = new Map<string, Tensor>();
  try {
    for (const [name, weight] of model.parameters) {
      if (weight.shape.length < 2) continue;
      const graph = new Graph();
      const units = weight.shape.at(-1) as number;
      const shape = [elements(weight.shape) / units, units];
      const [w, noise] = [graph.placeholder('weight', weight.shape), graph.placeholder('noise', shape)];
      const lengths = (node: Node): Node => sqrt(sum(square(reshape(node, shape)), [0], { keepDims: true }));
      const scaled = multiply(noise, divide(lengths(w), maximum(lengths(noise), constant(graph, 1e-30))));
      const plan = await compile(device, [scaled], { name: 'filterDirection', owner: 'explain', tensors: new Map([[w, weight]]) });
      try {
        const stream = streamOf(`lossLandscape/${name}`);
        const drawn = Float32Array.from({ length: elements(shape) }, (_, i) => normal(seed, stream, which, i));
        const into = plan.tensor(noise);
        device.writeBuffer('explain', into.storage, into.byteOffset, drawn);
        plan.run();
        const direction = await device.guarded('filterDirection', () =>
          device.empty(weight.shape, 'float32', `direction/${name}`, { owner: 'explain' }),
        );
        directions.set(name, direction);
        copyBytes(device, plan.tensor(scaled), 0, direction, 0, direction.bytes, 'explain');
      } finally {
        plan.dispose();
      }
    }
  } catch (error) {
    disposeAll(directions.values());
    throw error;
  }
  return directions;
}
