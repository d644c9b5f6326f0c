import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { globalAverage } from '../../../src/engine/index.ts';
import { normal } from '../../../src/engine/random.ts';
import { attentionRollout, identity, rollout } from '../../../src/explain/attention/rollout.ts';
import { attentionWeights } from '../../../src/explain/attention/weights.ts';
import { evaluate } from '../../engine/evaluate.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { tiny } from '../networks.ts';
import { examplesFor, goldenAttention, goldenModel, rowSums, VISION_LAYERS, valuesOf, vision } from './attention-networks.ts';

failOnGpuErrors();

/** R = Â_L ⋯ Â_1 in float64 of weights [heads, queries, keys] of each layer. */
function reference(layers: readonly { heads: number; queries: number; keys: number; weights: readonly number[] }[]): number[] {
  const tokens = layers[0]?.keys ?? 0;
  let rolled = Array.from({ length: tokens * tokens }, (_, i): number => (i % (tokens + 1) === 0 ? 1 : 0));
  for (const { heads, queries, keys, weights } of layers) {
    const mixed = Array.from({ length: queries * keys }, (_, k) => {
      let mean = 0;
      for (let head = 0; head < heads; head++) mean += (weights[head * queries * keys + k] as number) / heads;
      return queries === keys ? 0.5 * mean + (k % (keys + 1) === 0 ? 0.5 : 0) : mean;
    });
    rolled = Array.from({ length: queries * tokens }, (_, k) => {
      const [i, j] = [Math.floor(k / tokens), k % tokens];
      let sum = 0;
      for (let m = 0; m < keys; m++) sum += (mixed[i * keys + m] as number) * (rolled[m * tokens + j] as number);
      return sum;
    });
  }
  return rolled;
}

const stochastic = (rows: number, keys: number, stream: number): number[] =>
  Array.from({ length: rows }, (_, row) => {
    const exps = Array.from({ length: keys }, (_k, j) => Math.exp(normal(7, stream, row, j)));
    return exps.map((value) => value / exps.reduce((a, b) => a + b));
  }).flat();

const rolledOut = async (layers: readonly (readonly number[])[], shapes: readonly (readonly number[])[]): Promise<number[]> => {
  const graph = new Graph();
  const nodes = shapes.map((shape, i) => graph.placeholder(`layer ${i}`, shape));
  return (await evaluate([rollout(nodes)], new Map(nodes.map((node, i) => [node, layers[i] as number[]]))))[0] as number[];
};

describe('rollout', () => {
  test.each([1, 2, 3, 4, 7, 8])('stands on the identity of %d tokens', async (n) => {
    const [values] = (await evaluate([identity(new Graph(), n)], new Map())) as [number[]];
    expect(values).toEqual(Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0)));
  });

  test('agrees with the golden values', async () => {
    const [first, second] = (tiny.attention as unknown as number[][][][]).map((layer) => layer.flat(2));
    const values = await rolledOut(
      [first as number[], second as number[]],
      [
        [1, 2, 4, 4],
        [1, 2, 4, 4],
      ],
    );
    expectClose(values, (tiny.rollout_mean_heads as unknown as number[][]).flat(), [4, 4], 1e-5, 'rollout_mean_heads');
  });

  test('multiplies later layers from the left, whatever their number of heads, down to one query', async () => {
    const sizes = [
      { heads: 2, queries: 5, keys: 5 },
      { heads: 3, queries: 5, keys: 5 },
      { heads: 1, queries: 1, keys: 5 },
    ];
    const layers = sizes.map((size, i) => ({ ...size, weights: stochastic(size.heads * size.queries, size.keys, i) }));
    const shapes = sizes.map(({ heads, queries, keys }) => [1, heads, queries, keys]);
    for (const count of [1, 2, 3]) {
      const own = layers.slice(0, count);
      const values = await rolledOut(
        own.map(({ weights }) => weights),
        shapes.slice(0, count),
      );
      expectClose(values, reference(own), [values.length], 1e-6, `${count} layers`);
    }
  });

  test('of the identity is the identity', async () => {
    const eye = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    expect(
      await rolledOut(
        [eye, eye, eye],
        Array.from({ length: 3 }, () => [1, 1, 4, 4]),
      ),
    ).toEqual(eye);
  });
});

describe('attentionRollout', () => {
  test.each(['attention', 'attentionCausal'] as const)('of one layer is that of PyTorch: %s', async (key) => {
    const golden = goldenAttention[key];
    const model = await goldenModel(await testDevice(), golden);
    const map = await attentionRollout(model, golden.x.data);
    expect(map.values.shape).toEqual(golden.rolloutOneLayer.shape);
    expectClose(await valuesOf(map), golden.rolloutOneLayer.data, golden.rolloutOneLayer.shape, 1e-5, key);
    model.dispose();
  });

  test.each([1, 2, 3, 4])('of %d layers is the product of their weights; rows sum to 1', async (count) => {
    const model = await vision(await testDevice());
    const x = examplesFor(model, 3);
    const layers = VISION_LAYERS.slice(0, count);
    const weights = await Promise.all(layers.map((layer) => valuesOf(attentionWeights(model, x, { layer }))));
    const map = await attentionRollout(model, x, { layer: layers.at(-1) as string });
    expect(map.layers).toEqual(layers);
    expect(map.values.shape).toEqual([3, count === 4 ? 1 : 4, 4]);
    const values = await valuesOf(map);
    const expected = [0, 1, 2].flatMap((row) =>
      reference(
        weights.map((all, i) => {
          const [heads, queries] = [[2, 2, 4, 1][i] as number, i === 3 ? 1 : 4];
          const size = heads * queries * 4;
          return { heads, queries, keys: 4, weights: [...all.slice(row * size, (row + 1) * size)] };
        }),
      ),
    );
    expectClose(values, expected, [values.length], 1e-5, 'rollout');
    for (const sum of rowSums(values, 4)) expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    model.dispose();
  });

  test('of causal layers stays lower-triangular, exactly', async () => {
    const model = await vision(await testDevice(), { causal: true, end: [globalAverage()] });
    const values = await valuesOf(attentionRollout(model, examplesFor(model, 3)));
    expect(values.length).toBe(48);
    values.forEach((value, i) => {
      if (i % 4 > Math.floor(i / 4) % 4) expect(value).toBe(0);
      else expect(value).toBeGreaterThan(0);
    });
    model.dispose();
  });
});
