/**
 * Baselines: what the methods that compare with an absence compare with. A number, one example for all, one an example, the mean of a data set,
 * or a data set, over examples of which the attribution is then averaged.
 */

import { checkFinite, type Dataset, validateDataset } from '../engine/dataset.ts';
import { checkNumber, checkWhole, shapeMismatch, show, VitrineError } from '../engine/errors.ts';
import { type Node, requireType } from '../engine/graph.ts';
import type { Examples, Model } from '../engine/model.ts';
import { elements } from '../engine/operation.ts';
import { permute, streamOf } from '../engine/random.ts';
import { Tensor } from '../engine/tensor.ts';
import type { Recipe } from './explainer.ts';
import { runningMean } from './ops/samples.ts';

/**
 * What a baseline may be given as: a value for every element; one example for all; one an example; 'mean', the mean example of `background`; or
 * a data set, over a choice of whose examples results are averaged: a method's attribution, and to a metric the output of inputs in which parts are
 * replaced, f with S at x′ being the mean over the chosen x′ (and where it needs x′ itself, the mean of those examples).
 */
export type Baseline = number | Tensor | Float32Array | readonly number[] | 'mean' | Dataset;

/** Of every method with a baseline. */
export interface BaselineOptions {
  readonly baseline?: Baseline;
  /** The data set that 'mean' is the mean of. */
  readonly background?: Dataset;
  /** How many examples of a data set given as baseline are averaged over, or all where it has fewer; 32 by default. */
  readonly baselines?: number;
  /** Of the choice of those examples, and of whatever else the method draws; 0 by default. */
  readonly seed?: number;
}

/** A row of a tensor on the GPU. */
export interface TensorRow {
  readonly tensor: Tensor;
  readonly row: number;
}

/** Rows for the examples from `first` on: values, or for each a row of a tensor. */
export interface RowSource {
  /**
   * @param index which of several baselines, from 0
   * @param width values of a row, where that is not one of the input but of its embedding
   */
  (first: number, count: number, model: Model, index: number, width?: number): Float32Array | readonly TensorRow[];
  /** How many baselines each example has; 1 where absent. Results are averaged over them. */
  readonly baselines?: number;
}

/** Examples of a data set that a baseline is averaged over. */
const DEFAULT_BASELINES = 32;

/** The same value everywhere. */
export const constantRows =
  (value: number): RowSource =>
  (_first, count, model, _index, width = elements(model.spec.inputShape)) =>
    new Float32Array(count * width).fill(value);

const isDataset = (given: unknown): given is Dataset => typeof given === 'object' && given !== null && 'inputs' in given;

/** What was given in place of something else, in an error. */
function told(given: unknown): string {
  if (Array.isArray(given) || ArrayBuffer.isView(given)) return `a list of ${(given as ArrayLike<unknown>).length}`;
  if (typeof given === 'object' && given !== null) return `an object with ${Object.keys(given).slice(0, 4).join(', ') || 'nothing in it'}`;
  return typeof given === 'string' ? `'${given}'` : String(given);
}

/** One example for all. */
const sameForAll =
  (values: Float32Array) =>
  (_first: number, count: number): Float32Array => {
    const rows = new Float32Array(count * values.length);
    for (let i = 0; i < count; i++) rows.set(values, i * values.length);
    return rows;
  };

/**
 * Rows of a baseline.
 *
 * @throws VitrineError `shape-mismatch` for neither one example nor as many as `x` has; `dtype-mismatch` for a tensor of indices; `non-finite-data`, `empty-dataset`, `invalid-option`
 */
export function baselineRows(
  method: string,
  model: Model,
  x: Examples,
  baseline: Baseline = 0,
  { background, baselines = DEFAULT_BASELINES, seed = 0 }: BaselineOptions = {},
): RowSource {
  if (typeof baseline === 'number') {
    checkNumber(`${method}: baseline`, baseline, Number.NEGATIVE_INFINITY);
    return constantRows(baseline);
  }
  if (model.spec.inputType === 'uint32') {
    throw new VitrineError(
      'invalid-option',
      `${method}: the model reads token indices, but the baseline is no number.`,
      'give a number, which every element of their embedding is then; 0 is padding.',
      { method },
    );
  }
  if (baseline === 'mean') {
    if (!background) {
      throw new VitrineError(
        'invalid-option',
        `${method}: the baseline is 'mean', but there is no data set to take the mean of.`,
        'give one as `background`, or pass 0 for black or an example of your own as `baseline`.',
        { method },
      );
    }
    return sameForAll(meanExample(background, model));
  }
  if (isDataset(baseline)) return chosenExamples(method, baseline, model, baselines, seed);
  if (typeof baseline !== 'object' || !('length' in baseline)) {
    throw new VitrineError(
      'invalid-option',
      `${method}: there is no such baseline as ${told(baseline)}.`,
      "give a number, 'mean', a data set, one example, or one baseline an example.",
      { method, given: told(baseline) },
    );
  }
  const features = elements(model.spec.inputShape);
  const examples = x.length / features;
  if (baseline.length !== features && baseline.length !== x.length) {
    throw shapeMismatch(
      `${method}: the baseline is ${baseline instanceof Tensor ? show(baseline.shape) : `${baseline.length} values`}, but an example is ${show(model.spec.inputShape)} and x has ${examples}.`,
      'give a number, one example, or one baseline an example.',
      { method, baseline: baseline.length, features, examples },
    );
  }
  const each = baseline.length === x.length && examples > 1;
  if (baseline instanceof Tensor) {
    requireType(method, baseline, 'baseline', 'float32');
    return (first, count) => Array.from({ length: count }, (_, i) => ({ tensor: baseline, row: each ? first + i : 0 }));
  }
  const values = Float32Array.from(baseline);
  checkFinite('baseline', 'baseline', values, features);
  return each ? (first, count) => values.subarray(first * features, (first + count) * features) : sameForAll(values);
}

const valid = new WeakMap<Dataset, string>();

/** Refuses a data set whose examples are not the model's inputs; looks at each set once. @throws VitrineError as validateDataset; `invalid-option` for what is none */
export function requireBackground(dataset: Dataset, model: Model): void {
  if (!isDataset(dataset)) {
    throw new VitrineError('invalid-option', `The background is ${told(dataset)}, which is no data set.`, 'pass the data set itself.', {
      given: told(dataset),
    });
  }
  const shape = show(model.spec.inputShape);
  if (valid.get(dataset) === shape) return;
  validateDataset(dataset, model.spec.inputShape);
  valid.set(dataset, shape);
}

/** One example of a data set as the network is given it. */
export function exampleOf({ inputs, inputShape, divisor = 255 }: Dataset, index: number): Float32Array {
  const features = elements(inputShape);
  const own = inputs.subarray(index * features, (index + 1) * features);
  return own instanceof Float32Array ? own : Float32Array.from(own, (byte) => byte / divisor);
}

const means = new WeakMap<Dataset, Float32Array>();

/** The mean of a data set's examples, once computed kept with it. @throws VitrineError as validateDataset */
function meanExample(dataset: Dataset, model: Model): Float32Array {
  requireBackground(dataset, model);
  const known = means.get(dataset);
  if (known) return known;
  const features = elements(dataset.inputShape);
  const total = new Float64Array(features);
  const { inputs, size, divisor = 255 } = dataset;
  for (let i = 0, at = 0; i < size; i++) for (let j = 0; j < features; j++, at++) total[j] = (total[j] as number) + (inputs[at] as number);
  const unit = size * (inputs instanceof Float32Array ? 1 : divisor);
  const mean = Float32Array.from(total, (value) => value / unit);
  means.set(dataset, mean);
  return mean;
}

function chosenExamples(method: string, dataset: Dataset, model: Model, baselines: number, seed: number): RowSource {
  checkWhole(`${method}: baselines`, baselines, 1);
  checkWhole(`${method}: seed`, seed, 0, 0xffffffff);
  requireBackground(dataset, model);
  const count = Math.min(baselines, dataset.size);
  const rows = (first: number, examples: number, _model: Model, index: number): Float32Array =>
    sameForAll(exampleOf(dataset, permute(index, dataset.size, seed, streamOf('baselines'))))(first, examples);
  return Object.assign(rows, { baselines: count });
}

/** What an attribution records of its baseline: see `Attribution.options`. */
export function recordBaseline({
  baseline = 0,
  background,
  baselines = DEFAULT_BASELINES,
  seed = 0,
}: BaselineOptions): Record<string, unknown> {
  if (typeof baseline === 'number') return { baseline };
  if (baseline === 'mean') return { baseline, background: background?.name };
  if (isDataset(baseline)) return { baseline: baseline.name, baselines: Math.min(baselines, baseline.size), seed };
  return { baseline: baseline instanceof Tensor ? { shape: [...baseline.shape] } : Array.from(baseline) };
}

/** What is carried from one baseline to the next. */
export const AVERAGE = 'average/';

/** The same recipe, its outputs averaged over baselines that are explained one after another. */
export function averaged(recipe: Recipe): Recipe {
  return {
    ...recipe,
    key: `${recipe.key ?? ''} averaged over baselines`,
    build: (scene) => {
      const built = recipe.build(scene);
      const draw = scene.input(`${AVERAGE}draw`, [3], 'uint32');
      const outputs: Record<string, Node> = { ...built.outputs };
      const carry: Record<string, Node> = { ...built.carry };
      for (const [name, node] of Object.entries(built.outputs)) {
        if (node.dtype !== 'float32') continue;
        const mean = runningMean(node, draw, scene.carried(AVERAGE + name, node.shape));
        outputs[name] = mean;
        carry[AVERAGE + name] = mean;
      }
      return { outputs, carry };
    },
  };
}
