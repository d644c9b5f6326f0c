/**
 * What methods that hide parts of the input stand on: groups of elements, masks over the groups, and the network's output for each masked copy.
 *
 *     x_m = x′ + m ⊙ (x − x′)          m in [0, 1], an element's mask being its group's; 1 keeps it, 0 leaves the baseline x′
 *
 * **Folding.** Behind a first affine map a masked copy is z(m) = z(x′) + Σ_g m_g D_g with D_g = (x − x′)_{group g} W, computed once an example: exact, since
 * the map is linear. 65,536 coalitions of 16 patches of a digit then cost a product of width 17 each, not of width 784. Where the model begins otherwise, or
 * on request, the copies are made and go through the whole network.
 *
 * Masks are data: they arrive with each run, as numbers, as bits, or as ranks on the GPU, each example's own, along which rows are cut.
 */

import { checkNumber, checkWhole, shapeMismatch, show, VitrineError } from '../engine/errors.ts';
import type { Node } from '../engine/graph.ts';
import type { Examples, Model } from '../engine/model.ts';
import { elements, sameShape } from '../engine/operation.ts';
import { subtract } from '../engine/ops/arithmetic.ts';
import { matmul } from '../engine/ops/matmul.ts';
import { reshape } from '../engine/ops/reshape.ts';
import type { Tensor } from '../engine/tensor.ts';
import { type Attribution, disposeAll, type ExplainOptions } from './attribution.ts';
import { type BaselineOptions, baselineRows, recordBaseline } from './baselines.ts';
import { explainerOf, firstAffine, type Scene } from './explainer.ts';
import { recordOptions } from './local/gradient.ts';
import { collect } from './ops/collect.ts';
import { groupProducts } from './ops/group-products.ts';
import { maskBits, maskWidth, maskWords } from './ops/mask-bits.ts';
import { maskedRows } from './ops/masked-rows.ts';
import { rankOrder, strictRanks } from './ops/rank-order.ts';
import { rankedRows, rankedSums } from './ops/ranked-rows.ts';
import { spread } from './ops/spread.ts';

/** Which elements of an example are kept or hidden together. */
export interface Groups {
  /** Number of groups. */
  readonly count: number;
  /** Group of each element of an example, row-major, from 0 on. */
  readonly of: Uint32Array;
}

/** What groups may be given as: of a helper here, or the group of each element, [elements of an example]. */
export type GroupsGiven = Groups | ArrayLike<number>;

/** Each element of an example is a group: each column of a table, each pixel of a grey image. */
export function eachFeature(inputShape: readonly number[]): Groups {
  const count = elements(inputShape);
  return { count, of: Uint32Array.from({ length: count }, (_, i) => i) };
}

/**
 * Patches of an image, row by row, all channels together; those at the right and lower edges are smaller where `size` does not divide the image.
 *
 * @param inputShape [height, width] or [height, width, channels]
 * @param size of a patch in pixels: one number, or [height, width]; 1 makes each pixel a group, with its channels
 * @throws VitrineError `shape-mismatch` for what is no image, `invalid-option` for a size that is not a whole number from 1 on
 */
export function imagePatches(inputShape: readonly number[], size: number | readonly [number, number]): Groups {
  const [height, width, channels] = imageShape('imagePatches', inputShape);
  const [rows, columns] = sizeOf('imagePatches: size', size);
  const across = Math.ceil(width / columns);
  const of = new Uint32Array(height * width * channels);
  for (let i = 0; i < of.length; i++) {
    const pixel = Math.floor(i / channels);
    of[i] = Math.floor(Math.floor(pixel / width) / rows) * across + Math.floor((pixel % width) / columns);
  }
  return { count: Math.ceil(height / rows) * across, of };
}

/** Height, width and channels. @throws VitrineError `shape-mismatch` */
export function imageShape(method: string, shape: readonly number[]): [number, number, number] {
  const [height, width, channels = 1] = shape;
  if (height === undefined || width === undefined || shape.length > 3) {
    throw shapeMismatch(
      `${method}: ${show(shape)} is no image; an image is [height, width] or [height, width, channels].`,
      'give the shape of an image, or the group of each element.',
      { method, shape },
    );
  }
  return [height, width, channels];
}

/** The image that a model's input is, or is a list of the pixels of. @throws VitrineError `shape-mismatch` */
export function imageOf(method: string, inputShape: readonly number[], given: readonly number[] = inputShape): [number, number, number] {
  const image = imageShape(method, given);
  if (elements(image) !== elements(inputShape)) {
    throw shapeMismatch(
      `${method}: an image of ${show(image)} has ${elements(image)} elements, but an example of ${show(inputShape)} has ${elements(inputShape)}.`,
      'give as imageShape the shape of the image that the model reads.',
      { method, imageShape: image, inputShape },
    );
  }
  return image;
}

/** Height and width of a patch or a stride. @throws VitrineError `invalid-option` */
export function sizeOf(name: string, size: number | readonly [number, number]): readonly [number, number] {
  const both = typeof size === 'number' ? ([size, size] as const) : size;
  for (const length of both) checkWhole(name, length, 1);
  return both;
}

/**
 * The groups of a model's input; each element by itself where none are given.
 *
 * @throws VitrineError `shape-mismatch` for another number of elements, `invalid-option` for an index that is not a whole number from 0 on, or that is left out
 */
export function groupsOf(method: string, model: Model, given: GroupsGiven | undefined): Groups {
  const { inputShape } = model.spec;
  if (given === undefined) return eachFeature(inputShape);
  const of = 'of' in given ? given.of : given;
  const features = elements(inputShape);
  if (of.length !== features) {
    throw shapeMismatch(
      `${method}: the groups have ${of.length} elements, but an example of ${show(inputShape)} has ${features}.`,
      'give the group of each element of an example, row-major.',
      { method, groups: of.length, features },
    );
  }
  let count = 0;
  for (let i = 0; i < features; i++) {
    checkWhole(`${method}: the group of element ${i}`, of[i] as number, 0, features - 1);
    count = Math.max(count, (of[i] as number) + 1);
  }
  const index = Uint32Array.from(of);
  const seen = new Set(index);
  for (let group = 0; group < count; group++) {
    if (seen.has(group)) continue;
    throw new VitrineError(
      'invalid-option',
      `${method}: there are groups up to ${count - 1}, but none of the ${features} elements is in group ${group}.`,
      'number the groups from 0 on and leave none out.',
      { method, groups: count, group },
    );
  }
  return { count, of: index };
}

/** Lists of members one after another: list k is members[start[k]] … members[start[k + 1] − 1]. */
export interface Lists {
  readonly start: Uint32Array;
  readonly members: Uint32Array;
}

export function listsOf(lists: readonly ArrayLike<number>[]): Lists {
  const start = new Uint32Array(lists.length + 1);
  lists.forEach((list, k) => {
    start[k + 1] = (start[k] as number) + list.length;
  });
  const members = new Uint32Array(Math.max(1, start[lists.length] as number));
  lists.forEach((list, k) => {
    members.set(Array.from(list), start[k]);
  });
  return { start, members };
}

/** The elements of each group, in order. */
export function membersOf({ count, of }: Groups): Lists {
  const lists = Array.from({ length: count }, (): number[] => []);
  of.forEach((group, i) => {
    lists[group]?.push(i);
  });
  return listsOf(lists);
}

/** The data that a run needs of the groups, for `Recipe.slice`. */
export function groupData(groups: Groups): Readonly<Record<string, Uint32Array>> {
  const { start, members } = membersOf(groups);
  return { groupOf: groups.of, groupStart: start, groupMembers: members };
}

/** `baseline` is what a hidden element is replaced by, 0 (black) by default. */
export interface MaskedOptions extends ExplainOptions, BaselineOptions {
  /**
   * Whether masked copies are folded behind a first affine layer: exact, and much cheaper. True by default, where the model begins with one. False is the
   * plain way, for comparison.
   */
  readonly fold?: boolean;
}

/** What an attribution records of the options that these methods have: groups as the group of each element. */
export function recordMasked(
  options: MaskedOptions,
  { groups, ...own }: Readonly<Record<string, unknown>> & { readonly groups?: Groups },
): Record<string, unknown> {
  const partition = groups ? { groups: Array.from(groups.of) } : {};
  return recordOptions(options, { ...partition, ...own, fold: options.fold ?? true, ...recordBaseline(options) });
}

/** An attribution of groups; its `values` divide each group's value equally among the group's elements, so that both have one sum. */
export interface GroupAttribution extends Attribution {
  readonly groups: Groups;
  /** [rows, groups] */
  readonly groupValues: Tensor;
}

/** The data that `spreadGroups` needs, for `Recipe.slice`. */
export function spreadData({ count, of }: Groups): Readonly<Record<string, Float32Array | Uint32Array>> {
  const sizes = new Uint32Array(count);
  for (const group of of) sizes[group] = (sizes[group] as number) + 1;
  return {
    spreadStart: Uint32Array.from({ length: of.length + 1 }, (_, i) => i),
    groupOf: of,
    share: Float32Array.from(of, (group) => 1 / (sizes[group] as number)),
  };
}

/** Each group's number divided among its elements, [rows, ...inputShape]. */
export function spreadGroups(scene: Scene, groups: Groups, values: Node): Node {
  const features = groups.of.length;
  const start = scene.input('spreadStart', [features + 1], 'uint32');
  const members = scene.input('groupOf', [features], 'uint32');
  return reshape(spread(values, start, members, scene.input('share', [features])), scene.x.shape);
}

/** Whether masked copies can be folded in this scene. */
export const folds = (scene: Scene, fold: boolean): boolean => fold && firstAffine(scene.forward) !== undefined;

const flat = (x: Node): Node => reshape(x, [x.shape[0] as number, elements(x.shape.slice(1))]);

/** Rows of the first affine map that masks combine: z(from), then what each group adds on its way from `from` to `to`. */
export function productsOf(scene: Scene, groups: Groups, from: Node, to: Node): Node {
  const z = firstAffine(from === scene.x ? scene.forward : scene.forwardOf(from)) as Node;
  const start = scene.input('groupStart', [groups.count + 1], 'uint32');
  const members = scene.input('groupMembers', [groups.of.length], 'uint32');
  return groupProducts(flat(subtract(to, from)), z.inputs[1] as Node, z, start, members);
}

/** Logits of each masked copy, [rows · samples, classes], for masks [samples, maskWidth(groups)]. */
export function maskedLogits(scene: Scene, groups: Groups, mask: Node, fold: boolean): Node {
  const baseline = scene.baseline();
  if (!folds(scene, fold)) {
    return scene.forwardOf(maskedRows(scene.x, baseline, mask, scene.input('groupOf', [groups.of.length], 'uint32'))).logits;
  }
  const products = productsOf(scene, groups, baseline, scene.x);
  const z = matmul(mask, products);
  return scene.forwardFrom(reshape(z, [scene.rows * (mask.shape[0] as number), products.shape[2] as number])).logits;
}

/** Masks of the groups, the same for every example. */
export interface NumberMasks {
  /** [masks, groups], each in [0, 1]. */
  readonly masks: ArrayLike<number>;
}

/** Coalitions of groups, the same for every example. */
export interface BitMasks {
  /** uint32 [masks, ⌈groups / 32⌉]; group 0 is the lowest bit of the first word, a bit of 1 keeps its group. */
  readonly coalitions: Uint32Array;
}

/** Copies along each example's own order of the groups: copy k keeps (or, `removing`, hides) its first counts[k] groups. */
export interface RankMasks {
  /** uint32 [examples, groups] on the GPU, lowest first; ties go to the lower group. The caller keeps it alive. */
  readonly ranks: Tensor;
  /** How many groups each copy keeps or hides: whole numbers from 0 to the number of groups, rising. */
  readonly counts: ArrayLike<number>;
  /** From x, hiding in the order of ranks (deletion), rather than from the baseline, keeping (insertion). */
  readonly removing?: boolean;
}

export type Masks = NumberMasks | BitMasks | RankMasks;

export interface CoalitionOptions extends MaskedOptions {
  /** Groups that masks are about; each element by itself by default. */
  readonly groups?: GroupsGiven;
}

/** The explained output of every masked copy, on the GPU. Whoever asked for it disposes of it. */
export interface CoalitionValues {
  /** v(m) = f(x′ + m ⊙ (x − x′)), [examples, masks]. */
  readonly values: Tensor;
  /** f(x), [examples]. */
  readonly output: Tensor;
  /** f(x′), [examples]. */
  readonly baselineOutput: Tensor;
  /** The explained class of each example, uint32 [examples]. */
  readonly target: Tensor;
  readonly step?: number;
  readonly lastStep?: number;
  dispose(): void;
}

/** Copies of an example in one run at most; the rows of a run are bounded besides. */
export const MOST_COPIES = 4096;

/**
 * Coalition values: the explained output of masked copies of each example, v(m) = f(x′ + m ⊙ (x − x′)).
 *
 * **Shapes** x [examples, ...inputShape] → values [examples, masks]. **Cost** one forward row a mask and example; folded, its first layer is as
 * wide as there are groups, and for ranks a running sum.
 * **Reading** what the network would say had it seen only these parts. **Caveat** a masked copy is an input that no one has seen: the baseline decides.
 * **Source** Lundberg, Lee 2017, "A unified approach to interpreting model predictions", section 2; ranks: Samek et al. 2017.
 *
 * @throws VitrineError `shape-mismatch`, `empty-dataset`, `dtype-mismatch`, `non-finite-data`, `label-out-of-range`, `invalid-option`,
 * `unsupported-model`, `aborted`
 */
export const coalitionValues = (model: Model, x: Examples, masks: Masks, options: CoalitionOptions = {}): Promise<CoalitionValues> =>
  evaluateCoalitions('coalitionValues', model, x, masks, options);

/** coalitionValues for another method, which its errors and its plans name. */
export async function evaluateCoalitions(
  method: string,
  model: Model,
  x: Examples,
  masks: Masks,
  options: CoalitionOptions,
): Promise<CoalitionValues> {
  const { fold = true } = options;
  const groups = groupsOf(method, model, options.groups);
  const source = sourceOf(method, groups, masks, () => model.rowsOf(x));
  const data = groupData(groups);
  const { tensors, ...when } = await explainerOf(model).run(
    {
      method,
      key: `${source.key} ${fold ? 'folded' : 'plain'} ${groups.count} ${source.count}`,
      samples: source.count,
      samplesPerRun: MOST_COPIES,
      rowTensors: source.rowTensors,
      slice: (first, count, width) => ({ ...data, ...source.slice(first, count, width), at: Uint32Array.of(first, count) }),
      build: (scene) => {
        const v = scene.output(source.logits(scene, fold));
        const values = collect(v, scene.carried('values', [scene.rows, source.count]), scene.input('at', [2], 'uint32'));
        const baselineOutput = scene.output(scene.forwardOf(scene.baseline()).logits);
        return { outputs: { values, baselineOutput }, carry: { values } };
      },
    },
    x,
    { ...options, baseline: baselineRows(method, model, x, options.baseline, options) },
  );
  const get = (name: string): Tensor => tensors.get(name) as Tensor;
  return {
    values: get('values'),
    output: get('output'),
    baselineOutput: get('baselineOutput'),
    target: get('target'),
    ...when,
    dispose: () => disposeAll(tensors.values()),
  };
}

/** How masks reach a graph. */
interface MaskSource {
  readonly key: string;
  /** Number of masks. */
  readonly count: number;
  readonly rowTensors: Readonly<Record<string, Tensor>>;
  slice(first: number, count: number, width: number): Readonly<Record<string, Float32Array | Uint32Array>>;
  logits(scene: Scene, fold: boolean): Node;
}

function sourceOf(method: string, groups: Groups, masks: Masks, examples: () => number): MaskSource {
  if ('ranks' in masks) return rankSource(method, groups, masks, examples());
  if ('coalitions' in masks) return bitSource(method, groups, masks.coalitions);
  return numberSource(method, groups, masks.masks);
}

/** Number of rows of `width` that values fill. @throws VitrineError `shape-mismatch`, `invalid-option` */
function rowsIn(method: string, what: string, length: number, width: number, mend: string): number {
  if (length % width !== 0) {
    throw shapeMismatch(`${method}: ${length} ${what} do not fill rows of ${width}.`, mend, { method, length, width });
  }
  checkWhole(`${method}: number of masks`, length / width, 1);
  return length / width;
}

function bitSource(method: string, groups: Groups, bits: Uint32Array): MaskSource {
  const words = maskWords(groups.count);
  return {
    key: 'bits',
    count: rowsIn(method, 'words of coalitions', bits.length, words, `give ${words} uint32 for each coalition of ${groups.count} groups.`),
    rowTensors: {},
    slice: (first, count) => ({ bits: bits.subarray(first * words, (first + count) * words) }),
    logits: (scene, fold) =>
      maskedLogits(scene, groups, maskBits(scene.input('bits', [scene.samples, words], 'uint32'), groups.count), fold),
  };
}

function numberSource(method: string, groups: Groups, masks: ArrayLike<number>): MaskSource {
  const count = rowsIn(method, 'values of masks', masks.length, groups.count, `give each mask ${groups.count} values, one a group.`);
  for (let i = 0; i < masks.length; i++) {
    const value = masks[i] as number;
    if (!(value >= 0 && value <= 1)) checkNumber(`${method}: masks[${i}]`, value, 0, 1);
  }
  return {
    key: 'numbers',
    count,
    rowTensors: {},
    slice: (first, taken) => ({
      mask: maskRows(groups.count, taken, (row, group) => masks[(first + row) * groups.count + group] as number),
    }),
    logits: (scene, fold) => maskedLogits(scene, groups, scene.input('mask', [scene.samples, maskWidth(groups.count)]), fold),
  };
}

/** Rows of masks as the graph takes them: a leading 1, the groups' values, zeros. */
export function maskRows(groups: number, rows: number, shareOf: (row: number, group: number) => number): Float32Array {
  const width = maskWidth(groups);
  const mask = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    mask[row * width] = 1;
    for (let group = 0; group < groups; group++) mask[row * width + 1 + group] = shareOf(row, group);
  }
  return mask;
}

function rankSource(method: string, groups: Groups, { ranks, counts, removing = false }: RankMasks, examples: number): MaskSource {
  if (!sameShape(ranks.shape, [examples, groups.count]) || ranks.dtype !== 'uint32') {
    throw shapeMismatch(
      `${method}: the ranks are ${ranks.dtype} ${show(ranks.shape)}; they must be uint32 ${show([examples, groups.count])}, a rank for each group of each example.`,
      'give each example a row of ranks, or the groups that the ranks are of.',
      { method, ranks: ranks.shape, dtype: ranks.dtype, examples, groups: groups.count },
    );
  }
  const list = Uint32Array.from(counts);
  checkWhole(`${method}: number of counts`, list.length, 1);
  for (let k = 0; k < list.length; k++)
    checkWhole(`${method}: counts[${k}]`, counts[k] as number, k > 0 ? (counts[k - 1] as number) : 0, groups.count);
  return {
    key: removing ? 'removing' : 'keeping',
    count: list.length,
    rowTensors: { ranks },
    slice: (first, count, width) => ({
      counts: Uint32Array.from({ length: width }, (_, k) => list[first + Math.min(k, count - 1)] as number),
    }),
    logits: (scene, fold) => {
      const [begin, end] = removing ? [scene.x, scene.baseline()] : [scene.baseline(), scene.x];
      const given = scene.rowInput('ranks', [scene.rows, groups.count], 'uint32');
      const rows = scene.input('counts', [scene.samples], 'uint32');
      if (!folds(scene, fold)) {
        const groupOf = scene.input('groupOf', [groups.of.length], 'uint32');
        return scene.forwardOf(rankedRows(begin, end, strictRanks(given), groupOf, rows, { own: true })).logits;
      }
      return scene.forwardFrom(rankedSums(productsOf(scene, groups, begin, end), rankOrder(given), rows, { own: true })).logits;
    },
  };
}
