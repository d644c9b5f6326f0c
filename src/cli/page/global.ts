import { type Dataset, type Model, openDevice, VitrineError } from '../../engine/index.ts';
import {
  accumulatedLocalEffects,
  imagePatches,
  linearCka,
  partialDependence,
  permutationImportance,
  surrogateTree,
} from '../../explain/index.ts';
import type {
  CurveResult,
  GlobalMethod,
  GlobalParameters,
  GlobalResult,
  GlobalSummary,
  ImportanceResult,
  PlainTree,
} from '../global-task.ts';
import type { TrainEvent } from '../train-task.ts';
import { hostTask } from './host.ts';
import { adapterName, examplesOf, loadData, modelOf } from './training.ts';

/** A tree grows on the network's answers to at most so many training examples. */
const GROWN_ON = 4000;
/** A side of an image is cut into so many patches; their pixels are permuted together. */
const PATCHES = 7;

interface Asked {
  readonly model: Model;
  readonly data: Dataset;
  readonly train: Dataset;
  readonly x: Float32Array<ArrayBuffer>;
  readonly count: number;
  readonly seed: number;
  readonly target?: number;
  readonly signal: AbortSignal;
}

type Found = Partial<Pick<GlobalSummary, GlobalMethod | 'curvesOf'>>;

const notFor = (why: string, instead: string): VitrineError => new VitrineError('unsupported-model', why, instead, { why });

const isImage = ({ inputShape }: Dataset): boolean => inputShape.length > 1;

async function treeOf({ model, data, train, x, seed, signal }: Asked): Promise<Found> {
  const names = isImage(data) ? pixelNames(data.inputShape) : data.features;
  const tree = await surrogateTree(model, examplesOf(train, 0, Math.min(GROWN_ON, train.size)), {
    seed,
    signal,
    heldOut: x,
    ...(names ? { features: names } : {}),
    ...(data.classes ? { classes: data.classes } : {}),
  });
  const { depth, leaves, majority, fidelity } = tree;
  const plain = JSON.parse(JSON.stringify(tree)) as PlainTree;
  return { surrogateTree: { depth, leaves, majority, fidelity, tree: plain, text: tree.text(), mermaid: tree.mermaid() } };
}

const pixelNames = ([height = 1, width = 1, channels = 1]: readonly number[]): string[] =>
  Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return `pixel [${Math.floor(pixel / width)}, ${pixel % width}]`;
  });

async function importanceOf({ model, data, x, count, seed, signal }: Asked): Promise<Found> {
  const labels = data.labels?.slice(0, count);
  if (!labels) throw notFor('the data set has no labels.', 'use cka or surrogateTree.');
  const [height = 1, width = 1] = data.inputShape;
  let groups: number[][] | undefined;
  let patches: [number, number] | undefined;
  if (isImage(data)) {
    const { count: number, of } = imagePatches(data.inputShape, [Math.ceil(height / PATCHES), Math.ceil(width / PATCHES)]);
    groups = Array.from({ length: number }, () => []);
    of.forEach((group, i) => {
      groups?.[group]?.push(i);
    });
    patches = [PATCHES, number / PATCHES];
  }
  const found = await permutationImportance(model, x, labels, {
    seed,
    signal,
    ...(groups ? { groups } : {}),
    ...(data.features ? { features: data.features } : {}),
  });
  const result: ImportanceResult = {
    metric: found.metric,
    base: found.base,
    ...(patches ? { patches } : {}),
    columns: found.columns.map(({ names, importance }, i) => ({ names: patches ? [patchName(i, data.inputShape)] : names, importance })),
  };
  return { permutationImportance: result };
}

/** `rows 12–15, columns 8–11` */
function patchName(patch: number, [height = 1, width = 1]: readonly number[]): string {
  const [rows, columns] = [Math.ceil(height / PATCHES), Math.ceil(width / PATCHES)];
  const [top, left] = [Math.floor(patch / PATCHES) * rows, (patch % PATCHES) * columns];
  return `rows ${top}–${Math.min(height, top + rows) - 1}, columns ${left}–${Math.min(width, left + columns) - 1}`;
}

/** The class asked for; by default of two classes the second, as a doctor or a bank asks for it; of more, the first. */
const targetOf = ({ model, target = model.classes === 2 ? 1 : 0 }: Asked): number => target;

const curvesOf = (asked: Asked): Found => {
  const target = targetOf(asked);
  return { curvesOf: { target, name: asked.data.classes?.[target] ?? String(target) } };
};

const columnsOnly = ({ data }: Asked): void => {
  if (isImage(data)) {
    throw notFor(
      'it follows one column of a table at a time; a pixel by itself says nothing.',
      'use permutationImportance, which takes patches.',
    );
  }
};

const featuresOf = ({ data }: Asked): { readonly features?: readonly string[] } => (data.features ? { features: data.features } : {});

async function dependenceOf(asked: Asked): Promise<Found> {
  columnsOnly(asked);
  const found = await partialDependence(asked.model, asked.x, {
    target: targetOf(asked),
    ...featuresOf(asked),
    points: 40,
    signal: asked.signal,
  });
  const curves = found.map(({ column, name, grid, mean }): CurveResult => ({ column, name, x: [...grid], y: [...mean] }));
  return { ...curvesOf(asked), partialDependence: curves };
}

async function effectsOf(asked: Asked): Promise<Found> {
  columnsOnly(asked);
  const found = await accumulatedLocalEffects(asked.model, asked.x, {
    target: targetOf(asked),
    ...featuresOf(asked),
    signal: asked.signal,
  });
  const curves = found.map(({ column, name, edges, effect }): CurveResult => ({ column, name, x: [...edges], y: [...effect] }));
  return { ...curvesOf(asked), accumulatedLocalEffects: curves };
}

async function ckaOf({ model, x, signal }: Asked): Promise<Found> {
  const { layers, values } = await linearCka(model, x, { signal });
  return { cka: { layers, values: values.map((row) => [...row]) } };
}

const METHODS: Readonly<Record<GlobalMethod, (asked: Asked) => Promise<Found>>> = {
  surrogateTree: treeOf,
  permutationImportance: importanceOf,
  partialDependence: dependenceOf,
  accumulatedLocalEffects: effectsOf,
  cka: ckaOf,
};

/** Trains or loads a network and explains it as a whole, on the first examples of the test set. */
async function explainGlobally(task: GlobalParameters, report: (event: TrainEvent) => void, signal: AbortSignal): Promise<GlobalResult> {
  const data = await loadData(task.train.data, report);
  if (signal.aborted) return {};
  const device = await openDevice();
  const model = await modelOf(device, task, data, report, signal);
  if (!model) return {};
  const count = Math.min(task.examples, data.test.size);
  const { seed, target } = task;
  const x = examplesOf(data.test, 0, count);
  const asked: Asked = { model, data: data.test, train: data.train, x, count, seed, signal, ...(target === undefined ? {} : { target }) };
  let found: Found = {};
  const notApplicable: { method: GlobalMethod; why: string }[] = [];
  for (const method of task.methods) {
    if (signal.aborted) return {};
    report({ kind: 'stage', text: `Explaining by ${method}` });
    try {
      found = { ...found, ...(await METHODS[method](asked)) };
    } catch (error) {
      if (!(error instanceof VitrineError && error.code === 'unsupported-model')) throw error;
      notApplicable.push({ method, why: error.message.split('\n')[0] as string });
    }
  }
  const summary: GlobalSummary = {
    data: task.train.data,
    examples: count,
    accuracy: await accuracyOf(asked),
    seed,
    adapter: adapterName(device),
    ...(isImage(data.test) ? {} : { units: 'standardised' as const }),
    ...found,
    notApplicable,
  };
  device.destroy();
  return { summary };
}

async function accuracyOf({ model, data, x, count }: Asked): Promise<number | null> {
  const { labels } = data;
  if (!labels) return null;
  const output = await model.logits(x);
  const values = await output.read();
  output.dispose();
  const classes = values.length / count;
  let hits = 0;
  for (let row = 0; row < count; row++) {
    const own = values.subarray(row * classes, (row + 1) * classes);
    if (own.indexOf(Math.max(...own)) === labels[row]) hits += 1;
  }
  return hits / count;
}

await hostTask(explainGlobally);
