import { activationPicture, type PicturedLayer } from '../../data/picture.ts';
import { type Dataset, type Model, openDevice, saveModel, VitrineError } from '../../engine/index.ts';
import { type Attribution, type ExplainProgress, evaluate, type Method, methodNamed, type NamedMethod } from '../../explain/index.ts';
import type { ExplainEvent, ExplainParameters, ExplainResult, MapSummary } from '../explain-task.ts';
import { hostTask } from './host.ts';
import { adapterName, exampleOf, examplesOf, loadData, modelOf } from './training.ts';

/** Elements that a summary names. */
const TOP = 5;

/** Trains or loads a network, explains one example of the test set by every method asked for, and tells how well they do. */
async function explain(task: ExplainParameters, report: (event: ExplainEvent) => void, signal: AbortSignal): Promise<ExplainResult> {
  const methods = task.methods.map(methodNamed);
  const data = await loadData(task.train.data, report);
  if (signal.aborted) return {};
  const { test } = data;
  if (task.index >= test.size) {
    throw new VitrineError(
      'invalid-option',
      `--index is ${task.index}, but the test set of ${task.train.data} has ${test.size} examples.`,
      `name one from 0 to ${test.size - 1}.`,
      { index: task.index, size: test.size },
    );
  }
  const device = await openDevice();
  const model = await modelOf(device, task, data, report, signal);
  if (!model) return {};

  const x = exampleOf(test, task.index);
  const probabilities = await readOnce(await model.predict(x));
  const prediction = largestOf(probabilities);
  if (task.target === undefined && task.against === prediction) {
    throw new VitrineError(
      'invalid-option',
      `--against is ${prediction}, the class that the network predicts for example ${task.index}: what speaks for it and against it is 0 everywhere.`,
      'name another class, or the class to explain with --target.',
      { against: prediction },
    );
  }
  const question = {
    output: task.output,
    seed: task.seed,
    signal,
    ...(task.target === undefined ? {} : { target: task.target }),
    ...(task.against === undefined ? {} : { against: task.against }),
  };
  const maps: { summary: MapSummary; values: Float32Array; signed: boolean }[] = [];
  const refusals: { method: Method; error: VitrineError }[] = [];
  let step: number | null = null;
  for (const method of methods) {
    if (signal.aborted) return {};
    report({ kind: 'stage', text: `Explaining by ${method.title}` });
    const begin = performance.now();
    const onProgress = ({ done, total }: ExplainProgress): void => {
      if (total > 1) report({ kind: 'stage', text: `Explaining by ${method.title} ${Math.floor((100 * done) / total)} %` });
    };
    const options = { ...question, background: data.train, onProgress };
    const attribution = await method.explain(model, x, options).catch((error: unknown) => {
      if (!(error instanceof VitrineError && error.code === 'unsupported-model')) throw error;
      refusals.push({ method, error });
    });
    if (!attribution) continue;
    const values = await attribution.values.read();
    step = attribution.step ?? step;
    maps.push({
      summary: await summaryOf(method, attribution, values, test, performance.now() - begin),
      values: Float32Array.from(values),
      signed: method.signed,
    });
    attribution.dispose();
  }
  // Others are left out of a comparison; where there is nothing else, it is why there is no answer.
  const [refused] = refusals;
  if (maps.length === 0 && refused) throw refused.error;
  const examples = await examplesLike(task, model, test);
  const contestants = maps.map(({ summary }) => withData(data.train)(summary.method));
  const evaluation =
    examples.length > 0
      ? await evaluate(model, examples, contestants, [], {
          ...question,
          onProgress: ({ done, total }) => report({ kind: 'stage', text: `Evaluating ${Math.floor((100 * done) / total)} %` }),
        })
      : undefined;
  if (signal.aborted) return {};
  const label = test.labels?.[task.index];
  const summary = {
    data: task.train.data,
    index: task.index,
    inputShape: test.inputShape,
    label: label ?? null,
    prediction,
    probabilities: Array.from(probabilities),
    classes: test.classes ?? Array.from(probabilities, (_, i) => String(i)),
    step,
    seed: task.seed,
    adapter: adapterName(device),
    maps: maps.map(({ summary }) => summary),
    notApplicable: refusals.map(({ method: { name, title }, error }) => ({
      method: name,
      title,
      why: String(error.parameters.why ?? error.message.split('\n')[0]),
    })),
    ...(evaluation ? { evaluation } : {}),
  };
  const kept = task.keep
    ? {
        picture: await activationPicture({
          title: `Example ${task.index} of ${task.train.data}, and what ${maps.length === 1 ? 'one method says' : `${maps.length} methods say`} of it`,
          input: { shape: test.inputShape, values: x, ...(test.inputShape.length === 1 && test.features ? { names: test.features } : {}) },
          layers: maps.map(({ summary, values }) => panelOf(summary, values, test)),
          prediction,
          ...(label === undefined ? {} : { label }),
          ...(test.classes ? { classes: test.classes } : {}),
        }),
        ...(task.model ? {} : { model: await saveModel(model) }),
      }
    : {};
  device.destroy();
  return { summary, ...kept };
}

const largestOf = (values: Float32Array): number => values.indexOf(Math.max(...values));

/**
 * The examples to evaluate on, from the explained one on: those of which the same question can be asked. Where each is asked why its own class and
 * not another, that is all but those of the other class.
 */
async function examplesLike(task: ExplainParameters, model: Model, test: Dataset): Promise<Float32Array<ArrayBuffer>> {
  const count = Math.min(task.examples, test.size - task.index);
  const all = examplesOf(test, task.index, count);
  if (count === 0 || task.target !== undefined || task.against === undefined) return all;
  const probabilities = await readOnce(await model.predict(all));
  const [classes, features] = [probabilities.length / count, all.length / count];
  const like = Array.from({ length: count }, (_, i) => i).filter(
    (i) => largestOf(probabilities.subarray(i * classes, (i + 1) * classes)) !== task.against,
  );
  const values = new Float32Array(like.length * features);
  for (const [row, i] of like.entries()) values.set(all.subarray(i * features, (i + 1) * features), row * features);
  return values;
}

/** Some methods draw from the training data. */
const withData =
  (background: Dataset) =>
  (method: string): NamedMethod => ({ method, options: { background } });

async function readOnce(tensor: Awaited<ReturnType<Model['predict']>>): Promise<Float32Array> {
  const values = await tensor.read();
  tensor.dispose();
  return values;
}

async function summaryOf(
  method: Method,
  attribution: Attribution,
  values: Float32Array,
  data: Dataset,
  milliseconds: number,
): Promise<MapSummary> {
  const order = Array.from(values.keys()).sort((a, b) => Math.abs(values[b] as number) - Math.abs(values[a] as number) || a - b);
  const [target] = await attribution.target.readUint32();
  const [output] = await attribution.output.read();
  const [delta] = (await attribution.delta?.read()) ?? [];
  return {
    method: method.name,
    title: method.title,
    options: attribution.options,
    target: target as number,
    output: output as number,
    ...(delta === undefined ? {} : { delta }),
    sum: values.reduce((sum, value) => sum + value, 0),
    least: values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    greatest: values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
    top:
      topParts(attribution, values, data) ??
      order.slice(0, TOP).map((index) => ({
        at: placeOf(index, data.inputShape),
        ...(data.features?.[index] === undefined ? {} : { name: data.features[index] }),
        value: values[index] as number,
      })),
    milliseconds,
    question: method.question,
    caveat: method.caveat,
  };
}

/** Of an image whose parts were covered as wholes, the parts: an element of one is no finding of its own. */
function topParts({ options: { groups } }: Attribution, values: Float32Array, { inputShape }: Dataset): MapSummary['top'] | undefined {
  if (!Array.isArray(groups) || inputShape.length < 2 || groups.length !== values.length) return undefined;
  const parts = new Map<number, { value: number; from: number[]; to: number[] }>();
  for (const [index, group] of (groups as readonly number[]).entries()) {
    const at = placeOf(index, inputShape).slice(0, 2);
    const part = parts.get(group) ?? { value: 0, from: at, to: at };
    part.value += values[index] as number;
    part.from = part.from.map((least, axis) => Math.min(least, at[axis] as number));
    part.to = part.to.map((most, axis) => Math.max(most, at[axis] as number));
    parts.set(group, part);
  }
  return [...parts.values()]
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, TOP)
    .map(({ value, from, to }) => ({ at: from, name: `rows ${from[0]}–${to[0]}, columns ${from[1]}–${to[1]}`, value }));
}

/** The coordinates of a row-major index; those of an image without its only channel. */
function placeOf(index: number, shape: readonly number[]): number[] {
  const lengths = shape.length === 3 && shape[2] === 1 ? shape.slice(0, 2) : shape;
  let rest = index;
  return [...lengths]
    .reverse()
    .map((length) => {
      const at = rest % length;
      rest = Math.floor(rest / length);
      return at;
    })
    .reverse();
}

/** An image as a map, a table row as bars with the names of its columns. */
function panelOf(summary: MapSummary, values: Float32Array, data: Dataset): PicturedLayer {
  const name = data.classes?.[summary.target] ?? String(summary.target);
  const gap = summary.delta === undefined ? '' : `, gap ${summary.delta.toPrecision(2).replace('-', '−')}`;
  const bars = data.inputShape.length === 1;
  return {
    name: summary.title,
    shape: data.inputShape,
    values,
    note: `class ${name}${gap}`,
    ...(bars ? { as: 'bars' as const } : {}),
    ...(bars && data.features ? { names: data.features } : {}),
  };
}

await hostTask(explain);
