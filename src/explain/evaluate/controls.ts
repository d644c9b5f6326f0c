/**
 * Negative controls: maps that explain nothing, as methods. A metric that does not tell an explanation from these has not shown that it explains.
 * Each says what it is blind to, and has scores that are known beforehand.
 */

import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { scale } from '../../engine/ops/arithmetic.ts';
import { normal, streamOf } from '../../engine/random.ts';
import { type Attribution, type ExplainOptions, unsupportedModel } from '../attribution.ts';
import { attributionOf, explainerOf } from '../explainer.ts';
import { recordOptions } from '../local/gradient.ts';
import { readExamples } from './maps.ts';

export interface RandomMapOptions extends ExplainOptions {
  readonly seed?: number;
}

const STREAM = streamOf('randomMap');

/**
 * The input itself: φ = x. Blind to the network.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** one forward row an example, for `target` and `output`.
 * **Known scores** Model randomisation gives 1: it is the same whatever the network.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `unsupported-model`,
 * `invalid-option`, `aborted`
 */
export const inputMap = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  control('inputMap', model, x, options, {});

/**
 * A random map: φ ~ N(0, 1), drawn anew for each example and each network. Blind to both.
 *
 * A draw is a function of the seed, the example's values and the explained number's bits, so an example's map does not depend on its neighbours,
 * comes again for the same seed, and is another one once the example or the network is another.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** as inputMap, and a read of x and of the output.
 * **Known scores** Model randomisation 0 ± 1/√(d − 1); deletion (f(x) + f(x′))/2 in the mean; pointing game the mask's share; max-sensitivity near √2.
 *
 * @throws VitrineError as inputMap
 */
export const randomMap = (model: Model, x: Examples, options: RandomMapOptions = {}): Promise<Attribution> =>
  control('randomMap', model, x, options, { seed: options.seed ?? 0 }, noise(options.seed ?? 0));

/**
 * The input times noise: φ = x ⊙ n, n as in randomMap. What an input factor alone brings about: absolute maps of this control correlate before and
 * after the network is randomised, signed ones do not. It stands for every map that is multiplied by the input.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** as randomMap. **Source** the trap described by Adebayo et al. 2018, section 4.
 *
 * @throws VitrineError as inputMap
 */
export const inputXRandom = (model: Model, x: Examples, options: RandomMapOptions = {}): Promise<Attribution> =>
  control('inputXRandom', model, x, options, { seed: options.seed ?? 0 }, (rows, outputs) => {
    const drawn = noise(options.seed ?? 0)(rows, outputs);
    return drawn.map((value, i) => value * (rows[i] as number));
  });

/**
 * The edges of the image: φ = √(S_x² + S_y²), S the Sobel filters of each channel, the border repeated. Blind to the network, and as
 * convincing to the eye as many an explanation.
 *
 * **Shapes** x [rows, height, width] or [rows, height, width, channels] → values the same. **Cost** as randomMap.
 * **Known scores** Model randomisation gives 1. **Source** Adebayo et al. 2018, section 5.2; the filters: Sobel, Feldman 1968.
 *
 * @throws VitrineError as inputMap; `unsupported-model` for a model that reads no images
 */
export async function sobelMap(model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> {
  const [height, width, channels = 1] = model.spec.inputShape;
  if (height === undefined || width === undefined || model.spec.inputShape.length > 3) {
    throw unsupportedModel('sobelMap', 'the model reads no images, and only images have edges.', 'use randomMap or inputMap.');
  }
  return control('sobelMap', model, x, options, {}, (rows) => sobel(rows, height, width, channels));
}

/**
 * A constant map: φ = 1 everywhere. It ranks nothing, and is perfectly stable.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** as inputMap.
 * **Known scores** Max-sensitivity 0; pointing game the mask's share; no rank correlation with anything; deletes in the stated order of ties.
 *
 * @throws VitrineError as inputMap
 */
export const constantMap = (model: Model, x: Examples, options: ExplainOptions = {}): Promise<Attribution> =>
  control('constantMap', model, x, options, {}, (rows) => new Float32Array(rows.length).fill(1));

/** Runs the model for the target and the output; `draw` makes the map where it is not the input itself. */
async function control(
  method: string,
  model: Model,
  x: Examples,
  options: ExplainOptions,
  own: Readonly<Record<string, unknown>>,
  draw?: (rows: Float32Array, outputs: Float32Array) => Float32Array,
): Promise<Attribution> {
  // All controls share one plan.
  const recipe = {
    method: 'inputMap',
    build: ({ x: input }: { x: Parameters<typeof scale>[0] }) => ({ outputs: { values: scale(input, 1) } }),
  };
  const attribution = attributionOf(method, recordOptions(options, own), await explainerOf(model).run(recipe, x, options));
  if (!draw) return attribution;
  try {
    const [rows, outputs] = await Promise.all([readExamples(x), attribution.output.read()]);
    attribution.values.write(draw(rows, outputs));
    return attribution;
  } catch (error) {
    attribution.dispose();
    throw error;
  }
}

/** Normal numbers for each element, keyed by the seed, the example and its output. */
const noise =
  (seed: number) =>
  (rows: Float32Array, outputs: Float32Array): Float32Array => {
    const features = rows.length / outputs.length;
    const rowBits = new Uint32Array(rows.buffer, rows.byteOffset, rows.length);
    const outputBits = new Uint32Array(outputs.buffer, outputs.byteOffset, outputs.length);
    const keys = Uint32Array.from(outputBits, (bits, row) => {
      // FNV-1a over words.
      let hash = Math.imul(0x811c9dc5 ^ bits, 0x01000193);
      for (let i = row * features; i < (row + 1) * features; i++) hash = Math.imul(hash ^ (rowBits[i] as number), 0x01000193);
      return hash;
    });
    return Float32Array.from(rows, (_, i) => normal(seed, STREAM, keys[Math.floor(i / features)] as number, i % features));
  };

/** Edge strength of each element of images [rows, height, width, channels]. */
function sobel(images: Float32Array, height: number, width: number, channels: number): Float32Array {
  const size = elements([height, width, channels]);
  const result = new Float32Array(images.length);
  const clamp = (value: number, end: number): number => Math.max(0, Math.min(end - 1, value));
  for (let i = 0; i < images.length; i++) {
    const image = i - (i % size);
    const channel = i % channels;
    const column = Math.floor(i / channels) % width;
    const row = Math.floor((i % size) / (width * channels));
    const at = (dy: number, dx: number): number =>
      images[image + (clamp(row + dy, height) * width + clamp(column + dx, width)) * channels + channel] as number;
    const across = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1);
    const down = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1);
    result[i] = Math.hypot(across, down);
  }
  return result;
}
