/** Mean loss and accuracy of a model over resident data: a plan of its own that reads the model's parameters, and one read-back at the end. */

import { compile, type VariantTable } from './compile.ts';
import type { Device } from './device.ts';
import { compileGather } from './gather.ts';
import { Graph, type Node } from './graph.ts';
import { buildLoss, type Loss } from './losses.ts';
import type { Model } from './model.ts';
import { accumulate } from './ops/advance.ts';
import type { Plan } from './plan.ts';
import type { ResidentData } from './resident-data.ts';
import type { Tensor } from './tensor.ts';
import { makeState, STATE_WORDS } from './training-state.ts';

/** A run of consecutive examples. */
export interface EvaluationRange {
  readonly first: number;
  readonly count: number;
}

const ROWS = 256;
/** Submits grow until they take about so long, in milliseconds, and frames are drawn between them. */
const QUICK_MS = 4;

export class Evaluator {
  readonly #device: Device;
  readonly #plan: Plan;
  readonly #x: Tensor;
  readonly #answer: Tensor;
  readonly #state: Tensor;
  readonly #totals: Tensor;

  static async create(model: Model, loss: Loss, variants: VariantTable): Promise<Evaluator> {
    const graph = new Graph();
    const forward = model.forward(graph, ROWS);
    const { answer, rowLoss, rowHit } = buildLoss(loss, forward);
    const state = graph.placeholder('evaluation state', [STATE_WORDS], 'uint32');
    const totals = graph.placeholder('evaluation totals', [4]);
    const root = accumulate(rowLoss, rowHit, state, totals);
    const plan = await compile(model.device, [root], { name: 'evaluate', tensors: model.bindings(forward), variants });
    return new Evaluator(model.device, plan, { x: forward.x, answer, state, totals });
  }

  constructor(device: Device, plan: Plan, nodes: { readonly x: Node; readonly answer: Node; readonly state: Node; readonly totals: Node }) {
    this.#device = device;
    this.#plan = plan;
    this.#x = plan.tensor(nodes.x);
    this.#answer = plan.tensor(nodes.answer);
    this.#state = plan.tensor(nodes.state);
    this.#totals = plan.tensor(nodes.totals);
  }

  async run(data: ResidentData, range: EvaluationRange): Promise<{ loss: number; accuracy: number }> {
    const gather = await compileGather(this.#device, data, {
      state: this.#state,
      x: this.#x,
      answer: this.#answer,
      shuffle: false,
      first: range.first,
      owner: 'engine',
    });
    try {
      this.#state.write(makeState({ batch: ROWS, examples: range.count, rows: Math.min(ROWS, range.count) }));
      this.#totals.write(new Float32Array(4));
      const batches = Math.ceil(range.count / ROWS);
      let before: Promise<unknown> | undefined;
      for (let done = 0, size = 1; done < batches; ) {
        this.#device.submit('engine', 'evaluate', (encoder) => {
          const pass = encoder.beginComputePass({ label: 'evaluate' });
          for (const last = Math.min(done + size, batches); done < last; done++) {
            gather.encode(pass);
            this.#plan.encode(pass);
          }
          pass.end();
        });
        const began = performance.now();
        const flight = this.#device.gpu.queue.onSubmittedWorkDone().catch(() => undefined);
        // The GPU has the next submit while the one before it is waited for.
        await before;
        before = flight;
        size = performance.now() - began < QUICK_MS ? 2 * size : Math.max(1, size >> 1);
      }
      const [loss, hits, rows] = (await this.#totals.read()) as unknown as [number, number, number];
      return { loss: loss / rows, accuracy: hits / rows };
    } finally {
      gather.dispose();
    }
  }

  dispose(): void {
    this.#plan.dispose();
  }
}
