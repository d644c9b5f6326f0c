import { compile } from '../../engine/compile.ts';
import type { Device, DeviceBuffer } from '../../engine/device.ts';
import { checkNumber, checkWhole, internal, shapeMismatch, VitrineError } from '../../engine/errors.ts';
import { Graph, type Node, requireType } from '../../engine/graph.ts';
import type { Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import type { Plan } from '../../engine/plan.ts';
import { normal, streamOf } from '../../engine/random.ts';
import { Tensor } from '../../engine/tensor.ts';
import type { Trainer } from '../../engine/trainer.ts';
import { disposeAll } from '../attribution.ts';
import {
  countWeights,
  iteratePower,
  joinLooks,
  lookAtWeights,
  SUM_WORDS,
  type WeightNodes,
  type WeightTables,
  type WeightTensorName,
  weightTables,
} from '../ops/weight-reductions.ts';

/** What one tensor comes to. Values that are not finite are counted and otherwise left out. */
export interface TensorReductions {
  readonly shape: readonly number[];
  /** Number of values. */
  readonly length: number;
  /** √Σ w² (for a matrix the Frobenius norm). */
  readonly norm: number;
  /** Σ |w|. */
  readonly absoluteSum: number;
  readonly least: number;
  readonly greatest: number;
  /** max |w|. */
  readonly largest: number;
  readonly mean: number;
  /** √(Σ (w − mean)² / n). */
  readonly deviation: number;
  /** Values that are exactly 0, and their share. */
  readonly zeros: number;
  readonly sparsity: number;
  /** Values that are NaN or infinite. */
  readonly notFinite: number;
  /** σ₁, the largest singular value, from below; of tensors of two axes or more, as [everything before, last axis]. */
  readonly spectralNorm?: number;
  /** ‖W‖²_F / σ₁², between 1 and the rank; 0 where W is 0. */
  readonly stableRank?: number;
  /** ‖ΔW‖ since the reductions before, and ‖ΔW‖ / ‖W‖; of a watch. */
  readonly updateNorm?: number;
  readonly updateRatio?: number;
  readonly histogram?: WeightHistogram;
  /** Σ_c |W[r, c]| of each row r, the inputs of a dense layer: how much of the input the layer takes up. */
  readonly importance?: Float32Array;
}

/** Counts of equal bins; `from` belongs to the first and `to` to the last. They sum to the number of finite values. */
export interface WeightHistogram {
  readonly from: number;
  readonly to: number;
  readonly counts: Uint32Array;
}

export interface WeightReductionOptions {
  /** What to reduce, float32: the model's parameters by default. A trainer's `tensors` hold gradients and moments, too. */
  readonly tensors?: ReadonlyMap<string, Tensor>;
  /** Bins of the histograms, 64 by default; 0 for none. */
  readonly bins?: number;
  /** Range of every histogram; each tensor's own least and greatest value by default. Values beyond it are in the outermost bins. */
  readonly range?: readonly [number, number];
  /** Steps of the power iteration; 64 by default. The spectral norm grows towards σ₁ with each. */
  readonly powerIterations?: number;
  /** Whether to read Σ|w| of each row of a matrix; true by default. */
  readonly importance?: boolean;
  /** Of the vector that the power iteration starts from; 0 by default. */
  readonly seed?: number;
}

export interface WeightWatchOptions extends Pick<WeightReductionOptions, 'tensors' | 'powerIterations' | 'seed'> {
  /** Steps from one look to the next; 1 by default. */
  readonly every?: number;
  /**
   * Parts of a tensor that the looks take in turn; 32 by default. A record joins the last `parts` looks, so every value in it is at most that many looks
   * old, at that part of the cost. 1 takes in everything at every look.
   */
  readonly parts?: number;
  /** Whether to follow ‖ΔW‖ from look to look; true by default. */
  readonly updates?: boolean;
  /**
   * Looks from one step of the power iteration to the next, which goes through all weights twice; 512 by default, 0 for none. A record's spectral
   * norm is of the last such step.
   */
  readonly powerEvery?: number;
  /** Looks kept until they are read; at least 1024 by default. */
  readonly slots?: number;
}

/** One look of a watch. */
export interface WeightRecord {
  /** Steps done. */
  readonly step: number;
  /** The spectral norm is in the last record that a `read()` gives. */
  readonly tensors: ReadonlyMap<string, TensorReductions>;
}

const MOST_BINS = 1024;
/** Looks that are joined at once. */
const BATCH = 16;

/** `struct Sums` of the kernels. */
interface Sums {
  readonly number: number;
  readonly mean: number;
  readonly deviations: number;
  readonly squares: number;
  readonly absolute: number;
  readonly least: number;
  readonly greatest: number;
  readonly updates: number;
  readonly zeros: number;
  readonly broken: number;
}

function sumsAt(words: ArrayBuffer, index: number): Sums {
  const [number, mean, deviations, squares, absolute, least, greatest, updates] = new Float32Array(words, 4 * SUM_WORDS * index, 8);
  const [zeros, broken] = new Uint32Array(words, 4 * (SUM_WORDS * index + 8), 2);
  return { number, mean, deviations, squares, absolute, least, greatest, updates, zeros, broken } as Sums;
}

/** As the kernels join blocks, in float64. */
function joined(p: Sums, q: Sums): Sums {
  const number = p.number + q.number;
  const share = q.number / Math.max(number, 1);
  const apart = q.mean - p.mean;
  return {
    number,
    mean: p.mean + apart * share,
    deviations: p.deviations + q.deviations + apart * apart * share * p.number,
    squares: p.squares + q.squares,
    absolute: p.absolute + q.absolute,
    least: Math.min(p.least, q.least),
    greatest: Math.max(p.greatest, q.greatest),
    updates: p.updates + q.updates,
    zeros: p.zeros + q.zeros,
    broken: p.broken + q.broken,
  };
}

/** The tensors of one buffer, and the plan that looks at them: the looks of a batch, the joins of each batch, a power step, histograms. */
interface BufferWork {
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly tables: WeightTables;
  readonly own: ReadonlyMap<WeightTensorName, Tensor>;
  readonly plan: Plan;
  readonly power: number;
  readonly histogram: number;
}

interface ReaderOptions {
  readonly parts: number;
  readonly batches: number;
  /** Looks of a batch, a multiple of `parts`. */
  readonly looks: number;
  readonly bins: number;
  readonly range: readonly [number, number] | undefined;
  readonly updates: boolean;
  readonly seed: number;
}

/** Reduces tensors wherever they lie: the same few dispatches for each buffer that holds some. */
class WeightReader {
  readonly #device: Device;
  readonly #options: ReaderOptions;
  readonly #works: BufferWork[] = [];
  /** Looks since the beginning, and how many of them are joined. */
  looks = 0;
  #joined = 0;

  private constructor(device: Device, options: ReaderOptions) {
    this.#device = device;
    this.#options = options;
  }

  static async create(device: Device, tensors: ReadonlyMap<string, Tensor>, options: ReaderOptions): Promise<WeightReader> {
    const reader = new WeightReader(device, options);
    const buffers = new Map<DeviceBuffer, string[]>();
    for (const [name, tensor] of tensors) {
      requireType('weightReductions', tensor, name, 'float32');
      tensor.requireAlive();
      if (tensor.byteOffset % 16 !== 0) throw internal('weight-reductions.ts', `${name} begins at byte ${tensor.byteOffset}`);
      if (tensor.length === 0) throw shapeMismatch(`weightReductions: ${name} holds no values.`, 'leave it out.', { name });
      buffers.set(tensor.storage, [...(buffers.get(tensor.storage) ?? []), name]);
    }
    try {
      for (const [storage, names] of buffers) {
        const own = names.map((name) => tensors.get(name) as Tensor);
        reader.#works.push(await reader.#workOn(storage, names, own));
      }
    } catch (error) {
      reader.dispose();
      throw error;
    }
    device.register(reader);
    reader.rebuild();
    return reader;
  }

  async #workOn(storage: DeviceBuffer, names: readonly string[], tensors: readonly Tensor[]): Promise<BufferWork> {
    const device = this.#device;
    const { parts, looks, batches, bins, updates } = this.#options;
    const shapes = tensors.map(({ shape }) => shape);
    const tables = weightTables(
      tensors.map(({ byteOffset, shape }) => ({ offset: byteOffset / 4, shape })),
      parts,
      looks,
    );
    const count = tensors.length;
    const matrices = tables.matrices.length > 0;
    const own = new Map<WeightTensorName, Tensor>();
    const whole = new Tensor(device, {
      name: storage.label,
      shape: [storage.size / 4],
      dtype: 'float32',
      storage,
      byteOffset: 0,
      owned: false,
    });
    const make = (name: WeightTensorName, length: number, dtype: 'float32' | 'uint32' = 'float32'): void => {
      const tensor = device.empty([Math.max(1, length)], dtype, `weightReductions/${name}`, { recoverable: true, owner: 'explain' });
      own.set(name, tensor);
    };
    try {
      await device.guarded('weightReductions', () => {
        for (const name of TABLE_NAMES) make(name, tables[name].length, 'uint32');
        make('blockSums', looks * tables.stride * SUM_WORDS);
        make('blockUpdates', looks * tables.stride);
        make('before', updates ? whole.length : 1);
        make('segmentSums', (tables.segments.length / 3) * SUM_WORDS);
        make('results', batches * looks * count * SUM_WORDS);
        make('vector', tables.vectorFloats);
        make('norms', tables.matrices.length / 3);
        make('products', tables.rowTiles.length / 2);
        make('importance', tables.rowTiles.length / 2);
        make('shares', tables.columnTiles.length);
        make('ranges', 2 * count);
        make('counts', count * bins, 'uint32');
      });
      const graph = new Graph();
      const places = new Map<Node, Tensor>();
      const place = (tensor: Tensor): Node => {
        const node = graph.placeholder(tensor.name, tensor.shape, tensor.dtype);
        places.set(node, tensor);
        return node;
      };
      const nodes = {
        ...Object.fromEntries([...own].map(([name, tensor]) => [name, place(tensor)])),
        weights: place(whole),
      } as WeightNodes;
      const roots = Array.from({ length: looks }, (_, look) => lookAtWeights(nodes, tables, look, updates));
      const power = looks + 2 * batches;
      const joining = Array.from({ length: batches }, (_, batch) => joinLooks(nodes, tables, batch));
      const last = [...(matrices ? [iteratePower(nodes, tables)] : []), ...(bins > 0 ? [countWeights(nodes, tables, bins)] : [])];
      const options = { name: 'weightReductions', owner: 'explain' as const, tensors: places };
      const plan = await compile(device, [...roots, ...joining, ...last], options);
      return { names, shapes, tables, own, plan, power, histogram: power + (matrices ? 4 : 0) };
    } catch (error) {
      disposeAll(own.values());
      throw error;
    }
  }

  /** Writes the tables, and again after the device was replaced: what was looked at before is forgotten. */
  rebuild(): void {
    const { range, seed } = this.#options;
    this.looks = 0;
    this.#joined = 0;
    for (const { tables, own } of this.#works) {
      const write = (name: WeightTensorName, values: Float32Array | Uint32Array): void => {
        const tensor = own.get(name) as Tensor;
        if (values.length > 0) this.#device.writeBuffer('explain', tensor.storage, 0, values);
      };
      for (const name of TABLE_NAMES) write(name, tables[name]);
      const vector = new Float32Array(tables.vectorFloats);
      const norms = new Float32Array(tables.matrices.length / 3);
      for (const matrix of tables.spectrum) {
        if (!matrix) continue;
        let square = 0;
        for (let i = 0; i < matrix.columns; i++) {
          const value = normal(seed, streamOf('weightReductions'), 0, i);
          vector[matrix.vector + i] = value;
          square += value * value;
        }
        norms[2 * matrix.index] = 1 / Math.sqrt(square);
      }
      write('vector', vector);
      write('norms', norms);
      const ranges = new Float32Array((own.get('ranges') as Tensor).length);
      if (range) for (let i = 0; i < ranges.length; i += 2) ranges.set(range, i);
      write('ranges', ranges);
    }
    this.keepBefore();
  }

  /** What the first looks compare with: the weights as they are now. */
  keepBefore(): void {
    if (!this.#options.updates) return;
    this.#device.submit('explain', 'weights before', (encoder) => {
      for (const { own, plan } of this.#works) {
        const weights = plan.steps[0]?.bound[0] as Tensor;
        const before = own.get('before') as Tensor;
        encoder.copyBufferToBuffer(weights.buffer, 0, before.buffer, 0, weights.bytes);
        this.#device.count('explain', 'copyBuffer');
      }
    });
  }

  /** One look; the last of a batch also joins it. */
  encode(pass: GPUComputePassEncoder): void {
    const { looks, batches } = this.#options;
    const look = this.looks % looks;
    for (const { plan } of this.#works) plan.encode(pass, look, look + 1);
    this.looks += 1;
    if (look < looks - 1) return;
    this.#encodeJoin(pass, Math.floor((this.looks - 1) / looks) % batches);
    this.#joined = this.looks;
  }

  #encodeJoin(pass: GPUComputePassEncoder, batch: number): void {
    const first = this.#options.looks + 2 * batch;
    for (const { plan } of this.#works) plan.encode(pass, first, first + 2);
  }

  encodePower(pass: GPUComputePassEncoder): void {
    for (const { plan, power, tables } of this.#works) if (tables.matrices.length > 0) plan.encode(pass, power, power + 4);
  }

  /** Takes every part in, `powerSteps` steps of the power iteration and, where there are bins, histograms, in one submit. */
  run(powerSteps: number): void {
    for (const { plan } of this.#works) plan.steps[0]?.bound[0]?.requireAlive();
    this.#device.submit('explain', 'weightReductions', (encoder) => {
      const pass = encoder.beginComputePass({ label: 'weightReductions' });
      for (let i = 0; i < this.#options.parts; i++) this.encode(pass);
      for (let i = 0; i < powerSteps; i++) this.encodePower(pass);
      if (this.#options.bins > 0) for (const { plan, histogram } of this.#works) plan.encode(pass, histogram, histogram + 1);
      pass.end();
    });
  }

  /** The results of some looks, by their numbers from 0; those no longer kept are left out. One copy, one map. */
  async read(wanted: readonly number[], importance: boolean): Promise<Map<number, Map<string, TensorReductions>>> {
    const { parts, looks, batches, bins } = this.#options;
    const now = this.looks;
    if (this.#joined < now) {
      this.#device.submit('explain', 'weightReductions', (encoder) => {
        const pass = encoder.beginComputePass({ label: 'weightReductions' });
        this.#encodeJoin(pass, Math.floor(now / looks) % batches);
        pass.end();
      });
    }
    const kinds: WeightTensorName[] = [
      'results',
      'norms',
      ...(bins > 0 ? ['counts' as const] : []),
      ...(importance ? ['importance' as const] : []),
    ];
    const sources = this.#works.flatMap(({ own }) => kinds.map((kind) => own.get(kind) as Tensor));
    const ranges = sources.map(({ storage, byteOffset, bytes }) => ({ buffer: storage, byteOffset, bytes }));
    const read = await this.#device.readRanges('weightReductions', ranges, 'explain');
    const found = new Map<number, Map<string, TensorReductions>>();
    const oldest = Math.max(0, (Math.ceil(now / looks) - batches) * looks);
    for (const look of wanted) {
      if (look >= now || look < oldest + parts - 1) continue;
      const tensors = new Map<string, TensorReductions>();
      this.#works.forEach((work, at) => {
        const part = (kind: WeightTensorName): ArrayBuffer => read[at * kinds.length + kinds.indexOf(kind)] as ArrayBuffer;
        work.names.forEach((name, i) => {
          const sumsOf = (number: number): Sums => sumsAt(part('results'), (number % (looks * batches)) * work.names.length + i);
          let sums = sumsOf(look);
          if (work.tables.spread[i]) for (let back = 1; back < parts; back++) sums = joined(sumsOf(look - back), sums);
          const matrix = look === now - 1 ? work.tables.spectrum[i] : undefined;
          tensors.set(
            name,
            this.#resultOf(work.shapes[i] as readonly number[], sums, {
              sigma: matrix && new Float32Array(part('norms'))[2 * matrix.index + 1],
              counts: bins > 0 ? new Uint32Array(part('counts')).slice(i * bins, (i + 1) * bins) : undefined,
              importance:
                importance && matrix
                  ? new Float32Array(part('importance')).slice(matrix.firstRow, matrix.firstRow + matrix.rows)
                  : undefined,
            }),
          );
        });
      });
      found.set(look, tensors);
    }
    return found;
  }

  #resultOf(
    shape: readonly number[],
    sums: Sums,
    more: { readonly sigma: number | undefined; readonly counts: Uint32Array | undefined; readonly importance: Float32Array | undefined },
  ): TensorReductions {
    const { squares, zeros, broken } = sums;
    const length = elements(shape);
    const norm = Math.sqrt(squares);
    const [least, greatest] = broken < length ? [sums.least, sums.greatest] : [Number.NaN, Number.NaN];
    // σ₁ ≤ ‖W‖ whatever the rounding, so the stable rank is at least 1.
    const spectralNorm = Math.min(more.sigma ?? 0, norm);
    const updateNorm = Math.sqrt(sums.updates);
    const { range, updates } = this.#options;
    return {
      shape,
      length,
      norm,
      absoluteSum: sums.absolute,
      least,
      greatest,
      largest: Math.max(Math.abs(least), Math.abs(greatest)),
      mean: broken < length ? sums.mean : Number.NaN,
      deviation: broken < length ? Math.sqrt(sums.deviations / (length - broken)) : Number.NaN,
      zeros,
      sparsity: zeros / length,
      notFinite: broken,
      ...(more.sigma === undefined ? {} : { spectralNorm, stableRank: spectralNorm > 0 ? squares / (spectralNorm * spectralNorm) : 0 }),
      ...(updates ? { updateNorm, updateRatio: norm > 0 ? updateNorm / norm : updateNorm > 0 ? Number.POSITIVE_INFINITY : 0 } : {}),
      ...(more.counts ? { histogram: { from: range?.[0] ?? least, to: range?.[1] ?? greatest, counts: more.counts } } : {}),
      ...(more.importance ? { importance: more.importance } : {}),
    };
  }

  dispose(): void {
    this.#device.unregister(this);
    for (const { plan, own } of this.#works) {
      plan.dispose();
      disposeAll(own.values());
    }
    this.#works.length = 0;
  }
}

const TABLE_NAMES = ['blocks', 'segments', 'spans', 'owners', 'matrices', 'rowTiles', 'columnTiles', 'vectorTiles'] as const;

function checkOptions(method: string, { bins = 64, range, powerIterations = 64, seed = 0 }: WeightReductionOptions): void {
  checkWhole(`${method}: bins`, bins, 0, MOST_BINS);
  checkWhole(`${method}: powerIterations`, powerIterations, 1, 65536);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  if (!range) return;
  for (const end of range) checkNumber(`${method}: range`, end, Number.NEGATIVE_INFINITY);
  if (range[0] < range[1]) return;
  throw new VitrineError('invalid-option', `${method}: the range is from ${range[0]} to ${range[1]}.`, 'give the smaller end first.', {
    range,
  });
}

/**
 * What every weight tensor comes to in a few numbers: norms, extremes, mean, deviation, zeros, values that are not finite, a histogram, the
 * spectral norm and the stable rank ‖W‖²_F / σ₁², and how strongly each input is taken up, Σ|w|.
 *
 * **Shapes** tensors of any shape; those with two axes or more count as matrices [everything before, last axis].
 * **Cost** one pass over the values of all tensors for everything but the spectral norm, two for each power iteration, one for histograms; 40 bytes read a
 * tensor, besides the histogram and the row sums. The number of dispatches does not depend on the number of tensors that share a buffer.
 * **Shows** whether layers train at all, blow up, or collapse to few directions. **Does not show** what a weight is for: a large weight on an input that
 * never varies does nothing.
 * Defaults: 64 bins, 64 power iterations. The spectral norm comes from below: after k steps it is within about ln(n) / 2k of σ₁, relatively, and far
 * closer where σ₂ is well below σ₁.
 * **Source** Rudelson, Vershynin 2007, "Sampling from large matrices" (stable rank); Golub, Van Loan 2013, 8.2 (power iteration).
 *
 * @throws VitrineError `dtype-mismatch`, `shape-mismatch`, `invalid-option`, `tensor-disposed`, `device-lost`
 */
export async function weightReductions(model: Model, options: WeightReductionOptions = {}): Promise<Map<string, TensorReductions>> {
  checkOptions('weightReductions', options);
  model.requireAlive();
  const { tensors = model.parameters, bins = 64, range, powerIterations = 64, importance = true, seed = 0 } = options;
  const once = { parts: 1, looks: 1, batches: 1, updates: false };
  const reader = await WeightReader.create(model.device, tensors, { ...once, bins, range, seed });
  try {
    reader.run(powerIterations);
    return (await reader.read([0], importance)).get(0) as Map<string, TensorReductions>;
  } finally {
    reader.dispose();
  }
}

/** Reductions of every tensor at every step, or every few, without holding training up. */
export class WeightWatch {
  readonly #trainer: Trainer;
  readonly #reader: WeightReader;
  readonly #every: number;
  readonly #powerEvery: number;
  /** The step of each look that has not been read, by number. */
  #unread = new Map<number, number>();
  readonly #slots: number;

  /** For watchWeights. */
  constructor(
    trainer: Trainer,
    reader: WeightReader,
    options: { readonly every: number; readonly powerEvery: number; readonly slots: number },
  ) {
    this.#trainer = trainer;
    this.#reader = reader;
    this.#every = options.every;
    this.#powerEvery = options.powerEvery;
    this.#slots = options.slots;
    trainer.companions.add(this);
  }

  /** For the trainer, after each step. */
  encode(pass: GPUComputePassEncoder, step: number): void {
    if (step % this.#every !== 0) return;
    const look = this.#reader.looks;
    // The reader began anew after a lost device.
    if (look === 0) this.#unread.clear();
    this.#unread.set(look, step);
    this.#unread.delete(look - this.#slots);
    this.#reader.encode(pass);
    if (this.#powerEvery > 0 && look % this.#powerEvery === 0) this.#reader.encodePower(pass);
  }

  /** The looks since the last call, oldest first. One copy and one map, whatever their number. */
  async read(): Promise<WeightRecord[]> {
    const unread = this.#unread;
    this.#unread = new Map();
    if (unread.size === 0) return [];
    const found = await this.#reader.read([...unread.keys()], false);
    // A step that was done again after a lost device counts once.
    const bySteps = new Map([...found].map(([look, tensors]) => [unread.get(look) as number, tensors]));
    return [...bySteps].map(([step, tensors]) => ({ step, tensors })).sort((a, b) => a.step - b.step);
  }

  /** Ends the watch. */
  dispose(): void {
    this.#trainer.companions.delete(this);
    this.#reader.dispose();
  }
}

/**
 * Watches the weights while they train: at every step, or every few, what weightReductions gives but for histograms and row sums, and the
 * update ratio ‖ΔW‖ / ‖W‖.
 *
 * A look takes in one of `parts` parts of each larger tensor, in turn, and a record joins the last `parts` looks: every value is seen once in that
 * many. The power iteration goes on from look to look, so the spectral norm follows the weights. Looks are kept on the GPU until `read()`.
 * **Cost** a dispatch a look over one part of the values, two more every `parts` looks (16 at least), four every `powerEvery`th; no read-back in training.
 * **Source** as weightReductions; the update ratio: Karpathy 2016, "CS231n", "Ratio of weights:updates".
 *
 * @throws VitrineError as weightReductions
 */
export async function watchWeights(trainer: Trainer, options: WeightWatchOptions = {}): Promise<WeightWatch> {
  checkOptions('watchWeights', options);
  const { tensors = trainer.model.parameters, powerIterations = 64, seed = 0, every = 1 } = options;
  const { parts = 32, updates = true, powerEvery = 512, slots = 1024 } = options;
  checkWhole('watchWeights: every', every, 1);
  checkWhole('watchWeights: parts', parts, 1, 64);
  checkWhole('watchWeights: powerEvery', powerEvery, 0);
  checkWhole('watchWeights: slots', slots, 1, 65536);
  const looks = parts * Math.ceil(BATCH / parts);
  // One batch is being filled, and a record reaches `parts` looks back.
  const batches = Math.ceil((slots + parts) / looks) + 1;
  const reading = { parts, looks, batches, bins: 0, range: undefined, updates, seed };
  const reader = await WeightReader.create(trainer.model.device, tensors, reading);
  reader.run(powerEvery > 0 ? powerIterations : 0);
  return new WeightWatch(trainer, reader, { every, powerEvery, slots });
}
