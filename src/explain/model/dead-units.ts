/** Stops training, on the GPU and at the exact step, when a hidden ReLU unit has died. */

import { compile } from '../../engine/compile.ts';
import { checkWhole, internal, VitrineError } from '../../engine/errors.ts';
import { Graph } from '../../engine/graph.ts';
import type { Plan } from '../../engine/plan.ts';
import type { Tensor } from '../../engine/tensor.ts';
import type { Trainer } from '../../engine/trainer.ts';
import { haltReasons } from '../../engine/training-state.ts';
import { countQuiet, judgeQuiet } from '../ops/dead-units.ts';

export interface DeadUnitOptions {
  /** Batches in a row for which a unit gave 0 for every example; 100 by default. */
  readonly window?: number;
}

export interface DeadUnit {
  readonly layer: string;
  readonly unit: number;
  /** Steps done when its count reached the window: the batches of steps step − window + 1 to step found it silent. */
  readonly step: number;
}

const VERDICT_WORDS = 4;
const MOST_WINDOW = 2 ** 31;

/** Encoded by the trainer after each step, until it is disposed of. */
export class DeadUnitWatch {
  readonly window: number;
  /** Names of the layers that are watched. */
  readonly layers: readonly string[];
  readonly #trainer: Trainer;
  readonly #plan: Plan;
  readonly #verdict: Tensor;
  readonly #quiet: Tensor;
  readonly #firsts: readonly number[];

  /** For stopAtDeadUnit. */
  constructor(
    trainer: Trainer,
    options: {
      readonly window: number;
      readonly layers: readonly string[];
      readonly firsts: readonly number[];
      readonly plan: Plan;
      readonly verdict: Tensor;
      readonly quiet: Tensor;
    },
  ) {
    this.#trainer = trainer;
    this.window = options.window;
    this.layers = options.layers;
    this.#firsts = options.firsts;
    this.#plan = options.plan;
    this.#verdict = options.verdict;
    this.#quiet = options.quiet;
    trainer.companions.add(this);
  }

  /** For the trainer, after each step. */
  encode(pass: GPUComputePassEncoder): void {
    this.#plan.encode(pass);
  }

  /** The unit that was found last; undefined while there is none. Of several in one step, the first of the lowest layer. */
  async read(): Promise<DeadUnit | undefined> {
    const [, found = 0, step = 0] = await this.#verdict.readUint32();
    if (found === 0) return undefined;
    const at = this.#firsts.findLastIndex((first) => first < found);
    return { layer: this.layers[at] as string, unit: found - 1 - (this.#firsts[at] as number), step };
  }

  /** Ends the watch. Activations stay watched: `trainer.watch([])` lets them be fused away. */
  dispose(): void {
    this.#trainer.companions.delete(this);
    this.#plan.dispose();
    this.#verdict.dispose();
    this.#quiet.dispose();
  }
}

/**
 * stopAtDeadUnit: training halts (`trainer.halted` is 'dead-unit') after the first step at which a hidden ReLU unit has given 0 for every example
 * of the last `window` batches. That step is done; no further one is taken, whatever was queued. `trainer.resume()` goes on; the same unit is
 * found again only after it was alive in between.
 *
 * A unit is dead where it gives 0 for every input (Lu et al.); over a window only the inputs of its batches are tried, so a unit may be found that
 * another example would wake. The batches of an epoch are all the examples there are to train on: with a window of `trainer.stepsPerEpoch` it is dead
 * for all of them, but for what the weights changed meanwhile.
 *
 * Watched are the layers with a ReLU at the top of the model, but for the last: those with `activation: 'relu'`, and `relu` layers. A unit that is
 * met at several places, such as the channel of a feature map, is one unit. Parameters and everything else keep the bits of a run that is not
 * watched.
 *
 * **Cost** one dispatch a layer and one more, each step; a unit that is alive is seldom looked at for more than a few rows. Nothing is read back.
 * After a lost device counting begins anew.
 * **Source** Lu, Shin, Su, Karniadakis 2019, "Dying ReLU and initialization: theory and numerical examples".
 *
 * @throws VitrineError `unsupported-model` where no hidden layer has a ReLU; `invalid-option`; those of `trainer.watch`
 */
export async function stopAtDeadUnit(trainer: Trainer, options: DeadUnitOptions = {}): Promise<DeadUnitWatch> {
  const { window = 100 } = options;
  checkWhole('stopAtDeadUnit: window', window, 1, MOST_WINDOW);
  const { model } = trainer;
  const layers = reluLayers(trainer);
  if (layers.length === 0) {
    throw new VitrineError(
      'unsupported-model',
      'stopAtDeadUnit: no hidden layer of this model has a ReLU, so no unit of it can die.',
      "give a hidden layer { activation: 'relu' }, or stop at something else.",
      { method: 'stopAtDeadUnit' },
    );
  }
  const names = layers.map((layer) => `activation/${layer}`);
  // What is watched already stays watched.
  const watched = [...trainer.tensors.keys()].filter((name) => /^activation\/|^logits$/.test(name));
  await trainer.watch([...new Set([...watched, ...names])]);

  const { device } = model;
  const activations = names.map((name) => trainer.tensors.get(name) as Tensor);
  const [state, ring] = ['state', 'ring'].map((name) => tensorOf(trainer.plan, name)) as [Tensor, Tensor];
  const firsts: number[] = [];
  let units = 0;
  for (const { shape } of activations) {
    firsts.push(units);
    units += shape.at(-1) as number;
  }
  const verdict = device.empty([VERDICT_WORDS], 'uint32', 'dead units: verdict', { recoverable: true, owner: 'train' });
  const quiet = device.empty([units], 'uint32', 'dead units: quiet', { recoverable: true, owner: 'train' });
  // Counting begins with the next step.
  verdict.write(Uint32Array.of(trainer.step, 0, 0, 0));
  const graph = new Graph();
  const places = new Map(
    [state, ring, verdict, quiet, ...activations].map(
      (tensor) => [graph.placeholder(tensor.name, tensor.shape, tensor.dtype), tensor] as const,
    ),
  );
  const [stateNode, ringNode, verdictNode, quietNode, ...values] = [...places.keys()];
  let counted = quietNode!;
  for (const [i, value] of values.entries()) {
    counted = countQuiet(value, ringNode!, stateNode!, verdictNode!, counted, { first: firsts[i] as number });
  }
  const judged = judgeQuiet(counted, stateNode!, ringNode!, verdictNode!, { window, reason: haltReasons.indexOf('dead-unit') });
  try {
    const plan = await compile(device, [judged], { name: 'dead units', owner: 'train', tensors: places });
    return new DeadUnitWatch(trainer, { window, layers, firsts, plan, verdict, quiet });
  } catch (error) {
    verdict.dispose();
    quiet.dispose();
    throw error;
  }
}

/** Hidden layers whose output is that of a ReLU, in order. */
function reluLayers({ model }: Trainer): string[] {
  return model.layers
    .slice(0, -1)
    .filter((_layer, i) => {
      const { kind, options } = model.spec.layers[i] as { readonly kind: string; readonly options?: { readonly activation?: unknown } };
      return kind === 'relu' || options?.activation === 'relu';
    })
    .map(({ name }) => name);
}

/** A tensor of the trainer's own that its plan works on. */
function tensorOf(plan: Plan, name: string): Tensor {
  for (const { inputs, outputs } of plan.steps) {
    const found = [...inputs, ...outputs].find((tensor) => tensor.name === name);
    if (found) return found;
  }
  throw internal('dead-units.ts', `the plan of a step has no tensor called ${name}`);
}
