/** A copy of a model whose layers can be drawn anew. The model itself is never touched: it may be training. */

import { buildModel, copyBytes, type Model } from '../../engine/model.ts';
import { pcg4d, streamOf } from '../../engine/random.ts';
import type { Tensor } from '../../engine/tensor.ts';

export class RandomisedCopy {
  /** The copy. It begins with the parameters that the model had when it was made. */
  readonly model: Model;
  /** Names of the layers that have parameters, from the input on. */
  readonly layers: readonly string[];
  readonly #kept: Tensor;
  readonly #drawn: Float32Array;

  private constructor(model: Model, kept: Tensor, drawn: Float32Array) {
    this.model = model;
    this.#kept = kept;
    this.#drawn = drawn;
    this.layers = model.layers.filter(({ parameters }) => parameters > 0).map(({ name }) => name);
  }

  /** @throws VitrineError `out-of-memory`, `device-lost` */
  static async of(model: Model, seed: number): Promise<RandomisedCopy> {
    model.requireAlive();
    const { device } = model;
    // Another seed than the model's own, or a network that has not been trained would come out as it was.
    const drawn = model.initialParameters(pcg4d(seed, streamOf('modelRandomisation'), model.spec.seed ?? 0, 0)[0]);
    const copy = await buildModel(device, model.spec);
    let kept: Tensor | undefined;
    try {
      kept = await device.guarded('modelRandomisation', () =>
        device.empty(model.flatParameters.shape, 'float32', 'modelRandomisation/parameters', { owner: 'explain' }),
      );
      copyBytes(device, model.flatParameters, 0, kept, 0, kept.bytes, 'explain');
      const result = new RandomisedCopy(copy, kept, drawn);
      result.restore();
      return result;
    } catch (error) {
      kept?.dispose();
      copy.dispose();
      throw error;
    }
  }

  /** Draws a layer anew, from the distributions that it was first drawn from. */
  randomise(layer: string): void {
    for (const [name, { offset, length }] of this.model.extents()) {
      if (name.startsWith(`${layer}/`)) this.model.parameters.get(name)?.write(this.#drawn.slice(offset, offset + length));
    }
  }

  /** Brings back the parameters that the model had. */
  restore(): void {
    copyBytes(this.model.device, this.#kept, 0, this.model.flatParameters, 0, this.#kept.bytes, 'explain');
  }

  dispose(): void {
    this.#kept.dispose();
    this.model.dispose();
  }
}
