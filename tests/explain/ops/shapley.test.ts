import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph.ts';
import { exactShapley, marginals, shapleyWeights } from '../../../src/explain/ops/shapley.ts';
import { drawnOrders, marginalsReference, shapleyReference } from '../../../src/explain/reference/coalitions.ts';
import { checkOperation } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors } from '../../engine/test-device.ts';

failOnGpuErrors();

/** The run with the last coalition. */
const lastOf = (n: number) => ({ shape: [2], dtype: 'uint32' as const, values: [2 ** n - 1, 1] });

const bitsOf = (s: number): number => [...s.toString(2)].filter((bit) => bit === '1').length;

describe('exactShapley', () => {
  test('its weights over all coalitions without a group sum to 1', () => {
    for (const n of [1, 2, 7, 16]) {
      const weights = shapleyWeights(n);
      let sum = 0;
      for (let s = 0; s < 2 ** (n - 1); s++) sum += weights[bitsOf(s)] as number;
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    }
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [2, 7],
  ])('of %i examples and %i groups is the mean over all orders', async (examples, n) => {
    await checkOperation({
      build: exactShapley,
      inputs: [{ shape: [examples, 2 ** n] }, { shape: [n], values: Array.from(shapleyWeights(n)) }, lastOf(n)],
      reference: shapleyReference(n),
      gradient: false,
    });
  });

  test.each([12, 13, 14])('of %i groups sums as many coalitions as there are', async (n) => {
    await checkOperation({
      build: exactShapley,
      inputs: [{ shape: [2, 2 ** n] }, { shape: [n], values: Array.from(shapleyWeights(n)) }, lastOf(n)],
      reference: (v = [], weight = []) =>
        Array.from({ length: 2 * n }, (_, k) => {
          const [e, i] = [Math.floor(k / n), k % n];
          let total = 0;
          for (let s = 0; s < 2 ** n; s++) {
            if (s & (1 << i)) continue;
            total += (weight[bitsOf(s)] as number) * ((v[e * 2 ** n + (s | (1 << i))] as number) - (v[e * 2 ** n + s] as number));
          }
          return total;
        }),
      gradient: false,
    });
  });

  test('has nothing to sum until the last coalition has come', async () => {
    await checkOperation({
      build: exactShapley,
      inputs: [{ shape: [2, 8] }, { shape: [3] }, { shape: [2], dtype: 'uint32', values: [0, 4] }],
      reference: () => Array<number>(6).fill(0),
      gradient: false,
      tolerance: 0,
    });
  });

  test('refuses values of other coalitions', () => {
    const graph = new Graph();
    const at = graph.placeholder('at', [2], 'uint32');
    expect(() => exactShapley(graph.placeholder('v', [2, 9]), graph.placeholder('w', [3]), at)).toThrow(
      'exactShapley: v is [2, 9]; it must be [2, 8], a value for each coalition.',
    );
  });
});

describe('marginals', () => {
  test.each([
    [1, 1, 1, 1],
    [2, 3, 1, 5],
    [3, 2, 2, 33],
  ])('of %i examples, %i draws of %i orders, %i groups', async (examples, draws, orders, n) => {
    const { rank } = drawnOrders(draws * orders, n);
    await checkOperation({
      build: (v, none, ranks) => marginals(v, none, ranks, { orders }),
      inputs: [
        { shape: [examples * draws * orders * n] },
        { shape: [examples] },
        { shape: [draws * orders, n], dtype: 'uint32', values: rank },
      ],
      reference: marginalsReference(draws, orders, n),
      gradient: false,
    });
  });
});
