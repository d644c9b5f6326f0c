/** What a metric asks the network for: the very number that an attribution explains. */

import type { Dataset } from '../../engine/dataset.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import type { Attribution, ExplainOptions, OutputKind } from '../attribution.ts';
import type { BaselineOptions } from '../baselines.ts';
import { type Baseline, baselineRows } from '../explainer.ts';
import { explainOptionsOf } from './maps.ts';

/** Of every metric with a baseline. */
export interface BackgroundOptions {
  /** The data set that the baseline 'mean' is the mean of. */
  readonly background?: Dataset;
}

/** Class, contrast and output of an attribution, and the background; what the caller names goes first. */
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
  };
}

/** A baseline of each example on the CPU, [examples · features]. @throws VitrineError as baselineRows */
export async function readBaselines(
  metric: string,
  model: Model,
  x: Examples,
  baseline: Baseline,
  options: BaselineOptions,
): Promise<Float32Array> {
  const features = elements(model.spec.inputShape);
  const given = baselineRows(metric, model, x, baseline, options)(0, x.length / features, model);
  if (given instanceof Float32Array) return given;
  const [first] = given;
  const values = first ? await first.tensor.read() : new Float32Array();
  const rows = new Float32Array(x.length);
  given.forEach(({ row }, i) => {
    rows.set(values.subarray(row * features, (row + 1) * features), i * features);
  });
  return rows;
}
