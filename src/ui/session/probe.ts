/** What the network makes of one example: a forward pass of one row over the parameters in training, into tensors that stay the same. */

import { compile, Graph, type Model, type Plan, type Tensor } from '../../engine/index.ts';

export interface ProbeReading {
  /** The logits, one a class. */
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  /** The training step whose parameters it saw. */
  readonly step: number;
}

export class Probe {
  readonly model: Model;
  /** The input, every pre-activation and activation, by name, [1, ...]. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly input: Tensor;
  readonly #plan: Plan;
  readonly #logits: Tensor;
  readonly #output: Tensor;
  #disposed = false;

  /** @throws VitrineError what `compile` throws */
  static async create(model: Model): Promise<Probe> {
    const graph = new Graph();
    const forward = model.forward(graph, 1);
    const roots = [...new Set([forward.logits, forward.output, ...forward.activations.values()])];
    const plan = await compile(model.device, roots, { name: 'probe', owner: 'ui', tensors: model.bindings(forward), keep: [forward.x] });
    const tensors = new Map([
      ['input', plan.tensor(forward.x)],
      ...[...forward.activations].map(([name, node]): [string, Tensor] => [name, plan.tensor(node)]),
    ]);
    return new Probe(model, plan, tensors, plan.tensor(forward.logits), plan.tensor(forward.output));
  }

  private constructor(model: Model, plan: Plan, tensors: ReadonlyMap<string, Tensor>, logits: Tensor, output: Tensor) {
    this.model = model;
    this.tensors = tensors;
    this.input = tensors.get('input') as Tensor;
    this.#plan = plan;
    this.#logits = logits;
    this.#output = output;
  }

  /** Puts an example in. */
  write(values: Float32Array): void {
    const own = this.input.dtype === 'uint32' ? Uint32Array.from(values) : values;
    this.model.device.writeBuffer('ui', this.input.storage, this.input.byteOffset, own);
  }

  /** Runs the forward pass on what was put in; what it gives is of the step that training has reached by then. */
  async run(): Promise<ProbeReading> {
    this.#plan.run();
    const step = stepOf(this.model);
    for (const tensor of this.tensors.values()) tensor.step = step;
    const ranges = [this.#logits, this.#output].map(({ storage, byteOffset, bytes }) => ({ buffer: storage, byteOffset, bytes }));
    const [logits, output] = await this.model.device.readRanges('prediction', ranges, 'ui');
    return { logits: new Float32Array(logits as ArrayBuffer), probabilities: new Float32Array(output as ArrayBuffer), step };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#plan.dispose();
  }
}

/** Steps that a model's parameters have been trained for. */
export function stepOf(model: Model): number {
  for (const tensor of model.parameters.values()) return tensor.step ?? 0;
  return 0;
}
