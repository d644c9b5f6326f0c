import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/differentiate.ts';
import { Graph, type Node } from '../../../src/engine/graph.ts';
import { attentionSoftmax } from '../../../src/engine/ops/attention-softmax.ts';
import { normal } from '../../../src/engine/random.ts';
import { attentionSoftmaxReference as reference } from '../../../src/engine/reference/operations.ts';
import { evaluate } from '../evaluate.ts';
import { failOnGpuErrors } from '../test-device.ts';
import { checkOperation, expectClose } from './check-operation.ts';

failOnGpuErrors();

const shapes: number[][] = [
  [1],
  [2],
  [1, 1],
  [3, 4],
  [5, 3],
  [31, 10],
  [32, 16],
  [33, 17],
  [2, 63],
  [3, 64],
  [2, 65],
  [2, 3, 5, 8],
  [2, 257],
];
const squares: number[][] = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [5, 5],
  [3, 8, 8],
  [2, 3, 7, 7],
  [31, 31],
  [32, 32],
  [2, 65, 65],
];

describe('attentionSoftmax', () => {
  test.each(shapes.map((shape) => [shape]))('of the shape %j, its gradient and the gradient of that', async (shape) => {
    const options = { temperature: 0.7 };
    await checkOperation({
      build: (scores) => attentionSoftmax(scores, options),
      inputs: [{ shape }],
      reference: reference(shape.at(-1) as number, options),
      twice: true,
    });
  });

  test.each(squares.map((shape) => [shape]))('causal, of the shape %j, its gradient and the gradient of that', async (shape) => {
    const options = { temperature: 1.5, causal: true };
    await checkOperation({
      build: (scores) => attentionSoftmax(scores, options),
      inputs: [{ shape }],
      reference: reference(shape.at(-1) as number, options),
      twice: shape.length < 4,
    });
  });

  test('gives exactly 0 to what comes after the query, in its gradient too, however large its score', async () => {
    for (const tokens of [5, 8]) {
      const graph = new Graph();
      const scores = graph.placeholder('scores', [2, tokens, tokens]);
      const weights = attentionSoftmax(scores, { causal: true });
      const adjoint = graph.placeholder('adjoint', weights.shape);
      const [gradient] = differentiate(weights, [scores], { seed: adjoint }) as [Node];
      const values = Array.from({ length: 2 * tokens * tokens }, (_, i) => {
        const later = i % tokens > Math.floor(i / tokens) % tokens;
        return later ? 3e38 : normal(1, 2, 0, i);
      });
      const seed = values.map((_value, i) => normal(1, 3, 0, i));
      const [a, da] = (await evaluate(
        [weights, gradient],
        new Map([
          [scores, values],
          [adjoint, seed],
        ]),
      )) as [number[], number[]];
      values.forEach((value, i) => {
        if (value === 3e38) expect([a[i], Math.abs(da[i] as number)]).toEqual([0, 0]);
      });
      for (let row = 0; row < 2 * tokens; row++) {
        const sum = a.slice(row * tokens, (row + 1) * tokens).reduce((total, weight) => total + weight, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
      }
    }
  });

  test('stays finite at ±80 and at ±1e30, and gives equal scores equal weights', async () => {
    const rows = [
      [80, -80, 0, 79],
      [-80, -80, -80, -80],
      [1e30, -1e30, 0, 1e30],
      [0, 0, 0, 0],
    ];
    for (const width of [3, 4]) {
      for (const temperature of [0.01, 1, 100]) {
        await checkOperation({
          build: (scores) => attentionSoftmax(scores, { temperature }),
          inputs: [{ shape: [4, width], values: rows.flatMap((row) => row.slice(0, width)) }],
          reference: reference(width, { temperature }),
          gradient: false,
        });
      }
    }
  });

  test('does not change when every score of a row is shifted alike', async () => {
    const graph = new Graph();
    const scores = graph.placeholder('scores', [4, 6]);
    const weights = attentionSoftmax(scores, { temperature: 0.5 });
    // Multiples of 1/64 stay exact under these shifts.
    const values = Array.from({ length: 24 }, (_, i) => Math.round(64 * normal(3, 1, 0, i)) / 64);
    const shifts = [0.5, -7, 100, -1000];
    const [plain] = (await evaluate([weights], new Map([[scores, values]]))) as [number[]];
    const shifted = values.map((value, i) => value + (shifts[Math.floor(i / 6)] as number));
    const [moved] = (await evaluate([weights], new Map([[scores, shifted]]))) as [number[]];
    expectClose(moved, plain, [4, 6], 1e-6, 'shifted scores');
  });

  test('becomes level at a high temperature and picks the largest score at a low one', async () => {
    const graph = new Graph();
    const scores = graph.placeholder('scores', [5]);
    const fed = new Map([[scores, [0.3, -1, 2, 1.5, 0]]]);
    const [level, sharp] = (await evaluate(
      [attentionSoftmax(scores, { temperature: 1e6 }), attentionSoftmax(scores, { temperature: 1e-3 })],
      fed,
    )) as [number[], number[]];
    expectClose(level, [0.2, 0.2, 0.2, 0.2, 0.2], [5], 1e-6, 'high temperature');
    expect(sharp).toEqual([0, 0, 1, 0, 0]);
  });

  test('has the Jacobian (diag a − a aᵀ) / τ, whose rows sum to 0 and which has no negative eigenvalue', async () => {
    const n = 7;
    const temperature = 0.8;
    const graph = new Graph();
    // A row of scores n times over, each seeded with another unit vector: the gradients are the rows of the Jacobian.
    const scores = graph.placeholder('scores', [n, n]);
    const weights = attentionSoftmax(scores, { temperature });
    const unit = graph.placeholder('unit', [n, n]);
    const [gradient] = differentiate(weights, [scores], { seed: unit }) as [Node];
    const row = Array.from({ length: n }, (_, i) => normal(8, 1, 0, i));
    const identity = Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
    const fed = new Map([
      [scores, Array.from({ length: n }, () => row).flat()],
      [unit, identity],
    ]);
    const [a, jacobian] = (await evaluate([weights, gradient], fed)) as [number[], number[]];
    const expected = identity.map((delta, k) => {
      const [i, j] = [Math.floor(k / n), k % n];
      return ((a[i] as number) * (delta - (a[j] as number))) / temperature;
    });
    expectClose(jacobian, expected, [n, n], 1e-6, 'Jacobian');
    for (let i = 0; i < n; i++) {
      expect(Math.abs(jacobian.slice(i * n, (i + 1) * n).reduce((total, value) => total + value, 0))).toBeLessThan(1e-6);
    }
    // Power iteration on c I − J finds c less the least eigenvalue of J.
    const c = 2 / temperature;
    let vector = row;
    let eigenvalue = 0;
    for (let step = 0; step < 500; step++) {
      const next = vector.map(
        (value, i) => c * value - vector.reduce((total, other, j) => total + (jacobian[i * n + j] as number) * other, 0),
      );
      eigenvalue = Math.hypot(...next) / Math.hypot(...vector);
      vector = next.map((value) => value / Math.hypot(...next));
    }
    expect(c - eigenvalue).toBeGreaterThan(-1e-6);
  });

  test('refuses what it cannot work on', () => {
    const graph = new Graph();
    expect(() => attentionSoftmax(graph.placeholder('x', []))).toThrow(
      'attentionSoftmax: scores is a scalar; it has no axis to work along.\nTo mend: give scores an axis, as in [1].',
    );
    expect(() => attentionSoftmax(graph.placeholder('x', [2, 3]), { causal: true })).toThrow(
      'attentionSoftmax: scores are [2, 3]; where causal they must be [..., tokens, tokens].\nTo mend: give as many queries as keys, or leave causal out.',
    );
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => attentionSoftmax(graph.placeholder('x', [2]), { temperature })).toThrow(
        `attentionSoftmax: temperature is ${temperature}; it must be above 0.\nTo mend: pass 1 for the plain softmax, less to sharpen it, more to level it.`,
      );
    }
  });
});
