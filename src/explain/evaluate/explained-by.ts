/** What a metric asks the network for: the very number that an attribution explains. */

import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import type { Attribution, ExplainOptions, OutputKind } from '../attribution.ts';
import type { BaselineOptions, TensorRow } from '../baselines.ts';
import { type Baseline, baselineRows } from '../explainer.ts';
import { explainOptionsOf } from './maps.ts';

/** Of every metric with a baseline: the data set that 'mean' is the mean of, and how many examples of a data set given as baseline, chosen by which seed. */
export type BackgroundOptions = Omit<BaselineOptions, 'baseline'>;

/** Class, contrast and output of an attribution, and what a baseline is made from; what the caller names goes first. */
export async function explainedBy(
  attribution: Attribution,
  options: ExplainOptions & BackgroundOptions,
): Promise<ExplainOptions & BackgroundOptions> {
  const recorded = attribution.options as { against?: number | readonly number[]; output?: OutputKind };
  const { against = recorded.against, output = recorded.output } = options;
  return {
    ...explainOptionsOf(options),
    target: options.target ?? (await attribution.target.readUint32()),
    ...(against === undefined ? {} : { against }),
    ...(output === undefined ? {} : { output }),
    ...(options.background === undefined ? {} : { background: options.background }),
    ...(options.baselines === undefined ? {} : { baselines: options.baselines }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
}

/** A baseline of each example on the CPU, [examples · features]; of several, their mean. @throws VitrineError as baselineRows */
export async function readBaselines(
  metric: string,
  model: Model,
  x: Examples,
  baseline: Baseline,
  options: BackgroundOptions,
): Promise<Float32Array> {
  const features = elements(model.spec.inputShape);
  const source = baselineRows(metric, model, x, baseline, options);
  const { baselines = 1 } = source;
  const mean = new Float64Array(x.length);
  for (let index = 0; index < baselines; index++) {
    const given = source(0, x.length / features, model, index);
    const rows = given instanceof Float32Array ? given : await readRows(given, features);
    for (let i = 0; i < rows.length; i++) mean[i] = (mean[i] as number) + (rows[i] as number) / baselines;
  }
  return Float32Array.from(mean);
}

/** Rows of one tensor, one after the other. */
async function readRows(given: readonly TensorRow[], features: number): Promise<Float32Array> {
  const values = (await given[0]?.tensor.read()) as Float32Array;
  const rows = new Float32Array(given.length * features);
  given.forEach(({ row }, i) => {
    rows.set(values.subarray(row * features, (row + 1) * features), i * features);
  });
  return rows;
}
