/** What a layer gives for the first test examples: one forward pass of all of them, kept on the GPU until the network has moved on. */

import { compile, type Dataset, Graph, type Model, type Node, type Plan, type Tensor, VitrineError } from '../../engine/index.ts';
import { stepOf } from '../session/probe.ts';
import { readColumn } from './column.ts';

/** Test examples that are looked at, at most. */
export const MOST_EXAMPLES = 512;
/** Values of one unit that are read, at most: a channel has one a place. */
const MOST_READ = 2 ** 18;

export interface Activity {
  readonly index: number;
  readonly label: number | undefined;
  readonly value: number;
}

export interface TopExamples {
  readonly layer: string;
  readonly unit: number;
  readonly step: number;
  /** Test examples that were looked at. */
  readonly size: number;
  /** Those for which the unit gives something other than 0. */
  readonly active: number;
  /** The largest first; of equal ones the lower index. Those that are 0 are left out. */
  readonly top: readonly Activity[];
}

interface Layer {
  readonly plan: Plan;
  readonly output: Tensor;
  readonly rows: number;
  /** Of the device that the examples were put on. */
  readonly generation: number;
  /** What the last pass saw of the parameters; undefined before it. */
  saw: string | undefined;
}

/** Of one model and one data set. */
export class LayerActivity {
  readonly model: Model;
  readonly test: Dataset;
  /** One layer at a time: pointing at another makes room. */
  #layer: { readonly name: string; readonly made: Promise<Layer | undefined> } | undefined;
  /** What was asked last. The next waits for it, or it would take the layer away under it. */
  #asked: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(model: Model, test: Dataset) {
    this.model = model;
    this.test = test;
  }

  /**
   * The examples that a unit answers to most. The pass is made again where the step or `life` is another: a reset begins another life at step 0.
   *
   * @returns undefined for a layer without an activation of its own, and after `dispose`
   * @throws VitrineError what `compile` throws; `device-lost`, `tensor-disposed`
   */
  topOf(layer: string, unit: number, count: number, life: string): Promise<TopExamples | undefined> {
    const found = this.#asked.then(() => this.#topOf(layer, unit, count, life));
    this.#asked = found.catch(() => undefined);
    return found;
  }

  async #topOf(layer: string, unit: number, count: number, life: string): Promise<TopExamples | undefined> {
    if (this.#disposed) return undefined;
    const made = await this.#make(layer);
    if (!made) return undefined;
    const now = stepOf(this.model);
    const sees = `${life} ${now}`;
    if (made.saw !== sees) {
      // In one submit, so that every row is of the same step.
      made.plan.run();
      made.saw = sees;
    }
    const { output, rows } = made;
    const column = await readColumn(this.model.device, output, unit);
    const places = column.length / rows;
    const values = new Float32Array(rows).fill(Number.NEGATIVE_INFINITY);
    for (const [i, value] of column.entries()) {
      const row = Math.floor(i / places);
      if (value > values[row]!) values[row] = value;
    }
    const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
    return {
      layer,
      unit,
      step: now,
      size: rows,
      active: values.filter((value) => value !== 0).length,
      top: order
        .filter((index) => values[index] !== 0)
        .slice(0, count)
        .map((index) => ({ index, label: this.test.labels?.[index], value: values[index]! })),
    };
  }

  async #make(name: string): Promise<Layer | undefined> {
    const { generation } = this.model.device;
    // After the device was replaced what was on the GPU is gone.
    if (this.#layer?.name !== name || ((await this.#layer.made)?.generation ?? generation) !== generation) {
      this.#drop();
      this.#layer = { name, made: this.#compile(name) };
      this.#layer.made.catch(() => {
        this.#layer = undefined;
      });
    }
    return this.#layer.made;
  }

  async #compile(name: string): Promise<Layer | undefined> {
    const { model, test } = this;
    const shape = model.layers.find((layer) => layer.name === name)?.outputShape;
    if (!shape) return undefined;
    const places = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    const rows = Math.max(1, Math.min(MOST_EXAMPLES, test.size, Math.floor(MOST_READ / places)));
    const forward = model.forward(new Graph(), rows);
    const node: Node | undefined = forward.activations.get(`activation/${name}`);
    if (!node) return undefined;
    const plan = await compile(model.device, [node], {
      name: 'layer activity',
      owner: 'ui',
      tensors: model.bindings(forward),
      keep: [forward.x],
    });
    const by = test.inputs instanceof Uint8Array ? (test.divisor ?? 255) : 1;
    const width = test.inputs.length / test.size;
    const inputs = Float32Array.from(test.inputs.subarray(0, rows * width), (value) => value / by);
    const x = plan.tensor(forward.x);
    model.device.writeBuffer('ui', x.storage, x.byteOffset, inputs);
    return { plan, output: plan.tensor(node), rows, generation: model.device.generation, saw: undefined };
  }

  #drop(): void {
    this.#layer?.made.then((layer) => layer?.plan.dispose()).catch(() => undefined);
    this.#layer = undefined;
  }

  dispose(): void {
    this.#disposed = true;
    this.#drop();
  }
}

/** What replaces it is looked at next: the network was replaced, or the GPU is being. */
export const isPassing = (error: unknown): boolean =>
  error instanceof VitrineError && (error.code === 'device-lost' || error.code === 'tensor-disposed');
