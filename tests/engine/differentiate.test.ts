import { describe, expect, test } from 'vitest';
import { differentiate, type Rule } from '../../src/engine/differentiate.ts';
import type { VitrineError } from '../../src/engine/errors.ts';
import { apply, Graph, type Node } from '../../src/engine/graph.ts';
import type { Operation } from '../../src/engine/operation.ts';
import { add, divide, greater, multiply, scale, subtract } from '../../src/engine/ops/arithmetic.ts';
import { square } from '../../src/engine/ops/elementary.ts';
import { gelu, geluCurvature } from '../../src/engine/ops/gelu.ts';
import { sum } from '../../src/engine/ops/reduce.ts';
import { relu, reluOperation } from '../../src/engine/ops/relu.ts';
import { sigmoid } from '../../src/engine/ops/sigmoid.ts';
import { tanh } from '../../src/engine/ops/tanh.ts';
import { evaluate } from './evaluate.ts';
import { checkOperation, expectClose } from './ops/check-operation.ts';
import { gelu as geluOf, sigmoid as sigmoidOf } from './reference.ts';
import { failOnGpuErrors } from './test-device.ts';

failOnGpuErrors();

/** The one gradient, which must be there. */
function gradientOf(output: Node, of: Node, options?: Parameters<typeof differentiate>[2]): Node {
  const [gradient] = differentiate(output, [of], options);
  if (!gradient) throw new Error('no gradient flows');
  return gradient;
}

describe('differentiate', () => {
  test('adds the gradients of a node that is used more than once', async () => {
    await checkOperation({
      build: (x) => add(multiply(tanh(x), x), square(x)),
      inputs: [{ shape: [2, 3] }],
      reference: (x) => x.map((value) => Math.tanh(value) * value + value * value),
      twice: true,
    });
  });

  test('starts from ones unless a seed is given', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [3]);
    const seed = graph.placeholder('seed', [3]);
    const y = square(x);
    const [plain, seeded] = await evaluate(
      [gradientOf(y, x), gradientOf(y, x, { seed })],
      new Map([
        [x, [1, 2, 3]],
        [seed, [1, 0, -1]],
      ]),
    );
    expect(plain).toEqual([2, 4, 6]);
    expect(seeded).toEqual([2, 0, -6]);
  });

  test('refuses a seed of another shape', () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [3]);
    expect(() => differentiate(square(x), [x], { seed: graph.placeholder('seed', [2]) })).toThrow(
      'differentiate: the seed is [2] but the output square#1 is [3].\nTo mend: give a seed in the shape of the output.',
    );
  });

  test('gives undefined where the output does not depend on a node, or only by a comparison', () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [3]);
    const other = graph.placeholder('other', [3]);
    expect(differentiate(square(x), [other])).toEqual([undefined]);
    expect(differentiate(multiply(greater(x, other), other), [x])).toEqual([undefined]);
  });

  test('takes intermediate nodes, the same node twice, and the output itself', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [2]);
    const middle = scale(x, 3);
    const y = square(middle);
    const seed = graph.placeholder('seed', [2]);
    const [toMiddle, toX, again, toY] = differentiate(y, [middle, x, x, y], { seed }) as [Node, Node, Node, Node];
    expect(toY).toBe(seed);
    expect(again).toBe(toX);
    const fed = new Map([
      [x, [1, 2]],
      [seed, [1, 1]],
    ]);
    expect(await evaluate([toMiddle, toX], fed)).toEqual([
      [6, 12],
      [18, 36],
    ]);
  });

  test('asks no rule of what lies before the nodes asked for', async () => {
    const x = new Graph().placeholder('x', [2]);
    const middle = geluCurvature(x);
    expect(differentiate(square(middle), [middle])[0]?.shape).toEqual([2]);
  });

  test('builds nodes only: the graph before it is left as it was', () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [2]);
    const y = sum(square(x));
    const before = [...graph.nodes];
    differentiate(y, [x]);
    expect(graph.nodes.slice(0, before.length)).toEqual(before);
  });
});

describe('rules', () => {
  /** Guided backpropagation at these instances: only positive adjoints pass. */
  const guidedAt =
    (...instances: Node[]): Rule =>
    (node, dy) =>
      instances.includes(node) ? [relu(dy)] : undefined;

  test('replace the gradient of one instance and leave the others alone', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [2]);
    const first = relu(x);
    const second = relu(scale(first, -1));
    const third = relu(x);
    const y = subtract(second, third);
    const fed = new Map([[x, [2, -3]]]);
    // second is 0 at both, third passes x: its gradient is −1 where x > 0. A rule lets second pass all it is given.
    const passAtSecond: Rule = (node, dy) => (node === second ? [dy] : undefined);
    const [plain, replaced] = await evaluate([gradientOf(y, x), gradientOf(y, x, { rules: [passAtSecond] })], fed);
    expect(plain).toEqual([-1, 0]);
    expect(replaced).toEqual([-2, 0]);
    const [guided] = await evaluate([gradientOf(y, x, { rules: [guidedAt(third)] })], fed);
    expect(guided).toEqual([0, 0]);
  });

  test('are asked in order, and the first that answers is taken', async () => {
    const x = new Graph().placeholder('x', [1]);
    const asked: string[] = [];
    const silent: Rule = () => {
      asked.push('silent');
      return undefined;
    };
    const tenfold: Rule = (_node, dy) => [scale(dy, 10)];
    const never: Rule = () => {
      asked.push('never');
      return undefined;
    };
    const [gradient] = await evaluate([gradientOf(relu(x), x, { rules: [silent, tenfold, never] })], new Map([[x, [1]]]));
    expect(gradient).toEqual([10]);
    expect(asked).toEqual(['silent']);
  });

  test('may stand in for a gradient that is missing, and may stop one', async () => {
    const x = new Graph().placeholder('x', [2]);
    const y = geluCurvature(x);
    expect(differentiate(y, [x], { rules: [() => [undefined]] })).toEqual([undefined]);
    const [gradient] = await evaluate([gradientOf(y, x, { rules: [(_node, dy) => [scale(dy, 4)]] })], new Map([[x, [1, 2]]]));
    expect(gradient).toEqual([4, 4]);
  });

  test('see the same node in a clone that is fed the baseline (DeepLIFT: the parts add up to the whole)', async () => {
    const graph = new Graph();
    const x = graph.placeholder('x', [3]);
    const baseline = graph.placeholder('baseline', [3]);
    const weight = graph.placeholder('weight', [3]);
    const y = sum(tanh(multiply(relu(x), weight)));
    const rescale: Rule = (node, dy, { reference }) => {
      if (node.operation !== reluOperation && node.operation?.name !== 'tanh') return undefined;
      const [input] = node.inputs as [Node];
      return [multiply(dy, divide(subtract(node, reference(node)), subtract(input, reference(input))))];
    };
    let clone: Node | undefined;
    let kept: Node | undefined;
    const observe: Rule = (node, _dy, { reference }) => {
      if (node === y) [clone, kept] = [reference(y), reference(weight)];
      return undefined;
    };
    const multipliers = gradientOf(y, x, { rules: [observe, rescale], references: new Map([[x, baseline]]) });
    expect(kept).toBe(weight);
    const [parts, value, valueAtBaseline] = (await evaluate(
      [multiply(multipliers, subtract(x, baseline)), y, clone as Node],
      new Map([
        [x, [0.5, -1, 2]],
        [baseline, [-0.5, 0.25, 1]],
        [weight, [1, -2, 0.5]],
      ]),
    )) as [number[], number[], number[]];
    const whole = Math.tanh(0.5) + Math.tanh(1) - (Math.tanh(-0.5) + Math.tanh(0.5));
    expectClose([(value[0] as number) - (valueAtBaseline[0] as number)], [whole], [1], 1e-6, 'difference from the baseline');
    expectClose([parts.reduce((a, b) => a + b)], [whole], [1], 1e-6, 'sum of the parts');
  });
});

describe('a decomposition', () => {
  /** An operation that has no gradient of its own; its kernel is never asked for. */
  const decomposed = (name: string, decompose: (node: Node) => Node): Operation<object> => ({
    name,
    infer: ([a]) => ({ shape: a?.shape ?? [], dtype: 'float32' }),
    variants: [],
    decompose,
  });
  const product = decomposed('product', ({ inputs: [a, b] }) => multiply(a as Node, b as Node));

  test('is differentiated in place of an operation that has no rule', async () => {
    const graph = new Graph();
    const a = graph.placeholder('a', [2]);
    const b = graph.placeholder('b', [2]);
    const [da, db] = differentiate(apply(product, [a, b], {}), [a, b]) as [Node, Node];
    const fed = new Map([
      [a, [2, 3]],
      [b, [5, 7]],
    ]);
    expect(await evaluate([da, db], fed)).toEqual([
      [5, 7],
      [2, 3],
    ]);
  });

  test('counts each path once where one of its inputs depends on another', async () => {
    const x = new Graph().placeholder('x', [2]);
    const cube = apply(product, [x, square(x)], {});
    const [gradient] = await evaluate([gradientOf(cube, x)], new Map([[x, [2, -3]]]));
    expect(gradient).toEqual([12, 27]);
  });

  test('takes the same input twice', async () => {
    const x = new Graph().placeholder('x', [2]);
    const [gradient] = await evaluate([gradientOf(apply(product, [x, x], {}), x)], new Map([[x, [2, -3]]]));
    expect(gradient).toEqual([4, -6]);
  });

  test('is hidden from rules, which see the operation itself', async () => {
    const x = new Graph().placeholder('x', [1]);
    const seen: string[] = [];
    const watch: Rule = (node) => {
      seen.push(node.operation?.name ?? '');
      return undefined;
    };
    differentiate(apply(product, [square(x), x], {}), [x], { rules: [watch] });
    expect(seen).toEqual(['product', 'square']);
  });
});

describe('second derivatives', () => {
  test('of an expression of all the activations agree with differences of the reference', async () => {
    await checkOperation({
      build: (x, w) => sum(multiply(gelu(multiply(x, w)), add(sigmoid(x), tanh(w)))),
      inputs: [{ shape: [3, 4] }, { shape: [4] }],
      reference: (x, w = []) => {
        const terms = x.map((value, i) => {
          const weight = w[i % 4] as number;
          return geluOf(value * weight) * (sigmoidOf(value) + Math.tanh(weight));
        });
        return [terms.reduce((a, b) => a + b)];
      },
      twice: true,
    });
  });

  test('of Σ x³ are 6 x', async () => {
    const x = new Graph().placeholder('x', [3]);
    const gradient = gradientOf(sum(multiply(square(x), x)), x);
    const [second] = await evaluate([gradientOf(gradient, x)], new Map([[x, [1, -2, 0.5]]]));
    expect(second).toEqual([6, -12, 3]);
  });

  test('are refused by the name of the operation that has none', () => {
    const x = new Graph().placeholder('x', [3]);
    let thrown: unknown;
    try {
      differentiate(geluCurvature(x), [x]);
    } catch (error) {
      thrown = error;
    }
    expect((thrown as VitrineError).code).toBe('not-twice-differentiable');
    expect((thrown as VitrineError).parameters).toEqual({ operation: 'geluCurvature' });
    expect((thrown as VitrineError).message).toBe(
      'geluCurvature: this operation has no gradient rule, so what was built from it cannot be differentiated again.\n' +
        'To mend: differentiate an expression without it, or use a central difference of the gradient.',
    );
  });
});
