import { describe, expect, test } from 'vitest';
import {
  attentionPooling,
  buildModel,
  columnTokens,
  defineLayer,
  dense,
  flatten,
  globalAverage,
  type Model,
  residual,
  softmax,
  type Tensor,
  transformerBlock,
} from '../../../src/engine/index.ts';
import { multiply } from '../../../src/engine/ops/arithmetic.ts';
import { exp } from '../../../src/engine/ops/elementary.ts';
import { relu as reluNode } from '../../../src/engine/ops/relu.ts';
import {
  inputXGradient,
  type LrpOptions,
  type LrpRule,
  lrp,
  lrpAlphaBeta,
  lrpDeepTaylor,
  lrpEpsilon,
  lrpEpsilonGammaBox,
  lrpEpsilonPlusFlat,
  lrpFlat,
  lrpGamma,
  lrpWSquared,
  lrpZBox,
  lrpZero,
  lrpZPlus,
} from '../../../src/explain/index.ts';
import { expectClose } from '../../engine/ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from '../../engine/test-device.ts';
import { examplesOf, golden, goldenModel, linearModel, randomNetwork, tiny, tinyModel } from '../networks.ts';
import { expectBoundedMemory, expectSameAloneAndAmongOthers, expectSameTwice } from '../promises.ts';

failOnGpuErrors();

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

async function read(model: Model, x: ArrayLike<number>, options: LrpOptions = {}) {
  const attribution = await lrp(model, Float32Array.from(x), options);
  const layers = new Map<string, Float32Array>();
  for (const [name, tensor] of attribution.layers ?? []) layers.set(name, await tensor.read());
  const result = {
    values: await attribution.values.read(),
    delta: (await attribution.delta?.read()) as Float32Array,
    output: await attribution.output.read(),
    layers,
  };
  attribution.dispose();
  return result;
}

interface Layer {
  readonly weight: number[];
  readonly bias: number[];
  readonly inputs: number;
  readonly units: number;
}

async function layersOf(model: Model): Promise<Layer[]> {
  const tensors = [...model.parameters.values()];
  const layers: Layer[] = [];
  for (let i = 0; i < tensors.length; i += 2) {
    const [weight, bias] = [tensors[i] as Tensor, tensors[i + 1] as Tensor];
    const [inputs, units] = weight.shape as [number, number];
    layers.push({ weight: [...(await weight.read())], bias: [...(await bias.read())], inputs, units });
  }
  return layers;
}

/** The relevance of a layer's inputs `a`, written out rule by rule in float64. */
function relevanceThrough({ weight, bias, inputs, units }: Layer, a: number[], r: number[], rule: LrpRule): number[] {
  const result = Array<number>(inputs).fill(0);
  for (let j = 0; j < units; j++) {
    const w = Array.from({ length: inputs }, (_, i) => weight[i * units + j] as number);
    const b = bias[j] as number;
    const share = (terms: number[], total: number, times = 1): void => {
      if (total === 0) return;
      terms.forEach((term, i) => {
        (result[i] as number) += (times * term * (r[j] as number)) / total;
      });
    };
    const z = w.map((weight, i) => weight * (a[i] as number));
    switch (rule.rule) {
      case 'epsilon': {
        const total = sum(z) + b;
        share(z, total + (total >= 0 ? rule.epsilon : -rule.epsilon));
        break;
      }
      case 'gamma': {
        const terms = w.map((weight, i) => (weight + rule.gamma * Math.max(weight, 0)) * (a[i] as number));
        share(terms, sum(terms) + b + rule.gamma * Math.max(b, 0));
        break;
      }
      case 'zPlus': {
        const terms = z.map((term) => Math.max(term, 0));
        share(terms, sum(terms) + Math.max(b, 0));
        break;
      }
      case 'alphaBeta': {
        const [up, down] = [z.map((term) => Math.max(term, 0)), z.map((term) => Math.min(term, 0))];
        const [totalUp, totalDown] = [sum(up) + Math.max(b, 0), sum(down) + Math.min(b, 0)];
        share(up, totalUp, totalDown === 0 ? 1 : rule.alpha);
        share(down, totalDown, totalUp === 0 ? 1 : -rule.beta);
        break;
      }
      case 'wSquared': {
        const terms = w.map((weight) => weight * weight);
        share(terms, sum(terms));
        break;
      }
      case 'flat':
        share(Array<number>(inputs).fill(1), inputs);
        break;
      case 'zBox': {
        const terms = w.map((weight, i) => weight * (a[i] as number) - rule.low * Math.max(weight, 0) - rule.high * Math.min(weight, 0));
        share(terms, sum(terms));
      }
    }
  }
  return result;
}

/** LRP of one example of a ReLU network, in float64. */
function reference(layers: readonly Layer[], x: readonly number[], target: number, rules: readonly LrpRule[]): number[] {
  const entering: number[][] = [];
  let h = [...x];
  layers.forEach(({ weight, bias, units }, l) => {
    entering.push(h);
    const z = bias.map((b, j) => b + sum(h.map((value, i) => value * (weight[i * units + j] as number))));
    h = l < layers.length - 1 ? z.map((value) => Math.max(value, 0)) : z;
  });
  let r = h.map((f, k) => (k === target ? f : 0));
  for (let l = layers.length - 1; l >= 0; l--) r = relevanceThrough(layers[l] as Layer, entering[l] as number[], r, rules[l] as LrpRule);
  return r;
}

const everyRule: readonly LrpRule[] = [
  lrpZero(),
  lrpEpsilon(0.1),
  lrpGamma(),
  lrpZPlus(),
  lrpAlphaBeta(),
  lrpAlphaBeta(1.5),
  lrpWSquared(),
  lrpFlat(),
  lrpZBox(-4, 4),
];

describe('lrp', () => {
  test.each(['explain', 'explain532'] as const)('by ε agrees with PyTorch on %s', async (name) => {
    const network = golden[name];
    const model = await goldenModel(await testDevice(), network);
    const { epsilon, attributions } = network.lrpEpsilon;
    const { values } = await read(model, network.x.data, { target: network.targets, rule: lrpEpsilon(epsilon) });
    expectClose(values, attributions.data, attributions.shape, 1e-5, 'values');
    model.dispose();
  });

  test.each([
    ['lrp_epsilon_1e-6', lrpEpsilon(1e-6)],
    ['lrp_gamma_0.25', lrpGamma(0.25)],
    ['lrp_zplus', lrpZPlus()],
    ['lrp_alpha2beta1', lrpAlphaBeta(2, 1)],
  ])('agrees with the oracle on the tiny network: %s', async (key, rule) => {
    const model = await tinyModel(await testDevice());
    const { values } = await read(model, tiny.x as number[], { target: tiny.target, rule });
    expectClose(values, tiny[key] as number[], [4], 1e-5, 'values');
    model.dispose();
  });

  test.each(everyRule)('by $rule is the rule written out, in any layer of a random network', async (rule) => {
    const model = await randomNetwork(await testDevice());
    const layers = await layersOf(model);
    const x = examplesOf(4, 10);
    for (let at = 0; at < 3; at++) {
      const rules = layers.map((_layer, l) => (l === at ? rule : lrpZPlus()));
      const { values } = await read(model, x, { target: 2, rule: ({ index }) => rules[index] as LrpRule });
      const expected = [0, 1, 2, 3].flatMap((row) => reference(layers, [...x.slice(10 * row, 10 * row + 10)], 2, rules));
      expectClose(values, expected, [4, 10], 1e-4, `${rule.rule} in layer ${at}`);
    }
    model.dispose();
  });

  test('by 0 is gradient × input on a ReLU network, biases included', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(8, 10);
    for (const options of [{ target: 1 }, { target: 1, against: 3 }, { target: 1, output: 'probability' as const }]) {
      const { values } = await read(model, x, { ...options, rule: 'zero' });
      const gradient = await inputXGradient(model, x, options);
      expectClose(values, await gradient.values.read(), [8, 10], 1e-5, 'values');
      gradient.dispose();
    }
    model.dispose();
  });

  test('is linear in the target', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(5, 10);
    for (const rule of [lrpEpsilon(), lrpGamma(), lrpZPlus(), lrpAlphaBeta()]) {
      const [a, b, contrast] = [
        await read(model, x, { rule, target: 2 }),
        await read(model, x, { rule, target: 0 }),
        await read(model, x, { rule, target: 2, against: 0 }),
      ];
      const difference = a.values.map((value, i) => value - (b.values[i] as number));
      expectClose(contrast.values, difference, [5, 10], 1e-5, rule.rule);
    }
    model.dispose();
  });

  test.each([0, 1e-6, 0.05])('balances at every layer, what biases and ε = %d absorb counted', async (epsilon) => {
    const model = await randomNetwork(await testDevice());
    const layers = await layersOf(model);
    const x = examplesOf(6, 10);
    const { values, output, delta, layers: relevance } = await read(model, x, { target: 1, rule: lrpEpsilon(epsilon), layers: true });
    const activations = await model.activations(x);
    expect([...relevance.keys()]).toEqual([
      'preactivation/dense_1',
      'activation/dense_1',
      'preactivation/dense_2',
      'activation/dense_2',
      'activation/dense_3',
    ]);
    const entering = [values, relevance.get('activation/dense_1'), relevance.get('activation/dense_2')];
    const leaving = ['preactivation/dense_1', 'preactivation/dense_2', 'activation/dense_3'];
    for (const [l, { bias, units }] of layers.entries()) {
      const z = await activations.get(leaving[l] as string)!.read();
      const out = relevance.get(leaving[l] as string) as Float32Array;
      const into = entering[l] as Float32Array;
      for (let row = 0; row < 6; row++) {
        const width = into.length / 6;
        let absorbed = 0;
        for (let j = 0; j < units; j++) {
          const at = row * units + j;
          const stabiliser = (z[at] as number) >= 0 ? epsilon : -epsilon;
          absorbed += ((out[at] as number) * ((bias[j] as number) + stabiliser)) / ((z[at] as number) + stabiliser);
        }
        const total = sum(out.slice(row * units, (row + 1) * units));
        const gap = sum(into.slice(row * width, (row + 1) * width)) + absorbed - total;
        expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(total)));
      }
    }
    output.forEach((f, row) => {
      expect(Math.abs(sum(values.slice(10 * row, 10 * row + 10)) - f - (delta[row] as number))).toBeLessThan(
        1e-5 * Math.max(1, Math.abs(f)),
      );
    });
    for (const tensor of activations.values()) tensor.dispose();
    model.dispose();
  });

  test('passes through an activation what arrives', async () => {
    const model = await randomNetwork(await testDevice());
    const { layers } = await read(model, examplesOf(2, 10), { layers: true });
    expect(layers.get('preactivation/dense_2')).toEqual(layers.get('activation/dense_2'));
    model.dispose();
  });

  test('by z⁺ is nowhere negative and without biases keeps f_c, for inputs that are not negative', async () => {
    const model = await randomNetwork(await testDevice(), { bias: false });
    const x = examplesOf(20, 10).map(Math.abs);
    const { values, output, delta } = await read(model, x, { rule: 'zPlus' });
    let positive = 0;
    output.forEach((f, row) => {
      if (f <= 0) return;
      positive += 1;
      expect(Math.min(...values.slice(10 * row, 10 * row + 10))).toBeGreaterThanOrEqual(0);
      expect(Math.abs(delta[row] as number)).toBeLessThan(1e-4 * Math.max(1, f));
    });
    expect(positive).toBeGreaterThan(10);
    model.dispose();
  });

  test.each([lrpWSquared(), lrpFlat(), lrpZBox(-5, 5)])('by $rule conserves relevance, biases and all', async (rule) => {
    const model = await randomNetwork(await testDevice());
    const { values, layers } = await read(model, examplesOf(6, 10), {
      target: 0,
      rule: ({ first }) => (first ? rule : lrpZPlus()),
      layers: true,
    });
    const leaving = layers.get('preactivation/dense_1') as Float32Array;
    for (let row = 0; row < 6; row++) {
      const total = sum(leaving.slice(12 * row, 12 * row + 12));
      expect(Math.abs(sum(values.slice(10 * row, 10 * row + 10)) - total)).toBeLessThan(1e-5 * Math.max(1, Math.abs(total)));
    }
    model.dispose();
  });

  // iNNvestigate #116: with z⁻ = 0 the formula passes on α R.
  test.each([1, 2, 3])('by αβ with α = %d conserves relevance where a part is empty: it goes to the other', async (alpha) => {
    const device = await testDevice();
    const model = await buildModel(device, { inputShape: [3], layers: [dense(1)] });
    const of = async (weight: number[], x: number[]) => {
      model.parameters.get('dense_1/weight')?.write(Float32Array.from(weight));
      return (await read(model, x, { rule: lrpAlphaBeta(alpha), target: 0 })).values;
    };
    expectClose(await of([1, 2, 3], [1, 1, 1]), [1, 2, 3], [3], 1e-6, 'nothing against');
    expectClose(await of([-1, -2, 3], [1, 1, 0]), [-1, -2, 0], [3], 1e-6, 'nothing for');
    expectClose(await of([1, 2, 3], [0, 0, 0]), [0, 0, 0], [3], 1e-6, 'nothing at all');
    const both = await of([1, 2, -1], [1, 1, 1]);
    expectClose(both, [(alpha * 2) / 3, (alpha * 4) / 3, -(alpha - 1) * 2], [3], 1e-5, 'both');
    expect(Math.abs(sum(both) - 2)).toBeLessThan(1e-5);
    model.dispose();
  });

  test('of a linear model by 0 is x ⊙ w, and delta is −b', async () => {
    const { model, weight, bias } = await linearModel(await testDevice(), 7, 3);
    const x = examplesOf(2, 7);
    const { values, delta } = await read(model, x, { target: 1, rule: 'zero' });
    const expected = Array.from(x, (value, i) => value * (weight[(i % 7) * 3 + 1] as number));
    expectClose(values, expected, [2, 7], 1e-5, 'values');
    expectClose(delta, [-(bias[1] as number), -(bias[1] as number)], [2], 1e-4, 'delta');
    model.dispose();
  });

  test('divides an addition in proportion to its terms', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [2], layers: [residual([dense(2)]), dense(1)] });
    model.parameters.get('residual_1/dense_1/weight')?.write(Float32Array.of(0, 3, 2, 0));
    model.parameters.get('dense_1/weight')?.write(Float32Array.of(1, 1));
    // y = x + (2 x₂, 3 x₁): of y₁ = 1 + 4 the first term carries 1 and the second 4; of y₂ = 2 + 3 they carry 2 and 3.
    const { values } = await read(model, [1, 2], { rule: 'zero' });
    expectClose(values, [1 + 3, 2 + 4], [2], 1e-5, 'values');
    model.dispose();
  });

  test('halves what two factors that depend on the input carry together, and conserves it', async () => {
    const gate = defineLayer<object>({ kind: 'gateForLrp', build: (_context, x) => multiply(reluNode(x), x) });
    const model = await buildModel(await testDevice(), { inputShape: [3], layers: [gate({}) as never, dense(2)] });
    const x = [1, -2, 3];
    const { values, output } = await read(model, x, { rule: 'zero', target: 0 });
    expect(Math.abs(sum(values) - (output[0] as number))).toBeLessThan(1e-5 * Math.max(1, Math.abs(output[0] as number)));
    model.dispose();
  });

  test.each([
    ['attention pooling', [columnTokens(4), attentionPooling({ width: 4, units: 3 }), dense(2)]],
    ['a transformer block', [columnTokens(4), transformerBlock({ heads: 2, activation: 'relu' }), globalAverage(), dense(2)]],
  ] as const)(
    'holds attention weights and the scale of layer normalisation constant in %s, and then conserves relevance without biases',
    async (_name, layers) => {
      const model = await buildModel(await testDevice(), { inputShape: [5], layers, seed: 4 });
      for (const [name, tensor] of model.parameters) if (name.includes('bias')) tensor.write(new Float32Array(tensor.length));
      const x = examplesOf(3, 5);
      const { output, delta, layers: relevance } = await read(model, x, { rule: 'zero', epsilon: 0, target: 1, layers: true });
      delta.forEach((gap, row) => {
        expect(Math.abs(gap)).toBeLessThan(1e-4 * Math.max(1, Math.abs(output[row] as number)));
      });
      // Neither the weights nor what goes only into them carry any.
      expect([...relevance.keys()].filter((name) => /attention\/|query|key/.test(name) && !/value|output/.test(name))).toEqual([]);
      expect([...relevance.keys()].some((name) => name.includes('value'))).toBe(true);
      model.dispose();
    },
  );

  test('holds a hidden softmax constant, and says so where nothing else leads to the output', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [4], layers: [dense(3, { activation: 'softmax' }), dense(2)] });
    await expect(lrp(model, [1, 2, 3, 4])).rejects.toThrow(
      'lrp: the input reaches the output only through a softmax, whose weights are held constant; no relevance arrives.\nTo mend: use integratedGradients.',
    );
    model.dispose();
    const headed = await buildModel(await testDevice(), { inputShape: [4], layers: [dense(3), softmax()] });
    const { values } = await read(headed, [1, 2, 3, 4], { rule: 'zero' });
    expect(values.some((value) => value !== 0)).toBe(true);
    headed.dispose();
  });

  test('names an operation that it has no rule for', async () => {
    const strange = defineLayer<object>({ kind: 'expForLrp', build: (_context, x) => exp(x) });
    const model = await buildModel(await testDevice(), { inputShape: [2], layers: [strange({}) as never, dense(2)] });
    await expect(lrp(model, [1, 2])).rejects.toThrow(
      'lrp: the model has the operation exp, for which there is no rule of relevance.\nTo mend: use integratedGradients, which needs no rules.',
    );
    model.dispose();
  });

  test('gives each operation instance its rule: composites see first and last, and a layer by its name', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [2, 5], before: [flatten()] });
    const seen: string[] = [];
    const attribution = await lrp(model, examplesOf(1, 10), {
      rule: ({ name, first, last, index, count, operation }) => {
        seen.push(`${name} ${operation} ${index}/${count}${first ? ' first' : ''}${last ? ' last' : ''}`);
        return lrpZPlus();
      },
    });
    expect(seen).toEqual(['dense_1 affine 0/3 first', 'dense_2 affine 1/3', 'dense_3 affine 2/3 last']);
    expect(attribution.options).toEqual({
      output: 'logit',
      rule: ['dense_1', 'dense_2', 'dense_3'].map((layer) => ({ layer, rule: 'zPlus' })),
      epsilon: 1e-6,
      layers: false,
    });
    attribution.dispose();
    model.dispose();
  });

  test('has presets that choose by layer', () => {
    const layer = { name: 'a', node: undefined as never, operation: 'affine', index: 1, count: 3, first: false, last: false };
    const first = { ...layer, first: true };
    const convolution = { ...layer, operation: 'conv2d' };
    expect([first, layer, convolution].map(lrpEpsilonGammaBox(-1, 2))).toEqual([lrpZBox(-1, 2), lrpEpsilon(1e-6), lrpGamma(0.25)]);
    expect([first, layer, convolution].map(lrpEpsilonPlusFlat())).toEqual([lrpFlat(), lrpEpsilon(1e-6), lrpZPlus()]);
    expect([first, layer, convolution].map(lrpDeepTaylor())).toEqual([lrpZBox(0, 1), lrpZPlus(), lrpZPlus()]);
  });

  test('uses one plan for every ε', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await read(model, x, { rule: lrpEpsilon(0.1) });
    const { buffers } = model.device.memory;
    const results = [];
    for (const epsilon of [0, 0.3, 2]) results.push((await read(model, x, { rule: lrpEpsilon(epsilon) })).values);
    expect(model.device.memory.buffers).toBe(buffers);
    expect(new Set(results.map((values) => values.join())).size).toBe(3);
    model.dispose();
  });

  test('is the same bits alone and among others, and twice', async () => {
    const model = await randomNetwork(await testDevice(), { inputShape: [20], hidden: [16, 8] });
    for (const rule of ['epsilon', 'alphaBeta', 'zBox'] as const) {
      await expectSameAloneAndAmongOthers(model, (x) => lrp(model, x, { rule, target: 1 }));
      await expectSameTwice(model, (x) => lrp(model, x, { rule }));
    }
    model.dispose();
  });

  test('repeated with other rules and sizes takes no more memory', async () => {
    const model = await randomNetwork(await testDevice());
    const rules = ['epsilon', 'gamma', 'alphaBeta'] as const;
    await expectBoundedMemory(model, (x, call) => lrp(model, x, { rule: rules[call % 3] as 'gamma', epsilon: call * 1e-6 }), 60);
    model.dispose();
  });

  test('refuses what is no rule', async () => {
    const model = await randomNetwork(await testDevice());
    const x = examplesOf(1, 10);
    await expect(lrp(model, x, { rule: 'beta' as never })).rejects.toThrow(
      'lrp: there is no rule "beta".\nTo mend: use one of zero, epsilon, gamma, zPlus, alphaBeta, wSquared, flat, zBox, one of the functions lrpEpsilon() …, or a function that gives one for each layer.',
    );
    await expect(lrp(model, x, { rule: (() => undefined) as never })).rejects.toMatchObject({ code: 'invalid-option' });
    await expect(lrp(model, x, { rule: { rule: 'epsilon', epsilon: -1 } })).rejects.toThrow('lrpEpsilon: epsilon is -1');
    await expect(lrp(model, x, { epsilon: Number.NaN })).rejects.toThrow('lrp: epsilon is');
    expect(() => lrpAlphaBeta(2, 2)).toThrow(
      'lrpAlphaBeta: α − β is 2 − 2 = 0; it must be 1, or relevance would grow or shrink.\nTo mend: pass β = 1, or leave it out.',
    );
    expect(() => lrpZBox(1, 0)).toThrow('lrpZBox: high is 0');
    model.dispose();
  });
});
