/** The gradient that local methods begin with: of the explained output with respect to the input, through rules where a method has some. */

import { differentiate, type Node, type Rule } from '../../engine/index.ts';
import type { Forward } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { subtract } from '../../engine/ops/arithmetic.ts';
import { sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import type { ExplainOptions } from '../attribution.ts';
import type { Scene } from '../explainer.ts';

/** The gradient of the explained output with respect to the rows that `forward` was given, in their shape. */
export function outputGradient(
  scene: Scene,
  forward: Forward,
  options: { readonly rules?: readonly Rule[]; readonly references?: ReadonlyMap<Node, Node> } = {},
): Node {
  const [gradient] = differentiate(forward.logits, [forward.x], { seed: scene.seed(forward.logits), ...options });
  return gradient as Node;
}

/** Σ over all but the first axis: [rows, ...] → [rows]. */
export const sumPerExample = (x: Node): Node =>
  x.shape.length === 2 ? sum(x, [1]) : sum(reshape(x, [x.shape[0] as number, elements(x.shape.slice(1))]), [1]);

/** Completeness gap: Σ values − (f(x) − f(baseline)), [rows]. */
export const completenessGap = (values: Node, output: Node, baselineOutput: Node): Node =>
  subtract(sumPerExample(values), subtract(output, baselineOutput));

/** What every attribution records of the options that all methods have. */
export function recordOptions(options: ExplainOptions, own: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const list = (given: number | ArrayLike<number> | undefined): unknown =>
    given === undefined || typeof given === 'number' ? given : Array.from(given);
  return {
    ...(options.target === undefined ? {} : { target: list(options.target) }),
    ...(options.against === undefined ? {} : { against: list(options.against) }),
    output: options.output ?? 'logit',
    ...own,
  };
}
