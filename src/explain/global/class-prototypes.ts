import { checkWhole } from '../../engine/errors.ts';
import type { Node } from '../../engine/graph.ts';
import { checkAnswers, type Examples, type Forward, type Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { multiply, subtract } from '../../engine/ops/arithmetic.ts';
import { square } from '../../engine/ops/elementary.ts';
import { matmul } from '../../engine/ops/matmul.ts';
import { oneHot } from '../../engine/ops/one-hot.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { type ChunkScene, layerNode, overChunks } from '../model/chunks.ts';
import { predictedClasses, requireClasses } from './network-outputs.ts';

export interface ClassPrototypesOptions {
  /** Where examples are compared: 'input', 'logits' or the name of an activation. */
  readonly layer: string;
  /** Class of each example; the predicted one by default. */
  readonly labels?: ArrayLike<number>;
  /** Prototypes of each class; 5 by default. */
  readonly count?: number;
  readonly signal?: AbortSignal;
}

export interface ClassPrototypes {
  readonly label: number;
  /** Examples of the class. */
  readonly examples: number;
  /** Mean of the layer's output over them, [width]. */
  readonly centre: Float32Array;
  /** The examples nearest to it, the nearest first; Euclidean. */
  readonly prototypes: readonly { readonly example: number; readonly distance: number }[];
  /** The example of the class that lies farthest from it. */
  readonly outlier?: { readonly example: number; readonly distance: number };
}

/**
 * Class prototypes: the examples that lie nearest to the middle of their class as a layer sees them, and the one that lies farthest.
 *
 * **Shapes** x [rows, ...inputShape] → for each class centre [width] and indices of examples. **Cost** two forward rows an example.
 * **Shows** what the network takes for typical of a class, and what for odd. **Does not show** that a class has several kinds: it has one middle here.
 * **Source** Snell, Swersky, Zemel 2017, "Prototypical networks", equation 1 (the centre); Kaufman, Rousseeuw 1990 (an example that stands for its cluster).
 *
 * @throws VitrineError `unknown-name`, `label-out-of-range`, `shape-mismatch`, `unsupported-model`, what the model's inputs can be wrong in, `aborted`
 */
export async function classPrototypes(model: Model, x: Examples, options: ClassPrototypesOptions): Promise<ClassPrototypes[]> {
  const method = 'classPrototypes';
  const { layer, count = 5, signal } = options;
  checkWhole(`${method}: count`, count, 1);
  const classes = requireClasses(method, model);
  const rows = model.rowsOf(x);
  const labels = options.labels
    ? (checkAnswers(model, 'crossEntropy', options.labels, [rows]) as Uint32Array)
    : await predictedClasses(method, model, x);
  const work = { models: [model], x, signal, perRow: { labels } };
  const flat = (scene: ChunkScene): Node => {
    const node = layerNode(method, scene.forwards[0] as Forward, layer);
    return reshape(node, [scene.rows, elements(node.shape) / scene.rows]);
  };
  const sums = await overChunks(method, {
    ...work,
    build: (scene) => {
      const members = multiply(oneHot(scene.perRow('labels'), classes), reshape(scene.valid, [scene.rows, 1]));
      return { sum: { totals: matmul(members, flat(scene), { transposeA: true }) } };
    },
  });
  const sizes = Array<number>(classes).fill(0);
  for (const label of labels) sizes[label] = (sizes[label] as number) + 1;
  const totals = sums.get('totals') as Float32Array;
  const width = totals.length / classes;
  const centres = totals.map((value, i) => value / Math.max(1, sizes[Math.floor(i / width)] as number));
  const distances = new Float64Array(rows);
  await overChunks(method, {
    ...work,
    shared: { centres: { shape: [classes, width], values: centres } },
    build: (scene) => {
      const own = matmul(oneHot(scene.perRow('labels'), classes), scene.shared('centres'));
      return { each: { squares: sum(square(subtract(flat(scene), own)), [1]) } };
    },
    onChunk: (values, first, number) => {
      const squares = values.get('squares') as Float32Array;
      for (let i = 0; i < number; i++) distances[first + i] = Math.sqrt(squares[i] as number);
    },
  });
  return Array.from({ length: classes }, (_, label): ClassPrototypes => {
    const own = Array.from(labels.keys()).filter((i) => labels[i] === label);
    own.sort((a, b) => (distances[a] as number) - (distances[b] as number) || a - b);
    const at = (example: number) => ({ example, distance: distances[example] as number });
    const farthest = own.at(-1);
    return {
      label,
      examples: own.length,
      centre: centres.slice(label * width, (label + 1) * width),
      prototypes: own.slice(0, count).map(at),
      ...(farthest === undefined ? {} : { outlier: at(farthest) }),
    };
  });
}
