import { describe, expect, test } from 'vitest';
import { registerBuiltInLayers } from '../../src/engine/built-in-layers.ts';
import { loadModel, saveModel } from '../../src/engine/checkpoint.ts';
import { compile } from '../../src/engine/compile.ts';
import { differentiate } from '../../src/engine/differentiate.ts';
import { VitrineError } from '../../src/engine/errors.ts';
import { Graph, type Node } from '../../src/engine/graph.ts';
import { dense, embedding, flatten, type Layer, layerKind, layerNorm, relu, softmax } from '../../src/engine/layers.ts';
import {
  attentionPooling,
  columnTokens,
  globalAverage,
  patches,
  positionalEmbedding,
  residual,
  selfAttention,
  transformerBlock,
} from '../../src/engine/layers-attention.ts';
import { buildModel, type Model, type ModelSpec, modelLayout } from '../../src/engine/model.ts';
import { adam } from '../../src/engine/optimizers.ts';
import { normal } from '../../src/engine/random.ts';
import { createTrainer } from '../../src/engine/trainer.ts';
import golden from '../golden/pytorch.json';
import { bits, markedPatches } from './fixtures.ts';
import type { GoldenTensor } from './golden.ts';
import { expectClose } from './ops/check-operation.ts';
import { failOnGpuErrors, testDevice } from './test-device.ts';

failOnGpuErrors();

const numbers = (count: number, stream: number): number[] => Array.from({ length: count }, (_, i) => Math.fround(normal(11, stream, 0, i)));

/** Reads a tensor and frees it. */
async function take(tensor: { read(): Promise<Float32Array>; dispose(): void } | undefined): Promise<number[]> {
  const values = [...((await tensor?.read()) ?? [])];
  tensor?.dispose();
  return values;
}

/** The named activations of a model, the others freed. */
async function seen(model: Model, x: readonly number[] | Uint32Array, ...names: string[]): Promise<number[][]> {
  const all = await model.activations(x);
  const values = await Promise.all(names.map((name) => all.get(name)?.read()));
  for (const tensor of all.values()) tensor.dispose();
  return values.map((value) => [...(value ?? [])]);
}

type Part = Record<'weight' | 'bias', GoldenTensor>;
interface GoldenAttention {
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  readonly causal: boolean;
  readonly x: GoldenTensor;
  readonly outGradient: GoldenTensor;
  readonly params: Record<string, Part>;
  readonly attention: GoldenTensor;
  readonly out: GoldenTensor;
  readonly xGradient: GoldenTensor;
  readonly paramGradients: Record<string, Part>;
}

/** A golden network as a model with its parameters. */
async function goldenModel({ tokens, width, heads, causal, params }: GoldenAttention): Promise<Model> {
  const model = await buildModel(await testDevice(), { inputShape: [tokens, width], layers: [selfAttention({ heads, causal })] });
  for (const [part, tensors] of Object.entries(params)) {
    for (const [kind, { data }] of Object.entries(tensors)) {
      model.parameters.get(`selfAttention_1/${part}/${kind}`)?.write(Float32Array.from(data));
    }
  }
  return model;
}

describe.each(['attention', 'attentionCausal'] as const)('%s of PyTorch', (key) => {
  const reference = golden[key] as unknown as GoldenAttention;

  test('has these weights and this output', async () => {
    const model = await goldenModel(reference);
    const [attention, output] = (await seen(model, reference.x.data, 'attention/selfAttention_1', 'activation/selfAttention_1/output')) as [
      number[],
      number[],
    ];
    expectClose(attention, reference.attention.data, reference.attention.shape, 1e-5, 'attention');
    expectClose(output, reference.out.data, reference.out.shape, 1e-5, 'out');
    const { tokens } = reference;
    attention.forEach((weight, i) => {
      if (reference.causal && i % tokens > Math.floor(i / tokens) % tokens) expect(weight).toBe(0);
    });
    for (let row = 0; row < attention.length; row += tokens) {
      expect(Math.abs(attention.slice(row, row + tokens).reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(1e-6);
    }
    model.dispose();
  });

  test('has these gradients, of the input and of every parameter', async () => {
    const model = await goldenModel(reference);
    const graph = new Graph();
    const forward = model.forward(graph, reference.x.shape[0] as number);
    const seed = graph.placeholder('seed', forward.output.shape);
    const gradients = differentiate(forward.output, [forward.x, ...forward.parameters.values()], { seed }) as Node[];
    const plan = await compile(await testDevice(), gradients, { tensors: model.bindings(forward) });
    plan.tensor(forward.x).write(Float32Array.from(reference.x.data));
    plan.tensor(seed).write(Float32Array.from(reference.outGradient.data));
    plan.run();
    const [dx, ...others] = await Promise.all(gradients.map((gradient) => plan.tensor(gradient).read()));
    expectClose(dx as Float32Array, reference.xGradient.data, reference.xGradient.shape, 1e-5, 'xGradient');
    for (const [i, name] of [...forward.parameters.keys()].entries()) {
      const [, part, kind] = name.split('/') as [string, string, 'weight' | 'bias'];
      const { data, shape } = (reference.paramGradients[part] as Part)[kind];
      expectClose(others[i] as Float32Array, data, shape, 1e-5, name);
    }
    expect(others).toHaveLength(8);
    plan.dispose();
    model.dispose();
  });
});

const parametersOf = (spec: ModelSpec): [name: string, shape: readonly number[]][] =>
  [...modelLayout(spec).layout].map(([name, { shape }]) => [name, shape]);

describe('a layer on tokens', () => {
  const attentionParts = ['query', 'key', 'value', 'output'].flatMap((part) => [`${part}/weight`, `${part}/bias`]);
  const cases: [layer: Layer, input: number[], output: number[], parameters: [string, number[]][]][] = [
    [patches(4), [28, 28, 1], [49, 16], []],
    [patches(7), [28, 28], [16, 49], []],
    [patches(2), [4, 6, 3], [6, 12], []],
    [
      columnTokens(8),
      [5],
      [5, 8],
      [
        ['weight', [5, 8]],
        ['bias', [5, 8]],
      ],
    ],
    [positionalEmbedding(), [5, 8], [5, 8], [['table', [5, 8]]]],
    [globalAverage(), [5, 8], [8], []],
    [globalAverage(), [3, 4, 8], [8], []],
    [selfAttention({ heads: 2 }), [5, 8], [5, 8], attentionParts.map((name) => [name, name.endsWith('bias') ? [8] : [8, 8]])],
    [
      attentionPooling(),
      [5, 8],
      [8],
      [
        ['query', [8]],
        ['key/weight', [8, 8]],
        ['key/bias', [8]],
        ['value/weight', [8, 8]],
        ['value/bias', [8]],
      ],
    ],
    [
      attentionPooling({ width: 3, units: 6 }),
      [5, 8],
      [6],
      [
        ['query', [3]],
        ['key/weight', [8, 3]],
        ['key/bias', [3]],
        ['value/weight', [8, 6]],
        ['value/bias', [6]],
      ],
    ],
    [
      residual([dense(3, { activation: 'relu' }), dense(8)]),
      [5, 8],
      [5, 8],
      [
        ['dense_1/weight', [8, 3]],
        ['dense_1/bias', [3]],
        ['dense_2/weight', [3, 8]],
        ['dense_2/bias', [8]],
      ],
    ],
    [
      transformerBlock({ heads: 4, dropout: 0.1 }),
      [5, 8],
      [5, 8],
      [
        ['layerNorm_1/scale', [8]],
        ['layerNorm_1/bias', [8]],
        ...attentionParts.map((name): [string, number[]] => [`selfAttention_1/${name}`, name.endsWith('bias') ? [8] : [8, 8]]),
        ['layerNorm_2/scale', [8]],
        ['layerNorm_2/bias', [8]],
        ['dense_1/weight', [8, 32]],
        ['dense_1/bias', [32]],
        ['dense_2/weight', [32, 8]],
        ['dense_2/bias', [8]],
      ],
    ],
  ];
  test.each(cases)('has its shape and parameters: %j of %j gives %j', (layer, inputShape, outputShape, expected) => {
    const spec = { inputShape, layers: [layer] };
    expect(modelLayout(spec).layers[0]?.outputShape).toEqual(outputShape);
    expect(parametersOf(spec)).toEqual(expected.map(([name, shape]) => [`${layer.kind}_1/${name}`, shape]));
    registerBuiltInLayers();
    expect(layerKind(layer.kind).kind).toBe(layer.kind);
    expect(JSON.parse(JSON.stringify(layer))).toEqual(layer);
  });

  test('patches are cut row by row, each row by row', async () => {
    const model = await buildModel(await testDevice(), { inputShape: [4, 6, 2], layers: [patches(2)] });
    const image = Array.from({ length: 2 * 48 }, (_, i) => i);
    const expected: number[] = [];
    for (const example of [0, 48]) {
      for (const [row, col] of [0, 2].flatMap((r) => [0, 2, 4].map((c) => [r, c] as const))) {
        for (const [y, x, channel] of [0, 1].flatMap((dy) => [0, 1].flatMap((dx) => [0, 1].map((c) => [row + dy, col + dx, c] as const)))) {
          expected.push(example + (y * 6 + x) * 2 + channel);
        }
      }
    }
    expect(await take(await model.predict(image))).toEqual(expected);
    model.dispose();
  });

  test('column tokens, positions and the average compute their formulas', async () => {
    const model = await buildModel(await testDevice(), {
      inputShape: [3],
      layers: [columnTokens(4), positionalEmbedding(), globalAverage()],
    });
    const [weight, bias, table] = await Promise.all([...model.parameters.values()].map((parameter) => parameter.read()));
    const x = [0.5, -2, 3];
    const expected = [0, 1, 2, 3].map(
      (i) =>
        x.reduce((sum, value, j) => sum + value * (weight?.[4 * j + i] ?? 0) + (bias?.[4 * j + i] ?? 0) + (table?.[4 * j + i] ?? 0), 0) / 3,
    );
    expectClose(await take(await model.predict(x)), expected, [1, 4], 1e-6, 'average');
    model.dispose();
  });

  test('attention pooling is the sum of the values weighed by the softmax of q · k / (√width τ)', async () => {
    const [tokens, inputs, width, units, temperature] = [5, 6, 3, 4, 0.5];
    const model = await buildModel(await testDevice(), {
      inputShape: [tokens, inputs],
      layers: [attentionPooling({ width, units, temperature })],
      seed: 4,
    });
    for (const name of ['key/bias', 'value/bias']) {
      const parameter = model.parameters.get(`attentionPooling_1/${name}`);
      parameter?.write(Float32Array.from(numbers(parameter.length, 20)));
    }
    const read = async (name: string): Promise<Float32Array> =>
      (await model.parameters.get(`attentionPooling_1/${name}`)?.read()) as Float32Array;
    const [query, keyWeight, keyBias, valueWeight, valueBias] = await Promise.all(
      ['query', 'key/weight', 'key/bias', 'value/weight', 'value/bias'].map(read),
    );
    const x = numbers(2 * tokens * inputs, 1);
    const affine = (token: number, weight: Float32Array | undefined, bias: Float32Array | undefined, out: number): number => {
      let sum = bias?.[out] ?? 0;
      for (let i = 0; i < inputs; i++) sum += (x[token * inputs + i] as number) * (weight?.[i * (bias?.length ?? 0) + out] ?? 0);
      return sum;
    };
    const weights: number[] = [];
    const pooled: number[] = [];
    for (const example of [0, 1]) {
      const exps = Array.from({ length: tokens }, (_, t) => {
        let score = 0;
        for (let k = 0; k < width; k++) score += (query?.[k] ?? 0) * affine(example * tokens + t, keyWeight, keyBias, k);
        return Math.exp(score / (Math.sqrt(width) * temperature));
      });
      const shares = exps.map((value) => value / exps.reduce((a, b) => a + b));
      weights.push(...shares);
      for (let u = 0; u < units; u++) {
        pooled.push(shares.reduce((sum, share, t) => sum + share * affine(example * tokens + t, valueWeight, valueBias, u), 0));
      }
    }
    const [attention, heads, output] = (await seen(
      model,
      x,
      'attention/attentionPooling_1',
      'heads/attentionPooling_1',
      'activation/attentionPooling_1',
    )) as [number[], number[], number[]];
    expectClose(attention, weights, [2, 1, 1, tokens], 1e-5, 'attention');
    expectClose(output, pooled, [2, units], 1e-5, 'pooled');
    expect(heads).toEqual(output);
    model.dispose();
  });

  test('self-attention at a temperature τ has the weights to the power of 1/τ, scaled to add up to 1', async () => {
    const [tokens, width, temperature] = [5, 8, 2.5];
    const weightsAt = async (options: { readonly temperature?: number }): Promise<number[]> => {
      const spec = { inputShape: [tokens, width], layers: [selfAttention({ heads: 2, ...options })], seed: 5 };
      const model = await buildModel(await testDevice(), spec);
      const [weights] = (await seen(model, numbers(2 * tokens * width, 8), 'attention/selfAttention_1')) as [number[]];
      model.dispose();
      return weights;
    };
    const plain = await weightsAt({});
    const expected = plain.map((weight, i) => {
      const row = plain.slice(i - (i % tokens), i - (i % tokens) + tokens).map((value) => value ** (1 / temperature));
      return weight ** (1 / temperature) / row.reduce((a, b) => a + b);
    });
    expectClose(await weightsAt({ temperature }), expected, [2, 2, tokens, tokens], 1e-5, 'attention');
  });

  test('a residual adds what goes in to what its layers give', async () => {
    const spec = (layers: Layer[]): ModelSpec => ({ inputShape: [3, 4], layers, seed: 3 });
    const device = await testDevice();
    const inner = await buildModel(device, spec([dense(4, { name: 'a' }), relu()]));
    const outer = await buildModel(device, spec([residual([dense(4, { name: 'a' }), relu()], { name: 'r' })]));
    for (const part of ['weight', 'bias']) {
      outer.parameters.get(`r/a/${part}`)?.write((await inner.parameters.get(`a/${part}`)?.read()) as Float32Array);
    }
    const x = numbers(12, 2);
    const added = (await take(await inner.predict(x))).map((value, i) => value + (x[i] as number));
    expectClose(await take(await outer.predict(x)), added, [1, 3, 4], 1e-6, 'residual');
    inner.dispose();
    outer.dispose();
  });

  test('a transformer block is a residual of the norm and attention, then one of the norm and two dense layers', async () => {
    const device = await testDevice();
    const options = { heads: 2, causal: true, temperature: 0.9 };
    const block = await buildModel(device, { inputShape: [5, 8], layers: [transformerBlock({ ...options, hidden: 12 })], seed: 6 });
    const parts = await buildModel(device, {
      inputShape: [5, 8],
      layers: [residual([layerNorm(), selfAttention(options)]), residual([layerNorm(), dense(12, { activation: 'gelu' }), dense(8)])],
    });
    const sources = [...block.parameters.values()];
    for (const [i, target] of [...parts.parameters.values()].entries()) {
      expect(target.shape).toEqual(sources[i]?.shape);
      target.write((await sources[i]?.read()) as Float32Array);
    }
    const x = numbers(2 * 40, 3);
    expect(await take(await block.predict(x))).toEqual(await take(await parts.predict(x)));
    block.dispose();
    parts.dispose();
  });
});

const vision = (seed = 2): ModelSpec => ({
  inputShape: [8, 8, 1],
  layers: [
    patches(4),
    dense(8, { name: 'embed' }),
    positionalEmbedding(),
    transformerBlock({ heads: 2 }),
    residual([selfAttention({ heads: 1, temperature: 2 })]),
    attentionPooling({ units: 6 }),
    dense(3),
    softmax(),
  ],
  seed,
});

describe('a model with attention', () => {
  test('lists what it attends to and what each head gives among its activations, in the order of computation', async () => {
    const model = await buildModel(await testDevice(), vision());
    const all = await model.activations(numbers(2 * 64, 1));
    const names = [...all.keys()].filter((name) => /^(attention|heads)\//.test(name));
    expect(names.map((name) => [name, all.get(name)?.shape])).toEqual([
      ['attention/transformerBlock_1/selfAttention_1', [2, 2, 4, 4]],
      ['heads/transformerBlock_1/selfAttention_1', [2, 2, 4, 4]],
      ['attention/residual_1/selfAttention_1', [2, 1, 4, 4]],
      ['heads/residual_1/selfAttention_1', [2, 1, 4, 8]],
      ['attention/attentionPooling_1', [2, 1, 1, 4]],
      ['heads/attentionPooling_1', [2, 1, 1, 6]],
    ]);
    const keys = [...all.keys()];
    const at = (name: string): number => keys.indexOf(name);
    expect(at('activation/transformerBlock_1/selfAttention_1/query')).toBeLessThan(at('attention/transformerBlock_1/selfAttention_1'));
    expect(at('heads/transformerBlock_1/selfAttention_1')).toBeLessThan(at('activation/transformerBlock_1/selfAttention_1/output'));
    for (const tensor of all.values()) tensor.dispose();
    model.dispose();
  });

  test('gives an example the same bits alone and among others, at every capacity', async () => {
    const model = await buildModel(await testDevice(), vision());
    const x = numbers(256 * 64, 5);
    const alone = await take(await model.predict(x.slice(0, 64)));
    for (const rows of [7, 32, 256]) {
      expect((await take(await model.predict(x.slice(0, rows * 64)))).slice(0, 3), `${rows} rows`).toEqual(alone);
    }
    model.dispose();
  });

  test('comes back from a file with the same bits', async () => {
    const model = await buildModel(await testDevice(), vision());
    const loaded = await loadModel(await testDevice(), await saveModel(model));
    expect(await bits(loaded)).toEqual(await bits(model));
    expect(loaded.spec.layers).toEqual(model.spec.layers);
    const x = numbers(64, 6);
    expect(await take(await loaded.predict(x))).toEqual(await take(await model.predict(x)));
    model.dispose();
    loaded.dispose();
  });

  test('shows its attention of the last batch while it trains, where that is watched', async () => {
    const model = await buildModel(await testDevice(), vision());
    const trainer = await createTrainer(model, { data: markedPatches(32), batchSize: 8 });
    const names = ['attention/transformerBlock_1/selfAttention_1', 'attention/attentionPooling_1'];
    await trainer.watch(names);
    await trainer.run(3);
    for (const [i, name] of names.entries()) {
      const tensor = trainer.tensors.get(name);
      expect(tensor?.shape).toEqual(
        [
          [8, 2, 4, 4],
          [8, 1, 1, 4],
        ][i],
      );
      const values = [...((await tensor?.read()) ?? [])];
      for (let row = 0; row < values.length; row += 4) {
        expect(Math.abs(values.slice(row, row + 4).reduce((sum, weight) => sum + weight, 0) - 1)).toBeLessThan(1e-6);
      }
    }
    trainer.dispose();
    model.dispose();
  });

  test('learns to find the one patch that matters, and attends to it', async () => {
    const data = markedPatches(256);
    const model = await buildModel(await testDevice(), {
      inputShape: [8, 8, 1],
      layers: [patches(4), dense(8), attentionPooling(), dense(2), softmax()],
      seed: 1,
    });
    const trainer = await createTrainer(model, { data, batchSize: 32, optimizer: adam({ learningRate: 0.01 }) });
    await trainer.run(200);
    const { accuracy } = await trainer.evaluate(data);
    expect(accuracy).toBeGreaterThan(0.98);
    const [attention] = (await seen(model, [...(data.inputs as Float32Array)], 'attention/attentionPooling_1')) as [number[]];
    const found = [...data.places].filter((place, i) => {
      const row = attention.slice(4 * i, 4 * i + 4);
      return row.indexOf(Math.max(...row)) === place;
    });
    expect(found.length / data.size).toBeGreaterThan(0.9);
    trainer.dispose();
    model.dispose();
  });

  test('learns to say which token follows a marker, on sequences that it has not seen', async () => {
    // Order and content both count.
    const [size, tokens, vocabulary] = [512, 6, 5];
    const model = await buildModel(await testDevice(), {
      inputShape: [tokens],
      inputType: 'uint32',
      layers: [
        embedding(vocabulary, 16),
        positionalEmbedding(),
        transformerBlock({ heads: 2, hidden: 32 }),
        transformerBlock({ heads: 2, hidden: 32 }),
        attentionPooling(),
        dense(vocabulary - 1),
        softmax(),
      ],
      seed: 3,
    });
    const sequence = (i: number): { tokens: number[]; label: number } => {
      const list = Array.from({ length: tokens }, (_, t) => 1 + (Math.floor(1e6 * Math.abs(normal(4, 1, i, t))) % (vocabulary - 1)));
      const marker = Math.floor(1e6 * Math.abs(normal(4, 2, i, 0))) % (tokens - 1);
      list[marker] = 0;
      return { tokens: list, label: (list[marker + 1] as number) - 1 };
    };
    const trainer = await createTrainer(model, { batchSize: 64, optimizer: adam({ learningRate: 0.005 }) });
    const batch = (first: number, count: number) => {
      const all = Array.from({ length: count }, (_, i) => sequence(first + i));
      return { x: Uint32Array.from(all.flatMap(({ tokens: list }) => list)), labels: all.map(({ label }) => label) };
    };
    const losses: number[] = [];
    for (let step = 0; step < 240; step++) {
      const { x, labels } = batch((64 * step) % size, 64);
      losses.push(await trainer.trainOnBatch(x, labels));
    }
    const { x, labels } = batch(size, 200);
    const output = await take(await model.predict(x));
    const right = labels.filter((label, i) => {
      const row = output.slice(i * (vocabulary - 1), (i + 1) * (vocabulary - 1));
      return row.indexOf(Math.max(...row)) === label;
    }).length;
    expect(losses[0]).toBeGreaterThan(1.2);
    expect(right / 200).toBeGreaterThan(0.9);
    trainer.dispose();
    model.dispose();
  });

  test('drops nothing outside of training, and something in it', async () => {
    const device = await testDevice();
    const spec = (rate: number): ModelSpec => ({
      inputShape: [4, 8],
      layers: [transformerBlock({ heads: 2, dropout: rate }), globalAverage(), dense(2), softmax()],
      seed: 9,
    });
    const [plain, dropping] = [await buildModel(device, spec(0)), await buildModel(device, spec(0.5))];
    const x = numbers(32, 7);
    expect(await take(await dropping.predict(x))).toEqual(await take(await plain.predict(x)));
    const lossOf = async (model: Model): Promise<number> => {
      const trainer = await createTrainer(model, { batchSize: 1 });
      const loss = await trainer.trainOnBatch(x, [0]);
      trainer.dispose();
      return loss;
    };
    expect(await lossOf(dropping)).not.toBe(await lossOf(plain));
    plain.dispose();
    dropping.dispose();
  });
});

describe('a layer on tokens is refused', () => {
  const cases: Record<string, [inputShape: number[], layer: Layer, code: string, message: string]> = {
    'where there are no tokens': [
      [8],
      selfAttention({ heads: 2 }),
      'shape-mismatch',
      'selfAttention_1: an example is [8]; it must be [tokens, width].\nTo mend: put patches(), columnTokens() or embedding() before it.',
    ],
    'where heads do not divide the width': [
      [5, 8],
      selfAttention({ heads: 3, name: 'attend' }),
      'shape-mismatch',
      'attend: 3 heads do not divide a width of 8.\nTo mend: choose a number of heads that divides the width, or put dense() of another width before it.',
    ],
    'without heads': [
      [5, 8],
      selfAttention({ heads: 0 }),
      'invalid-option',
      'selfAttention_1: heads is 0; it must be a number at least 1.',
    ],
    'at no temperature': [
      [5, 8],
      attentionPooling({ temperature: 0 }),
      'invalid-option',
      'attentionPooling_1: temperature is 0; it must be above 0.\nTo mend: pass 1 for the plain softmax, less to sharpen it, more to level it.',
    ],
    'where patches do not tile the image': [
      [28, 28, 1],
      patches(5),
      'shape-mismatch',
      'patches_1: an example is [28, 28, 1]; patches of 5 × 5 do not tile it.\nTo mend: give images [height, width, channels] whose sides are multiples of the size.',
    ],
    'where columns are no columns': [
      [4, 4],
      columnTokens(3),
      'shape-mismatch',
      'columnTokens_1: an example is [4, 4]; it must be [columns].\nTo mend: give rows of a table, or put flatten() before it.',
    ],
    'where there is nothing to average over': [
      [4],
      globalAverage(),
      'shape-mismatch',
      'globalAverage_1: an example is [4]; there is nothing to average over.\nTo mend: give [tokens, width] or [height, width, channels].',
    ],
    'where a residual changes the shape': [
      [5, 8],
      residual([flatten()]),
      'shape-mismatch',
      'residual_1: its layers give [40] but are given [5, 8]; the two are added.\nTo mend: end them in a layer of the width that goes in.',
    ],
    'where a residual has no list of layers': [
      [5, 8],
      { kind: 'residual', options: { layers: 3 } },
      'invalid-option',
      'residual_1: layers is no list.\nTo mend: give a list of layers.',
    ],
    'where everything is dropped': [
      [5, 8],
      transformerBlock({ heads: 2, dropout: 1 }),
      'invalid-option',
      'transformerBlock_1: dropout is 1; it must be a number between 0 and 0.999999.',
    ],
  };
  test.each(Object.entries(cases))('%s', (_name, [inputShape, layer, code, message]) => {
    let refusal: unknown;
    try {
      modelLayout({ inputShape, layers: [layer] });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(VitrineError);
    expect((refusal as VitrineError).message.startsWith(message), (refusal as VitrineError).message).toBe(true);
    expect((refusal as VitrineError).code).toBe(code);
  });
});
