import type { Node } from '../../engine/graph.ts';
import type { Examples, Model } from '../../engine/model.ts';
import { elements } from '../../engine/operation.ts';
import { equal, multiply, negate, subtract } from '../../engine/ops/arithmetic.ts';
import { square } from '../../engine/ops/elementary.ts';
import { constant } from '../../engine/ops/fill.ts';
import { largest } from '../../engine/ops/largest.ts';
import { mean, sum } from '../../engine/ops/reduce.ts';
import { reshape } from '../../engine/ops/reshape.ts';
import { layerNames, layerNode, overChunks } from './chunks.ts';

export interface ActivationStatisticsOptions {
  /** 'input', 'logits' or names of activations; the output of every layer by default. */
  readonly layers?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Of some values; a unit is an index of the last axis. */
export interface ValueStatistics {
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly greatest: number;
  /** Share that is exactly 0. */
  readonly zeros: number;
}

export interface LayerStatistics extends ValueStatistics {
  readonly layer: string;
  readonly units: readonly ValueStatistics[];
  /** Units that are 0 for every example, and their share. */
  readonly dead: number;
  readonly deadShare: number;
}

interface Running {
  number: number;
  mean: number;
  deviations: number;
  least: number;
  greatest: number;
  zeros: number;
}

const nothing = (): Running => ({
  number: 0,
  mean: 0,
  deviations: 0,
  least: Number.POSITIVE_INFINITY,
  greatest: Number.NEGATIVE_INFINITY,
  zeros: 0,
});

/** q put to p (Chan, Golub, LeVeque 1983, equation 2.1). */
function join(p: Running, q: Running): void {
  const number = p.number + q.number;
  const apart = q.mean - p.mean;
  p.deviations += q.deviations + (apart * apart * p.number * q.number) / number;
  p.mean += (apart * q.number) / number;
  p.number = number;
  p.least = Math.min(p.least, q.least);
  p.greatest = Math.max(p.greatest, q.greatest);
  p.zeros += q.zeros;
}

const statisticsOf = ({ number, mean: average, deviations, least, greatest, zeros }: Running): ValueStatistics => ({
  mean: average,
  deviation: Math.sqrt(deviations / number),
  least,
  greatest,
  zeros: zeros / number,
});

/**
 * Activation statistics: mean, deviation, extremes and zeros of every layer's output and of each of its units over some examples, and its dead units.
 *
 * **Shapes** x [rows, ...inputShape]; a unit is an index of a layer's last axis: a channel of a convolution. **Cost** one forward row an example.
 * **Shows** layers that saturate, units that never fire. **Does not show** dead units for good: other examples may wake them.
 * **Source** Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", section 3.
 *
 * @throws VitrineError `unknown-name`, what the model's inputs can be wrong in, `aborted`
 */
export async function activationStatistics(
  model: Model,
  x: Examples,
  options: ActivationStatisticsOptions = {},
): Promise<LayerStatistics[]> {
  const method = 'activationStatistics';
  model.requireAlive();
  const { layers = layerNames(model), signal } = options;
  const running = new Map<string, Running[]>();
  const perExample = new Map<string, number>();
  await overChunks(method, {
    models: [model],
    x,
    signal,
    build: ({ forwards: [forward], valid, rows }) => {
      const each: Record<string, Node> = {};
      for (const layer of layers) {
        const node = layerNode(method, forward as NonNullable<typeof forward>, layer);
        const units = node.shape.at(-1) as number;
        const places = elements(node.shape) / rows / units;
        perExample.set(layer, places);
        running.set(layer, Array.from({ length: units }, nothing));
        const values = reshape(node, [rows, places, units]);
        const weight = reshape(valid, [rows, 1, 1]);
        // About the mean of every row of the chunk: those that only fill it up do not hurt, as what is left over is corrected by `first`.
        const about = mean(values, [0, 1], { keepDims: true });
        const from = multiply(subtract(values, about), weight);
        each[`${layer} about`] = reshape(about, [units]);
        each[`${layer} first`] = sum(from, [0, 1]);
        each[`${layer} second`] = sum(square(from), [0, 1]);
        each[`${layer} greatest`] = largest(values, [0, 1]);
        each[`${layer} least`] = largest(negate(values), [0, 1]);
        each[`${layer} zeros`] = sum(multiply(equal(values, constant(values.graph, 0)), weight), [0, 1]);
      }
      return { each };
    },
    onChunk: (values, _first, count) => {
      for (const layer of layers) {
        const of = (name: string): Float32Array => values.get(`${layer} ${name}`) as Float32Array;
        const number = count * (perExample.get(layer) as number);
        running.get(layer)?.forEach((unit, i) => {
          const first = of('first')[i] as number;
          join(unit, {
            number,
            mean: (of('about')[i] as number) + first / number,
            deviations: Math.max(0, (of('second')[i] as number) - (first * first) / number),
            greatest: of('greatest')[i] as number,
            least: -(of('least')[i] as number) + 0,
            zeros: of('zeros')[i] as number,
          });
        });
      }
    },
  });
  return layers.map((layer) => {
    const units = running.get(layer) as Running[];
    const whole = nothing();
    for (const unit of units) join(whole, unit);
    const dead = units.filter(({ zeros, number }) => zeros === number).length;
    return { layer, ...statisticsOf(whole), units: units.map(statisticsOf), dead, deadShare: dead / units.length };
  });
}
