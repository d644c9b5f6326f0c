import { checkWhole, VitrineError } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { add, multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { slice } from '../../engine/ops/slice.ts';
import type { Attribution } from '../attribution.ts';
import { baselineRows } from '../baselines.ts';
import { attributionOf, explainerOf, firstAffine, type Scene } from '../explainer.ts';
import {
  eachFeature,
  folds,
  type GroupsGiven,
  groupsOf,
  imageOf,
  type Lists,
  listsOf,
  type MaskedOptions,
  MOST_COPIES,
  maskedLogits,
  membersOf,
  recordMasked,
  sizeOf,
} from '../masked.ts';
import { collect } from '../ops/collect.ts';
import { withoutGroups } from '../ops/group-products.ts';
import { maskBits, maskWords } from '../ops/mask-bits.ts';
import { spread } from '../ops/spread.ts';

export interface OcclusionOptions extends MaskedOptions {
  /** Size of the window in pixels, or its [height, width]; 4 by default. */
  readonly window?: number | readonly [number, number];
  /** Pixels from window to window, or [down, across]; 2 by default. The last window of a row or column ends at the image's edge. */
  readonly stride?: number | readonly [number, number];
  /** [height, width] or [height, width, channels], where the model's input is a list of pixels; the model's own shape by default. */
  readonly imageShape?: readonly number[];
  /** Hide these groups, one after another, instead of a sliding window. */
  readonly groups?: GroupsGiven;
}

/**
 * Occlusion: φ = f_c(x) − f_c(x with a window set to the baseline x′), for every window; an element gets the mean over the windows that cover it.
 *
 * **Shapes** x [rows, ...inputShape] → values the same. **Cost** one forward row a window; behind a first affine layer z(x) − (x − x′)_window W takes the
 * first layer's place, as long as the window.
 * **Shows** what the output loses when a part is hidden: a real change of the input, no derivative. **Does not show** parts that stand in for one another:
 * where either suffices, hiding one loses nothing.
 * Of token indices each token by itself, or groups of them; the baseline is one of their embedding, whose 0 is padding.
 * Defaults: 4×4 windows, 2 apart, on images [height, width, channels] (169 on 28×28), all channels together; otherwise each element by itself.
 * Zennit takes 8×8, 8 apart, on 224×224.
 * **Source** Zeiler, Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2.
 *
 * @throws VitrineError `shape-mismatch`, `dtype-mismatch`, `empty-dataset`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export async function occlusion(model: Model, x: Examples, options: OcclusionOptions = {}): Promise<Attribution> {
  const method = 'occlusion';
  const { fold = true } = options;
  const { windows, record } = windowsOf(method, model, options);
  const features = elements(model.spec.inputShape);
  const lists = listsOf(windows);
  const longest = windows.reduce((most, { length }) => Math.max(most, length), 0);
  const cover = coverOf(windows, features);
  const words = maskWords(features);
  const explained = await explainerOf(model).run(
    {
      method,
      tokens: 'embedded',
      key: `${fold ? 'folded' : 'plain'} ${windows.length} windows of ${longest}, ${cover.members.length} covers`,
      samples: windows.length,
      samplesPerRun: MOST_COPIES,
      slice: (first, count, width) => ({
        ...sliceOf(lists, first, count, width),
        bits: bitsWithout(windows, first, count, features),
        groupOf: eachFeature(model.spec.inputShape).of,
        coverStart: cover.start,
        coverMembers: cover.members,
        share: cover.share,
        at: Uint32Array.of(first, count),
      }),
      build: (scene) => {
        const masks = (): Node => maskBits(scene.input('bits', [scene.samples, words], 'uint32'), features);
        const hidden =
          model.spec.inputType === 'uint32'
            ? withoutTokens(scene, masks())
            : folds(scene, fold)
              ? withoutWindows(scene, longest)
              : maskedLogits(scene, eachFeature(model.spec.inputShape), masks(), false);
        const total = windows.length;
        const left = collect(scene.output(hidden), scene.carried('left', [scene.rows, total]), scene.input('at', [2], 'uint32'));
        const lost = subtract(reshape(scene.output(scene.forward.logits), [scene.rows, 1]), left);
        const start = scene.input('coverStart', [features + 1], 'uint32');
        const members = scene.input('coverMembers', [cover.members.length], 'uint32');
        const values = spread(lost, start, members, scene.input('share', [features]));
        return { outputs: { values: reshape(values, [scene.rows, ...model.spec.inputShape]) }, carry: { left } };
      },
    },
    x,
    { ...options, baseline: baselineRows(method, model, x, options.baseline, options) },
  );
  return attributionOf(method, recordMasked(options, record), explained);
}

/** Logits of the input without each window, folded behind the first affine map. */
function withoutWindows(scene: Scene, longest: number): Node {
  const z = firstAffine(scene.forward) as Node;
  const difference = subtract(scene.x, scene.baseline());
  const direction = reshape(difference, [scene.rows, elements(difference.shape.slice(1))]);
  const start = scene.input('start', [scene.samples + 1], 'uint32');
  const members = scene.input('members', [scene.samples * longest], 'uint32');
  const rows = withoutGroups(direction, z.inputs[1] as Node, z, start, members);
  return scene.forwardFrom(reshape(rows, [scene.rows * scene.samples, rows.shape[2] as number])).logits;
}

/** Logits of the input with each window of tokens set to the baseline of their embedding. @param masks as maskBits gives them: after a column of ones, 1 where a token is to be seen */
function withoutTokens(scene: Scene, masks: Node): Node {
  const [rows, tokens, width] = scene.x.shape as [number, number, number];
  const { samples } = scene;
  const baseline = reshape(scene.baseline(), [rows, 1, tokens, width]);
  const seen = slice(masks, { start: [0, 1], end: [samples, 1 + tokens] });
  const difference = multiply(reshape(seen, [1, samples, tokens, 1]), subtract(reshape(scene.x, [rows, 1, tokens, width]), baseline));
  return scene.forwardOf(reshape(add(baseline, difference), [rows * samples, tokens, width])).logits;
}

/** The elements of each window, and what is recorded of them. */
function windowsOf(
  method: string,
  model: Model,
  options: OcclusionOptions,
): { windows: number[][]; record: Parameters<typeof recordMasked>[1] } {
  const { inputShape } = model.spec;
  const given = options.window !== undefined || options.stride !== undefined || options.imageShape !== undefined;
  if (options.groups !== undefined && given) {
    throw new VitrineError(
      'invalid-option',
      `${method}: groups are given, and a window, a stride or an image's shape besides.`,
      'hide groups or slide a window.',
      { method },
    );
  }
  if (options.groups !== undefined || (!given && inputShape.length !== 3)) {
    const groups = groupsOf(method, model, options.groups);
    const { start, members } = membersOf(groups);
    const windows = Array.from({ length: groups.count }, (_, g) => Array.from(members.subarray(start[g], start[g + 1])));
    return { windows, record: { groups } };
  }
  const [height, width, channels] = imageOf(method, inputShape, options.imageShape);
  const [rows, columns] = sizeOf(`${method}: window`, options.window ?? 4);
  const [down, across] = sizeOf(`${method}: stride`, options.stride ?? 2);
  checkWhole(`${method}: height of the window`, rows, 1, height);
  checkWhole(`${method}: width of the window`, columns, 1, width);
  const windows: number[][] = [];
  for (const top of startsOf(height, rows, down)) {
    for (const left of startsOf(width, columns, across)) {
      const window: number[] = [];
      for (let row = top; row < top + rows; row++) {
        const first = (row * width + left) * channels;
        for (let i = first; i < first + columns * channels; i++) window.push(i);
      }
      windows.push(window);
    }
  }
  return {
    windows,
    record: { window: [rows, columns], stride: [down, across], ...(options.imageShape ? { imageShape: [...options.imageShape] } : {}) },
  };
}

/** Where windows begin along an axis; the last one ends at its end. */
function startsOf(length: number, window: number, stride: number): number[] {
  const starts: number[] = [];
  for (let at = 0; at < length - window; at += stride) starts.push(at);
  return [...starts, length - window];
}

/** The windows that cover each element, and one over their number. */
function coverOf(windows: readonly number[][], features: number): Lists & { readonly share: Float32Array } {
  const covering = Array.from({ length: features }, (): number[] => []);
  windows.forEach((window, w) => {
    for (const element of window) covering[element]?.push(w);
  });
  return { ...listsOf(covering), share: Float32Array.from(covering, ({ length }) => (length > 0 ? 1 / length : 0)) };
}

/** The lists from `first` on, begun anew; places that are not used have no members. */
function sliceOf({ start, members }: Lists, first: number, count: number, width: number): { start: Uint32Array; members: Uint32Array } {
  const from = start[first] as number;
  const end = start[first + count] as number;
  return {
    start: Uint32Array.from({ length: width + 1 }, (_, k) => (start[first + Math.min(k, count)] as number) - from),
    members: members.subarray(from, end),
  };
}

/** A bit for each element, 0 in the window. */
function bitsWithout(windows: readonly number[][], first: number, count: number, features: number): Uint32Array {
  const words = maskWords(features);
  const bits = new Uint32Array(count * words).fill(0xffffffff);
  for (let k = 0; k < count; k++) {
    for (const element of windows[first + k] as number[]) {
      const word = k * words + Math.floor(element / 32);
      bits[word] = (bits[word] as number) & ~(1 << (element % 32));
    }
  }
  return bits;
}
